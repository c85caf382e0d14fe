"""A recording replayed flat out into another, directly and over a WebSocket; every column compared."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from math import inf
from pathlib import Path

import numpy as np

from tests.bench.table import Row
from tests.store.recorded import record
from tuistream.config import FeedOptions, Settings, feed_settings
from tuistream.core.batch import Batch, IdRule, Stream
from tuistream.feeds.recording import RecordedTicks
from tuistream.feeds.server import serving
from tuistream.store.playback import Selection
from tuistream.wiring import running

STREAMS = 50
ROWS, SHORT_ROWS = 1_000_000, 10_000
GOAL = 300_000
T0 = 1_795_000_000_000_000_000
COLUMNS = "s.feed || s.name || s.kind, k.t, k.recv, k.id, k.v0, k.v1"


async def make(path: Path, count: int) -> None:
    """A recording of trades, a ms apart, each of the next of many streams."""
    streams = [Stream("bench", f"S{i}", "trade", ("price", "qty"), IdRule.CONSECUTIVE) for i in range(STREAMS)]
    each = count // STREAMS
    values = np.round(100 + np.random.default_rng(1).normal(size=(each, 2)), 4)
    rows = np.arange(each, dtype=np.int64)
    batches = [
        Batch(stream, t := T0 + (rows * STREAMS + i) * 1_000_000, t + 40_000_000, values, rows)
        for i, stream in enumerate(streams)
    ]
    await record(path, [batch.take(slice(at, at + 100)) for at in range(0, each, 100) for batch in batches])


async def replayed(url: str, to: Path) -> None:
    async with running(
        Settings(feed_settings([url], FeedOptions()), db=to, retries=0, window=2), recording_needed=True
    ) as run:
        await run.ended.wait()


@asynccontextmanager
async def served(path: Path) -> AsyncIterator[str]:
    async with serving(RecordedTicks(Selection((path,)), inf), note=print) as server:
        yield server.url


async def directly(path: Path, to: Path) -> None:
    await replayed(f"replay:{path}?speed=max", to)


async def over_a_websocket(path: Path, to: Path) -> None:
    async with served(path) as url:
        await replayed(url, to)


def differences(path: Path, again: Path, feed: bool) -> int:
    """How many rows are in one recording only. feed: whether the feed's name is compared, too."""
    columns = COLUMNS if feed else COLUMNS.replace("s.feed || ", "")
    rows = "SELECT {} FROM {}.ticks AS k JOIN {}.streams AS s ON s.id = k.stream"
    connection = sqlite3.connect(path)
    connection.execute("ATTACH ? AS again", (str(again),))
    one, other = rows.format(columns, "main", "main"), rows.format(columns, "again", "again")
    counts = [
        connection.execute(f"SELECT count(*) FROM ({a} EXCEPT {b})").fetchone()[0]
        for a, b in ((one, other), (other, one))
    ]
    total = [connection.execute(f"SELECT count(*) FROM {name}.ticks").fetchone()[0] for name in ("main", "again")]
    connection.close()
    return int(sum(counts) + abs(total[0] - total[1]))


def rows(short: bool) -> list[Row]:
    count = SHORT_ROWS if short else ROWS
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "recording.db")
        asyncio.run(make(path, count))
        return [
            _row("ticks/s from a recording into another", f"{GOAL:,}", directly, path, count),
            _row("ticks/s served, and recorded", "-", over_a_websocket, path, count),
        ]


def _row(what: str, goal: str, way: Callable[[Path, Path], Awaitable[None]], path: Path, count: int) -> Row:
    again = path.with_name("again.db")
    began, cpu_began = time.perf_counter(), time.process_time()

    async def run() -> None:
        await way(path, again)

    asyncio.run(run())
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu_began
    differ = differences(path, again, feed=way is directly)
    again.unlink()
    figures = f"{count:,} ticks of {STREAMS} streams in {seconds:.2f} s, {cpu:.2f} s of CPU; every column compared"
    failed = f"{differ:,} rows differ" if differ else ""
    return Row(what, goal, f"{count / seconds:,.0f}", figures, failed)
