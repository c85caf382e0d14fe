"""JSON values out of frames, leniently where a sender's habit is known, with a reason where there is none."""

from __future__ import annotations

import math
import zlib

import msgspec

MAX_INFLATED = 16 << 20  # bytes of a gzip frame's content; more is refused
MAX_DIGITS = 400  # of an integer that standard JSON calls a number; a longer one is beyond any float
BOM = b"\xef\xbb\xbf"
GZIP = b"\x1f\x8b"

_decode = msgspec.json.Decoder().decode


class Malformed(Exception):
    """A frame that cannot be read; the text is the reason."""


def loads(frame: bytes) -> object:
    """The JSON value of `frame`: dict, list, str, int, float, bool or None. Raises Malformed.

    Integers keep every digit. NaN, Infinity (as Python's json writes them) and numbers too large for a float come
    as floats that are not finite. A byte order mark is skipped; gzip (as Huobi sends) is inflated.
    """
    try:
        return _decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return _loads_oddity(frame, error)


def _loads_oddity(frame: bytes, error: Exception) -> object:
    if frame.startswith(GZIP):
        return loads(_inflate(frame))
    if frame.startswith(BOM):
        return loads(frame[len(BOM) :])
    if isinstance(error, RecursionError):
        raise Malformed(f"nested too deep, {len(frame):,} bytes") from error
    if not frame.strip():
        raise Malformed(f"an empty frame of {len(frame):,} bytes") from error
    if isinstance(error, UnicodeDecodeError):
        raise Malformed(f"no UTF-8: {error.reason}, {len(frame):,} bytes") from error
    if b"NaN" in frame or b"Infinity" in frame or "out of range" in str(error):
        return _loads_not_finite(frame)
    raise Malformed(f"{_reason(error)}, {len(frame):,} bytes") from error


def _loads_not_finite(frame: bytes) -> object:
    import json

    try:
        return json.loads(frame, parse_int=_integer)
    except RecursionError as error:
        raise Malformed(f"nested too deep, {len(frame):,} bytes") from error
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError are both
        raise Malformed(f"not JSON: {error}, {len(frame):,} bytes") from error


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= MAX_DIGITS else math.inf


def _reason(error: Exception) -> str:
    return (
        str(error).replace("JSON is malformed", "not JSON").replace("Input data was truncated", "JSON is cut short")
    )


def _inflate(frame: bytes) -> bytes:
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        content = inflater.decompress(frame, MAX_INFLATED)
    except zlib.error as error:
        raise Malformed(f"broken gzip: {error}, {len(frame):,} bytes") from error
    if inflater.unconsumed_tail or not inflater.eof:
        over = len(content) >= MAX_INFLATED
        why = f"inflates to over {MAX_INFLATED:,} bytes" if over else "is cut short"
        raise Malformed(f"gzip {why}, {len(frame):,} bytes")
    if content.startswith(GZIP):
        raise Malformed(f"gzip in gzip, {len(frame):,} bytes")
    return content
