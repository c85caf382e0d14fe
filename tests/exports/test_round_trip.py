"""What is exported and imported again is what it was, in every format."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decoders.recorded import DATA
from tests.imports.importing import by_stream, imported, ticks_of
from tests.store.recorded import T0, TRADES, query, record, ticks
from tuistream.core.batch import Batch, IdRule, Stream, ids_array
from tuistream.core.exchange import column_of, field_of, guarded, guarded_id, unguarded, unguarded_id
from tuistream.core.status import Event
from tuistream.exports.contract import Done
from tuistream.exports.run import export
from tuistream.store.playback import Selection

FORMATS = {"csv": "a.csv", "jsonl": "a.jsonl", "parquet": "a.parquet", "arrow": "a.arrow", "sqlite": "exported.db"}


def exported(to: str, out: Path, *files: Path, **selected: Any) -> Done:
    done = Done()
    export(Selection(files, **selected), to, out, done, force=True)
    return done


def round_trip(to: str, folder: Path, *files: Path, **selected: Any) -> Path:
    out, again = folder / FORMATS[to], folder / "again.db"
    again.unlink(missing_ok=True)
    exported(to, out, *files, **selected)
    done = imported(again, out)
    assert (done.progress.refused, done.repeats) == (0, 0)
    return again


def odd_batches() -> list[Batch]:
    """All that makes a text or a typed table lose something."""
    nan, inf = float("nan"), float("inf")
    odd = Stream("=cmd|'x'!A1", 'a "quoted", name\nof two lines', "'", ("time", "field.x", "=1+1", "id"))
    rows = np.array([[0.1, -0.0, 1e-308, 1.0], [nan, 123456789.12345678, 5e300, nan], [inf, -inf, 1 / 3, nan]])
    t = T0 + np.array([1, 999_999_999, 1_000_000_000], dtype=np.int64)
    text_ids = Stream("-feed", "@name", "+kind", ("id_text",))
    plain = Stream("wss://example.com/?a=b", "ünïcødé ⛄", "\tx", ("price",))
    return [
        Batch(odd, t, t - 7, rows, ids_array([7, "7", "'x"])),
        Batch(text_ids, t, t + 10**12, rows[:, :1] + 1, ids_array(["=x", None, "-12"])),
        Batch(plain, t[::-1].copy(), t, rows[:, 2:3], ids_array([-(1 << 63), (1 << 63) - 1, 0])),
        ticks(count=4),
    ]


@pytest.mark.parametrize("to", FORMATS)
async def test_whatever_is_in_a_recording_comes_back(tmp_path: Path, to: str) -> None:
    await record(tmp_path / "a.db", odd_batches())
    again = await asyncio.to_thread(round_trip, to, tmp_path, tmp_path / "a.db")
    before, after = by_stream(ticks_of(tmp_path / "a.db")), by_stream(ticks_of(again))
    assert set(after) == set(before)
    for key, rows in before.items():
        assert [(*row[:4], {n: repr(v) for n, v in row[4].items()}) for row in after[key]] == [
            (*row[:4], {n: repr(v) for n, v in row[4].items()}) for row in rows
        ]


@pytest.mark.parametrize("to", ["parquet", "arrow", "sqlite"])
async def test_typed_formats_keep_what_is_known_of_the_streams(tmp_path: Path, to: str) -> None:
    untimed = Stream("feed", "x", "", ("b", "a"), ids=IdRule.UNIQUE, timed=False, found="by hand")
    await record(tmp_path / "a.db", [ticks(untimed, 2), ticks(count=2)])
    again = await asyncio.to_thread(round_trip, to, tmp_path, tmp_path / "a.db")
    told = "SELECT feed, name, kind, fields, ids, timed, found, view FROM streams ORDER BY name"
    assert query(again, told) == query(tmp_path / "a.db", told)


async def test_a_recording_of_a_recording_keeps_its_gaps(tmp_path: Path) -> None:
    gap = Event(T0, "feed", "gap", "x", TRADES.key, {"from": T0, "to": T0 + 10**9, "reason": "outage", "missing": 3})
    await record(tmp_path / "a.db", [ticks(count=2), gap, ticks(count=2, first=5)])
    again = await asyncio.to_thread(round_trip, "sqlite", tmp_path, tmp_path / "a.db")
    gaps = "SELECT stream, kind, t0, t1, reason, missing FROM gaps"
    assert query(again, gaps) == query(tmp_path / "a.db", gaps) != []


@pytest.mark.parametrize("to", FORMATS)
async def test_several_files_and_a_part_of_them(tmp_path: Path, to: str) -> None:
    """A stream's fields come in another order in the second file, with one more."""
    turned = Stream("feed", "BTCUSDT", "trade", ("qty", "fee", "price"), ids=IdRule.CONSECUTIVE)
    book = Stream("feed", "BTCUSDT", "book", ("bid",))
    await record(tmp_path / "a.db", [ticks(count=10), ticks(book, 3)])
    await record(tmp_path / "b.db", [ticks(turned, 10, first=10)])
    files = (tmp_path / "a.db", tmp_path / "b.db")
    again = await asyncio.to_thread(
        round_trip, to, tmp_path, *files, since=T0 + 5_000_000, until=T0 + 15_000_000, streams=("trade",)
    )
    found = ticks_of(again)
    assert [tick[3] for tick in found] == list(range(5, 15))
    assert {tick[0][2] for tick in found} == {"trade"}
    assert found[0][4] == {"price": 5, "qty": 5.1}
    assert found[-1][4] == {"qty": 14, "fee": 14.1, "price": 14.2}


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.skipif(DATA is None, reason="TUISTREAM_DATA names no folder of recordings")
def test_the_latency_file(tmp_path: Path, to: str) -> None:
    assert DATA is not None
    imported(tmp_path / "a.db", DATA / "sensors" / "ec2_request_latency_system_failure.csv")
    again = round_trip(to, tmp_path, tmp_path / "a.db")
    assert ticks_of(again) == ticks_of(tmp_path / "a.db")


@given(st.text())
def test_guards_can_be_taken_off_again(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unguarded_id(guarded_id(text)) == (text or None)
    assert field_of(column_of(text)) == text
    assert column_of(text) not in ("time", "received", "feed", "stream", "kind", "id", "id_text")


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_ids_that_are_numbers_stay_numbers(number: int) -> None:
    assert unguarded_id(guarded_id(number)) == number


@settings(max_examples=20)
@given(st.lists(st.floats(allow_nan=False, width=64), min_size=1, max_size=20), st.sampled_from(["csv", "jsonl"]))
def test_text_gives_the_same_floats(tmp_path_factory: pytest.TempPathFactory, values: list[float], to: str) -> None:
    folder = tmp_path_factory.mktemp("floats")
    t = T0 + np.arange(len(values), dtype=np.int64)
    batch = Batch(Stream("f", "n", "k", ("x",)), t, t, np.array(values)[:, None])
    asyncio.run(record(folder / "a.db", [batch]))
    again = round_trip(to, folder, folder / "a.db")
    assert [repr(tick[4]["x"]) for tick in ticks_of(again)] == [
        repr(value + 0.0) for value in values
    ]  # SQLite's -0.0 is 0.0
