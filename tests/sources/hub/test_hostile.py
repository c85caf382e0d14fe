"""What a hostile sender can do: be counted. What was sent, what was counted, and that others go on."""

from __future__ import annotations

import asyncio
import os
import pickle
import resource
import struct
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from tests.sources.hub.hubs import HOST, Hub, hub, until
from tuistream.decoders.hub import Cause
from tuistream.sources.hub.intake import TOLD_BURST
from tuistream.sources.hub.limits import HubLimits
from tuistream.sources.hub.listening import more_files
from tuistream.sources.hub.options import HubOptions

GOOD = b'{"id":"good","value":1}'
TEXTS = {
    "escape sequences": "\x1b]0;owned\x07\x1b[2J\x1b[31mred",
    "markup": "[bold red]x[/] [link=http://example.com]y[/link] [@click=app.quit]z[/]",
    "bidi and zero width": "\u202eabc\u2066\u200b\ufeff\u2028",
    "SQL": "'; DROP TABLE ticks; --",
    "paths": "../../../../etc/passwd\0",
}


class Bomb:
    """A pickle of it would write a file if it were unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self._path),)


async def counted(running: Hub, way: str, wire: bytes, **causes: int) -> None:
    """Send; then these causes have been counted, and a good sender's message arrives as before."""
    counters, ticks = running.counters(way), running.ticks("good")
    before = counters.refused.copy()
    await running.send(wire, way)
    await running.send(GOOD if way == "tcp" else struct.pack(">I", len(GOOD)) + GOOD, way)
    await until(lambda: running.ticks("good") > ticks and running.listener(way).senders == 0)
    assert counters.refused - before == {Cause(cause): count for cause, count in causes.items()}


@pytest.mark.parametrize("protocol", range(6))
async def test_pickles_that_would_run_code(protocol: int, tmp_path: Path) -> None:
    bomb = pickle.dumps(Bomb(tmp_path / "made"), protocol)
    async with hub("frames") as running:
        await counted(running, "frames", struct.pack(">I", len(bomb)) + bomb, pickle=1)
        assert "GLOBAL" in running.told()[0]
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_texts_in_every_field(text: str) -> None:
    import json

    def wire(**fields: object) -> bytes:
        return json.dumps({"id": 1, "value": 1, **fields}).encode()

    async with hub() as running:
        messages = [
            wire(id=text), wire(name=text), wire(label=[text]), wire(legend=[text]), wire(type="text", value=text),
            wire(type=text), wire(borderColor=text), wire(fill=text), wire(value=text),
            json.dumps({text: 1}).encode(),
        ]  # fmt: skip
        await counted(running, "tcp", b"".join(messages), field=4)
        for state in running.session.streams.values():
            assert all(part.isprintable() for part in (*state.stream.key, *state.stream.fields))
        for look in running.session.looks.values():
            assert look.title.isprintable()
            assert look.unit.isprintable()
        for event in running.session.events:
            assert event.text.isprintable()
        for frame, why in running.status().samples:
            assert frame.isprintable()
            assert why.isprintable()
        (board,) = running.session.boards.values()
        assert board.items[0].value == text


async def test_halves_of_characters() -> None:
    async with hub() as running:
        await counted(running, "tcp", b'{"id":"\\udfff","value":1}{"id":"\xff\xfe","value":1}', malformed=2)


async def test_numbers_that_are_none() -> None:
    wire = b"".join(
        b'{"id":1,"value":[%b]}' % number for number in (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 5_000)
    )
    async with hub() as running:
        await counted(running, "tcp", wire + b'{"id":1,"value":[1e308]}', no_number=5)
        assert running.ticks("1") == 1
        assert running.session.streams["hub", "1", "line"].last == 1e308


async def test_huge_and_deep_json() -> None:
    async with hub() as running:
        await counted(running, "tcp", b'{"id":1,"value":"' + b"x" * (2 << 20) + b'"}', too_big=1)
        await counted(running, "tcp", b'{"id":1,"value":' + b'{"a":' * 300 + b"1" + b"}" * 301, malformed=1)
        await counted(running, "tcp", b'{"id":1,"value":' + b"[" * 9_000 + b"]" * 9_000 + b"}", malformed=1)
        await counted(
            running, "tcp", b'{"id":1,"value":{' + b",".join(b'"%d":1' % n for n in range(99)) + b"}}", field=1
        )
        await counted(running, "tcp", b'{"id":1,"value":1,"id":2,"value":2}')
        assert running.ticks("2") == 1


