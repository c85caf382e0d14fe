"""When a recording goes on in a new file, and which of its files are removed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from tuistream.core.durations import UNITS
from tuistream.core.errors import RecordingError
from tuistream.store.opening import check_recording, wal_path
from tuistream.store.segments import remains_of, segments_of, stands_for_others, started

FOREVER: Final = 1 << 62


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
    """age: ns for which a file is kept after its last tick; size: bytes of all files. 0: does not matter.

    rollups: ns for which the rollups are kept after its last tick; 0: they go with the ticks.
    """

    age: int = 0
    size: int = 0
    rollups: int = 0


class Removed(NamedTuple):
    """What became of a file of `size` bytes. kept: where its rollups are now. failure: why it is still there."""

    path: Path
    size: int
    kept: Path | None = None
    failure: str = ""


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
    stays. A file ends where the next one begins. Where rollups are kept, files of rollups only are the last to make
    room. now: ns since 1970 UTC.
    """
    total = sum(sizes)
    for of_rollups in (False, True):
        for path, size, following in zip(files, sizes, files[1:], strict=False):
            ended = started(following)
            if started(path) is None or ended is None or _is_of_rollups(path, retention) != of_rollups:
                continue
            age = max(retention.age, retention.rollups) if of_rollups else retention.age
            old = bool(age) and now - ended > age
            if (old or (retention.size and total > retention.size)) and _is_recording(path):
                total -= size
                yield path


def _is_of_rollups(path: Path, retention: Retention) -> bool:
    return bool(retention.rollups) and stands_for_others(path)


def remove_surplus(base: Path, current: Path, retention: Retention, now: int) -> list[Removed]:
    """Remove what `retention` does not keep of the recording at `base`, whose file `current` is being written.

    Returns what was removed, and what should have been. The caller holds the recording's lock. Raises OSError.
    """
    for path in remains_of(base):
        if path != current and _is_recording(path):
            _remove(path)
    files = [path for path in (base, *segments_of(base)) if path.is_file()]
    if current not in files:
        return []  # moved or removed under our hands: which file is the newest is not known
    files = files[: files.index(current) + 1]
    sizes = dict(zip(files, map(file_size, files), strict=True))
    removed: list[Removed] = []
    wanted = list(surplus(files, list(sizes.values()), retention, now))
    for path in wanted:
        if not retention.rollups or stands_for_others(path):
            _remove(path)
            removed.append(Removed(path, sizes[path]))
    for group in _groups(files, {path for path in wanted if path not in {each.path for each in removed}}):
        removed += _thinned(group, sizes, now)
    return removed


def _groups(files: Sequence[Path], wanted: set[Path]) -> Iterator[list[Path]]:
    """Those of `files`, oldest first, that are to become one file of rollups: of one UTC day, next to one another.

    One of rollups is among them where it is before others of its day.
    """
    from tuistream.store.thinning import MOST_FILES

    group: list[Path] = []
    for path in files:
        day = (started(path) or 0) // UNITS["d"]
        same_day = bool(group) and (started(group[0]) or 0) // UNITS["d"] == day and len(group) < MOST_FILES
        if group and not (path in wanted and same_day):
            if wanted & set(group):
                yield group
            group = []
        if path in wanted or (stands_for_others(path) and path.is_file()):
            group.append(path)
    if wanted & set(group):
        yield group


def _thinned(group: list[Path], sizes: dict[Path, int], now: int) -> Iterator[Removed]:
    """Have one file of rollups stand for those of `group`; for each its own where that fails."""
    from tuistream.store.thinning import thin

    try:
        kept = thin(group, now)
    except (RecordingError, OSError) as error:
        if len(group) > 1:
            for path in group:
                if not stands_for_others(path):
                    yield from _thinned([path], sizes, now)
            return
        yield Removed(group[0], sizes[group[0]], failure=str(error))
        return
    for path in group:
        if path != kept:
            _remove(path)
        if not stands_for_others(path):
            yield Removed(path, sizes[path], kept)


def _remove(path: Path) -> None:
    for file in (path, wal_path(path), path.with_name(f"{path.name}-shm")):
        file.unlink(missing_ok=True)


def _is_recording(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    try:
        check_recording(path)
    except RecordingError:
        return False
    return True
