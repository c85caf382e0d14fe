"""Panels and rows of what is no numbers; how senders want charts to look; axes that are no time."""

from __future__ import annotations

import numpy as np

from tests.ui.conftest import SECOND, START, Monitor
from tuistream.charts.panel import DOWN, UP
from tuistream.core.batch import Batch, Stream
from tuistream.core.board import Board, Item
from tuistream.core.look import Look
from tuistream.ui.board_view import BoardView
from tuistream.ui.stream_plot import StreamPlot

HUB = "hub"
SINE = Stream("localhost", "", "sin_wave", ("x", "y"), timed=False, axis="x")


def show(
    monitor: Monitor,
    kind: str,
    *values: object,
    name: str = "80085",
    replaces: bool = False,
    look: Look | None = None,
) -> Board:
    stream = Stream(HUB, name, kind, ())
    items = [Item(stream, monitor.now, monitor.now, kind, value, 10, replaces) for value in values]
    if look is not None:
        monitor.session.take_looks({stream.key: look})
    monitor.session.show(monitor.feed, items)
    return monitor.session.boards[stream.key]


def feed_lines(monitor: Monitor, look: Look, rows: list[list[float]], fields: tuple[str, ...]) -> Stream:
    stream = Stream(HUB, "1337", look.kind, fields, timed=False)
    t = monitor.now - SECOND * np.arange(len(rows) - 1, -1, -1)
    monitor.session.ingest(monitor.feed, [Batch(stream, t, t, np.array(rows))])
    monitor.session.take_looks({stream.key: look})
    return stream


def along(monitor: Monitor, first: float, count: int, step: float = 0.1) -> None:
    x = first + step * np.arange(count)
    recv = np.full(count, monitor.now)
    monitor.session.ingest(monitor.feed, [Batch(SINE, recv, recv, np.stack((x, np.sin(x)), axis=1))])


async def drawn(monitor: Monitor) -> None:
    """Boards get their widget with one beat and their size with the next."""
    await monitor.settle()
    await monitor.settle()


async def test_texts_are_a_log_with_the_newest_at_the_bottom(monitor: Monitor) -> None:
    show(monitor, "text", *(f"line {number}" for number in range(100)), look=Look("text", "Random Text"))
    async with monitor.running(140, 30):
        await drawn(monitor)
        log = monitor.text("BoardView").rstrip().split("\n")
        assert log[-1].rstrip() == "11:00:00 line 99"
        assert "1 Random Text" in monitor.title
        assert "100 in all" in monitor.title
        assert "live" in monitor.edge
        assert "hub  text" in monitor.edge
        assert "Random Text  line 99" in monitor.text("#watch-list")
        await monitor.press("up", "up")
        assert monitor.text("BoardView").rstrip().endswith("line 97")
        assert "2 newer" in monitor.edge
        show(monitor, "text", "line 100")
        await monitor.settle()
        assert monitor.text("BoardView").rstrip().endswith("line 97")
        assert "3 newer" in monitor.edge
        await monitor.press("f")
        assert monitor.text("BoardView").rstrip().endswith("line 100")
        await monitor.press("pageup", "down")
        assert "newer" in monitor.edge
        await monitor.press("down", "end", "down")
        assert "this is the newest" in monitor.status
        await monitor.press("plus")
        assert "no chart: arrows scroll" in monitor.status


async def test_a_log_stands_still_while_the_view_is_paused(monitor: Monitor) -> None:
    show(monitor, "text", "one", "two")
    async with monitor.running() as pilot:
        await drawn(monitor)
        await monitor.press("space")
        show(monitor, "text", "three")
        await monitor.settle(SECOND)
        assert "three" not in monitor.text("BoardView")
        assert "three" not in monitor.text("#watch-list")
        assert "paused" in monitor.edge
        await pilot.resize_terminal(120, 40)
        await drawn(monitor)
        assert "two" in monitor.text("BoardView")
        assert "three" not in monitor.text("BoardView")
        await monitor.press("space")
        assert "three" in monitor.text("BoardView")


async def test_a_log_that_is_first_seen_while_paused_shows_what_was_there_then(monitor: Monitor) -> None:
    monitor.feed_ticks("BTC", [1.0, 2.0])
    show(monitor, "text", "before")
    async with monitor.running(60, 19):
        await monitor.press("space")
        monitor.now += SECOND
        show(monitor, "text", "after")
        await monitor.press("2")
        await drawn(monitor)
        assert "before" in monitor.text("BoardView")
        assert "after" not in monitor.text("BoardView")
        await monitor.press("space")
        await drawn(monitor)
        assert "after" in monitor.text("BoardView")


