"""Writing: our sink beside aiosqlite's `executemany` of one-row VALUES, with the loop free and with it busy.

And what rollups cost: transactions of 20,000 ticks of 50 streams with two values each, with rollups and without.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import aiosqlite
import numpy as np

from tests.bench.table import Row
from tuistream.core.batch import Batch, Stream
from tuistream.core.outbox import Outbox
from tuistream.sinks.sqlite import SqliteSink
from tuistream.store import catalog
from tuistream.store.append import append
from tuistream.store.flush import Flush, Insert, prepare
from tuistream.store.opening import open_for_writing
from tuistream.store.rolling import Rolling

BATCH = 500
ROUNDS = 5
STREAM = Stream("bench", "A", "", ("price",))
Writer = Callable[[Path, int], Awaitable[None]]


async def ours(path: Path, count: int) -> None:
    outbox = Outbox("bench")
    t = np.arange(BATCH, dtype=np.int64) + time.time_ns()
    v = np.random.default_rng(1).normal(size=(BATCH, 1))
    async with SqliteSink(path, outbox) as sink:
        running = asyncio.create_task(sink.run())
        for start in range(0, count, BATCH):
            outbox.offer(Batch(STREAM, t + start, t + start, v))
            await outbox.room()
        sink.stop()
        await running


async def one_row_statements(path: Path, count: int) -> None:
    """What a program that knows aiosqlite does: one connection, WAL, batches through executemany, few commits."""
    values = np.random.default_rng(1).normal(size=BATCH).tolist()
    t = time.time_ns()
    async with aiosqlite.connect(path) as connection:
        await connection.execute("PRAGMA journal_mode=WAL")
        await connection.execute("PRAGMA synchronous=NORMAL")
        await connection.execute("CREATE TABLE ticks (stream INTEGER, t INTEGER, recv INTEGER, v0 REAL)")
        for start in range(0, count, BATCH):
            rows = [(1, t + start + i, t + start + i, values[i]) for i in range(BATCH)]
            await connection.executemany("INSERT INTO ticks VALUES (?, ?, ?, ?)", rows)
            if start % 20_000 == 0:
                await connection.commit()
        await connection.commit()


async def _busy(stop: asyncio.Event) -> None:
    """Keep the loop's thread at work, as a decoder at full load does."""
    while not stop.is_set():
        until = time.perf_counter() + 0.02
        while time.perf_counter() < until:
            sum(range(200))
        await asyncio.sleep(0)


async def _timed(writer: Writer, count: int, busy: bool) -> tuple[float, int]:
    """Rows a second from an empty folder to a closed file, and rows in the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bench.db")
        stop = asyncio.Event()
        load = asyncio.create_task(_busy(stop)) if busy else None
        began = time.perf_counter()
        await writer(path, count)
        seconds = time.perf_counter() - began
        stop.set()
        if load is not None:
            await load
        connection = sqlite3.connect(path)
        (stored,) = connection.execute("SELECT COUNT(*) FROM ticks").fetchone()
        connection.close()
    return count / seconds, stored


@dataclass(frozen=True, slots=True)
class _Case:
    what: str
    goal: str
    ours: int  # rows
    theirs: int
    busy: bool


CASES = (
    _Case("rows/s into SQLite", "2.5 x executemany", 1_000_000, 1_000_000, busy=False),
    _Case("rows/s into SQLite, the loop saturated", "30 x executemany", 600_000, 10_000, busy=True),
)


STREAMS, FLUSH, FLUSHES = 50, 20_000, 40
RATES = (400, 20)  # ticks/s of each stream by event time: a flush a second, and twenty seconds in a flush


class _NoRollups(Rolling, frozen=True):
    def after(self, flush: Flush, connection: sqlite3.Connection) -> tuple[Rolling, list[Insert]]:
        return self, []


def rows(short: bool) -> list[Row]:
    return [_row(case, short) for case in CASES] + [_rollups(rate, short) for rate in RATES]


def _rollups(rate: int, short: bool) -> Row:
    """In turn, several times; each ratio is of two runs next to each other."""
    flushes = _flushes(rate, 2 if short else FLUSHES)
    sides = (Rolling.begin(), _NoRollups.begin())
    rounds = [[_append_seconds(flushes, rolling) for rolling in sides] for _ in range(1 if short else ROUNDS)]
    costs = sorted(100 * (ours / without - 1) for ours, without in rounds)
    ours, without = (len(flushes) * FLUSH / median(side) for side in zip(*rounds, strict=True))
    spread = f"{costs[0]:.0f} to {costs[-1]:.0f} %"
    figures = f"with {ours:,.0f} rows/s, without {without:,.0f}; medians of {len(rounds)}, {spread}"
    what = f"rollups on the write path, {rate} ticks/s a stream"
    return Row(what, "less than 15 %" if rate == RATES[0] else "-", f"{median(costs):.0f} %", figures)


def _flushes(rate: int, count: int) -> list[list[Batch]]:
    chance = np.random.default_rng(1)
    streams = [Stream("bench", f"s{number}", "trade", ("price", "qty")) for number in range(STREAMS)]
    each = FLUSH // STREAMS
    flushes = []
    for first in range(0, count * each, each):
        t = 1_795_000_000_000_000_000 + (first + np.arange(each)) * (10**9 // rate)
        flushes.append([Batch(stream, t, t, chance.normal(size=(each, 2))) for stream in streams])
    return flushes


def _append_seconds(flushes: list[list[Batch]], rolling: Rolling) -> float:
    """CPU time of the transactions alone, from the ticks to the commit: the disk is hardly waited for."""
    with tempfile.TemporaryDirectory() as folder:
        connection = open_for_writing(Path(folder, "bench.db"))
        known = catalog.load(connection)
        began = time.thread_time()
        for batches in flushes:
            flush = prepare(batches, known, 0)
            connection.execute("BEGIN")
            rolling = append(flush, connection, rolling)
            connection.execute("COMMIT")
            known = flush.catalog
        seconds = time.thread_time() - began
        connection.close()
    return seconds


def _row(case: _Case, short: bool) -> Row:
    """Both in turn, several times: the machine's speed drifts, so each ratio is of two runs next to each other."""
    sides = ((ours, 10_000 if short else case.ours), (one_row_statements, 2_000 if short else case.theirs))
    rates: list[list[float]] = []
    lost = ""
    for _ in range(1 if short else ROUNDS):
        rates.append([])
        for writer, count in sides:
            rate, stored = asyncio.run(_timed(writer, count, case.busy))
            rates[-1].append(rate)
            if stored != count:
                lost = f"{stored:,} of {count:,} stored"
    ratios = sorted(our_rate / their_rate for our_rate, their_rate in rates)
    our_rate, their_rate = (median(side) for side in zip(*rates, strict=True))
    figures = (
        f"ours {our_rate:,.0f}/s, one-row executemany {their_rate:,.0f}/s;"
        f" medians of {len(rates)}, ratios {ratios[0]:.1f} to {ratios[-1]:.1f}"
    )
    return Row(case.what, case.goal, f"{median(ratios):.1f} x", figures, lost)
