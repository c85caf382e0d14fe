"""`--every`: the same numbers as from all ticks, whatever of them the rollups cover."""

from __future__ import annotations

import json
import math
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.imports.importing import ticks_of
from tests.store.recorded import T0, query, record
from tuistream.core.batch import Batch, Stream
from tuistream.core.errors import SettingsError
from tuistream.core.exchange import written
from tuistream.exports.contract import Done
from tuistream.exports.run import export
from tuistream.store.playback import Selection

SECOND = 10**9
MINUTE = 60 * SECOND
TRADES = Stream("feed", "A", "trade", ("price", "qty"))
TURNED = Stream("feed", "A", "trade", ("qty", "price"))
BOOK = Stream("feed", "A", "book", ("bid",))


def walk(stream: Stream, count: int, seed: int, since: int = T0) -> Batch:
    """Ticks about 50 ms apart with holes in them; a tenth come late, and a fifth of the values are missing."""
    random = np.random.default_rng(seed)
    t = since + np.cumsum(random.integers(1, 100_000_000, count))
    t[count // 3 :] += 10 * MINUTE
    late = random.random(count) < 0.1
    t[late] -= random.integers(0, 3 * MINUTE, int(late.sum()))
    v = random.normal(100, 1, (count, len(stream.fields)))
    v[random.random(v.shape) < 0.2] = np.nan
    return Batch(stream, t, t + 1_000, v)


def from_ticks(every: int, files: list[Path], since: int, until: int) -> dict[tuple[str, ...], tuple[float, ...]]:
    """Open, high, low, close, mean, count by time, stream's kind and field."""
    found: dict[tuple[str, ...], list[float]] = {}
    all_ticks = sorted((tick for path in files for tick in ticks_of(path)), key=lambda tick: tick[1])
    for key, t, _, _, values in all_ticks:
        if since <= t < until:
            for field, value in values.items():
                found.setdefault((written(t // every * every), key[2], field), []).append(value)
    return {
        key: (v[0], max(v), min(v), v[-1], math.fsum(v) / len(v), float(len(v))) for key, v in sorted(found.items())
    }


def as_told(lines: str) -> dict[tuple[str, ...], tuple[float, ...]]:
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines.splitlines()]
    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
    names = ("open", "high", "low", "close", "mean", "count")
    return {(row["time"], row["kind"], row["field"]): tuple(float(row[name]) for name in names) for row in rows}


@pytest.mark.parametrize("every", [SECOND, 7 * SECOND, MINUTE, 90 * SECOND, 5 * MINUTE, 3_600 * SECOND])
async def test_buckets_are_those_of_all_ticks(tmp_path: Path, every: int) -> None:
    files = [tmp_path / "a.db", tmp_path / "b.db"]
    await record(files[0], [walk(TRADES, 3_000, 1), walk(BOOK, 500, 2)])
    await record(files[1], [walk(TURNED, 2_000, 3, since=T0 + 11 * MINUTE)])
    assert query(files[0], "SELECT count(*) FROM rollups") != [(0,)]
    for since, until in ((None, None), (T0 + MINUTE + 1, T0 + 12 * MINUTE)):
        done = Done()
        export_to = tmp_path / "a.jsonl"
        export(Selection(tuple(files), since, until), "jsonl", export_to, done, every=every, force=True)
        told = as_told(export_to.read_text())
        wanted = from_ticks(every, files, since or 0, until or 1 << 62)
        assert list(told) == sorted(told, key=lambda key: key[0])
        assert set(told) == set(wanted)
        assert done.rows == len(wanted)
        for key, numbers in wanted.items():
            assert told[key][:4] == numbers[:4], key
            assert told[key][4] == pytest.approx(numbers[4])
            assert told[key][5] == numbers[5]


async def test_the_view_has_every_minute_open_ones_too(tmp_path: Path) -> None:
    """Those that have complete rows from these, the others from the ticks: `rollups` tells which."""
    path = tmp_path / "a.db"
    sparse = Stream("feed", "A", "sparse", ("bid", "ask"))
    slow = walk(sparse, 20, 4)
    slow = Batch(sparse, T0 + (slow.t - T0) * 500, slow.recv, slow.v)  # a tick in half a minute
    await record(path, [walk(TRADES, 3_000, 1), walk(BOOK, 500, 2), slow])
    covered = query(
        path, f"SELECT stream, min(since), max(until) FROM rollups WHERE width = {MINUTE} GROUP BY stream"
    )
    assert covered  # and yet not all
    rows = query(path, "SELECT t, kind, field, open, high, low, close, count, volume, time FROM candles_1m")
    found: dict[tuple[str, ...], list[Any]] = {(written(r[0]), r[1], r[2]): list(r[3:]) for r in rows}
    wanted = from_ticks(MINUTE, [path], 0, 1 << 62)
    assert len(rows) == len(found)
    assert set(found) == set(wanted)
    for key, (first, high, low, last, _, count) in wanted.items():
        assert found[key][:5] == [first, high, low, last, count], key
    assert all(row[-1] == row[0] / 1e9 for row in rows)
    volumes = "SELECT field, sum(volume) FROM candles_1m WHERE kind = 'trade' GROUP BY field"
    by_field = dict(query(path, volumes))
    quantity = "SELECT sum(value) FROM ticks_named WHERE kind = 'trade' AND field = 'qty'"
    assert by_field["qty"] == pytest.approx(query(path, quantity)[0][0])


async def test_the_view_finds_minutes_between_stretches_of_complete_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await record(path, [walk(BOOK, 3_000, 1)])
    before = query(path, "SELECT * FROM candles_1m ORDER BY t, field")
    with closing(sqlite3.connect(path)) as connection, connection:
        since, until = connection.execute(f"SELECT since, until FROM rollups WHERE width = {MINUTE}").fetchone()
        hole = until - 2 * MINUTE
        connection.execute(f"UPDATE rollups SET until = ? WHERE width = {MINUTE}", (hole,))
        connection.execute("INSERT INTO rollups VALUES (1, ?, ?, ?)", (MINUTE, hole + MINUTE, until))
        connection.execute("UPDATE rollup_1m SET max = 7e7 WHERE bucket = ?", (hole,))
        assert since < hole
    assert query(path, "SELECT * FROM candles_1m ORDER BY t, field") == before


async def test_volume_is_the_sum_of_the_quantity(tmp_path: Path) -> None:
    batch = walk(TRADES, 1_000, 5)
    await record(tmp_path / "a.db", [batch])
    out = tmp_path / "a.jsonl"
    export(Selection((tmp_path / "a.db",)), "jsonl", out, Done(), every=86_400 * SECOND)
    volumes = [json.loads(line)["volume"] for line in out.read_text().splitlines()]
    assert volumes == [pytest.approx(np.nansum(batch.v[:, 1]))] * 2


async def test_a_tick_from_long_ago_costs_no_time(tmp_path: Path) -> None:
    old, new = walk(BOOK, 1, 1, since=T0 - 30 * 365 * 86_400 * SECOND), walk(BOOK, 100, 2)
    await record(tmp_path / "a.db", [old, new])
    out = tmp_path / "a.csv"
    export(Selection((tmp_path / "a.db",)), "csv", out, Done(), every=SECOND)
    assert len(out.read_text().splitlines()) == 1 + len(from_ticks(SECOND, [tmp_path / "a.db"], 0, 1 << 62))


async def test_parts_of_seconds_are_refused(tmp_path: Path) -> None:
    await record(tmp_path / "a.db", [walk(BOOK, 5, 1)])
    with pytest.raises(SettingsError, match="--every"):
        export(Selection((tmp_path / "a.db",)), "csv", None, Done(), every=SECOND * 3 // 2)
