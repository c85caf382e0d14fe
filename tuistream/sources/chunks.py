"""What comes from a transport or a descriptor, chunk by chunk, each with the time of its read, within a bound."""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections.abc import Callable
from typing import Final, Protocol, cast

READ_BUFFER: Final = 4 << 20  # bytes that wait for the framer; above it nothing is read
READ_SIZE: Final = 1 << 18  # bytes taken from a descriptor at once
SMALL_READ: Final = 1 << 15  # bytes; a larger read has gathered enough by itself
NOTICES_KEPT: Final = 100  # that wait; further ones are dropped

Chunk = tuple[int, bytes]  # ns since 1970 UTC, and what was read then


class Pausable(Protocol):
    """As asyncio's ReadTransport."""

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class Chunks(asyncio.Protocol):
    """The chunks of one connection, until someone takes them.

    coalesce: seconds for which the next read may wait where small ones follow close upon one another; 0 for never.
    gather: seconds for which what came may wait to be looked at, together with what comes meanwhile; 0 for never.
    clock: ns since 1970 UTC. error: what ended the connection, None where it was the other side's wish.
    """

    def __init__(self, coalesce: float = 0.0, gather: float = 0.0, clock: Callable[[], int] = time.time_ns) -> None:
        self.clock = clock
        self.error: Exception | None = None
        self.ended = False
        self._coalesce = coalesce
        self._gather = gather
        self._loop = asyncio.get_running_loop()
        self._transport: Pausable | None = None
        self._waiting: list[Chunk] = []
        self._size = 0
        self._notices: list[str] = []
        self._reader: asyncio.Future[None] | None = None
        self._woken: asyncio.TimerHandle | None = None
        self._read_at = 0.0
        self._resting = self._held = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.come_from(cast(asyncio.ReadTransport, transport))

    def come_from(self, transport: Pausable) -> None:
        """What to pause where there is too much."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._waiting.append((self.clock(), data))
        self._size += len(data)
        if not self._gather or self._size >= SMALL_READ:
            self._wake()
        elif self._woken is None:
            self._woken = self._loop.call_later(self._gather, self._wake)
        if self._size > READ_BUFFER and not self._held:
            self._held = True
            self._pause()
        elif self._coalesce:
            self._rest(len(data))

    def note(self, text: str) -> None:
        """Have something told beside the data."""
        if len(self._notices) < NOTICES_KEPT:
            self._notices.append(text)
        self._wake()

    def eof_received(self) -> None:
        """The transport is to close itself."""

    def connection_lost(self, exc: Exception | None) -> None:
        self.error = exc
        self.ended = True
        self._transport = None
        self._wake()

    async def take(self) -> tuple[list[Chunk], list[str]]:
        """What has come, and what is to be told; waits for any. Both empty once the connection has ended."""
        if not (self._waiting or self._notices or self.ended):
            self._reader = self._loop.create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        return self.rest()

    def rest(self) -> tuple[list[Chunk], list[str]]:
        """What has come and was not taken yet."""
        chunks, self._waiting, self._size = self._waiting, [], 0
        notices, self._notices = self._notices, []
        if self._held:
            self._held = False
            self._resume()
        return chunks, notices

    def _wake(self) -> None:
        if self._woken is not None:
            self._woken.cancel()
            self._woken = None
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _rest(self, size: int) -> None:
        """Where small reads follow close upon one another, let the next one gather what comes meanwhile."""
        now = self._loop.time()
        quick, self._read_at = now - self._read_at < self._coalesce / 2, now
        if quick and size < SMALL_READ and not self._resting and not self._held:
            self._resting = True
            self._pause()
            self._loop.call_later(self._coalesce, self._rested)

    def _rested(self) -> None:
        self._resting = False
        self._read_at = self._loop.time()
        self._resume()

    def _pause(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._transport is not None and not self._held and not self._resting:
            self._transport.resume_reading()


class Descriptor:
    """Reads a file descriptor into `chunks` until its end, or until `close`, which leaves it open.

    Whatever a shell may connect: a pipe, a socket, a terminal, a file, a device. It is never set to non-blocking: it
    may be shared with other programs.
    """

    def __init__(self, descriptor: int, chunks: Chunks) -> None:
        self._descriptor = descriptor
        self._chunks = chunks
        self._loop = asyncio.get_running_loop()
        self._is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        self._task: asyncio.Task[None] | None = None
        self._may_read = asyncio.Event()
        self._closed = False
        chunks.come_from(self)
        self._may_read.set()
        try:
            self._loop.add_reader(descriptor, self._readable)
        except PermissionError:  # epoll takes no files, and not every device
            self._task = self._loop.create_task(self._read_file())

    def pause_reading(self) -> None:
        self._may_read.clear()
        if self._task is None and not self._closed:
            self._loop.remove_reader(self._descriptor)

    def resume_reading(self) -> None:
        self._may_read.set()
        if self._task is None and not self._closed:
            self._loop.add_reader(self._descriptor, self._readable)

    async def close(self) -> None:
        """Read no more. What has been read is in the chunks."""
        self._closed = True
        if self._task is None:
            self._loop.remove_reader(self._descriptor)
        else:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _readable(self) -> None:
        try:
            data = os.read(self._descriptor, READ_SIZE)
        except BlockingIOError:  # someone else has set it to non-blocking, or has taken it
            return
        except OSError as error:  # EIO: a terminal that is gone
            self._end(error)
            return
        if data:
            self._chunks.data_received(data)
        else:
            self._end(None)

    def _end(self, error: OSError | None) -> None:
        if self._task is None and not self._closed:
            self._loop.remove_reader(self._descriptor)
        self._closed = True
        self._chunks.connection_lost(error)

    async def _read_file(self) -> None:
        while True:
            await self._may_read.wait()
            try:
                # A position of our own: what a thread still reads when we are cancelled is not lost.
                data = await asyncio.to_thread(self._read_at, os.lseek(self._descriptor, 0, os.SEEK_CUR))
            except OSError as error:
                self._end(error)
                return
            if not data:
                self._end(None)
                return
            if self._is_file:
                os.lseek(self._descriptor, len(data), os.SEEK_CUR)
            self._chunks.data_received(data)

    def _read_at(self, position: int) -> bytes:
        if self._is_file:
            return os.pread(self._descriptor, READ_SIZE, position)
        return os.read(self._descriptor, READ_SIZE)
