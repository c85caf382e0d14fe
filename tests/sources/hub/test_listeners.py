"""The hub over TCP, frames and WebSocket, with what real senders send and with a great deal of it."""

from __future__ import annotations

import asyncio
import pickle
import shutil
import ssl
import struct
import subprocess
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.decoders import hub_captures
from tests.sources.hub.hubs import HOST, Hub, hub, until
from tuistream.core.errors import SettingsError, TuistreamError
from tuistream.core.outbox import Outbox
from tuistream.core.status import FeedState
from tuistream.decoders.hub import Cause
from tuistream.sources import parse
from tuistream.sources.hub.auth import Auth
from tuistream.sources.hub.byte_stream import SLICE
from tuistream.sources.hub.limits import HubLimits
from tuistream.sources.hub.listening import bind, tls_context
from tuistream.sources.hub.options import HubOptions

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\n\r\n"
)


def message(number: int, name: str = "n") -> bytes:
    return b'{"id":"%b","value":%d}' % (name.encode(), number)


def accepted(running: Hub, count: int) -> bool:
    return running.counters().accepted == count


async def test_real_senders_over_tcp_cut_anywhere() -> None:
    wire = b"".join(hub_captures.tcp())
    async with hub() as running:
        for size in (1, 100, len(wire)):
            before = running.counters().accepted
            reader, writer = await running.connect()
            for at in range(0, len(wire), size):
                writer.write(wire[at : at + size])
                if at % 500 == 0:
                    await writer.drain()
                    await asyncio.sleep(0)
            writer.write_eof()
            assert await reader.read() == b""  # no reply, as its senders expect
            writer.close()
            await until(partial(accepted, running, before + len(hub_captures.tcp())))
        assert running.counters().refused.total() == 0
        assert {("80085", "line"), ("80085", "heatmap"), ("1337", "line")} == {
            key[1:] for key in running.session.streams
        }
        assert [key[1:] for key in running.session.boards] == [("80085", "text")]
        assert running.session.looks["hub", "1337", "line"].title == "Stock Share Prices Example"


async def test_real_pictures_over_frames_and_every_way_to_write_one() -> None:
    async with hub("frames") as running:
        await running.send(b"".join(hub_captures.pictures()), "frames")
        parts = [pickle.dumps(message(1).decode(), 0), pickle.dumps(message(2), 4), message(3), pickle.dumps(print)]
        await running.send(b"".join(struct.pack(">I", len(part)) + part for part in parts), "frames")
        await running.send(message(4) + message(5), "frames")
        await until(lambda: running.ticks("n") == 5 and running.status("frames").items == 2)
        assert running.counters("frames").refused == {Cause.PICKLE: 1}
        assert "STACK_GLOBAL" in running.told()[0]


async def test_messages_over_websocket_text_and_binary_on_any_path() -> None:
    async with hub("ws") as running:
        async with connect(f"ws://{HOST}:{running.port('ws')}/any/path?x=1") as connection:
            for number, each in enumerate(hub_captures.tcp()):
                await connection.send(each if number % 2 else each.decode())
            await connection.send("nothing")
            await until(lambda: running.counters("ws").accepted == len(hub_captures.tcp()))
            await until(lambda: running.counters("ws").refused[Cause.MALFORMED] == 1)
        await until(lambda: running.listener("ws").senders == 0)


async def test_one_stream_whichever_way_it_comes() -> None:
    async with hub("tcp", "ws", "frames") as running:
        await running.send(message(1))
        await running.send(message(2), "frames")
        async with connect(f"ws://{HOST}:{running.port('ws')}") as connection:
            await connection.send(message(3))
            await until(lambda: running.ticks("n") == 3)
        assert len(running.session.streams) == 1


