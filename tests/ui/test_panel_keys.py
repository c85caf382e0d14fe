"""Keys that clear, hide and tour panels."""

from __future__ import annotations

from tests.ui.conftest import SECOND, START, Monitor
from tuistream.core.batch import Stream
from tuistream.core.board import Item
from tuistream.core.look import Look
from tuistream.core.outbox import Outbox
from tuistream.ui import grid


async def test_a_panel_is_cleared_and_goes_on(monitor: Monitor) -> None:
    state = monitor.feed_ticks("a", [1.0, 2.0, 3.0])
    other = monitor.feed_ticks("b", [5.0, 6.0])
    async with monitor.running(140, 40):
        await monitor.press("1", "x")
        assert len(state.series) == 0
        assert len(other.series) == 2
        assert "waiting for the first tick" in monitor.plot
        assert "a: cleared; a recording keeps what came" in monitor.screen
        monitor.now += SECOND
        monitor.feed_ticks("a", [9.0, 10.0], end=START + SECOND)
        await monitor.settle(SECOND)
        assert "10" in monitor.title
        assert state.gaps == type(state.gaps)()
        await monitor.press("X")
        assert len(state.series) == len(other.series) == 0
        assert "all panels cleared" in monitor.screen


async def test_a_panel_that_looks_back_is_cleared_too(monitor: Monitor) -> None:
    monitor.feed_ticks("a", [float(n % 7) for n in range(100)])
    async with monitor.running(140, 40):
        await monitor.press("1", "left", "left")
        assert "behind" in monitor.screen
        await monitor.press("x", "left", "minus")
        assert "behind" not in monitor.screen
        monitor.now += SECOND
        monitor.feed_ticks("a", [9.0, 10.0], end=START + SECOND)
        await monitor.settle(SECOND)
        await monitor.press("f")
        assert "10" in monitor.title


async def test_clearing_changes_nothing_that_is_kept(monitor: Monitor) -> None:
    outbox = Outbox("kept", 1_000)
    monitor.session.outboxes.append(outbox)
    state = monitor.feed_ticks("a", [1.0, 2.0, 3.0])
    ticks, last = state.ticks, state.last_t
    async with monitor.running():
        await monitor.press("x")
        assert (state.ticks, state.last_t) == (ticks, last)


async def test_texts_are_cleared(monitor: Monitor) -> None:
    stream = Stream("binance", "log", "text", ())
    monitor.session.show(monitor.feed, [Item(stream, START, START, "text", f"line {n}", 9) for n in range(3)])
    board = monitor.session.boards[stream.key]
    async with monitor.running():
        await monitor.press("x")
        assert "line 2" not in monitor.screen
        assert "(cleared)" in monitor.screen
        assert (len(board.items), board.nbytes, monitor.session._boards_nbytes) == (1, 0, 0)
        monitor.session.show(monitor.feed, [Item(stream, START, START, "text", "line 4", 9)])
        await monitor.settle(SECOND)
        assert "line 4" in monitor.text("BoardView")


async def test_a_hidden_panel_comes_back_by_key_or_from_the_list(monitor: Monitor) -> None:
    for name in "abc":
        monitor.feed_ticks(name, [1.0, 2.0])
    async with monitor.running(140, 40):
        await monitor.press("2", "H")
        assert [panel.entry.stream.name for panel in monitor.grid.shown if panel.entry] == ["a", "c"]
        assert "b is hidden" in monitor.screen
        assert "b" in monitor.text("#watch-list")
        monitor.feed_ticks("d", [1.0, 2.0])
        await monitor.settle(SECOND)
        assert [panel.entry.stream.name for panel in monitor.grid.shown if panel.entry] == ["a", "c", "d"]
        await monitor.press("U")
        assert [panel.entry.stream.name for panel in monitor.grid.shown if panel.entry] == ["a", "b", "c", "d"]
        await monitor.press("1", "H")
        monitor.watch_list.select_stream(("binance", "a", "trade"))
        monitor.watch_list.action_open()
        await monitor.settle()
        assert "a has its panel again" in monitor.screen
        assert monitor.panel.entry is monitor.session.streams["binance", "a", "trade"]
        await monitor.press("U")
        assert "no panel is hidden" in monitor.screen


async def test_the_last_panel_is_not_hidden(monitor: Monitor) -> None:
    monitor.feed_ticks("a", [1.0, 2.0])
    async with monitor.running():
        await monitor.press("H")
        assert "this is the only panel" in monitor.screen


async def test_a_tour_goes_round(monitor: Monitor) -> None:
    for name in "abc":
        monitor.feed_ticks(name, [1.0, 2.0])
    async with monitor.running(140, 40):
        await monitor.press("A")
        assert f"tours the panels, {grid.TOUR_SECONDS} s each" in monitor.screen
        seen = []
        for _ in range(4):
            seen.append(monitor.grid.current)
            monitor.grid._tour_on()
        assert seen == [0, 1, 2, 0]
        await monitor.press("m")
        monitor.grid._tour_on()
        await monitor.settle()
        assert monitor.grid.capacity == 1
        assert len(monitor.grid.shown) == 1
        await monitor.press("A")
        assert "the tour has ended" in monitor.screen
        assert monitor.grid._tour is None


async def test_a_panel_that_is_back_in_time_follows_once_it_is_cleared(monitor: Monitor) -> None:
    monitor.feed_ticks("a", list(map(float, range(500))))
    async with monitor.running(120, 30):
        await monitor.press("[", "[", "left", "left")
        assert "behind" in monitor.edge
        await monitor.press("x")
        assert "a: cleared, follows the newest; a recording keeps what came" in monitor.screen
        assert "waiting for the first tick" in monitor.plot
        monitor.now += SECOND
        monitor.feed_ticks("a", [9.0, 10.0])
        await monitor.settle(SECOND)
        assert "behind" not in monitor.edge
        assert "waiting" not in monitor.plot


async def test_the_list_marks_what_is_hidden(monitor: Monitor) -> None:
    for name in "abc":
        monitor.feed_ticks(name, [1.0, 2.0])
    async with monitor.running(140, 40):
        await monitor.press("2", "H")
        await monitor.settle(2 * SECOND)
        rows = monitor.text("#watch-list").split("\n")
        assert [row[1:3] for row in rows if row[2:3] in ("a", "b", "c")] == [" a", "-b", " c"]
        assert "- 1 hidden" in str(monitor.watch_list.border_subtitle)
        await monitor.press("U")
        await monitor.settle(2 * SECOND)
        assert " b" in monitor.text("#watch-list")
        assert "hidden" not in str(monitor.watch_list.border_subtitle)


async def test_a_heat_map_says_the_newest_cell(monitor: Monitor) -> None:
    stream = monitor.feed_ticks("h", [[3.0, 5.0], [184.0, 63.0]], fields=("row", "col"), kind="heatmap").stream
    monitor.session.take_looks({stream.key: Look(kind="heatmap", grid=(192, 108))})
    async with monitor.running(120, 30):
        assert "184, 63" in monitor.text("#watch-list")
        assert "184" not in monitor.title
        assert "▲" not in monitor.title
