"""What is not numbers, and what is drawn against something else than time."""

from __future__ import annotations

import numpy as np

from tuistream.core.batch import Batch, Stream
from tuistream.core.board import BOARDS_BYTES, BYTES_KEPT, DROPPED, ITEMS_KEPT, Board, Item
from tuistream.core.look import Look
from tuistream.core.session import Session
from tuistream.core.status import FeedStatus

TEXTS = Stream("hub", "80085", "text", ())
SINE = Stream("sine", "", "sin_wave", ("x", "y"), timed=False, axis="x")


def item(text: str, *, size: int = 10, replaces: bool = False) -> Item:
    return Item(TEXTS, 5, 6, "text", text, size, replaces)


def test_a_board_keeps_the_newest_within_its_bounds() -> None:
    board = Board(TEXTS, 0)
    for number in range(ITEMS_KEPT + 5):
        board.add(item(str(number)))
    assert (len(board.items), board.dropped, board.items[0].value) == (ITEMS_KEPT, 5, "5")
    board.add(item("large", size=2 * BYTES_KEPT))
    assert [kept.value for kept in board.items] == ["large"]
    board.add(item("picture", replaces=True))
    assert ([kept.value for kept in board.items], board.nbytes) == (["picture"], 10)


def test_a_session_keeps_items_and_looks_by_stream() -> None:
    session = Session()
    feed = session.add_feed(FeedStatus("hub"))
    session.take_looks({TEXTS.key: Look("text", "Random Text")})
    session.show(feed, [item("a"), item("b")])
    assert [kept.value for kept in session.boards[TEXTS.key].items] == ["a", "b"]
    assert session.looks[TEXTS.key].title == "Random Text"
    assert (feed.items, feed.refused_items) == (2, 0)


def along(session: Session, feed: FeedStatus, xs: list[float], recv: int) -> None:
    count = len(xs)
    v = np.array([[x, 10 * x] for x in xs])
    times = recv + np.arange(count)
    session.ingest(feed, [Batch(SINE, times, times, v)])


def test_an_axis_that_is_not_time() -> None:
    session = Session()
    feed = session.add_feed(FeedStatus("sine"))
    along(session, feed, [5175.9, 5176.0, 5176.0, float("nan"), 5176.1], 1_000)
    state = session.streams[SINE.key]
    assert state.main == "y"
    assert state.series.t.tolist() == [5_175_900_000_000, 5_176_000_000_000, 5_176_000_000_000, 5_176_100_000_000]
    assert not state.gaps
    assert feed.gaps == 0


def test_a_step_back_of_the_axis_is_a_gap_and_a_new_beginning() -> None:
    session = Session()
    feed = session.add_feed(FeedStatus("sine"))
    along(session, feed, [7.0, 7.1], 1_000)
    along(session, feed, [7.2, 0.1, 0.2], 2_000)
    series = session.streams[SINE.key].series
    assert series.t.tolist() == [100_000_000, 200_000_000]
    assert feed.gaps == 1
    assert session.events[-1].details["reason"] == "x stepped back"
    assert session.events[-1].details["to"] == 2_001
    along(session, feed, [0.3], 3_000)
    assert len(series) == 3
    assert feed.gaps == 1


def test_all_boards_together_are_within_a_bound() -> None:
    session = Session()
    feed = session.add_feed(FeedStatus("f"))
    size = BOARDS_BYTES // 4
    for number in range(6):
        stream = Stream("f", str(number), "image", ())
        session.show(feed, [Item(stream, 0, 0, "image", "picture", size, replaces=True)])
    held = [board.items[-1].size for board in session.boards.values()]
    assert sum(held) <= BOARDS_BYTES
    assert held[-1] == size
    assert [board.items[-1].value for board in session.boards.values()].count(DROPPED) == 2
