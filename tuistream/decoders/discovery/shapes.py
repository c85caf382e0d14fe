"""The shape of a message: its keys and the types of their values. Messages of one shape are read the same way."""

from __future__ import annotations

from typing import Any

from tuistream.decoders.wire.numbers import is_number

MAX_DEPTH = 6  # objects in objects; what is deeper is not looked at
MAX_NUMBERS = 8  # a longer list of numbers is no tick
MAX_LIST_ROW = 16  # numbers of a row that is a list, such as a candle
MAX_SHAPE = 16_384  # characters of all keys; a larger shape is not remembered

Object = dict[str, Any]
Shape = tuple[Any, ...]

_DEEPER: Shape = ()


def shape_of(message: Object, depth: int = 0) -> Shape:
    """A hashable value that is the same for two objects exactly if they can be read the same way."""
    types = tuple(map(type, message.values()))
    if dict not in types and list not in types:
        return tuple(message), types
    if depth >= MAX_DEPTH:
        return tuple(message), types, _DEEPER
    inner: list[Shape] = []
    for value in message.values():
        if type(value) is dict:
            inner.append(shape_of(value, depth + 1))
        elif type(value) is list:
            inner.append(list_shape(value))
    return tuple(message), types, tuple(inner)


def list_shape(values: list[Any]) -> Shape:
    if not values:
        return ("empty",)
    if type(values[0]) is dict:
        return ("objects",)
    if type(values[0]) is list:
        return ("lists", is_list_row(values[0]))
    if len(values) > MAX_NUMBERS:
        return ("long",)
    return tuple(map(type, values))


def is_short_list(values: list[Any]) -> bool:
    """Whether each of `values` may be a field of its own."""
    return 0 < len(values) <= MAX_NUMBERS and all(
        type(value) is not dict and type(value) is not list for value in values
    )


def is_list_row(row: object) -> bool:
    """Whether `row`, one of a list of lists, holds nothing but numbers."""
    return type(row) is list and 2 <= len(row) <= MAX_LIST_ROW and all(map(is_number, row))


def size_of(shape: Shape) -> int:
    """Characters of the keys in `shape`."""
    total = 0
    for part in shape:
        if type(part) is str:
            total += len(part) + 1
        elif type(part) is tuple:
            total += size_of(part) + 1
    return total
