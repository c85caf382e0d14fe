"""A venue's messages of a whole read, decoded at once into structs, whose values become columns.

A struct's attributes are the keys of the message that matter. What is written in another way than the struct says
(another type, a key that is missing, a number that is not finite, a stream that is new) is left to the general way,
so that both give the same ticks in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from itertools import chain, repeat
from operator import attrgetter, itemgetter, or_
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tuistream.core.batch import Ids, Times
from tuistream.core.frames import Frames
from tuistream.decoders.wire.columns import Columns, Mask, Positions, Ticks, Told, Unfit
from tuistream.decoders.wire.rows import Block, Rows, StreamRows, label

if TYPE_CHECKING:
    from tuistream.decoders.wire.venue import Kind

WORTH_IT = 24  # frames of a read
WORTH_A_BLOCK = 4  # ticks of one stream, on average
MAX_PAUSE = 255  # reads that are not tried after some that did not fit
_OPENERS, _CLOSERS = frozenset(b"{["), frozenset(b"}]")
_PASSED, _LEFT = -1, -2
PLACES = 32  # bits of a tick's number in the read, behind that of its frame: where among the others it belongs

Table = dict[Any, Ticks | None]


class Taken(msgspec.Struct, eq=False):
    """Ticks that were taken: their names, the frames they came from and their ids; rows: in what order."""

    ticks: Ticks
    names: list[str]
    at: Positions
    ids: Ids | None
    rows: Positions


class Done(msgspec.Struct, eq=False):
    """What came of a read.

    left: bool[n], the frames that are left to the general way. other: how many hold no tick. messages: of the frames
    that were decoded last.
    """

    left: Mask
    other: int = 0
    taken: list[Taken] = msgspec.field(default_factory=list)
    messages: list[Any] = msgspec.field(default_factory=list)


class _Ready(msgspec.Struct, eq=False):
    """Ticks of one kind, of which those are to be added whose frames fit as a whole."""

    ticks: Ticks
    told: Told
    names: list[str]
    streams: list[StreamRows | None]
    which: Positions  # of each its place in `streams`, empty where there is one only
    columns: Columns


class Lines:
    """Decodes the frames of a read as lines of JSON, unless that has failed lately."""

    def __init__(self, types: Sequence[Any]) -> None:
        """types: what a message may be; a union of them must be one that msgspec takes."""
        union = reduce(or_, types)
        self._decode: Callable[[Any], list[Any]] = msgspec.json.Decoder(union, strict=False).decode_lines
        self._pause = 0  # after the last failure
        self._paused = 0

    def read(self, frames: Sequence[bytes]) -> tuple[list[Any], bytes | bytearray] | None:
        """The message of each frame, and the text of all; None where not every frame is one message of the types."""
        if self._paused:
            self._paused -= 1
            return None
        text = _text(frames)
        if text:
            try:
                messages = self._decode(text)
            except (msgspec.MsgspecError, RecursionError):
                messages = []
            if len(messages) == len(frames):
                self._pause = 0
                return messages, text
        self._pause = self._paused = min(2 * self._pause + 1, MAX_PAUSE)
        return None


def _text(frames: Sequence[bytes]) -> bytes | bytearray:
    """The frames as lines; nothing where they may not be decoded as such.

    Within a document no bracket that closes stands before one that opens, and no line ends in a string: so each
    frame is whole documents, and as many documents as frames are one each. What is passed over is not checked for
    its encoding.
    """
    if isinstance(frames, Frames):
        if not (frames.ends > frames.starts).all():
            return b""
        cells = np.frombuffer(frames.data, dtype=np.uint8)
        begin, end = set(cells[frames.starts].tolist()), set(cells[frames.ends - 1].tolist())
        text: bytes | bytearray = frames.text(b"\n", b" ")
    else:
        if not all(frames):
            return b""
        begin, end = set(map(itemgetter(0), frames)), set(map(itemgetter(-1), frames))
        text = b"\n".join(frames)
    whole = begin <= _OPENERS and end <= _CLOSERS
    return text if whole and text.isascii() and b"\\" not in text else b""


def list_of(types: Iterable[Any]) -> Any:
    """The type of a list of these."""
    return list[reduce(or_, types)]  # type: ignore[misc]


def by_type(messages: list[Any]) -> Iterable[Any]:
    return map(type, messages)


class Typed:
    """Turns the messages of a read into blocks of the streams that are known."""

    def __init__(
        self,
        rows: Rows,
        name_key: str,
        types: Sequence[Any],
        table: Mapping[Any, Ticks | None],
        *,
        keys: Callable[[list[Any]], Iterable[Any]] = by_type,
        inside: str = "",
        lists: Callable[[list[Any]], list[list[Any]]] | None = None,
        told: Callable[[Ticks, list[Any], Positions], Told] | None = None,
        fits: Callable[[list[Any]], bool] | None = None,
    ) -> None:
        """types: what a message may be. inside: what of it matters. lists: what each is a list of, of several kinds.

        keys: what tells messages (or what they are lists of) apart. table: by that, the ticks that they are, None
        where they are passed over. told: ticks out of messages and their frames, where `Ticks` does not say it.
        fits: whether the messages of a read may be taken together at all.
        """
        self._rows = rows
        self._name_key = name_key
        self._lines = Lines(types)
        self._lists = lists
        self._inside = attrgetter(inside) if inside else None
        self._keys = keys
        self._told = told or told_by
        self._fits = fits
        unique = {id(ticks): ticks for ticks in table.values() if ticks is not None}
        self._ticks = list(unique.values())
        numbers = {which: number for number, which in enumerate(unique)}
        self._numbers = {key: _PASSED if ticks is None else numbers[id(ticks)] for key, ticks in table.items()}

    def take(self, frames: Sequence[bytes], at: Positions, recv: int | Times, done: Done) -> None:
        """Add what fits of the frames at `at` to the streams.

        at: int64[n], rising, places in the read. recv: when all frames of the read came, or each, ns since 1970 UTC.
        """
        if not len(at):
            return
        if len(at) < len(frames):
            each = frames.each() if isinstance(frames, Frames) else frames
            frames = [each[i] for i in at.tolist()]
        read = self._lines.read(frames)
        if read is None or (self._fits and not self._fits(read[0])):
            done.left[at] = True
            return
        done.messages, text = read
        messages, of = done.messages, at
        if self._lists:
            try:
                messages, of = _in_one(self._lists(messages), at)
            except TypeError:  # of what cannot be put in order
                done.left[at] = True
                return
        elif self._inside:
            messages = list(map(self._inside, messages))
        ready = []
        for ticks, chosen in self._apart(messages, of, done):
            whole = len(chosen) == len(messages)
            some = messages if whole else [messages[i] for i in chosen.tolist()]
            told = self._told(ticks, some, of if whole else of[chosen])
            told.index = chosen if self._lists else None
            kind = self._ready(ticks, told, text, recv, done)
            if kind is not None:
                ready.append(kind)
        ticks_in = np.zeros_like(done.left)
        for kind in ready:
            ticks_in[kind.told.at] = True
        done.other += int((~ticks_in[at] & ~done.left[at]).sum())
        for kind in ready:
            self._add(kind, done)

    def _apart(self, messages: list[Any], at: Positions, done: Done) -> Iterable[tuple[Ticks, Positions]]:
        """Which messages are ticks of what. Those that are of nothing known are left."""
        keys = list(self._keys(messages))
        distinct = dict.fromkeys(map(self._numbers.get, set(keys), repeat(_LEFT)))
        codes = (
            np.fromiter(map(self._numbers.get, keys, repeat(_LEFT)), np.int64, len(keys))
            if len(distinct) > 1
            else None
        )
        for code in distinct:
            chosen = np.arange(len(keys)) if codes is None else np.flatnonzero(codes == code)
            if code == _LEFT:
                done.left[at[chosen]] = True
            elif code != _PASSED:
                yield self._ticks[code], chosen

    def _ready(
        self, ticks: Ticks, told: Told, text: bytes | bytearray, recv: int | Times, done: Done
    ) -> _Ready | None:
        """Columns of ticks of one kind. Frames with one that does not fit are left."""
        names = told.names or list(map(attrgetter(ticks.name or self._name_key), told.rows))
        if {str} != set(map(type, names)):
            done.left[told.at] = True
            return None
        codes = {name: code for code, name in enumerate(dict.fromkeys(names))}
        streams = [self._known(ticks.kind, name, bool(told.times)) for name in codes]
        try:
            if len(names) < WORTH_A_BLOCK * len(codes) or not any(streams):
                raise Unfit
            columns = Columns(ticks, told, text, recv)
        except (Unfit, OverflowError):
            done.left[told.at] = True
            return None
        which = np.empty(0, dtype=np.int64)
        if len(codes) > 1:
            which = np.fromiter(map(codes.__getitem__, names), np.int64, len(names))
        bad = columns.bad | columns.new_in(which, streams)
        unknown = [code for code, stream in enumerate(streams) if stream is None]
        if unknown:
            bad |= np.isin(which, unknown)
        done.left[told.at[bad]] = True
        return _Ready(ticks, told, names, streams, which, columns)

    def _add(self, ready: _Ready, done: Done) -> None:
        """Add the ticks of the frames that are not left."""
        told, columns, which = ready.told, ready.columns, ready.which
        left = done.left[told.at]
        rows = np.flatnonzero(~left) if left.any() else np.arange(len(left))
        rows = columns.order(rows, told.at if told.part is None else told.part)
        done.taken.append(Taken(ready.ticks, ready.names, told.at, columns.ids, rows))
        number = np.arange(len(rows)) if told.index is None else told.index[np.sort(rows)]
        place = (told.at[rows] << PLACES) + number
        ends = [len(rows)]
        if len(which):
            order = np.argsort(which[rows], kind="stable")
            rows, place = rows[order], place[order]
            ends = np.searchsorted(which[rows], np.arange(1, len(ready.streams) + 1)).tolist()
        for stream, start, end in zip(ready.streams, [0, *ends], ends, strict=False):
            if start < end and stream is not None:
                some = rows[start:end]
                ids = None if columns.ids is None else columns.ids[some]
                stream.add_block(Block(place[start:end], columns.t[some], columns.values(some, stream), ids))

    def _known(self, kind: Kind, name: str, timed: bool) -> StreamRows | None:
        """The stream of `name` where it is there already and is read in this way."""
        stream = self._rows.streams.get((label(name), kind.kind))
        if stream is None or stream.stream.timed != (timed or bool(kind.time)):
            return None
        layout = stream.layout
        keys = {*kind.keys.values(), *kind.optional.values()}
        alike = (layout.time, layout.id) == (kind.time, kind.id) and keys.issuperset(layout.fields)
        return stream if alike and stream.width == len(layout.fields) else None


def told_by(ticks: Ticks, messages: list[Any], at: Positions) -> Told:
    """The ticks of messages as `Ticks` says."""
    return flattened(messages, at, attrgetter(ticks.rows)) if ticks.rows else Told(messages, at)


def flattened(messages: list[Any], at: Positions, rows: Callable[[Any], list[Any]]) -> Told:
    """The ticks of messages that have lists of them. at: int64[n], the frames of the messages."""
    return Told(*_in_one(list(map(rows, messages)), at))


def _in_one(lists: list[list[Any]], at: Positions) -> tuple[list[Any], Positions]:
    """What is in the lists, and for each its list's frame."""
    counts = np.fromiter(map(len, lists), np.int64, len(lists))
    return list(chain.from_iterable(lists)), np.repeat(at, counts)


def passed_over(base: type[msgspec.Struct], tags: str) -> list[Any]:
    """A type for each of `tags`, apart by a space, of messages with such a tag of which nothing more is wanted."""
    return [msgspec.defstruct(f"_{tag}", [], bases=(base,), tag=tag, gc=False) for tag in tags.split()]
