"""Lines of text in a byte stream, ended by LF or CR LF."""

from __future__ import annotations

from typing import Final

from tuistream.framers.contract import SAMPLE, Refused

LIMIT: Final = 1 << 20  # bytes of a line


class LineFramer:
    """Cuts a byte stream into lines of at most `limit` bytes, without their ends; empty ones are left out.

    A longer line is refused, and passed over to its end.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._begun: list[bytes] = []  # of a line that has not ended
        self._size = 0
        self._passing_over = False
        self._refused: list[Refused] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that end in `chunk`, oldest first."""
        lines = chunk.split(b"\n")
        rest = lines.pop()
        if lines and (self._begun or self._passing_over):
            lines[0] = b"" if self._passing_over else b"".join((*self._begun, lines[0]))
            self._begun, self._size, self._passing_over = [], 0, False
        if b"\r" in chunk or (lines and lines[0].endswith(b"\r")):
            lines = [line.removesuffix(b"\r") for line in lines]
        lines = self._within(lines)
        self._keep(rest)
        return lines

    def end(self) -> list[bytes]:
        """The last line, where nothing ended it."""
        lines = self._within([b"".join(self._begun).removesuffix(b"\r")])
        self._begun, self._size, self._passing_over = [], 0, False
        return lines

    def take_refused(self) -> list[Refused]:
        refused, self._refused = self._refused, []
        return refused

    def _keep(self, rest: bytes) -> None:
        if self._passing_over or not rest:
            return
        self._begun.append(rest)
        self._size += len(rest)
        if self._size > self._limit + 1:  # a CR may belong to the end
            self._refuse(b"".join(self._begun))
            self._begun, self._size, self._passing_over = [], 0, True

    def _within(self, lines: list[bytes]) -> list[bytes]:
        """Those that are not empty and not too long."""
        limit = self._limit
        for line in lines:
            if len(line) > limit:
                self._refuse(line)
        return [line for line in lines if 0 < len(line) <= limit]

    def _refuse(self, line: bytes) -> None:
        self._refused.append((line[:SAMPLE], f"a line is over the limit of {self._limit:,} bytes (--max-frame)"))
