"""The hub over TCP, WebSocket and frames: how fast, that every message is counted, what those who hang up leave."""

from __future__ import annotations

import asyncio
import multiprocessing
import pickle
import resource
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from msgspec.structs import replace

from tests.bench.table import Row
from tuistream.config import FeedOptions, Settings, feed_settings
from tuistream.sources.hub.intake import Listener
from tuistream.sources.hub.limits import HubLimits
from tuistream.sources.hub.options import HubOptions
from tuistream.wiring import Run, running

# What one of the old hub's example senders sends.
MESSAGE = (
    '{{"id":{name}, "value":[37.1], "type":"line","active_points": 20, "label":["Random Number"], '
    '"legend": ["random"], "name":"Random Number Example",  "borderColor":["#3e95cd"], '
    '"backgroundColor" :["#3e95cd"]}}'
)
OLD_LOST = "the old hub: 138 of 2,030,000 arrive"
OLD_KEPT = "the old hub: 65 to 74 % of 1 x 3,000/s arrive"
OLD_LOAD = "no load (the old hub: 99 % of a core, for good)"
LARGE = 10_000_000  # bytes
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\n\r\n"
)
MASK = b"\x37\xfa\x21\x3d"


def flood(port: int, senders: int, each: int, websocket: bool) -> None:
    """In a process of its own: all senders in turn, a stretch of messages at a time, as fast as they are taken."""
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(senders)]
    messages = [MESSAGE.format(name=number).encode() for number in range(senders)]
    if websocket:
        messages = [_frame(message) for message in messages]
        for connection in connections:
            connection.sendall(UPGRADE)
            while b"\r\n\r\n" not in connection.recv(4_096):
                pass
    stretch = min(each, 500)
    for _ in range(each // stretch):
        for connection, message in zip(connections, messages, strict=True):
            connection.sendall(message * stretch)
    for connection in connections:
        connection.close()


def _frame(message: bytes) -> bytes:
    """As a client sends it (RFC 6455, section 5.2)."""
    masked = bytes(byte ^ MASK[at % 4] for at, byte in enumerate(message))
    return struct.pack(">BBH", 0x81, 0x80 | 126, len(message)) + MASK + masked


def trickle(port: int, senders: int, each: int, rate: float) -> None:
    """In a process of its own: each sender sends one message after another, at `rate` a second."""
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(senders)]
    messages = [MESSAGE.format(name=number).encode() for number in range(senders)]
    begun = time.perf_counter()
    for number in range(each):
        for connection, message in zip(connections, messages, strict=True):
            connection.sendall(message)
        time.sleep(max(0.0, begun + (number + 1) / rate - time.perf_counter()))
    for connection in connections:
        connection.close()


def large(port: int, count: int, pickled: bool) -> None:
    """In a process of its own: messages of 10 MB, one after another, and a small one."""
    text = '{"id":"large","type":"text","value":"' + "x" * (LARGE - 40) + '"}'
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for message in (*[text] * count, MESSAGE.format(name=1)):
            body = pickle.dumps(message, 4) if pickled else message.encode()
            connection.sendall((struct.pack(">I", len(body)) if pickled else b"") + body)


def hang_up(port: int, senders: int, begun: bytes) -> None:
    """In a process of its own: all connect, begin a message, and are gone; every other one without a goodbye."""
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(senders)]
    for number, connection in enumerate(connections):
        connection.sendall(begun)
        if number % 2:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


@asynccontextmanager
async def listening(way: str, limits: HubLimits | None = None) -> AsyncIterator[tuple[Run, Listener, int]]:
    """A hub with one listener; the last is its port."""
    feeds = feed_settings([f"listen+{way}://127.0.0.1:0"], FeedOptions())
    feeds = tuple(replace(feed, hub=HubOptions(limits=limits or HubLimits())) for feed in feeds)
    async with running(Settings(feeds, window=10_000), recording_needed=False) as run:
        assert run.intake is not None
        await run.intake.until_up()
        yield run, run.intake.listeners[0], run.intake.addresses[0].port


async def _sent(
    sender: Callable[..., None], *arguments: float, way: str = "tcp", limits: HubLimits | None = None
) -> tuple[Run, float, float, int]:
    """A hub that has taken what a process sent: the run, its seconds, our CPU's, and how many were accepted."""
    async with listening(way, limits) as (run, listener, port):
        process = multiprocessing.get_context("spawn").Process(target=sender, args=(port, *arguments))
        cpu = time.process_time()
        process.start()
        while not listener.counters.connected:
            await asyncio.sleep(0.001)
        begun = time.perf_counter()
        while process.is_alive() or listener.senders:
            await asyncio.sleep(0.01)
        seconds = time.perf_counter() - begun
        process.join()
        return run, seconds, time.process_time() - cpu, listener.counters.accepted


