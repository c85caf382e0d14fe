"""The hub over HTTP beside a server made as the old hub's was: requests/s, p99, and with a slow client."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from multiprocessing.connection import Connection

from tests.bench.hub import LARGE, left, listening
from tests.bench.table import Row, ratio
from tuistream.sources.hub.limits import HubLimits
from tuistream.wiring import Run

# What one of the old hub's example senders sends over HTTP.
BODY = json.dumps(
    {
        "id": 223322, "value": [74.061], "type": "line", "active_points": 20, "label": ["Random Number"],
        "legend": ["random"], "name": "Random Number Example", "borderColor": ["#3e95cd"],
        "backgroundColor": ["#3e95cd"], "api_crypt": "password-1",
    }
).encode()  # fmt: skip
HEAD = "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: {}\r\nContent-Length: {}\r\n\r\n"
OLD = "the old hub, as measured: 1,270 to 2,006/s"


class OldHandler(BaseHTTPRequestHandler):
    """Answers as the old hub does: one request after another, a connection each."""

    def do_POST(self) -> None:
        json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200, "ok")
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-type", "application/json")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def old_hub(told: Connection) -> None:
    """In a process of its own."""
    with HTTPServer(("127.0.0.1", 0), OldHandler) as server:
        told.send(server.server_port)
        server.serve_forever()


@dataclass(frozen=True, slots=True)
class Load:
    """What a process of clients saw. p99: seconds that 99 % of the requests took at most. good: answered by 200."""

    seconds: float
    p99: float
    good: int


def load(told: Connection, port: int, clients: int, each: int, keep: bool) -> None:
    """In a process of its own: clients, a thread each, that ask and wait for the answer, and ask again."""
    times: list[float] = []
    request = HEAD.format("keep-alive" if keep else "close", len(BODY)).encode() + BODY
    begun = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        good = sum(pool.map(lambda _: _client(port, each, request, keep, times), range(clients)))
    seconds = time.perf_counter() - begun
    told.send(Load(seconds, sorted(times)[len(times) * 99 // 100], good))


def _client(port: int, each: int, request: bytes, keep: bool, times: list[float]) -> int:
    good = 0
    connection: socket.socket | None = None
    for _ in range(each):
        begun = time.perf_counter()
        connection = connection or socket.create_connection(("127.0.0.1", port))
        connection.sendall(request)
        answer = connection.recv(65_536)
        while not (_whole(answer) if keep else b"\r\n\r\n" in answer):
            answer += connection.recv(65_536)
        if not keep:
            connection.close()
            connection = None
        times.append(time.perf_counter() - begun)
        good += answer[9:12] == b"200"
    if connection is not None:
        connection.close()
    return good


def _whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    return bool(end) and len(body) == int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])


async def _asked(port: int, clients: int, each: int, keep: bool) -> Load:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=load, args=(there, port, clients, each, keep))
    process.start()
    seen: Load = await asyncio.to_thread(here.recv)
    process.join()
    return seen


async def _old(clients: int, each: int) -> Load:
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=old_hub, args=(there,))
    server.start()
    try:
        return await _asked(await asyncio.to_thread(here.recv), clients, each, keep=False)
    finally:
        server.terminate()
        server.join()


async def _ours(clients: int, each: int, keep: bool, slow: int = 0) -> tuple[Load, Run, float]:
    """With our CPU a request, in s. slow: clients beside them that begin a request and never end it."""
    async with listening("http") as (run, _, port):
        begun = [socket.create_connection(("127.0.0.1", port)) for _ in range(slow)]
        for each_slow in begun:
            each_slow.sendall(HEAD.format("close", len(BODY)).encode() + BODY[:10])
        cpu = time.process_time()
        seen = await _asked(port, clients, each, keep)
        cpu = (time.process_time() - cpu) / (clients * each)
        for each_slow in begun:
            each_slow.close()
        return seen, run, cpu


async def _beside(clients: int, each: int) -> list[Row]:
    old = await _old(clients, each)
    ours = await _ours(clients, each, keep=False)
    kept = await _ours(clients, each, keep=True)
    sent = clients * each
    name = f"{clients} clients" if clients > 1 else "1 client"
    old_figures = f"http.server {sent / old.seconds:,.0f}/s, p99 {1e3 * old.p99:.1f} ms"
    return [
        _row(f"{name}, a connection a request", OLD, *ours, sent, old, old_figures),
        _row(f"{name}, connections kept", OLD, *kept, sent, old, old_figures),
    ]


def _row(what: str, goal: str, ours: Load, run: Run, cpu: float, sent: int, old: Load, beside: str) -> Row:
    rate = sent / ours.seconds
    lost = "" if ours.good == run.session.ticks == sent else f"{ours.good:,} of {sent:,} answered by 200"
    figures = f"{rate:,.0f}/s, p99 {1e3 * ours.p99:.1f} ms, CPU {1e6 * cpu:.0f} us; {beside}"
    return Row(what, goal, ratio(rate, sent / old.seconds), figures, lost)


async def _slow(clients: int, each: int) -> Row:
    alone, _, _ = await _ours(clients, each, keep=True)
    seen, run, _ = await _ours(clients, each, keep=True, slow=1)
    sent = clients * each
    lost = "" if seen.good == run.session.ticks == sent else f"{seen.good:,} of {sent:,} answered by 200"
    figures = f"p99 {1e3 * seen.p99:.1f} ms beside it, {1e3 * alone.p99:.1f} ms without"
    return Row(
        "one slow client beside 10",
        "hurts none (the old hub: blocks all)",
        ratio(alone.seconds, seen.seconds),
        figures,
        lost,
    )


def post_large(told: Connection, port: int, count: int) -> None:
    """In a process of its own: bodies of 10 MB, one after another; the codes that were answered."""
    body = b'{"id":"large","type":"text","value":"' + b"x" * (LARGE - 40) + b'"}'
    codes = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(count):
            connection.sendall(HEAD.format("keep-alive", len(body)).encode() + body)
            answer = b""
            while not _whole(answer):
                answer += connection.recv(65_536)
            codes.append(int(answer[9:12]))
    told.send(codes)


async def _large(count: int) -> Row:
    async with listening("http", HubLimits(frame=16 << 20)) as (_, listener, port):
        here, there = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=post_large, args=(there, port, count))
        process.start()
        begun, cpu = time.perf_counter(), time.process_time()
        codes: list[int] = await asyncio.to_thread(here.recv)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
        process.join()
        accepted = listener.counters.accepted
    return Row(
        "10 MB messages, --max-frame 16MiB",
        "all arrive",
        f"{count * LARGE / seconds / 1e6:,.0f} MB/s",
        f"{accepted:,} of {count:,} accepted, CPU {cpu:.2f} s, with the start of the client",
        "" if codes == [200] * count and accepted == count else f"answered by {codes}",
    )


def rows(short: bool = False) -> list[Row]:
    each = 20 if short else 4_000
    beside = [row for clients in (1, 10, 50) for row in asyncio.run(_beside(clients, max(2, each // clients)))]
    slow = asyncio.run(_slow(10, max(2, each // 10)))
    large = asyncio.run(_large(2 if short else 20))
    begun = HEAD.format("keep-alive", len(BODY)).encode() + BODY[:100]
    gone = asyncio.run(left("http", "clients", begun, 20 if short else 500, 0.1 if short else 5.0))
    return [*beside, slow, large, gone]
