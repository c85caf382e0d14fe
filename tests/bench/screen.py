"""Drawing: four panels of two lines in a real pseudo-terminal of 200 x 50, ours beside other programs' widgets.

All run as processes of their own, with the same data, drawn 10 times a second or as often as they can; CPU is of the
whole process, drawing and terminal output included. Ours is the monitor itself, its list of streams hidden, as the
others have none.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.apps import PERIOD, Cost
from tests.bench.console import Console, served
from tests.bench.table import Row

RATE = 100.0  # ticks/s of a stream: 6,000 a minute
MILLION_RATE = 1_000_000 / 60
SHORT_RATE = 20.0
SECONDS, SHORT_SECONDS = 8.0, 0.2
BUDGET = "10kB/s"
FEWEST_VALUES = 5


@dataclass(frozen=True, slots=True)
class Drawn:
    """CPU ms a frame, bytes a frame, and frames a second that came about."""

    ms: float
    bytes: float
    fps: float

    def __str__(self) -> str:
        return f"{self.ms:.1f} ms"


def drawn(name: str, rate: float, seconds: float) -> Drawn:
    """What the program `name` of `apps` takes."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "cost.json")
        command = (sys.executable, "-m", "tests.bench.apps", name, str(rate), str(seconds), str(result))
        with Console(*command) as console:
            if console.end() or not result.exists():
                raise RuntimeError(f"{name}: {console.tail()}")
            cost = Cost(*json.loads(result.read_text()))
            sent = console.bytes_between(cost.began, cost.ended)
    return Drawn(1e3 * cost.cpu / cost.frames, sent / cost.frames, cost.frames / (cost.ended - cost.began))


def rows(short: bool) -> list[Row]:
    seconds = SHORT_SECONDS if short else SECONDS
    rate = SHORT_RATE if short else RATE
    ours = drawn("ours", rate, seconds)
    with_list = ours if short else drawn("ours-with-list", rate, seconds)
    decimated = drawn("plotext-decimated", rate, seconds)
    # The short form leaves out what differs in its data only.
    raw = decimated if short else drawn("plotext-raw", rate, seconds)
    million = ours if short else drawn("ours", MILLION_RATE, seconds)
    what = "four panels, 6,000 points a line"
    return [
        Row(what, "5 ms CPU a frame", str(ours), f"{ours.fps:.1f} frames/s; with the list of streams {with_list}"),
        Row(
            "  against PlotextPlot, decimated",
            "1/20",
            share(ours, decimated),
            f"ours {ours}, PlotextPlot {decimated}",
        ),
        Row("  against PlotextPlot, all points", "1/60", share(ours, raw), f"ours {ours}, PlotextPlot {raw}"),
        _textual_plot(ours, rate, seconds),
        Row("the same, 1,000,000 points a line", "12 ms CPU a frame", str(million), f"{million.fps:.1f} frames/s"),
        Row(
            "bytes to the terminal at 10 frames/s",
            "40 kB/s",
            f"{kilobytes(ours):.1f} kB/s",
            f"{ours.bytes / 1e3:.1f} kB a frame; with the list of streams {kilobytes(with_list):.1f} kB/s; "
            f"PlotextPlot {kilobytes(decimated):.0f} kB/s, at the {decimated.fps:.1f} frames/s that it manages "
            f"{decimated.bytes * decimated.fps / 1e3:.0f}",
        ),
        _budget(seconds),
        _ttyplot(seconds),
    ]


def share(ours: Drawn, theirs: Drawn) -> str:
    return f"1/{theirs.ms / ours.ms:.1f}"


def kilobytes(cost: Drawn) -> float:
    return cost.bytes / PERIOD / 1e3


def _textual_plot(ours: Drawn, rate: float, seconds: float) -> Row:
    what, goal = "  against textual-plot, decimated", "1/12"
    if importlib.util.find_spec("textual_plot") is None:
        return Row(what, goal, "-", "textual-plot is not installed (extra bench)")
    theirs = drawn("textual-plot", rate, seconds)
    return Row(what, goal, share(ours, theirs), f"ours {ours}, textual-plot {theirs}")


def _budget(seconds: float) -> Row:
    """The program itself, as a user starts it: in its first minute the window grows, and most cells change."""
    what, goal = f"bytes to the terminal with --budget {BUDGET}", "10 kB/s"
    watch = (sys.executable, "-m", "tuistream", "watch")
    told = subprocess.run([*watch, "--help"], capture_output=True, text=True, check=True).stdout
    if "--budget" not in told:
        return Row(what, goal, "-", "watch has no --budget")
    with served("gbm", "--symbols", "4", "--rate", f"{RATE:.0f}") as url:
        with_it, most = _sent((*watch, url, "--no-record", "--budget", BUDGET), seconds)
        without, _ = _sent((*watch, url, "--no-record"), seconds)
    figures = (
        f"the most in a second {most / 1e3:.1f} kB; without it {without / 1e3:.1f} kB/s; "
        f"list of streams shown, the window still growing"
    )
    return Row(what, goal, f"{with_it / 1e3:.1f} kB/s", figures)


def _sent(command: tuple[str, ...], seconds: float) -> tuple[float, int]:
    """Bytes a second that a program sends, once it shows braille; the most that it sent in any one second."""
    with Console(*command) as console:
        console.until(lambda: first_braille(console) is not None)
        console.watch(min(1.0, seconds))
        began = time.perf_counter()
        console.watch(seconds)
        sent = console.bytes_between(began, began + seconds)
        starts = [at for at, _ in console.chunks if at >= began]
        most = max((console.bytes_between(at, min(at + 1, began + seconds)) for at in starts), default=0)
        console.type("q")
        console.end()
    return sent / seconds, most


def first_braille(console: Console) -> float | None:
    """When the first braille cell with a dot in it came, by time.perf_counter()."""
    before = b""
    for at, data in console.chunks:
        text = (before[-2:] + data).decode(errors="ignore")
        if any("\u2800" < char <= "\u28ff" for char in text):
            return at
        before = data
    return None


def _ttyplot(seconds: float) -> Row:
    what, goal = "one chart of two lines, ttyplot", "none"
    program = shutil.which("ttyplot")
    if program is None:
        return Row(what, goal, "-", "ttyplot is not installed")
    read, write = os.pipe()
    with os.fdopen(write, "w") as numbers, Console(program, "-2", stdin=read) as console:
        os.close(read)
        console.watch(PERIOD)
        cpu, began = console.cpu(), time.perf_counter()
        frames = 0
        while frames < FEWEST_VALUES or time.perf_counter() - began < seconds:
            numbers.write(f"{60_000 + frames % 17} {60_000 + frames % 23}\n")
            numbers.flush()
            console.watch(PERIOD)
            frames += 1
        cost = 1e3 * (console.cpu() - cpu) / frames
        sent = console.bytes_between(began, math.inf) / frames
    figures = f"{sent / 1e3:.1f} kB a frame; one column a value, no time axis"
    return Row(what, goal, f"{cost:.1f} ms CPU a frame", figures)
