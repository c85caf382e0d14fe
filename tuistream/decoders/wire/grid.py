"""Messages of one form and one length, whose digits stand in the same places, decoded as a matrix of bytes.

Senders that write so many decimals each time send most of their messages so. That all bytes but digits are those of
a message that has been read the general way, and each digit is a digit, shows for all messages in a few steps; what
a number is then follows from where its digits stand. Where a message names its stream any bytes may stand, of which
it is known how a message with just these is read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
import numpy as np

from tuistream.core.batch import Times, Values
from tuistream.core.frames import Frames, Positions
from tuistream.decoders.wire.json_text import Malformed, loads
from tuistream.decoders.wire.labels import NEW, Cells, Labels
from tuistream.decoders.wire.rows import Block, StreamRows
from tuistream.decoders.wire.skeleton import (
    MAX_LABELS,
    WORTH_A_BLOCK,
    Columns,
    Keys,
    Reading,
    Taken,
    Unfit,
    alike,
    by_label,
)
from tuistream.decoders.wire.time_columns import EXACT_DECIMALS, from_decimals, from_floats, from_integers

MAX_LENGTH = 1_024  # bytes of a message that has a grid
MAX_GRIDS = 32  # of all lengths
MAX_ALIKE = 4  # of one length
MAX_REFUSED = 4  # messages of one length that can have no grid, after which none is tried
MAX_NEW_LABELS = 64  # messages that are looked at for such after one read
MAX_MISSES = 3  # reads in a row of which the grids take less than half, until they are given up
WORTH_IT = 100  # messages of one length in a read; fewer are decoded as fast without a grid
MAX_DIGITS = 18  # of a number, so that int64 holds them
_EXACT = 1 << 53  # integers below it are floats, and so a quotient of one by a power of ten is rounded only once
_MAX_DECIMALS = 22  # powers of ten up to this one are floats
_TOKEN = re.compile(rb"[0-9]+(?:\.([0-9]+))?([eE][+-]?[0-9]+)?")
_STRING = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_ZERO, _ONE = b"01"
_ANY = 255


class _Number(msgspec.Struct, frozen=True, eq=False):
    """Where the digits of a number stand. weights: int64[stop - start], of each byte; base: what is added."""

    start: int
    stop: int
    weights: Times
    base: int
    decimals: int
    kind: type

    def integers(self, above: Cells) -> Times:
        """The numbers without their points. above: uint8[n, length], by how much each byte is over its least."""
        digits: Times = above[:, self.start : self.stop] @ self.weights
        return digits + self.base if self.base else digits

    def floats(self, above: Cells) -> Values:
        integers = self.integers(above)
        if not self.decimals:
            return integers.astype(np.float64)
        if self.stop - self.start > 16 and int(integers.max()) >= _EXACT:
            raise Unfit
        return integers / 10.0**self.decimals


class Grid:
    """Decodes messages that are like one of them but for the digits of its numbers and texts, and what names their
    streams.
    """

    def __init__(self, frame: bytes, reading: Reading) -> None:
        """frame: a message that has been read the general way, as `reading` says. Raises Unfit."""
        if len(frame) > MAX_LENGTH:
            raise Unfit
        self._reading = reading
        self._least = np.frombuffer(frame, dtype=np.uint8).copy()
        self._spread = np.zeros(len(frame), dtype=np.uint8)
        wanted = {*(keys for keys, _ in reading.fields), *filter(None, (reading.time, reading.id))}
        self._numbers: dict[Keys, _Number] = {}
        leaves = _leaves_of(frame)
        named: list[int] = []  # the bytes that name the stream
        for name in (name for name in _STRING.finditer(frame) if name[1]):
            keys = _changed_by(frame, name.span(1), b"?" if name[1] != b"?" else b"!", leaves)
            if keys is not None and keys in reading.same:
                named += range(*name.span(1))
        for token in _TOKEN.finditer(frame):
            start, stop = token.span()
            if start in named:
                continue
            digit = b"1" if frame[start : start + 1] != b"1" else b"2"
            keys = _changed_by(frame, (start, start + 1), digit, leaves)
            if keys is not None and keys in reading.same:
                named += range(start, stop)
            elif keys is not None:
                self._free(token, leaves[keys], keys if keys in wanted else None)
        if self._numbers.keys() != wanted:
            raise Unfit
        if reading.time is not None and self._numbers[reading.time].kind is str:
            raise Unfit  # a date, or a number in a string
        if reading.id is not None and (self._numbers[reading.id].decimals or self._numbers[reading.id].kind is float):
            raise Unfit
        self._spread[named] = _ANY
        named.sort()
        together = bool(named) and named[-1] - named[0] < len(named)
        self._named = slice(named[0], named[-1] + 1) if together else np.array(named, np.int64)
        self._labels = Labels(len(named)) if named else None
        if self._labels is not None:
            self._labels.add(self._above(frame)[self._named])
        self._readings: list[Reading | None] = [reading]

    def is_like(self, frame: bytes) -> bool:
        """Whether a message of this length fits, but for its label."""
        return bool((self._above(frame) <= self._spread).all())

    def add_label(self, frame: bytes, reading: Reading | None) -> bool:
        """How messages with the label of `frame`, which fits, are read; False where that is known, or too much."""
        if self._labels is None or not self._has_room:
            return False
        if not self._labels.add(self._above(frame)[self._named]):
            return False
        self._readings.append(reading if reading and self._reads_alike(frame, reading) else None)
        return True

    def _reads_alike(self, frame: bytes, reading: Reading) -> bool:
        """Whether what stands in `frame` means the same as here: its label may hold a key that is here, too."""
        try:
            other = Grid(frame, reading)
        except Unfit:
            return False
        same_digits = bool((self._spread == other._spread).all())
        return alike(self._reading, reading) and same_digits and self._places == other._places

    @property
    def _places(self) -> dict[Keys, tuple[int, int, int, type]]:
        return {keys: (each.start, each.stop, each.decimals, each.kind) for keys, each in self._numbers.items()}

    @property
    def _has_room(self) -> bool:
        return len(self._readings) < MAX_LABELS

    def _above(self, frame: bytes) -> Cells:
        return np.frombuffer(frame, dtype=np.uint8) - self._least

    def _free(self, token: re.Match[bytes], value: object, wanted: Keys | None) -> None:
        """Let the digits of `token`, which is in the leaf `value`, differ."""
        start, stop = token.span()
        whole = len(token[0]) - (len(token[1]) + 1 if token[1] else 0)
        kind = type(value)
        is_number = kind is int or kind is float
        if is_number and (token[2] or len(token[0]) > MAX_DIGITS):
            if wanted is not None:
                raise Unfit
            return
        points = [start + whole] if token[1] else []
        digits = [at for at in range(start, stop) if at not in points and self._least[at] in b"0123456789"]
        self._least[digits], self._spread[digits] = _ZERO, 9
        # JSON has no number with a leading zero, and such a string is no number where it is an id.
        first = (is_number and whole > 1) or (wanted is not None and wanted == self._reading.id)
        if first:
            self._least[start], self._spread[start] = _ONE, 8
        if wanted is None:
            return
        told = token[0] if not is_number and type(value) is str and value.encode() == token[0] else None
        if (not is_number and told is None) or (start and token.string[start - 1] == ord("-")):
            raise Unfit
        if token[2] or len(token[0]) > MAX_DIGITS:
            raise Unfit
        self._numbers[wanted] = _number(start, stop, digits, first, len(token[1] or b""), kind)

    def take(self, cells: Cells, at: Positions, recv: int) -> Taken:
        """The ticks of messages of this length, with those that have a new label as positions in the read. Raises
        Unfit where there are none.

        cells: uint8[n, length], a message a row. at: int64[n], where they stand in the read.
        """
        above = cells - self._least  # wraps, so that a byte below the least is far above it
        fits = above <= self._spread
        left = at[:0]
        if not fits.all():
            each = fits.all(axis=1)
            above, at, left = above[each], at[each], at[~each]
            if not len(at):
                raise Unfit
        if self._labels is None:
            (reading,) = self._readings
            assert reading is not None
            return Taken([(reading.rows, self._columns(above, at, recv).block(reading))], left, at[:0])
        labels = self._labels.find(above[:, self._named])
        distinct = (np.bincount(labels - NEW).nonzero()[0] + NEW).tolist()
        if len(distinct) * WORTH_A_BLOCK > len(at):
            taken = Taken([], at, (labels == NEW).nonzero()[0])
        else:
            taken = by_label(self._columns(above, at, recv), labels, distinct, self._readings)
        new = self._some_new(above, taken.new) if len(taken.new) and self._has_room else taken.new[:0]
        left = np.concatenate((left, taken.left))
        left.sort()  # what is left may be for another grid, in the order in which it came
        return Taken(taken.blocks, left, at[new])

    def _some_new(self, above: Cells, which: Positions) -> Positions:
        """One row of each label that is new, as far as it is looked for them."""
        rows = {above[row, self._named].tobytes(): row for row in which[:MAX_NEW_LABELS].tolist()}
        return np.array([*rows.values()], np.int64)

    def _columns(self, above: Cells, at: Positions, recv: int) -> Columns:
        reading, numbers = self._reading, self._numbers
        values = [numbers[keys].floats(above) for keys, _ in reading.fields]
        ids = None if reading.id is None else numbers[reading.id].integers(above)
        return Columns(at, values, self._times(above, recv), ids)

    def _times(self, above: Cells, recv: int) -> Times | None:
        """None where the messages have none."""
        keys = self._reading.time
        if keys is None:
            return None
        number = self._numbers[keys]
        if number.kind is int:
            t = from_integers(number.integers(above), recv)
        else:
            exact = number.decimals <= EXACT_DECIMALS
            t = from_decimals(number.integers(above), number.decimals, recv) if exact else None
            if t is None:
                t = from_floats(number.floats(above), recv)
        if t is None:
            raise Unfit  # a bad time is counted
        return t


class Grids:
    """The grids of a feed's messages, by their length.

    They are given up where they do not take most of what comes: what they leave costs more than without them.
    """

    def __init__(self) -> None:
        self._grids: dict[int, list[Grid]] = {}
        self._count = 0
        self._refused: dict[int, int] = {}  # by length, how many messages had none
        self._misses = 0

    @property
    def worth_it(self) -> bool:
        return self._misses < MAX_MISSES

    def take(self, frames: Frames, recv: int) -> tuple[list[tuple[StreamRows, Block]], Positions, list[int]]:
        """The ticks of the frames that fit; which are left; and some of those, for which `learn` is worth a try."""
        blocks: list[tuple[StreamRows, Block]] = []
        left: list[Positions] = []
        new: list[int] = []
        for length, rows in _by_length(frames.ends - frames.starts):
            rest, known = rows, len(new)
            if len(rows) >= WORTH_IT:
                for each in self._grids.get(length, ()):
                    rest = _take_alike(each, length, frames, rest, recv, blocks, new)
                    if len(rest) < WORTH_IT:
                        break
                if len(rest) >= WORTH_IT and len(new) == known and self._may_learn(length):
                    new.append(int(rest[0]))
            left.append(rest)
        rest = np.sort(np.concatenate(left))
        if len(frames) >= WORTH_IT and not new:
            self._misses = self._misses + 1 if 2 * len(rest) > len(frames) else 0
        return blocks, rest, new

    def learn(self, frame: bytes, reading: Reading | None) -> None:
        """Take in that messages like `frame` are read so, if they can have a grid."""
        length = len(frame)
        like = next((each for each in self._grids.get(length, ()) if each.is_like(frame)), None)
        learned = like is not None and like.add_label(frame, reading)
        if like is None and reading is not None and self._may_learn(length):
            try:
                self._grids.setdefault(length, []).append(Grid(frame, reading))
                self._count += 1
                learned = True
            except Unfit:
                pass
        if not learned:
            self._refused[length] = self._refused.get(length, 0) + 1

    def _may_learn(self, length: int) -> bool:
        room = self._count < MAX_GRIDS and len(self._grids.get(length, ())) < MAX_ALIKE
        return room and length <= MAX_LENGTH and self._refused.get(length, 0) < MAX_REFUSED


def _take_alike(
    grid: Grid,
    length: int,
    frames: Frames,
    rows: Positions,
    recv: int,
    blocks: list[tuple[StreamRows, Block]],
    new: list[int],
) -> Positions:
    """Add the ticks of the messages at `rows` that fit, and of what is new some; which are left."""
    try:
        taken = grid.take(_cells(frames, rows, length), rows, recv)
    except Unfit:
        return rows
    blocks += taken.blocks
    new += taken.new.tolist()
    return taken.left


def _by_length(lengths: Positions) -> list[tuple[int, Positions]]:
    """Which messages are of which length; those that are too long for a grid are together."""
    lengths = np.minimum(lengths, MAX_LENGTH + 1)
    least = int(np.minimum.reduce(lengths))
    if least == int(np.maximum.reduce(lengths)):
        return [(least, np.arange(len(lengths)))]
    counts = np.bincount(lengths - least)
    return [(int(each) + least, (lengths == each + least).nonzero()[0]) for each in counts.nonzero()[0]]


def _cells(frames: Frames, rows: Positions, length: int) -> Cells:
    """uint8[n, length], the bytes of the messages at `rows`, all of which have this length."""
    cells = np.frombuffer(frames.data, dtype=np.uint8)
    if len(rows) == len(frames):
        first, stop = int(frames.heads[0]), int(frames.ends[-1])
        step = int(frames.ends[0]) - first
        if bool((frames.ends - frames.heads == step).all()):
            return cells[first:stop].reshape(len(frames), step)[:, step - length :]
    # One element of so many bytes wherever one may begin: each is then copied in one step.
    anywhere = np.ndarray((len(cells) - length + 1,), f"V{length}", frames.data, strides=(1,))
    return anywhere[frames.starts[rows]].view(np.uint8).reshape(len(rows), length)


def _number(start: int, stop: int, digits: Sequence[int], first: bool, decimals: int, kind: type) -> _Number:
    if decimals > _MAX_DECIMALS:
        raise Unfit
    weights = np.zeros(stop - start, dtype=np.int64)
    for power, at in enumerate(reversed(digits)):
        weights[at - start] = 10**power
    return _Number(start, stop, weights, int(weights[0]) if first else 0, decimals, kind)


def _leaves_of(frame: bytes) -> dict[Keys, object]:
    """Each value of a message that is no object, by the keys that lead there."""
    leaves: dict[Keys, object] = {}
    try:
        inner: list[tuple[Keys, object]] = [((), loads(frame))]
    except Malformed:
        return leaves
    while inner:
        keys, value = inner.pop()
        if type(value) is dict:
            inner += [((*keys, key), each) for key, each in value.items()]
        else:
            leaves[keys] = value
    return leaves


def _changed_by(frame: bytes, span: tuple[int, int], other: bytes, leaves: dict[Keys, object]) -> Keys | None:
    """What the bytes from `span[0]` to `span[1]` are part of, as `other` in their place tells; None where that is no
    plain value.
    """
    others = _leaves_of(frame[: span[0]] + other + frame[span[1] :])
    changed = [keys for keys, value in leaves.items() if keys in others and others[keys] != value]
    if others.keys() != leaves.keys() or len(changed) != 1:
        return None
    return changed[0] if type(leaves[changed[0]]) in (int, float, str) else None
