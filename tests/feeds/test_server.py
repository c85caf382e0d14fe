"""The server of feeds, over real connections: who gets what, how it ends, and what a client cannot do."""

from __future__ import annotations

import asyncio
import json
import re
import socket

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.feeds.serving import PATIENCE, everything, running, some, until, until_closed, walk
from tuistream.core.errors import SettingsError, TuistreamError
from tuistream.feeds import broadcast, client, server
from tuistream.feeds.client import Client


def prices(frames: list[str | bytes]) -> list[str]:
    return [json.loads(frame)["price"] for frame in frames]


async def test_two_clients_see_the_same_walk_and_the_second_joins_where_it_is() -> None:
    async with running(walk(limit=1_500)) as up, connect(up.url) as first:
        head = await some(first, 400)
        second = asyncio.create_task(everything(up.url))
        rest, code = await until_closed(first)
        joined, joined_code = await second
        one = head + rest
        assert (len(one), code, len(joined), joined_code) == (1_500, 1000, 1_500, 1000)
        at = one.index(joined[0])
        assert at >= 400
        assert joined[: 1_500 - at] == one[at:]


async def test_the_same_seed_gives_the_same_prices_at_any_pace() -> None:
    got = []
    for rate in (0.0, 5_000.0):
        async with running(walk(rate=rate, limit=700)) as up:
            frames, _ = await everything(up.url)
            got.append(prices(frames))
    assert got[0] == got[1]
    assert got[0][0] == "145.00"


@pytest.mark.parametrize("rate", [0.0, 5_000.0])
async def test_the_limit_is_exact_with_several_symbols(rate: float) -> None:
    async with running(walk(rate=rate, limit=1_001, symbols=3, correlation=0.5)) as up:
        frames, code = await everything(up.url)
        assert code == 1000
        assert [json.loads(frame)["symbol"] for frame in frames] == (["GBM1", "GBM2", "GBM3"] * 334)[:1_001]
        times = [json.loads(frame)["time"] for frame in frames]
        assert times == sorted(times)
        assert len(set(times)) == 334
        await asyncio.wait_for(up.finished, PATIENCE)


async def test_a_walk_goes_on_while_nobody_listens() -> None:
    async with running(walk(rate=200.0, limit=5)) as up:
        first, _ = await everything(up.url)
        await until(up.finished.done)
        async with asyncio.timeout(PATIENCE):
            later = first
            while json.loads(later[0])["time"] < json.loads(first[-1])["time"] + 0.3:
                later, _ = await everything(up.url)
        passed = json.loads(later[0])["time"] - json.loads(first[0])["time"]
        expected = walk(rate=0, limit=None)._walk.values(int(passed * 200) + 50)[:, 0]
        assert prices(later)[0] in {f"{price:.2f}" for price in expected[int(passed * 200) - 2 :]}


async def test_compression_where_the_client_offers_it() -> None:
    async with running(walk(rate=0, limit=3_000)) as up:
        async with connect(up.url + "/any/path?x=1") as compressed:
            assert "permessage-deflate" in str(compressed.response and compressed.response.headers)
            small, code = await until_closed(compressed)
        assert (len(small), code) == (3_000, 1000)
        assert all(json.loads(frame) for frame in small)


async def test_what_clients_say_is_ignored() -> None:
    async with running(walk(limit=400)) as up, connect(up.url) as talker:
        for _ in range(200):
            await talker.send('{"method": "SUBSCRIBE"}')
            await talker.send(b"\x00" * 100)
        frames, code = await until_closed(talker)
        assert (len(frames), code) == (400, 1000)


class Told:
    """Sends one frame to a client, and the rest when the test says so."""

    def __init__(self) -> None:
        self.go: list[asyncio.Event] = []

    async def run(self) -> None:
        pass

    async def send_all(self, to: Client) -> None:
        go = asyncio.Event()
        self.go.append(go)
        await to.send_frames(["first"])
        while not go.is_set():
            await to.pause(0.005)
            await to.send_frames([])
        await to.send_frames(["last"])


async def test_it_ends_once_one_has_everything_and_none_is_there() -> None:
    told = Told()
    async with running(told) as up:
        async with connect(up.url) as leaving:
            await some(leaving, 1)
        await until(lambda: not up.server._clients)
        assert not up.finished.done()
        async with connect(up.url) as staying, connect(up.url) as late:
            await some(late, 1)
            told.go[1].set()
            assert await until_closed(staying) == (["first", "last"], 1000)
            await until(lambda: len(up.server._clients) == 1)
            assert up.server.served == 1
            assert not up.finished.done()
        await asyncio.wait_for(up.finished, PATIENCE)
        assert up.server.served == 1


async def test_one_that_was_killed_before_it_had_read_everything_does_not_count() -> None:
    async with running(walk(rate=0, limit=100_000)) as up:
        victim = await connect(up.url, compression=None, max_queue=1)
        await some(victim, 10)
        victim.transport.abort()
        await until(lambda: not up.server._clients)
        assert up.server.served == 0
        assert not up.finished.done()
        frames, _ = await everything(up.url)
        assert len(frames) == 100_000
        await asyncio.wait_for(up.finished, PATIENCE)


