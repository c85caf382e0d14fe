"""A hub with its listeners on free ports of this machine, for as long as a test lasts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from msgspec.structs import replace

from tuistream.config import FeedOptions, Settings, feed_settings
from tuistream.core.status import FeedStatus
from tuistream.sources.hub.intake import Counters, Intake, Listener
from tuistream.sources.hub.options import HubOptions
from tuistream.wiring import Run, running

HOST = "127.0.0.1"


class Hub:
    """What a test asks of a hub that runs."""

    def __init__(self, run: Run) -> None:
        assert run.intake is not None
        self.run = run
        self.session = run.session
        self.intake: Intake = run.intake
        self._writers: list[asyncio.StreamWriter] = []

    def listener(self, way: str = "tcp") -> Listener:
        return next(each for each in self.intake.listeners if each.way == way)

    def status(self, way: str = "tcp") -> FeedStatus:
        return self.listener(way).status

    def counters(self, way: str = "tcp") -> Counters:
        return self.listener(way).counters

    def port(self, way: str = "tcp") -> int:
        return next(address.port for address in self.intake.addresses if address.way == way)

    def ticks(self, name: str, kind: str = "line") -> int:
        state = self.session.streams.get(("hub", name, kind))
        return state.ticks if state else 0

    def told(self, kind: str = "refused") -> list[str]:
        return [event.text for event in self.session.events if event.kind == kind]

    async def connect(self, way: str = "tcp") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(HOST, self.port(way))
        self._writers.append(writer)
        return reader, writer

    async def hang_up(self) -> None:
        """All senders that are still there go away."""
        for writer in self._writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def send(self, data: bytes, way: str = "tcp") -> None:
        """From a sender that then goes away."""
        _, writer = await self.connect(way)
        writer.write(data)
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def hub(*ways: str, options: HubOptions | None = None, host: str = HOST) -> AsyncIterator[Hub]:
    targets = [f"listen+{way}://{host}:0" for way in ways or ("tcp",)]
    feeds = feed_settings(targets, FeedOptions())
    feeds = tuple(replace(feed, hub=options or HubOptions()) for feed in feeds)
    async with running(Settings(feeds=feeds), recording_needed=False) as run:
        found = Hub(run)
        await found.intake.until_up()
        try:
            yield found
        finally:
            await found.hang_up()


async def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for what must come."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)