async def _flat_out(senders: int, each: int, way: str = "tcp") -> Row:
    run, seconds, cpu, accepted = await _sent(flood, senders, each, way == "ws", way=way)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000
    who = f"{senders} senders" if senders > 1 else "1 sender"
    return Row(
        f"flat out, {who}{' over WebSocket' if way == 'ws' else ''}",
        f"all arrive ({OLD_LOST})" if way == "tcp" else "all arrive",
        f"{accepted / seconds:,.0f} messages/s",
        f"{accepted:,} of {senders * each:,}, CPU {cpu:.2f} s, peak {peak:,.0f} MB",
        _missing(run, accepted, senders * each),
    )


async def _paced(senders: int, each: int, rate: int) -> Row:
    run, _, cpu, accepted = await _sent(trickle, senders, each, rate)
    return Row(
        f"{senders} x {rate:,}/s",
        f"all arrive ({OLD_KEPT})" if senders == 1 else "all arrive",
        f"{100 * accepted / (senders * each):.0f} %",
        f"{accepted:,} of {senders * each:,}, CPU {100 * cpu * rate / each:.0f} % of a core",
        _missing(run, accepted, senders * each),
    )


async def _large(way: str, count: int, limits: HubLimits | None = None) -> Row:
    run, seconds, cpu, accepted = await _sent(large, count, way == "frames", way=way, limits=limits)
    assert run.intake is not None
    refused = {str(cause): count for cause, count in run.intake.listeners[0].counters.refused.items()}
    whole = way == "frames" or limits is not None
    wanted = (count + 1, {}) if whole else (1, {"too_big": count})
    return Row(
        f"10 MB messages, {way}" + ("" if whole else ", the limit as it is"),
        "all arrive" if whole else "refused and counted; the next arrives",
        f"{count * LARGE / seconds / 1e6:,.0f} MB/s",
        f"{accepted:,} accepted, refused: {refused or 'none'}, CPU {cpu:.2f} s",
        "" if (accepted, refused) == wanted else f"{wanted} was to be",
    )


async def left(way: str, who: str, begun: bytes, senders: int, seconds: float) -> Row:
    """What the hub costs for some seconds after senders have begun a message and hung up."""
    async with listening(way) as (_, listener, port):
        process = multiprocessing.get_context("spawn").Process(target=hang_up, args=(port, senders, begun))
        process.start()
        while process.is_alive() or listener.senders:
            await asyncio.sleep(0.01)
        process.join()
        before, cpu = time.perf_counter(), time.process_time()
        await asyncio.sleep(seconds)
        load = (time.process_time() - cpu) / (time.perf_counter() - before)
        connected, pending = listener.counters.connected, listener.counters.pending
    return Row(
        f"{senders} {who} that hung up amid a message",
        OLD_LOAD,
        f"{100 * load:.1f} % of a core",
        f"{connected:,} had connected, {listener.senders} are left, {pending:,} bytes kept",
        "" if not listener.senders and not pending else "something is left",
    )


def _missing(run: Run, accepted: int, sent: int) -> str:
    if accepted != sent or run.session.ticks != sent:
        return f"{accepted:,} of {sent:,} accepted, {run.session.ticks:,} kept"
    return ""


def rows(short: bool = False) -> list[Row]:
    part = 100 if short else 1
    work: list[Callable[[], Awaitable[Row]]] = [
        lambda: _paced(1, 9_000 // part, 3_000),
        lambda: _paced(50, 500 // (part // 10 or 1), 100),
        lambda: _flat_out(1, 1_000_000 // part),
        lambda: _flat_out(10, 100_000 // part),
        lambda: _flat_out(100, 10_000 // part),
        lambda: _flat_out(1, 300_000 // part, "ws"),
        lambda: _flat_out(100, 3_000 // part, "ws"),
        lambda: _large("frames", 2 if short else 20),
        lambda: _large("tcp", 2 if short else 20, HubLimits(frame=16 << 20)),
        lambda: _large("tcp", 2 if short else 20),
        lambda: left("tcp", "senders", MESSAGE.encode()[:100], 20 if short else 500, 0.1 if short else 5.0),
    ]
    return [asyncio.run(_awaited(each)) for each in work]


async def _awaited(work: Callable[[], Awaitable[Row]]) -> Row:
    return await work()