def deaf_socket(port: int) -> socket.socket:
    """A connection with a small receive buffer."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 17)
    sock.connect(("127.0.0.1", port))
    sock.setblocking(False)
    return sock


async def test_who_falls_too_far_behind_a_live_walk_is_let_go_without_a_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast, "BACKLOG_TICKS", 3_000)
    async with running(walk(rate=100_000)) as up:
        slow = await connect(up.url, sock=deaf_socket(up.server.port), compression=None, max_queue=1)
        await until(lambda: up.notes)
        frames, code = await until_closed(slow)
        assert code == 1013
        assert re.fullmatch(r"client 127\.0\.0\.1, port \d+, is [\d,]+ ticks behind: closed \(1013\)", up.notes[0])
        expected = walk(rate=100_000)._walk.values(len(frames))[:, 0]
        assert prices(frames) == [f"{price:.2f}" for price in expected]
        assert not up.finished.done()


async def test_flat_out_the_fastest_waits_for_the_slow_but_not_for_the_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast, "BACKLOG_TICKS", 6_000)
    monkeypatch.setattr(broadcast, "STALL_SECONDS", 0.3)
    monkeypatch.setattr(client, "CLOSE_SECONDS", 0.1)
    async with running(walk(rate=0, limit=250_000)) as up:
        stuck = await connect(up.url, sock=deaf_socket(up.server.port), compression=None, max_queue=1)
        fast, slow = await asyncio.gather(everything(up.url), everything(up.url, sock=deaf_socket(up.server.port)))
        assert (len(fast[0]), fast[1]) == (250_000, 1000)
        assert (len(slow[0]), slow[1]) == (250_000, 1000)
        assert len(up.notes) == 1
        await asyncio.wait_for(up.finished, PATIENCE)
        stuck.transport.abort()


async def test_the_end_of_the_server_closes_with_1001_even_those_that_do_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "SHUTDOWN_SECONDS", 0.2)
    async with running(walk(rate=0)) as up:
        listener = asyncio.create_task(everything(up.url))
        stuck = await connect(up.url, sock=deaf_socket(up.server.port), compression=None, max_queue=1)
        half_open = socket.create_connection(("127.0.0.1", up.server.port))
        await until(lambda: len(up.server._connections) == 3)
    _, code = await listener
    assert code == 1001
    half_open.close()
    stuck.transport.abort()


async def test_a_port_that_is_taken_is_one_clear_line() -> None:
    async with running(walk()) as up:
        with pytest.raises(
            TuistreamError, match=f"cannot listen on 127.0.0.1 port {up.server.port}: address"
        ) as taken:
            async with running(walk(), port=up.server.port):
                pass
        assert taken.value.exit_code == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "no such host", "", "a" * 64])
async def test_hosts_that_are_not_loopback_need_a_word_and_unknown_ones_are_refused(host: str) -> None:
    with pytest.raises(SettingsError, match="--host"):
        async with running(walk(), host):
            pass


async def test_hosts_and_their_urls() -> None:
    async with running(walk(), "localhost") as up:
        assert up.url == f"ws://127.0.0.1:{up.server.port}"
    async with running(walk(limit=3), "0.0.0.0", no_auth=True) as up:
        assert up.url == f"ws://0.0.0.0:{up.server.port}"
        frames, _ = await everything(f"ws://127.0.0.1:{up.server.port}", origin="http://example.com")
        assert len(frames) == 3


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6")
async def test_ipv6_is_in_brackets() -> None:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError:
        pytest.skip("no IPv6 loopback")
    async with running(walk(limit=3), "::1") as up:
        assert up.url == f"ws://[::1]:{up.server.port}"
        assert len((await everything(up.url))[0]) == 3


async def test_pages_from_elsewhere_are_refused() -> None:
    async with running(walk(limit=3)) as up:
        with pytest.raises(InvalidStatus, match="403"):
            await everything(up.url, origin="https://example.com")
        frames, _ = await everything(up.url, origin=f"http://127.0.0.1:{up.server.port}")
        assert len(frames) == 3


async def test_clients_beyond_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_CLIENTS", 1)
    async with running(walk()) as up, connect(up.url) as only:
        await some(only, 1)
        with pytest.raises(InvalidStatus, match="503"):
            await everything(up.url)


class Broken:
    def __init__(self, where: str) -> None:
        self.where = where

    async def run(self) -> None:
        if self.where == "run":
            raise RuntimeError("a bug")

    async def send_all(self, _client: Client) -> None:
        raise RuntimeError("a bug")


@pytest.mark.parametrize("where", ["run", "send_all"])
async def test_a_bug_ends_it_loudly(where: str) -> None:
    async with running(Broken(where)) as up:
        if where == "send_all":
            await everything(up.url)
        with pytest.raises(RuntimeError, match="a bug"):
            await asyncio.wait_for(up.finished, PATIENCE)
