import math
import sqlite3
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.store.recorded import T0, query, ticks
from tuistream.core.batch import Batch, Stream
from tuistream.core.outbox import Outbox
from tuistream.sinks.sqlite import SqliteSink
from tuistream.store import catalog
from tuistream.store.append import append
from tuistream.store.buckets import FIRST_NS, LAST_NS, WIDTHS, Rows, bucket_of, combined, joined, rows_of
from tuistream.store.flush import prepare
from tuistream.store.opening import open_for_writing
from tuistream.store.rolling import BEGIN_TICKS, GIVE_UP_TICKS, STRETCHES, Rolling
from tuistream.store.rollups import ORDER, TABLES, TICKS, Source, newest_time, pieces, rolled_until, rows_between

SECOND, _FIVE_SECONDS, _FIFTEEN_SECONDS, MINUTE, HOUR, DAY = WIDTHS
ALWAYS = (0.0, 0.0)
AS_IT_IS = (GIVE_UP_TICKS, BEGIN_TICKS)
STREAMS = (
    (1, Stream("f", "a", "trade", ("price", "qty"))),
    (2, Stream("f", "b", "", ("y",))),
    (3, Stream("f", "empty", "", ())),
)
Row = tuple[Any, ...]


def write(path: Path, flushes: Sequence[Sequence[Batch]], worth: tuple[float, float] = ALWAYS) -> None:
    """A run that writes each of `flushes` in one transaction, and ends without a word."""
    connection = open_for_writing(path)
    known, rolling = catalog.load(connection), Rolling.begin(worth)
    for batches in flushes:
        flush = prepare(batches, known, T0)
        connection.execute("BEGIN")
        rolling = append(flush, connection, rolling)
        connection.execute("COMMIT")
        known = flush.catalog
    connection.close()


def tick_rows(path: Path, stream: int, fields: int) -> list[Row]:
    columns = "".join(f", v{field}" for field in range(fields))
    return query(path, f"SELECT t{columns} FROM ticks WHERE stream = ? ORDER BY n", stream)


def brute_force(ticks: list[Row], fields: int, quantity: int | None, width: int) -> dict[tuple[int, int], Row]:
    """(field, bucket) -> first, last, min, max, sum, count, ticks, first_t, last_t, quantity; one tick at a time."""
    buckets: dict[int, list[Row]] = {}
    for tick in sorted(ticks, key=lambda tick: tick[0]):
        buckets.setdefault(bucket_of(tick[0], width), []).append(tick)
    rows = {}
    for bucket, inside in buckets.items():
        sizes = [tick[1 + quantity] for tick in inside] if quantity is not None else []
        traded = [size for size in sizes if size is not None and math.isfinite(size)]
        some = any(size is not None for size in sizes)
        for field in range(max(1, fields)):
            values = [(tick[0], tick[1 + field]) for tick in inside if fields and tick[1 + field] is not None]
            only = [value for _, value in values]
            rows[field, bucket] = (
                *((only[0], only[-1], min(only), max(only), total(only)) if only else (None,) * 5),
                len(only),
                len(inside),
                *((values[0][0], values[-1][0]) if only else (None, None)),
                math.fsum(traded) if some else None,
            )
    return rows


def total(values: list[float]) -> float | None:
    if math.inf in values and -math.inf in values:
        return None
    return sum(values) if math.inf in values or -math.inf in values else math.fsum(values)


def same(found: Row, wanted: Row) -> bool:
    return all(
        a == b or (position in (4, 9) and None not in (a, b) and math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-3))
        for position, (a, b) in enumerate(zip(found, wanted, strict=True))
    )


def check(path: Path, worth: tuple[float, float] = ALWAYS) -> None:
    """All rows in the stretches that the file claims are those of its ticks; with ALWAYS there is one stretch."""
    for number, fields, quantity in query(path, "SELECT id, json_array_length(fields), quantity FROM streams"):
        ticks = tick_rows(path, number, fields)
        for width in WIDTHS:
            wanted = brute_force(ticks, fields, quantity, width)
            spans = query(path, "SELECT since, until FROM rollups WHERE stream = ? AND width = ?", number, width)
            stored = {
                (field, bucket): tuple(rest)
                for field, bucket, *rest in query(
                    path,
                    "SELECT field, bucket, first, last, min, max, sum, count, ticks, first_t, last_t, quantity"
                    f" FROM {TABLES[width]} WHERE stream = ?",
                    number,
                )
            }
            inside = {key for key in wanted if any(since <= key[1] < until for since, until in spans)}
            for key in inside:
                if key in stored:
                    found = stored.pop(key)
                    assert same(found, wanted[key]), (number, width, key, found, wanted[key])
                else:  # a field that the stream gained later
                    assert wanted[key][5] == 0
                    assert key[0] > 0
            assert stored == {}
            if worth == ALWAYS and ticks:
                open_bucket = bucket_of(max(t for t, *_ in ticks), STRETCHES[width])
                begins = min((since for since, _ in spans), default=open_bucket)
                assert len(spans) <= 1
                assert {key for key in wanted if begins <= key[1] < open_bucket} == inside


