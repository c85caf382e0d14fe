"""tcp:// and unix:// against real servers: what is cut where, what an end means, what is sent."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.sources.feeding import fed
from tuistream import sources
from tuistream.config import FeedOptions
from tuistream.core.errors import SettingsError
from tuistream.core.status import FeedState

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def tcp_server(handler: Handler) -> AsyncIterator[str]:
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    async with server:
        yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def sending(*parts: bytes) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.01)
        writer.close()

    return handler


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ((b'{"a":1}{"a":', b'2}{"a":3}'), [1, 2, 3]),
        ((b'{"a":1}\n{"a":2}\n{"a"', b":3}\n"), [1, 2, 3]),
        ((b"x,y\n1,2\n3,", b"4\n5,6"), [1, 3, 5]),
        ((b"1\r\n2\r\n", b"3"), [1, 2, 3]),
    ],
)
async def test_objects_and_lines_arrive_wherever_reads_fall(parts: tuple[bytes, ...], found: list[float]) -> None:
    async with tcp_server(sending(*parts)) as url, fed(url, retries=0) as feed:
        assert await feed.ended() is FeedState.CLOSED
        assert feed.column == found
        assert feed.status.reason == "closed by the producer"


async def test_a_hundred_thousand_objects_arrive_whole_and_in_order() -> None:
    wire = b"".join(b'{"n":%d}' % n for n in range(100_000))
    parts = [wire[at : at + 65_537] for at in range(0, len(wire), 65_537)]
    async with tcp_server(sending(*parts)) as url, fed(url, retries=0) as feed:
        await feed.ended()
        assert feed.column == list(range(100_000))


async def test_what_is_refused_is_counted_with_its_reason() -> None:
    big = json.dumps({"a": "x" * 2_000}).encode()
    server = tcp_server(sending(b'{"a":1} rubbish {"a":2}' + big + b'{"a":3}'))
    async with server as url, fed(url, retries=0, max_frame=1_000) as feed:
        await feed.ended()
        assert feed.column == [1, 2, 3]
        assert (feed.status.frames, feed.status.malformed) == (5, 2)
        assert [why for _, why in feed.status.samples] == [
            "not a JSON object",
            "an object is over the limit of 1,000 bytes (--max-frame)",
        ]


async def test_after_an_end_it_connects_again_with_a_gap() -> None:
    connections = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.write(b'{"a":%d}' % connections)
        writer.close()

    async with tcp_server(handler) as url, fed(url) as feed:
        await feed.ticks(2)
        assert feed.column[:2] == [1, 2]
        assert feed.status.gaps >= 1


async def test_nobody_there_is_told_in_words() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with fed(f"tcp://127.0.0.1:{port}", retries=0) as feed:
        assert await feed.ended() is FeedState.FAILED
        assert feed.status.reason == "Connection refused"


async def test_what_is_to_be_sent_is_a_line() -> None:
    got: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await reader.readline())
        writer.write(b"1,2\n")
        writer.close()

    async with tcp_server(handler) as url, fed(url, retries=0, options=FeedOptions(send=("subscribe",))) as feed:
        await feed.ended()
        assert feed.status.ticks == 1
    assert got == [b"subscribe\n"]


async def test_a_sender_that_is_faster_than_we_decode_is_slowed_not_kept() -> None:
    sent = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        while sent < 64 << 20:
            writer.write(b"x" * (1 << 20))
            sent += 1 << 20
            await writer.drain()

    async with tcp_server(handler) as url:
        (settings,) = fed_settings(url)
        async with sources.module(url).source(settings).connect() as connection:
            await asyncio.sleep(0.3)
            assert sent < 40 << 20
            assert sum(len(chunk) for _, chunk in connection._chunks._waiting) < 6 << 20


def fed_settings(url: str) -> tuple[object, ...]:
    from tuistream.config import feed_settings

    return feed_settings([url], FeedOptions())


async def test_a_unix_socket_is_read_as_tcp_is(tmp_path: Path) -> None:
    path = tmp_path / "s"
    server = await asyncio.start_unix_server(sending(b'{"a":1}', b'{"a":2}'), path)
    async with server, fed(f"unix://{path}", retries=0) as feed:
        assert await feed.ended() is FeedState.CLOSED
        assert feed.column == [1, 2]
    async with fed(f"unix://{tmp_path}/none", retries=0) as feed:
        assert await feed.ended() is FeedState.FAILED
        assert feed.status.reason == "No such file or directory"


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("tcp://localhost", "a port is missing"),
        ("tcp://:9000", "a host is missing"),
        ("tcp://h:0", "port 0"),
        ("tcp://h:99999", "no such host"),
        ("tcp://h:9/path", "nothing behind it"),
        ("tcp://h:9?every=1s", "nothing behind it"),
        ("unix://", "a path is missing"),
        ("unix://" + "x" * 200, "at most 107 bytes"),
    ],
)
def test_targets_that_cannot_be_are_refused(target: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        sources.parse(target)


def test_an_address_of_ipv6_is_one() -> None:
    target = sources.parse("tcp://[::1]:9000")
    assert (target.name, target.decoder) == ("[::1]:9000", "lines")
