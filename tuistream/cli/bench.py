"""`tuistream bench`: how fast this machine is at what tuistream does."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuistream import __version__
from tuistream.core.errors import TuistreamError

if TYPE_CHECKING:
    from tuistream.core.session import Session

TICKS, QUICK_TICKS = 400_000, 5_000
READ = 1_000  # messages that one read gives
FRAMES, QUICK_FRAMES = 30, 3
FPS = 10
DRAW_SECONDS = 60.0  # that drawing may take on a slow machine
COLUMNS, LINES = 200, 50
PANELS = 4
RATE = 100  # ticks/s of a panel's stream
SPAN = 60  # seconds that a panel shows
SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Recorded:
    """rows: found in the file afterwards. seconds: from the first message to the last commit."""

    ticks: int
    rows: int
    seconds: float
    bytes: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """cpu: seconds, all of the process that draws. bytes: to its terminal."""

    frames: float
    cpu: float
    bytes: int


@click.command(epilog="\b\nExamples:\n  tuistream bench\n  tuistream bench --json | jq .ticks_per_second")
@click.option("--quick", is_flag=True, help="Only show that it works: a second, and rough figures.")
@click.option("--json", "as_json", is_flag=True, help="For scripts: one JSON object.")
@click.option("--draw", "frames", type=click.IntRange(1), hidden=True, help="Be the screen that is measured.")
def command(quick: bool, as_json: bool, frames: int | None) -> int:
    """Measure this machine, some seconds long: ticks/s from message to file, frames/s, bytes to the terminal.

    Messages are decoded, kept in memory and recorded into a temporary file; then the monitor shows four charts on a
    terminal of 200 x 50 that nobody sees. No network is used.
    """
    if frames is not None:
        from tuistream.ui.measure import measure

        walk = Walk()
        click.echo(json.dumps(asyncio.run(measure(walk.session, walk.advance, frames, FPS))))
        return 0
    with tempfile.TemporaryDirectory(prefix="tuistream-") as folder:
        recorded = asyncio.run(record(Path(folder, "bench.db"), QUICK_TICKS if quick else TICKS))
    refuse_loss(recorded)
    drawn = draw(QUICK_FRAMES if quick else FRAMES)
    click.echo(as_json_text(recorded, drawn) if as_json else as_text(recorded, drawn))
    return 0


def draw(frames: int) -> Drawn | None:
    """Let a process of its own draw; None where there are no pseudo-terminals (Windows)."""
    if sys.platform == "win32":
        return None
    from tuistream.cli.pseudo_terminal import run

    command = [sys.executable, "-m", "tuistream", "bench", "--draw", str(frames)]
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    told, chunks = run(command, environment, COLUMNS, LINES, DRAW_SECONDS)
    count, cpu, began, ended = json.loads(told)
    return Drawn(count, cpu, sum(size for at, size in chunks if began <= at < ended))


def refuse_loss(recorded: Recorded) -> None:
    """Raise TuistreamError where the file does not hold every tick: then no figure is worth anything."""
    if recorded.rows != recorded.ticks:
        raise TuistreamError(f"bench: {recorded.rows:,} of {recorded.ticks:,} ticks are in the file")


def as_json_text(recorded: Recorded, drawn: Drawn | None) -> str:
    """The figures for scripts; those of drawing are null where nothing was drawn."""
    values = {
        "version": __version__,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "ticks": recorded.ticks,
        "ticks_per_second": round(recorded.ticks / recorded.seconds),
        "bytes_per_tick": round(recorded.bytes / recorded.ticks, 1),
        "frames": round(drawn.frames) if drawn else None,
        "frames_per_second": round(drawn.frames / drawn.cpu, 1) if drawn else None,
        "ms_per_frame": round(1e3 * drawn.cpu / drawn.frames, 2) if drawn else None,
        "terminal_bytes_per_second": round(FPS * drawn.bytes / drawn.frames) if drawn else None,
    }
    return json.dumps(values)


def as_text(recorded: Recorded, drawn: Drawn | None) -> str:
    rate = f"{recorded.ticks / recorded.seconds:,.0f} ticks/s"
    lines = [("decode, keep and record", rate, recorded_in_words(recorded))]
    if drawn is None:
        lines.append(("draw", "-", "this system has no pseudo-terminals"))
    else:
        ms = 1e3 * drawn.cpu / drawn.frames
        size = drawn.bytes / drawn.frames / 1e3
        load = f"{ms:.1f} ms CPU a frame: {ms * FPS / 10:.0f} % of a core at {FPS} frames/s"
        lines += [
            (f"draw {PANELS} charts, {COLUMNS} x {LINES}", f"{1e3 / ms:,.0f} frames/s", load),
            ("send to the terminal", f"{FPS * size:,.1f} kB/s", f"{size:.1f} kB a frame, at {FPS} frames/s"),
        ]
    head = f"tuistream {__version__}, Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores"
    return "\n".join([head, *(f"{what:26}{figure:>18}   {words}" for what, figure, words in lines)])


def recorded_in_words(recorded: Recorded) -> str:
    return f"all {recorded.ticks:,} in the file, {recorded.bytes / recorded.ticks:.0f} bytes each"


async def record(path: Path, count: int) -> Recorded:
    """Take `count` messages from bytes to rows in the file at `path`."""
    from tuistream import decoders
    from tuistream.core.outbox import Outbox
    from tuistream.core.session import Session
    from tuistream.core.status import FeedStatus
    from tuistream.decoders.contract import DecoderOptions
    from tuistream.sinks.sqlite import SqliteSink
    from tuistream.store.inspect import inspect

    now = time.time_ns()
    reads = [messages(first, min(READ, count - first), now - count * 1_000) for first in range(0, count, READ)]
    decoder = decoders.create("auto", "bench", DecoderOptions())
    session = Session()
    feed = session.add_feed(FeedStatus("bench"))
    outbox = Outbox(str(path))
    session.outboxes.append(outbox)
    sink = SqliteSink(path, outbox)
    await sink.open()
    writing = asyncio.create_task(sink.run())
    began = time.perf_counter()
    for read in reads:
        session.ingest(feed, decoder.decode(read, time.time_ns()).batches)
        await session.room()
        await asyncio.sleep(0)  # as between two reads of a socket
    sink.stop()
    await writing
    seconds = time.perf_counter() - began
    await sink.close()
    contents = inspect(path)
    return Recorded(count, contents.rows, seconds, contents.size)


def messages(first: int, count: int, start: int) -> list[bytes]:
    """Ticks from number `first` on, 1 µs apart, number 0 at `start` (ns): `{"time": …, "price": …}`."""
    times = [start + i * 1_000 for i in range(first, first + count)]
    return [
        b'{"time": %d.%06d, "price": "%d.%02d"}' % (t // SECOND, t % SECOND // 1_000, 60_000 + i % 9, i % 100)
        for i, t in enumerate(times, start=first)
    ]


class Walk:
    """A session with a full window of random walks in it, which go on as time does."""

    def __init__(self) -> None:
        import numpy as np

        from tuistream.core.batch import Stream
        from tuistream.core.session import Session
        from tuistream.core.status import FeedState, FeedStatus

        self.session: Session = Session()
        self._feed = self.session.add_feed(FeedStatus("bench", state=FeedState.LIVE))
        self._random = np.random.default_rng(1)
        self._streams = [Stream("bench", f"WALK-{number}", "", ("price",)) for number in range(1, PANELS + 1)]
        self._prices = [60_000.0] * PANELS
        self._until = time.time_ns() - SPAN * SECOND
        self.advance()

    def advance(self) -> None:
        """Add the ticks up to now."""
        import numpy as np

        from tuistream.core.batch import Batch

        now = time.time_ns()
        count = (now - self._until) * RATE // SECOND
        if not count:
            return
        t = self._until + np.arange(1, count + 1, dtype=np.int64) * (SECOND // RATE)
        self._until = int(t[-1])
        self._feed.last_recv = now
        for number, stream in enumerate(self._streams):
            prices = np.round(self._prices[number] + np.cumsum(self._random.normal(size=count)), 2)
            self._prices[number] = float(prices[-1])
            self.session.ingest(self._feed, [Batch(stream, t, np.full(count, now), prices[:, None])])
