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

_STAMP = re.compile(r"\.(\d{8}T\d{6}Z)(?:-(\d+))?$")


def segment_path(base: Path, start: int, number: int = 1) -> Path:
    """The file of `base` that begins at `start` (ns since 1970 UTC); `number` tells those of one second apart."""
    stamp = datetime.fromtimestamp(start // 1_000_000_000, UTC).strftime("%Y%m%dT%H%M%SZ")
    return base.with_name(f"{base.stem}.{stamp}{f'-{number}' if number > 1 else ''}{base.suffix}")


def segments_of(base: Path) -> list[Path]:
    """The segments of `base`, oldest first, without the file `base` itself. Raises OSError."""
    if not base.parent.is_dir():
        return []
    found = []
    for path in base.parent.iterdir():
        if path.suffix == base.suffix and path.stem.startswith(base.stem + "."):
            match = _STAMP.fullmatch(path.stem[len(base.stem) :])
            if match is not None:
                found.append(((match[1], int(match[2] or 1)), path))
    return [path for _order, path in sorted(found)]


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