async def test_fifty_senders_and_a_fast_one_lose_nothing() -> None:
    async with hub() as running:

        async def one(number: int) -> None:
            _, writer = await running.connect()
            for value in range(100):
                writer.write(message(value, f"s{number}"))
                if value % 10 == 0:
                    await writer.drain()
                    await asyncio.sleep(0)
            writer.close()
            await writer.wait_closed()

        await asyncio.gather(*(one(number) for number in range(50)))
        await running.send(b"".join(message(value, "fast") for value in range(30_000)))
        await until(lambda: running.ticks("fast") == 30_000)
        assert [running.ticks(f"s{number}") for number in range(50)] == [100] * 50
        assert running.counters().refused.total() == 0
        assert running.counters().connected == 51


async def test_while_a_sink_has_no_room_nothing_is_read_and_later_all_of_it() -> None:
    async with hub("tcp", "ws") as running:
        outbox = Outbox("slow", limit=1_000)
        running.session.outboxes.append(outbox)
        sending = [asyncio.create_task(running.send(message(1) * 20_000)) for _ in range(3)]
        await until(lambda: outbox.rows >= 1_000)
        for _ in range(50):
            await asyncio.sleep(0)
        assert outbox.rows < 1_000 + SLICE
        async with connect(f"ws://{HOST}:{running.port('ws')}") as connection:
            await connection.send(message(2))
            taken = 0
            async with asyncio.timeout(20):
                while running.ticks("n") < 60_001 or len(outbox):
                    outbox.take(10_000)
                    taken += 1
                    await asyncio.sleep(0)
        assert taken > 10
        await asyncio.gather(*sending)


async def test_suspended_it_reads_nothing_and_loses_nothing() -> None:
    async with hub("tcp", "ws") as running:
        _, writer = await running.connect()
        async with connect(f"ws://{HOST}:{running.port('ws')}") as connection:
            writer.write(message(1))
            await connection.send(message(2))
            await until(lambda: running.ticks("n") == 2)
            async with running.run.suspended():
                assert running.status().state is FeedState.SUSPENDED
                writer.write(message(3))
                await connection.send(message(4))
                await asyncio.sleep(0.05)
                assert running.ticks("n") == 2
            await until(lambda: running.ticks("n") == 4)
        assert running.status().state is FeedState.LIVE
    assert running.session.gaps == 0


async def test_a_password_over_tcp_and_websocket() -> None:
    options = HubOptions(password="s3cret")
    async with hub("tcp", "ws", options=options) as running:
        url = f"ws://{HOST}:{running.port('ws')}"
        await running.send(message(1) + b'{"id":"n","value":2,"api_crypt":"wr0ng"}')
        await running.send(b'{"id":"n","value":3,"api_crypt":"s3cret"}' + message(4))
        await until(lambda: running.ticks("n") == 2)
        with pytest.raises(InvalidStatus) as refused:
            await connect(url, additional_headers={"Authorization": "Bearer wr0ng"})
        assert refused.value.response.status_code == 401
        async with connect(url, additional_headers={"Authorization": "Bearer s3cret"}) as connection:
            await connection.send(message(5))
            await until(lambda: running.ticks("n") == 3)
        assert running.counters().refused == {Cause.PASSWORD: 2}
        everything = "\n".join([*running.told(), *map(str, running.status().samples)])
        assert "s3cret" not in everything
        assert "wr0ng" not in everything


async def test_web_pages_from_elsewhere_are_kept_out() -> None:
    async with hub("tcp", "ws") as running:
        url = f"ws://{HOST}:{running.port('ws')}"
        with pytest.raises(InvalidStatus) as refused:
            await connect(url, additional_headers={"Origin": "https://example.com"})
        assert refused.value.response.status_code == 403
        async with connect(url, additional_headers={"Origin": "http://localhost:3000"}) as connection:
            await connection.send(message(1))
            await until(lambda: running.ticks("n") == 1)
        await running.send(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + message(1))
        await until(lambda: running.counters().refused[Cause.PROTOCOL] == 1)
        assert running.ticks("n") == 1


