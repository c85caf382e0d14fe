"""`python -m tests.bench.week [DAYS [RATE]]`: a recorder for a week of 20 ticks/s, on a clock that is set.

The feed, the session and the sink are those of a recorder; only the producer and the clock are ours. It loses its
connection every three hours and half a minute of ticks with it, some ticks come late, and the recording goes on in a
new file each day. Memory comes from two arenas, as in the unit that `tuistream deploy` prints: with more, those of
threads which came and went with files count for some days.

A line for each hour of that week: memory, open files, rows. Exit code 1 where memory or files grow, or a tick or a
gap is missing. No section of the bench, as it takes minutes.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tests.bench.console import resident_mb
from tuistream import decoders
from tuistream.core.errors import SourceDown
from tuistream.core.outbox import Outbox
from tuistream.core.session import Session
from tuistream.core.status import FeedStatus
from tuistream.decoders.contract import DecoderOptions
from tuistream.sinks.sqlite import SqliteSink
from tuistream.sources.feed import Feed
from tuistream.sources.retry import Retry
from tuistream.store.rotation import Rotation
from tuistream.store.segments import files_of

SECOND = 1_000_000_000
HOUR, DAY = 3_600 * SECOND, 86_400 * SECOND
MONDAY = 1_795_392_000 * SECOND  # 2026-11-23, 00:00 UTC
DAYS, RATE = 7, 20.0
STREAMS = ("BTC", "ETH", "SOL", "XRP")
FRAMES = 100  # that one read gives
CONNECTED = 3 * HOUR  # for which a connection lasts
OUTAGE = 30 * SECOND
WAITING = 10_000  # ticks that wait to be written, at most: where time runs fast there would be many more
LATE_EVERY, LATE_BY = 997, 45 * SECOND
OPEN_FILES = Path("/proc/self/fd")
SETTLED_HOURS, LAST_HOURS = 48, 24  # memory is to be flat from after the first ones to the last ones
MEMORY_GROWTH = 0.05  # of what it was then
FILES_TURNING = 8  # more than usual while one recording file follows another


class Sample(NamedTuple):
    """At an hour of the week. t: ns since 1970 UTC."""

    t: int
    resident_mb: float
    blocks: int  # that Python has allocated
    files: int
    rows: int
    pending: int
    connections: int
    gaps: int


@dataclass
class Week:
    """A producer and the clock of the machine. t: ns since 1970 UTC, when the next tick is due.

    rate: ticks/s. sample: called for each hour. connected: ns for which a connection lasts.
    """

    end: int
    rate: float
    sample: Callable[[int], None]
    t: int = MONDAY
    sent: int = 0
    outages: int = 0
    connected: int = CONNECTED
    _until: int = 0
    _hour: int = MONDAY
    _rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(1))

    def clock(self) -> int:
        return self.t

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Week]:
        if self._until:
            self.t += OUTAGE
            self.outages += 1
        self._until = self.t + self.connected
        yield self

    async def read(self) -> Sequence[bytes]:
        await asyncio.sleep(0)
        while self.t >= self._hour:
            self.sample(self._hour)
            self._hour += HOUR
        if self.t >= self.end:
            raise SourceDown("the week is over", normal=True, over=True)
        if self.t >= self._until:
            raise SourceDown("connection lost")
        step = int(SECOND / self.rate)
        prices = 100 + np.round(self._rng.normal(0, 1, FRAMES), 2)
        frames = []
        for row, price in enumerate(prices.tolist()):
            number = self.sent + row
            t = self.t + row * step - (LATE_BY if number % LATE_EVERY == LATE_EVERY - 1 else 0)
            frames.append(
                b'{"symbol": "%s", "time": %d, "price": %.2f}'
                % (STREAMS[number % len(STREAMS)].encode(), t // 1_000_000, price)
            )
        self.sent += FRAMES
        self.t += FRAMES * step
        return frames

    def rest(self) -> Sequence[bytes]:
        return []

    async def send(self, message: str) -> None:
        """It is told nothing."""


async def lived(
    base: Path, days: float, rate: float, told: Callable[[Sample], None], connected: int = CONNECTED
) -> tuple[Week, list[Sample]]:
    """The week, and a sample for each of its hours."""
    samples: list[Sample] = []

    def sample(t: int) -> None:
        files = sum(1 for _ in OPEN_FILES.iterdir())
        now = Sample(
            t,
            resident_mb(os.getpid()),
            sys.getallocatedblocks(),
            files,
            sink.rows,
            sink.pending,
            status.connections,
            session.gaps,
        )
        samples.append(now)
        told(now)

    week = Week(MONDAY + int(days * DAY), rate, sample, connected=connected)
    session = Session(window=2, clock=week.clock)
    status = session.add_feed(FeedStatus("week"))
    outbox = Outbox("week", WAITING)
    session.outboxes.append(outbox)
    sink = SqliteSink(base, outbox, clock=week.clock, rotation=Rotation(every=DAY))
    decoder = decoders.create("auto", "week", DecoderOptions())
    async with sink:
        writing = asyncio.create_task(sink.run())
        await Feed(session, status, week, decoder, Retry(None, None)).run()
        sink.stop()
        await writing
    assert status.ticks == week.sent
    return week, samples


def verdict(week: Week, samples: Sequence[Sample], base: Path) -> list[str]:
    """What went wrong."""
    wrong: list[str] = []
    rows = gaps = 0
    for path in files_of([base]):
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            rows += connection.execute("SELECT count(*) FROM ticks").fetchone()[0]
            gaps += connection.execute("SELECT count(*) FROM events WHERE kind = 'gap'").fetchone()[0]
    if rows != week.sent:
        wrong.append(f"{rows:,} rows of {week.sent:,} ticks")
    if gaps != week.outages * len(STREAMS):
        wrong.append(f"{gaps:,} gaps after {week.outages:,} outages of {len(STREAMS)} streams")
    days = (week.end - MONDAY) // DAY
    if len(files_of([base])) < days:
        wrong.append(f"{len(files_of([base]))} files for {days} days")
    settled = samples[SETTLED_HOURS : SETTLED_HOURS + LAST_HOURS]
    last = samples[-LAST_HOURS:]
    if settled:
        before, after = (max(sample.resident_mb for sample in part) for part in (settled, last))
        if after > before * (1 + MEMORY_GROWTH):
            wrong.append(f"memory rose from {before:.1f} to {after:.1f} MB")
    usual = min(sample.files for sample in samples)
    most = max(sample.files for sample in samples)
    if most > usual + FILES_TURNING or min(sample.files for sample in last) > usual + 1:
        wrong.append(f"open files rose from {usual} to {most}")
    return wrong


def main(days: float = DAYS, rate: float = RATE) -> int:
    def told(sample: Sample) -> None:
        moment = time.strftime("%a %H:%M", time.gmtime(sample.t // SECOND))
        state = f"{sample.resident_mb:7.1f} {sample.blocks:9,} {sample.files:6} {sample.rows:12,} {sample.pending:8,}"
        print(f"{moment:10} {state} {sample.connections:12} {sample.gaps:6}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder, "week.db")
        heads = (
            ("UTC", 10),
            ("MB", 8),
            ("blocks", 10),
            ("files", 7),
            ("rows", 13),
            ("pending", 9),
            ("connections", 13),
        )
        print("".join(head.rjust(width) for head, width in (*heads, ("gaps", 7))))
        began = time.perf_counter()
        week, samples = asyncio.run(lived(base, days, rate, told))
        passed = time.perf_counter() - began
        wrong = verdict(week, samples, base)
        size = sum(path.stat().st_size for path in files_of([base]))
        print(
            f"{week.sent:,} ticks in {len(files_of([base]))} files of {size / 1e6:,.0f} MB, {week.outages} outages, "
            f"{days:g} days in {passed:.0f} s: {'FAILED: ' + '; '.join(wrong) if wrong else 'memory and files flat'}"
        )
    return bool(wrong)


if __name__ == "__main__":
    if "MALLOC_ARENA_MAX" not in os.environ:  # glibc reads it when a program starts
        words = [sys.executable, "-m", "tests.bench.week", *sys.argv[1:]]
        os.execve(sys.executable, words, os.environ | {"MALLOC_ARENA_MAX": "2"})
    sys.exit(main(*map(float, sys.argv[1:])))
