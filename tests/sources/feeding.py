"""A feed as a run makes it from what a user types, and what it took in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from msgspec.structs import replace

from tests.cli.running import until
from tuistream import decoders, sources
from tuistream.config import FeedOptions, feed_settings
from tuistream.core.session import Session
from tuistream.core.status import FeedState, FeedStatus
from tuistream.sources.feed import Feed
from tuistream.sources.retry import Retry


class Fed:
    """A feed that runs, and its session."""

    def __init__(self, target: str, retries: int | None, options: FeedOptions, changes: dict[str, Any]) -> None:
        self.session = Session()
        self.running: asyncio.Task[None] | None = None
        (settings,) = feed_settings([target], options)
        settings = replace(settings, **changes)
        self.settings = settings
        self.status = self.session.add_feed(FeedStatus(settings.name, settings.shown_url))
        self.feed = Feed(
            self.session,
            self.status,
            sources.module(settings.url).source(settings),
            decoders.create(settings.decoder, settings.name, settings.decoding),
            Retry(retries, settings.attempts),
            settings.send,
            settings.secrets,
            settings.decoding,
        )

    def values(self, name: str = "", kind: str = "") -> list[list[float]]:
        """The ticks of a stream, oldest first."""
        state = self.session.streams.get((self.settings.name, name, kind))
        if state is None:
            return []
        columns = [state.series.column(field).tolist() for field in state.stream.fields]
        return [list(row) for row in zip(*columns, strict=True)]

    @property
    def column(self) -> list[float]:
        """The first field of the stream with no name."""
        return [row[0] for row in self.values()]

    @property
    def told(self) -> list[str]:
        return [f"{event.kind}: {event.text}" for event in self.session.events]

    async def ticks(self, count: int) -> None:
        await self.until(lambda: self.status.ticks >= count)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait; what went wrong in the feed is raised."""
        assert self.running is not None
        await until(lambda: condition() or (self.running and self.running.done()))
        if self.running.done():
            self.running.result()
        assert condition()

    async def ended(self) -> FeedState:
        await self.until(lambda: self.status.ended)
        return self.status.state


@asynccontextmanager
async def fed(
    target: str, *, retries: int | None = None, options: FeedOptions | None = None, **changes: Any
) -> AsyncIterator[Fed]:
    """The feed of a target, running as long as the block lasts."""
    made = Fed(target, retries, options or FeedOptions(), changes)
    running = made.running = asyncio.create_task(made.feed.run())
    try:
        yield made
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
