"""The bounded queue between the session and one sink."""

from __future__ import annotations

import asyncio
from collections import deque

from tuistream.core.batch import Batch, StreamKey
from tuistream.core.status import Event

PENDING_ROWS = 200_000
PENDING_EVENTS = 10_000


class Outbox:
    """Batches and events on their way to a sink, in order.

    While the sink works, nothing is lost: a feed awaits `room()` before it reads on, so that the sender is
    slowed down. While the sink fails (`failing`), the feed is not held up: ticks are kept up to `limit` rows,
    and what does not fit is counted in `lost`, by stream, for the sink to write down as gaps. Events beyond
    `PENDING_EVENTS` are counted in `lost_events`.
    """

    def __init__(self, name: str, limit: int = PENDING_ROWS) -> None:
        self.name = name
        self.limit = limit
        self.failing = ""  # why the sink cannot write, or nothing
        self.closed = False  # the sink is gone: offers are ignored
        self.rows = 0
        self.lost: dict[StreamKey, Loss] = {}
        self.lost_rows = 0
        self.lost_events = 0
        self.wake = asyncio.Event()
        self._items: deque[Batch | Event] = deque()
        self._events = 0
        self._room = asyncio.Event()
        self._room.set()

    def offer(self, batch: Batch) -> None:
        if self.closed:
            return
        if self.failing and self.rows + len(batch) > self.limit:
            self.lost_rows += len(batch)
            loss = self.lost.setdefault(batch.stream.key, Loss(int(batch.t[0])))
            loss.rows += len(batch)
            loss.to = int(batch.t[-1])
            return
        self._items.append(batch)
        self.rows += len(batch)
        self.wake.set()
        if self.rows >= self.limit and not self.failing:
            self._room.clear()

    def note(self, event: Event) -> None:
        if self.closed:
            return
        if self._events >= PENDING_EVENTS:
            self.lost_events += 1
            return
        self._events += 1
        self._items.append(event)
        self.wake.set()

    def fail(self, reason: str) -> None:
        """The sink cannot write for now: nobody waits for it any more."""
        self.failing = reason
        self._room.set()

    def recover(self) -> None:
        self.failing = ""

    def close(self) -> None:
        self.closed = True
        self._items.clear()
        self.rows = self._events = 0
        self._room.set()

    def take(self, rows: int) -> list[Batch | Event]:
        """The oldest items, up to about `rows` ticks (one item at least, if there is any)."""
        taken: list[Batch | Event] = []
        count = 0
        while self._items and count < rows:
            item = self._items.popleft()
            taken.append(item)
            if isinstance(item, Batch):
                count += len(item)
            else:
                self._events -= 1
        self.rows -= count
        if self.rows < self.limit // 2:
            self._room.set()
        if not self._items:
            self.wake.clear()
        return taken

    def __len__(self) -> int:
        return len(self._items)

    async def room(self) -> None:
        """Return once the sink has caught up enough to take more."""
        await self._room.wait()


class Loss:
    """Rows of one stream that did not fit: how many, and from when to when (event time, ns)."""

    __slots__ = ("rows", "since", "to")

    def __init__(self, since: int) -> None:
        self.rows = 0
        self.since = since
        self.to = since
