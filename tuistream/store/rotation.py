"""When a recording goes on in a new file, and which of its files are removed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from tuistream.core.errors import RecordingError
from tuistream.store.opening import check_recording, wal_path
from tuistream.store.segments import segments_of, started


class Rotation(msgspec.Struct, frozen=True):
    """every: ns, counted from 1970 UTC, so that a day is a UTC day; size: bytes. 0: does not matter."""

    every: int = 0
    size: int = 0

    def due(self, began: int, now: int, size: int) -> str:
        """Why a file that began then (ns since 1970 UTC) and has `size` bytes is to be followed by another, or ""."""
        if self.every and now // self.every > began // self.every:
            return "time"
        return "size" if self.size and size >= self.size else ""


class Retention(msgspec.Struct, frozen=True):
    """age: ns for which a file is kept after its last tick; size: bytes of all files. 0: does not matter."""

    age: int = 0
    size: int = 0


def file_size(path: Path) -> int:
    """Bytes of the file at `path` and of its WAL; 0 where there is none."""
    size = 0
    for file in (path, wal_path(path)):
        with contextlib.suppress(OSError):
            size += file.stat().st_size
    return size


def surplus(files: Sequence[Path], sizes: Sequence[int], retention: Retention, now: int) -> Iterator[Path]:
    """Which of a recording's `files`, oldest first, are to be removed. Never the newest, which is written.

    Only segments that are recordings: what else is called like one, and a base from before rotation, is counted and
    stays. A file ends where the next one begins. `now`: ns since 1970 UTC.
    """
    total = sum(sizes)
    for path, size, following in zip(files, sizes, files[1:], strict=False):
        ended = started(following)
        if started(path) is None or ended is None:
            continue
        old = bool(retention.age) and now - ended > retention.age
        if (old or (retention.size and total > retention.size)) and _is_recording(path):
            total -= size
            yield path


def remove_surplus(base: Path, current: Path, retention: Retention, now: int) -> list[tuple[Path, int]]:
    """Remove what `retention` does not keep of the recording at `base`, whose file `current` is being written.

    Returns what was removed, and its bytes. The caller holds the recording's lock. Raises OSError.
    """
    files = [path for path in (base, *segments_of(base)) if path.is_file()]
    if current not in files:
        return []  # moved or removed under our hands: which file is the newest is not known
    files = files[: files.index(current) + 1]
    sizes = [file_size(path) for path in files]
    removed = []
    for path in surplus(files, sizes, retention, now):
        removed.append((path, sizes[files.index(path)]))
        for file in (path, wal_path(path), path.with_name(f"{path.name}-shm")):
            file.unlink(missing_ok=True)
    return removed


def _is_recording(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    try:
        check_recording(path)
    except RecordingError:
        return False
    return True