async def test_garbage_and_other_protocols() -> None:
    async with hub("tcp", "frames") as running:
        await counted(running, "tcp", bytes(range(256)) * 50, malformed=1)
        await counted(running, "tcp", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), malformed=1)
        await counted(running, "tcp", b"GET /" + b"a" * 3_000 + b" HTTP/1.1\r\n\r\n" + GOOD, protocol=1)
        await counted(running, "frames", b"\xff\xff\xff\xff" + b"x" * 100_000, too_big=1)
        await counted(running, "frames", b"\x00\x00\x00\x05abc", malformed=1)


async def test_a_flood_of_refusals_is_counted_and_hardly_told() -> None:
    async with hub() as running:
        await counted(running, "tcp", b'{"id":[],"value":1}' * 5_000, field=5_000)
        await counted(running, "tcp", b"{}" * 5_000, no_number=5_000)
        assert len(running.told()) <= 2 * TOLD_BURST
        assert running.status().malformed == 10_000


async def test_streams_and_names_without_end() -> None:
    options = HubOptions(limits=HubLimits(streams=10))
    async with hub(options=options) as running:
        many = b"".join(b'{"id":"s%d","value":1}{"id":"t%d","value":"x","type":"text"}' % (n, n) for n in range(500))
        await counted(running, "tcp", GOOD + many, streams=991)
        assert len(running.session.streams) + len(running.session.boards) == 10
        await counted(running, "tcp", b'{"id":"%b","value":1}' % (b"n" * 1_000), name=1)
        legends = b"".join(b'{"id":"good","value":[1],"legend":["l%d"]}' % n for n in range(100))
        await counted(running, "tcp", legends, field=37)
        assert len(running.session.streams["hub", "good", "line"].stream.fields) == 64


async def test_senders_that_stall_half_way_hold_up_nobody() -> None:
    async with hub("tcp", "ws", "frames") as running:
        for part in (b"", b'{"id":1,"val', b'{"id":"' + b"x" * 1_000):
            for _ in range(30):
                _, writer = await running.connect()
                writer.write(part)
        for _ in range(30):
            _, writer = await running.connect("frames")
            writer.write(struct.pack(">I", 64 << 20) + b"V")
            _, writer = await running.connect("ws")
            writer.write(b"GET / HTTP/1.1\r\n")
        await until(lambda: running.listener().senders == 90 and running.listener("frames").senders == 30)
        await running.send(GOOD * 100)
        async with connect(f"ws://{HOST}:{running.port('ws')}") as connection:
            await connection.send(GOOD)
            await until(lambda: running.ticks("good") == 101)
        assert running.counters("frames").pending <= 30 * 5


async def test_connections_that_come_and_go_leave_nothing() -> None:
    async with hub() as running:
        for _ in range(200):
            _, writer = await running.connect()
            writer.transport.abort()
        await running.send(GOOD)
        await until(lambda: running.ticks("good") == 1 and running.listener().senders == 0)
        assert running.counters().pending == 0


async def test_a_path_that_a_message_names_is_kept_as_text(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)  # whoever opened it would wait for ever
    asked = []

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(writer)
        writer.close()

    async with hub() as running, await asyncio.start_server(serve, HOST, 0) as server:
        url = f"http://{HOST}:{server.sockets[0].getsockname()[1]}/x.png"
        values = [str(pipe), f"file://{pipe}", url, url.replace("http", "rtsp")]
        wire = b"".join(
            b'{"id":%d,"type":"%b","value":"%b"}' % (number, kind, value.encode())
            for kind in (b"image", b"video_stream", b"text")
            for number, value in enumerate(values)
        )
        await counted(running, "tcp", wire)
        assert [board.items[0].value for board in running.session.boards.values()] == values * 3
        assert asked == []


async def test_a_sender_that_gave_way_does_no_harm_with_what_it_had_sent() -> None:
    options = HubOptions(limits=HubLimits(connections=1, idle=0.0))
    async with hub("ws", options=options) as running:
        url = f"ws://{HOST}:{running.port('ws')}"
        async with connect(url) as first:
            for _ in range(10):
                await first.send(GOOD)
            async with connect(url) as second:
                await second.send(b'{"id":"second","value":1}')
                await until(lambda: running.ticks("second") == 1)
        assert running.counters("ws").evicted == 1
        assert running.listener("ws").senders <= 1


async def test_as_many_senders_as_files_may_be_open() -> None:

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert more_files(0) == soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard))
        wanted = 350 if hard == resource.RLIM_INFINITY else min(350, hard)
        assert more_files(50) == wanted == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_thousand_senders_at_once() -> None:
    count = 1_000
    if more_files(2 * count) < 2 * count + 300:
        pytest.skip("the system lets no process open so many files")
    async with hub() as running:
        writers = [(await running.connect())[1] for _ in range(count)]
        await until(lambda: running.listener().senders == count)
        for number, writer in enumerate(writers):
            writer.write(b'{"id":"all","value":%d}' % number)
        await until(lambda: running.ticks("all") == count)
        assert running.counters().refused.total() == 0
