from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.store.recorded import T0, query, record, ticks
from tuistream.core.batch import Batch, Stream
from tuistream.core.status import Event

HOSTILE = 'x"; DROP TABLE ticks; --'
STREAMING_PLOT = "SELECT * FROM trades ORDER BY time DESC LIMIT 20"


async def test_trades_as_streaming_plot_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    streams = [
        Stream("f", "a", "trade", ("price", "qty")),
        Stream("f", "b", "trade", ("qty", "side", "price")),
        Stream("f", "one", "", ("y",)),
        Stream("f", "book", "", ("bid", "ask")),
    ]
    await record(path, [ticks(stream, 10, 10 * i) for i, stream in enumerate(streams)])
    rows = query(path, STREAMING_PLOT)
    assert [time for time, _ in rows] == [(T0 + i * 1_000_000) / 1e9 for i in range(29, 9, -1)]
    assert [price for _, price in rows] == [*range(29, 19, -1), *(i + 0.2 for i in range(19, 9, -1))]
    assert query(path, "SELECT count(*), min(typeof(time) || typeof(price)) FROM trades") == [(30, "realreal")]
    assert query(path, "SELECT max(typeof(time) || typeof(price)) FROM trades") == [("realreal",)]


@pytest.mark.parametrize("seconds", ["1795172027.0605018", "1795172027.060501", "1700000000.1", "60.3"])
async def test_a_time_in_seconds_is_the_same_float_again(tmp_path: Path, seconds: str) -> None:
    t = np.array([int(Decimal(seconds) * 10**9)], dtype=np.int64)
    await record(tmp_path / "a.db", [Batch(Stream("f", "a", "", ("price",)), t, t, np.ones((1, 1)))])
    assert query(tmp_path / "a.db", "SELECT time FROM trades") == [(float(seconds),)]


