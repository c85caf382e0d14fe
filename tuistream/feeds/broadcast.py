"""One walk for all clients: each joins it where it is."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque

import numpy as np
from numpy.typing import NDArray

from tuistream.feeds.client import Client
from tuistream.feeds.pacing import FlatOutTicks, SteadyTicks
from tuistream.feeds.walk import Walk

BACKLOG_TICKS = 200_000  # that wait for one client
BLOCK_TICKS = 2_000  # that go out with one write
STALL_SECONDS = 10.0  # for so long a walk that is made flat out waits for a client that takes nothing
IDLE_SECONDS = 0.25  # between looks at the clock while nobody listens


class TooSlow(Exception):
    """A client is so far behind that it cannot have every tick."""


class _Subscriber:
    """What waits to be sent to one client: blocks that all clients share."""

    def __init__(self, client: Client, limit: int | None) -> None:
        self.client = client
        self.blocks: deque[list[str]] = deque()
        self.waiting = 0  # ticks, those that are being sent included
        self.unqueued = limit  # ticks that are still to be queued, None for no end
        self.wake = asyncio.Event()
        self.deadline: asyncio.Timeout = asyncio.timeout(None)

    def queue(self, block: list[str]) -> None:
        if self.unqueued is not None:
            block = block if len(block) <= self.unqueued else block[: self.unqueued]
            self.unqueued -= len(block)
        if block:
            self.blocks.append(block)
            self.waiting += len(block)
            self.wake.set()


class Broadcast:
    """Makes the ticks of a walk, and sends them to every client that is there.

    The walk begins with the first client. With a rate it goes on whoever listens, and a client that falls
    BACKLOG_TICKS behind is let go. Flat out (rate 0) it is made as fast as the fastest client takes it, but no
    further ahead of the slowest than BACKLOG_TICKS, and only who then takes nothing for STALL_SECONDS is let go.
    """

    def __init__(self, walk: Walk, rate: float, limit: int | None = None) -> None:
        self._walk = walk
        self._limit = limit
        self._steady = SteadyTicks(rate) if rate else None
        self._flat_out = FlatOutTicks()
        self._steps = max(1, BLOCK_TICKS // len(walk.symbols))  # in a block
        self._subscribers: set[_Subscriber] = set()
        self._joined = asyncio.Event()
        self._taken = asyncio.Event()

    async def run(self) -> None:
        """Make the ticks of a walk with a rate, forever."""
        if self._steady is None:
            return
        await self._joined.wait()
        while True:
            self._joined.clear()
            self._make_due(self._steady)
            wait = self._steady.wait(time.monotonic_ns()) / 1e9
            if self._subscribers:
                await asyncio.sleep(min(wait, 1.0))
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(wait, IDLE_SECONDS)):
                    await self._joined.wait()

    async def send_all(self, client: Client) -> None:
        """Send the walk from here on, up to the limit. Raises TooSlow, and websockets' ConnectionClosed."""
        if self._steady is not None and self._steady.begun and not self._subscribers:
            self._make_due(self._steady)  # what fell due while nobody listened is nobody's
        subscriber = _Subscriber(client, self._limit)
        self._subscribers.add(subscriber)
        self._joined.set()
        client.gone.add_done_callback(lambda _: self._look_again(subscriber))
        try:
            async with subscriber.deadline:
                await self._send(subscriber)
        except TimeoutError as error:
            raise TooSlow(f"{subscriber.waiting:,} ticks behind") from error
        finally:
            self._subscribers.discard(subscriber)
            self._taken.set()

    async def _send(self, subscriber: _Subscriber) -> None:
        while subscriber.blocks or subscriber.unqueued != 0:
            if not subscriber.blocks:
                await self._more(subscriber)
            block = subscriber.blocks.popleft() if subscriber.blocks else []
            await subscriber.client.send_frames(block)
            subscriber.waiting -= len(block)
            self._taken.set()
            await asyncio.sleep(0)

    async def _more(self, subscriber: _Subscriber) -> None:
        """Return when there is a block for this subscriber, or when its client is gone."""
        if self._steady is not None:
            subscriber.wake.clear()
            if not subscriber.client.gone.done():
                await subscriber.wake.wait()
            return
        await self._hold_for_slow(subscriber.client)
        if not subscriber.blocks:
            self._make(self._flat_out.times(time.time_ns(), self._steps))

    async def _hold_for_slow(self, client: Client) -> None:
        room = BACKLOG_TICKS - BLOCK_TICKS
        while (slow := [s for s in self._subscribers if s.waiting > room]) and not client.gone.done():
            self._taken.clear()
            try:
                async with asyncio.timeout(STALL_SECONDS):
                    await self._taken.wait()
            except TimeoutError:
                self._drop(slow)

    def _make_due(self, ticks: SteadyTicks) -> None:
        """Make one block of what is due; all of it where nobody listens."""
        now, wall = time.monotonic_ns(), time.time_ns()
        while len(times := ticks.due(now, wall, self._steps)):
            self._make(times)
            if self._subscribers:
                return

    def _make(self, times: NDArray[np.int64]) -> None:
        values = self._walk.values(len(times))
        if not self._subscribers:
            return
        block = self._walk.frames(times, values)
        if self._steady is not None:
            self._drop([s for s in self._subscribers if s.waiting + len(block) > BACKLOG_TICKS])
        for subscriber in self._subscribers:
            subscriber.queue(block)

    def _drop(self, subscribers: list[_Subscriber]) -> None:
        """End the sending to these, wherever it waits."""
        for subscriber in subscribers:
            self._subscribers.discard(subscriber)
            subscriber.deadline.reschedule(asyncio.get_running_loop().time())

    def _look_again(self, subscriber: _Subscriber) -> None:
        subscriber.wake.set()
        self._taken.set()
