"""The session: what comes in is counted once, gaps are named, bounds hold."""

from __future__ import annotations

import numpy as np
import pytest

from tuistream.core import session as session_module
from tuistream.core.batch import Batch, IdRule, Ids, Stream, ids_array
from tuistream.core.look import Look
from tuistream.core.outbox import Outbox
from tuistream.core.session import Gap, Known, Session
from tuistream.core.status import Event, FeedStatus

PLAIN = Stream("f", "A", "", ("price",))
TRADES = Stream("f", "A", "trade", ("price", "qty"), IdRule.CONSECUTIVE)


def batch(stream: Stream, times: list[int], ids: Ids | None = None) -> Batch:
    t = np.array(times, dtype=np.int64)
    return Batch(stream, t, t + 5, np.full((len(t), len(stream.fields)), 1.5), ids)


def trades(first: int, last: int) -> Batch:
    numbers = list(range(first, last + 1))
    return batch(TRADES, [n * 10 for n in numbers], ids_array(numbers))


@pytest.fixture
def session() -> Session:
    return Session(clock=lambda: 0)


@pytest.fixture
def feed(session: Session) -> FeedStatus:
    return session.add_feed(FeedStatus("f"))


def gaps(session: Session) -> list[Event]:
    return [event for event in session.events if event.kind == "gap"]


def test_ticks_reach_series_and_outbox(session: Session, feed: FeedStatus) -> None:
    outbox = Outbox("test")
    session.outboxes.append(outbox)
    session.ingest(feed, [batch(PLAIN, [1, 2, 3])])
    session.ingest(feed, [batch(PLAIN, [4])])
    state = session.streams[PLAIN.key]
    assert state.series.t.tolist() == [1, 2, 3, 4]
    assert [len(item) for item in outbox.take(100) if isinstance(item, Batch)] == [3, 1]
    assert feed.ticks == session.ticks == 4
    assert feed.lag == 5


def test_the_main_field_is_found_by_its_name_unless_its_producer_says_how_to_draw(
    session: Session, feed: FeedStatus
) -> None:
    found = Stream("f", "bars", "", ("o", "h", "l", "c"))
    described = Stream("f", "letters", "line", ("a", "b", "c"))
    session.take_looks({described.key: Look("line")})
    session.ingest(feed, [batch(found, [1]), batch(described, [1])])
    assert [state.main for state in session.streams.values()] == ["c", "a"]


@pytest.mark.parametrize("limit", [1, 3, 5, 6])
def test_limit_is_exact(limit: int) -> None:
    session = Session(limit=limit)
    outbox = Outbox("test")
    session.outboxes.append(outbox)
    feed = session.add_feed(FeedStatus("f"))
    for _ in range(4):
        session.ingest(feed, [batch(PLAIN, [1, 2, 3])])
    assert session.ticks == limit
    assert outbox.rows == limit
    assert session.full.is_set()


def test_an_outage_is_one_gap_a_stream_without_ids(session: Session, feed: FeedStatus) -> None:
    other = Stream("f", "B", "", ("price",))
    session.ingest(feed, [batch(PLAIN, [10]), batch(other, [11])])
    session.interrupt(feed, "outage")
    session.interrupt(feed, "outage")
    session.ingest(feed, [batch(PLAIN, [50]), batch(other, [60])])
    session.ingest(feed, [batch(PLAIN, [51]), batch(other, [61])])
    found = [(event.stream, event.details["from"], event.details["to"]) for event in gaps(session)]
    assert found == [(PLAIN.key, 10, 50), (other.key, 11, 60)]
    assert feed.gaps == 2
    assert [(gap.since, gap.to) for gap in session.streams[PLAIN.key].gaps] == [(10, 50)]


def test_an_outage_with_consecutive_ids_is_a_gap_only_if_some_are_missing(session: Session, feed: FeedStatus) -> None:
    session.ingest(feed, [trades(1, 5)])
    session.interrupt(feed, "outage")
    session.ingest(feed, [trades(4, 8)])
    assert not gaps(session)
    assert feed.repeats == 2
    session.interrupt(feed, "outage")
    session.ingest(feed, [trades(11, 12)])
    (gap,) = gaps(session)
    assert (gap.details["first_id"], gap.details["last_id"], gap.details["missing"]) == (9, 10, 2)
    assert gap.details["reason"] == "outage"


def test_a_hole_within_a_batch_lies_between_its_neighbours(session: Session, feed: FeedStatus) -> None:
    session.ingest(feed, [batch(TRADES, [10, 20, 50], ids_array([1, 2, 5]))])
    (gap,) = gaps(session)
    assert (gap.details["from"], gap.details["to"], gap.details["first_id"], gap.details["last_id"]) == (20, 50, 3, 4)


