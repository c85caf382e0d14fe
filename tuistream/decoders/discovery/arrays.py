"""Lists of numbers in messages that are no ticks: matrices, and curves. Each replaces the one before of its name."""

from __future__ import annotations

from itertools import chain
from typing import Any, Final, NamedTuple

from tuistream.core.batch import Stream
from tuistream.core.board import Item
from tuistream.decoders.discovery import vocabulary as words
from tuistream.decoders.discovery.shapes import MAX_LIST_ROW, MAX_NUMBERS, Object
from tuistream.decoders.wire.numbers import is_number
from tuistream.decoders.wire.rows import MAX_STREAMS, label
from tuistream.decoders.wire.timestamps import to_ns

MATRIX: Final = "matrix"
SPECTRUM: Final = "spectrum"
CELLS_MOST: Final = 1 << 18  # of a matrix
POINTS_MOST: Final = 100_000  # of a curve
LEAST: Final = 2  # rows and columns of a matrix that is called so
WIDE: Final = 5  # columns of one that is not: narrower ones are sides of books, or points
LABELS_MOST: Final = 512  # of a matrix' rows, or columns, as strings
LABEL_LENGTH: Final = 60
MATRICES: Final = frozenset(
    ("matrix", "grid", "heatmap", "heat_map", "heatMap", "z", "pixels", "cells", "thermal", "intensity")
)
ACROSS: Final = ("x", "freq", "freqs", "frequency", "frequencies", "f", "hz", "bins", "wavelength", "wavelengths")
_CELLS: Final = frozenset((int, float, type(None)))
_NAMES: Final = (*words.PLACES, *words.THINGS, "id", "ID", "title", *words.CHANNELS)


class TooLarge(ValueError):
    """A matrix or a curve over its limit; the text has the numbers."""


class Arrays(NamedTuple):
    """kind: `MATRIX` or `SPECTRUM`. key: what it is called.

    value: {"z": rows of numbers}, with "x" and "y" where columns and rows have labels; or {"y": numbers}, with "x"
    where that came, too; "x_name" and "y_name" where they have other names.
    """

    kind: str
    key: str
    value: dict[str, Any]


class ArrayItems:
    """Makes items of what messages hold; keeps the streams of a feed's arrays, `MAX_STREAMS` of them at most."""

    def __init__(self, feed: str) -> None:
        self._feed = feed
        self._streams: dict[tuple[str, str], Stream] = {}

    def take(self, message: object, size: int, recv: int, *, beside_ticks: bool) -> Item | None:
        """What a message holds beside ticks, or instead of some; None for nothing. Raises TooLarge. size: bytes."""
        inner = _opened(message)
        found = arrays_in(inner, beside_ticks=beside_ticks)
        if found is None:
            return None
        outer = message if isinstance(message, dict) else {}
        told = {**outer, **inner} if isinstance(inner, dict) else outer
        times = (
            to_ns(told[key], recv) for key in words.TIMES if key in told and type(told[key]) in (int, float, str)
        )
        t = next((each for each in times if each is not None), None)
        name = next((str(told[key]) for key in _NAMES if type(told.get(key)) in (str, int)), "")
        stream = self._stream(label(name), label(found.key), timed=t is not None)
        if stream is None:
            return None
        return Item(stream, recv if t is None else t, recv, found.kind, found.value, size, replaces=True)

    def _stream(self, name: str, kind: str, *, timed: bool) -> Stream | None:
        stream = self._streams.get((name, kind))
        if stream is None and len(self._streams) < MAX_STREAMS:
            stream = self._streams[name, kind] = Stream(self._feed, name, kind, (), timed=timed, found="auto")
        return stream


def arrays_in(message: object, *, beside_ticks: bool) -> Arrays | None:
    """The matrix in a message, else the curve; beside ticks only what is called a matrix. Raises TooLarge."""
    if type(message) is list:
        if beside_ticks:
            return None
        if is_matrix(message, WIDE):
            return Arrays(MATRIX, MATRIX, {"z": message})
        return Arrays(SPECTRUM, "", {"y": message}) if is_curve(message, MAX_LIST_ROW) else None
    if type(message) is not dict:
        return None
    for key, value in message.items():
        if type(value) is list and key not in words.BOOK_SIDES:
            called = key in MATRICES
            if (called or not beside_ticks) and is_matrix(value, LEAST if called else WIDE):
                return Arrays(MATRIX, key, {"z": value} | _labels(message, value))
    return None if beside_ticks else _curve(message)


def is_matrix(value: list[Any], least: int) -> bool:
    """Whether it is rows of as many numbers, or nulls, each, at least two of `least`. Raises TooLarge."""
    if len(value) < LEAST or type(value[0]) is not list or len(value[0]) < least:
        return False
    width = len(value[0])
    if not all(type(row) is list and len(row) == width for row in value):
        return False
    if len(value) * width > CELLS_MOST:
        raise TooLarge(f"a matrix of {width:,} x {len(value):,} is over the limit of {CELLS_MOST:,} cells")
    types = set(map(type, chain.from_iterable(value)))
    return types <= _CELLS and bool(types - {type(None)})


def is_curve(value: list[Any], longer_than: int) -> bool:
    """Whether it is so many numbers that they are no tick. Raises TooLarge."""
    if len(value) <= longer_than or not all(map(is_number, value[:POINTS_MOST])):
        return False
    if len(value) > POINTS_MOST:
        raise TooLarge(f"a list of {len(value):,} numbers is over the limit of {POINTS_MOST:,}")
    return True


def _opened(message: object) -> object:
    """What is in an envelope."""
    if type(message) is dict:
        inner = [each for key, each in message.items() if key in words.ENVELOPES and type(each) in (dict, list)]
        if len(inner) == 1 and (type(inner[0]) is dict or _nested(inner[0])):
            return inner[0]
    return message


def _nested(value: list[Any]) -> bool:
    return bool(value) and type(value[0]) is list


def _curve(message: Object) -> Arrays | None:
    """The first long list of numbers, over another as long that has the name of an x."""
    lists = {key: each for key, each in message.items() if type(each) is list and is_curve(each, MAX_NUMBERS)}
    key = next((key for key in lists if key not in ACROSS), "")
    if not key:
        return None
    y = lists[key]
    value: dict[str, Any] = {"y": y} if key == "y" else {"y": y, "y_name": key}
    across = next((name for name in ACROSS if name in lists and len(lists[name]) == len(y)), "")
    if across:
        value |= {"x": lists[across]} if across == "x" else {"x": lists[across], "x_name": across}
    return Arrays(SPECTRUM, "" if key == "y" else key, value)


def _labels(message: Object, rows: list[list[Any]]) -> dict[str, list[str]]:
    """Names of columns (x) and of rows (y), where the message has as many."""
    found: dict[str, list[str]] = {}
    for axis, names, count in (("x", ("x", "columns", "cols"), len(rows[0])), ("y", ("y", "rows"), len(rows))):
        told: list[Any] = next((message[name] for name in names if type(message.get(name)) is list), [])
        if len(told) == count <= LABELS_MOST and all(type(each) in (str, int, float) for each in told):
            found[axis] = [str(each)[:LABEL_LENGTH] for each in told]
    return found
