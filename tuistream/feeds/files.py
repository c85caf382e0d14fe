"""Recorded raw frames, read back from files: gzip or plain, in constant memory.

One frame a line, in the forms that are in use:

- `<time, ns> <frame>`: hftbacktest's collector, of Binance and others.
- `<time, s>: <frame>`: cryptofeed's raw captures; a frame that was binary is a Python bytes literal. Their lines
  `<url> <-> <time>` (opened), `<url> <- <time>: …` (sent) and `<url> -> <time>: …` are no frames that were received.
"""

from __future__ import annotations

import ast
import gzip
import re
import zlib
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from tuistream.core.text import printable

MAX_LINE = 16 << 20  # bytes; a longer line is no frame
BLOCK_FRAMES = 1_000
BLOCK_BYTES = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"
LATEST = 1 << 63  # ns

Payload = str | bytes
Note = Callable[[str], None]

_FRAME = re.compile(rb"(?:([0-9]{18,19}) |([0-9]{1,11})(?:\.([0-9]{1,9})[0-9]*)?: )")
_NOT_RECEIVED = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://\S+ (?:<->|<-|->) ")
_BYTES_LITERAL = re.compile(rb"b(['\"]).*\1", re.DOTALL)


@dataclass(frozen=True, slots=True)
class FrameBlock:
    """Frames of one file, in order. times: ns since 1970 UTC, as recorded. opens: these are the file's first.

    A payload is str where the frame was text and bytes where it was binary.
    """

    opens: bool
    times: list[int]
    payloads: list[Payload]


class FrameFiles:
    """Files that are replayed one after the other.

    Nothing in them is fatal: what cannot be read is counted, and `note` is told once for each file.
    """

    def __init__(self, paths: Sequence[Path], note: Note) -> None:
        self._paths = tuple(paths)
        self._note = note
        self._noted: set[tuple[Path, str]] = set()

    def blocks(self) -> Generator[FrameBlock]:
        """One pass over all files. Blocking."""
        for path in self._paths:
            yield from self._blocks_of(path)

    def _blocks_of(self, path: Path) -> Generator[FrameBlock]:
        opens = True
        times: list[int] = []
        payloads: list[Payload] = []
        size = 0
        with closing(self._frames_of(path)) as frames:
            for t, payload in frames:
                times.append(t)
                payloads.append(payload)
                size += len(payload)
                if len(times) >= BLOCK_FRAMES or size >= BLOCK_BYTES:
                    yield FrameBlock(opens, times, payloads)
                    opens, times, payloads, size = False, [], [], 0
        if times:
            yield FrameBlock(opens, times, payloads)

    def _frames_of(self, path: Path) -> Generator[tuple[int, Payload]]:
        read = unread = 0
        with closing(self._lines(path)) as lines:
            for number, line in enumerate(lines, 1):
                frame = read_frame(line)
                if frame is not None:
                    read += 1
                    yield frame
                elif not is_no_frame(line):
                    unread += 1
                    if unread == 1:
                        self._tell(path, "line", f"line {number:,} holds no frame; such lines are skipped")
        if not read:
            self._tell(path, "none", "no frame in it")
        elif unread:
            self._tell(path, "count", f"{unread:,} of {read + unread:,} lines hold no frame")

    def _lines(self, path: Path) -> Generator[bytes]:
        """The lines without their ends. One that is over MAX_LINE comes as b"?", which is no frame."""
        try:
            with open_plain_or_gzip(path) as file:
                while line := file.readline(MAX_LINE + 1):
                    if len(line) > MAX_LINE and not line.endswith(b"\n"):
                        while (rest := file.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                            pass
                        line = b"?"
                    yield line.rstrip(b"\r\n")
        except (OSError, EOFError, zlib.error) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self._tell(path, "end", f"reading ended early: {printable(reason)}")

    def _tell(self, path: Path, what: str, text: str) -> None:
        if (path, what) not in self._noted:
            self._noted.add((path, what))
            self._note(f"{printable(str(path))}: {text}")


def open_plain_or_gzip(path: Path) -> BinaryIO:
    """The file's bytes, decompressed if it starts as gzip does, whatever its name. Raises OSError."""
    with path.open("rb") as file:
        magic = file.read(len(GZIP_MAGIC))
    return cast(BinaryIO, gzip.open(path, "rb")) if magic == GZIP_MAGIC else path.open("rb")


def read_frame(line: bytes) -> tuple[int, Payload] | None:
    """Time (ns since 1970 UTC) and payload of a line, or None."""
    match = _FRAME.match(line)
    if match is None:
        return None
    ns, seconds, fraction = match.groups()
    t = int(ns) if ns else int(seconds) * 1_000_000_000 + int((fraction or b"").ljust(9, b"0"))
    payload = line[match.end() :]
    if t >= LATEST or not payload:
        return None
    try:
        if _BYTES_LITERAL.fullmatch(payload):
            value = ast.literal_eval(payload.decode("ascii"))
            return (t, value) if isinstance(value, bytes) else None
        return t, payload.decode("utf-8")
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def is_no_frame(line: bytes) -> bool:
    """Whether a line is one that a capture has besides what was received."""
    return not line.strip() or _NOT_RECEIVED.match(line) is not None
