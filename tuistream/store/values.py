"""Python values as SQLite can keep them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

import numpy as np

_INT64_END = 1 << 63
_DEEPEST = 100  # levels of lists and objects in what an item holds


def storable_text(text: str) -> str:
    """`text` with what SQLite cannot keep whole (NUL, half of a surrogate pair) written as an escape."""
    if not text.isascii():
        text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text.replace("\0", "\\x00")


def storable_id(tick_id: object) -> int | str | None:
    """A producer's id; an integer that needs more than 64 bits becomes text."""
    if tick_id is None:
        return None
    if isinstance(tick_id, str):
        return storable_text(tick_id)
    number = int(tick_id)  # type: ignore[call-overload]  # ids are int, str or None
    return number if -_INT64_END <= number < _INT64_END else str(number)


def storable_json(values: Mapping[str, object]) -> str:
    """`values` (numbers, text, None, lists of these) as a JSON object; a number that JSON has not becomes null."""
    return json.dumps({storable_text(name): _plain(value) for name, value in values.items()}, ensure_ascii=False)


def storable_bytes(value: object) -> bytes:
    """What an item holds: bytes as they are, a text as UTF-8, anything else as JSON."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace")
    return json.dumps(_jsonable(value), ensure_ascii=False).encode("utf-8", "backslashreplace")


def _jsonable(value: object, depth: int = 0) -> object:
    """`value` as JSON can say it: arrays as lists, numbers that it has not as null, what it does not know as text."""
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return {str(name): _jsonable(each, depth + 1) for name, each in value.items()}
    if isinstance(value, np.ndarray):
        return _jsonable(value.tolist(), depth + 1)
    if isinstance(value, (list, tuple)):
        return [_jsonable(each, depth + 1) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (str, int, float, type(None))) else str(value)


def _plain(value: object) -> object:
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
