"""Out and in again: real recordings exported and imported in each format, the rates, and whether rows are the same.

Where TUISTREAM_DATA names no folder of recordings, a synthetic one stands in.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from tests.bench.table import Row
from tests.decoders.recorded import DATA
from tests.imports.importing import by_stream, imported, ticks_of
from tests.store.recorded import record, ticks
from tuistream.exports.contract import Done
from tuistream.exports.run import export
from tuistream.imports.text import unpacked
from tuistream.store.playback import Selection

FORMATS = {"csv": "a.csv", "jsonl": "a.jsonl", "parquet": "a.parquet", "arrow": "a.arrow", "sqlite": "out.db"}
NEW_YORK_MIDNIGHT = 1_381_104_000 * 10**9  # 2013-10-07, before the zone
SPY_COLUMNS = ("ms", "price", "qty", "exchange", "conditions", "suspicious")


def _recordings(folder: Path, short: bool) -> list[tuple[str, Path, int]]:
    """What is called how, and how many rows its files have."""
    if short or DATA is None:
        path = folder / "synthetic.db"
        asyncio.run(record(path, [ticks(count=2_000 if short else 200_000)]))
        return [("synthetic", path, 2_000 if short else 200_000)]
    sensors, spy = folder / "sensors.db", folder / "spy.db"
    files = sorted((DATA / "sensors").glob("*.csv"))
    imported(sensors, *files)
    (day,) = (DATA / "spy").glob("*.zip")
    wishes = {
        "columns": SPY_COLUMNS,
        "time": "ms",
        "unit": "ms",
        "day": NEW_YORK_MIDNIGHT,
        "fields": ("price", "qty"),
    }
    imported(spy, day, **wishes, zone="America/New_York", feed="SPY")
    return [("3 sensor files", sensors, sum(map(_lines, files)) - 3), ("SPY, a day", spy, _lines(day))]


def _lines(path: Path) -> int:
    with unpacked(path) as (data, _):
        return sum(1 for _ in data)


def rows(short: bool) -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return [
            _row(what, to, path, count, folder) for what, path, count in _recordings(folder, short) for to in FORMATS
        ]


def _row(what: str, to: str, path: Path, count: int, folder: Path) -> Row:
    out, again = folder / FORMATS[to], folder / "again.db"
    again.unlink(missing_ok=True)
    began = time.perf_counter()
    export(Selection((path,)), to, out, Done(), force=True)
    exported = time.perf_counter()
    done = imported(again, out)
    ended = time.perf_counter()
    before, after = ticks_of(path), ticks_of(again)
    same = by_stream(before) == by_stream(after)
    lost = "" if same and len(before) == len(after) == count else f"{len(after):,} rows of {count:,}, same: {same}"
    lost = lost or done.progress.first
    rates = f"out {count / (exported - began):,.0f} rows/s, in {count / (ended - exported):,.0f} rows/s"
    return Row(
        f"{what}: {to} and back", "the same rows", f"{len(after):,} rows", f"{rates}, {_size(out, count)}", lost
    )


def _size(path: Path, count: int) -> str:
    return f"{path.stat().st_size / count:.0f} bytes a row"
