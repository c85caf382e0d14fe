"""A feed that is suspended and goes on, against real servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from tests.sources.test_feed import feed_of, server, tick
from tuistream.core.outbox import Outbox
from tuistream.core.session import Session
from tuistream.core.status import FeedState
from tuistream.sources.feed import Feed


@asynccontextmanager
async def running(feed: Feed) -> AsyncIterator[None]:
    task = asyncio.create_task(feed.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled() or task.exception() is None


async def state(feed: Feed, wanted: FeedState) -> None:
    async with asyncio.timeout(20):
        while feed.status.state is not wanted:
            await asyncio.sleep(0.005)


class Server:
    """One tick for each connection, told by its number; then nothing, until the client closes."""

    def __init__(self) -> None:
        self.connections = 0
        self.refusing = HTTPStatus.OK
        self.closed: list[int] = []

    async def handle(self, connection: ServerConnection) -> None:
        self.connections += 1
        await connection.send(tick(self.connections * 10))
        await connection.wait_closed()
        assert connection.close_code is not None
        self.closed.append(connection.close_code)

    def refuse(self, connection: ServerConnection, _request: Request) -> Response | None:
        if self.refusing is HTTPStatus.OK:
            return None
        response = connection.respond(self.refusing, "no\n")
        if self.refusing is HTTPStatus.TOO_MANY_REQUESTS:
            response.headers["Retry-After"] = "100"
        return response

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        from websockets.asyncio.server import serve

        async with serve(self.handle, "127.0.0.1", 0, process_request=self.refuse) as listening:
            yield f"ws://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


async def test_it_closes_and_comes_back_with_a_gap() -> None:
    session, producer = Session(), Server()
    async with producer.running() as url:
        feed = feed_of(session, url, retries=0)
        async with running(feed):
            await state(feed, FeedState.LIVE)
            await feed.suspend()
            assert feed.status.state is FeedState.SUSPENDED
            assert producer.closed == [1000]
            await asyncio.sleep(0.05)
            assert (producer.connections, session.ticks) == (1, 1)
            feed.resume()
            await state(feed, FeedState.LIVE)
    assert [event.kind for event in session.events] == ["open", "close", "open", "gap"]
    (stream,) = session.streams.values()
    (gap,) = stream.gaps
    assert (gap.reason, gap.to - gap.since) == ("suspended", 10_000_000_000)


async def test_what_has_come_is_handed_over() -> None:
    came = asyncio.Event()

    async def handler(connection: ServerConnection) -> None:
        for i in range(500):
            await connection.send(tick(i))
            await asyncio.sleep(0)
        await (await connection.ping())  # its answer comes after all that was sent has been received
        came.set()
        await connection.wait_closed()

    session = Session()
    outbox = Outbox("slow", limit=1)  # the feed takes one read and waits
    session.outboxes.append(outbox)
    async with server(handler) as url:
        feed = feed_of(session, url, retries=0)
        async with running(feed):
            await asyncio.wait_for(came.wait(), 20)
            assert session.ticks < 500
            await feed.suspend()
            assert session.ticks == outbox.rows == 500


async def test_one_that_waits_to_retry_connects_at_once() -> None:
    session, producer = Session(), Server()
    async with producer.running() as url:
        feed = feed_of(session, url, retries=None)
        async with running(feed):
            await state(feed, FeedState.LIVE)
            await feed.suspend()
            producer.refusing = HTTPStatus.UNAUTHORIZED  # tried again after 30 s
            feed.resume()
            await state(feed, FeedState.RETRYING)
            await feed.suspend()
            assert feed.status.state is FeedState.SUSPENDED
            assert "401" in feed.status.reason
            producer.refusing = HTTPStatus.OK
            feed.resume()
            await state(feed, FeedState.LIVE)
    assert [event.details["reason"] for event in session.events if event.kind == "gap"] == ["suspended"]


async def test_a_producer_that_wants_us_to_stay_away_is_obeyed() -> None:
    session, producer = Session(), Server()
    producer.refusing = HTTPStatus.TOO_MANY_REQUESTS
    async with producer.running() as url:
        feed = feed_of(session, url, retries=None)
        async with running(feed):
            await state(feed, FeedState.RETRYING)
            await feed.suspend()
            producer.refusing = HTTPStatus.OK
            feed.resume()
            await state(feed, FeedState.RETRYING)
            assert 90e9 < feed.status.retry_at - session.clock() <= 100e9
    assert producer.connections == 0


async def test_a_gap_that_began_as_an_outage_stays_one() -> None:
    connections = 0

    async def handler(connection: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        await connection.send(tick(connections))
        await connection.close(1011)

    session = Session()
    async with server(handler) as url:
        feed = feed_of(session, url, retries=None)
        async with running(feed):
            await state(feed, FeedState.RETRYING)
            await feed.suspend()
            before = session.ticks
            feed.resume()
            async with asyncio.timeout(20):
                while session.ticks == before:
                    await asyncio.sleep(0.005)
    assert {event.details["reason"] for event in session.events if event.kind == "gap"} == {"outage"}


@pytest.mark.parametrize("resumed", [True, False])
async def test_one_that_has_ended_stays_so(resumed: bool) -> None:
    session = Session()
    feed = feed_of(session, "ws://127.0.0.1:9", retries=0)
    await feed.run()
    await feed.suspend()
    if resumed:
        feed.resume()
    assert feed.status.state is FeedState.FAILED
    assert [event.kind for event in session.events] == ["ended"]


async def test_one_that_has_not_begun_begins_later() -> None:
    session, producer = Session(), Server()
    async with producer.running() as url:
        feed = feed_of(session, url)
        await feed.suspend()
        async with running(feed):
            await asyncio.sleep(0.05)
            assert producer.connections == 0
            feed.resume()
            await state(feed, FeedState.LIVE)
    assert [event.kind for event in session.events] == ["open"]
