"""`tail:FILE`: what is appended to a file, through rotation and truncation."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

from tuistream.core.errors import SettingsError, SourceDown
from tuistream.core.frames import Read
from tuistream.core.text import printable
from tuistream.decoders.table.lines import is_header
from tuistream.framers.contract import Framer
from tuistream.framers.text import TextFramer
from tuistream.sources.contract import FeedSettings, Target
from tuistream.sources.one_way import OneWay
from tuistream.sources.reasons import os_reason

Result = TypeVar("Result")

BEGINS: Final = "tail:"
FROM: Final = "?from="
POLL_SECONDS: Final = 0.25
READ_SIZE: Final = 1 << 18  # bytes at once
HEAD: Final = 1 << 12  # bytes of the beginning in which the first line is looked for


def parse(target: str) -> Target:
    """A path, with `?from=start` behind it where the file is to be read from its beginning. Raises SettingsError."""
    path, start = _parts(target)
    if not path or "\0" in path:
        raise SettingsError("tail: a file is missing, as in tail:sensors.csv")
    if start not in ("start", "end"):
        raise SettingsError(f"{printable(target)}: ?from=start or ?from=end is wanted")
    return Target(BEGINS + target[len(BEGINS) :], printable(Path(path).name, 60) or "tail", "lines")


def source(settings: FeedSettings) -> Tail:
    if settings.send:
        raise SettingsError("--send: nothing can be sent to a file")
    path, start = _parts(settings.url)
    return Tail(path, settings.max_frame, from_start=start == "start")


def _parts(target: str) -> tuple[str, str]:
    path, asked, start = target[len(BEGINS) :].rpartition(FROM)
    return (path, start) if asked else (start, "end")


class Tail:
    """Follows a path: a file that takes its place is read from its start, one that has become shorter anew.

    After it was suspended it goes on where it was. Its methods block: they are called in a thread, one at a time.
    """

    def __init__(self, path: str, max_frame: int, *, from_start: bool = False) -> None:
        self.path = path
        self.framer: Framer = TextFramer(max_frame)
        self._whole = from_start  # the next file is to be read from its start
        self._missed = False  # it was not there when we looked
        self._descriptor = -1
        self._file = (0, 0)  # device and inode of the file that was read last
        self._position = 0  # in it
        self.head = b""  # the line that names the columns of a file of which the end is read

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[TailConnection]:
        """Waits for a file that is not there; says so first, once. Raises SourceDown."""
        while not await in_thread(self.open):
            if not self._missed:
                self._missed = self._whole = True
                raise SourceDown("no such file yet")
            await asyncio.sleep(POLL_SECONDS)
        try:
            yield TailConnection(self)
        finally:
            self.close()

    def open(self) -> bool:
        """Open the file that is there now, if one is."""
        try:
            self._descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._down(error) from error
        now = os.fstat(self._descriptor)
        if not stat.S_ISREG(now.st_mode):
            self.close()
            raise SourceDown(f"{printable(self.path)}: no regular file; 'exec:cat FILE' reads any", final=True)
        if (now.st_dev, now.st_ino) != self._file:
            self._file, self._position = (now.st_dev, now.st_ino), 0
            self.framer.end()
            if not self._whole:
                self._position = now.st_size
                self._name_columns()
        self._whole = True  # whatever takes its place is new
        return True

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def read(self) -> tuple[bytes, bool]:
        """What was appended behind the position, at most READ_SIZE; and whether the file has ended for us."""
        try:
            if self._descriptor < 0:
                self.open()
                return b"", False
            data = os.pread(self._descriptor, READ_SIZE, self._position)
            return data, not data and self._is_replaced()
        except OSError as error:
            raise self._down(error) from error

    def go_on(self, count: int) -> None:
        """`count` bytes have been taken."""
        self._position += count

    def _is_replaced(self) -> bool:
        """Whether another file is at the path, or this one begins anew; what was read is as good as closed then."""
        now = os.fstat(self._descriptor)
        if now.st_size < self._position:
            self._position = 0
            return True
        with contextlib.suppress(FileNotFoundError):
            there = Path(self.path).stat()
            if (there.st_dev, there.st_ino) != (now.st_dev, now.st_ino):
                self.close()
                return True
        return False

    def _name_columns(self) -> None:
        """Where the first line names the columns, have it read, though we begin at the end."""
        line, newline, _ = os.pread(self._descriptor, HEAD, 0).partition(b"\n")
        if newline and is_header(line.decode("utf-8", "replace"), sure=False):
            self.head = line

    def _down(self, error: OSError) -> SourceDown:
        return SourceDown(f"{printable(self.path)}: {os_reason(error)}")


class TailConnection(OneWay):
    """Looks for what was appended, four times a second. At its end nothing is left: the file has it."""

    def __init__(self, tail: Tail, clock: Callable[[], int] = time.time_ns) -> None:
        self._tail = tail
        self._clock = clock

    async def reads(self) -> list[Read]:
        """The frames that were appended, waits for one. SourceDown where the file cannot be read."""
        tail, framer = self._tail, self._tail.framer
        if head := tail.head:
            tail.head = b""
            return [Read(self._clock(), [head])]
        while True:
            data, ended = await in_thread(tail.read)
            tail.go_on(len(data))
            frames = framer.end() if ended else framer.feed(data)
            if (refused := framer.take_refused()) or frames:
                return [Read(self._clock(), frames, refused)]
            if not data and not ended:
                await asyncio.sleep(POLL_SECONDS)


async def in_thread(work: Callable[[], Result]) -> Result:
    """What `work` gives, in a thread; where we are cancelled, not before it is done."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
