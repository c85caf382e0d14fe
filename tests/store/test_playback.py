from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.recorded import T0, TRADES, record, ticks
from tuistream.core.batch import Batch, Stream
from tuistream.core.errors import RecordingError, SettingsError
from tuistream.core.status import Event
from tuistream.sinks.sqlite import FLUSH_ROWS
from tuistream.store import playback
from tuistream.store.playback import HELD_ROWS, Block, BlockReader, FileEvents, Order, Selection, blocks, check_names

S = 1_000_000_000
MS = 1_000_000
A, B, C = (Stream("feed", name, "trade", ("n",)) for name in "ABC")
NONE = np.empty(0, dtype=np.int64)


def batch(stream: Stream, recv: Sequence[int]) -> Batch:
    """Ticks received then; the value of each is its receive time in ms, its event time 100 ms before."""
    times = np.array(recv, dtype=np.int64)
    return Batch(stream, times - 100 * MS, times, times[:, None] / MS)


def ordered(order: Order, chunks: Sequence[Sequence[Batch]]) -> list[Block]:
    found = [order.push(chunk) for chunk in chunks] + [order.finish()]
    return [block for block in found if block is not None]


def told(found: Sequence[Block]) -> list[tuple[str, int]]:
    return [
        (block.batches[which].stream.name, int(block.batches[which].recv[row]))
        for block in found
        for which, row in zip(block.which.tolist(), block.row.tolist(), strict=True)
    ]


@given(
    arrivals=st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 30)), min_size=1, max_size=60),
    flushes=st.lists(st.integers(1, 12), min_size=1, max_size=60),
    chunk=st.integers(1, 20),
)
def test_what_flushes_sorted_by_stream_comes_in_the_order_of_its_receipt(
    arrivals: list[tuple[str, int]], flushes: list[int], chunk: int
) -> None:
    # Of all 60 together less than `HELD_NS`, for which the order is exact.
    recv = T0 + np.cumsum([pause for _, pause in arrivals]) * MS
    rows = [(name, int(time)) for (name, _), time in zip(arrivals, recv, strict=True)]
    written: list[tuple[str, int]] = []
    for size in chain(flushes, [len(rows)]):
        written += sorted(rows[len(written) : len(written) + size], key=lambda row: row[0])
    chunks: list[list[Batch]] = []
    for first in range(0, len(written), chunk):
        part = written[first : first + chunk]
        streams = [(stream, [t for name, t in part if name == stream.name]) for stream in (A, B, C)]
        chunks.append([batch(stream, times) for stream, times in streams if times])
    found = told(ordered(Order(NONE), chunks))
    assert [time for _, time in found] == recv.tolist()
    assert sorted(found) == sorted(rows)
    for name in "ABC":
        assert [time for named, time in found if named == name] == [time for named, time in rows if named == name]


def test_a_block_gives_any_stretch_of_itself_by_stream() -> None:
    (block,) = ordered(Order(NONE), [[batch(A, [T0, T0 + 2, T0 + 4]), batch(B, [T0 + 1, T0 + 3])]])
    assert block.times().tolist() == [T0 + i - 100 * MS for i in range(5)]
    for start in range(5):
        for stop in range(start + 1, 6):
            parts = block.between(start, stop)
            assert sorted(chain.from_iterable(part.recv.tolist() for part in parts)) == [
                T0 + i for i in range(start, stop)
            ]
            assert all(np.array_equal(part.v[:, 0], part.recv / MS) for part in parts)


def test_what_was_held_is_held_no_longer_than_it_must_be(monkeypatch: pytest.MonkeyPatch) -> None:
    order = Order(NONE)
    seconds = range(20)
    block = order.push([batch(A, [T0 + i * S for i in seconds])])
    assert block is not None
    assert len(block) == 18  # all but the last two seconds
    monkeypatch.setattr(playback, "HELD_ROWS", 10)
    block = order.push([batch(A, [T0 + 20 * S + i for i in range(10)])])
    assert block is not None
    assert len(block) == 2
    assert len(order.finish() or ()) == 10


def test_a_stream_that_lies_far_behind_holds_nothing_up_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playback, "HELD_ROWS", 10)
    order = Order(NONE)
    given_out = 0
    for i in range(40):
        block = order.push([batch(A, [T0 + i * MS + j for j in range(5)]), batch(B, [T0 - 3_600 * S + i])])
        given_out += len(block or ())
    assert given_out >= 6 * 36


