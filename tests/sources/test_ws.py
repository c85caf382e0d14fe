"""The WebSocket source against real servers: messages whole and in order, ends with their reasons."""

from __future__ import annotations

import asyncio
import base64
import http
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response

from tuistream.core.errors import SourceDown
from tuistream.core.frames import Frames, Read
from tuistream.sources.ws import WebSocketSource

Handler = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def server(handler: Handler, **options: object) -> AsyncIterator[str]:
    async with serve(handler, "127.0.0.1", 0, **options) as running:  # type: ignore[arg-type]
        yield f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}/feed"


async def read_to_the_end(source: WebSocketSource) -> tuple[list[bytes], SourceDown]:
    messages: list[bytes] = []
    async with source.connect() as connection:
        try:
            while True:
                messages += await connection.read()
        except SourceDown as down:
            return messages, down


async def test_messages_come_whole_and_in_order() -> None:
    sent: list[bytes] = [b"%d" % i * (i % 50 + 1) for i in range(2_000)]

    async def handler(connection: ServerConnection) -> None:
        for i, message in enumerate(sent):
            if i % 100 == 7:
                await connection.send(part for part in (message[:1], b"", message[1:]))
            elif i % 100 == 8:
                await connection.ping()
                await connection.send(message.decode())
            else:
                await connection.send(message)

    async with server(handler) as url:
        messages, down = await asyncio.wait_for(read_to_the_end(WebSocketSource(url)), 20)
    assert messages == sent
    assert down.normal
    assert not down.final


async def test_compression_only_where_asked_for() -> None:
    offered: list[str | None] = []

    async def handler(connection: ServerConnection) -> None:
        assert connection.request is not None
        offered.append(connection.request.headers.get("Sec-WebSocket-Extensions"))
        await connection.send("x" * 1000)

    async with server(handler) as url:
        for compress in (False, True):
            messages, _ = await read_to_the_end(WebSocketSource(url, compress=compress))
            assert messages == [b"x" * 1000]
    assert offered[0] is None
    assert offered[1] is not None
    assert "permessage-deflate" in offered[1]


@pytest.mark.parametrize(
    ("code", "normal", "final"),
    [(1000, True, False), (1001, False, False), (1008, False, True), (1011, False, False)],
)
async def test_close_codes(code: int, normal: bool, final: bool) -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.close(code, "so be it")

    async with server(handler) as url:
        _, down = await read_to_the_end(WebSocketSource(url))
    assert (down.normal, down.final) == (normal, final)
    assert str(code) in str(down)
    assert "so be it" in str(down)


@pytest.mark.parametrize(("status", "final"), [(401, True), (403, True), (404, True), (500, False), (503, False)])
async def test_refusals(status: int, final: bool) -> None:
    async def refuse(connection: ServerConnection, request: Request) -> Response:
        response = connection.respond(http.HTTPStatus(status), "no\n")
        response.headers["Retry-After"] = "7"
        return response

    async def handler(connection: ServerConnection) -> None: ...

    async with server(handler, process_request=refuse) as url:
        with pytest.raises(SourceDown, match=str(status)) as caught:
            async with WebSocketSource(url).connect():
                pass
    assert caught.value.final == final
    assert caught.value.retry_after == 7.0


async def test_nobody_there() -> None:
    for host in ("127.0.0.1", "localhost"):
        with pytest.raises(SourceDown, match=r"^Connection refused$"):
            async with WebSocketSource(f"ws://{host}:9").connect():
                pass


async def test_what_is_no_websocket_server() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as running:
        port = running.sockets[0].getsockname()[1]
        with pytest.raises(SourceDown):
            async with WebSocketSource(f"ws://127.0.0.1:{port}").connect():
                pass


async def test_a_message_over_the_limit_says_how_much() -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.send(b"x" * 10)
        await connection.send(b"x" * 5_001)

    async with server(handler) as url:
        messages, down = await read_to_the_end(WebSocketSource(url, max_frame=5_000))
    assert messages == [b"x" * 10]
    assert "5,001" in str(down)
    assert "5,000" in str(down)
    assert down.too_big


async def test_a_connection_that_breaks_says_so() -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.send(b"1")
        connection.transport.abort()

    async with server(handler) as url:
        messages, down = await read_to_the_end(WebSocketSource(url))
    assert messages == [b"1"]
    assert "lost" in str(down)
    assert not down.normal


async def test_headers_subprotocol_and_login_arrive() -> None:
    seen: list[Request] = []

    async def handler(connection: ServerConnection) -> None:
        assert connection.request is not None
        seen.append(connection.request)

    async with server(handler, subprotocols=["ticks"]) as url:
        source = WebSocketSource(
            url.replace("127", "me:secret@127", 1), headers=(("X-Key", "k"),), subprotocols=("ticks",)
        )
        await read_to_the_end(source)
    headers = seen[0].headers
    assert headers["X-Key"] == "k"
    assert headers["Sec-WebSocket-Protocol"] == "ticks"
    assert headers["Authorization"] == "Basic " + base64.b64encode(b"me:secret").decode()


async def test_a_reader_that_rests_slows_the_sender_and_loses_nothing() -> None:
    count, size = 400, 50_000

    async def handler(connection: ServerConnection) -> None:
        for i in range(count):
            await connection.send(b"%08d" % i + b"x" * size)

    async with server(handler) as url, WebSocketSource(url).connect() as connection:
        received = 0
        largest = 0
        with pytest.raises(SourceDown):
            while True:
                await asyncio.sleep(0.005)
                messages = await connection.read()
                largest = max(largest, len(messages))
                for message in messages:
                    assert int(message[:8]) == received
                    received += 1
    assert received == count
    assert largest < count


