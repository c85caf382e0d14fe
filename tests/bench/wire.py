"""Receiving: ours beside the stock library's loop and picows, from the same sender, in one run."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from tests.bench.sender import sender, tick
from tests.bench.table import Row, ratio
from tuistream.core.errors import SourceDown
from tuistream.sources.ws import WebSocketSource

Receiver = Callable[[str], Awaitable[int]]


async def ours(url: str, compress: bool = False) -> int:
    """With an object for each message, as the others make one."""
    count = 0
    async with WebSocketSource(url, compress=compress).connect() as connection:
        try:
            while True:
                count += len(list(await connection.read()))
        except SourceDown:
            return count


async def ours_in_runs(url: str) -> int:
    """As decoders take them: where each begins and ends in what was read."""
    count = 0
    async with WebSocketSource(url).connect() as connection:
        try:
            while True:
                count += sum(len(read.frames) for read in await connection.reads())
        except SourceDown:
            return count


async def ours_compressed(url: str) -> int:
    return await ours(url, compress=True)


async def stock(url: str, compression: str | None = None) -> int:
    count = 0
    async with connect(url, compression=compression) as connection:
        async for _ in connection:
            count += 1
    return count


async def stock_compressed(url: str) -> int:
    return await stock(url, "deflate")


async def picows(url: str) -> int:
    import picows as library

    done = asyncio.get_running_loop().create_future()

    class Listener(library.WSListener):
        def __init__(self) -> None:
            self.count = 0

        def on_ws_frame(self, transport: Any, frame: Any) -> None:
            if frame.msg_type == library.WSMsgType.CLOSE:
                transport.send_close(library.WSCloseCode.OK)
                transport.disconnect()
                return
            frame.get_payload_as_bytes()
            self.count += 1

        def on_ws_disconnected(self, transport: Any) -> None:
            if not done.done():
                done.set_result(None)

    _, listener = await library.ws_connect(Listener, url)
    assert isinstance(listener, Listener)
    await done
    return listener.count


def timed(receiver: Receiver, url: str) -> tuple[int, float, float]:
    """Messages, seconds, CPU seconds."""
    began, cpu = time.perf_counter(), time.process_time()
    count = asyncio.run(_call(receiver, url))
    return count, time.perf_counter() - began, time.process_time() - cpu


async def _call(receiver: Receiver, url: str) -> int:
    return await receiver(url)


def rows(short: bool) -> list[Row]:
    return [
        *_flat_out(20_000 if short else 1_000_000),
        *_paced(5_000 if short else 150_000, 50_000.0),
        _compressed(2_000 if short else 200_000),
    ]


def _flat_out(count: int) -> list[Row]:
    results = {}
    with sender(count) as url:
        receivers: list[tuple[str, Receiver]] = [("ours", ours), ("ours in runs", ours_in_runs), ("stock", stock)]
        try:
            import picows as _picows  # noqa: F401

            receivers.append(("picows", picows))
        except ImportError:
            pass
        for name, receiver in receivers:
            results[name] = timed(receiver, url)
    failed = ", ".join(f"{name} got {got:,} of {count:,}" for name, (got, _, _) in results.items() if got != count)
    rates = {name: got / seconds for name, (got, seconds, _) in results.items()}
    figures = ", ".join(f"{name} {rate:,.0f}/s" for name, rate in rates.items())
    against = rates.get("picows")
    return [
        Row(
            "receive flat out, against stock websockets",
            "15 x",
            ratio(rates["ours"], rates["stock"]),
            figures,
            failed,
        ),
        Row(
            "receive flat out, against picows",
            "1 x",
            ratio(rates["ours"], against) if against else "picows is not installed",
            figures,
            failed,
        ),
    ]


def _paced(count: int, rate: float) -> list[Row]:
    results = {}
    with sender(count, rate) as url:
        for name, receiver in (("ours", ours), ("ours in runs", ours_in_runs), ("stock", stock)):
            results[name] = timed(receiver, url)
    failed = ", ".join(f"{name} got {got:,} of {count:,}" for name, (got, _, _) in results.items() if got != count)
    load = {name: cpu / seconds for name, (_, seconds, cpu) in results.items()}
    got = {name: count / seconds for name, (_, seconds, _) in results.items()}
    figures = ", ".join(f"{name} {100 * load[name]:.1f} % of a core at {got[name]:,.0f}/s" for name in results)
    per_message = {name: cpu / count for name, (_, _, cpu) in results.items()}
    less = f"1/{per_message['stock'] / per_message['ours']:.0f}"
    return [Row(f"CPU at {rate:,.0f} messages/s, one send() each", "1/12 of stock", less, figures, failed)]


def _compressed(count: int) -> Row:
    """CPU, as the sender's compression takes longer than ours and stock's receiving."""
    results = {}
    with compressing_sender(count) as url:
        for name, receiver in (("ours", ours_compressed), ("stock", stock_compressed)):
            results[name] = timed(receiver, url)
    failed = ", ".join(f"{name} got {got:,} of {count:,}" for name, (got, _, _) in results.items() if got != count)
    figures = ", ".join(
        f"{name} {1e6 * cpu / count:.1f} µs CPU a message at {count / seconds:,.0f}/s"
        for name, (_, seconds, cpu) in results.items()
    )
    got = ratio(results["stock"][2], results["ours"][2])
    return Row("permessage-deflate, flat out, stock's CPU to ours", "1 x", got, figures, failed)


@contextmanager
def compressing_sender(count: int) -> Iterator[str]:
    """A websockets server in a process of its own, which compresses; `count` ticks to each client. Gives its URL."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve_compressed, args=(there, count), daemon=True)
    process.start()
    try:
        yield f"ws://127.0.0.1:{here.recv()}"
    finally:
        process.kill()
        process.join()
        process.close()
        here.close()
        there.close()


def _serve_compressed(port: Connection, count: int) -> None:
    async def handle(connection: ServerConnection) -> None:
        for i in range(count):
            await connection.send(tick(i), text=True)
        await connection.close()

    async def run() -> None:
        async with serve(handle, "127.0.0.1", 0, compression="deflate") as server:
            port.send(server.sockets[0].getsockname()[1])
            await server.serve_forever()

    asyncio.run(run())