def pauses(found: Sequence[Block]) -> list[int]:
    return list(chain.from_iterable((block.after // MS).tolist() for block in found))


def test_a_clock_that_was_set_back_goes_on_as_it_went() -> None:
    back = [T0, T0 + S, T0 + 2 * S, T0 - 3_600 * S, T0 - 3_599 * S]
    chunks = [[batch(A, back)], [batch(A, [T0 - 3_598 * S, T0 - 3_597 * S])]]
    found = ordered(Order(NONE), chunks)
    assert [time for _, time in told(found)] == [*back, T0 - 3_598 * S, T0 - 3_597 * S]
    assert pauses(found) == [0, 1_000, 1_000, 0, 1_000, 1_000, 1_000]


def test_ticks_that_were_read_out_of_order_cost_no_time() -> None:
    found = ordered(Order(NONE), [[batch(A, [T0, T0 + 10 * MS, T0 + 4 * MS, T0 + 12 * MS])]])
    assert pauses(found) == [0, 10, 0, 2]


def test_the_hours_in_which_nobody_recorded_are_a_second() -> None:
    times = [T0, T0 + 9 * S, T0 + 40_000 * S, T0 + 40_009 * S]
    began = np.array([T0 - 1, T0 + 39_999 * S])
    assert pauses(ordered(Order(began), [[batch(A, [time])] for time in times])) == [0, 9_000, 1_000, 9_000]
    assert pauses(ordered(Order(NONE), [[batch(A, times)]])) == [0, 9_000, 39_991_000, 9_000]


def test_held_rows_are_what_one_flush_may_have() -> None:
    assert HELD_ROWS >= FLUSH_ROWS


async def test_several_files_are_one_recording_whose_streams_grow(tmp_path: Path) -> None:
    first, second = tmp_path / "a.db", tmp_path / "b.db"
    other = Stream("feed", "BTCUSDT", "trade", ("side", "price"), ids=TRADES.ids, found="test")
    gap = Event(T0, "feed", "gap", "", TRADES.key, {"from": T0 - 9, "to": T0, "reason": "x"})
    await record(first, [ticks(count=2)])
    await record(second, [ticks(other, 2, 5), ticks(A), gap, Event(T0, "feed", "open", "connected")])
    found = list(blocks(Selection((first, second), streams=("BTCUSDT",))))
    kinds = [type(each) for each in found]
    assert kinds == [FileEvents, Block, FileEvents, Block]
    events = found[2]
    assert isinstance(events, FileEvents)
    assert (events.gaps, events.others) == ([gap], [])
    (old,), (new,) = (each.batches for each in found if isinstance(each, Block))
    assert old.stream == TRADES
    assert new.stream.fields == ("price", "qty", "side")
    np.testing.assert_array_equal(new.v, [[5.1, np.nan, 5.0], [6.1, np.nan, 6.0]])
    everything = next(blocks(Selection((second,))))
    assert isinstance(everything, FileEvents)
    assert [event.kind for event in everything.others] == ["open"]


async def test_reading_begins_where_it_is_wanted(tmp_path: Path) -> None:
    paths = tmp_path / "a.db", tmp_path / "b.db"
    for number, path in enumerate(paths):
        for flush in range(4):
            await record(path, [ticks(count=10, first=number * 40 + flush * 10)])

    def first(row: int, before: int) -> int:
        found = blocks(Selection(paths), T0 + row * MS, before)
        return next(int(each.batches[0].v[0, 0]) for each in found if isinstance(each, Block))

    assert first(0, 5) == 0
    assert first(25, 5) == 15  # of the third flush's first row, five before
    assert first(65, 0) == 60
    assert first(1_000, 3) == 77


async def test_a_reader_is_closed_at_any_time_and_says_what_fails(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await record(path, [ticks(count=5_000)])
    reader = BlockReader(Selection((path,)))
    await reader.next()
    await reader.close()
    reader = BlockReader(Selection((path,)))
    found = []
    while (each := await reader.next()) is not None:
        found.append(each)
    await reader.close()
    assert sum(len(each) for each in found if isinstance(each, Block)) == 5_000
    reader = BlockReader(Selection((tmp_path / "none.db",)))
    with pytest.raises(RecordingError, match="no such file"):
        await reader.next()
    await reader.close()


def test_a_name_that_is_not_there_is_told_with_those_that_are() -> None:
    for name in ("A", "A trade", "trade", "feed"):
        check_names([name], [A, B])
    with pytest.raises(SettingsError, match=r"--streams 'D' is not in the recording; in it are A trade, B trade$"):
        check_names(["A", "D"], [A, B])
