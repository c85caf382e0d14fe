"""WebSocket messages out of a byte stream (RFC 6455, section 5.2): plain ones in bulk, the rest for a full parser."""

from __future__ import annotations

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

Part = list[bytes] | bytes


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
        """Runs of messages (lists) and stretches for the full parser (bytes), in the order of the wire."""
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
            whole = () if self._in_fragments else _WHOLE
        if messages:
            parts.append(messages)
        self._tail = chunk[at:]

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


def _long_length(chunk: bytes, at: int) -> tuple[int, int]:
    """Where the payload of the frame at `at` starts (past the chunk where its length is cut off), and its length."""
    length = chunk[at + 1]
    if length & _MASKED:
        return at + 2, 1 << 63  # no server may mask: for the full parser to refuse
    size = 2 if length == _LENGTH_16 else 8
    start = at + 2 + size
    return start, int.from_bytes(chunk[at + 2 : start], "big")
