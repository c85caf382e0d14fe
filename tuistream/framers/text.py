"""A byte stream that holds JSON objects or lines, or a document: which of them, its beginning tells."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from tuistream.framers.contract import SAMPLE, Framer, Refused
from tuistream.framers.lines import LineFramer
from tuistream.framers.objects import ObjectFramer

LIMIT: Final = 1 << 20  # bytes of an object or a line
BOM = b"\xef\xbb\xbf"
_IGNORED = b" \t\r\n\x00\x1e"
_LOOKED_AT = 1 << 12  # bytes of a first line in which objects are looked for
_BACK_TO_BACK = re.compile(rb'\}\s*\{\s*"')  # a first line that begins amid an object, as a late listener hears it


class TextFramer:
    """Cuts a byte stream into JSON objects if it begins with a `{`, else into lines. limit: bytes of each."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._framer: Framer | None = None
        self._begun = b""
        self._refused: list[Refused] = []  # by a framer that has ended

    def feed(self, chunk: bytes) -> list[bytes]:
        """The frames that end in `chunk`, oldest first."""
        if self._framer is None:
            chunk, self._begun = self._begun + chunk, b""
            if BOM.startswith(chunk[: len(BOM)]) and len(chunk) < len(BOM):
                self._begun = chunk
                return []
            chunk = chunk.removeprefix(BOM).lstrip(_IGNORED)
            if not chunk:
                return []
            self._framer = self._chosen(chunk)
            if self._framer is None:
                self._begun = chunk
                return []
        return self._framer.feed(chunk)

    def end(self) -> list[bytes]:
        """The frames that the end of the stream ends."""
        framer, begun = self._framer or LineFramer(self._limit), self._begun
        self._framer, self._begun = None, b""
        frames = framer.feed(begun) + framer.end()
        self._refused += framer.take_refused()
        return frames

    def take_refused(self) -> list[Refused]:
        refused, self._refused = self._refused, []
        return refused + self._framer.take_refused() if self._framer else refused

    def _chosen(self, beginning: bytes) -> Framer | None:
        """None where the beginning does not tell yet."""
        if beginning[:1] == b"{":
            return ObjectFramer(self._limit)
        line, newline, _ = beginning.partition(b"\n")
        if _BACK_TO_BACK.search(line[:_LOOKED_AT]):
            return ObjectFramer(self._limit)
        return LineFramer(self._limit) if newline or len(line) >= _LOOKED_AT else None


class DocumentFramer:
    """As TextFramer, but where a `[` is the beginning, all until the end is one frame, if it is one JSON array."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._text = TextFramer(limit)
        self._begun = bytearray()  # an array, or what does not tell yet
        self._is_array: bool | None = None
        self._refused: list[Refused] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        """The frames that end in `chunk`, oldest first."""
        if self._is_array is None:
            chunk = (bytes(self._begun) + chunk).lstrip(_IGNORED + BOM)
            self._begun.clear()
            self._is_array = chunk[:1] == b"[" if chunk else None
        if self._is_array is False:
            return self._text.feed(chunk)
        if len(self._begun) <= self._limit:
            self._begun += chunk
        return []

    def end(self) -> list[bytes]:
        """The frames that the end of the document ends."""
        body, is_array = bytes(self._begun), self._is_array
        self._begun.clear()
        self._is_array = None
        if len(body) > self._limit:
            why = f"a document is over the limit of {self._limit:,} bytes (--max-frame)"
            self._refused.append((body[:SAMPLE], why))
            return []
        if is_array and _is_json(body):
            return [body]
        return self._text.feed(body) + self._text.end()

    def take_refused(self) -> list[Refused]:
        refused, self._refused = self._refused, []
        return refused + self._text.take_refused()


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
