"""Numbers as feeds send them: JSON numbers, and strings that hold one."""

from __future__ import annotations

import math
import re

MAX_TEXT = 400  # characters of a numeric string
MAX_ID_DIGITS = 400
NAN = math.nan
INT64 = 1 << 63

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"(?:0|[1-9]\d{0,17})", re.ASCII)
_NOT_FINITE = ("nan", "inf", "infinity", "-inf", "+inf", "-infinity", "+infinity", "-nan", "+nan")


def is_number(value: object) -> bool:
    """Whether `value` is a JSON number or a string that holds a decimal one. Booleans are not numbers."""
    kind = type(value)
    if kind is float or kind is int:
        return True
    return type(value) is str and len(value) <= MAX_TEXT and _NUMBER.fullmatch(value) is not None


def is_not_finite(value: object) -> bool:
    """Whether `value` claims to be a number and no finite float can hold it: NaN, Infinity, 1e999."""
    if type(value) is str:
        return value.lower() in _NOT_FINITE or (is_number(value) and not math.isfinite(float(value)))
    if type(value) is int:
        return to_float(value) != to_float(value)
    return type(value) is float and not math.isfinite(value)


def to_float(value: object) -> float:
    """`value` as float() parses it; NaN for what is no number or not finite."""
    kind = type(value)
    if kind is str:
        text: str = value  # type: ignore[assignment]
        try:
            number = float(text)
        except ValueError:
            return NAN
        if number - number != 0.0 or "_" in text or not text.isascii():
            return NAN
        return number
    if kind is float:
        number = value  # type: ignore[assignment]
        return number if number - number == 0.0 else NAN
    if kind is int:
        try:
            return float(value)  # type: ignore[arg-type]
        except OverflowError:
            return NAN
    return NAN


def to_id(value: object) -> int | str | None:
    """`value` as a tick's id: an integer exactly, past 64 bits as text; a string of plain digits as the integer."""
    if type(value) is str:
        return int(value) if _INTEGER.fullmatch(value) else value or None
    if type(value) is int:
        if -INT64 <= value < INT64:
            return value
        return str(value) if value.bit_length() < 3 * MAX_ID_DIGITS else None
    return None
