"""Motion JPEG in a panel of a real app, from a real server."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from PIL import Image
from rich.console import Console

from tests.ui.conftest import SECOND, Monitor
from tests.ui.test_boards import show
from tests.ui.test_pictures import colours, until
from tuistream.sources.media.rules import Rules
from tuistream.ui.openings import PLAY_AGAIN_NS, UNSEEN_NS, Opening

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
    runner = web.ServerRunner(web.Server(camera.answer), shutdown_timeout=0.1)  # type: ignore[arg-type]
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield camera, f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/live"  # type: ignore[union-attr]
    finally:
        camera.picture = b""
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
