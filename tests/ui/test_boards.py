"""Panels and rows of what is no numbers; how senders want charts to look; axes that are no time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import ColorSystem
from textual.color import Color

from tests.ui.conftest import SECOND, START, Monitor
from tuistream.core.batch import Batch, Stream
from tuistream.core.board import Board, Item
from tuistream.core.look import Look
from tuistream.core.status import FeedState, RecordingStatus
from tuistream.ui.board_view import BoardView
from tuistream.ui.contrast import contrast, readable
from tuistream.ui.panel import Panel

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
        assert "area" in monitor.edge
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
        assert {"0", "50"} <= labels
        assert "c  a  b" in monitor.title  # c is what its last value is of
        await monitor.press("c", "0")
        assert "area" not in monitor.edge


async def test_more_than_four_fields_of_a_sender_come_in_groups(monitor: Monitor) -> None:
    fields = tuple(f"f{n}" for n in range(7))
    feed_lines(monitor, Look("line"), [[float(n) * 10.0**n for n in range(7)]] * 2, fields)
    async with monitor.running(160, 40):
        assert "f0  f1  f2  f3" in monitor.title
        await monitor.press("n")
        assert "f4  f5  f6" in monitor.title
        await monitor.press("n")
        assert "shows f0" in monitor.status


@given(st.tuples(*[st.integers(0, 255)] * 3), st.sampled_from(["#0e1217", "#fbfbf9"]))
def test_colours_that_are_taken_can_be_seen_in_16_colours(rgb: tuple[int, int, int], background: str) -> None:
    paper = Color.parse(background)
    colour = Color(*rgb).hex.lower()
    nearest = [each.rich_color.downgrade(ColorSystem.STANDARD) for each in (Color(*rgb), paper)]
    assert readable((colour,), paper) in (("",), (colour,))
    assert nearest[0] != nearest[1] or readable((colour,), paper) == ("",)


@pytest.mark.parametrize("background", ["#0e1217", "#fbfbf9"])
def test_colours_that_cannot_be_seen_are_left_out(background: str) -> None:
    paper = Color.parse(background)
    every = ("#000000", "#ffffff", "#3e95cd", "red", "#12345", "\x1b[31m", "#ff0000")
    seen = readable(every, paper)
    assert seen[3:6] == ("", "", "")
    assert (seen[2], seen[6]) == (every[2], every[6])
    assert (seen[0] == "") != (seen[1] == "")
    assert contrast(Color.parse("#000000"), Color.parse("#ffffff")) == pytest.approx(21)


@pytest.mark.parametrize("theme", ["tuistream-light", "ansi-dark", "textual-dark"])
async def test_a_senders_colours_in_other_themes(monitor: Monitor, theme: str) -> None:
    monitor.options["theme"] = theme
    feed_lines(monitor, Look("bar", colours=("#3e95cd",)), [[1.0], [2.0]], ("a",))
    async with monitor.running():
        await monitor.settle()
        strips = [monitor.panel.query_one("StreamPlot").render_line(y) for y in range(8)]
        colours = {
            segment.style.color.name for strip in strips for segment in strip if segment.style and segment.style.color
        }
        assert ("#3e95cd" in colours) is (theme != "ansi-dark")


async def test_an_axis_that_is_no_time(monitor: Monitor) -> None:
    along(monitor, 5_175.9, 400)
    async with monitor.running(120, 36):
        await monitor.press("right_square_bracket", "right_square_bracket", "right_square_bracket")
        assert "─ 10 ━┓" in monitor.title or " 10 " in monitor.title
        plot = monitor.plot
        assert "5,210" in plot
        assert ":" not in plot.split("\n")[-1]
        drawings = monitor.panel.drawings
        await monitor.settle(30 * SECOND)
        assert monitor.panel.drawings == drawings  # nothing slides while nothing comes
        assert "along x" in monitor.edge
        assert "30 s" in monitor.text("#watch-list")
        await monitor.press("right_square_bracket")
        assert "range 60, 5 of 10" in monitor.status
        await monitor.press("plus")
        assert "30 are shown" in monitor.status
        await monitor.press("left")
        assert "behind 7." in monitor.edge
        along(monitor, 5_216.0, 100)
        await monitor.settle()
        assert "behind 17" in monitor.edge
        await monitor.press("f", "left_square_bracket", "left_square_bracket", "left_square_bracket")
        assert "50 ticks" in monitor.title
        along(monitor, 0.0, 50)
        await monitor.settle()
        assert monitor.feed.gaps == 1
        assert "░" not in monitor.plot
        assert " 4.9" in monitor.plot or " 4" in monitor.plot
        await monitor.press("n")
        assert "only field" in monitor.status


async def test_an_empty_hub_says_where_it_listens_and_how_to_send(monitor: Monitor) -> None:
    monitor.session.feeds = {}
    for way in ("tcp", "http"):
        monitor.add_feed(f"listen+{way}", FeedState.WAITING).url = f"listen+{way}://127.0.0.1:8010"
    monitor.options["waiting"] = (
        "curl -d 42 http://127.0.0.1:8030",
        *(f"line {n}" for n in range(60)),
        "\x1b[31mlast",
    )
    async with monitor.running(160, 30):
        await drawn(monitor)
        shown = monitor.text("BoardView")
        assert "waiting for the first message" in shown
        assert "  curl -d 42 http://127.0.0.1:8030" in shown
        assert "? shows all" in shown
        assert "hub listening" in monitor.status
        # Nothing is beside it that would be pasted with it.
        assert monitor.app.query_one("BoardView").region.width == 160
        assert monitor.watch_list.region.width == 0
        await monitor.press("question_mark")
        help_rows = [line.text for line in monitor.app.screen.query("#help Line")]  # type: ignore[attr-defined]
        assert help_rows[-1] == "·[31mlast"
        await monitor.press("escape")
        feed = monitor.session.feeds["listen+tcp"]
        feed.accepted, feed.malformed = 1_204, 3
        show(monitor, "text", "hello")
        await drawn(monitor)
        assert "hub 1.20 k accepted  3 refused" in monitor.status
        assert "malformed" not in monitor.status
        assert "hello" in monitor.text("BoardView")
        assert monitor.watch_list.region.width > 0
        feed.state, feed.reason = FeedState.FAILED, "port 8010 is taken"
        await monitor.settle(SECOND)
        assert "port 8010 is taken" in monitor.status


async def test_items_that_were_lost_are_told(monitor: Monitor) -> None:
    monitor.recording = RecordingStatus("recording", "/data/a.db", lost_items=7)
    async with monitor.running(160, 40):
        assert "7 texts or pictures lost" in monitor.status


@pytest.mark.parametrize(("width", "height"), [(20, 5), (40, 10), (60, 20), (80, 24), (120, 36)])
async def test_boards_of_any_size(monitor: Monitor, width: int, height: int) -> None:
    show(monitor, "text", "日本語のとても長い名前のストリーム " * 9, "short")
    show(monitor, "video", "rtsp://" + "x" * 3_000, replaces=True)
    show(monitor, "spectrum", {"y": [1, 2, 3]}, replaces=True)
    async with monitor.running(width, height):
        for digit in "123":
            await monitor.press(digit)
            await drawn(monitor)
            await monitor.press("up", "pageup", "down", "f", "enter")
            for panel in monitor.app.query(Panel):
                for view in panel.query(BoardView):
                    lines = [view.render_line(y).text for y in range(view.size.height)]
                    assert all(cell_len(line) == view.size.width for line in lines)
            await monitor.press("escape")
