"""Columns out of structs: values, times and ids of ticks of one kind, taken all at once."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import repeat
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType
from numpy.typing import NDArray

from tuistream.core.batch import Ids, Times, Values, ids_array
from tuistream.decoders.wire.numbers import NAN, to_id
from tuistream.decoders.wire.rows import StreamRows
from tuistream.decoders.wire.time_columns import from_integers, from_texts

if TYPE_CHECKING:
    from tuistream.decoders.wire.venue import Kind

LONGEST_INTEGER = 18  # digits that int64 surely holds
Positions = NDArray[np.int64]
Mask = NDArray[np.bool_]

# The types of a struct's attributes: a number as JSON or in a string; one that may be missing; a key that must not
# be there; an integer or a boolean, together with what msgspec would else take for one where it is lenient.
Number = float
Maybe = float | UnsetType
Absent = UnsetType
Whole = int | float | str
Flag = bool | float | str


class Unfit(Exception):
    """Ticks of one kind that are not all alike."""


class Skipped(msgspec.Struct, array_like=True, gc=False):
    """An array of which nothing is wanted."""


def row_type(*kinds: Kind, tag: tuple[str, str] | None = None, **others: Any) -> Any:
    """A struct with the numbers of `kinds` and with other keys of such types, each of which may be missing.

    tag: a key that is always there, and its value.
    """
    numbers = [key for kind in kinds for key in (*kind.keys.values(), *kind.optional.values())]
    fields = [(key, each | UnsetType, UNSET) for key, each in {**dict.fromkeys(numbers, Number), **others}.items()]
    tagged = {"tag_field": tag[0], "tag": tag[1]} if tag else {}
    return msgspec.defstruct("Row", fields, gc=False, **tagged)  # type: ignore[arg-type]


class Ticks(msgspec.Struct, frozen=True):
    """How structs are read as ticks of a kind, whose keys are their attributes.

    words: the numbers that the values of some keys stand for. only: what the values of some keys must be.
    rows: the attribute of the message that is the list of its ticks, "" where a message is one tick itself.
    name: what their stream is called by, "" for the venue's usual key. order: what the ticks of one message are
    sorted by: "id", "time", or "" where they stay as they are.
    """

    kind: Kind
    words: Mapping[str, Mapping[Any, float]] = msgspec.field(default_factory=dict)
    only: Mapping[str, Any] = msgspec.field(default_factory=dict)
    rows: str = ""
    name: str = ""
    order: str = ""


class Told(msgspec.Struct, eq=False):
    """Ticks of one kind in the order of their frames, with what does not stand in their own structs.

    at: int64[n], which frame of the read each came from. names: of their streams. times: theirs, where they have
    none themselves. part: int64[n], rising, the list that each stood in, where a frame may have several. index:
    int64[n], rising, their numbers among the ticks of all kinds, where a frame may have several kinds.
    """

    rows: list[Any]
    at: Positions
    names: list[str] = msgspec.field(default_factory=list)
    times: list[Any] = msgspec.field(default_factory=list)
    part: Positions | None = None
    index: Positions | None = None


class Columns:
    """Values, times and ids of ticks of one kind. Raises Unfit, OverflowError for an id past 64 bits.

    bad: bool[n], those with a value that is none. t: int64[n], ns since 1970 UTC.
    """

    def __init__(self, ticks: Ticks, told: Told, text: bytes | bytearray, recv: int | Times) -> None:
        """text: all in which they stood. recv: as in `Typed.take`."""
        kind, rows = ticks.kind, told.rows
        self._ticks = ticks
        self._keys = (*kind.keys.values(), *kind.optional.values())
        self._optional = frozenset(kind.optional.values())
        self._there: dict[str, Mask] = {}  # keys that only some have
        self.bad = np.zeros(len(rows), dtype=np.bool_)
        for key, value in ticks.only.items():
            if {value} != set(map(attrgetter(key), rows)):
                raise Unfit
        self._v = np.empty((len(rows), len(self._keys)))
        for number, key in enumerate(self._keys):
            self._v[:, number] = self._column(key, rows, text)
        if kind.time or told.times:
            about = recv if isinstance(recv, int) else int(recv[-1])
            self.t = _times(told.times or list(map(attrgetter(kind.time), rows)), about)
        else:
            self.t = np.full(len(rows), recv, np.int64) if isinstance(recv, int) else recv[told.at]
        self.ids = _ids(list(map(attrgetter(kind.id), rows))) if kind.id else None
        self._by = {"": None, "time": self.t, "id": self.ids}[ticks.order]
        if self._by is not None and self._by.dtype != np.int64:
            raise Unfit

    def order(self, rows: Positions, part: Positions) -> Positions:
        """`rows` in the order of their ticks. part: of all rows, rising, the list that each stood in."""
        return rows if self._by is None else rows[np.lexsort((self._by[rows], part[rows]))]

    def new_in(self, which: Positions, streams: list[StreamRows | None]) -> Mask:
        """The ticks that have a key which their stream has not had yet.

        which: their positions in `streams`, empty where there is one only.
        """
        new = np.zeros(len(self.bad), dtype=np.bool_)
        for key in self._optional:
            there = self._there.get(key)
            if there is not None and not there.any():
                continue
            lacking = [
                code for code, each in enumerate(streams) if each is not None and key not in each.layout.fields
            ]
            if lacking:
                new |= (True if there is None else there) & (np.isin(which, lacking) if len(which) else True)
        return new

    def values(self, rows: Positions | slice, stream: StreamRows) -> Values:
        """float64[n, fields] of some ticks of a stream."""
        keys = stream.layout.fields
        values: Values = self._v[rows]
        return values if keys == self._keys else values[:, [self._keys.index(key) for key in keys]]

    def _column(self, key: str, rows: list[Any], text: bytes | bytearray) -> Values:
        values = list(map(attrgetter(key), rows))
        words = self._ticks.words.get(key)
        if words is not None:
            if not set(map(type, words)).issuperset(map(type, values)):
                raise Unfit
            column = np.fromiter(map(words.get, values, repeat(NAN)), np.float64, len(rows))
            self.bad |= np.isnan(column)
            return column
        there = None
        try:
            column = np.fromiter(values, np.float64, len(rows))
        except TypeError:  # of UNSET, or something else that is no number
            there = self._there[key] = self._where(key, values)
            column = np.fromiter((NAN if value is UNSET else value for value in values), np.float64, len(rows))
        if bool((column == 0.0).any()) and b'"-0"' in text:  # as a number it is 0, in a string -0.0
            raise Unfit
        finite = np.isfinite(column)
        self.bad |= ~finite if there is None else there & ~finite
        return column

    def _where(self, key: str, values: list[Any]) -> Mask:
        """Which ticks have a value that some lack."""
        if key not in self._optional or not {float, UnsetType}.issuperset(map(type, values)):
            raise Unfit
        return np.fromiter((value is not UNSET for value in values), np.bool_, len(values))


def _times(values: list[Any], recv: int) -> Times:
    kinds = set(map(type, values))
    if kinds == {int}:
        t = from_integers(np.fromiter(values, np.int64, len(values)), recv)
    elif kinds == {str}:
        t = from_texts(values, recv)
    else:
        raise Unfit
    if t is None:
        raise Unfit  # a bad time is counted
    return t


def _ids(values: list[Any]) -> Ids:
    kinds = set(map(type, values))
    if kinds == {int}:
        return np.fromiter(values, np.int64, len(values))
    if kinds != {str}:
        raise Unfit
    lengths = set(map(len, values))
    if min(lengths) > LONGEST_INTEGER:
        return ids_array(values)
    text = "".join(values)
    plain = text.isascii() and text.isdigit() and min(lengths) > 0 and max(lengths) <= LONGEST_INTEGER
    if plain and "0" not in set(map(itemgetter(0), values)):
        return np.fromiter(map(int, values), np.int64, len(values))
    return ids_array([to_id(value) for value in values])