async def test_a_stream_that_gains_a_price_joins_trades(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await record(path, [ticks(Stream("f", "s", "", ("a", "b")), 5)])
    assert query(path, STREAMING_PLOT) == []
    await record(path, [ticks(Stream("f", "s", "", ("a", "b", "c", "d", "price")), 1, 5)])
    assert query(path, STREAMING_PLOT) == [((T0 + 5_000_000) / 1e9, 5.4)]


@pytest.mark.parametrize("streams", [1, 300])
async def test_the_index_on_time_gives_the_newest(tmp_path: Path, streams: int) -> None:
    path = tmp_path / "a.db"
    items = [ticks(Stream("f", f"s{i}", "", ("price",)), 3, i) for i in range(streams)]
    await record(path, items)
    plain = query(path, STREAMING_PLOT)
    await record(path, [], index_time=True)
    plan = " ".join(str(row[3]) for row in query(path, f"EXPLAIN QUERY PLAN {STREAMING_PLOT}"))
    assert "USING INDEX ticks_time" in plan
    assert "TEMP B-TREE" not in plan
    assert [time for time, _ in query(path, STREAMING_PLOT)] == [time for time, _ in plain]


async def test_each_stream_has_a_view(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await record(path, [ticks(Stream("f", "BTC-USD", "trade", ("price", "data.q", "id")), 3)])
    assert query(path, 'SELECT t, id, price, "data.q", id_2 FROM BTC_USD_trade') == [
        (T0 + i * 1_000_000, i, i, i + 0.1, i + 0.2) for i in range(3)
    ]
    plan = " ".join(str(row[3]) for row in query(path, "EXPLAIN QUERY PLAN SELECT * FROM BTC_USD_trade"))
    assert "SEARCH b USING PRIMARY KEY" in plan
    assert "SEARCH k USING INTEGER PRIMARY KEY" in plan


async def test_hostile_names_stay_names(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    names = [HOSTILE, "ticks", "TICKS", "sqlite_master", "", "7", "\x1b[2J", "a\x00b", "\ud800", "é" * 500, "Ticks 2"]
    fields = (HOSTILE, "T", "t", "recv", "\x00", "\ud800", "a" * 500, "a" * 400, "", "'", "a\nb")
    await record(path, [ticks(Stream("f", name, "", fields), 2) for name in names])
    views = [view for (view,) in query(path, "SELECT view FROM streams")]
    assert len({view.lower() for view in views}) == len(names)
    assert all(len(view) < 80 and view.isprintable() for view in views)
    for view in views:
        columns = query(path, "SELECT name FROM pragma_table_info(?)", view)
        assert len({name.lower() for (name,) in columns}) == 5 + len(fields) - 1
        assert all(name.isprintable() and len(name) < 80 for (name,) in columns)
        quoted = view.replace('"', '""')
        assert query(path, f'SELECT count(*) FROM "{quoted}"') == [(2,)]
    stored = [name for (name,) in query(path, "SELECT name FROM streams ORDER BY id")]
    assert stored == [name.replace("\0", "\\x00").replace("\ud800", "\\ud800") for name in names]
    named = query(path, "SELECT DISTINCT field FROM ticks_named WHERE stream = ?", HOSTILE)
    assert len(named) == len(fields)


async def test_ticks_named(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await record(
        path, [ticks(Stream("f", "a", "trade", ("price", "qty")), 2), ticks(Stream("f", "b", "", ("y",)), 1)]
    )
    rows = query(path, "SELECT stream, kind, t, field, value FROM ticks_named ORDER BY stream, t, field")
    assert rows == [
        ("a", "trade", T0, "price", 0.0),
        ("a", "trade", T0, "qty", 0.1),
        ("a", "trade", T0 + 1_000_000, "price", 1.0),
        ("a", "trade", T0 + 1_000_000, "qty", 1.1),
        ("b", "", T0, "y", 0.0),
    ]


async def test_gaps(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    stream = Stream("f", "a", "trade", ("price",))
    details: dict[str, Any] = {"from": T0, "to": T0 + 1_500_000_000, "reason": "ids missing"}
    ids = {"first_id": 5, "last_id": 9, "missing": 5}
    events = [
        Event(T0, "f", "gap", "a gap", stream.key, details | ids),
        Event(T0, "f", "gap", "of the feed", None, details | {"reason": "\ud800\x1b[31m", "rate": float("nan")}),
        Event(T0, "f", "open", "connected"),
    ]
    sink = await record(path, [ticks(stream), *events])
    assert sink.gaps == 2
    assert query(path, "SELECT * FROM gaps ORDER BY stream DESC") == [
        ("f", "a", "trade", T0, T0 + 1_500_000_000, "ids missing", 5, 9, 5, 1.5),
        ("f", None, None, T0, T0 + 1_500_000_000, "\\ud800\x1b[31m", None, None, None, 1.5),
    ]
    assert query(path, "SELECT kind, text FROM events WHERE kind = 'open'") == [("open", "connected")]


async def test_a_gap_may_name_a_stream_before_its_first_tick(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    stream = Stream("f", "a", "trade", ("price", "qty"))
    await record(path, [Event(T0, "f", "gap", "", stream.key, {"from": T0, "to": T0})])
    await record(path, [ticks(stream, 2)])
    assert query(path, "SELECT stream FROM gaps") == [("a",)]
    assert query(path, "SELECT price, qty FROM a_trade") == [(0.0, 0.1), (1.0, 1.1)]
    assert query(path, "SELECT count(*) FROM streams") == [(1,)]


async def test_a_feed_with_a_secret_is_redacted(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    stream = Stream("wss://me:hunter2@host/x?token=hunter2", "a", "", ("y",))
    t = np.array([T0], dtype=np.int64)
    await record(
        path, [Batch(stream, t, t, np.ones((1, 1))), Event(T0, stream.feed, "open", "connected", stream.key)]
    )
    assert b"hunter2" not in path.read_bytes()
