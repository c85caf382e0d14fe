"""One writer a recording: a lock that dies with its process.

The lock is on a file beside the recording, `FILE-lock`, which holds the writer's pid as text; never on the
recording itself, because closing any second descriptor of that would drop SQLite's own POSIX locks.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

from tuistream.core.errors import RecordingError, RecordingLocked

# Somebody who looks whether the lock is held holds it for a moment, and an owner that ends removes the file.
_TRIES = 10
_PAUSE = 0.02
_PID_BYTES = 20
_LOCKED_BYTE = 1 << 20  # Windows: far behind the pid, so that others can read that

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


def lock_path(path: Path) -> Path:
    """The lock of the recording at `path`, by whichever name: beside the real file."""
    real = path.resolve()
    return real.with_name(f"{real.name}-lock")


class WriterLock:
    """The right to write the recording at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held: tuple[int, Path] | None = None  # the lock's file, open, and where it is

    def take(self) -> None:
        """Take the lock, if we have it not. Raises RecordingLocked, or RecordingError where it cannot be made."""
        if self._held is not None:
            if _is_at(*self._held):
                return
            self.release()  # somebody has removed the file: others would lock a new one
        try:
            file = lock_path(self.path)
            for attempt in range(_TRIES):
                if self._try(file):
                    return
                if attempt + 1 < _TRIES:
                    time.sleep(_PAUSE)
            pid = _read_pid(file)
        except OSError as error:
            raise RecordingError(f"cannot record into {self.path}: {error.strerror}") from error
        raise RecordingLocked(str(self.path), pid)

    def _try(self, file: Path) -> bool:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
        if not _lock(descriptor) or not _is_at(descriptor, file):
            os.close(descriptor)
            return False
        # A full disk may have no room for the pid; the lock itself holds all the same.
        with contextlib.suppress(OSError):
            os.truncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
        self._held = descriptor, file
        return True

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
    """The pid of the process that records into `path` now; 0 where it is not known, None where there is none."""
    file = lock_path(path)
    try:
        descriptor = os.open(file, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    except OSError:
        return None
    try:
        if not _lock(descriptor):
            return _read_pid(file) or 0
    finally:
        os.close(descriptor)
    return None


def _is_at(descriptor: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), file.stat())
    except OSError:
        return False


def _read_pid(file: Path) -> int | None:
    try:
        with file.open("rb") as opened:
            return int(opened.read(_PID_BYTES))
    except (OSError, ValueError):
        return None


def _remove(file: Path) -> None:
    # A read-only directory, or on Windows a process that looks at it: a lock that nobody holds hinders nobody.
    with contextlib.suppress(OSError):
        file.unlink()
