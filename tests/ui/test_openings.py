"""What a message names is opened by a pattern or by the user, in a real app, from real files and a real server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sources.media.serving import PNG, server
from tests.ui.conftest import SECOND, Monitor
from tests.ui.test_boards import drawn, show
from tuistream.core.board import Board
from tuistream.sources.media.rules import Rules
from tuistream.ui.openings import AGAIN_NS, KEPT, Opening

GIF = b"GIF89a" + (320).to_bytes(2, "little") + (200).to_bytes(2, "little") + bytes(40)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path.resolve() / "a.png"
    path.write_bytes(PNG)
    return path


def name(monitor: Monitor, address: object, kind: str = "image") -> Board:
    return show(monitor, kind, str(address), replaces=True)


def opening(monitor: Monitor, board: Board) -> Opening | None:
    return monitor.app.openings.of(board)


async def until(monitor: Monitor, condition: Callable[[], object]) -> None:
    for _ in range(500):
        if condition():
            break
        await monitor.settle()
    assert condition()
    await drawn(monitor)


async def test_nothing_is_opened_without_leave(monitor: Monitor, picture: Path) -> None:
    async with server() as (base, asked):
        board = name(monitor, f"{base}/a.png")
        file = show(monitor, "image", str(picture), name="file", replaces=True)
        monitor.options["media"] = Rules([f"{base}/other/*", f"{picture.parent}/b*"])
        async with monitor.running(140, 30):
            for _ in range(4):
                await monitor.settle(SECOND)
            await monitor.press("1", "enter", "escape", "enter", "n", "enter", "enter", "q")
            assert monitor.app.is_running
            for _ in range(4):
                await monitor.settle(SECOND)
            assert opening(monitor, board) is opening(monitor, file) is None
        assert asked == []


async def test_enter_asks_and_y_opens(monitor: Monitor, picture: Path) -> None:
    board = name(monitor, picture)
    async with monitor.running(140, 30):
        await drawn(monitor)
        await monitor.press("enter")
        await until(monitor, lambda: "A file on this machine" in monitor.screen)
        assert str(picture) in monitor.screen
        await monitor.press("enter")  # the same key held down is no answer
        assert opening(monitor, board) is None
        await monitor.press("y")
        await until(monitor, lambda: "PNG  640 x 480" in monitor.text("BoardView"))
        assert f"opened 11:00:00  {picture}" in monitor.text("BoardView")
        name(monitor, picture)  # again: nobody has allowed that
        picture.write_bytes(GIF)
        await monitor.settle(2 * AGAIN_NS)
        assert "PNG  640 x 480" in monitor.text("BoardView")
        name(monitor, picture.parent / "b.png")
        await drawn(monitor)
        assert "PNG" not in monitor.text("BoardView")
        assert "b.png" in monitor.text("BoardView")


async def test_what_was_confirmed_is_what_is_opened(monitor: Monitor, picture: Path) -> None:
    """Not what a later message names, nor where a link leads that was changed since."""
    link, other = picture.parent / "link.png", picture.parent / "other.png"
    other.write_bytes(GIF)
    link.symlink_to(picture)
    board = name(monitor, link)
    async with monitor.running(140, 30):
        await drawn(monitor)
        await monitor.press("enter")
        await until(monitor, lambda: f"leads to {picture}" in monitor.screen)
        link.unlink()
        link.symlink_to(other)
        await monitor.press("y")
        await until(monitor, lambda: "not opened: it leads to" in monitor.text("BoardView"))
        await monitor.press("enter")
        await until(monitor, lambda: f"leads to {other}" in monitor.screen)
        name(monitor, picture)
        await monitor.press("y")
        await drawn(monitor)
        assert opening(monitor, board) is None
        assert f"Enter: open {picture}" in monitor.text("BoardView")


async def test_a_pattern_opens_what_is_on_the_screen_and_again_with_each_message(
    monitor: Monitor, picture: Path
) -> None:
    monitor.options["media"] = Rules([f"{picture.parent}/*"])
    name(monitor, picture)
    async with monitor.running(140, 30):
        await until(monitor, lambda: "PNG  640 x 480" in monitor.text("BoardView"))
        picture.write_bytes(GIF)
        await monitor.settle(2 * AGAIN_NS)
        assert "PNG" in monitor.text("BoardView")
        name(monitor, picture)
        await until(monitor, lambda: "GIF  320 x 200" in monitor.text("BoardView"))
        picture.write_bytes(PNG)
        name(monitor, picture)  # too soon
        for _ in range(5):
            await monitor.settle()
        assert "GIF" in monitor.text("BoardView")
        monitor.now += AGAIN_NS
        await until(monitor, lambda: "PNG  640 x 480" in monitor.text("BoardView"))


async def test_a_url_that_a_pattern_allows_and_a_failure_in_words(monitor: Monitor) -> None:
    async with server() as (base, asked):
        monitor.options["media"] = Rules([f"{base}/*"])
        name(monitor, f"{base}/a.png", "video")
        async with monitor.running(140, 30):
            await until(monitor, lambda: "video  PNG  640 x 480" in monitor.text("BoardView"))
            name(monitor, f"{base}/mjpeg", "video")
            await monitor.settle(AGAIN_NS)
            await until(monitor, lambda: "not opened: the stream has ended" in monitor.text("BoardView"))
            assert f"Enter: open {base}/mjpeg" in monitor.text("BoardView")
        assert asked == ["/a.png", "/mjpeg"]


async def test_nothing_is_opened_while_the_view_is_paused(monitor: Monitor, picture: Path) -> None:
    monitor.options["media"] = Rules([f"{picture.parent}/*"])
    board = show(monitor, "image", "data:image/png;base64,AAAA", replaces=True)
    async with monitor.running(140, 30):
        await drawn(monitor)
        await monitor.press("space")
        name(monitor, picture)
        await monitor.settle(SECOND)
        assert opening(monitor, board) is None
        await monitor.press("space")
        await until(monitor, lambda: "PNG  640 x 480" in monitor.text("BoardView"))


async def test_what_nobody_here_can_open_is_said_in_the_status_line(monitor: Monitor) -> None:
    name(monitor, "mms://camera.example/1", "video")
    async with monitor.running(140, 30):
        await drawn(monitor)
        await monitor.press("enter")
        await until(monitor, lambda: "not opened: mms: only files" in monitor.status)


async def test_opened_pictures_have_a_bound(monitor: Monitor, picture: Path) -> None:
    monitor.options["media"] = Rules([f"{picture.parent}/*"])
    boards = [show(monitor, "image", str(picture), name=str(n), replaces=True) for n in range(KEPT + 3)]
    async with monitor.running(60, 19):
        for board in boards:
            monitor.app.openings.look(board)
        await until(monitor, lambda: opening(monitor, boards[-1]) and opening(monitor, boards[-1]).state == "open")  # type: ignore[union-attr]
        assert sum(opening(monitor, board) is not None for board in boards) == KEPT
