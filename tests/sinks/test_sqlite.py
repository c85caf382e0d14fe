import asyncio
import io
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.recorded import T0, TRADES, put, query, record, ticks
from tuistream.core.batch import Batch, IdRule, Stream, ids_array
from tuistream.core.continuity import REPEATS_KNOWN, Continuity
from tuistream.core.outbox import Outbox
from tuistream.core.status import Event
from tuistream.sinks import sqlite
from tuistream.sinks.sqlite import SqliteSink
from tuistream.store import known as known_module

DATA = os.environ.get("TUISTREAM_DATA", "")

TEXT = st.text(max_size=12)
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
IDS = st.one_of(st.none(), INT64, st.integers(-(1 << 70), 1 << 70), TEXT)
FIELDS = ("a", "b", "c", "d", "e")


@st.composite
def batches(draw: st.DrawFn) -> list[Batch]:
    """Batches of three streams whose fields come and go and change their order from batch to batch."""
    made = []
    for _ in range(draw(st.integers(0, 6))):
        name = draw(st.sampled_from(["x", "y", "z\x1b"]))
        fields = tuple(draw(st.lists(st.sampled_from(FIELDS), unique=True, max_size=5)))
        count = draw(st.integers(1, 20))
        t = np.array(draw(st.lists(INT64, min_size=count, max_size=count)), dtype=np.int64)
        recv = np.array(draw(st.lists(INT64, min_size=count, max_size=count)), dtype=np.int64)
        values = draw(st.lists(st.floats(), min_size=count * len(fields), max_size=count * len(fields)))
        v = np.array(values, dtype=np.float64).reshape(count, len(fields))
        some_ids = draw(st.one_of(st.none(), st.lists(IDS, min_size=count, max_size=count)))
        ids = None if some_ids is None else ids_array(some_ids)
        made.append(Batch(Stream("f", name, "k", fields), t, recv, v, ids))
    return made


def as_put_in(name: str, made: list[Batch]) -> list[tuple[Any, ...]]:
    """The ticks of one stream, oldest batch first: t, recv, id and {field: value}, without values that are NaN."""
    rows = []
    for batch in made:
        if batch.stream.name != name:
            continue
        ids = [None] * len(batch) if batch.ids is None else batch.ids.tolist()
        for t, recv, tick_id, v in zip(batch.t.tolist(), batch.recv.tolist(), ids, batch.v.tolist(), strict=True):
            if isinstance(tick_id, int) and not -(1 << 63) <= tick_id < 1 << 63:
                tick_id = str(tick_id)
            if isinstance(tick_id, str):
                tick_id = tick_id.replace("\0", "\\x00")
            named = zip(batch.stream.fields, v, strict=True)
            rows.append((t, recv, tick_id, {field: value for field, value in named if value == value}))
    return rows


def as_come_out(path: Path, name: str) -> list[tuple[Any, ...]]:
    found = query(path, "SELECT id, view FROM streams WHERE name = ?", name)
    if not found:
        return []
    ((stream, view),) = found
    fields = [field for (field,) in query(path, "SELECT name FROM pragma_table_info(?)", view)][4:]
    columns = "".join(f', "{field}"' for field in fields)
    rows = query(path, f'SELECT t, recv, id{columns} FROM "{view}"')
    assert query(path, "SELECT count(*) FROM ticks WHERE stream = ?", stream) == [(len(rows),)]
    return [
        (t, recv, tick_id, {f: value for f, value in zip(fields, values, strict=True) if value is not None})
        for t, recv, tick_id, *values in rows
    ]


def in_any_order(row: tuple[Any, ...]) -> str:
    """A key to sort rows by, whatever the order of their fields."""
    return repr((*row[:3], sorted(row[3].items())))


@given(batches(), batches())
@settings(max_examples=40, deadline=None)
def test_what_was_put_in_comes_out(first: list[Batch], second: list[Batch]) -> None:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "a.db")
        for run in (first, second):
            sink = asyncio.run(record(path, run))
            assert sink.rows == sum(map(len, run))
            assert (sink.pending, sink.unstored, sink.state) == (0, 0, "recording")
        for name in ("x", "y", "z\x1b"):
            # A view reads block by block, in the order of t0; within a block in the order of coming.
            out = as_come_out(path, name)
            assert sorted(out, key=in_any_order) == sorted(as_put_in(name, first + second), key=in_any_order)
        assert query(path, "PRAGMA integrity_check") == [("ok",)]
        for r0, r1, t0, t1, stream in query(path, "SELECT r0, r1, t0, t1, stream FROM blocks"):
            block = "SELECT count(*), min(t), max(t), min(stream), max(stream) FROM ticks WHERE n BETWEEN ? AND ?"
            assert query(path, block, r0, r1) == [(r1 - r0 + 1, t0, t1, stream, stream)]
        assert query(path, "SELECT coalesce(sum(r1 - r0 + 1), 0) FROM blocks") == query(
            path, "SELECT count(*) FROM ticks"
        )


