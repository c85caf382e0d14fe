"""The files of a recording that is rotated: which there are, and what they are called.

A recording that is rotated is called by its base, `DIR/NAME.db`. Its files, the segments, are named after the time at
which each begins, `DIR/NAME.20261121T140000Z.db`, and never renamed: a reader that has one open, and its WAL, stay
what they are. A base that was written before rotation was asked for is the first of the files.

What is left of segments whose ticks were removed and whose rollups are kept is a file named after the first and the
last of them, `DIR/NAME.20261101T000000Z_20261101T230000Z.db`. From the moment that it has this name it stands for all
segments that begin between these two, whichever of them are still there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tuistream.core.errors import RecordingError

# Of a segment, without its suffix.
_NAME = re.compile(r"(.+)\.(\d{8}T\d{6}Z)(?:-(\d{1,9}))?(?:_(\d{8}T\d{6}Z)(?:-(\d{1,9}))?)?")
_FORMAT = "%Y%m%dT%H%M%SZ"
_SECOND = 1_000_000_000


class _Place(NamedTuple):
    """When a segment begins (ns since 1970 UTC), and which of those of one second it is."""

    start: int
    number: int

    def __str__(self) -> str:
        stamp = datetime.fromtimestamp(self.start // _SECOND, UTC).strftime(_FORMAT)
        return f"{stamp}{f'-{self.number}' if self.number > 1 else ''}"


class _Name(NamedTuple):
    """What a file's name says. last: of one that stands for segments, where the last of them begins."""

    stem: str
    first: _Place
    last: _Place | None

    @property
    def newest(self) -> _Place:
        return self.last or self.first


def segment_path(base: Path, start: int, number: int = 1) -> Path:
    """The file of `base` that begins at `start` (ns since 1970 UTC); `number` tells those of one second apart."""
    base = _real(base)
    return base.with_name(f"{base.stem}.{_Place(start, number)}{base.suffix}")


def thinned_path(files: Sequence[Path]) -> Path:
    """What the file is called that is to stand for `files`, segments of one recording, oldest first."""
    first, last = _parts(files[0]), _parts(files[-1])
    if first is None or last is None:
        raise ValueError("only what is called a segment can be stood for")
    return files[0].with_name(f"{first.stem}.{first.first}_{last.newest}{files[0].suffix}")


def stands_for_others(path: Path) -> bool:
    """Whether `path` is called as what is left of segments."""
    parts = _parts(path)
    return parts is not None and parts.last is not None


def base_of(path: Path) -> Path | None:
    """The base of which `path` is called a segment, None where it is not called so."""
    parts = _parts(path)
    return path.with_name(parts.stem + path.suffix) if parts else None


def started(path: Path) -> int | None:
    """When the segment at `path` begins, by its name: ns since 1970 UTC; None where it is not called a segment."""
    parts = _parts(path)
    return parts.first.start if parts else None


def following(base: Path, now: int) -> Path:
    """The segment that may begin `now`: it comes after all that are there, also where the clock went back."""
    place = _Place(now // _SECOND * _SECOND, 1)
    newest = [parts.newest for path in segments_of(base)[-1:] if (parts := _parts(path))]
    if newest and newest[0].start >= place.start:
        place = _Place(newest[0].start, newest[0].number + 1)
    return segment_path(base, *place)


def segments_of(base: Path) -> list[Path]:
    """The segments of `base`, oldest first, without the file `base` itself, and those that others stand for.

    Raises OSError.
    """
    return _segments(base)[0]


def remains_of(base: Path) -> list[Path]:
    """The segments of `base` that others stand for: a crash left them. Raises OSError."""
    return _segments(base)[1]


def _segments(base: Path) -> tuple[list[Path], list[Path]]:
    base = _real(base)
    if not base.parent.is_dir():
        return [], []
    found = []
    for path in base.parent.iterdir():
        if path.suffix == base.suffix and path.stem.startswith(base.stem + "."):
            parts = _parts(path)
            if parts is not None and parts.stem == base.stem:
                found.append((parts, path))
    # Of those that begin together that which stands for most is first.
    found.sort(key=lambda each: (each[0].first, [-part for part in each[0].newest], each[0].last is None))
    segments: list[Path] = []
    remains: list[Path] = []
    until = _Place(-1, 0)
    for parts, path in found:
        (remains if parts.newest <= until else segments).append(path)
        until = max(until, parts.last or until)
    return segments, remains


def _parts(path: Path) -> _Name | None:
    """What the name of a segment says; None where `path` is not called one."""
    match = _NAME.fullmatch(path.stem)
    if match is None:
        return None
    try:
        first = _place(match[2], match[3])
        return _Name(match[1], first, _place(match[4], match[5]) if match[4] else None)
    except ValueError:  # a 31st of February
        return None


def _place(stamp: str, number: str | None) -> _Place:
    start = datetime.strptime(stamp, _FORMAT).replace(tzinfo=UTC)
    return _Place(int(start.timestamp()) * _SECOND, int(number or 1))


def _real(base: Path) -> Path:
    """The segments of a base that is a link are beside the file that it leads to."""
    return base.resolve() if base.is_symlink() else base


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files that the recordings at `paths` consist of, each recording's oldest first, none twice.

    Raises RecordingError for a path that is neither a file nor the base of segments.
    """
    files: dict[Path, None] = {}
    for path in paths:
        try:
            found = segments_of(path)
            if path.is_file() or not found:
                found.insert(0, path)
            if not found[0].exists():
                raise RecordingError(f"{path}: no such file")
        except OSError as error:
            raise RecordingError(f"cannot read {path}: {error.strerror}") from error
        files.update(dict.fromkeys(found))
    return list(files)
