"""What a picture's first bytes say of it. Nothing is decoded but the header, and nothing that is named is opened."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final, NamedTuple

LOOKED_AT: Final = 256 << 10  # bytes of a picture: a JPEG's size may come after a long preface
_DATA_URI: Final = re.compile(r"data:([\w.+-]*/?[\w.+-]*)((?:;[\w.+=-]*)*?)(;base64)?,", re.IGNORECASE | re.ASCII)
_JPEG_SIZES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class Picture(NamedTuple):
    """format: "PNG" …, or a media type that is not known, or "". width, height: pixels, 0 where not known."""

    format: str
    width: int = 0
    height: int = 0
    nbytes: int = 0


def picture_of(value: object) -> Picture | None:
    """The picture that bytes or a data URI hold; None where `value` is neither."""
    if isinstance(value, (bytes, bytearray)):
        return _sized(bytes(value[:LOOKED_AT]), "", len(value))
    if not isinstance(value, str) or not (found := _DATA_URI.match(value)):
        return None
    kind, start = found[1].partition("/")[2].upper(), found.end()
    if not found[3]:
        return Picture(kind, nbytes=len(value) - start)
    nbytes = (len(value) - start) * 3 // 4 - value[-2:].count("=")
    head = value[start : start + LOOKED_AT // 3 * 4]
    try:
        data = base64.b64decode(head[: len(head) // 4 * 4])
    except (binascii.Error, ValueError):
        return Picture(kind, nbytes=nbytes)
    return _sized(data, kind, nbytes)


def _sized(data: bytes, kind: str, nbytes: int) -> Picture:
    """The formats' own specifications say where their sizes stand: PNG 1.2, GIF89a, BMP, WebP (RFC 9649), JPEG."""
    width = height = 0
    if data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) >= 24:
        kind, width, height = "PNG", _big(data[16:20]), _big(data[20:24])
    elif data[:6] in (b"GIF87a", b"GIF89a") and len(data) >= 10:
        kind, width, height = "GIF", _little(data[6:8]), _little(data[8:10])
    elif data.startswith(b"BM") and len(data) >= 26:
        kind, width = "BMP", _little(data[18:22])
        height = abs(int.from_bytes(data[22:26], "little", signed=True))
    elif data.startswith(b"RIFF") and data[8:12] == b"WEBP" and len(data) >= 30:
        kind, (width, height) = "WebP", _webp(data)
    elif data.startswith(b"\xff\xd8"):
        kind, (width, height) = "JPEG", _jpeg(data)
    return Picture(kind, width, height, nbytes)


def _webp(data: bytes) -> tuple[int, int]:
    match data[12:16]:
        case b"VP8 ":
            return _little(data[26:28]) & 0x3FFF, _little(data[28:30]) & 0x3FFF
        case b"VP8L":
            bits = _little(data[21:25])
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            return _little(data[24:27]) + 1, _little(data[27:30]) + 1
    return 0, 0


def _jpeg(data: bytes) -> tuple[int, int]:
    """Source: ITU-T T.81, annex B: segments of a marker and a length, until the one of the frame."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _JPEG_SIZES:
            return _big(data[at + 7 : at + 9]), _big(data[at + 5 : at + 7])
        else:
            at += 2 + max(2, _big(data[at + 2 : at + 4]))
    return 0, 0


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
