"""One feed from connect to end, against real servers: states, events, gaps, heartbeats."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve

from tuistream import decoders
from tuistream.core.batch import Batch
from tuistream.core.session import Session
from tuistream.core.status import FeedState, FeedStatus
from tuistream.decoders.contract import DecoderOptions
from tuistream.sources.feed import Feed
from tuistream.sources.retry import Retry
from tuistream.sources.ws import WebSocketSource

Handler = Callable[[ServerConnection], Awaitable[None]]


def feed_of(session: Session, url: str, *, decoder: str = "auto", retries: int | None = 0, **more: object) -> Feed:
    status = session.add_feed(FeedStatus("f"))
    source = WebSocketSource(url, max_frame=10_000)
    reader = decoders.create(decoder, "f", DecoderOptions())
    return Feed(session, status, source, reader, Retry(retries), **more)  # type: ignore[arg-type]


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[str]:
    async with serve(handler, "127.0.0.1", 0, close_timeout=0.1) as running:
        yield f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}"


def tick(i: int) -> str:
    return json.dumps({"time": 1_795_172_027 + i, "price": f"{i}.25"})


async def test_every_message_is_counted_once() -> None:
    async def handler(connection: ServerConnection) -> None:
        for message in (tick(1), "not json", tick(2), '{"depth": []}', "pong", b"\xff\xfe", tick(3)):
            await connection.send(message)

    session = Session()
    async with server(handler) as url:
        feed = feed_of(session, url)
        await asyncio.wait_for(feed.run(), 20)
    status = feed.status
    assert status.state is FeedState.CLOSED
    assert (status.frames, status.ticks, status.malformed) == (7, 3, 2)
    assert status.control + status.other == 2
    assert len(status.samples) == 2
    assert [event.kind for event in session.events] == ["open", "close", "ended"]


async def test_what_is_sent_on_connect_arrives_each_time() -> None:
    received: list[str] = []

    async def handler(connection: ServerConnection) -> None:
        received.append(str(await connection.recv()))
        received.append(str(await connection.recv()))
        await connection.send(tick(len(received)))
        await connection.close(1001)

    session = Session()
    async with server(handler) as url:
        running = asyncio.create_task(feed_of(session, url, retries=None, send=("subscribe", "more")).run())
        while len(received) < 4:
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert received[:4] == ["subscribe", "more"] * 2


async def test_an_outage_is_one_gap_and_one_close() -> None:
    connections = 0

    async def handler(connection: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        await connection.send(tick(connections * 10))
        await connection.close(1011)

    session = Session()
    async with server(handler) as url:
        running = asyncio.create_task(feed_of(session, url, retries=None).run())
        while session.ticks < 3:
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    kinds = [event.kind for event in session.events]
    assert kinds.count("gap") == 2
    assert kinds.count("close") >= 2
    assert session.feeds["f"].gaps == 2


async def test_a_producer_that_is_away_for_long_does_not_fill_the_log() -> None:
    session = Session()
    feed = feed_of(session, "ws://127.0.0.1:9", retries=6)
    await asyncio.wait_for(feed.run(), 20)
    assert feed.status.state is FeedState.FAILED
    assert [event.kind for event in session.events] == ["retry", "ended"]
    assert feed.status.connections == 0


async def test_a_message_that_is_too_long_is_counted() -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.send(tick(1))
        await connection.send("x" * 10_001)

    session = Session()
    async with server(handler) as url:
        feed = feed_of(session, url)
        await asyncio.wait_for(feed.run(), 20)
    assert feed.status.malformed == 1
    assert "--max-frame" in feed.status.reason
    assert feed.status.state is FeedState.FAILED


async def test_silence_is_noted_and_its_end_too(monkeypatch: pytest.MonkeyPatch) -> None:
    speak = asyncio.Event()

    async def handler(connection: ServerConnection) -> None:
        await connection.send(tick(1))
        await speak.wait()
        await connection.send(tick(2))

    session = Session()
    async with server(handler) as url:
        feed = feed_of(session, url)
        monkeypatch.setattr(type(feed._decoder), "stale_after", 0.2)
        running = asyncio.create_task(feed.run())
        while feed.status.state is not FeedState.STALE:
            await asyncio.sleep(0.01)
        speak.set()
        await asyncio.wait_for(running, 20)
    kinds = [event.kind for event in session.events]
    assert kinds[:3] == ["open", "stale", "live"]


async def test_a_full_outbox_stops_the_reading() -> None:
    from tuistream.core.outbox import Outbox

    async def handler(connection: ServerConnection) -> None:
        for i in range(2_000):
            await connection.send(tick(i))
            await asyncio.sleep(0)

    session = Session()
    outbox = Outbox("slow", limit=100)
    session.outboxes.append(outbox)
    taken = 0
    async with server(handler) as url:
        running = asyncio.create_task(feed_of(session, url).run())
        while not running.done() or outbox.rows:
            taken += sum(len(item) for item in outbox.take(50) if isinstance(item, Batch))
            await asyncio.sleep(0.001)
        await running
    assert taken == 2_000
    assert not outbox.lost_rows


async def test_a_bug_in_a_decoder_ends_the_feed_loudly() -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.send(tick(1))

    class Broken:
        name = chosen = "broken"
        stale_after = 10.0

        def opened(self) -> None: ...

        def decode(self, frames: object, recv: int) -> None:
            raise ZeroDivisionError("a bug")

        def heartbeat(self) -> None: ...

    session = Session()
    async with server(handler) as url:
        status = session.add_feed(FeedStatus("f"))
        feed = Feed(session, status, WebSocketSource(url), Broken(), Retry(0))  # type: ignore[arg-type]
        with pytest.raises(ExceptionGroup) as caught:
            await feed.run()
    assert caught.group_contains(ZeroDivisionError)


async def test_what_waits_to_be_looked_at_is_taken_before_the_end() -> None:
    sent = asyncio.Event()

    async def handler(connection: ServerConnection) -> None:
        await connection.recv()
        for i in range(3):
            await connection.send(tick(i))
        sent.set()
        await connection.wait_closed()

    session = Session()
    async with server(handler) as url:
        status = session.add_feed(FeedStatus("f"))
        source = WebSocketSource(url, gather=60.0)
        decoder = decoders.create("auto", "f", DecoderOptions())
        feed = Feed(session, status, source, decoder, Retry(0), send=("go",))
        running = asyncio.create_task(feed.run())
        await sent.wait()
        await asyncio.sleep(0.1)  # until it is there
        before = status.ticks
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert before == 0
    assert status.ticks == 3


async def test_a_feed_whose_reads_come_together_is_stale_no_later() -> None:
    """Its usual pause is that between reads, not that between the times at which they are looked at."""

    async def handler(connection: ServerConnection) -> None:
        for i in range(40):
            await connection.send(tick(i))
            await asyncio.sleep(0.01)
        await connection.wait_closed()

    session = Session()
    async with server(handler) as url:
        status = session.add_feed(FeedStatus("f"))
        source = WebSocketSource(url, gather=0.2)
        feed = Feed(session, status, source, decoders.create("auto", "f", DecoderOptions()), Retry(0))
        running = asyncio.create_task(feed.run())
        while status.ticks < 40:
            await asyncio.sleep(0.01)
        pause = feed._usual_pause
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert 0 < pause < 0.15
