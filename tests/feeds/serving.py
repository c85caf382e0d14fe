"""A server in this process, and clients that note what they get."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tuistream.feeds import create
from tuistream.feeds.broadcast import Broadcast
from tuistream.feeds.server import FeedServer, Producer, serving
from tuistream.feeds.walk import WalkOptions

PATIENCE = 30.0  # seconds after which a condition that did not come is a failure


@dataclass
class Running:
    server: FeedServer
    finished: asyncio.Task[None]
    notes: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.server.url


def walk(name: str = "gbm", rate: float = 2_000.0, limit: int | None = None, **options: Any) -> Broadcast:
    return Broadcast(create(name, WalkOptions(**{"rate": rate, "seed": 1} | options)), rate, limit)


@asynccontextmanager
async def running(producer: Producer, host: str = "127.0.0.1", **options: Any) -> AsyncIterator[Running]:
    notes: list[str] = []
    async with serving(producer, host, note=notes.append, **options) as server:
        finished = asyncio.create_task(server.finished())
        try:
            yield Running(server, finished, notes)
        finally:
            finished.cancel()


async def until_closed(client: ClientConnection) -> tuple[list[str | bytes], int | None]:
    """All further messages, and the close code."""
    messages: list[str | bytes] = []
    async with asyncio.timeout(PATIENCE):
        try:
            while True:
                messages.append(await client.recv())
        except ConnectionClosed:
            return messages, client.close_code


async def everything(url: str, **options: Any) -> tuple[list[str | bytes], int | None]:
    async with connect(url, **{"compression": None, "max_size": None} | options) as client:
        return await until_closed(client)


async def some(client: ClientConnection, count: int) -> list[str | bytes]:
    async with asyncio.timeout(PATIENCE):
        return [await client.recv() for _ in range(count)]


async def until(condition: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.005)
