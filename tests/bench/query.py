"""streaming-plot's own query on a large recording, with and without `--index-time`, and on a table like its own.

A recording is written as fast as it goes, so that what the index costs the writer shows as rows a second.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from statistics import median

import numpy as np

from tests.bench.table import Row
from tuistream.core.batch import Batch, Stream
from tuistream.core.outbox import Outbox
from tuistream.sinks.sqlite import SqliteSink

ROWS, ROWS_SHORT = 10_000_000, 20_000
BATCH = 5_000
STREAM = Stream("ws://localhost:8766", "", "", ("price",))
SQL = "SELECT * FROM trades ORDER BY time DESC LIMIT 20"
ASKED = 5
T0 = 1_795_000_000_000_000_000
STEP = 50_000_000  # ns: its server's 20 ticks/s


async def _record(path: Path, count: int, index_time: bool) -> float:
    """Rows a second, from an empty folder to a closed file."""
    outbox = Outbox("bench")
    random = np.random.default_rng(1)
    began = time.perf_counter()
    async with SqliteSink(path, outbox, index_time=index_time) as sink:
        writing = asyncio.create_task(sink.run())
        for start in range(0, count, BATCH):
            t = T0 + np.arange(start, min(start + BATCH, count), dtype=np.int64) * STEP
            outbox.offer(Batch(STREAM, t, t + 1_000_000, random.normal(145, 1, (len(t), 1))))
            await outbox.room()
            await asyncio.sleep(0)
        sink.stop()
        await writing
    return count / (time.perf_counter() - began)


def _stock(path: Path, count: int) -> None:
    """A table as its saver makes it, which has no index."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE trades(time float, price float)")
        rows = ((T0 / 1e9 + i / 20, 145.0) for i in range(count))
        connection.executemany("INSERT INTO trades VALUES (?, ?)", rows)


def _asked(path: Path) -> tuple[float, int]:
    """Seconds of the query as its plots make it, each time by a connection of its own; and the rows that it gave."""
    seconds = []
    found: list[tuple[float, float]] = []
    for _ in range(ASKED):
        began = time.perf_counter()
        with closing(sqlite3.connect(path)) as connection:
            found = connection.execute(SQL).fetchall()
        seconds.append(time.perf_counter() - began)
    in_order = found == sorted(found, reverse=True)
    return median(seconds), len(found) if in_order else 0


def rows(short: bool) -> list[Row]:
    count = ROWS_SHORT if short else ROWS
    with tempfile.TemporaryDirectory() as folder:
        plain, indexed, stock = (Path(folder, name) for name in ("plain.db", "indexed.db", "stock.db"))
        rate = asyncio.run(_record(plain, count, index_time=False))
        rate_indexed = asyncio.run(_record(indexed, count, index_time=True))
        _stock(stock, count)
        (without, found), (with_index, found_indexed), (theirs, _) = map(_asked, (plain, indexed, stock))
        sizes = [path.stat().st_size / count for path in (plain, indexed)]
    lost = "" if found == found_indexed == 20 else f"{found} and {found_indexed} rows of 20, in order"
    what = f"newest 20 of {count / 1e6:g} M trades"
    return [
        Row(what, "-", f"{without * 1e3:,.1f} ms", f"no index; its own table {theirs * 1e3:,.1f} ms", lost),
        Row(f"{what}, --index-time", "-", f"{with_index * 1e3:,.2f} ms", f"medians of {ASKED}, connecting each time"),
        Row(
            "what --index-time costs the writer",
            "-",
            f"{100 * (1 - rate_indexed / rate):.0f} %",
            f"{rate_indexed:,.0f} rows/s, without {rate:,.0f}; {sizes[1]:.0f} bytes a row, without {sizes[0]:.0f}",
        ),
    ]
