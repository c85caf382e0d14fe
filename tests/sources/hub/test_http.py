"""The hub over HTTP: what is answered, what is counted, and that nobody suffers from another."""

from __future__ import annotations

import ast
import asyncio
import io
import json
import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest

from tuistream.config import FeedOptions, Settings, feed_settings
from tuistream.core.errors import SettingsError
from tuistream.core.status import FeedState
from tuistream.decoders.hub import Cause
from tuistream.sources.hub import http
from tuistream.sources.hub.intake import Listener
from tuistream.sources.hub.limits import HubLimits
from tuistream.sources.hub.options import HubOptions
from tuistream.wiring import Run, running

CPU = b'{"id": "cpu", "value": [42]}'


class Hub:
    """A run with one HTTP listener, and a client."""

    def __init__(self, run: Run, client: aiohttp.ClientSession) -> None:
        self.run = run
        self.client = client

    @property
    def listener(self) -> Listener:
        assert self.run.intake is not None
        return self.run.intake.listeners[0]

    @property
    def port(self) -> int:
        assert self.listener.address is not None
        return self.listener.address.port

    async def ask(self, method: str, path: str = "/", body: bytes | None = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"http://127.0.0.1:{self.port}{path}"
        async with self.client.request(method, url, data=body and io.BytesIO(body), headers=named) as response:
            return Answer(response.status, response.headers.copy(), await response.read())

    async def post(self, body: bytes, **headers: str) -> Answer:
        return await self.ask("POST", "/any/path?x=1", body, **headers)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    def refused(self) -> dict[str, int]:
        return {cause.value: count for cause, count in self.listener.counters.refused.items()}

    def values(self, name: str, kind: str = "line") -> list[list[float]]:
        state = self.run.session.streams["hub", name, kind]
        rows: list[list[float]] = np.column_stack(
            [state.series.column(each) for each in state.stream.fields]
        ).tolist()
        return rows


class Answer:
    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@asynccontextmanager
async def hub(options: HubOptions | None = None) -> AsyncIterator[Hub]:
    (feed,) = feed_settings(["listen+http://127.0.0.1:0"], FeedOptions())
    feeds = (type(feed)(feed.name, feed.url, feed.decoder, hub=options or HubOptions()),)
    async with running(Settings(feeds), recording_needed=False) as run, aiohttp.ClientSession() as client:
        made = Hub(run, client)
        await until(lambda: bool(run.intake and run.intake.addresses))
        yield made


async def until(condition: Any) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.002)


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencoded", "x"])
async def test_a_message_with_any_content_type(kind: str) -> None:
    async with hub() as made:
        answer = await made.post(CPU, Content_Type=kind)
        assert (answer.status, answer.json) == (200, {"accepted": 1})
        assert answer.headers["Content-Type"] == "application/json"
        assert made.values("cpu") == [[42.0]]


@pytest.mark.parametrize(
    "body",
    [
        b'[{"id": 1, "value": [1]}, {"id": 1, "value": [2]}, {"id": 1, "value": [3]}]',
        b'{"id": 1, "value": [1]}\n{"id": 1, "value": [2]}\r\n\n{"id": 1, "value": [3]}\n',
        b'{"id": 1, "value": [1]}{"id": 1, "value": [2]}{"id": 1, "value": [3]}',
    ],
)
async def test_several_messages(body: bytes) -> None:
    async with hub() as made:
        answer = await made.post(body)
        assert (answer.status, answer.json) == (200, {"accepted": 3})
        assert made.values("1") == [[1.0], [2.0], [3.0]]


async def test_what_is_refused_is_told_with_its_place_and_the_rest_is_taken() -> None:
    body = b'[{"id": 1, "value": [1]}, {"id": 1, "value": ["x"]}, {"id": 1, "value": }, {"id": 1, "value": [4]}]'
    async with hub() as made:
        answer = await made.post(body)
        assert answer.status == 400
        assert answer.json["accepted"] == 2
        assert answer.json["refused"] == 2
        assert [each["message"] for each in answer.json["refusals"]] == [2, 3]
        assert [body[each["position"] :][:12] for each in answer.json["refusals"]] == [b'{"id": 1, "v'] * 2
        assert answer.json["error"].startswith("message 2, at byte 26: value x: a number")
        assert made.values("1") == [[1.0], [4.0]]
        assert made.refused() == {"field": 1, "malformed": 1}


