"""What is opened of what a message names: real files, and a real server on this machine."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import aiohttp
import pytest

from tests.sources.media.serving import PNG, server
from tuistream.sources.media import opening
from tuistream.sources.media.names import NotOpened, named
from tuistream.sources.media.opening import MAX_MEDIA, Opener
from tuistream.sources.media.rules import Rules

HUGE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (1 << 20).to_bytes(4, "big") * 2 + bytes(40)


async def opened(address: str, *patterns: str, confirmed: str = "") -> bytes:
    return await Opener(Rules(patterns)).open(named(address), confirmed)


async def refused(address: str, *patterns: str, confirmed: str = "") -> str:
    with pytest.raises(NotOpened) as caught:
        await opened(address, *patterns, confirmed=confirmed)
    assert str(caught.value).isprintable()
    return str(caught.value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of pictures, and beside it what is nobody's business."""
    pictures = tmp_path.resolve() / "pictures"
    pictures.mkdir()
    (pictures / "a.png").write_bytes(PNG)
    (pictures.parent / "secret.png").write_bytes(PNG)
    return pictures


async def test_a_file_is_opened_by_leave_only(folder: Path) -> None:
    path = str(folder / "a.png")
    assert await opened(path, f"{folder}/*") == PNG
    assert await opened(path, confirmed=path) == PNG
    assert "no pattern of --allow-media" in await refused(path)
    assert "no pattern" in await refused(f"{folder}/../secret.png", f"{folder}/*")


@pytest.mark.parametrize("inner", [True, False])
async def test_links_do_not_lead_out(folder: Path, inner: bool) -> None:
    (folder / "link.png").symlink_to(folder / "a.png" if inner else "../secret.png")
    (folder / "up").symlink_to(folder if inner else "..")
    for name in ("link.png", "up/a.png" if inner else "up/secret.png"):
        if inner:
            assert await opened(f"{folder}/{name}", f"{folder}/*") == PNG
        else:
            assert "secret.png, which nobody has allowed" in await refused(f"{folder}/{name}", f"{folder}/*")
    path = str(folder / "link.png")
    real = await Opener(Rules()).real(named(path))
    assert await opened(path, confirmed=real) == PNG
    assert "nobody has allowed" in await refused(path, confirmed=path)


async def test_only_regular_files_within_the_bounds_that_are_pictures(folder: Path) -> None:
    os.mkfifo(folder / "pipe.png")
    (folder / "text.png").write_text("root:x:0:0")
    (folder / "empty.png").write_bytes(b"")
    (folder / "huge.png").write_bytes(HUGE)
    with (folder / "long.png").open("wb") as file:
        file.truncate(MAX_MEDIA + 1)
    told = {
        "pipe.png": "no regular file",
        "text.png": "it is no picture",
        "empty.png": "it is no picture",
        "long.png": "are over the limit",
        "huge.png": "1,048,576 x 1,048,576 pixels is over the limit of 100,000,000",
        "missing.png": "No such file or directory",
        "": "Is a directory",
        "a.png/x": "Not a directory",
    }
    for name, why in told.items():
        assert why in await refused(f"{folder}/{name}", f"{folder}*"), name
    assert "no regular file" in await refused("/dev/zero", "/dev/*")
    assert "it is no picture" in await refused("/proc/self/environ", "/proc/*")


async def test_a_url_is_opened_by_leave_only() -> None:
    async with server() as (base, asked):
        assert await opened(f"{base}/a.png?x=%7e", f"{base}/*") == PNG
        assert await opened(f"{base}/a.png", confirmed=f"{base}/a.png") == PNG
        assert asked == ["/a.png?x=~", "/a.png"]
        assert "no pattern" in await refused(f"{base}/a.png", "http://127.0.0.1/*")
        assert "no pattern" in await refused(f"{base}/pub/%2e%2e/a.png", f"{base}/pub/*")
        assert len(asked) == 2


async def test_a_redirect_must_be_allowed_again() -> None:
    async with server() as (inner, asked), server(redirect_to=f"{inner}/a.png") as (base, _):
        assert await opened(f"{base}/again", f"{base}/*") == PNG
        told = await refused(f"{base}/away", f"{base}/*")
        assert told == f"redirected to {inner}/a.png: no pattern of --allow-media allows that"
        assert "only the URL itself was confirmed" in await refused(f"{base}/again", confirmed=f"{base}/again")
        assert not asked
        assert await opened(f"{base}/away", f"{base}/*", f"{inner}/*") == PNG
        assert "more than 3 redirects" in await refused(f"{base}/round", f"{base}/*")


async def test_a_redirect_never_leads_to_a_file(folder: Path) -> None:
    async with server(redirect_to=f"file://{folder}/a.png") as (base, _):
        assert f"redirected to {folder}/a.png" in await refused(f"{base}/away", f"{base}/*", f"{folder}/*")
    async with server(redirect_to="rtsp://camera.example/") as (base, _):
        assert "redirected to rtsp://camera.example/" in await refused(f"{base}/away", f"{base}/*", "rtsp://*:*/*")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("missing", "HTTP 404 Not Found"),
        ("text", "it is no picture"),
        ("mjpeg", "multipart/x-mixed-replace: as a video it would be shown"),
        ("zipped", "compressed"),
        ("declared", "16.8 MB are over the limit of 16.8 MB"),
        ("endless", "over the limit of"),
    ],
)
async def test_what_is_no_picture_or_too_much_is_said(path: str, told: str) -> None:
    async with server() as (base, _):
        assert told in await refused(f"{base}/{path}", f"{base}/*")


async def test_a_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "OPEN_SECONDS", 0.2)
    async with server() as (base, _):
        assert "no whole answer within 0.2 s" in await refused(f"{base}/slow", f"{base}/*")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert "Connection refused" in await refused(f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{port}/")


async def test_without_the_library_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert aiohttp
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "pip install 'tuistream[http]'" in await refused("http://cam.example/", "http://cam.example/")
