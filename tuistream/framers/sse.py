"""Server-sent events (WHATWG HTML, section 9.2.6) out of a byte stream: the data of each is a frame."""

from __future__ import annotations

import re
from typing import Final

from tuistream.framers.contract import SAMPLE, Refused

LIMIT: Final = 1 << 20  # bytes of an event's data, and of a line
LONGEST_RETRY: Final = 3_600_000  # ms
_END = re.compile(rb"\r\n|\n|\r(?!\Z)")  # a CR at the end of a read may be half of a CR LF
BOM = b"\xef\xbb\xbf"


class EventFramer:
    """Cuts an event stream into the data of its events. Comments and events with no data are left out.

    last_id: the newest id, to be sent as Last-Event-ID with the next connect. retry: ms that the producer wants a
    client to wait before it, or None.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.last_id = ""
        self.retry: int | None = None
        self._limit = limit
        self._begun = bytearray()  # of a line
        self._first = True
        self._data: list[bytes] = []
        self._size = 0
        self._passing_over_line = self._passing_over = False  # to the end of the event
        self._id = ""
        self._refused: list[Refused] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        """The data of the events that end in `chunk`, oldest first; lines of one event are joined with LF."""
        frames: list[bytes] = []
        if self._begun[-1:] == b"\r":  # held back: is it half of a CR LF?
            chunk, self._begun = b"\r" + chunk, self._begun[:-1]
        at = 0
        for end in _END.finditer(chunk):
            self._line(bytes(self._begun) + chunk[at : end.start()], frames)
            self._begun.clear()
            at = end.end()
        self._begun += memoryview(chunk)[at:]
        if len(self._begun) > self._limit + SAMPLE:
            self._refuse(bytes(self._begun[:SAMPLE]))
            self._passing_over_line = True
            self._begun = bytearray(self._begun[-1:] if self._begun[-1:] == b"\r" else b"")
        return frames

    def end(self) -> list[bytes]:
        """No frames: an event that no empty line ended is not one."""
        frames: list[bytes] = []
        if self._begun[-1:] == b"\r":
            self._line(bytes(self._begun[:-1]), frames)
        self._begun.clear()
        self._data, self._size, self._first = [], 0, True
        self._passing_over = self._passing_over_line = False
        return frames

    def take_refused(self) -> list[Refused]:
        refused, self._refused = self._refused, []
        return refused

    def _line(self, line: bytes, frames: list[bytes]) -> None:
        if self._first:
            self._first = False
            line = line.removeprefix(BOM)
        if self._passing_over_line:
            self._passing_over_line = False
            return
        if not line:
            self._dispatch(frames)
            return
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._take(value)
        elif name == b"id" and b"\x00" not in value:
            self._id = value[:SAMPLE].decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit() and len(value) < 10:
            self.retry = min(int(value), LONGEST_RETRY)

    def _take(self, value: bytes) -> None:
        self._size += len(value) + 1
        if self._size - 1 > self._limit:
            self._refuse(self._data[0] if self._data else value)
        elif not self._passing_over:
            self._data.append(value)

    def _dispatch(self, frames: list[bytes]) -> None:
        self.last_id = self._id
        if self._data and not self._passing_over and (data := b"\n".join(self._data)):
            frames.append(data)
        self._data, self._size, self._passing_over = [], 0, False

    def _refuse(self, sample: bytes) -> None:
        """An event is too long: once, whatever more of it comes."""
        if not self._passing_over:
            why = f"an event is over the limit of {self._limit:,} bytes (--max-frame)"
            self._refused.append((sample[:SAMPLE], why))
        self._passing_over = True
        self._data = []