# Values whose sums are exact or nearly so, and times around the edges of buckets, now and then anywhere at all.
VALUES = st.one_of(
    st.just(math.nan), st.integers(-1_000, 1_000).map(float), st.floats(-1e9, 1e9), st.sampled_from([math.inf, 0.1])
)
NEAR = st.builds(
    lambda base, offset: base + offset,
    st.sampled_from([T0 // DAY * DAY, T0 // HOUR * HOUR, T0 // MINUTE * MINUTE, 0]),
    st.one_of(st.integers(-5 * SECOND, 5 * SECOND), st.integers(-DAY, DAY), st.sampled_from([-1, 0, 1])),
)
TIMES = st.one_of(NEAR, NEAR, NEAR, st.integers(FIRST_NS, LAST_NS))


@st.composite
def batch(draw: st.DrawFn) -> Batch:
    _, stream = draw(st.sampled_from(STREAMS))
    if draw(st.integers(0, 4)) == 0 and stream.fields:
        stream = Stream(stream.feed, stream.name, stream.kind, (*stream.fields, "more"))
    times = draw(st.lists(TIMES, min_size=1, max_size=8))
    if draw(st.booleans()):
        times.sort()
    values = draw(
        st.lists(VALUES, min_size=len(times) * len(stream.fields), max_size=len(times) * len(stream.fields))
    )
    t = np.array(times, dtype=np.int64)
    return Batch(stream, t, t, np.array(values, dtype=np.float64).reshape(len(t), len(stream.fields)))


RUNS = st.lists(st.lists(st.lists(batch(), min_size=1, max_size=3), max_size=4), min_size=1, max_size=3)


@given(RUNS, st.sampled_from([ALWAYS, (0.3, 0.4)]))
@settings(max_examples=30, deadline=None)
def test_any_flushes_late_ticks_and_restarts_give_the_rows_of_one_pass(
    runs: list[list[list[Batch]]], worth: tuple[float, float]
) -> None:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "a.db")
        for flushes in runs:
            write(path, flushes, worth)
            check(path, worth)


@given(RUNS, st.sampled_from(WIDTHS), TIMES, TIMES)
@settings(max_examples=25, deadline=None)
def test_rows_of_any_window(runs: list[list[list[Batch]]], width: int, since: int, until: int) -> None:
    since, until = min(since, until), max(since, until)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "a.db")
        for flushes in runs:
            write(path, flushes, (0.3, 0.4))
        connection = sqlite3.connect(path)
        for number, fields, quantity in query(path, "SELECT id, json_array_length(fields), quantity FROM streams"):
            all_ticks = tick_rows(path, number, fields)
            assert newest_time(connection, number) == max((t for t, *_ in all_ticks), default=None)
            wanted = brute_force([tick for tick in all_ticks if since <= tick[0] < until], fields, quantity, width)
            for anew in (False, True):
                rows = rows_between(connection, Source(number, fields, quantity), width, since, until, anew=anew)
                found = as_rows(rows)
                assert found.keys() == wanted.keys()
                assert all(same(found[key], wanted[key]) for key in wanted)
            covering = pieces(connection, number, width, since, until)
            edges = [edge for piece in covering for edge in (piece.since, piece.until)]
            assert edges == sorted(edges)
            assert sum(piece.until - piece.since for piece in covering) == until - since
        connection.close()


def as_rows(rows: Rows) -> dict[tuple[int, int], Row]:
    found = {}
    for row in zip(*(getattr(rows, name).tolist() for name in ORDER), strict=True):
        _, field, bucket, first, last, low, high, amount, count, all_ticks, first_t, last_t, quantity = row
        values: Row = (first, last, low, high, None if math.isnan(amount) else amount) if count else (None,) * 5
        times = (first_t, last_t) if count else (None, None)
        found[field, bucket] = (*values, count, all_ticks, *times, None if math.isnan(quantity) else quantity)
    return found


@given(st.lists(st.tuples(TIMES, VALUES), min_size=1, max_size=30), st.data())
@settings(max_examples=30, deadline=None)
def test_parts_combined_are_the_whole(made: list[tuple[int, float]], data: st.DataObject) -> None:
    t = np.array([time for time, _ in made], dtype=np.int64)
    v = np.array([[value] for _, value in made])
    cut = data.draw(st.integers(0, len(made)))
    parts = [rows_of(np.ones(len(t[s]), np.int64), t[s], v[s]) for s in (slice(cut), slice(cut, None))]
    for width in WIDTHS:
        found = as_rows(combined(combined(joined(parts), SECOND), width))
        wanted = brute_force([(time, None if math.isnan(x) else x) for time, x in made], 1, None, width)
        assert found.keys() == wanted.keys()
        assert all(same(found[key], wanted[key]) for key in wanted)


