"""Videos as feeds: files, HTTP and RTSP, from real decoders and real servers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from tests.sources.feeding import Fed, fed
from tests.sources.media.rtsp import SDP, camera
from tests.sources.media.videos import encoded, video
from tuistream import sources
from tuistream.config import FeedOptions
from tuistream.core.errors import SettingsError
from tuistream.core.outbox import Outbox
from tuistream.core.status import FeedState
from tuistream.core.video import VideoFrame
from tuistream.sources.media import player


def newest(feed: Fed) -> VideoFrame | None:
    for board in feed.session.boards.values():
        value = board.items[-1].value
        assert isinstance(value, VideoFrame)
        return value
    return None


def look(feed: Fed, columns: int = 40, rows: int = 30) -> VideoFrame | None:
    """What a panel does."""
    frame = newest(feed)
    if frame is not None:
        frame.take(columns, rows)
    return frame


@pytest.mark.parametrize(("container", "codec"), [("mp4", "libx264"), ("mjpeg", "mjpeg"), ("matroska", "mpeg4")])
async def test_a_file_is_played_to_its_end(tmp_path: Path, container: str, codec: str) -> None:
    async with fed(f"video:{video(tmp_path, 10, container, codec)}") as feed:
        await feed.until(lambda: look(feed) is not None and feed.status.ended)
        assert feed.status.state is FeedState.CLOSED
        assert feed.status.reason == "the video has ended after 10 frames"
        frame = newest(feed)
        assert frame is not None
        played = frame.video
        assert (played.width, played.height, played.decoded, played.broken) == (64, 48, 10, 0)
        assert played.shown + played.skipped + (played.waiting is not None) == 10
        assert feed.status.items == feed.status.frames == played.shown + (played.waiting is not None)
        assert any("a video is watched, and not recorded" in told for told in feed.told)


async def test_what_nobody_has_taken_is_skipped_and_not_queued(tmp_path: Path) -> None:
    async with fed(f"video:{video(tmp_path, 12)}") as feed:
        assert await feed.ended() is FeedState.CLOSED
        frame = newest(feed)
        assert frame is not None
        assert feed.status.items == 1
        assert (frame.video.decoded, frame.video.shown, frame.video.skipped) == (12, 0, 11)


async def test_frames_have_the_size_that_is_seen(tmp_path: Path) -> None:
    async with fed(f"video:{video(tmp_path, 100)}") as feed:
        sizes: set[tuple[int, ...]] = set()

        def seen() -> set[tuple[int, ...]]:
            frame = look(feed, 20, 100)
            if frame is not None:
                sizes.add(frame.pixels.shape)
            return sizes

        await feed.until(lambda: (15, 20, 3) in seen())
        assert sizes <= {(15, 20, 3), (48, 64, 3)}


async def test_it_is_not_recorded_even_with_pictures(tmp_path: Path) -> None:
    async with fed(f"video:{video(tmp_path, 5)}") as feed:
        outbox = Outbox("x.db", media=True)
        feed.session.outboxes.append(outbox)
        await feed.ended()
        assert feed.status.items
        assert outbox.items == 0


async def test_a_file_that_is_none_fails_once(tmp_path: Path) -> None:
    for name, words in (("missing.mp4", "No such file or directory"), (".", "it is no regular file")):
        async with fed(f"video:{tmp_path / name}") as feed:
            assert await feed.ended() is FeedState.FAILED
            assert feed.status.reason == words


def test_targets() -> None:
    target = sources.parse("video:/srv/a b.mp4")
    assert (target.name, target.url) == ("a b.mp4", "video:/srv/a b.mp4")
    target = sources.parse("RTSP://me:geheim@cam.example:8554/live/")
    assert (target.name, target.url) == ("cam.example:8554/live", "rtsp://me:geheim@cam.example:8554/live/")
    assert target.secrets == ("geheim",)
    assert sources.parse("video+https://x.example/a.webm").url == "video+https://x.example/a.webm"
    for wrong in ("video:", "rtsp://", "video+http://", "rtsp://x/#a"):
        with pytest.raises(SettingsError):
            sources.parse(wrong)


async def test_a_camera_is_watched_over_rtsp() -> None:
    async with camera() as (served, url), fed(url) as feed:
        seen: list[int] = []

        def looked() -> int:
            frame = look(feed)
            if frame is not None:
                seen.append(int(frame.pixels[0, 0, 0]))
            return len(set(seen))

        await feed.until(lambda: looked() >= 5)
        assert seen == sorted(seen)
        assert feed.status.state is FeedState.LIVE
        assert [method for method, _url in served.asked][:4] == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]


async def test_a_camera_that_hangs_up_is_connected_to_again() -> None:
    async with camera() as (served, url), fed(url) as feed:
        served.frames = 30
        await feed.until(lambda: look(feed) is not None and feed.status.connections == 2)
        served.frames = None
        await feed.until(lambda: served.connections >= 2 and look(feed) and feed.status.state is FeedState.LIVE)
        assert any(told.startswith("close: the video has ended after ") for told in feed.told)


async def test_a_camera_that_is_not_there_is_tried_again_until_told_otherwise() -> None:
    async with camera() as (_served, url):
        pass
    async with fed(url, retries=1) as feed:
        assert await feed.ended() is FeedState.FAILED
        assert feed.status.reason == "Connection refused"


async def test_a_camera_that_refuses_is_not_tried_again() -> None:
    async with camera() as (served, url), fed(url.replace("://", "://me:geheim@")) as feed:
        served.status = "404 Not Found"
        assert await feed.ended() is FeedState.FAILED
        assert "not found" in feed.status.reason.lower()
        assert "geheim" not in feed.status.reason + "".join(feed.told)


async def test_a_camera_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "QUIET_SECONDS", 0.2)
    async with camera() as (served, url), fed(url, retries=0) as feed:
        served.mute = True
        assert await feed.ended() is FeedState.FAILED
        assert feed.status.reason == "nothing came for 0.2 s"


async def test_a_camera_that_refers_to_another_is_not_followed() -> None:
    async with camera() as (served, url), camera() as (other, there), fed(url) as feed:
        served.status, served.location = "302 Found", there
        assert await feed.ended() is FeedState.FAILED
        assert feed.status.reason == "no RTSP as it is known here, or a server that refers to another"
        assert other.connections == 0


@pytest.mark.parametrize("sdp", ["", "v=0\r\n", "\0" * 2_000, SDP.replace("video", "audio"), SDP.replace("96", "x")])
async def test_a_camera_that_says_what_it_should_not_ends_in_words(sdp: str) -> None:
    async with camera() as (served, url), fed(url, retries=0) as feed:
        served.sdp = sdp
        served.frames = 5
        assert await feed.ended() is FeedState.FAILED
        assert feed.status.reason
        assert feed.status.items == 0


@pytest.mark.parametrize("where", ["camera", "file"])
async def test_a_video_that_nobody_looks_at_rests_and_goes_on(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(player, "REST_SECONDS", 0.2)
    path = video(tmp_path, 2_000 if where == "file" else 1)
    async with camera() as (served, url), fed(url if where == "camera" else f"video:{path}") as feed:
        await feed.until(lambda: (frame := newest(feed)) and frame.video.rests)
        frame = newest(feed)
        assert frame is not None
        decoded = frame.video.decoded
        served.pause = 0.001
        sent = served.sent + (100 if where == "camera" else 0)
        await feed.until(lambda: served.sent >= sent)
        assert frame.video.decoded == decoded
        frame.take(40, 30)
        await feed.until(lambda: newest(feed) is not frame)
        assert feed.status.state is FeedState.LIVE
        assert (feed.status.connections, feed.status.items) == (1, 2)


async def test_a_video_that_is_cleared_goes_on(tmp_path: Path) -> None:
    async with fed(f"video:{video(tmp_path, 2_000)}") as feed:
        await feed.until(lambda: newest(feed) is not None)
        (board,) = feed.session.boards.values()
        before = board.items[-1].value
        feed.session.clear(board)
        assert board.items[-1].kind == "text"
        await feed.until(lambda: isinstance(board.items[-1].value, VideoFrame))
        frame = board.items[-1].value
        assert frame is not before
        assert isinstance(frame, VideoFrame)
        assert frame.pixels.shape == (48, 64, 3)
        assert frame.video.shown == 0


@asynccontextmanager
async def web_server() -> AsyncIterator[tuple[str, list[str]]]:
    """A server of videos, and the logins that it was given."""
    logins: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        logins.append(request.headers.get("Authorization", ""))
        match request.path:
            case "/clip":
                return web.Response(body=encoded(10, "matroska", "mpeg4"), content_type="video/x-matroska")
            case "/late":
                whole = encoded(10)
                index = whole.index(b"moov") - 4  # which comes last, behind more than is kept
                filler = (1 << 20).to_bytes(4, "big") + b"free" + bytes((1 << 20) - 8)
                return web.Response(body=whole[:index] + filler + whole[index:], content_type="video/mp4")
            case "/away":
                raise web.HTTPFound("http://localhost:9/clip")
            case "/cut":
                response = web.StreamResponse(headers={"Content-Length": "1000000"})
                await response.prepare(request)
                await response.write(encoded(10, "mpegts"))
                assert request.transport is not None
                request.transport.close()
                return response
            case "/moving":
                response = web.StreamResponse(headers={"Content-Type": "multipart/x-mixed-replace; boundary=b"})
                await response.prepare(request)
                for part in encoded(10, "mjpeg", "mjpeg").split(b"\xff\xd8")[1:]:
                    length = f"--b\r\nContent-Type: image/jpeg\r\nContent-Length: {len(part) + 2}\r\n\r\n"
                    await response.write(length.encode() + b"\xff\xd8" + part + b"\r\n")
                return response
        raise web.HTTPNotFound

    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0.1)  # type: ignore[arg-type]
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        yield f"video+http://127.0.0.1:{port}", logins
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("path", ["/clip", "/moving"])
async def test_a_video_over_http_is_played_and_asked_for_again(path: str) -> None:
    async with web_server() as (base, logins), fed(base + path, headers=(("Authorization", "Bearer x"),)) as feed:
        await feed.until(lambda: look(feed) is not None and feed.status.connections >= 2)
        assert set(logins) == {"Bearer x"}
        assert any("the video has ended after 10 frames" in told for told in feed.told), feed.told


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/missing", "refused: HTTP 404 Not Found"),
        ("/away", "redirected to http://localhost:9/clip: if that is right, use it"),
        ("/late", "no video that can be shown, or a broken one"),
    ],
)
async def test_what_is_no_video_over_http_is_not_tried_again(path: str, words: str) -> None:
    async with web_server() as (base, _logins), fed(base + path, headers=(("Authorization", "Bearer x"),)) as feed:
        assert await feed.ended() is FeedState.FAILED
        assert feed.status.reason == words


async def test_a_video_over_http_that_breaks_off_says_so_and_is_asked_for_again() -> None:
    async with web_server() as (base, logins), fed(f"{base}/cut") as feed:
        await feed.until(lambda: look(feed) is not None and len(logins) >= 2)
        assert any("ClientPayloadError" in told for told in feed.told), feed.told


async def test_a_suspended_video_has_no_decoder_and_comes_back(tmp_path: Path) -> None:
    async with camera() as (served, url), fed(url) as feed:
        await feed.until(lambda: newest(feed) is not None)
        await feed.feed.suspend()
        assert feed.status.state is FeedState.SUSPENDED
        before = newest(feed)
        feed.feed.resume()
        await feed.until(lambda: newest(feed) is not before)
        assert served.connections == 2


def test_without_pyav_the_feed_is_refused_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuistream.sources.video.there_is_a_decoder", lambda: False)
    with pytest.raises(
        SettingsError, match=r"^rtsp://cam\.example/1: PyAV shows videos: pip install 'tuistream\[video\]'$"
    ):
        Fed("rtsp://cam.example/1", None, FeedOptions(), {})
    monkeypatch.undo()
    with pytest.raises(SettingsError, match="nothing is sent to a video"):
        Fed("rtsp://cam.example/1", None, FeedOptions(send=("x",)), {})


def test_a_recorder_says_that_a_video_is_not_recorded(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "tuistream",
        "record",
        f"video:{video(tmp_path, 3)}",
        "--db",
        str(tmp_path / "x.db"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "64 x 48  h264  25/s; a video is watched, and not recorded" in done.stderr
    assert "0 rows" in done.stderr
