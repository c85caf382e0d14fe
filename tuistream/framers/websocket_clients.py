"""WebSocket messages out of what a client sends (RFC 6455, section 5.2): plain ones at once, others for a parser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

Part = Sequence[bytes] | bytes
Unmask = Callable[[bytes, bytes], bytes]

_WHOLE: Final = (0x81, 0x82)  # first byte of a text or binary message in one frame, without extension bits
_FIN, _OPCODE, _MASKED, _LENGTH = 0x80, 0x0F, 0x80, 0x7F
_CONTINUATION, _TEXT, _BINARY, _CLOSE = 0x0, 0x1, 0x2, 0x8
_LENGTH_16, _LENGTH_64 = 126, 127
_MASK_SIZE: Final = 4
_REQUEST_END: Final = b"\r\n\r\n"


class ClientFrameSlicer:
    """Cuts what one client sends into messages and into what a full parser must see, in order. No I/O.

    A message that is one masked frame of at most `limit` bytes without extension bits is taken. Everything else (the
    handshake, control frames, fragments, over-long and invalid frames) is passed on to the byte, so that what the
    full parser makes of it has its place among the rest. unmask: a payload and its mask to the payload.
    """

    def __init__(self, limit: int, unmask: Unmask) -> None:
        self._limit = limit
        self._unmask = unmask
        self._request_end = b""  # the last bytes of a request that goes on
        self._handshaking = True
        self._tail = bytearray()  # the start of a frame
        self._needed = 0  # bytes of it from which it is worth a look
        self._owed = 0  # bytes of a frame that is being passed on
        self._passed = 0  # bytes of a message that has been passed on in part
        self._in_fragments = False
        self._pass_all = False  # after a close frame, one that is not masked, or one that is too long

    @property
    def held(self) -> int:
        """Bytes of a message that has begun and not ended, here or in the full parser."""
        return len(self._tail) + self._passed

    def feed(self, chunk: bytes) -> list[Part]:
        """Runs of messages (sequences) and stretches for the full parser (bytes), in the order of the wire."""
        parts: list[Part] = []
        at = self._handshake(chunk, parts) if self._handshaking else 0
        if self._pass_all:
            _append(parts, chunk[at:])
            return parts
        if self._owed:
            end = min(len(chunk), at + self._owed)
            _append(parts, chunk[at:end])
            self._note_passed(end - at, self._owed - (end - at))
            at = end
        if self._tail:
            self._tail += chunk[at:]
            if len(self._tail) < self._needed:
                return parts
            chunk, at, self._tail = bytes(self._tail), 0, bytearray()
        if at < len(chunk):
            self._slice(chunk, at, parts)
        return parts

    def _handshake(self, chunk: bytes, parts: list[Part]) -> int:
        """Pass on what of `chunk` belongs to the request; how much that is."""
        before = len(self._request_end)
        seen = self._request_end + chunk
        end = seen.find(_REQUEST_END)
        if end < 0:
            self._request_end = seen[-len(_REQUEST_END) + 1 :]
            at = len(chunk)
        else:
            self._handshaking, self._request_end = False, b""
            at = end + len(_REQUEST_END) - before
        _append(parts, chunk[:at])
        return at

    def _slice(self, chunk: bytes, at: int, parts: list[Part]) -> None:
        messages: list[bytes] = []
        append, unmask, size, limit = messages.append, self._unmask, len(chunk), self._limit
        whole = () if self._in_fragments else _WHOLE
        self._needed = 2
        while at + 2 <= size:
            length = (second := chunk[at + 1]) & _LENGTH
            mask = at + 2
            if length >= _LENGTH_16:
                mask += 2 if length == _LENGTH_16 else 8
                if mask > size:
                    self._needed = mask - at
                    break
                length = int.from_bytes(chunk[at + 2 : mask], "big")
            if chunk[at] in whole and second & _MASKED and length <= limit:
                start = mask + _MASK_SIZE
                end = start + length
                if end > size:
                    self._needed = end - at
                    break
                append(unmask(chunk[start:end], chunk[mask:start]))
                at = end
                continue
            _append(parts, messages)
            messages = []
            append = messages.append
            at = self._pass_on(chunk, at, mask, length, parts)
            whole = () if self._in_fragments else _WHOLE
        _append(parts, messages)
        self._tail += chunk[at:]

    def _pass_on(self, chunk: bytes, at: int, mask: int, length: int, parts: list[Part]) -> int:
        """Leave a frame to the full parser; where the next one begins. mask: where its mask stands."""
        size, opcode = len(chunk), chunk[at] & _OPCODE
        if opcode == _CLOSE or not chunk[at + 1] & _MASKED or length > self._limit:
            self._pass_all, self._passed = True, 0
            _append(parts, chunk[at:])
            return size
        if opcode in (_TEXT, _BINARY, _CONTINUATION):
            self._in_fragments = not chunk[at] & _FIN
        end = mask + _MASK_SIZE + length
        _append(parts, chunk[at : min(end, size)])
        self._note_passed(min(end, size) - at, max(0, end - size))
        return min(end, size)

    def _note_passed(self, size: int, owed: int) -> None:
        self._owed = owed
        self._passed = self._passed + size if owed or self._in_fragments else 0


def _append(parts: list[Part], part: Part) -> None:
    if part:
        parts.append(part)