def steady(rate: float, seconds: int, first: float = 0.0, fields: int = 2) -> Batch:
    """`rate` ticks/s for so long, from `first` seconds after T0."""
    t = T0 + np.round((first + np.arange(int(rate * seconds)) / rate) * 1e9).astype(np.int64)
    v = np.arange(len(t) * fields, dtype=np.float64).reshape(-1, fields)
    return Batch(Stream("f", "s", "", ("price", "qty", *map(str, range(fields - 2)))[:fields]), t, t, v)


def test_a_slow_wide_stream_has_no_rows_of_seconds(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    slow = steady(1, 3_000, fields=10)
    write(path, [[slow.take(slice(i, i + 100))] for i in range(0, len(slow), 100)], AS_IT_IS)
    check(path, AS_IT_IS)
    assert query(path, "SELECT count(*) FROM rollup_1s") == [(0,)]
    connection = sqlite3.connect(path)
    assert SECOND not in rolled_until(connection, 1)
    assert [piece.width for piece in pieces(connection, 1, SECOND, T0, T0 + MINUTE)] == [TICKS]
    connection.close()


def test_a_stream_that_hastens_and_slows_down_has_rows_where_they_are_worth_it(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    phases = [steady(2, 60), steady(100, 60, 60), steady(2, 120, 120), steady(100, 60, 240)]
    flushes = [[phase.take(slice(i, i + 50))] for phase in phases for i in range(0, len(phase), 50)]
    write(path, flushes, AS_IT_IS)
    late = steady(3, 300, 0.123)  # into every bucket, those with rows and those without
    write(path, [[late.take(slice(i, i + 90))] for i in range(0, len(late), 90)], AS_IT_IS)
    check(path, AS_IT_IS)
    spans = query(path, "SELECT since, until FROM rollups WHERE width = ? ORDER BY since", SECOND)
    assert len(spans) == 2
    (begin, end), (again, _) = spans
    assert T0 + 55 * SECOND < begin < T0 + 65 * SECOND < T0 + 115 * SECOND < end < T0 + 145 * SECOND
    assert T0 + 235 * SECOND < again < T0 + 250 * SECOND
    connection = sqlite3.connect(path)
    covering = [piece.width for piece in pieces(connection, 1, SECOND, T0, T0 + 300 * SECOND)]
    assert covering == [TICKS, SECOND, TICKS, SECOND, TICKS]
    connection.close()


def test_the_quantity_is_summed_beside_the_price(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    write(path, [[steady(10, 130)]])
    rows = query(path, "SELECT ticks, quantity, (SELECT sum(qty) FROM s WHERE t < bucket + ? AND t >= bucket)"
                       " FROM rollup_1m WHERE field = 0", MINUTE)  # fmt: skip
    assert rows
    assert all(quantity == wanted for _, quantity, wanted in rows)


def test_a_stream_along_an_axis_that_is_no_time_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    timed = steady(100, 10)
    along = Batch(Stream("f", "angle", "", ("x", "y"), axis="x"), timed.t, timed.recv, timed.v)
    write(path, [[timed, along]])
    ((number,),) = query(path, "SELECT id FROM streams WHERE axis = 'x'")
    assert query(path, "SELECT DISTINCT stream FROM rollup_1s") == [(3 - number,)]
    assert query(path, "SELECT count(*) FROM rollups WHERE stream = ?", number) == [(0,)]


def test_a_stream_whose_axis_is_no_time_any_more_has_no_rows_to_rely_on(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    timed = steady(10, 90)
    along = Batch(replace(timed.stream, axis="qty"), timed.t, timed.recv, timed.v)
    write(path, [[timed.take(slice(0, 300))], [timed.take(slice(300, 600))]])
    assert query(path, "SELECT count(*) FROM rollups") != [(0,)]
    write(path, [[timed.take(slice(600, 700))], [along.take(slice(0, 800))], [timed.take(slice(700, 900))]])
    assert query(path, "SELECT count(*) FROM rollups") == [(0,)]
    write(path, [[steady(10, 90, 90)], [steady(10, 90, 180)]])
    ((since,),) = query(path, "SELECT min(since) FROM rollups WHERE width = ?", SECOND)
    assert since >= T0 + 85 * SECOND
    connection = sqlite3.connect(path)
    source = Source(1, 2, 1)
    found, anew = (rows_between(connection, source, SECOND, T0, T0 + HOUR, anew=anew) for anew in (False, True))
    connection.close()
    assert as_rows(found) == as_rows(anew)


async def test_a_flush_that_fails_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.db"
    outbox = Outbox("test")
    async with SqliteSink(path, outbox) as sink:
        sink._writer._rolling = Rolling.begin(ALWAYS)
        for first in range(0, 5_000, 500):
            outbox.offer(ticks(count=500, first=first))
            if first % 1_000:
                connection = sink._writer._connection
                assert connection is not None
                (size,) = await connection.execute_fetchall("PRAGMA page_count")
                await connection.execute_fetchall(f"PRAGMA max_page_count = {size[0]}")
                outbox.offer(ticks(count=5_000, first=first + 10_000_000))
                assert not await sink._flush()
                await connection.execute_fetchall("PRAGMA max_page_count = 1000000")
            assert await sink._flush()
    check(path)