@pytest.mark.parametrize("body", [b"", b" \n", b"a=1", b"\xff\xfe", b"{", b"[]", b'{"id": 1, "value": []}'])
async def test_bodies_without_a_message(body: bytes) -> None:
    async with hub() as made:
        answer = await made.post(body)
        assert answer.status == 400
        assert answer.json["accepted"] == 0
        assert answer.json["error"]
        assert made.run.session.ticks == 0


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, CPU, 401),
        ({}, b'{"id": "cpu", "value": [42], "api_crypt": "wrong"}', 401),
        ({}, b'{"id": "cpu", "value": [42], "api_crypt": "hunter2"}', 200),
        ({"Authorization": "Bearer hunter2"}, CPU, 200),
        ({"Authorization": "Basic bWU6aHVudGVyMg=="}, CPU, 200),
        ({"Authorization": "Bearer hunter3"}, CPU, 401),
        ({"Authorization": "Basic hunter2"}, CPU, 401),
        ({"Authorization": "Bearer wrong"}, b'{"id": "cpu", "value": [42], "api_crypt": "hunter2"}', 401),
    ],
)
async def test_a_password(headers: dict[str, str], body: bytes, status: int) -> None:
    async with hub(HubOptions(password="hunter2")) as made:
        answer = await made.post(body, **headers)
        assert answer.status == status
        assert made.run.session.ticks == (status == 200)
        if status == 401:
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert made.refused() == {"password": 1}
        assert not any("hunter2" in event.text for event in made.run.session.events)


async def test_a_login_is_of_one_request_not_of_the_connection() -> None:
    async with hub(HubOptions(password="hunter2")) as made:
        reader, writer = await made.connect()
        statuses = []
        for login in (b"Authorization: Bearer hunter2\r\n", b""):
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s" % (login, len(CPU), CPU))
            head = await reader.readuntil(b"\r\n\r\n")
            statuses.append(int(head.split()[1]))
            await reader.readexactly(int(re.search(rb"Content-Length: (\d+)", head)[1]))  # type: ignore[index]
        writer.close()
        assert statuses == [200, 401]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "GET"])
async def test_other_methods(method: str) -> None:
    async with hub() as made:
        answer = await made.ask(method)
        assert answer.status == 405
        assert "POST" in answer.headers["Allow"]


async def test_a_body_over_the_limit_declared_or_not() -> None:
    body = json.dumps({"id": "log", "type": "text", "value": "x" * 2000}).encode()
    async with hub(HubOptions(limits=HubLimits(frame=1000))) as made:
        answer = await made.post(body)
        assert answer.status == 413
        assert answer.json["error"].startswith("a body of 2,0")
        assert "over the limit of 1,000 bytes (--max-frame)" in answer.json["error"]

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(20):
                yield body

        async with made.client.post(f"http://127.0.0.1:{made.port}", data=chunks()) as response:
            assert response.status == 413
        assert made.refused() == {"too_big": 2}
        assert made.listener.counters.pending == 0


async def test_bodies_half_sent_are_bounded_all_together() -> None:
    async with hub(HubOptions(limits=HubLimits(pending=10))) as made:
        reader, writer = await made.connect()
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n" + b" " * 11)
        assert (await reader.readuntil(b"\r\n")).split()[1] == b"503"
        writer.close()
        assert made.refused() == {"pending": 1}


async def test_ten_megabytes_with_a_raised_limit() -> None:
    body = json.dumps({"id": "log", "type": "text", "value": "x" * 10_000_000}).encode()
    async with hub(HubOptions(limits=HubLimits(frame=16 << 20))) as made:
        answer = await made.post(body)
        assert (answer.status, answer.json) == (200, {"accepted": 1})
        (item,) = made.run.session.boards["hub", "log", "text"].items
        assert item.value == "x" * 10_000_000


async def test_a_client_that_wants_to_be_told_to_go_on() -> None:
    async with hub(HubOptions(limits=HubLimits(frame=1000))) as made:
        for length, wanted in ((len(CPU), b"HTTP/1.1 100 Continue\r\n\r\n"), (2000, b"HTTP/1.1 413 ")):
            reader, writer = await made.connect()
            head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n" % length
            writer.write(head)
            assert await reader.readexactly(len(wanted)) == wanted
            if length == len(CPU):
                writer.write(CPU)
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            writer.close()


async def test_compressed_bodies_are_refused() -> None:
    async with hub() as made:
        assert (await made.post(b"\x1f\x8b\x08", Content_Encoding="gzip")).status == 415


