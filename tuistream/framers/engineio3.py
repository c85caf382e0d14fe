"""Engine.IO 3, the protocol of Socket.IO 2: packets out of the bodies of polls, and into those of posts. No I/O.

Format: https://github.com/socketio/engine.io-protocol/tree/v3#encoding.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Final

import msgspec

OPEN, CLOSE, PING, PONG, MESSAGE, UPGRADE, NOOP = "0123456"
MAX_LENGTH_DIGITS: Final = 10
_TEXT, _BINARY, _END_OF_LENGTH = 0, 1, 0xFF
_BINARY_MESSAGE = 4
_LONGEST_BMP = 0xFFFF  # a character beyond it counts for two where JavaScript counts

# A text packet with its type in front, or the bytes of a binary message.
Packet3 = str | bytes


class BadPayload(Exception):
    """What came is no Engine.IO 3; the text is the reason."""


class Handshake(msgspec.Struct, frozen=True, rename="camel"):
    """What the server's first packet says. Times are in ms."""

    sid: str
    upgrades: list[str] = []
    ping_interval: float = 25_000
    ping_timeout: float = 60_000


def handshake(packets: Sequence[Packet3]) -> Handshake:
    """The first of the packets that open a connection. Raises BadPayload."""
    first = packets[0] if packets else ""
    if not isinstance(first, str) or not first.startswith(OPEN):
        raise BadPayload("the first packet opens no connection")
    try:
        said = msgspec.json.decode(first[1:], type=Handshake)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadPayload(f"the packet that opens the connection: {error}") from error
    if not 0 < said.ping_interval < 1e9 or not 0 < said.ping_timeout < 1e9:
        raise BadPayload(f"a ping every {said.ping_interval:g} ms, answered within {said.ping_timeout:g} ms")
    return said


def packets_of(body: bytes) -> list[Packet3]:
    """The packets of a poll's body, binary or text, in order. Raises BadPayload."""
    if not body:
        return []
    return _of_binary(body) if body[0] in (_TEXT, _BINARY) else _of_text(body)


def body_of(packets: Sequence[str]) -> bytes:
    """A post's body of text packets, all of them ASCII, so that everybody counts their length alike."""
    return "".join(f"{len(packet)}:{packet}" for packet in packets).encode("ascii")


def packet_of(message: str | bytes) -> Packet3:
    """The packet of one WebSocket message. Raises BadPayload."""
    if isinstance(message, str):
        return _text_packet(message)
    if message[:1] != bytes([_BINARY_MESSAGE]):
        raise BadPayload(f"a binary packet that is no message, {len(message):,} bytes")
    return message[1:]


def _of_binary(body: bytes) -> list[Packet3]:
    """Each packet is 0 for text or 1 for bytes, the decimal digits of its length as bytes 0 to 9, 255, the packet."""
    packets: list[Packet3] = []
    at = 0
    while at < len(body):
        kind = body[at]
        end = body.find(_END_OF_LENGTH, at + 1, at + 2 + MAX_LENGTH_DIGITS)
        digits = body[at + 1 : end]
        if kind not in (_TEXT, _BINARY) or end < 0 or not digits or max(digits) > 9:
            raise BadPayload(f"no packet at byte {at:,} of {len(body):,}")
        at = end + 1 + int("".join(map(str, digits)))
        packet = body[end + 1 : at]
        if at > len(body):
            raise BadPayload(f"the last packet lacks {at - len(body):,} bytes")
        packets.append(packet_of(packet) if kind == _BINARY else _text_packet(_utf8(packet)))
    return packets


def _of_text(body: bytes) -> list[Packet3]:
    """Each packet is its length in UTF-16 units, a colon, the packet; "b4" and base64 is a binary message."""
    text = _utf8(body)
    units = text.encode("utf-16-le", "surrogatepass") if max(text) > chr(_LONGEST_BMP) else b""
    packets: list[Packet3] = []
    at = 0
    size = len(units) // 2 if units else len(text)
    while at < size:
        head = _cut(text, units, at, at + MAX_LENGTH_DIGITS + 1)
        digits, colon, _ = head.partition(":")
        if not colon or not digits.isascii() or not digits.isdigit():
            raise BadPayload(f"no packet at character {at:,} of {size:,}")
        start = at + len(digits) + 1
        at = start + int(digits)
        if at > size:
            raise BadPayload(f"the last packet lacks {at - size:,} characters")
        packets.append(_text_packet(_cut(text, units, start, at)))
    return packets


def _cut(text: str, units: bytes, start: int, end: int) -> str:
    return units[2 * start : 2 * end].decode("utf-16-le", "replace") if units else text[start:end]


def _text_packet(packet: str) -> Packet3:
    if packet.startswith("b4"):
        try:
            return base64.b64decode(packet[2:], validate=True)
        except binascii.Error as error:
            raise BadPayload(f"no base64 in a binary message: {error}") from error
    if packet[:1] not in tuple("0123456"):
        raise BadPayload(f"no packet begins with {packet[:1]!r}")
    return packet


def _utf8(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadPayload(f"no UTF-8: {error.reason}, {len(data):,} bytes") from error
