"""Socket.IO 2 over Engine.IO 3: a server that answers as the captured one, and as servers in JavaScript do."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web

from tests.sources.test_socketio import feed_of, refusal, running, serving, until
from tuistream.core.session import Session
from tuistream.core.status import FeedState
from tuistream.framers.engineio3 import packets_of

SID = "000e7372ce5c48f48f8474f4f09ff03f"
# As captured from the chart hub: python-engineio 3 under Werkzeug, polling only.
HUB_EVENT = (
    b'\x00\x02\x08\x00\xff42/test,["server",{"id":80085,"time":"2026-11-20 10:31:04","value":[1.5],"type":"line",'
    b'"active_points":20,"label":["Random Number"],"legend":["random"],"name":"Random Number Example","width":100,'
    b'"height":200,"backgroundColor":["#3e95cd"],"borderColor":["#3e95cd"],"fill":"False"}]'
)
UNSUPPORTED = "The client is using an unsupported version of the Socket.IO or Engine.IO protocols"
CLOSE = object()
SENT = ('["sent"]',)


def binary(*packets: str) -> bytes:
    """A payload as python-engineio 3 writes it."""
    return b"".join(
        b"\x00" + bytes(map(int, str(len(packet.encode())))) + b"\xff" + packet.encode() for packet in packets
    )


def text(*packets: str) -> bytes:
    """A payload as engine.io 3 for JavaScript writes it."""
    return "".join(f"{len(packet)}:{packet}" for packet in packets).encode()


def sine(i: int) -> str:
    return f'42["sin_wave",{{"x":{i / 10},"y":{i}}}]'


class Old:
    """A server of Engine.IO 3. What is put into `out` goes to the client: packets, bytes as they are, or CLOSE.

    javascript: it writes payloads as text, and takes EIO=4 for its own version. pongs: it answers pings.
    """

    def __init__(
        self,
        *first: Any,
        javascript: bool = False,
        upgrades: bool = False,
        pongs: bool = True,
        ping: int = 25_000,
        joins: str = "40/test",
    ) -> None:
        self.first = first
        self.javascript, self.upgrades, self.pongs, self.ping, self.joins = javascript, upgrades, pongs, ping, joins
        self.out: asyncio.Queue[Any] = asyncio.Queue()
        self.posts: list[bytes] = []
        self.got: list[str | bytes] = []
        self.queries: list[dict[str, str]] = []
        self.app = web.Application()
        self.app.router.add_route("*", "/socket.io/", self.answer)

    def payload(self, *packets: str) -> bytes:
        return text(*packets) if self.javascript else binary(*packets)

    def opening(self) -> str:
        upgrades = ["websocket"] if self.upgrades else []
        said = {"sid": SID, "upgrades": upgrades, "pingTimeout": 200, "pingInterval": self.ping}
        return "0" + json.dumps(said, separators=(",", ":"))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        query = dict(request.query)
        self.queries.append(query)
        if "sid" not in query and query["EIO"] != "3" and not self.javascript:
            return web.Response(status=400, text=UNSUPPORTED)
        if query["transport"] == "websocket":
            return await self.websocket(request)
        if request.method == "POST":
            body = await request.read()
            self.posts.append(body)
            for packet in packets_of(body):
                await self.take(packet)
            return web.Response(body=b"OK")
        if "sid" not in query:
            self.start()
            return web.Response(body=self.payload(self.opening(), "40"))
        packet = await self.out.get()
        if packet is CLOSE:
            return web.Response(status=400, text='"Invalid session"')
        return web.Response(body=packet if isinstance(packet, bytes) else self.payload(packet))

    async def websocket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if "sid" in request.query:
            assert await socket.receive_str() == "2probe"
            await socket.send_str("3probe")
            assert await socket.receive_str() == "5"
        else:
            self.start()
            await socket.send_str(self.opening())
            await socket.send_str("40")
        sender = asyncio.create_task(self.send(socket))
        async for message in socket:
            await self.take(message.data)
        sender.cancel()
        return socket

    async def send(self, socket: web.WebSocketResponse) -> None:
        while (packet := await self.out.get()) is not CLOSE:
            await (socket.send_bytes(packet) if isinstance(packet, bytes) else socket.send_str(packet))
        await socket.close(code=1012, message=b"restart")

    def start(self) -> None:
        self.out = asyncio.Queue()
        if self.joins == "40":  # the whole namespace has been joined with the handshake
            for packet in self.first:
                self.out.put_nowait(packet)

    async def take(self, packet: str | bytes) -> None:
        self.got.append(packet)
        if packet == "2" and self.pongs:
            self.out.put_nowait("3")
        elif isinstance(packet, str) and packet.startswith("40/"):
            for each in (self.joins, *self.first):
                self.out.put_nowait(each)


async def test_the_captured_chart_hub() -> None:
    pytest.importorskip("tuistream.decoders.hub")
    old, session = (
        Old(HUB_EVENT, HUB_EVENT.replace(b"[1.5]", b"[2.5]"), HUB_EVENT.replace(b"[1.5]", b"[3.5]")),
        Session(),
    )
    async with serving(old.app) as host:
        async with running(feed_of(session, f"socketio+http://{host}/?namespace=/test&event=server")) as status:
            await until(lambda: session.ticks == 3 or status.ended)
            (state,) = session.streams.values()
        await until(lambda: len(old.posts) == 2)
    assert (state.stream.name, state.stream.kind) == ("80085", "line")
    assert state.last == 3.5
    assert old.posts == [b"8:40/test,", b"1:1"]
    assert [query["EIO"] for query in old.queries[:2]] == ["4", "3"]


@pytest.mark.parametrize("javascript", [False, True])
@pytest.mark.parametrize("transport", ["", "&transport=polling", "&transport=websocket", "&eio=3"])
@pytest.mark.parametrize("upgrades", [False, True])
async def test_the_version_is_found_by_itself(javascript: bool, transport: str, upgrades: bool) -> None:
    old = Old(*map(sine, range(50)), javascript=javascript, upgrades=upgrades, joins="40")
    session = Session()
    async with serving(old.app) as host:
        feed = feed_of(session, f"socketio+http://{host}/?event=sin_wave{transport}")
        for times in (1, 2):  # the second time it is known
            async with running(feed) as status:
                await until(lambda times=times: session.ticks == 50 * times or status.ended)
    (state,) = session.streams.values()
    assert state.ticks == 100
    assert state.series.t.tolist() == [i * 10**8 for i in range(50)]
    asked = [query for query in old.queries if "sid" not in query]
    assert [query["EIO"] for query in asked] == (["3", "3"] if "eio" in transport else ["4", "3", "3"])
    over_websocket = "polling" not in transport and (upgrades or "websocket" in transport)
    assert ("websocket" in {query["transport"] for query in old.queries}) == over_websocket


async def test_what_is_emitted_and_sent() -> None:
    old, session = Old("41"), Session()
    query = 'namespace=/test&emit=ask&args=["größe",1]&auth={"token":"t"}&lang=en'
    async with serving(old.app) as host, running(feed_of(session, f"socketio+http://{host}/?{query}", send=SENT)):
        await until(lambda: len(old.got) == 3)
    assert old.got[:3] == ["40/test,", '42/test,["ask","gr\\u00f6\\u00dfe",1]', '42/test,["sent"]']
    assert {"lang": "en", "token": "t"}.items() <= old.queries[-1].items()


@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_we_ping_and_the_server_answers(transport: str) -> None:
    old, session = Old(joins="40", ping=20), Session()
    async with serving(old.app) as host:
        async with running(feed_of(session, f"socketio+http://{host}/?transport={transport}")) as status:
            await until(lambda: old.got.count("2") >= 3)
            old.out.put_nowait(sine(1))
            await until(lambda: session.ticks)
        assert status.connections == 1
        old.pongs = False
        async with running(feed_of(session, f"socketio+http://{host}/?transport={transport}")) as status:
            await until(lambda: status.ended)
    assert status.reason == "no answer to a ping within 0.2 s"


async def test_binary_arguments_and_acknowledgements() -> None:
    picture = '451-["pic",{"v":7,"image":{"_placeholder":true,"num":0}}]'
    session = Session()
    for old, transport in (
        (Old(picture, b"\x04\x89PNG", '423["ask",{"v":8}]', joins="40"), "websocket"),
        (Old(binary(picture) + b"\x01\x05\xff\x04\x89PNG" + binary('423["ask",{"v":8}]'), joins="40"), "polling"),
    ):
        async with (
            serving(old.app) as host,
            running(feed_of(session, f"socketio+http://{host}/?transport={transport}")),
        ):
            await until(lambda old=old: "433[]" in old.got)
    assert [state.last for state in session.streams.values()] == [7, 8, 7, 8]


@pytest.mark.parametrize(
    ("old", "query", "text", "final"),
    [
        (Old(joins='44/test,"no such"'), "namespace=test", "refused: namespace /test: no such", True),
        (Old(CLOSE, joins="40"), "", "refused: HTTP 400 Bad Request: Invalid session", False),
        (Old(CLOSE, joins="40"), "transport=websocket", "closed by the server: 1012 restart", False),
        (Old("1", joins="40"), "", "closed by the server", False),
        (Old("41", joins="40"), "", "the server has sent us away", False),
        (Old(b"<html>", joins="40"), "", "no Engine.IO 3: no packet at character 0 of 6", False),
        (Old("9", joins="40"), "transport=websocket", "no Engine.IO 3: no packet begins with '9'", False),
        (Old(b"x" * 50_000, joins="40"), "", "a message is over the limit of 40,000 bytes (--max-frame)", False),
        (Old("4" * 50_000, joins="40"), "transport=websocket",
         "a message is over the limit of 40,000 bytes (--max-frame)", False),
        (Old(), "eio=4", f"refused: HTTP 400 Bad Request: {UNSUPPORTED}", False),
    ],
)  # fmt: skip
async def test_ends_and_their_reasons(old: Old, query: str, text: str, final: bool) -> None:
    async with serving(old.app) as host:
        down = await refusal(f"socketio+http://{host}/?{query}", max_frame=40_000)
    assert str(down) == text
    assert down.final == final


async def test_a_restart_is_an_outage_with_a_gap() -> None:
    session = Session()
    old = Old(sine(1), CLOSE, joins="40")
    async with serving(old.app) as host:
        feed = feed_of(session, f"socketio+http://{host}/", retries=None)
        async with running(feed) as status:
            await until(lambda: session.ticks == 2)
            assert status.state is not FeedState.FAILED
    gaps = [event.details["reason"] for event in session.events if event.kind == "gap"]
    assert gaps[0] == "outage"