def test_who_may_send() -> None:
    def admission(address: str, **options: object) -> str:
        return Auth(HubOptions(**options)).admission(address).value  # type: ignore[arg-type]

    assert admission("127.0.0.1") == admission("::1") == admission("::ffff:127.0.0.1") == "trusted"
    assert admission("10.0.0.1") == "refused"
    assert admission("10.0.0.1", no_auth=True) == "trusted"
    assert admission("10.0.0.1", allow=("10.0.0.0/8",)) == "trusted"
    assert admission("::ffff:10.0.0.1", allow=("10.0.0.0/8",)) == "trusted"
    assert admission("11.0.0.1", allow=("10.0.0.0/8", "fe80::/10")) == "refused"
    assert admission("fe80::1%eth0", allow=("10.0.0.0/8", "fe80::/10")) == "trusted"
    assert admission("10.0.0.1", allow=("10.0.0.0/8",), password="x") == "trusted"
    assert admission("127.0.0.1", allow=("10.0.0.0/8",), password="x") == "password"
    assert admission("127.0.0.1", password="x") == "password"


def test_passwords() -> None:
    auth = Auth(HubOptions(password="pässword"))
    assert auth.matches("pässword")
    assert not any(auth.matches(wrong) for wrong in ("", "passwort", None, 5, ["pässword"], "\ud800"))
    assert auth.matches_header("Bearer pässword")
    assert auth.matches_header("basic dXNlcjpww6Rzc3dvcmQ=")
    assert not any(map(auth.matches_header, ("", "Bearer", "Basic !!!", "Basic dXNlcjp4", "Digest pässword")))
    assert not Auth(HubOptions()).matches("")


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
async def test_a_port_that_others_can_reach_needs_a_word(host: str) -> None:
    with pytest.raises(SettingsError, match="--no-auth"):
        await bind(host, 0, Auth(HubOptions()))
    words = HubOptions(password="x"), HubOptions(allow=("10.0.0.0/8",)), HubOptions(no_auth=True)
    for options in words:
        (await bind(host, 0, Auth(options))).close()
    with pytest.raises(SettingsError, match="--allow"):
        Auth(HubOptions(allow=("10.0.0.0/99",)))


async def test_a_port_that_is_taken_is_one_clear_line() -> None:
    async with hub() as running:
        with pytest.raises(TuistreamError, match=f"port {running.port()}: address already in use; port 0"):
            await bind(HOST, running.port(), Auth(HubOptions()))


@pytest.mark.parametrize(
    "target",
    ["listen+tcp://:0x", "listen+tcp://h:99999", "listen+tcp://h/path", "listen+tcp://h?a=b", "listen+ws://a b"],
)
def test_urls_that_cannot_be(target: str) -> None:
    with pytest.raises(SettingsError):
        parse(target)


def test_urls() -> None:
    assert parse("LISTEN+TCP://:0").url == "listen+tcp://:0"
    assert parse("listen+frames://s3cret@127.0.0.1").secrets == ("s3cret",)
    assert parse("listen+ws://").decoder == "hub"


async def test_limits_are_counted_and_named() -> None:
    limits = HubLimits(frame=100, connections=2, streams=3, pending=150, idle=3600.0)
    async with hub("tcp", "ws", options=HubOptions(limits=limits)) as running:
        counters = running.counters()
        await running.send(b'{"id":1,"value":"' + b"x" * 200 + b'"}' + message(1))
        await until(lambda: counters.refused[Cause.TOO_BIG] == 1 and running.ticks("n") == 1)
        assert "--max-frame" in running.told()[-1]
        await running.send(b"".join(message(1, f"s{number}") for number in range(5)))
        await until(lambda: counters.refused[Cause.STREAMS] == 3)
        with pytest.raises(ConnectionClosed):
            async with connect(f"ws://{HOST}:{running.port('ws')}") as connection:
                await connection.send("x" * 101)
                await connection.recv()
        await until(lambda: running.counters("ws").refused[Cause.TOO_BIG] == 1)
        await until(lambda: running.listener().senders == 0)
        (_, first), (_, second) = await running.connect(), await running.connect()
        await until(lambda: running.listener().senders == 2)
        await running.connect()
        await until(lambda: counters.refused[Cause.CONNECTIONS] == 1)
        first.write(b'{"id":' + b" " * 80)
        await until(lambda: counters.pending == 86)
        second.write(b'{"id":' + b" " * 80)
        await until(lambda: "--max-pending" in running.told()[-1])
        await until(lambda: running.listener().senders == 1 and counters.pending == 86)
        assert counters.refused[Cause.PENDING] == 1


