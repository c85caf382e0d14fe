"""Messages that differ in nothing but digits, decoded all at once.

A message's skeleton is its text without digits and minus signs. Messages of one skeleton have the same keys in the
same order, values of the same types, and the same strings but for digits; so whatever was found out about one of
them, where its time, its fields and its names stand, holds for all, and a typed decode of all of them as one list
makes sure of the rest (that each digit is where a digit may be). What does not fit is left to the general way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import repeat
from operator import attrgetter
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from tuistream.core.batch import Ids, Times, Values, ids_array
from tuistream.core.frames import Frames
from tuistream.decoders.wire.json_text import Malformed, loads
from tuistream.decoders.wire.labels import NEW
from tuistream.decoders.wire.numbers import NAN, is_number, to_id
from tuistream.decoders.wire.rows import Block, StreamRows
from tuistream.decoders.wire.time_columns import from_floats, from_integers, from_texts

VARYING = b"0123456789-"
DIGITS = VARYING.decode()
MAX_LABELS = 1_000  # of one template
WORTH_A_BLOCK = 4  # ticks of one label, on average
MAX_LEAVES = 128  # values of a message that has a template

Keys = tuple[str, ...]  # from the message's top to a value
Positions = NDArray[np.int64]
Getter = Callable[[Any], Any]


class Reading(msgspec.Struct, frozen=True):
    """How the general way reads one message, as far as that does not depend on the digits in it.

    rows: the stream of its only tick. fields: where a value stands, and its column or -1. constants: value, column.
    time, id: where they stand, or None. same: the strings and integers on which this depends.
    """

    rows: StreamRows
    fields: tuple[tuple[Keys, int], ...]
    constants: tuple[tuple[float, int], ...] = ()
    time: Keys | None = None
    id: Keys | None = None
    same: tuple[Keys, ...] = ()


class Unfit(Exception):
    """There can be no template of a message, or a template does not fit these."""


class Taken(msgspec.Struct, eq=False):
    """What was made of messages of one form: blocks with their streams, those that are left to the general way, as
    positions in the read, and those whose label is new, as positions in what there was.
    """

    blocks: list[tuple[StreamRows, Block]]
    left: Positions
    new: Positions


class Template:
    """Decodes messages of one skeleton.

    Strings (and integers) that name the stream and have digits in them tell apart streams of one skeleton ("GBM1",
    "GBM2"): each combination of them, a label, has its own reading, or None where the general way must do it.
    """

    def __init__(self, frame: bytes, reading: Reading) -> None:
        """frame: a message that has been read the general way, as `reading` says. Raises Unfit."""
        self._reading = reading
        self._types: dict[Keys, type] = {}
        self._attributes: dict[Keys, str] = {}
        self._named: list[Keys] = []  # where a label stands
        try:
            message = loads(frame)
        except Malformed as error:
            raise Unfit from error
        if b"\\" in frame or not frame.lstrip().startswith(b"{") or type(message) is not dict:
            raise Unfit
        paths = [*(keys for keys, _ in reading.fields), *filter(None, (reading.time, reading.id))]
        if not all(_stands_in(message, keys) for keys in paths):
            raise Unfit
        self._decode = msgspec.json.Decoder(list[self._struct(message, ())], strict=False).decode  # type: ignore[misc]
        # All that is wanted stands in this object, as far down as they have in common.
        self._base = _common([keys[:-1] for keys in (*paths, *self._named)])
        self._inner = attrgetter(self._attribute(self._base, ())) if self._base else None
        self._fields = tuple(self._getter(keys) for keys, _ in reading.fields)
        self._numeric_texts = any(self._types[keys] is str for keys, _ in reading.fields)
        self._time = self._getter(reading.time) if reading.time else None
        self._id = self._getter(reading.id) if reading.id else None
        self._only_integer_ids = reading.id is None or self._types[reading.id] is int
        self._label = (
            attrgetter(*(self._attribute(keys, self._base) for keys in self._named)) if self._named else None
        )
        self._numbers: dict[Any, int] = {}  # of labels: positions in `_readings`
        self._readings: list[Reading | None] = []
        self.add_label(frame, reading)

    @property
    def only_reading(self) -> Reading | None:
        """The reading of all its messages; None where their labels tell."""
        return self._readings[0] if self._label is None else None

    @property
    def has_room(self) -> bool:
        """Whether it can learn another label."""
        return len(self._readings) < MAX_LABELS

    def add_label(self, frame: bytes, reading: Reading | None) -> None:
        """How messages with the label of `frame`, which fitted, are read."""
        if self._label is None:
            self._readings = [reading]
            return
        try:
            (message,) = self._messages(b"[%b]" % frame)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Unfit from error
        label = self._label(message)
        if label not in self._numbers and self.has_room:
            self._numbers[label] = len(self._readings)
            self._readings.append(reading if reading and alike(self._reading, reading) else None)

    def take(self, frames: Sequence[bytes], at: Positions, recv: int) -> Taken:
        """The ticks of `frames`, all of this skeleton, which stand at `at` in the read. Raises Unfit."""
        text = _array(frames)
        try:
            messages = self._messages(text)
            labels = self._labels(messages)
            distinct = dict.fromkeys(labels.tolist())
            if len(distinct) * WORTH_A_BLOCK > len(messages):
                return Taken([], at, np.flatnonzero(labels == NEW))
            columns = [np.fromiter(map(get, messages), np.float64, len(messages)) for get in self._fields]
            # As a number "-0" is 0, but as a string that holds one it is -0.0.
            if self._numeric_texts and any((column == 0.0).any() for column in columns) and b"-0" in text:
                raise Unfit
            whole = Columns(at, columns, self._times(messages, recv), self._ids(messages))
        except (msgspec.MsgspecError, UnicodeDecodeError, OverflowError) as error:
            raise Unfit from error
        return by_label(whole, labels, list(distinct), self._readings)

    def _labels(self, messages: list[Any]) -> Positions:
        """The number of each message's label, or NEW; where there is only one, once for all."""
        if self._label is None:
            return np.zeros(1, dtype=np.int64)
        told = map(self._numbers.get, map(self._label, messages), repeat(NEW))
        return np.fromiter(told, np.int64, len(messages))

    def _times(self, messages: list[Any], recv: int) -> Times | None:
        """None where the messages have none."""
        count = len(messages)
        if self._time is None or self._reading.time is None:
            return None
        kind, told = self._types[self._reading.time], map(self._time, messages)
        if kind is float:
            t = from_floats(np.fromiter(told, np.float64, count), recv)
        elif kind is int:
            t = from_integers(np.fromiter(told, np.int64, count), recv)
        else:
            t = from_texts(list(told), recv)
        if t is None:
            raise Unfit  # a bad time is counted
        return t

    def _ids(self, messages: list[Any]) -> Ids | None:
        if self._id is None:
            return None
        told = map(self._id, messages)
        if self._only_integer_ids:
            return np.fromiter(told, np.int64, len(messages))
        return ids_array([to_id(each) for each in told])

    def _struct(self, message: dict[str, Any], within: Keys) -> type:
        """The type of an object with the keys of `message` and no others."""
        skeletons = {key.encode("utf-8", "surrogatepass").translate(None, VARYING) for key in message}
        if len(skeletons) < len(message):  # the skeleton does not tell their order
            raise Unfit
        fields, rename = [], {}
        for number, (key, value) in enumerate(message.items()):
            keys, name = (*within, key), f"f{number}"
            self._attributes[keys], self._types[keys] = name, type(value)
            if len(self._types) > MAX_LEAVES:
                raise Unfit
            fields.append((name, self._type_of(keys, value)))
            rename[name] = key
        return msgspec.defstruct("Message", fields, rename=rename, forbid_unknown_fields=True, gc=False)

    def _type_of(self, keys: Keys, value: object) -> Any:
        kind, reading = type(value), self._reading
        is_field = any(keys == path for path, _ in reading.fields)
        if is_field and not is_number(value):
            raise Unfit
        if kind is dict:
            return self._struct(value, keys)  # type: ignore[arg-type]
        if kind is list or (kind is float and keys in reading.same):
            raise Unfit
        if keys in reading.same and kind in (str, int):
            if str(value).isascii() and not any(char in DIGITS for char in str(value)):
                return Literal[value]
            self._named.append(keys)
            return kind
        if kind is str:
            return float if is_field else str
        return kind

    def _getter(self, keys: Keys) -> Getter:
        return attrgetter(self._attribute(keys, self._base))

    def _attribute(self, keys: Keys, base: Keys) -> str:
        """The name of what stands at `keys`, for the object at `base`."""
        return ".".join(self._attributes[keys[: depth + 1]] for depth in range(len(base), len(keys)))

    def _messages(self, text: bytes | bytearray) -> list[Any]:
        messages: list[Any] = self._decode(text)
        return messages if self._inner is None else list(map(self._inner, messages))