async def test_the_order_of_coming_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    other = Stream("feed", "other", "trade", ("price", "qty"))
    await record(path, [ticks(TRADES if i % 3 else other, 7, 7 * i) for i in range(3_000)])
    ids = [i for (i,) in query(path, "SELECT id FROM ticks WHERE stream = 1 ORDER BY n")]
    assert ids == sorted(ids)
    assert query(path, "SELECT count(*), count(DISTINCT id) FROM ticks") == [(21_000, 21_000)]


@pytest.mark.parametrize("fields", [0, 1, 3, 64])
@pytest.mark.parametrize("count", [1, 7, 8, 513, 1_234])
async def test_any_number_of_rows_and_fields(tmp_path: Path, fields: int, count: int) -> None:
    path = tmp_path / "a.db"
    stream = Stream("f", "s", "", tuple(f"f{i}" for i in range(fields)))
    await record(path, [ticks(stream, count)])
    assert query(path, "SELECT count(*), min(n), max(n), sum(id) FROM ticks") == [
        (count, 1, count, count * (count - 1) // 2)
    ]
    if fields:
        assert query(path, f"SELECT count(f{fields - 1}), min(f0) FROM s") == [(count, 0.0)]


async def test_a_flush_comes_by_itself_and_the_session_stays_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "HEARTBEAT_SECONDS", 0.02)
    path = tmp_path / "a.db"
    outbox = Outbox("test")
    times = iter(range(T0, T0 + 10**6))
    sink = SqliteSink(path, outbox, {"feeds": ["f\ud800", float("inf")]}, clock=lambda: next(times))
    await sink.open()
    writing = asyncio.create_task(sink.run())
    put(outbox, [ticks(count=5)])
    while sink.rows < 5:
        await asyncio.sleep(0.01)
    (alive,) = query(path, "SELECT alive FROM sessions")
    while query(path, "SELECT alive FROM sessions") == [alive]:
        await asyncio.sleep(0.01)
    assert sink.bytes > 0
    sink.stop()
    await writing
    await sink.close()
    assert query(path, "SELECT pid, settings, rows, ended > alive - 1 FROM sessions") == [
        (os.getpid(), '{"feeds": ["f\\\\ud800", null]}', 5, 1)
    ]
    outbox.offer(ticks())
    assert outbox.rows == 0


async def test_what_comes_late_in_a_pause_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "FLUSH_SECONDS", 3_600.0)
    monkeypatch.setattr(sqlite, "LAST_SECONDS", 0.05)
    outbox = Outbox("test")
    outbox.offer(ticks())  # before there is a sink
    async with SqliteSink(tmp_path / "a.db", outbox) as sink:
        writing = asyncio.create_task(sink.run())
        offered = 1
        while sink.rows < 2:
            await asyncio.sleep(0.01)
            outbox.offer(ticks(first=offered))
            offered += 1
        sink.stop()
        await writing
    assert sink.rows == offered


async def test_what_comes_after_a_silence_is_written_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "FLUSH_SECONDS", 3_600.0)
    monkeypatch.setattr(sqlite, "LAST_SECONDS", 3_600.0)
    outbox = Outbox("test")
    async with SqliteSink(tmp_path / "a.db", outbox) as sink:
        writing = asyncio.create_task(sink.run())
        outbox.offer(ticks())
        while sink.rows < 1:
            await asyncio.sleep(0.01)
        outbox.offer(ticks(first=1))
        await asyncio.sleep(0.05)
        assert (sink.rows, sink.pending) == (1, 1)
        sink.stop()
        await writing
    assert sink.rows == 2


