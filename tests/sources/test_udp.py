"""udp:// with real datagrams: who is heard, what is in one, and a client that speaks first."""

from __future__ import annotations

import asyncio
import socket
from typing import cast

import pytest

from tests.sources.feeding import Fed, fed
from tuistream import sources
from tuistream.config import FeedOptions
from tuistream.core.errors import SettingsError
from tuistream.core.status import FeedState


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def send(feed: Fed, port: int, *datagrams: bytes) -> None:
    await feed.until(lambda: feed.status.state is not FeedState.CONNECTING)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for datagram in datagrams:
            sender.sendto(datagram, ("127.0.0.1", port))


async def test_each_datagram_holds_whole_messages() -> None:
    port = free_port()
    async with fed(f"udp://:{port}") as feed:
        await send(feed, port, b'{"a":1}', b'{"a":2}{"a":3}', b'{"a":4', b"", b'{"a":5}\n')
        await feed.ticks(4)
        assert feed.column == [1, 2, 3, 5]
        assert (feed.status.frames, feed.status.malformed) == (5, 1)


async def test_lines_and_statsd_metrics_are_read() -> None:
    port = free_port()
    async with fed(f"udp://127.0.0.1:{port}") as feed:
        await send(feed, port, b"load:1.5|g\nhits:1|c\n", b"load:2.5|g|#host:a")
        await feed.ticks(3)
        assert feed.values("load", "gauge") == [[1.5], [2.5]]
        assert feed.values("hits", "count") == [[1]]


async def test_a_client_speaks_first_and_hears_the_answer() -> None:
    class Server(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast(asyncio.DatagramTransport, transport)

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            self.transport.sendto(b"7" if data == b"subscribe" else b"0", addr)

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    async with fed(f"udp://127.0.0.1:{port}", options=FeedOptions(send=("subscribe",))) as feed:
        await feed.ticks(1)
        assert feed.column == [7]
    transport.close()
    async with fed(f"udp://127.0.0.1:{port}", retries=0, options=FeedOptions(send=("subscribe",))) as feed:
        assert await feed.ended() is FeedState.FAILED
        assert feed.status.reason == "Connection refused"


async def test_a_port_that_is_taken_and_an_address_that_is_not_ours_are_told() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        async with fed(f"udp://127.0.0.1:{taken.getsockname()[1]}", retries=0) as feed:
            await feed.ended()
            assert feed.status.reason == "Address already in use"
    async with fed("udp://192.0.2.1:8125?no-auth", retries=0) as feed:
        await feed.ended()
        assert "--send TEXT" in feed.status.reason


async def test_beyond_this_machine_only_those_are_heard_that_are_named() -> None:
    (settings,) = [Fed(f"udp://0.0.0.0:{free_port()}", 0, FeedOptions(), {}).settings]
    with pytest.raises(SettingsError, match="says who may"):
        async with sources.module(settings.url).source(settings).connect():
            pass
    settings = Fed("udp://0.0.0.0:1?allow=10.0.0.0/8&allow=192.168.1.7", 0, FeedOptions(), {}).settings
    rules = sources.module(settings.url).source(settings)
    heard = [address for address in ("10.9.8.7", "192.168.1.7", "192.168.1.8", "127.0.0.1") if rules.hears(address)]
    assert heard == ["10.9.8.7", "192.168.1.7", "127.0.0.1"]


@pytest.mark.parametrize(
    "target", ["udp://h", "udp://h:1/x", "udp://h:1?allow=x", "udp://h:1?what", "udp://h:1?no-auth=1", "udp://u@h:1"]
)
def test_targets_that_cannot_be_are_refused(target: str) -> None:
    with pytest.raises(SettingsError):
        sources.parse(target)
