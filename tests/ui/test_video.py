"""Motion JPEG in a panel of a real app, from a real server."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from PIL import Image
from rich.console import Console

from tests.sources.media.rtsp import camera as rtsp_camera
from tests.sources.media.videos import encoded, video
from tests.ui.conftest import PERIOD, SECOND, Monitor
from tests.ui.painted import PaintedMonitor
from tests.ui.test_boards import show
from tests.ui.test_graphics import KITTY, showing
from tests.ui.test_pictures import colours, until
from tuistream.core.video import Video, VideoFrame
from tuistream.sources.media.rules import Rules
from tuistream.ui.app import TuistreamApp
from tuistream.ui.openings import PLAY_AGAIN_NS, UNSEEN_NS, Opening
from tuistream.ui.terminal_answers import Abilities

RED, BLUE = "#fe0000", "#0000fe"  # as JPEG has them


@pytest.fixture(autouse=True)
def coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 16 M colours."""
    monkeypatch.setattr(Console, "color_system", "truecolor")


class Camera:
    """picture: sent again and again, until it is empty. open: connections."""

    def __init__(self) -> None:
        self.picture = b""
        self.opened = self.open = 0
        self.turn = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "multipart/x-mixed-replace; boundary=--frame"})
        await response.prepare(request)
        self.opened += 1
        self.open += 1
        try:
            while self.picture:
                await response.write(b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + self.picture + b"\r\n")
                await asyncio.sleep(0.001)
        except ConnectionError:
            pass
        finally:
            self.open -= 1
        return response


def jpeg(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, "JPEG")
    return out.getvalue()


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Camera, str]]:
    camera = Camera()
    async with served_by(camera.answer) as url:
        try:
            yield camera, url
        finally:
            camera.picture = b""


@asynccontextmanager
async def served_by(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0.1)  # type: ignore[arg-type]
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/live"  # type: ignore[union-attr]
    finally:
        await runner.cleanup()


def the_opening(monitor: Monitor) -> Opening:
    (found,) = monitor.app.openings._found.values()
    return found


async def test_a_video_moves_and_what_has_no_time_is_skipped(monitor: Monitor) -> None:
    async with serving() as (camera, url):
        camera.picture = jpeg("#ff0000")
        monitor.options["media"] = Rules([url])
        show(monitor, "video", url, replaces=True)
        async with monitor.running(140, 30):
            await until(monitor, lambda: colours(monitor) == {RED})
            camera.picture = jpeg("#0000ff")
            await until(monitor, lambda: colours(monitor) == {BLUE})
            await until(monitor, lambda: "skipped" in monitor.screen)
            show(monitor, "video", url, replaces=True)  # named again: it goes on
            await until(monitor, lambda: the_opening(monitor).frames > 20)
            assert camera.opened == 1
            assert monitor.app.pictures.shown(next(iter(monitor.app.openings._found))) <= the_opening(monitor).frames


async def test_a_video_that_ends_says_so_and_is_opened_again(monitor: Monitor) -> None:
    async with serving() as (camera, url):
        camera.picture = jpeg("#ff0000")
        monitor.options["media"] = Rules([url])
        show(monitor, "video", url, replaces=True)
        async with monitor.running(140, 30):
            await until(monitor, lambda: colours(monitor) == {RED} and the_opening(monitor).frames > 3)
            camera.picture = b""
            await until(monitor, lambda: "not opened: the stream has ended" in monitor.screen)
            camera.picture = jpeg("#0000ff")
            monitor.now += PLAY_AGAIN_NS
            await until(monitor, lambda: colours(monitor) == {BLUE})
            assert camera.opened == 2


async def test_a_video_that_nobody_sees_is_closed(monitor: Monitor) -> None:
    async with serving() as (camera, url):
        camera.picture = jpeg("#ff0000")
        monitor.options["media"] = Rules([url])
        show(monitor, "video", url, replaces=True)
        async with monitor.running(140, 30):
            await until(monitor, lambda: the_opening(monitor).frames > 3)
            await monitor.press("space")
            monitor.now += UNSEEN_NS + SECOND
            await until(monitor, lambda: the_opening(monitor).state == "failed" and camera.open == 0)
            await monitor.press("space")
            monitor.now += PLAY_AGAIN_NS
            await until(monitor, lambda: camera.open == 1 and the_opening(monitor).state == "open")


async def test_nothing_is_played_without_leave(monitor: Monitor) -> None:
    async with serving() as (camera, url):
        camera.picture = jpeg("#ff0000")
        show(monitor, "video", url, replaces=True)
        async with monitor.running(140, 30):
            for _ in range(5):
                await monitor.settle(SECOND)
            assert camera.opened == 0
            await monitor.press("1", "enter")
            await until(monitor, lambda: "This machine would connect to 127.0.0.1" in monitor.screen)
            await monitor.press("y")
            await until(monitor, lambda: colours(monitor) == {RED})