async def test_a_full_outbox_holds_the_feed_until_there_is_room(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    outbox = Outbox("test", limit=1_000)
    async with SqliteSink(path, outbox) as sink:
        writing = asyncio.create_task(sink.run())
        for i in range(50):
            await outbox.room()
            assert outbox.rows < 1_000
            outbox.offer(ticks(count=500, first=500 * i))
        sink.stop()
        await writing
    assert query(path, "SELECT count(DISTINCT id) FROM ticks") == [(25_000,)]


async def test_a_cancelled_run_loses_nothing(tmp_path: Path) -> None:
    for tries in range(6):
        path = tmp_path / f"{tries}.db"
        outbox = Outbox("test")
        sink = SqliteSink(path, outbox)
        await sink.open()
        writing = asyncio.create_task(sink.run())
        put(outbox, [ticks(count=30_000)])
        for _ in range(tries * 3):
            await asyncio.sleep(0.001)  # wherever it then is
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        put(outbox, [ticks(count=100, first=30_000)])
        await sink.close()
        assert query(path, "SELECT count(*), count(DISTINCT id) FROM ticks") == [(30_100, 30_100)]
        assert (sink.rows, sink.unstored) == (30_100, 0)


@pytest.fixture
def no_blocking() -> Iterator[BlockBuster]:
    with blockbuster_ctx() as blockbuster:
        yield blockbuster


async def test_the_loop_is_never_blocked(tmp_path: Path, no_blocking: BlockBuster) -> None:
    outbox = Outbox("test")
    async with SqliteSink(tmp_path / "a.db", outbox) as sink:
        writing = asyncio.create_task(sink.run())
        put(outbox, [ticks(count=1_000), Event(T0, "feed", "open", "")])
        while sink.rows < 1_000:
            await asyncio.sleep(0.01)
        sink.stop()
        await writing


async def test_known_of_an_earlier_run(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    text = Stream("f", "text", "", ("y",), ids=IdRule.UNIQUE)
    bare = Stream("f", "bare", "", ("y",))
    first = await record(
        path,
        [ticks(count=2_500), ticks(text, 3, ids=["a", None, "7"]), Batch(bare, *(ticks().t,) * 2, np.ones((1, 1)))],
    )
    assert (first.known, first.unclean) == ({}, None)
    second = await record(path, [])
    known = second.known[TRADES.key]
    assert (known.last_t, known.last_recv) == (T0 + 2_499_000_000, T0 + 2_499_000_500)
    assert known.ids is not None
    assert known.ids_t is not None
    assert known.ids.tolist() == list(range(2_500 - REPEATS_KNOWN, 2_500))
    assert known.ids_t.tolist() == [T0 + i * 1_000_000 for i in known.ids.tolist()]
    continuity = Continuity(IdRule.CONSECUTIVE, (known.ids, known.ids_t))
    checked = continuity.check(ticks(count=20, first=2_490), reconnected=True)
    assert (checked.repeats, checked.holes) == (10, [])
    texts = second.known[text.key]
    assert texts.ids is not None
    assert texts.ids.tolist() == ["a", "7"]
    nothing = second.known[bare.key].ids
    assert nothing is not None
    assert len(nothing) == 0


async def test_known_of_a_stream_that_was_quiet_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_module, "TAIL_ROWS", 50)
    path = tmp_path / "a.db"
    busy = Stream("f", "busy", "", ("y",))
    for i in range(5):
        await record(path, [ticks(count=300, first=300 * i), ticks(busy, 40, 40 * i)])
    await record(path, [ticks(busy, 500, 200)])
    known = (await record(path, [])).known
    trades = known[TRADES.key].ids
    assert trades is not None
    assert trades.tolist() == list(range(500, 1_500))
    assert known[TRADES.key].last_t == T0 + 1_499_000_000
    assert known[busy.key].last_t == T0 + 699_000_000


@pytest.mark.skipif(not DATA, reason="needs TUISTREAM_DATA")
async def test_a_day_of_real_trades(tmp_path: Path) -> None:
    """SPY on 2013-10-07: what SQL says of the recording is what numpy says of the file."""
    with zipfile.ZipFile(Path(DATA, "spy", "equity_usa_tick_spy_20131007_trade.zip")) as archive:
        text = archive.read(archive.namelist()[0])
    columns = np.loadtxt(io.BytesIO(text), delimiter=",", usecols=(0, 1, 2))
    midnight = 1_381_118_400_000_000_000
    t = midnight + columns[:, 0].astype(np.int64) * 1_000_000
    spy = Stream("spy", "SPY", "trade", ("price", "qty"))
    v = np.column_stack((columns[:, 1] / 10_000, columns[:, 2]))
    items = [Batch(spy, t[i : i + 500], t[i : i + 500], v[i : i + 500]) for i in range(0, len(t), 500)]
    path = tmp_path / "spy.db"
    sink = await record(path, items)
    assert sink.rows == len(t) > 250_000
    (row,) = query(path, "SELECT count(*), min(price), max(price), sum(qty), min(t), max(t) FROM SPY_trade")
    prices, sizes = v.T
    assert row == (len(t), prices.min(), prices.max(), sizes.sum(), t[0], t[-1])
    newest = query(path, "SELECT * FROM trades ORDER BY time DESC LIMIT 20")
    assert [time for time, _ in newest] == [x / 1e9 for x in t[::-1][:20].tolist()]
