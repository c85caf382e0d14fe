"""http:// against a real server: event streams, JSON as it comes, polling, refusals, redirects."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from tests.sources.feeding import fed
from tuistream import sources
from tuistream.config import FeedOptions
from tuistream.core.errors import SettingsError
from tuistream.core.status import FeedState

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def streaming(kind: str, *parts: bytes) -> Handler:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        for part in parts:
            await response.write(part)
            await asyncio.sleep(0.01)
        return response

    return handler


async def test_the_data_of_events_arrives() -> None:
    handler = streaming("text/event-stream; charset=utf-8", b'data: {"a":1}\n\n: hi\n\ndata: {"a"', b":2}\n\ndata: 3")
    async with server(handler) as url, fed(f"{url}/events", retries=0) as feed:
        assert await feed.ended() is FeedState.CLOSED
        assert feed.column == [1, 2]


async def test_an_event_stream_goes_on_behind_its_last_id_when_its_producer_says() -> None:
    asked: list[tuple[str, float]] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        asked.append((request.headers.get("Last-Event-ID", ""), asyncio.get_running_loop().time()))
        return await streaming("text/event-stream", b"retry: 700\nid: %d\ndata: %d\n\n" % (7, len(asked)))(request)

    async with server(handler) as url, fed(url) as feed:
        await feed.ticks(2)
        assert feed.column[:2] == [1, 2]
    assert [each for each, _ in asked[:2]] == ["", "7"]
    assert asked[1][1] - asked[0][1] >= 0.7


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("application/x-ndjson", (b'{"a":1}\n{"a"', b":2}\n")),
        ("application/json", (b'{"a":1}{"a":2}',)),
        ("text/csv", (b"a,b\n1,5\n2", b",6\n")),
        ("text/plain", (b"1\n2\n",)),
    ],
)
async def test_objects_and_lines_arrive_as_they_come(kind: str, parts: tuple[bytes, ...]) -> None:
    async with server(streaming(kind, *parts)) as url, fed(url, retries=0) as feed:
        await feed.ended()
        assert feed.column == [1, 2]
        assert feed.status.reason == "the answer has ended; with ?every=1s it is asked for again and again"


async def test_a_url_is_asked_every_so_often_over_one_connection() -> None:
    asked: list[tuple[str, object]] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        asked.append((request.path_qs, request.transport and request.transport.get_extra_info("peername")))
        return web.json_response([{"id": "s", "temp": len(asked)}], text=None)

    async with server(handler) as url, fed(f"{url}/t?x=1&every=50ms") as feed:
        await feed.ticks(3)
        assert feed.values("s")[:3] == [[1], [2], [3]]
        assert feed.status.connections == 1
        assert feed.status.gaps == 0
    assert {path for path, _ in asked} == {"/t?x=1"}
    assert len({peer for _, peer in asked}) == 1


async def test_polling_goes_on_after_an_error() -> None:
    count = 0

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal count
        count += 1
        return web.Response(status=500) if count == 2 else web.Response(text=f"{count}")

    async with server(handler) as url, fed(f"{url}?every=50ms") as feed:
        await feed.ticks(2)
        assert feed.column[:2] == [1, 3]
        assert "close: refused: HTTP 500 Internal Server Error" in feed.told


async def test_what_is_too_long_is_refused_and_the_rest_goes_on() -> None:
    count = 0

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal count
        count += 1
        return web.Response(text="[" + "1," * 5_000 + "1]" if count == 1 else "[2]")

    async with server(handler) as url, fed(f"{url}?every=50ms", max_frame=1_000) as feed:
        await feed.ticks(1)
        assert feed.status.malformed == 1
        assert "limit of 1,000 bytes" in feed.status.samples[0][1]


async def test_headers_are_sent_and_secrets_are_not_shown() -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        right = request.headers.get("X-Key") == "s3cret" and request.query["token"] == "t0ken"
        return web.Response(text="1") if right else web.Response(status=403, reason="no s3cret t0ken here")

    options = FeedOptions(headers=("X-Key: s3cret",))
    async with server(handler) as url, fed(f"{url}?token=t0ken", retries=0, options=options) as feed:
        await feed.ended()
        assert feed.column == [1]
    async with server(handler) as url, fed(f"{url}?token=t0ken", retries=0) as feed:
        assert await feed.ended() is FeedState.FAILED
        assert "t0ken" not in feed.status.reason + feed.status.url
        assert feed.status.reason.startswith("refused: HTTP 403")


async def test_a_redirect_is_followed_but_no_secret_goes_to_another_host() -> None:
    keys: list[str | None] = []

    async def target(request: web.BaseRequest) -> web.StreamResponse:
        keys.append(request.headers.get("X-Key"))
        return web.Response(text="1")

    async with server(target) as elsewhere:

        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            if request.path == "/here":
                return await target(request)
            raise web.HTTPFound("/here" if request.path == "/a" else elsewhere)

        options = FeedOptions(headers=("X-Key: k",))
        async with server(handler) as url:
            async with fed(f"{url}/a", retries=0, options=options) as feed:
                await feed.ended()
                assert feed.column == [1]
            async with fed(f"{url}/b", retries=0) as feed:
                await feed.ended()
                assert feed.column == [1]
            async with fed(f"{url}/b", retries=0, options=options) as feed:
                assert await feed.ended() is FeedState.FAILED
                assert feed.status.reason.startswith(f"redirected to {elsewhere}")
    assert keys == ["k", None]


async def test_no_content_ends_a_stream_for_good() -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=204)

    async with server(handler) as url, fed(url) as feed:
        assert await feed.ended() is FeedState.CLOSED


async def test_nobody_there_is_told_in_words() -> None:
    async with server(streaming("text/plain")) as url:
        gone = url
    async with fed(gone, retries=0) as feed:
        assert await feed.ended() is FeedState.FAILED
        assert feed.status.reason == "Connection refused"


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("http://", "a host is missing"),
        ("http://h/x#y", "never sent"),
        ("http://h/x?every=soon", "every="),
        ("http://h/x?every=1ms", "at least 50ms"),
    ],
)
def test_targets_that_cannot_be_are_refused(target: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        sources.parse(target)


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://h/x?every=1s", "http://h/x"),
        ("http://h/x?every=1s&y=2", "http://h/x?y=2"),
        ("http://h/x?y=2&every=1s", "http://h/x?y=2"),
        ("http://h/x?y=2&every=1s&z=3", "http://h/x?y=2&z=3"),
        ("http://h/x?everybody=1", "http://h/x?everybody=1"),
    ],
)
def test_only_the_interval_is_taken_out_of_the_url(url: str, asked: str) -> None:
    from tests.sources.feeding import Fed

    assert sources.module(url).source(Fed(url, 0, FeedOptions(), {}).settings).url == asked
