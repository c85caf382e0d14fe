"""The whole program under load: 50,000 ticks/s, four panels, recording; what it takes, and how soon it answers a key.

The keys are those that change the range and change it back. What the terminal got is put through an emulator
afterwards, so that the emulator takes nothing from the measurement: the answer is the word on the screen.
"""

from __future__ import annotations

import math
import random
import re
import sqlite3
import sys
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pyte

from tests.bench.console import COLUMNS, LINES, Console
from tests.bench.screen import first_braille
from tests.bench.sender import sender
from tests.bench.table import Row

PANELS = 4
SETTLE = 1.5  # seconds in which a recording that goes on has grown
# What pyte does not know and would print.
UNKNOWN = re.compile(
    rb"\x1b\[[<>=?][0-9;:]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p|\x1bP.*?\x1b\\|\x1b_.*?\x1b\\|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)",
    re.DOTALL,
)
ANSWERS = (("]", "range 50 ticks"), ("[", "range auto"))


@dataclass(frozen=True, slots=True)
class Load:
    """rate: ticks/s. Seconds: before anything is measured, of CPU alone, and from key to key at least."""

    rate: float
    warm: float
    quiet: float
    keys: int
    pause: float

    @property
    def ticks(self) -> int:
        """Enough to outlast the measurement, start of the program included."""
        return int(self.rate * (self.warm + self.quiet + 1.6 * self.pause * self.keys + 1))


FULL = Load(50_000.0, warm=3.0, quiet=6.0, keys=100, pause=0.15)
SHORT = Load(4_000.0, warm=0.2, quiet=0.2, keys=2, pause=0.2)


@dataclass(frozen=True, slots=True)
class Measured:
    """load: of one core. delays: seconds from key to answer, infinite where none came before the next key."""

    load: float
    loaded_by_keys: float
    delays: list[float]
    stored: int
    code: int


def measured(load: Load) -> Measured:
    with tempfile.TemporaryDirectory() as folder, sender(load.ticks, load.rate, symbols=PANELS) as url:
        db = Path(folder, "bench.db")
        command = (sys.executable, "-m", "tuistream", "watch", url, "--db", str(db), "--retries", "0")
        with Console(*command) as console:
            console.until(lambda: first_braille(console) is not None)
            console.watch(load.warm)
            cpu = console.cpu()
            console.watch(load.quiet)
            quiet = (console.cpu() - cpu) / load.quiet
            cpu = console.cpu()
            typed = type_keys(console, load)
            with_keys = (console.cpu() - cpu) / (console.chunks[-1][0] - typed[0])
            _wait_for_the_rest(console, db, load)
            console.type("q")
            code = console.end()
            delays = answers(console.chunks, typed)
        return Measured(quiet, with_keys, delays, _stored(db), code)


def type_keys(console: Console, load: Load) -> list[float]:
    """When each key was typed; not in step with the frames."""
    typed = []
    jitter = random.Random(1)
    for index in range(load.keys):
        typed.append(console.type(ANSWERS[index % 2][0]))
        console.watch(load.pause * (1 + jitter.random()))
    return typed


def _wait_for_the_rest(console: Console, db: Path, load: Load) -> None:
    """Until all ticks are in the file, or none come any more: then some are lost."""
    before = -1
    while before < (stored := _stored(db)) < load.ticks:
        before = stored
        console.watch(SETTLE)


def answers(chunks: list[tuple[float, bytes]], typed: list[float]) -> list[float]:
    """Seconds from each key to the chunk that completes its answer on the screen."""
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    delays: list[float] = []
    remaining = iter(chunks)
    upcoming = next(remaining, None)
    for index, (at, until) in enumerate(pairwise([*typed, math.inf])):
        wanted, delay = ANSWERS[index % 2][1], math.inf
        while upcoming is not None and upcoming[0] < until:
            came, data = upcoming
            stream.feed(UNKNOWN.sub(b"", data))
            upcoming = next(remaining, None)
            if came > at and delay == math.inf and wanted in "\n".join(screen.display):
                delay = came - at
        delays.append(delay)
    return delays


def _stored(db: Path) -> int:
    with sqlite3.connect(f"file:{db}?mode=ro", uri=True) as connection:
        (count,) = connection.execute("SELECT COUNT(*) FROM ticks").fetchone()
    connection.close()
    return int(count)


def rows(short: bool) -> list[Row]:
    load = SHORT if short else FULL
    got = measured(load)
    failures = []
    if got.stored != load.ticks:
        failures.append(f"{got.stored:,} of {load.ticks:,} stored")
    if got.code:
        failures.append(f"the program ended with {got.code}")
    unanswered = sum(delay == math.inf for delay in got.delays)
    if unanswered == len(got.delays):
        failures.append("no key was answered")
    failed = ", ".join(failures)
    what = f"{load.rate:,.0f} ticks/s, {PANELS} panels, recording"
    stored = f"{got.stored:,} of {load.ticks:,} ticks stored"
    figures = f"{load.keys} keys"
    if unanswered:
        figures += f", {unanswered} not answered before the next came"
    return [
        Row(
            what,
            "20 % of a core",
            f"{100 * got.load:.1f} %",
            f"while keys are typed {100 * got.loaded_by_keys:.1f} %; {stored}",
            failed,
        ),
        Row("  key to screen, p50", "4 ms", quantile(got.delays, 0.5, load), figures, failed),
        Row("  key to screen, p99", "15 ms", quantile(got.delays, 0.99, load), figures, failed),
    ]


def quantile(delays: list[float], part: float, load: Load) -> str:
    """By the nearest rank; what was not answered in time counts as longer than all that was."""
    delay = sorted(delays)[math.ceil(part * len(delays)) - 1]
    return f"{1e3 * delay:.1f} ms" if delay < math.inf else f"over {1e3 * load.pause:.0f} ms"
