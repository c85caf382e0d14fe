"""Events that have come and wait for whoever reads them."""

from __future__ import annotations

import asyncio
from typing import Final

from tuistream.core.errors import SourceDown

READ_BUFFER: Final = 4 << 20  # bytes of events that wait; above it the server is not read
_OVERHEAD: Final = 64  # bytes that an event takes besides its text


class Inbox:
    """A bounded queue of events, taken all at once.

    `coalesce`: seconds for which a reader of a fast feed waits for more; 0 for never.
    """

    def __init__(self, coalesce: float) -> None:
        self._coalesce = coalesce
        self._events: list[bytes] = []
        self._size = 0
        self._down: SourceDown | None = None
        self._some = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._read_at = 0.0

    @property
    def down(self) -> SourceDown | None:
        """Why no more will come, once that is so."""
        return self._down

    async def put(self, event: bytes) -> None:
        """Add an event; waits while there is no room for it."""
        await self._room.wait()
        self._events.append(event)
        self._size += len(event) + _OVERHEAD
        self._some.set()
        if self._size > READ_BUFFER:
            self._room.clear()

    def end(self, down: SourceDown) -> None:
        """Say that no more will come. The first reason counts."""
        if self._down is None:
            self._down = down
            self._some.set()

    async def read(self) -> list[bytes]:
        """All events that have come, in order; waits for one. Raises SourceDown once all have been read."""
        loop = asyncio.get_running_loop()
        if not self._events:
            await self._some.wait()
        if self._coalesce and self._down is None and loop.time() - self._read_at < 2 * self._coalesce:
            await asyncio.sleep(self._coalesce)
        self._read_at = loop.time()
        if events := self.rest():
            return events
        assert self._down is not None
        raise self._down

    def rest(self) -> list[bytes]:
        """What has come and was not read yet."""
        events, self._events, self._size = self._events, [], 0
        self._room.set()
        if self._down is None:
            self._some.clear()
        return events
