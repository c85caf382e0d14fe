"""The parts of `multipart/x-mixed-replace`, as cameras send motion JPEG over HTTP: each replaces the one before.

Format: RFC 2046, 5.1; what cameras make of it (a boundary with its dashes in the header, parts without a length,
lines that end in LF alone) is taken, too.
"""

from __future__ import annotations

import re
from typing import Final

from tuistream.framers.contract import SAMPLE, Refused

LIMIT: Final = 4 << 20  # bytes of a part
HEAD_LIMIT: Final = 8_192  # of its headers
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_LENGTH: Final = re.compile(rb"^content-length:[ \t]*(\d{1,12})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_BOUNDARY: Final = re.compile(r'boundary="?([^";,]{1,200})', re.IGNORECASE)


def boundary_of(content_type: str) -> bytes:
    """The boundary that a header tells, without its dashes; b"" where it tells none."""
    found = _BOUNDARY.search(content_type)
    return found[1].strip().lstrip("-").encode("utf-8", "replace") if found else b""


class MixedReplaceFramer:
    """Cuts a body into its parts, without their headers; empty ones are left out. A longer one is passed over."""

    def __init__(self, boundary: bytes, limit: int = LIMIT) -> None:
        """boundary: as `boundary_of` gives it, not empty."""
        self._delimiter = b"--" + boundary
        self._limit = limit
        self._buffer = bytearray()
        self._inside = False  # the headers of a part are over
        self._length = -1  # of the part, where its headers tell it
        self._scanned = 0  # bytes of the buffer that hold no delimiter
        self._passing = 0  # bytes that are still to be passed over
        self._refused: list[Refused] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        """The parts that end in `chunk`, oldest first."""
        self._buffer += chunk
        parts = []
        while (part := self._next()) is not None:
            if part:
                parts.append(part)
        return parts

    def end(self) -> list[bytes]:
        """Nothing: a part that nothing ended may be half a picture."""
        self._buffer.clear()
        self._inside, self._length, self._scanned, self._passing = False, -1, 0, 0
        return []

    def take_refused(self) -> list[Refused]:
        refused, self._refused = self._refused, []
        return refused

    def _next(self) -> bytes | None:
        """The next part; b"" where there is something else, None where more must come."""
        if self._passing:
            count = min(self._passing, len(self._buffer))
            del self._buffer[:count]
            self._passing -= count
            return None if self._passing else b""
        if not self._inside:
            return self._head()
        return self._body() if self._length < 0 else self._body_of_length()

    def _head(self) -> bytes | None:
        buffer = self._buffer
        at = buffer.find(self._delimiter)
        if at < 0:
            del buffer[: max(0, len(buffer) - len(self._delimiter))]
            return None
        del buffer[:at]
        end = _HEAD_END.search(buffer, 0, HEAD_LIMIT)
        if end is None:
            if len(buffer) < HEAD_LIMIT:
                return None
            self._refuse("the headers of a part are", HEAD_LIMIT)
            del buffer[: len(self._delimiter)]
            return b""
        length = _LENGTH.search(buffer, 0, end.end())
        self._length = int(length[1]) if length else -1
        self._inside, self._scanned = True, 0
        del buffer[: end.end()]
        return b""

    def _body_of_length(self) -> bytes | None:
        if self._length > self._limit:
            self._refuse("a part is", self._limit)
            self._passing, self._inside = self._length, False
            return b""
        if len(self._buffer) < self._length:
            return None
        part = bytes(self._buffer[: self._length])
        del self._buffer[: self._length]
        self._inside = False
        return part

    def _body(self) -> bytes | None:
        buffer = self._buffer
        at = buffer.find(self._delimiter, self._scanned)
        if at < 0:
            self._scanned = max(0, len(buffer) - len(self._delimiter))
            if len(buffer) <= self._limit + len(self._delimiter):
                return None
            self._refuse("a part is", self._limit)
            del buffer[: self._scanned]
            self._inside = False
            return b""
        part = bytes(buffer[:at]).rstrip(b"-").removesuffix(b"\n").removesuffix(b"\r")
        del buffer[:at]
        self._inside = False
        if len(part) > self._limit:
            self._refuse("a part is", self._limit)
            return b""
        return part

    def _refuse(self, what: str, limit: int) -> None:
        self._refused.append((bytes(self._buffer[:SAMPLE]), f"{what} over the limit of {limit:,} bytes"))