async def test_over_the_rate() -> None:
    async with hub(HubOptions(limits=HubLimits(rate=10))) as made:
        lines = b"\n".join([CPU] * 1000)
        assert (await made.post(lines)).json == {"accepted": 1000}
        answer = await made.post(CPU)
        assert answer.status == 429
        assert 90 <= int(answer.headers["Retry-After"]) <= 99
        assert "10 messages/s (--max-rate)" in answer.json["error"]
        other = await made.post(CPU, Connection="close")
        assert (await made.post(CPU)).status == other.status == 429  # a new connection does not help
        assert made.refused() == {"rate": 3}


async def test_as_the_old_hub_answered() -> None:
    async with hub(HubOptions(compat_200=True, password="password-1")) as made:
        good = b'{"id": 1, "value": [1], "api_crypt": "password-1"}'
        for method, body in (("POST", good), ("POST", CPU), ("POST", b"rubbish"), ("OPTIONS", None), ("GET", None)):
            answer = await made.ask(method, "/", body)
            assert (answer.status, answer.body) == (200, b"")
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert answer.headers["Access-Control-Allow-Methods"] == "POST, OPTIONS, HEAD, GET"
            assert answer.headers.getall("Access-Control-Allow-Headers") == ["X-Requested-With", "Content-Type"]
            assert answer.headers["Content-Type"] == "application/json"
        assert made.listener.counters.accepted == 1
        assert made.refused() == {"password": 1, "malformed": 1} or made.refused() == {"password": 2}


SENDERS = re.compile(rb"C>S len=\d+ (b'.*')")


async def test_every_captured_request_of_the_old_hubs_senders() -> None:
    text = (Path(__file__).parents[2] / "data/hub/http_senders.txt").read_bytes()
    requests = [ast.literal_eval(found.decode()) for found in SENDERS.findall(text)]
    assert requests
    async with hub(HubOptions(password="password-1")) as made:
        for request in requests:
            reader, writer = await made.connect()
            writer.write(request)
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
            writer.close()
        assert set(made.run.session.boards) >= {("hub", "151515", "map"), ("hub", "144124", "video_stream")}
        assert made.values("223322")[0] == [74.061]


@pytest.mark.parametrize(
    ("origin", "password", "status"),
    [
        ("http://localhost:5000", "", 200),
        ("http://127.0.0.1", "", 200),
        ("https://[::1]:9", "", 200),
        ("https://evil.example", "", 403),
        ("http://localhost.evil.example", "", 403),
        ("null", "", 403),
        ("https://evil.example", "hunter2", 200),
    ],
)
async def test_a_page_from_elsewhere_may_not_post_to_this_machine(origin: str, password: str, status: int) -> None:
    body = b'{"id": "cpu", "value": [42], "api_crypt": "hunter2"}'
    async with hub(HubOptions(password=password)) as made:
        answer = await made.post(body, Origin=origin, Content_Type="text/plain")
        assert answer.status == status
        assert answer.headers.get("Access-Control-Allow-Origin") == ("*" if status == 200 else None)
        assert made.run.session.ticks == (status == 200)
        preflight = await made.ask("OPTIONS", Origin=origin, Access_Control_Request_Private_Network="true")
        assert preflight.status == status
        if status == 200:
            assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
            assert "Content-Type" in preflight.headers["Access-Control-Allow-Headers"]
            assert preflight.headers["Access-Control-Allow-Private-Network"] == "true"
            assert preflight.body == b""
        else:
            assert made.refused() == {"origin": 2}


async def test_health_and_metrics() -> None:
    async with hub() as made:
        await made.post(CPU)
        await made.post(b"rubbish")
        health = await made.ask("GET", "/healthz")
        assert (health.status, health.json) == (200, {"status": "ok"})
        answer = await made.ask("GET", "/metrics")
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        lines = answer.body.decode().splitlines()
        assert 'tuistream_feed_ticks_total{feed="hub-http"} 1' in lines
        assert 'tuistream_hub_accepted_total{listener="hub-http"} 1' in lines
        assert 'tuistream_hub_refused_total{listener="hub-http",cause="malformed"} 1' in lines
        assert "tuistream_streams 1" in lines
        head = await made.ask("HEAD", "/metrics")
        assert (head.status, head.body) == (200, b"")


