"""WebSocket messages out of a byte stream (RFC 6455, section 5.2): plain ones in bulk, the rest for a full parser."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tuistream.core.frames import Frames

_WHOLE = (0x81, 0x82)  # first byte of a text or binary message in one frame, without extension bits
_FIN, _OPCODE = 0x80, 0x0F
_CONTINUATION, _TEXT, _BINARY, _CLOSE = 0x0, 0x1, 0x2, 0x8
_LENGTH_16, _LENGTH_64, _MASKED = 126, 127, 0x80
_HANDSHAKE_END = b"\r\n\r\n"
_SWITCHING = b"HTTP/1.1 101"
_HANDSHAKE_LIMIT = 1 << 20
# An unfinished frame up to this length waits here for its rest; a longer one goes to the full parser in pieces,
# so that a huge one is not copied again with each read.
_KEPT = 1 << 16
# Frames of a chunk, if all were like its first, from which finding them all at once is cheaper. After a sleep, which
# empties the caches, the short loop over a few hundred costs less than the many functions of numpy.
_WORTH_IT = 512
_FEW = 16  # frames found at once; after so few or fewer the rest of the chunk is sliced one by one

Part = Sequence[bytes] | bytes


class FrameSlicer:
    """Cuts what a server sends into messages and into what a full parser must see, in order. No I/O.

    A message that is one unmasked, uncompressed frame of at most `limit` bytes is sliced. Everything else (the
    handshake, control frames, fragments, frames with extension bits, over-long and invalid ones) is passed on to
    the byte, in whole frames, so that what the full parser makes of it has its place among the rest.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._handshaking = True
        self._tail = b""  # the start of the handshake's answer, or of a frame
        self._owed = 0  # bytes of a frame that is being passed on
        self._in_fragments = False
        self._pass_all = False  # after a close frame, a masked one, or an answer that is no 101

    def feed(self, chunk: bytes) -> list[Part]:
        """Runs of messages (sequences) and stretches for the full parser (bytes), in the order of the wire."""
        parts: list[Part] = []
        at = 0
        if self._handshaking:
            at = self._handshake(chunk)
            parts.append(chunk[:at])
        if self._owed:
            end = min(len(chunk), at + self._owed)
            self._owed -= end - at
            parts.append(chunk[at:end])
            at = end
        if self._tail and not self._handshaking:
            chunk, at, self._tail = self._tail + chunk[at:], 0, b""
        if self._pass_all:
            if at < len(chunk):
                parts.append(chunk[at:])
        elif at < len(chunk):
            self._slice(chunk, at, parts)
        return parts

    def feed_alike(self, chunks: Sequence[bytes]) -> tuple[Frames, int] | None:
        """The messages of several chunks in one run, and where in its data the first chunk begins; None, and nothing
        done, where there is more in them than messages that are sliced.
        """
        if self._handshaking or self._owed or self._pass_all or self._in_fragments:
            return None
        data = b"".join((self._tail, *chunks))
        run = _Runs(data, 0, self._limit).starting(0) if _is_worth_it(data, 0) else None
        if run is None or not self._is_begun(data, int(run.ends[-1])):
            return None
        before, self._tail = len(self._tail), data[int(run.ends[-1]) :]
        return run, before

    def _is_begun(self, data: bytes, at: int) -> bool:
        """Whether there is from `at` on nothing, or the beginning of a message that will be sliced."""
        left = len(data) - at
        if left < 2:
            return not left or data[at] in _WHOLE
        start, length = at + 2, data[at + 1]
        if length >= _LENGTH_16:
            start, length = _long_length(data, at)
        waits = start > len(data) or length <= min(self._limit, _KEPT)
        return data[at] in _WHOLE and waits and start + length > len(data)

    def _handshake(self, chunk: bytes) -> int:
        """How much of `chunk` belongs to the handshake's answer."""
        before = len(self._tail)
        seen = self._tail + chunk
        end = seen.find(_HANDSHAKE_END)
        self._tail = b""
        if not seen.startswith(_SWITCHING[: len(seen)]) or len(seen) > _HANDSHAKE_LIMIT:
            self._handshaking, self._pass_all = False, True
            return len(chunk)
        if end < 0:
            self._tail = seen
            return len(chunk)
        self._handshaking = False
        return end + len(_HANDSHAKE_END) - before

    def _slice(self, chunk: bytes, at: int, parts: list[Part]) -> None:
        size = len(chunk)
        runs = _Runs(chunk, at, self._limit) if _is_worth_it(chunk, at) else None
        while at + 2 <= size:
            run = runs.starting(at) if runs and not self._in_fragments else None
            if run is not None:
                parts.append(run)
                at = int(run.ends[-1])
                if len(run) <= _FEW:
                    runs = None
                continue
            before = at
            at = self._slice_each(chunk, at, parts, until_odd=runs is not None)
            if at == before:
                break
        self._tail = chunk[at:]

    def _slice_each(self, chunk: bytes, at: int, parts: list[Part], until_odd: bool) -> int:
        """Slice frame by frame, to the end or to behind the first that is for the full parser; where that is."""
        messages: list[bytes] = []
        append, size, limit = messages.append, len(chunk), self._limit
        whole = () if self._in_fragments else _WHOLE
        while at + 2 <= size:
            first, length, start = chunk[at], chunk[at + 1], at + 2
            if length >= _LENGTH_16:
                start, length = _long_length(chunk, at)
                if start > size:
                    break
            end = start + length
            if end <= size and length <= limit and first in whole:
                append(chunk[start:end])
                at = end
                continue
            if end > size and length <= _KEPT and length <= limit and first in whole:
                break
            if messages:
                parts.append(messages)
                messages = []
                append = messages.append
            at = self._pass_on(chunk, at, end, first, parts)
            if until_odd:
                break
            whole = () if self._in_fragments else _WHOLE
        if messages:
            parts.append(messages)
        return at

    def _pass_on(self, chunk: bytes, at: int, end: int, first: int, parts: list[Part]) -> int:
        """Leave a frame to the full parser; where the next one begins."""
        size = len(chunk)
        opcode = first & _OPCODE
        if opcode == _CLOSE or chunk[at + 1] & _MASKED:
            self._pass_all = True
            parts.append(chunk[at:])
            return size
        if opcode in (_TEXT, _BINARY, _CONTINUATION):
            self._in_fragments = not first & _FIN
        parts.append(chunk[at : min(end, size)])
        self._owed = max(0, end - size)
        return min(end, size)


