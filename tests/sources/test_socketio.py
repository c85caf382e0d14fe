"""Socket.IO feeds from real servers of python-socketio (Engine.IO 4): transports, what is sent, what is refused."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import engineio
import pytest
import socketio
from aiohttp import web

from tuistream import decoders, sources
from tuistream.core.errors import SettingsError, SourceDown
from tuistream.core.session import Session
from tuistream.core.status import FeedState, FeedStatus
from tuistream.decoders.contract import DecoderOptions
from tuistream.sources.contract import FeedSettings
from tuistream.sources.feed import Feed
from tuistream.sources.retry import Retry
from tuistream.sources.socketio.options import Emit, Options


@asynccontextmanager
async def serving(app: web.Application, port: int = 0) -> AsyncIterator[str]:
    """host:port of a web server."""
    runner = web.AppRunner(app, shutdown_timeout=0.1, handle_signals=False)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True)
    await site.start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class Sine:
    """A server that emits `count` events to whoever joins, and keeps what it is told."""

    def __init__(self, count: int = 50, **options: Any) -> None:
        self.count = count
        self.told: list[tuple[Any, ...]] = []
        self.auths: list[Any] = []
        self.queries: list[str] = []
        self.acked: list[Any] = []
        self.server = socketio.AsyncServer(async_mode="aiohttp", **options)
        self.server.on("connect", self._joined)
        self.server.on("connect", self._joined_test, namespace="/test")
        self.server.on("*", self._told)
        self.server.on("*", self._told, namespace="/test")
        self.app = web.Application()
        self.server.attach(self.app)

    async def _joined(self, sid: str, environ: dict[str, str], auth: Any = None) -> None:
        self.auths.append(auth)
        self.queries.append(environ["QUERY_STRING"])
        if auth == {"token": "wrong-token"}:
            raise socketio.exceptions.ConnectionRefusedError("no such token as wrong-token")
        self.server.start_background_task(self._emit, sid)

    async def _joined_test(self, sid: str, environ: dict[str, str], auth: Any = None) -> None:
        self.auths.append(auth)

    async def _emit(self, sid: str) -> None:
        for i in range(self.count):
            await self.server.emit("sin_wave", {"x": i / 10, "y": i}, to=sid)

    async def _told(self, event: str, sid: str, *arguments: Any) -> None:
        self.told.append((event, *arguments))
        await self.server.emit("answer", {"price": len(self.told)}, to=sid, namespace="/test")
        if event == "ack":
            await self.server.emit("question", {"v": 1}, to=sid, callback=self._acked)

    def _acked(self, *arguments: Any) -> None:
        self.acked.append(arguments)


def settings_of(target: str, **more: Any) -> FeedSettings:
    found = sources.parse(target)
    return FeedSettings(found.name, found.url, found.decoder, secrets=found.secrets, **more)


def feed_of(session: Session, target: str, retries: int | None = 0, **more: Any) -> Feed:
    settings = settings_of(target, **more)
    source = sources.module(target).source(settings)
    decoder = decoders.create(settings.decoder, settings.name, DecoderOptions())
    status = session.add_feed(FeedStatus(settings.name))
    return Feed(session, status, source, decoder, Retry(retries), settings.send, settings.secrets)


@asynccontextmanager
async def running(feed: Feed) -> AsyncIterator[FeedStatus]:
    task = asyncio.create_task(feed.run())
    try:
        yield feed.status
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(what: Any, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not what():
            await asyncio.sleep(0.005)


async def refusal(target: str, **more: Any) -> SourceDown:
    source = sources.module(target).source(settings_of(target, **more))
    with pytest.raises(SourceDown) as caught:
        async with asyncio.timeout(20), source.connect() as connection:
            await connection.read()
    return caught.value


@pytest.mark.parametrize("transport", ["", "transport=polling", "transport=websocket", "eio=4"])
async def test_every_event_comes_in_order(transport: str) -> None:
    sine, session = Sine(300), Session()
    async with serving(sine.app) as host, running(feed_of(session, f"socketio+http://{host}/?{transport}")) as status:
        await until(lambda: session.ticks == 300 or status.ended)
        (state,) = session.streams.values()
    assert state.stream.kind == "sin_wave"
    assert state.stream.axis == "x"
    assert state.series.t.tolist() == [i * 10**8 for i in range(300)]
    assert status.malformed == status.gaps == 0
    assert not engineio.base_client.connected_clients


async def test_a_poll_may_hold_more_packets_than_the_library_takes_by_itself() -> None:
    sine, session = Sine(2_000), Session()
    target = "socketio+http://{}/?transport=polling"
    async with serving(sine.app) as host, running(feed_of(session, target.format(host))) as status:
        await until(lambda: session.ticks == 2_000 or status.ended)
    assert status.state is FeedState.LIVE


async def test_what_is_emitted_on_each_connect() -> None:
    sine, session = Sine(0), Session()
    query = 'namespace=/test&emit=ask&args={"symbol":"ril.ns"}&emit=more&emit=most&args=[1,"b"]&auth={"token":"t"}'
    async with serving(sine.app) as host:
        feed = feed_of(session, f"socketio+http://{host}/?{query}&lang=en", send=('["sent",7]', "plain"))
        for times in (1, 2):
            async with running(feed):
                await until(lambda times=times: len(sine.told) == 5 * times)
                await until(lambda times=times: session.ticks == 5 * times)
    sent = [("ask", {"symbol": "ril.ns"}), ("more",), ("most", 1, "b"), ("sent", 7), ("message", "plain")]
    assert sine.told == sent * 2
    assert sine.auths == [{"token": "t"}] * 2
    assert {(name, kind) for _, name, kind in session.streams} == {("", "answer")}


async def test_our_options_are_not_sent_on_and_others_are() -> None:
    sine, session = Sine(1), Session()
    target = "socketio+http://{}/?event=sin_wave&lang=en&lang=de&transport=polling&eio=4&auth=word"
    async with serving(sine.app) as host, running(feed_of(session, target.format(host))):
        await until(lambda: session.ticks)
    (query,) = sine.queries
    assert query.startswith("lang=en&lang=de&transport=polling&EIO=4")
    assert "event" not in query
    assert sine.auths == [{"token": "word"}]


async def test_of_other_events_only_the_name_is_seen() -> None:
    sine, session = Sine(10), Session()
    async with (
        serving(sine.app) as host,
        running(feed_of(session, f"socketio+http://{host}/?event=cosine")) as status,
    ):
        await until(lambda: status.other == 10)
    assert (status.ticks, status.unread) == (0, '["sin_wave"]')


async def test_a_question_is_acknowledged() -> None:
    sine, session = Sine(0), Session()
    async with serving(sine.app) as host, running(feed_of(session, f"socketio+http://{host}/?emit=ack")):
        await until(lambda: sine.acked)
        await until(lambda: session.ticks == 1)
    assert sine.acked == [()]


@pytest.mark.parametrize("transport", ["", "&transport=polling", "&transport=websocket"])
async def test_an_unknown_namespace_is_a_final_refusal(transport: str) -> None:
    async with serving(Sine().app) as host:
        down = await refusal(f"socketio+http://{host}/?namespace=nobody{transport}")
    assert str(down) == "refused: namespace /nobody: Unable to connect"
    assert down.final


async def test_a_refused_login_is_final_and_shows_no_secret() -> None:
    async with serving(Sine().app) as host:
        down = await refusal(f"socketio+http://{host}/?auth=wrong-token")
    assert str(down) == "refused: namespace /: no such token as …"
    assert down.final


@pytest.mark.parametrize("transport", ["", "transport=websocket"])
async def test_nobody_there(transport: str) -> None:
    down = await refusal(f"socketio+http://127.0.0.1:9/?{transport}")
    assert str(down) == "Connection refused"
    assert not down.final


@pytest.mark.parametrize(
    ("status", "body", "transport", "text", "final"),
    [
        (404, "", "", "refused: HTTP 404 Not Found: no Socket.IO at this path", True),
        (404, "<html>", "websocket", "refused: HTTP 404 Not Found: no Socket.IO at this path", True),
        (401, '{"message":"log in"}', "", "refused: HTTP 401 Unauthorized: log in", True),
        (401, "", "websocket", "refused: HTTP 401 Unauthorized", True),
        (503, "busy \x1b[31m", "", "refused: HTTP 503 Service Unavailable: busy ·[31m", False),
        (400, "what?", "", "refused: HTTP 400 Bad Request: what?", False),
        (200, "<html>", "", "no Socket.IO there: no packet at character 0 of 6", False),
        (200, "", "", "no Socket.IO there: the first packet opens no connection", False),
        (200, "0[]", "", "no Socket.IO there: no packet at character 0 of 3", False),
        (200, "4" * 9, "websocket", "refused: HTTP 200 OK", False),
    ],
)
async def test_what_is_no_socketio_server(status: int, body: str, transport: str, text: str, final: bool) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, text=body, headers={"Retry-After": "7"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with serving(app) as host:
        down = await refusal(f"socketio+http://{host}/?transport={transport}")
    assert str(down) == text
    assert down.final == final
    assert down.retry_after == (7 if status >= 400 or transport else None)


async def test_a_server_that_never_ends_its_answer_is_bounded() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"0" * 50_000)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", endless)
    async with serving(app) as host:
        down = await refusal(f"socketio+http://{host}/", max_frame=200_000)
    assert str(down) == "a message is over the limit of 200,000 bytes (--max-frame)"
    assert down.too_big


@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_an_event_over_the_limit_ends_the_connection_and_is_counted(transport: str) -> None:
    sine, session = Sine(3), Session()

    async def big(sid: str) -> None:
        await sine.server.emit("big", "x" * 50_000, to=sid)

    sine._emit = big  # type: ignore[method-assign]
    async with serving(sine.app) as host:
        feed = feed_of(session, f"socketio+http://{host}/?transport={transport}", max_frame=10_000)
        async with running(feed) as status:
            await until(lambda: status.ended)
    assert status.malformed == 1
    assert "limit of 10,000 bytes (--max-frame)" in status.reason


async def test_a_restart_of_the_server_is_an_outage_with_a_gap() -> None:
    session = Session()
    async with serving(Sine(5).app) as host:
        feed = feed_of(session, f"socketio+http://{host}/", retries=None)
        task = asyncio.create_task(feed.run())
        await until(lambda: session.ticks == 5)
    await until(lambda: feed.status.state is FeedState.RETRYING)
    async with serving(Sine(5).app, int(host.partition(":")[2])):
        await until(lambda: session.ticks == 10)
        assert feed.status.connections == 2
        reasons = [event.details["reason"] for event in session.events if event.kind == "gap"]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert reasons == ["outage", "x stepped back"]


async def test_a_server_that_sends_us_away() -> None:
    sine = Sine(2)

    async def kick(sid: str) -> None:
        await sine.server.emit("bye", 1, to=sid)
        await sine.server.disconnect(sid)

    sine._emit = kick  # type: ignore[method-assign]
    session = Session()
    async with serving(sine.app) as host, running(feed_of(session, f"socketio+http://{host}/")) as status:
        await until(lambda: status.ended)
    assert (status.state, status.ticks) == (FeedState.CLOSED, 1)
    assert status.reason == "the server has sent us away"


async def test_the_server_is_not_read_while_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuistream.sources.socketio.inbox.READ_BUFFER", 20_000)
    sine = Sine(3_000)
    async with serving(sine.app) as host:
        source = sources.module("socketio+http://").source(settings_of(f"socketio+http://{host}/"))
        async with source.connect() as connection:
            inbox = connection._engine.inbox
            await until(lambda: inbox._size > 20_000)
            waiting = len(inbox._events)
            await asyncio.sleep(0.05)
            assert len(inbox._events) == waiting
            events: list[bytes] = []
            while len(events) < 3_000:
                events += await connection.read()
    assert [json.loads(event)[1]["y"] for event in events] == list(range(3_000))


async def test_what_the_library_is_asked_for_by_private_names_is_there() -> None:
    assert hasattr(socketio.AsyncClient, "_engineio_client_class")
    assert hasattr(engineio.AsyncClient, "_receive_packet")
    assert engineio.payload.Payload.max_decode_packets


def test_options() -> None:
    options = Options.of(
        "SocketIO+HTTP://user:pw@host:5000/my/io/?event=a&event=b&namespace=x&emit=e&args=7&emit=f"
        "&auth=%7B%22key%22:%22s3cret%22%7D&transport=polling&eio=3&token=abc"
    )
    assert options.url == "http://user:pw@host:5000?token=abc"
    assert options.path == "my/io"
    assert options.name == "host:5000/x"
    assert (options.namespace, options.events, options.version) == ("/x", ("a", "b"), 3)
    assert options.emits == (Emit("e", (7,)), Emit("f"))
    assert options.transports == ("polling",)
    assert {"pw", "abc", "s3cret"} <= set(options.secrets)
    plain = Options.of("socketio+https://host")
    assert (plain.url, plain.path, plain.name, plain.namespace) == ("https://host", "socket.io", "host", "/")
    assert (plain.events, plain.emits, plain.auth, plain.version) == ((), (), {}, 0)


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("socketio+http://", "a host is missing"),
        ("socketio+http://h/#x", "no #fragment"),
        ("socketio+http://h/?eio=5", "eio=5: 3 or 4 is wanted"),
        ("socketio+http://h/?transport=smoke", "polling or websocket"),
        ("socketio+http://h/?args=1", "behind an emit="),
        ("socketio+http://h/?emit=a&args=1&args=2", "behind an emit="),
        ("socketio+http://h/?emit=", "lacks the event's name"),
        ("socketio+http://h/?emit=a&args={s3cret", "args= is no JSON at character 2"),
        ("socketio+http://h/?auth={s3cret", "auth= is no JSON at character 2"),
        ("socketio+http://h/?namespace=a,b", "no comma"),
        ("socketio+http://h/?eio=3&eio=4", "eio= is there twice"),
    ],
)
def test_what_no_url_may_say(target: str, text: str) -> None:
    with pytest.raises(SettingsError, match=text) as caught:
        sources.parse(target)
    if "auth" in target:
        assert "s3cret" not in str(caught.value)


def test_without_the_library_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "socketio", None)
    with pytest.raises(SettingsError, match=r"pip install 'tuistream\[socketio\]'"):
        sources.parse("socketio+http://host/")
