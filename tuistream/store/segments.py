"""The files of a recording that is rotated: which there are, and what they are called.

A recording that is rotated is called by its base, `DIR/NAME.db`. Its files, the segments, are named after the time at
which each begins, `DIR/NAME.20261121T140000Z.db`, and never renamed: a reader that has one open, and its WAL, stay
what they are. A base that was written before rotation was asked for is the first of the files.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tuistream.core.errors import RecordingError

_NAME = re.compile(r"(.+)\.(\d{8}T\d{6}Z)(?:-(\d{1,9}))?")  # of a segment, without its suffix
_FORMAT = "%Y%m%dT%H%M%SZ"
_SECOND = 1_000_000_000


def segment_path(base: Path, start: int, number: int = 1) -> Path:
    """The file of `base` that begins at `start` (ns since 1970 UTC); `number` tells those of one second apart."""
    base = _real(base)
    stamp = datetime.fromtimestamp(start // _SECOND, UTC).strftime(_FORMAT)
    return base.with_name(f"{base.stem}.{stamp}{f'-{number}' if number > 1 else ''}{base.suffix}")


def base_of(path: Path) -> Path | None:
    """The base of which `path` is called a segment, None where it is not called so."""
    parts = _parts(path)
    return path.with_name(parts[0] + path.suffix) if parts else None


def started(path: Path) -> int | None:
    """When the segment at `path` begins, by its name: ns since 1970 UTC; None where it is not called a segment."""
    parts = _parts(path)
    return parts[1] if parts else None


def following(base: Path, now: int) -> Path:
    """The segment that may begin `now`: it comes after all that are there, also where the clock went back."""
    start, number = now // _SECOND * _SECOND, 1
    newest = [parts for path in segments_of(base)[-1:] if (parts := _parts(path))]
    if newest and newest[0][1] >= start:
        _stem, start, number = newest[0]
        number += 1
    return segment_path(base, start, number)


def segments_of(base: Path) -> list[Path]:
    """The segments of `base`, oldest first, without the file `base` itself. Raises OSError."""
    base = _real(base)
    if not base.parent.is_dir():
        return []
    found = []
    for path in base.parent.iterdir():
        if path.suffix == base.suffix and path.stem.startswith(base.stem + "."):
            parts = _parts(path)
            if parts is not None and parts[0] == base.stem:
                found.append((parts[1:], path))
    return [path for _order, path in sorted(found)]


def _parts(path: Path) -> tuple[str, int, int] | None:
    """The stem of the base, the start and the number that a segment's name consists of."""
    match = _NAME.fullmatch(path.stem)
    if match is None:
        return None
    try:
        start = datetime.strptime(match[2], _FORMAT).replace(tzinfo=UTC)
    except ValueError:  # a 31st of February
        return None
    return match[1], int(start.timestamp()) * _SECOND, int(match[3] or 1)


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
