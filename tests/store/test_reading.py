import sqlite3
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.recorded import T0, TRADES, query, record, ticks
from tuistream.core.batch import Batch, IdRule, Stream, StreamKey
from tuistream.core.errors import RecordingError
from tuistream.core.status import Event
from tuistream.store import reading
from tuistream.store.reading import Reader

BOOK = Stream("feed", "BTCUSDT", "book", ("bid", "ask", "depth"), timed=False, found="test")
MS = 1_000_000


def read(path: Path, **options: Any) -> dict[StreamKey, list[tuple[Any, ...]]]:
    """All rows by stream: t, recv, id, values."""
    rows: dict[StreamKey, list[tuple[Any, ...]]] = {}
    with Reader(path) as reader:
        for batch in chain.from_iterable(reader.chunks(**options)):
            ids = [None] * len(batch) if batch.ids is None else batch.ids.tolist()
            each = zip(batch.t.tolist(), batch.recv.tolist(), ids, map(tuple, batch.v.tolist()), strict=True)
            rows.setdefault(batch.stream.key, []).extend(each)
    return rows


async def test_ticks_come_as_they_were_recorded(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    nan = Batch(BOOK, np.array([T0, T0]), np.array([T0, T0]), np.array([[np.nan, 1.5, 0], [2, np.nan, np.inf]]))
    words = Stream("feed", "words", "event", ("n",), ids=IdRule.UNIQUE)
    await record(path, [ticks(count=3), nan, ticks(words, 3, ids=["a", 7, None])])
    rows = read(path)
    assert rows[TRADES.key] == [(T0 + i * MS, T0 + i * MS + 500, i, (i, i + 0.1)) for i in range(3)]
    assert [row[:3] for row in rows[BOOK.key]] == [(T0, T0, None)] * 2
    np.testing.assert_array_equal([row[3] for row in rows[BOOK.key]], [[np.nan, 1.5, 0], [2, np.nan, np.inf]])
    assert [row[2] for row in rows[words.key]] == ["a", 7, None]
    with Reader(path) as reader:
        assert set(reader.streams.values()) == {TRADES, BOOK, words}
        (chunk,) = reader.chunks()
    assert {batch.stream: None if batch.ids is None else batch.ids.dtype for batch in chunk} == {
        TRADES: np.int64,
        BOOK: None,
        words: np.object_,
    }


@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    rows=st.integers(1, 50),
    window=st.tuples(st.none() | st.integers(-2, 60), st.none() | st.integers(-2, 60)),
)
async def test_chunks_of_any_size_give_the_rows_of_the_window(
    tmp_path_factory: pytest.TempPathFactory,
    sizes: list[int],
    rows: int,
    window: tuple[int | None, int | None],
) -> None:
    path = tmp_path_factory.mktemp("chunks") / "a.db"
    firsts = {TRADES: 0, BOOK: 0}
    for number, size in enumerate(sizes):
        stream = (TRADES, BOOK)[number % 2]
        await record(path, [ticks(stream, size, firsts[stream])])
        firsts[stream] += size
    since, until = (None if edge is None else T0 + edge * MS for edge in window)
    found = read(path, since=since, until=until, rows=rows)
    for stream, count in firsts.items():
        every = range(count)
        wanted = [i for i in every if (window[0] is None or i >= window[0]) and (window[1] is None or i < window[1])]
        assert [row[2] for row in found.get(stream.key, [])] == wanted
    with Reader(path) as reader:
        trades = next(number for number, stream in reader.streams.items() if stream == TRADES)
        chunks = list(reader.chunks(streams=[trades], rows=rows))
        assert [len(batch) for chunk in chunks for batch in chunk[:-1]] == []  # one stream, one batch a chunk
        assert max(len(chunk[0]) for chunk in chunks) <= rows
        assert sum(len(chunk[0]) for chunk in chunks) == firsts[TRADES]


async def test_what_is_written_later_is_not_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await record(path, [ticks(count=5)])
    with Reader(path) as reader:
        chunks = reader.chunks(rows=2)
        first = next(chunks)
        await record(path, [ticks(count=5, first=5), ticks(BOOK, 5)])
        ids = [first, *chunks]
    assert [len(batch) for chunk in ids for batch in chunk] == [2, 2, 1]


async def test_gaps_come_as_they_were_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.db"
    details: dict[str, int | float | str | None] = {"from": T0, "to": T0 + 10, "reason": "outage", "missing": 3}
    gap = Event(T0 + 10, "feed", "gap", "BTCUSDT: outage", TRADES.key, details)
    nameless = Event(T0 + 99, "feed", "gap", "lost", None, {"reason": "x"})
    await record(path, [ticks(), gap, Event(T0, "feed", "open", "connected"), nameless])
    monkeypatch.setattr(reading, "EVENTS_AT_ONCE", 1)
    with Reader(path) as reader:
        assert list(reader.gaps()) == [gap, nameless]
        assert list(reader.gaps(since=T0 + 11)) == [nameless]
        assert list(reader.gaps(until=T0 + 1)) == [gap]
        assert list(reader.gaps(until=T0)) == []
        assert [event.kind for event in reader.events()] == ["gap", "open", "gap"]


async def test_streams_of_many_columns_come_in_smaller_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.db"
    wide = Stream("feed", "wide", "row", tuple(f"f{i}" for i in range(95)))
    await record(path, [ticks(wide, 25), ticks(count=25)])
    monkeypatch.setattr(reading, "CHUNK_CELLS", 1_000)
    with Reader(path) as reader:
        assert [sum(map(len, chunk)) for chunk in reader.chunks()] == [10, 10, 10, 10, 10]
    assert read(path)[wide.key][24][3] == tuple(24 + f / 10 for f in range(95))


async def test_a_damaged_file_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await record(path, [ticks(count=5)])
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE ticks SET stream = 99 WHERE n = 3")
    connection.close()
    assert query(path, "SELECT count(*) FROM ticks") == [(5,)]
    with Reader(path) as reader, pytest.raises(RecordingError, match=r"a\.db: the file is damaged"):
        list(reader.chunks())
    with pytest.raises(RecordingError, match="no such file"):
        Reader(tmp_path / "b.db")


async def test_an_empty_recording_has_no_chunks(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await record(path, [])
    with Reader(path) as reader:
        assert list(reader.chunks()) == []
        assert list(reader.chunks(since=0, streams=[])) == []
        assert list(reader.gaps()) == []