def test_a_restart_is_an_event_and_its_ticks_are_kept(session: Session, feed: FeedStatus) -> None:
    session.ingest(feed, [trades(9_000, 9_005)])
    session.interrupt(feed, "outage")
    session.ingest(feed, [trades(1, 3)])
    assert [event.kind for event in session.events] == ["restart"]
    assert feed.ticks == 9


def test_what_an_earlier_run_recorded_is_joined_with_a_gap(session: Session, feed: FeedStatus) -> None:
    session.known = {PLAIN.key: Known(1_000, 1_005)}
    session.ingest(feed, [batch(PLAIN, [5_000])])
    (gap,) = gaps(session)
    assert (gap.details["from"], gap.details["to"]) == (1_000, 5_000)


def test_what_an_earlier_run_recorded_is_not_taken_twice(session: Session, feed: FeedStatus) -> None:
    session.known = {TRADES.key: Known(50, 55, ids_array([4, 5]), np.array([40, 50]))}
    session.ingest(feed, [trades(3, 7)])
    assert feed.repeats == 2
    assert not gaps(session)
    assert feed.ticks == 3


def test_streams_are_bounded(session: Session, feed: FeedStatus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "MAX_STREAMS", 2)
    for name in "ABCD":
        session.ingest(feed, [batch(Stream("f", name, "", ("v",)), [1, 2])])
    assert len(session.streams) == 2
    assert feed.refused_ticks == 4
    assert [event.kind for event in session.events] == ["lost"]


def test_memory_is_bounded() -> None:
    session = Session(window=100_000, memory=2_000_000)
    feed = session.add_feed(FeedStatus("f"))
    t = np.arange(50_000, dtype=np.int64)
    for name in "ABCD":
        stream = Stream("f", name, "", ("v",))
        session.ingest(feed, [Batch(stream, t, t, t.astype(float).reshape(-1, 1))])
    assert session.nbytes <= 2_000_000
    assert session.nbytes == sum(state.series.nbytes for state in session.streams.values())
    assert feed.ticks == 200_000


def test_a_field_that_comes_later_joins_its_stream(session: Session, feed: FeedStatus) -> None:
    session.ingest(feed, [batch(PLAIN, [1])])
    session.ingest(feed, [batch(Stream("f", "A", "", ("price", "qty")), [2])])
    series = session.streams[PLAIN.key].series
    assert series.fields == ("price", "qty")
    assert series.column("price").tolist() == [1.5, 1.5]


def test_last_change_and_range(session: Session, feed: FeedStatus) -> None:
    for values in ([3.0], [1.0, 5.0], [4.0, 4.0], [4.0], [np.nan]):
        v = np.array(values).reshape(-1, 1)
        t = np.zeros(len(values), dtype=np.int64)
        session.ingest(feed, [Batch(PLAIN, t, t, v)])
    state = session.streams[PLAIN.key]
    assert (state.first, state.last, state.previous, state.low, state.high) == (3.0, 4.0, 5.0, 1.0, 5.0)


def test_an_outage_after_which_event_times_go_back_is_as_long_as_it_was(session: Session, feed: FeedStatus) -> None:
    session.ingest(feed, [Batch(PLAIN, np.array([900]), np.array([1_000]), np.ones((1, 1)))])
    session.interrupt(feed, "outage")
    session.ingest(feed, [Batch(PLAIN, np.array([100]), np.array([6_000]), np.ones((1, 1)))])
    (gap,) = gaps(session)
    assert (gap.details["from"], gap.details["to"]) == (1_000, 6_000)


def test_what_is_recalled_stands_until_a_tick_comes_and_before_it_then(session: Session, feed: FeedStatus) -> None:
    t = np.array([10, 20, 30], dtype=np.int64)
    session.recall(
        Stream("f", "A", "trade", ("qty", "price")), t, np.array([[1.0, 5], [2, 6], [3, 7]]), 35, [Gap(10, 20, "x")]
    )
    state = session.streams[TRADES.key]
    assert (state.recalled, state.last, state.last_recv, session.ticks) == (True, 7.0, 35, 0)
    session.ingest(feed, [trades(5, 6)])
    assert not state.recalled
    assert state.series.fields == ("price", "qty")
    assert state.series.column("price").tolist() == [5, 6, 7, 1.5, 1.5]
    assert [gap.since for gap in state.gaps] == [10]
    session.recall(PLAIN, t, np.ones((3, 1)), 35)
    session.recall(TRADES, t, np.ones((3, 2)), 35)
    assert len(state.series) == 5
