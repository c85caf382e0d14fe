"""The bounded queue between the session and one sink."""

from __future__ import annotations

import asyncio
from collections import deque

from tuistream.core.batch import Batch, StreamKey
from tuistream.core.board import Item
from tuistream.core.status import Event

PENDING_ROWS = 200_000
PENDING_EVENTS = 10_000
PENDING_BYTES = 64 << 20  # of texts, pictures and the like
TAKEN_BYTES = 16 << 20  # of them at once
Entry = Batch | Event | Item


class Outbox:
    """Batches, events and, where they are wanted (`media`), items on their way to a sink, in order.

    While the sink works, nothing is lost: a feed awaits `room()` before it reads on, so that the sender is
    slowed down. While the sink fails (`failing`), the feed is not held up: ticks are kept up to `limit` rows,
    and what does not fit is counted in `lost`, by stream, for the sink to write down as gaps. Feeds wait for half of
    `PENDING_EVENTS`, too; what is beyond all of them is counted in `lost_events`. Items are held to `PENDING_BYTES`
    in the same way, and to twice as much where a feed does not wait; what does not fit is counted in `lost_items`.
    """

    def __init__(self, name: str, limit: int = PENDING_ROWS, *, media: bool = False) -> None:
        self.name = name
        self.limit = limit
        self.media = media
        self.failing = ""  # why the sink cannot write, or nothing
        self.closed = False  # the sink is gone: offers are ignored
        self.rows = 0
        self.lost: dict[StreamKey, Loss] = {}
        self.lost_rows = 0
        self.lost_events = 0
        self.lost_items = 0
        self.items = 0
        self.item_bytes = 0
        self.wake = asyncio.Event()
        self.turned = asyncio.Event()  # set where writing begins to fail, or works again
        self._items: deque[Entry] = deque()
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

    def offer_item(self, item: Item) -> None:
        if self.closed or not self.media:
            return
        most = PENDING_BYTES if self.failing else 2 * PENDING_BYTES
        if self.item_bytes and self.item_bytes + item.size > most:
            self.lost_items += 1
            return
        self._items.append(item)
        self.items += 1
        self.item_bytes += item.size
        self.wake.set()
        if self.item_bytes >= PENDING_BYTES and not self.failing:
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
        if self._events >= PENDING_EVENTS // 2 and not self.failing:
            self._room.clear()

    def fail(self, reason: str) -> None:
        """The sink cannot write for now: nobody waits for it any more."""
        self.failing = reason
        self.turned.set()
        self._room.set()

    def recover(self) -> None:
        self.failing = ""
        self.turned.set()

    def close(self) -> None:
        self.closed = True
        self._items.clear()
        self.rows = self._events = self.items = self.item_bytes = 0
        self._room.set()

    def take(self, rows: int) -> list[Entry]:
        """The oldest entries, up to about `rows` ticks and `TAKEN_BYTES` of items (one at least, if there is any)."""
        taken: list[Entry] = []
        count = nbytes = 0
        while self._items and count < rows and nbytes < TAKEN_BYTES:
            entry = self._items.popleft()
            taken.append(entry)
            if isinstance(entry, Batch):
                count += len(entry)
            elif isinstance(entry, Item):
                nbytes += entry.size
                self.items -= 1
            else:
                self._events -= 1
        self.rows -= count
        self.item_bytes -= nbytes
        few_events = self._events < PENDING_EVENTS // 4
        if self.rows < self.limit // 2 and self.item_bytes < PENDING_BYTES // 2 and few_events:
            self._room.set()
        if not self._items:
            self.wake.clear()
        return taken

    def __len__(self) -> int:
        return len(self._items)

    @property
    def full(self) -> bool:
        """Whether `room` would have to wait."""
        return not self._room.is_set()

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
