"""What a replay shows of a recording's texts, pictures and the like: each when it is its turn."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice

from tuistream.core.board import Item
from tuistream.core.session import Session
from tuistream.core.status import FeedStatus
from tuistream.store.media import AT_ONCE, items, last_before
from tuistream.store.playback import Selection


class RecordedItems:
    """Shows items through the session, a few read ahead, in a thread of its own. To be closed.

    Everything that reads raises RecordingError.
    """

    def __init__(self, session: Session, status: FeedStatus, selection: Selection) -> None:
        self._session = session
        self._status = status
        self._selection = selection
        self._waiting: deque[Item] = deque()
        self._coming: Generator[Item] | None = None
        self._thread: ThreadPoolExecutor | None = None

    @property
    def next_recv(self) -> int | None:
        """When the next one was received, ns; None where none has been read."""
        return self._waiting[0].recv if self._waiting else None

    async def open(self) -> None:
        """Begin with the first."""
        await self._begin(None)

    async def seek(self, recv: int) -> None:
        """Go on with what was received at `recv` (ns) or later, from what was there until then."""
        await self._begin(recv)
        for board in self._session.boards.values():
            self._session.clear(board)
        self._session.show(self._status, await self._read(partial(last_before, self._selection, recv)))

    async def show_until(self, recv: int | None) -> None:
        """Show what was received until then, ns; with None all that is left."""
        while self._waiting:
            self.show(recv)
            if self._waiting:
                return
            await self._session.room()
            await self._fill()

    def show(self, recv: int | None) -> None:
        """As `show_until`, of those that have been read."""
        due: list[Item] = []
        while self._waiting and (recv is None or self._waiting[0].recv <= recv):
            due.append(self._waiting.popleft())
        self._session.show(self._status, due)

    async def close(self) -> None:
        self._waiting.clear()
        coming, self._coming = self._coming, None
        thread, self._thread = self._thread, None
        if thread is not None:
            if coming is not None:
                await asyncio.get_running_loop().run_in_executor(thread, coming.close)
            thread.shutdown()

    async def _begin(self, since: int | None) -> None:
        await self.close()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="media")  # SQLite's connections belong to one
        self._coming = items(self._selection, since)
        await self._fill()

    async def _fill(self) -> None:
        if self._coming is not None:
            self._waiting.extend(await self._read(partial(_some, self._coming)))

    async def _read(self, read: Callable[[], list[Item]]) -> list[Item]:
        assert self._thread is not None
        return await asyncio.get_running_loop().run_in_executor(self._thread, read)


def _some(coming: Generator[Item]) -> list[Item]:
    return list(islice(coming, AT_ONCE))
