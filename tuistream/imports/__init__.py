"""Files of ticks that others wrote, read into batches: a file here is one format, and is called like it.

What a file is is told by how it begins, not by its name.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from tuistream.core.errors import RecordingError, SettingsError
from tuistream.core.text import printable

if TYPE_CHECKING:
    from tuistream.imports.contract import Progress, Reader, Wishes

CAPTURE: Final = "capture"
FORMATS: Final = ("arrow", CAPTURE, "csv", "database", "jsonl", "parquet", "recording")
HEAD_BYTES = 1 << 16

_SQLITE = b"SQLite format 3\x00"
_MAGIC: Final = ((b"PAR1", "parquet"), (b"ARROW1", "arrow"), (_SQLITE, "database"))


def open_reader(path: Path, wishes: Wishes, progress: Progress) -> Reader:
    """The reader of the file at `path`.

    Raises RecordingError where it cannot be read or tells nothing, SettingsError where it is not what `wishes` say.
    """
    name = format_of(path)
    module = importlib.import_module(f"{__name__}.{name}")
    try:
        return cast("Reader", module.open_reader(path, wishes, progress))
    except (RecordingError, SettingsError) as error:
        if path.name in str(error):
            raise
        raise type(error)(f"{printable(path.name)}: {error}") from error


def format_of(path: Path) -> str:
    """Which of `FORMATS` the file at `path` is. Raises RecordingError."""
    from tuistream.feeds.files import is_no_frame, read_frame
    from tuistream.imports.text import head_of

    try:
        if not path.is_file():
            raise RecordingError(f"{path} is not a file" if path.exists() else f"{path}: no such file")
        with path.open("rb") as file:
            begin = file.read(100)
    except OSError as error:
        raise RecordingError(f"cannot read {path}: {error.strerror}") from error
    found = next((name for magic, name in _MAGIC if begin.startswith(magic)), "")
    if found == "database":
        # The application_id in the file's header: https://sqlite.org/fileformat2.html#database_header
        return "recording" if begin[68:72] == b"tuis" else "database"
    if found:
        return found
    lines = [line for line in head_of(path, HEAD_BYTES).split(b"\n") if line.strip()]
    if not lines:
        raise RecordingError(f"{path} is empty")
    if all(is_no_frame(line) or read_frame(line) is not None for line in lines[:-1] or lines):
        return CAPTURE
    return "jsonl" if lines[0].lstrip(b"\xef\xbb\xbf \t").startswith((b"{", b"[")) else "csv"
