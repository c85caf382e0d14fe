"""Frames behind their length, a big-endian unsigned number of four bytes."""

from __future__ import annotations

from typing import Final

from tuistream.framers.contract import SAMPLE, Refused

PREFIX: Final = 4  # bytes
LIMIT: Final = 64 << 20  # bytes of a frame


class LengthPrefixFramer:
    """Cuts a byte stream into frames of at most `limit` bytes. One that is longer is refused and passed over."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._held: list[bytes] = []  # parts of a prefix and its frame
        self._held_bytes = 0
        self._size = -1  # of the frame that has begun; -1 while its prefix is not complete
        self._to_pass_over = 0  # bytes
        self._refused: list[Refused] = []

    @property
    def held(self) -> int:
        """Bytes that wait for the rest of their frame."""
        return self._held_bytes

    def feed(self, chunk: bytes) -> list[bytes]:
        """The frames that end in `chunk`, oldest first."""
        frames: list[bytes] = []
        at = 0
        while at < len(chunk):
            if self._to_pass_over:
                passed = min(self._to_pass_over, len(chunk) - at)
                self._to_pass_over -= passed
                at += passed
                continue
            wanted = (PREFIX if self._size < 0 else self._size) - self._held_bytes
            part = chunk[at : at + wanted]
            at += len(part)
            self._held.append(part)
            self._held_bytes += len(part)
            if len(part) == wanted:
                self._complete(frames)
        return frames

    def end(self) -> list[bytes]:
        """No frames: one that has not ended is refused."""
        if self._held_bytes or self._size >= 0:
            self._refuse(b"".join(self._held)[:SAMPLE], f"a frame is cut short at {self._held_bytes:,} bytes")
        self._held, self._held_bytes, self._size, self._to_pass_over = [], 0, -1, 0
        return []

    def take_refused(self) -> list[Refused]:
        refused, self._refused = self._refused, []
        return refused

    def _complete(self, frames: list[bytes]) -> None:
        """All wanted bytes have come: those of a prefix or those of a frame."""
        whole = b"".join(self._held)
        self._held, self._held_bytes = [], 0
        if self._size >= 0:
            frames.append(whole)
            self._size = -1
            return
        size = int.from_bytes(whole, "big")
        if size > self._limit:
            self._refuse(whole, f"a frame of {size:,} bytes is over the limit of {self._limit:,} (--max-large)")
            self._to_pass_over = size
        elif size:
            self._size = size
        else:
            self._refuse(whole, "a frame of no bytes")

    def _refuse(self, what: bytes, why: str) -> None:
        self._refused.append((what, why))
