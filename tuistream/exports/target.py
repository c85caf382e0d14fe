"""Where an export goes: standard output, or a file that is there only once it is whole."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tuistream.core.errors import SettingsError, TuistreamError

BESIDE = ("-wal", "-shm", "-journal", "-lock")  # what SQLite and a recorder leave beside a file


class ExportError(TuistreamError):
    """What is exported cannot be written."""


@contextmanager
def whole_file(path: Path, sources: Sequence[Path], *, force: bool) -> Iterator[Path]:
    """A new name beside `path` to write to. When the block ends well it becomes `path`; otherwise nothing is left.

    Raises SettingsError where `path` is there already and `force` is not given, or is one of `sources`; ExportError
    for what goes wrong in the block with OSError.
    """
    _check(path, sources, force=force)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        _check(path, sources, force=force)
        part.replace(path)
    except OSError as error:
        raise ExportError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        for left in (part, *(part.with_name(part.name + end) for end in BESIDE)):
            with contextlib.suppress(OSError):
                left.unlink(missing_ok=True)


def _check(path: Path, sources: Sequence[Path], *, force: bool) -> None:
    if path.exists() and any(source.exists() and path.samefile(source) for source in sources):
        raise SettingsError(f"{path} is what is exported")
    if path.exists() and not (force and path.is_file()):
        raise SettingsError(f"{path} is there already{' and no file' if force else '; --force replaces it'}")


@contextmanager
def byte_stream(path: Path | None, sources: Sequence[Path], *, force: bool) -> Iterator[BinaryIO]:
    """The file at `path`, as `whole_file`, or standard output where that is None."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with whole_file(path, sources, force=force) as part, part.open("xb", buffering=1 << 20) as file:
        yield file