async def test_a_server_that_says_goodbye_and_hangs_on_is_not_waited_for() -> None:
    """Only the close frame comes; the TCP connection stays open."""
    leave = asyncio.Event()

    async def handler(connection: ServerConnection) -> None:
        connection.transport.pause_reading()  # so that the answer to its close frame is never seen
        connection.transport.write(b"\x81\x011\x88\x02\x03\xe8")
        await leave.wait()
        connection.transport.abort()

    async with server(handler, close_timeout=60) as url:
        messages, down = await asyncio.wait_for(read_to_the_end(WebSocketSource(url)), 10)
        leave.set()
    assert messages == [b"1"]
    assert down.normal


@pytest.mark.parametrize("coalesce", [0.0, 0.1])
async def test_a_connection_that_is_reset_says_so_also_where_it_rests(coalesce: float) -> None:
    async def handler(connection: ServerConnection) -> None:
        for i in range(20):
            await connection.send(b"%d" % i)
            await asyncio.sleep(0.001)
        connection.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        connection.transport.abort()

    async with server(handler) as url:
        messages, down = await asyncio.wait_for(read_to_the_end(WebSocketSource(url, coalesce=coalesce)), 10)
    assert messages == [b"%d" % i for i in range(20)]
    assert "reset" in str(down)
    assert not down.normal


async def test_what_is_gathered_keeps_the_time_of_its_own_read() -> None:
    sent_at: list[int] = []

    async def handler(connection: ServerConnection) -> None:
        await connection.recv()
        for i in range(5):
            sent_at.append(time.time_ns())
            await connection.send(b"%d" % i)
            await asyncio.sleep(0.03)
        await connection.wait_closed()

    async with server(handler) as url, WebSocketSource(url, gather=1.0).connect() as connection:
        await connection.send("go")
        reads = await connection.reads()
    assert [bytes(frame) for read in reads for frame in read.frames] == [b"0", b"1", b"2", b"3", b"4"]
    assert len(reads) == 5
    until = [*sent_at[1:], time.time_ns()]
    assert all(since <= read.recv for since, read in zip(sent_at, reads, strict=True))
    assert sum(read.recv <= before for read, before in zip(reads, until, strict=True)) >= 4  # one may be held up


async def test_so_do_reads_that_are_sliced_in_one() -> None:
    sent_at: list[int] = []
    heard = asyncio.Event()

    async def handler(connection: ServerConnection) -> None:
        await connection.recv()
        heard.clear()  # of the handshake
        for burst in range(4):
            sent_at.append(time.time_ns())
            frames = [Frame(Opcode.TEXT, b"%06d" % i) for i in range(burst * 500, burst * 500 + 500)]
            connection.transport.write(b"".join(frame.serialize(mask=False) for frame in frames))
            await heard.wait()
            heard.clear()
        await connection.wait_closed()

    def clock() -> int:
        heard.set()
        return time.time_ns()

    reads: list[Read] = []
    async with server(handler) as url, WebSocketSource(url, gather=0.2, clock=clock).connect() as connection:
        await connection.send("go")
        while sum(len(read.frames) for read in reads) < 2_000:
            reads += await asyncio.wait_for(connection.reads(), 20)
    assert any(isinstance(read.frames, Frames) and read.recvs is not None for read in reads)
    apart = [part for read in reads for part in read.apart()]
    assert [int(frame) for read in apart for frame in read.frames] == list(range(2_000))
    until = [*sent_at[1:], time.time_ns()]
    for read in apart:
        for frame in read.frames:
            burst = int(frame) // 500
            assert sent_at[burst] <= read.recv <= until[burst]


async def test_much_is_not_gathered() -> None:
    async def handler(connection: ServerConnection) -> None:
        for i in range(100):
            await connection.send(b"%03d" % i + b"x" * 10_000)
        await connection.wait_closed()

    async with server(handler) as url, WebSocketSource(url, gather=60.0).connect() as connection:
        got: list[bytes] = []
        while len(got) < 90:  # the last 32 kB may wait
            got += await asyncio.wait_for(connection.read(), 20)
        got += connection.rest()
        while len(got) < 100:
            await asyncio.sleep(0.01)
            got += connection.rest()
    assert [int(message[:3]) for message in got] == list(range(100))


@pytest.mark.parametrize("end", ["close", "abort"])
async def test_what_is_gathered_at_the_end_is_not_lost(end: str) -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.send(b"1")
        await asyncio.sleep(0.05)
        await connection.send(b"2")
        if end == "abort":
            await asyncio.sleep(0.05)
            connection.transport.abort()

    async with server(handler) as url:
        messages, down = await asyncio.wait_for(read_to_the_end(WebSocketSource(url, gather=0.5)), 10)
    assert messages == [b"1", b"2"]
    assert down.normal == (end == "close")


async def test_messages_between_pings_are_read_together() -> None:
    async def handler(connection: ServerConnection) -> None:
        connection.transport.write(
            b"\x81\x01a\x89\x00\x81\x01b\x89\x00" + b"\x81\x01c" * 2_000 + b"\x89\x00\x81\x01d"
        )
        await connection.wait_closed()

    async with server(handler) as url, WebSocketSource(url).connect() as connection:
        reads = await connection.reads()
    assert [bytes(frame) for read in reads for frame in read.frames] == [b"a", b"b", *[b"c"] * 2_000, b"d"]
    assert len(reads) <= 3