async def test_metrics_are_for_those_who_may_send() -> None:
    async with hub(HubOptions(password="hunter2")) as made:
        assert (await made.ask("GET", "/metrics")).status == 401
        assert (await made.ask("GET", "/metrics", Authorization="Bearer hunter2", Host="hub.lan")).status == 200
        assert (await made.ask("GET", "/healthz")).status == 200
    async with hub() as made:
        assert (await made.ask("GET", "/metrics", Host="localhost:8030")).status == 200
        assert (await made.ask("GET", "/metrics", Host="rebound.evil.example")).status == 403


async def test_a_slow_client_hurts_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    async with hub() as made:
        _, slow = await made.connect()
        slow.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        _, slower = await made.connect()
        slower.write(b"POST / HT")
        for _ in range(20):
            assert (await made.post(CPU)).status == 200
        slow.close()
        slower.close()
        await until(lambda: made.listener.senders == 1)
        monkeypatch.setattr(http, "BODY_SECONDS", 0.05)
        reader, late = await made.connect()
        late.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
        late.close()


@pytest.mark.parametrize("beginning", [b"", b"POST", b"\x16\x03\x01\x00", b"\r\n" * 9])
async def test_a_client_that_hangs_up_leaves_nothing(beginning: bytes) -> None:
    async with hub() as made:
        for rude in (True, False):
            _, writer = await made.connect()
            writer.write(beginning)
            await until(lambda: made.listener.senders == 1)
            writer.transport.abort() if rude else writer.close()
            await until(lambda: made.listener.senders == 0)
        assert (await made.post(CPU)).status == 200


@pytest.mark.parametrize("rude", [True, False])
async def test_a_client_that_hangs_up_amid_a_body_is_counted(rude: bool) -> None:
    async with hub() as made:
        _, writer = await made.connect()
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        await until(lambda: made.listener.counters.pending == 1)
        writer.transport.abort() if rude else writer.close()
        await until(lambda: made.refused() == {"malformed": 1})
        assert made.listener.counters.pending == made.listener.senders == 0
        await until(lambda: not [task for task in asyncio.all_tasks() if "RequestHandler" in repr(task)])


async def test_more_connections_than_may_be() -> None:
    async with hub(HubOptions(limits=HubLimits(connections=2))) as made:
        writers = [(await made.connect())[1] for _ in range(2)]
        await until(lambda: made.listener.senders == 2)
        reader, writer = await made.connect()
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert f"Content-Length: {len(body)}".encode() in head
        assert json.loads(body)["accepted"] == 0
        assert made.refused() == {"connections": 1}
        for each in (*writers, writer):
            each.close()


async def test_silent_connections_give_way() -> None:
    async with hub(HubOptions(limits=HubLimits(connections=2, idle=0.0))) as made:
        first = await made.connect()
        second = await made.connect()
        await until(lambda: made.listener.senders == 2)
        assert (await made.post(CPU)).status == 200
        assert made.listener.counters.evicted == 1
        assert await first[0].read() == b""
        for _, writer in (first, second):
            writer.close()


async def test_suspended_it_reads_on_later() -> None:
    async with hub() as made:
        assert (await made.post(CPU)).status == 200
        (runner,) = made.run.feeds
        await runner.suspend()
        waiting = asyncio.create_task(made.post(CPU))
        await until(lambda: made.run.session.feeds["hub-http"].state is FeedState.SUSPENDED)
        await asyncio.sleep(0.05)
        assert not waiting.done()
        runner.resume()
        assert (await waiting).status == 200
        assert made.run.session.ticks == 2


async def test_a_bug_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(body: bytes) -> list[bytes]:
        raise ZeroDivisionError

    monkeypatch.setattr(http, "cut", broken)
    with pytest.raises(ExceptionGroup) as caught:
        async with hub() as made:
            assert (await made.post(CPU)).status == 500
            await asyncio.sleep(30)
    assert caught.group_contains(ZeroDivisionError)


async def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        feeds = feed_settings([f"listen+http://127.0.0.1:{port}"], FeedOptions())
        with pytest.raises(ExceptionGroup, match="unhandled") as caught:
            async with running(Settings(feeds), recording_needed=False):
                await asyncio.sleep(30)
    assert f"cannot listen on 127.0.0.1 port {port}" in str(caught.value.exceptions[0])


def test_every_cause_has_a_counter() -> None:
    assert len({cause.value for cause in Cause}) == len(Cause)


async def test_without_its_library_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    monkeypatch.delitem(sys.modules, "tuistream.sources.hub.http")
    with pytest.raises(SettingsError, match=r"aiohttp is not installed; pip install 'tuistream\[hub\]'"):
        Run(Settings(feed_settings(["listen+http://127.0.0.1:0"], FeedOptions())))
