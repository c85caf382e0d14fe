"""One writer a recording: a lock that dies with its process.

The lock is on a file beside the recording, `FILE-lock`; never on the recording itself, because closing any second
descriptor of that would drop SQLite's own POSIX locks. It holds three lines of text: the writer's pid, since when it
records (ns since 1970 UTC), and the name of the file that it writes. All files of a rotated recording have one lock,
that of its base.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

import msgspec

from tuistream.core.errors import RecordingError, RecordingLocked
from tuistream.store.segments import base_of

# Somebody who looks whether the lock is held holds it for a moment, and an owner that ends removes the file.
_TRIES = 10
_PAUSE = 0.02
_HOLDER_BYTES = 1_000
_LONGEST = 1 << 63
_LOCKED_BYTE = 1 << 20  # Windows: far behind the text, so that others can read that

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class Holder(msgspec.Struct, frozen=True):
    """Who writes: its pid (0: not known), since when (ns since 1970 UTC), and the name of the file, where known."""

    pid: int = 0
    since: int | None = None
    file: str = ""


def lock_path(path: Path) -> Path:
    """The lock of the recording at `path`, by whichever name: beside the real file, or beside a segment's base."""
    real = path.resolve()
    real = base_of(real) or real
    return real.with_name(f"{real.name}-lock")


class WriterLock:
    """The right to write the recording at `path`. `file`: the name of the one of its files that is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = ""
        self._since = time.time_ns()
        self._held: tuple[int, Path] | None = None  # the lock's file, open, and where it is

    def take(self) -> None:
        """Take the lock, if we have it not. Raises RecordingLocked, or RecordingError where it cannot be made."""
        if self._held is not None:
            if _is_at(*self._held):
                return
            self.release()  # somebody has removed the file: others would lock a new one
        try:
            file = lock_path(self.path)
            self.file = self.file or self.path.resolve().name
            for attempt in range(_TRIES):
                if self._try(file):
                    return
                if attempt + 1 < _TRIES:
                    time.sleep(_PAUSE)
            holder = _read(file)
        except OSError as error:
            raise RecordingError(f"cannot record into {self.path}: {error.strerror}") from error
        raise RecordingLocked(str(self.path), holder.pid or None, holder.since)

    def tell(self, file: str) -> None:
        """Say that it is `file` that is written from now on."""
        self.file = file
        if self._held is not None:
            self._write(self._held[0])

    def _try(self, file: Path) -> bool:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
        if not _lock(descriptor) or not _is_at(descriptor, file):
            os.close(descriptor)
            return False
        self._write(descriptor)
        self._held = descriptor, file
        return True

    def _write(self, descriptor: int) -> None:
        text = f"{os.getpid()}\n{self._since}\n{self.file}\n".encode("utf-8", "surrogateescape")
        # A full disk may have no room for the text; the lock itself holds all the same.
        with contextlib.suppress(OSError):
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, text)  # over what is there: whoever reads it meanwhile finds it whole
            os.truncate(descriptor, len(text))

    def release(self) -> None:
        """Give the lock back and remove its file."""
        held, self._held = self._held, None
        if held is None:
            return
        descriptor, file = held
        ours = _is_at(descriptor, file)
        if sys.platform == "win32":
            os.close(descriptor)
            if ours:
                _remove(file)
        else:
            # Removed while still locked: nobody can lock the file between the two and then lose it.
            if ours:
                _remove(file)
            os.close(descriptor)


def writer_of(path: Path) -> int | None:
    """The pid of the process that records into `path` now; 0 where it is not known, None where there is none.

    A segment that is written no more has no writer, even while its recording goes on in another.
    """
    holder = holder_of(path)
    if holder is None or (holder.file and base_of(path) is not None and holder.file != path.resolve().name):
        return None
    return holder.pid


def holder_of(path: Path) -> Holder | None:
    """Who records into the recording of which `path` is the file, the base or a segment; None where nobody does."""
    file = lock_path(path)
    try:
        descriptor = os.open(file, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    except OSError:
        return None
    try:
        if not _lock(descriptor):
            return _read(file)
    finally:
        os.close(descriptor)
    return None


def _is_at(descriptor: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), file.stat())
    except OSError:
        return False


def _read(file: Path) -> Holder:
    """What the lock's file says; one that a full disk cut short says less."""
    try:
        with file.open("rb") as opened:
            text = opened.read(_HOLDER_BYTES).decode("utf-8", "surrogateescape")
    except OSError:
        return Holder()
    pid, since, name, *_ = [*text.split("\n"), "", "", ""]
    numbers = [int(word) if word.isascii() and word.isdigit() else None for word in (pid, since)]
    return Holder(numbers[0] or 0, numbers[1] if (numbers[1] or _LONGEST) < _LONGEST else None, name)


def _remove(file: Path) -> None:
    # A read-only directory, or on Windows a process that looks at it: a lock that nobody holds hinders nobody.
    with contextlib.suppress(OSError):
        file.unlink()
