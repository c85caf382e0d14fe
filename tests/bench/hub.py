"""The hub over TCP: how fast from 1, 10 and 100 senders, and that every message is counted."""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import socket
import time
from collections.abc import Awaitable, Callable

from tests.bench.table import Row
from tuistream.config import FeedOptions, Settings, feed_settings
from tuistream.wiring import Run, running

# What one of the old hub's example senders sends.
MESSAGE = (
    '{{"id":{name}, "value":[37.1], "type":"line","active_points": 20, "label":["Random Number"], '
    '"legend": ["random"], "name":"Random Number Example",  "borderColor":["#3e95cd"], '
    '"backgroundColor" :["#3e95cd"]}}'
)
OLD_LOST = "the old hub: 138 of 2,030,000 arrive"
OLD_KEPT = "the old hub: 65 to 74 % of 1 x 3,000/s arrive"


def flood(port: int, senders: int, each: int) -> None:
    """In a process of its own: all senders in turn, a stretch of messages at a time, as fast as they are taken."""
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(senders)]
    stretch = min(each, 500)
    parts = [MESSAGE.format(name=number).encode() * stretch for number in range(senders)]
    for _ in range(each // stretch):
        for connection, part in zip(connections, parts, strict=True):
            connection.sendall(part)
    for connection in connections:
        connection.close()


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


async def _sent(sender: Callable[..., None], *arguments: float) -> tuple[Run, float, float, int]:
    """A hub that has taken what a process sent: the run, its seconds, our CPU's, and the most that waited."""
    settings = Settings(feeds=feed_settings(["listen+tcp://127.0.0.1:0"], FeedOptions()), window=10_000)
    async with running(settings, recording_needed=False) as run:
        assert run.intake is not None
        await run.intake.until_up()
        listener = run.intake.listeners[0]
        process = multiprocessing.get_context("spawn").Process(
            target=sender, args=(run.intake.addresses[0].port, *arguments)
        )
        cpu = time.process_time()
        process.start()
        while not listener.senders:
            await asyncio.sleep(0.001)
        begun = time.perf_counter()
        while process.is_alive() or listener.senders:
            await asyncio.sleep(0.01)
        seconds = time.perf_counter() - begun
        process.join()
        return run, seconds, time.process_time() - cpu, listener.counters.accepted


async def _flat_out(senders: int, each: int) -> Row:
    run, seconds, cpu, accepted = await _sent(flood, senders, each)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000
    return Row(
        f"flat out, {senders} senders" if senders > 1 else "flat out, 1 sender",
        f"all arrive ({OLD_LOST})",
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
    ]
    return [asyncio.run(_awaited(each)) for each in work]


async def _awaited(work: Callable[[], Awaitable[Row]]) -> Row:
    return await work()
