"""Files of text: plain, gzip, or the one file in a zip archive."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from tuistream.core.errors import RecordingError
from tuistream.core.text import printable

_ZIP = b"PK\x03\x04"


@contextmanager
def unpacked(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The bytes of the file, unpacked, and the file whose `tell` says how far it is read.

    Raises RecordingError, also for what goes wrong while the block reads from them.
    """
    try:
        with path.open("rb") as packed:
            begin = packed.read(4)
            packed.seek(0)
            if begin == _ZIP:
                with zipfile.ZipFile(packed) as archive, archive.open(_only_file(archive, path)) as inner:
                    yield cast(BinaryIO, inner), packed
            elif begin[:2] == b"\x1f\x8b":
                import gzip

                with gzip.GzipFile(fileobj=packed) as inner_gzip:
                    yield cast(BinaryIO, inner_gzip), packed
            else:
                yield packed, packed
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise RecordingError(f"cannot read {path}: {printable(str(error))}") from error


def _only_file(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    files = [each for each in archive.infolist() if not each.is_dir()]
    if len(files) != 1:
        raise RecordingError(f"{path} holds {len(files):,} files; unpack it and name those that are meant")
    return files[0]


def head_of(path: Path, size: int) -> bytes:
    """The first `size` bytes of the file, unpacked. Raises RecordingError."""
    with unpacked(path) as (data, _):
        return data.read(size)


def as_text(data: BinaryIO) -> io.TextIOWrapper:
    """`data` as UTF-8, line ends as they are; what is no UTF-8 as �."""
    return io.TextIOWrapper(data, "utf-8-sig", "replace", newline="")
