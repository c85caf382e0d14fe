"""--status-port: who may ask, what is answered, and that nobody who asks can do harm."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from contextlib import AsyncExitStack
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.cli.running import TickServer, finish, start
from tests.sources.hub.test_metrics import samples
from tests.test_architecture import modules_of
from tuistream.cli.status_port import ASKERS, HEAD_BYTES, Answer, serving
from tuistream.config import Place, parse_place
from tuistream.core.errors import SettingsError, TuistreamError

HERE = Place("127.0.0.1", 0)
LONG = 10_000_000


def answer(path: str) -> Answer | None:
    if path == "/boom":
        return Answer(HTTPStatus.OK, "text/plain", "x" * LONG)
    return Answer(HTTPStatus.OK, "text/plain", "well\n") if path == "/healthz" else None


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


async def ask(url: str, request: bytes) -> bytes:
    """What comes until the connection ends, one way or another."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(url))
    got = b""
    try:
        writer.write(request)
        while chunk := await reader.read(1 << 16):
            got += chunk
    except ConnectionError:
        pass
    await _gone(writer)
    return got


async def _gone(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


def get(path: str, method: str = "GET", host: str = "localhost") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("request_", "first", "last"),
    [
        (get("/healthz"), b"HTTP/1.1 200 OK", b"well\n"),
        (get("/healthz?x=1"), b"HTTP/1.1 200 OK", b"well\n"),
        (get("/healthz", "HEAD"), b"HTTP/1.1 200 OK", b""),
        (b"GET /healthz HTTP/1.0\r\n\r\n", b"HTTP/1.1 200 OK", b"well\n"),
        (get("/"), b"HTTP/1.1 404 Not Found", b"Not Found; there are /healthz and /metrics\n"),
        (get("/healthz", "POST"), b"HTTP/1.1 405", b"/metrics\n"),
        (get("/healthz", host="attacker.example:80"), b"HTTP/1.1 403", b"/metrics\n"),
        (get("/healthz", host="[::1"), b"HTTP/1.1 403", b"/metrics\n"),
        (b"\x16\x03\x01\x02\r\n\r\n", b"HTTP/1.1 400", b"/metrics\n"),
        (b"GET /" + b"x" * 2 * HEAD_BYTES + b" HTTP/1.1\r\n\r\n", b"", b""),
    ],
)
async def test_what_is_answered(request_: bytes, first: bytes, last: bytes) -> None:
    async with serving(HERE, False, answer) as url:
        head, _, body = (await ask(url, request_)).partition(b"\r\n\r\n")
    assert head.startswith(first)
    assert body.endswith(last)
    assert not last or f"Content-Length: {len(body)}".encode() in head


async def test_slow_askers_hold_up_nobody_for_long() -> None:
    async with serving(HERE, False, answer, patience=0.3) as url, AsyncExitStack() as stack:
        askers = [stack.enter_context(socket.create_connection(("127.0.0.1", port_of(url)))) for _ in range(ASKERS)]
        askers[0].sendall(b"GET /healthz HT")
        askers[1].sendall(get("/boom"))  # and reads nothing of it
        assert await ask(url, get("/healthz")) == b""  # one too many
        answered = b""

        async def answered_again() -> None:
            nonlocal answered
            while not answered:
                await asyncio.sleep(0.05)
                answered = await ask(url, get("/healthz"))

        await asyncio.wait_for(answered_again(), 20)
    assert answered.startswith(b"HTTP/1.1 200 OK")


async def test_an_asker_who_stays_does_not_hold_up_the_end() -> None:
    async with serving(HERE, False, answer) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(url))
        writer.write(b"GET")
        await asyncio.sleep(0.05)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(reader.readexactly(1), 10)
    await _gone(writer)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("9100", Place("127.0.0.1", 9100)),
        ("0.0.0.0:0", Place("0.0.0.0", 0)),
        ("[::1]:9100", Place("::1", 9100)),
        ("localhost:1", Place("localhost", 1)),
    ],
)
def test_places(text: str, place: Place) -> None:
    assert parse_place(text, "--status-port") == place