def greys(monitor: Monitor) -> set[int]:
    """The greys that are seen, where the decoder's rounding is left out."""
    return {int(colour[1:3], 16) for colour in colours(monitor) if colour[1:3] == colour[3:5] == colour[5:7]}


async def test_a_video_file_is_played_by_leave_and_says_when_it_has_ended(monitor: Monitor, tmp_path: Path) -> None:
    path = video(tmp_path, 30)
    monitor.options["media"] = Rules([f"{tmp_path}/*"])
    show(monitor, "video", str(path), replaces=True)
    async with monitor.running(140, 30):
        seen: set[int] = set()

        def moved() -> bool:
            seen.update(greys(monitor))
            return len(seen) > 3

        await until(monitor, moved)
        assert "64 x 48  h264  25/s" in monitor.screen
        assert "skipped" in monitor.screen
        await until(monitor, lambda: "not opened: the video has ended after 30 frames" in monitor.screen)


async def test_a_camera_is_watched_over_rtsp_once_it_is_confirmed(monitor: Monitor) -> None:
    async with rtsp_camera() as (served, url):
        show(monitor, "video", url, replaces=True)
        async with monitor.running(140, 30):
            for _ in range(3):
                await monitor.settle(SECOND)
            assert served.connections == 0
            await monitor.press("1", "enter")
            await until(monitor, lambda: f"This machine would connect to {url.split('/')[2]}" in monitor.screen)
            await monitor.press("y")
            await until(monitor, lambda: len(greys(monitor)) == 1)
            monitor.now += UNSEEN_NS + SECOND
            await monitor.press("space")  # nobody looks any more
            monitor.now += UNSEEN_NS + SECOND
            await until(monitor, lambda: the_opening(monitor).words == "closed, as no panel showed it")


async def test_a_video_over_http_is_played_as_it_comes(monitor: Monitor) -> None:
    data = encoded(100, "matroska")

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=data, content_type="video/x-matroska")

    async with served_by(answer) as url:
        monitor.options["media"] = Rules([url])
        show(monitor, "video", url, replaces=True)
        async with monitor.running(140, 30):
            await until(monitor, lambda: greys(monitor) and "h264" in monitor.screen)
            assert the_opening(monitor).state == "open"


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> PaintedMonitor:
    monkeypatch.setattr("textual.screen.UPDATE_PERIOD", PERIOD)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    return PaintedMonitor()


@pytest.mark.parametrize("abilities", [KITTY, None])
async def test_a_video_has_as_many_pixels_as_are_seen(
    painted: PaintedMonitor, tmp_path: Path, abilities: Abilities | None
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(encoded(300, size=(640, 360)))
    show(painted, "video", str(path), replaces=True)
    async with showing(painted, abilities or Abilities(), media=Rules([f"{tmp_path}/*"])) as driver:

        def across() -> int:
            """Pixels of the frame that is drawn."""
            found = painted.app.pictures._found.values()
            return max((shown.raster.pixels.shape[1] for shown in found if shown.raster is not None), default=0)

        def seen() -> int:
            return max((pixels.shape[1] for pixels in driver.kitty.images.values()), default=0)

        for _ in range(1_000):
            await painted.settle()
            if (across() > 500 and seen() > 500) if abilities else 0 < across() < 100:
                return
        raise AssertionError((across(), seen()))


async def test_a_frame_waits_until_the_one_before_is_whole_on_the_terminal(
    painted: PaintedMonitor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(painted, "video", str(video(tmp_path, 500)), replaces=True)
    async with showing(painted, Abilities(), media=Rules([f"{tmp_path}/*"]), pictures="cells"):

        def played() -> Video | None:
            value = the_opening(painted).picture if painted.app.openings._found else None
            return value.value.video if value is not None and isinstance(value.value, VideoFrame) else None

        await until(painted, lambda: (found := played()) and found.shown > 1)
        with monkeypatch.context() as patched:
            patched.setattr(TuistreamApp, "pictures_pending", True)
            found = played()
            assert found is not None
            shown = found.shown
            await until(painted, lambda: found.waiting is not None)
            for _ in range(5):
                await painted.settle(SECOND)
            assert found.shown == shown
        await until(painted, lambda: found.shown > shown)


async def test_a_picture_is_on_its_way_until_the_budget_has_let_it_through(painted: PaintedMonitor) -> None:
    show(painted, "image", noise(), replaces=True)
    async with painted.painting(budget=20_000) as driver:
        await until(painted, lambda: painted.app.pictures_pending)
        sent = driver.bytes_written
        await until(painted, lambda: not painted.app.pictures_pending)
        assert driver.bytes_written > sent


def noise() -> bytes:
    """A picture that differs from cell to cell."""
    out = io.BytesIO()
    Image.effect_noise((64, 48), 90).convert("RGB").save(out, "PNG")
    return out.getvalue()
