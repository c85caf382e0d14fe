"""A recorder as a service: whoever started it, and whoever looks after it, hears how it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from tuistream.cli.health import Health
from tuistream.cli.service_manager import ServiceManager
from tuistream.core.status import Rate

if TYPE_CHECKING:
    from tuistream.cli.telling import Manner
    from tuistream.wiring import Run

BEAT_SECONDS: Final = 1.0
STATUS_SECONDS: Final = 5.0


class Service:
    """Tells the service manager that the run goes on, while it does."""

    def __init__(self, run: Run, manager: ServiceManager, health: Health) -> None:
        self._run = run
        self._manager = manager
        self._health = health
        self._rate = Rate(60.0)

    async def beat(self) -> None:
        """Look after the run's health; never returns."""
        loop = asyncio.get_running_loop()
        alive_every = self._manager.watchdog / 2
        pause = min(BEAT_SECONDS, alive_every / 2) if alive_every else BEAT_SECONDS
        alive_at = status_at = 0.0
        while True:
            now = loop.time()
            self._health.look()
            if alive_every and now >= alive_at and self._health.moves():
                self._manager.alive()
                alive_at = now + alive_every - pause
            if self._manager.listens and now >= status_at:
                self._manager.status(self.line())
                status_at = now + STATUS_SECONDS
            await asyncio.sleep(pause)

    def line(self) -> str:
        """How it is, in a line."""
        session, status = self._run.session, self._run.recording()
        rate = self._rate.update(session.clock(), session.ticks)
        live = sum(feed.state == "live" for feed in session.feeds.values())
        text = f"{status.rows:,} rows, {rate:,.1f} ticks/s, {live} of {len(session.feeds)} feeds live"
        return "; ".join([text, *self._health.reasons()])


@asynccontextmanager
async def status_pages(run: Run, health: Health, manner: Manner) -> AsyncIterator[str]:
    """Serve /healthz and /metrics for as long as the block lasts, if that is wanted; yields the URL, or nothing."""
    if not manner.status_port:
        yield ""
        return
    from tuistream.cli.status_port import page, serving
    from tuistream.config import parse_place

    async with serving(
        parse_place(manner.status_port, "--status-port"), manner.no_auth, partial(page, run, health.reasons)
    ) as url:
        yield url
