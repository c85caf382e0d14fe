"""From the wire to the file: ours beside the program that one would write, and beside streaming-plot's saver."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import re
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

import aiosqlite
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.bench.sender import sender
from tests.bench.table import Row, ratio
from tuistream.config import FeedOptions, Settings, feed_settings
from tuistream.wiring import running

ROUNDS = 3
LONGER = 3  # times as many ticks show what one costs without start and end
Program = Callable[[str, Path], Any]


async def ours(url: str, path: Path) -> None:
    settings = Settings(feeds=feed_settings([url], FeedOptions()), db=path, retries=0)
    async with running(settings, recording_needed=True) as run:
        await run.ended.wait()


async def idiomatic(url: str, path: Path) -> None:
    """`async for`, json.loads, executemany in batches of 1,000: what a good programmer writes in an hour."""
    async with aiosqlite.connect(path) as db, connect(url, compression=None) as connection:
        await db.execute("PRAGMA journal_mode=WAL")
        await db.execute("CREATE TABLE ticks (t REAL, price REAL)")
        batch = []
        async for message in connection:
            tick = json.loads(message)
            batch.append((tick["time"], float(tick["price"])))
            if len(batch) >= 1_000:
                await db.executemany("INSERT INTO ticks VALUES (?, ?)", batch)
                await db.commit()
                batch.clear()
        await db.executemany("INSERT INTO ticks VALUES (?, ?)", batch)
        await db.commit()


async def streaming_plot(url: str, path: Path) -> None:
    """As streaming-plot's saver does: gather two, open the file, insert, commit, close."""
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE ticks (time float, price float)")
    db.close()
    batch = []
    async with connect(url) as connection:
        try:
            while True:
                tick = json.loads(await connection.recv())
                batch.append((tick["time"], tick["price"]))
                if len(batch) == 2:
                    with sqlite3.connect(path) as db:
                        db.executemany("INSERT INTO ticks VALUES (?, ?)", batch)
                    db.close()
                    batch.clear()
        except ConnectionClosed:
            pass


PROGRAMS: dict[str, Program] = {"ours": ours, "idiomatic": idiomatic, "streaming-plot": streaming_plot}


def _run(name: str, url: str, path: str, out: Connection) -> None:
    began = time.perf_counter()
    asyncio.run(PROGRAMS[name](url, Path(path)))
    seconds = time.perf_counter() - began
    out.send((seconds, peak_mb()))


def peak_mb() -> float:
    """Of this process alone: Linux counts into `ru_maxrss` what the process that started it had, too."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text())
    assert found is not None
    return int(found[1]) / 1024


def measured(name: str, count: int) -> tuple[float, int, float]:
    """Seconds, rows stored, peak MB, of a program in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder, sender(count) as url:
        path = Path(folder, "bench.db")
        out, its_end = context.Pipe(duplex=False)
        process = context.Process(target=_run, args=(name, url, str(path), its_end))
        process.start()
        its_end.close()
        try:
            seconds, peak = out.recv()
        except EOFError:
            raise RuntimeError(f"{name} ended without a result") from None
        finally:
            process.join()
            out.close()
        with sqlite3.connect(path) as db:
            (stored,) = db.execute("SELECT COUNT(*) FROM ticks").fetchone()
        db.close()
    return seconds, stored, peak


def rows(short: bool) -> list[Row]:
    """Medians of rounds in which all take turns. The first counts are small, the second larger by `LONGER`."""
    counts = {"ours": 10_000, "idiomatic": 2_000, "streaming-plot": 100}
    if not short:
        counts = {"ours": 1_000_000, "idiomatic": 200_000, "streaming-plot": 2_000}
    rates: dict[str, list[float]] = {name: [] for name in counts}
    steady: dict[str, list[float]] = {"ours": [], "idiomatic": []}
    failed, peak = "", 0.0
    for _ in range(1 if short else ROUNDS):
        for name, count in counts.items():
            seconds, stored, megabytes = measured(name, count)
            rates[name].append(count / seconds)
            peak = max(peak, megabytes) if name == "ours" else peak
            failed = failed or _missing(name, stored, count)
            if name in steady:
                longer, stored, _ = measured(name, LONGER * count)
                steady[name].append((LONGER - 1) * count / max(longer - seconds, 1e-3))
                failed = failed or _missing(name, stored, LONGER * count)
    rate = {name: median(each) for name, each in rates.items()}
    lasting = {name: median(each) for name, each in steady.items()}
    figures = ", ".join(f"{name} {each:,.0f}/s" for name, each in rate.items())
    figures += f"; {counts['ours']:,} ticks, start and end included, medians of {len(rates['ours'])}"
    return [
        Row(
            "wire to SQLite, against an idiomatic program",
            "8 x",
            ratio(rate["ours"], rate["idiomatic"]),
            figures,
            failed,
        ),
        Row(
            "  what more ticks take, without start and end",
            "8 x",
            ratio(lasting["ours"], lasting["idiomatic"]),
            ", ".join(f"{name} {each:,.0f}/s" for name, each in lasting.items()),
            failed,
        ),
        Row(
            "wire to SQLite, against streaming-plot",
            "800 x",
            ratio(rate["ours"], rate["streaming-plot"]),
            figures,
            failed,
        ),
        Row("peak memory of that", "120 MB", f"{peak:.0f} MB", f"{counts['ours']:,} ticks stored", failed),
    ]


def _missing(name: str, stored: int, count: int) -> str:
    return f"{name} stored {stored:,} of {count:,}" if stored != count else ""