class _Runs:
    """The runs of plain frames in a chunk, found for all of it in one pass.

    Wherever the first byte of a plain frame occurs, one may begin. Which of these places are frames follows from a
    first that is known to be one: it is followed by the next exactly if that begins where it ends.
    """

    def __init__(self, chunk: bytes, at: int, limit: int) -> None:
        """at: where a frame begins; the others that are found begin with the same byte."""
        self._chunk = chunk
        size = len(chunk)
        cells = np.frombuffer(chunk, dtype=np.uint8)
        heads = (cells[at : size - 1] == cells[at]).nonzero()[0] + at
        starts = heads + 1
        told = cells[starts]
        starts += 1
        lengths = told.astype(np.int64)
        longest = int(np.maximum.reduce(told))
        if longest >= _LENGTH_16:
            long = told == _LENGTH_16
            # Where the length is cut off, the start lies past the chunk, and with it the end.
            high, low = (cells[np.minimum(heads[long] + byte, size - 1)].astype(np.int64) for byte in (2, 3))
            lengths[long] = high << 8 | low
            starts[long] += 2
        ends = starts + lengths
        self._plain = ends <= size
        if longest >= min(limit, _LENGTH_16):
            self._plain &= (lengths <= limit) & (told <= _LENGTH_16)
        self._followed = (heads[1:] == ends[:-1]) & self._plain[1:]
        self._heads, self._starts, self._ends = heads, starts, ends

    def starting(self, at: int) -> Frames | None:
        """The plain frames from the one at `at` on; None where there is none."""
        heads = self._heads
        first = int(heads.searchsorted(at))
        if first == len(heads) or heads[first] != at or not self._plain[first]:
            return None
        followed = self._followed[first:]
        broken = int(followed.argmin()) if len(followed) else 0  # the first False, or 0 where there is none
        last = len(heads) if len(followed) and followed[broken] else first + broken + 1
        run = slice(first, last)
        return Frames(self._chunk, heads[run], self._starts[run], self._ends[run])


def _is_worth_it(chunk: bytes, at: int) -> bool:
    left = len(chunk) - at
    return left > 2 * _WORTH_IT and chunk[at] in _WHOLE and left > _WORTH_IT * (2 + chunk[at + 1])


def _long_length(chunk: bytes, at: int) -> tuple[int, int]:
    """Where the payload of the frame at `at` starts (past the chunk where its length is cut off), and its length."""
    length = chunk[at + 1]
    if length & _MASKED:
        return at + 2, 1 << 63  # no server may mask: for the full parser to refuse
    size = 2 if length == _LENGTH_16 else 8
    start = at + 2 + size
    return start, int.from_bytes(chunk[at + 2 : start], "big")
