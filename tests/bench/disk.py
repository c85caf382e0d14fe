"""Writing: our sink beside aiosqlite's `executemany` of one-row VALUES, with the loop free and with it busy."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiosqlite
import numpy as np

from tests.bench.table import Row, ratio
from tuistream.core.batch import Batch, Stream
from tuistream.core.outbox import Outbox
from tuistream.sinks.sqlite import SqliteSink

BATCH = 500
STREAM = Stream("bench", "A", "", ("price",))
Writer = Callable[[Path, int], Awaitable[None]]


async def ours(path: Path, count: int) -> None:
    outbox = Outbox("bench")
    t = np.arange(BATCH, dtype=np.int64)
    v = np.random.default_rng(1).normal(size=(BATCH, 1))
    async with SqliteSink(path, outbox) as sink:
        running = asyncio.create_task(sink.run())
        for start in range(0, count, BATCH):
            outbox.offer(Batch(STREAM, t + start, t + start, v))
            await outbox.room()
        sink.stop()
        await running


async def one_row_statements(path: Path, count: int) -> None:
    """What a program that knows aiosqlite does: batches through executemany, WAL, a commit a batch of 20,000."""
    values = np.random.default_rng(1).normal(size=BATCH).tolist()
    async with aiosqlite.connect(path) as connection:
        await connection.execute("PRAGMA journal_mode=WAL")
        await connection.execute("PRAGMA synchronous=NORMAL")
        await connection.execute("CREATE TABLE ticks (stream INTEGER, t INTEGER, recv INTEGER, id ANY, v0 REAL)")
        for start in range(0, count, BATCH):
            rows = [(1, start + i, start + i, None, values[i]) for i in range(BATCH)]
            await connection.executemany("INSERT INTO ticks VALUES (?, ?, ?, ?, ?)", rows)
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
    """Rows a second, and rows in the file."""
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
        with sqlite3.connect(path) as connection:
            (stored,) = connection.execute("SELECT COUNT(*) FROM ticks").fetchone()
        connection.close()
    return count / seconds, stored


def rows(short: bool) -> list[Row]:
    table = []
    for what, goal, count, busy_count, busy in (
        ("rows/s into SQLite", "2.5 x executemany", 1_000_000, 1_000_000, False),
        ("rows/s into SQLite, the loop saturated", "30 x executemany", 300_000, 10_000, True),
    ):
        ours_count = 10_000 if short else count
        theirs_count = 2_000 if short else busy_count
        rate, stored = asyncio.run(_timed(ours, ours_count, busy))
        their_rate, their_stored = asyncio.run(_timed(one_row_statements, theirs_count, busy))
        lost = stored != ours_count or their_stored != theirs_count
        failed = f"{stored:,} of {ours_count:,} stored" if lost else ""
        figures = f"ours {rate:,.0f}/s, one-row executemany {their_rate:,.0f}/s"
        table.append(Row(what, goal, ratio(rate, their_rate), figures, failed))
    return table
