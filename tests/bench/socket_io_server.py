"""A Socket.IO server that counts: `python socket_io_server.py RATE COUNT PORT [polling]`. Imports nothing of ours.

So it runs also where python-socketio is the old one, of Engine.IO 3, which is then served by gevent. Each client gets
COUNT events `sin_wave` at RATE a second; one that joins with the token `wrong` is refused. Prints its port.
"""

from __future__ import annotations

import asyncio
import math
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import socketio

OLD = version("python-socketio").startswith("4.")


def event(number: int) -> dict[str, float]:
    return {"x": number / 10, "y": math.sin(number / 10)}


def serve_old(rate: float, count: int, port: int, upgrades: bool) -> None:
    """By the library as it was for Engine.IO 3."""
    from gevent.pywsgi import WSGIServer
    from geventwebsocket.handler import WebSocketHandler

    server = socketio.Server(async_mode="gevent", allow_upgrades=upgrades)

    def emit(sid: str) -> None:
        paced(rate, count, server.sleep, lambda number: server.emit("sin_wave", event(number), room=sid))

    server.on("connect", lambda sid, environ: server.start_background_task(emit, sid) and None)
    listening = WSGIServer(("127.0.0.1", port), socketio.WSGIApp(server), handler_class=WebSocketHandler, log=None)
    listening.start()
    print(listening.server_port, flush=True)
    listening.serve_forever()


def paced(rate: float, count: int, sleep: Callable[[float], None], send: Callable[[int], None]) -> None:
    begun = time.perf_counter()
    for number in range(count):
        sleep(max(0.0, begun + number / rate - time.perf_counter()))
        send(number)


async def serve(rate: float, count: int, port: int, upgrades: bool) -> None:
    from aiohttp import web

    server = socketio.AsyncServer(async_mode="aiohttp", allow_upgrades=upgrades)

    async def emit(sid: str) -> None:
        begun = time.perf_counter()
        for number in range(count):
            await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            await server.emit("sin_wave", event(number), to=sid)

    async def connect(sid: str, _environ: dict[str, str], auth: Any) -> None:
        if auth == {"token": "wrong"}:
            raise socketio.exceptions.ConnectionRefusedError("no such user")
        server.start_background_task(emit, sid)

    server.on("connect", connect)
    app = web.Application()
    server.attach(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    rate, count, port, *transport = sys.argv[1:]
    given = float(rate), int(count), int(port), transport != ["polling"]
    if OLD:
        serve_old(*given)
    else:
        asyncio.run(serve(*given))