class Columns(msgspec.Struct, frozen=True, eq=False):
    """Ticks of one skeleton, column by column. values: those of each field of a reading."""

    at: Positions
    values: list[Values]
    t: Times | None
    ids: Ids | None

    def at_rows(self, rows: Positions | slice) -> Columns:
        ids = None if self.ids is None else self.ids[rows]
        t = None if self.t is None else self.t[rows]
        return Columns(self.at[rows], [column[rows] for column in self.values], t, ids)

    def block(self, reading: Reading) -> Block:
        width = reading.rows.width
        if width == 1 == len(self.values) and reading.fields[0][1] == 0:
            return Block(self.at, self.t, self.values[0][:, None], self.ids)
        v = np.full((len(self.at), width), NAN)
        for column, (_, number) in zip(self.values, reading.fields, strict=True):
            if number >= 0:
                v[:, number] = column
        for value, number in reading.constants:
            v[:, number] = value
        return Block(self.at, self.t, v, self.ids)


def alike(one: Reading, other: Reading) -> bool:
    """Whether they differ in nothing but the stream, and the columns there."""
    same_values = [keys for keys, _ in one.fields] == [keys for keys, _ in other.fields]
    return same_values and (one.time, one.id, one.same) == (other.time, other.id, other.same)


def by_label(whole: Columns, labels: Positions, distinct: list[int], readings: Sequence[Reading | None]) -> Taken:
    """The ticks of each label, as its reading says. labels: the number of each, or of all; distinct: those in it."""
    if len(distinct) == 1:
        (number,), rows = distinct, np.arange(len(whole.at))
        reading = readings[number] if number != NEW else None
        if reading is None:
            return Taken([], whole.at, rows if number == NEW else rows[:0])
        return Taken([(reading.rows, whole.block(reading))], whole.at[:0], rows[:0])
    # Label after label, in the order of the messages: each block is then a stretch of all.
    order = labels.astype(np.int16).argsort(kind="stable")
    whole = whole.at_rows(order)
    stops = np.bincount(labels - NEW).cumsum().tolist()
    blocks: list[tuple[StreamRows, Block]] = []
    left, new = [whole.at[:0]], order[:0]
    for number in distinct:
        part = slice(stops[number - NEW - 1] if number != NEW else 0, stops[number - NEW])
        reading = readings[number] if number != NEW else None
        if reading is not None:
            blocks.append((reading.rows, whole.at_rows(part).block(reading)))
            continue
        left.append(whole.at[part])
        if number == NEW:
            new = order[part]
    return Taken(blocks, np.concatenate(left) if len(left) > 1 else left[0], new)


def _array(frames: Sequence[bytes]) -> bytes | bytearray:
    """The JSON array of all frames."""
    if not isinstance(frames, Frames):
        return b"[%b]" % b",".join(frames)
    text = frames.text(b",", b" ")
    text[:1] = b"["
    text += b"]"
    return text


def _common(paths: Sequence[Keys]) -> Keys:
    """What all of `paths` begin with."""
    depth = 0
    while all(len(path) > depth and path[depth] == paths[0][depth] for path in paths):
        depth += 1
    return paths[0][:depth]


def _stands_in(message: Any, keys: Keys) -> bool:
    for key in keys:
        if type(message) is not dict or key not in message:
            return False
        message = message[key]
    return type(message) in (int, float, str)