@pytest.mark.parametrize("text", ["", "x", ":9", "localhost:", "65536", "-1", "1:99999999999999", "٣"])
def test_places_that_are_none(text: str) -> None:
    with pytest.raises(SettingsError, match="--status-port"):
        parse_place(text, "--status-port")


async def test_beyond_this_machine_only_with_a_word() -> None:
    with pytest.raises(SettingsError, match="--no-auth"):
        async with serving(Place("0.0.0.0", 0), False, answer):
            pass
    async with serving(Place("0.0.0.0", 0), True, answer) as url:
        assert b"well" in await ask(url, get("/healthz", host="recorder.example"))
    with pytest.raises(SettingsError, match=r"nowhere\.invalid"):
        async with serving(Place("nowhere.invalid", 1), True, answer):
            pass


async def test_a_port_that_is_taken_is_said() -> None:
    async with serving(HERE, False, answer) as url:
        with pytest.raises(TuistreamError, match="address already in use"):
            async with serving(Place("127.0.0.1", port_of(url)), False, answer):
                pass


async def test_the_pages_of_a_recorder(tmp_path: Path) -> None:
    server = TickServer()
    async with server.running():
        arguments = (server.url, "--db", str(tmp_path / "x.db"), "--status-port", "0", "--down-after", "100ms")
        process = await start("record", *arguments, "--log-format", "json")
        assert process.stderr is not None
        while (told := json.loads(await process.stderr.readline()))["event"] != "status":
            pass
        url = told["url"]
        found: dict[str, float] = {}
        while found.get("tuistream_recording_rows_total", 0) < 20:
            await asyncio.sleep(0.05)
            found = samples((await ask(url, get("/metrics"))).partition(b"\r\n\r\n")[2].decode())
        head, _, body = (await ask(url, get("/healthz"))).partition(b"\r\n\r\n")
    assert (head[:15], json.loads(body)) == (b"HTTP/1.1 200 OK", {"status": "ok", "reasons": []})
    feed = server.url.removeprefix("ws://")
    assert found[f'tuistream_feed_state{{feed="{feed}",state="live"}}'] == 1
    assert found['tuistream_recording_state{state="recording"}'] == 1
    assert found["tuistream_recording_file_bytes"] > 4096
    assert 10e6 < found["process_resident_memory_bytes"] < 200e6
    assert 3 < found["process_open_fds"] < 100
    while not (answered := await ask(url, get("/healthz"))).startswith(b"HTTP/1.1 503 "):
        await asyncio.sleep(0.05)
    (reason,) = json.loads(answered.partition(b"\r\n\r\n")[2])["reasons"]
    assert reason.startswith(f"{feed}: down for ")
    process.terminate()
    assert (await asyncio.wait_for(process.wait(), 30)) == 0


def test_the_pages_need_no_web_framework(tmp_path: Path) -> None:
    arguments = ("record", "exec:true", "--retries", "0", "-q", "--db", str(tmp_path / "x.db"), "--status-port", "0")
    _, modules = modules_of(*arguments)
    assert "tuistream.cli.status_port" in modules
    assert not {"aiohttp", "rich", "textual"} & modules


async def test_a_port_that_cannot_be_ends_a_recorder(tmp_path: Path) -> None:
    for port, code, words in (("0.0.0.0:0", 2, "--no-auth"), ("x", 2, "PORT"), ("127.0.0.1:1", 1, "cannot listen")):
        if code == 1 and (await _may_bind(1)):
            continue
        process = await start("record", "ws://127.0.0.1:9", "--db", str(tmp_path / "x.db"), "--status-port", port)
        got, _, err = await finish(process)
        assert (got, words in err, "Traceback" in err) == (code, True, False)


async def _may_bind(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False