async def test_half_sent_websocket_messages_are_bounded_and_bulk_keeps_its_order() -> None:
    async with hub("ws", options=HubOptions(limits=HubLimits(pending=1_000))) as running:
        counters = running.counters("ws")
        async with connect(f"ws://{HOST}:{running.port('ws')}", compression=None) as connection:
            for number in range(2_000):
                await connection.send(message(number))
                if number % 500 == 0:
                    await connection.ping()
                    half = message(number).decode()
                    await connection.send([half[:5], half[5:]])  # in fragments
            await until(lambda: running.ticks("n") == 2_004)
            assert np.all(np.diff(running.session.streams["hub", "n", "line"].series.column("data")) >= 0)
        _, writer = await running.connect("ws")
        writer.write(UPGRADE + b"\x82\xfe\x03\x00mask" + b"x" * 600)
        await until(lambda: counters.pending == 608)
        _, other = await running.connect("ws")
        other.write(UPGRADE + b"\x02\xfe\x03\x00mask" + b"x" * 600)
        await until(lambda: counters.refused[Cause.PENDING] == 1 and counters.pending == 608)
        writer.close()
        await until(lambda: counters.pending == 0)


async def test_silent_senders_give_way_where_all_places_are_taken() -> None:
    limits = HubLimits(connections=3, idle=0.0)
    async with hub(options=HubOptions(limits=limits)) as running:
        writers = [(await running.connect())[1] for _ in range(3)]
        for writer in writers:
            writer.write(b'{"id":')  # and no more
        await until(lambda: running.listener().senders == 3 and running.counters().pending == 18)
        await running.send(message(1) * 10)
        await until(lambda: running.ticks("n") == 10)
        assert running.counters().evicted == 1


async def test_a_sender_over_its_rate_is_read_more_slowly_and_loses_nothing() -> None:
    async with hub(options=HubOptions(limits=HubLimits(rate=1_000))) as running:
        await running.send(message(1) * 1_100)
        await until(lambda: running.ticks("n") == 1_100)
        await running.send(message(1) * 50)
        await until(lambda: running.ticks("n") == 1_150)
        assert running.counters().slowed >= 1


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes the certificate")
async def test_tls(tmp_path: Path) -> None:
    certificate = tmp_path / "both.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    )
    done = subprocess.run([*command.split(), "-keyout", "-", "-out", "-"], capture_output=True, check=True)
    certificate.write_bytes(done.stdout)
    trusting = ssl.create_default_context(cafile=str(certificate))
    async with hub("tcp", "ws", "frames", options=HubOptions(tls_cert=str(certificate))) as running:
        for way in ("tcp", "frames"):
            _, writer = await asyncio.open_connection(HOST, running.port(way), ssl=trusting)
            writer.write(message(1))
            await writer.drain()
            writer.close()
        async with connect(f"wss://{HOST}:{running.port('ws')}", ssl=trusting) as connection:
            await connection.send(message(1))
            await until(lambda: running.ticks("n") == 3)
    with pytest.raises(SettingsError, match="--tls-cert"):
        tls_context(HubOptions(tls_cert=str(tmp_path / "none.pem")))
    with pytest.raises(SettingsError, match="--tls-cert is missing"):
        tls_context(HubOptions(tls_key=str(certificate)))