async def test_every_kind_of_board_has_a_panel_and_a_row(monitor: Monitor) -> None:
    monitor.feed_ticks("BTC", [1.0, 2.0])
    show(monitor, "image", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\2\x80\0\0\1\xe0", replaces=True)
    show(monitor, "map", {"center": {"lat": 1, "lng": 2}, "data": [{"lat": 1, "lng": 2}]}, replaces=True)
    show(monitor, "video", "rtsp://camera.example/1", replaces=True)
    show(
        monitor, "spectrum", {"x": list(range(64)), "y": [1.0 / (1 + abs(n - 20)) for n in range(64)]}, replaces=True
    )
    show(monitor, "thing", {"a": [1, 2]})
    async with monitor.running(200, 50):
        await drawn(monitor)
        assert len(monitor.grid.shown) == 6
        screen = monitor.screen
        for words in (
            "PNG  640 x 480",
            "km wide  centre 1.00, 2.00",
            "at rtsp://camera.example/1",
            '{"a": [1, 2]}',
        ):
            assert words in screen
        spectrum = monitor.grid.shown[4]
        assert spectrum.board is monitor.session.boards[HUB, "80085", "spectrum"]
        assert spectrum.query_one("StreamPlot").display
        before = spectrum.drawings
        await monitor.settle(SECOND)
        assert spectrum.drawings == before
        show(monitor, "spectrum", {"y": [1, 2, 3]}, replaces=True)
        await monitor.settle(SECOND)
        assert spectrum.drawings == before + 1
        await monitor.press("w", "o", "o", "o", "o", "slash", "8", "enter")
        assert "5 of 6" in str(monitor.watch_list.border_title)


async def test_nothing_is_drawn_while_a_board_stays_as_it_is(monitor: Monitor) -> None:
    show(monitor, "text", "one")
    async with monitor.running():
        await drawn(monitor)
        before = monitor.panel.drawings
        for _ in range(3):
            await monitor.settle(SECOND)
        assert monitor.panel.drawings == before


async def test_enter_asks_about_what_a_picture_names_and_opens_nothing(monitor: Monitor) -> None:
    show(monitor, "image", "/etc/passwd", replaces=True)
    async with monitor.running():
        await drawn(monitor)
        assert "Enter: open /etc/passwd" in monitor.text("BoardView")
        await monitor.press("enter")
        named = monitor.screen
        assert "/etc/passwd" in named
        assert "A file on this machine" in named
        assert "y opens it this once" in named
        await monitor.press("escape", "m")
        assert monitor.grid.maximised
        show(monitor, "image", "data:image/png;base64,AAAA", replaces=True)
        await drawn(monitor)
        await monitor.press("enter")
        assert not monitor.grid.maximised


async def test_a_figure_whose_points_are_ticks_has_one_panel(monitor: Monitor) -> None:
    monitor.feed_ticks("", [1.0, 2.0], kind="graph_plot")
    stream = Stream(monitor.feed.name, "", "graph_plot", ())
    figure: dict[str, object] = {"data": [], "layout": {}}
    monitor.session.show(monitor.feed, [Item(stream, START, START, "figure", figure, 9, True)])
    show(monitor, "figure", figure, name="pie")
    async with monitor.running():
        await drawn(monitor)
        assert [type(panel.entry).__name__ for panel in monitor.grid.shown] == ["StreamState", "Board"]


async def test_ticks_and_items_of_one_stream_have_a_panel_each(monitor: Monitor) -> None:
    state = monitor.feed_ticks("a", [1.0, 2.0], kind="mixed")
    stream = state.stream
    monitor.session.show(monitor.feed, [Item(stream, START, START, "text", "hello", 9)])
    async with monitor.running():
        await drawn(monitor)
        assert len(monitor.grid.shown) == 2
        rows = monitor.text("#watch-list")
        assert "a mixed" in rows
        assert "hello" in rows


async def test_a_panel_shows_what_its_page_gives_it(monitor: Monitor) -> None:
    for number in range(3):
        monitor.feed_ticks(f"S{number}", [1.0, 2.0])
        show(monitor, "text", f"text {number}", name=f"T{number}")
    async with monitor.running(60, 19):
        for _ in range(2):
            for digit in "142536":
                await monitor.press(digit)
                await drawn(monitor)
                panel = monitor.panel
                board = int(digit) > 3
                assert panel.query_one("StreamPlot").display is not board
                view = panel.query(BoardView)
                assert any(each.display for each in view) is board
                if board:
                    assert f"text {int(digit) - 4}" in monitor.text("BoardView")


async def test_what_a_sender_wants_to_be_seen(monitor: Monitor) -> None:
    look = Look("line", "Stock Share Prices", "USD", ("#3e95cd", "#101010"), False, 20)
    feed_lines(monitor, look, [[170.0 + n % 3, 130.0] for n in range(40)], ("apple", "amazon"))
    async with monitor.running(160, 40):
        assert "1 Stock Share Prices" in monitor.title
        assert "130" in monitor.plot
        assert "170 ▼ USD" in monitor.title or "USD" in monitor.title
        assert "apple  amazon ─ 20 ticks" in monitor.title.replace("━", "─")
        top = monitor.panel.query(".top").first()
        inks = {text.strip(): ink for text, ink in top.parts}  # type: ignore[attr-defined]
        assert inks["apple"] == "#3e95cd"
        assert inks["amazon"] == "price-2"  # as dark as the background
        assert "sma" not in monitor.title
        await monitor.press("right_square_bracket")
        assert "50 ticks" in monitor.title
        await monitor.press("0")
        assert "20 ticks" in monitor.title


async def test_a_look_that_changes_leaves_what_the_user_chose(monitor: Monitor) -> None:
    stream = feed_lines(monitor, Look("line", "One", points=20), [[1.0], [2.0]], ("a",))
    async with monitor.running(160, 40):
        monitor.session.take_looks({stream.key: Look("bar", "Two", points=30)})
        await monitor.settle()
        assert "1 Two" in monitor.title
        assert "30 ticks" in monitor.title
        assert "bars" in monitor.edge
        await monitor.press("c", "left_square_bracket")
        monitor.session.take_looks({stream.key: Look("line", "Three", points=40, fill=True)})
        await monitor.settle()
        assert "1 Three" in monitor.title
        assert "auto" in monitor.title
        assert "area" not in monitor.edge


async def test_bars_stand_on_zero_and_their_legend_is_whole(monitor: Monitor) -> None:
    look = Look("bar", "Bars", colours=("#ff0000", "#00ff00", "#0000ff"))
    feed_lines(monitor, look, [[30.0, 50.0, 20.0], [40.0, 20.0, 25.0]], ("a", "b", "c"))
    async with monitor.running(100, 30):
        labels = {row[-5:].strip(" ├◂│┘") for row in monitor.plot.split("\n")}
        assert {"0", "40"} <= labels
        assert "█" in monitor.plot
        assert "a  b  c" in monitor.title
        await monitor.press("c")
        assert "horizontal-bars" in monitor.edge
        await monitor.press("C", "C")
        assert "scatter" in monitor.edge
        for kind in "bars", "pie", "radar", "table", "number":
            while kind not in monitor.edge:
                await monitor.press("c")
            assert monitor.plot.strip()


async def test_the_last_move_may_give_the_colour(monitor: Monitor) -> None:
    state = monitor.feed_ticks("a", [1.0, 2.0, 3.0])
    async with monitor.running(100, 30):
        await monitor.press("d")
        plot = monitor.panel.query_one(StreamPlot)
        assert plot.ink_styles()[0] == plot.ink_styles()[UP]
        monitor.feed_ticks("a", [2.0], end=int(state.series.t[-1]) + SECOND)
        await monitor.settle(SECOND)
        assert plot.ink_styles()[0] == plot.ink_styles()[DOWN]
        await monitor.press("d")
        assert plot.ink_styles()[0] not in (plot.ink_styles()[DOWN], plot.ink_styles()[UP])


async def test_the_value_axis_of_bars_stands_still_while_it_fits(monitor: Monitor) -> None:
    stream = feed_lines(monitor, Look("bar", "Bars", points=5), [[30.0], [40.0]], ("a",))

    def axis() -> set[str]:
        return {row[-5:].strip(" ├◂│┘") for row in monitor.plot.split("\n")}

    async with monitor.running(100, 30):
        before = axis()
        monitor.now += SECOND
        t = np.array([monitor.now])
        monitor.session.ingest(monitor.feed, [Batch(stream, t, t, np.array([[35.0]]))])
        await monitor.settle()
        assert axis() == before
        await monitor.press("y")
        assert "scale fixed" in monitor.edge
        t = np.array([monitor.now + SECOND])
        monitor.session.ingest(monitor.feed, [Batch(stream, t, t, np.array([[900.0]]))])
        await monitor.settle(2 * SECOND)
        assert axis() == before
        await monitor.press("y")
        assert axis() != before
