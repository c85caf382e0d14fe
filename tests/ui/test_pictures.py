"""Pictures and maps in panels of a real app."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from tests.sources.media.test_pixels import png
from tests.ui.conftest import SECOND, Monitor
from tests.ui.test_boards import drawn, show
from tuistream.sources.media.rules import Rules
from tuistream.ui.board_view import BoardView
from tuistream.ui.stream_plot import StreamPlot

HALF = "▀"
PLACES = {"center": {"lat": 41.4, "lng": 2.17}, "zoom": 4.0, "data": [{"lat": 41.4, "lng": 2.17}]}


def encoded(colour: str, size: tuple[int, int] = (64, 48)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def colours(monitor: Monitor) -> set[str]:
    """Of the half blocks in the first panel: what is above and what below."""
    plot = monitor.app.query(StreamPlot).first()
    found = set()
    for y in range(plot.size.height):
        for text, style, _control in plot.render_line(y):
            if HALF in text and style is not None and style.color is not None and style.bgcolor is not None:
                found |= {style.color.get_truecolor().hex, style.bgcolor.get_truecolor().hex}
    return found


@pytest.fixture(autouse=True)
def coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 16 M colours."""
    monkeypatch.setattr(Console, "color_system", "truecolor")


async def until(monitor: Monitor, condition: Callable[[], object]) -> None:
    for _ in range(500):
        if condition():
            return
        await monitor.settle()
    assert condition()


async def test_a_picture_is_shown_and_the_next_one_replaces_it(monitor: Monitor) -> None:
    show(monitor, "image", encoded("#ff0000"), replaces=True)
    async with monitor.running(100, 30):
        await until(monitor, lambda: colours(monitor) == {"#ff0000"})
        assert "PNG  64 x 48" in monitor.screen
        show(monitor, "image", encoded("#0000ff"), replaces=True)
        await until(monitor, lambda: colours(monitor) == {"#0000ff"})
        await monitor.press("space")
        show(monitor, "image", encoded("#00ff00"), replaces=True)
        for _ in range(5):
            await monitor.settle()
        assert colours(monitor) == {"#0000ff"}  # a view that is paused stands still
        await monitor.press("space")
        await until(monitor, lambda: colours(monitor) == {"#00ff00"})


async def test_what_cannot_be_shown_says_why(monitor: Monitor) -> None:
    show(monitor, "image", png(100_000, 100_000), replaces=True)
    async with monitor.running(140, 30):
        await until(monitor, lambda: "is over the limit of 40,000,000" in monitor.screen)
        assert "PNG  100,000 x 100,000" in monitor.screen
        show(monitor, "image", encoded("#ff0000"), replaces=True)
        await until(monitor, lambda: colours(monitor) == {"#ff0000"})
        await monitor.press("c")
        await drawn(monitor)
        assert "PNG  64 x 48" in monitor.text("BoardView")
        assert "over the limit" not in monitor.screen


async def test_many_pictures_are_skipped_and_not_queued(monitor: Monitor) -> None:
    board = show(monitor, "image", encoded("#000001", (900, 900)), replaces=True)
    async with monitor.running(100, 30):
        for number in range(2, 60):
            show(monitor, "image", encoded(f"#0000{number:02x}", (900, 900)), replaces=True)
            await monitor.settle()
        await until(monitor, lambda: colours(monitor) == {"#00003b"})
        (known,) = monitor.app.pictures._found.values()
        assert known.shown + known.skipped <= board.version
        assert known.shown >= 1


async def test_a_picture_that_is_named_is_shown_once_it_is_allowed(monitor: Monitor, tmp_path: Path) -> None:
    path = tmp_path.resolve() / "a.png"
    path.write_bytes(encoded("#ff0000"))
    show(monitor, "image", str(path), replaces=True)
    monitor.options["media"] = Rules([str(path)])
    async with monitor.running(100, 30):
        await until(monitor, lambda: colours(monitor) == {"#ff0000"})
        path.write_bytes(encoded("#0000ff"))
        monitor.now += 2 * SECOND
        show(monitor, "image", str(path), replaces=True)
        await until(monitor, lambda: colours(monitor) == {"#0000ff"})


async def test_a_map_is_drawn_and_keys_go_nearer(monitor: Monitor) -> None:
    show(monitor, "map", PLACES, replaces=True)
    async with monitor.running(100, 30):
        await drawn(monitor)
        assert "●" in monitor.text("StreamPlot")
        assert "km wide  centre 41.40, 2.17" in monitor.screen
        home = monitor.text("StreamPlot")
        await monitor.press("1", "plus", "plus")
        await drawn(monitor)
        near = monitor.text("StreamPlot")
        assert "centre 41.40, 2.17" in near
        assert near != home
        await monitor.press("left")
        await monitor.press("up")
        await drawn(monitor)
        assert "centre 41.40, 2.17" not in monitor.text("StreamPlot")
        await monitor.press("0")
        await drawn(monitor)
        assert monitor.text("StreamPlot") == home
        await monitor.press("c")
        await drawn(monitor)
        assert "1 marker" in monitor.text("BoardView")
        assert monitor.app.query_one(BoardView).display


async def test_markers_that_are_not_kept_are_counted(monitor: Monitor) -> None:
    show(monitor, "map", {**PLACES, "beyond": 1_234}, replaces=True)
    async with monitor.running(140, 30):
        await drawn(monitor)
        assert "1,234 more not shown" in monitor.screen
        await monitor.press("c")
        await drawn(monitor)
        assert "1,235 markers" in monitor.text("BoardView")


async def test_a_map_without_markers_is_the_world(monitor: Monitor) -> None:
    show(monitor, "map", {"data": []}, replaces=True)
    async with monitor.running(60, 20):
        await drawn(monitor)
        assert "0 markers" in monitor.screen
