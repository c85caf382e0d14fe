"""Messages that come one by one, from this thread or another, until somebody takes them all."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

from tuistream.core.frames import Read

SAMPLE = 800  # bytes kept of what is refused
TOGETHER = 1_000_000  # ns: messages that come so close upon one another are one read


class Inbox:
    """Holds at most `size` bytes and `count` messages, the newest message aside; each has the time when it came.

    Made in the loop in which it is read. clock: ns since 1970 UTC.
    """

    def __init__(self, size: int, count: int, clock: Callable[[], int] = time.time_ns) -> None:
        self._most_bytes = size
        self._most = count
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._changed = threading.Condition()
        self._reads: list[Read] = []
        self._refused: list[tuple[bytes, str]] = []
        self._bytes = self._count = 0
        self._ended = False
        self._error: BaseException | None = None
        self._wake = asyncio.Event()
        self._taken = asyncio.Event()
        self._woken = False  # the loop has been told, and has not looked yet

    @property
    def full(self) -> bool:
        return self._bytes > self._most_bytes or self._count >= self._most

    def put(self, message: bytes) -> None:
        """Add one; `full` or not. From any thread, as are `put_when_room` and `end`."""
        with self._changed:
            self._add(message)
            self._tell()

    def refuse(self, message: bytes, why: str) -> None:
        """Count one that is not taken. In the loop only."""
        if len(self._refused) < self._most:
            self._refused.append((message[:SAMPLE], why))
        with self._changed:
            self._tell()

    def put_when_room(self, message: bytes) -> bool:
        """Wait for room, as a thread may, and add one. False where the inbox has ended, and nobody wants any."""
        with self._changed:
            while self.full and not self._ended:
                self._changed.wait()
            if not self._ended:
                self._add(message)
                self._tell()
            return not self._ended

    def end(self, error: BaseException | None = None) -> None:
        """Nothing more will come, or is wanted. The first call counts."""
        with self._changed:
            if not self._ended:
                self._ended, self._error = True, error
                self._changed.notify_all()
                self._tell()

    async def room(self) -> None:
        """Return once there is room, or it has ended."""
        while self.full and not self._ended:
            self._taken.clear()
            await self._taken.wait()

    async def take(self) -> list[Read]:
        """All that has come, oldest first; waits for some. Empty at the end; raises what went wrong."""
        await asyncio.sleep(0)  # a thread may fill it as fast as it is taken from: others have their turn
        while True:
            self._wake.clear()
            if reads := self.rest():
                return reads
            if self._ended:
                if self._error is not None:
                    raise self._error
                return []
            await self._wake.wait()

    def rest(self) -> list[Read]:
        """What has come and was not taken yet."""
        with self._changed:
            reads, self._reads = self._reads, []
            if self._refused:
                reads.append(Read(self._clock(), (), self._refused))
                self._refused = []
            self._bytes = self._count = 0
            self._woken = False
            self._changed.notify_all()
        self._taken.set()
        return reads

    def _add(self, message: bytes) -> None:
        now = self._clock()
        last = self._reads[-1] if self._reads else None
        if last is not None and 0 <= now - last.recv < TOGETHER:
            assert isinstance(last.frames, list)
            last.frames.append(message)
        else:
            self._reads.append(Read(now, [message]))
        self._bytes += len(message)
        self._count += 1

    def _tell(self) -> None:
        if not self._woken and not self._loop.is_closed():
            self._woken = True
            self._loop.call_soon_threadsafe(self._look)

    def _look(self) -> None:
        self._wake.set()
        self._taken.set()
