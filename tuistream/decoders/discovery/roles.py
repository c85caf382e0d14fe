"""Which value of a message is its time, its name, its kind, its id, and which are fields to draw."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tuistream.decoders.contract import MAX_FIELDS, DecoderOptions
from tuistream.decoders.discovery import vocabulary as words
from tuistream.decoders.discovery.survey import Leaf, Survey
from tuistream.decoders.wire.numbers import is_number
from tuistream.decoders.wire.rows import Layout, label
from tuistream.decoders.wire.timestamps import is_date, is_written_time, to_ns, unit_of

MAX_KINDS = 3
MAX_CONTROLS = 4
NEAR = 3_600 * 10**9  # ns: a number with no name of a time is one only if it is the time of its receipt
MAX_TIME_POSITION = 1  # in a row that is a list: [time, …] or [id, time, …]
EARLIEST_UNNAMED = 1_000_000_000  # a smaller number in a list is not taken for seconds
_TIME_RANK = {key: rank for rank, key in enumerate(words.TIMES)}


class Roles:
    """The parts that the values of one message play. What the user said goes before what is found."""

    def __init__(self, survey: Survey, options: DecoderOptions, recv: int) -> None:
        self._leaves = survey.leaves
        self._recv = recv
        self._options = options
        self._top = survey.base == 0
        self.time = self._said(options.time_field) or (None if options.time_field else self._find_time())
        said = self._said(options.key)
        self.names = [said] if said else [] if options.key else self._find_names()
        self.kinds = self._find_kinds()
        self.controls = self._find_controls()
        self.id = self._said(options.id) or (None if options.id else self._find_id())
        self.fields = self._find_fields()
        own = survey.base
        self.pending = tuple(
            leaf.key
            for leaf in self._leaves
            if leaf.at[0] == own and leaf.at[2] < 0 and self._is_placeholder(leaf) and not options.fields
        )

    def layout_of(self, fields: list[Leaf]) -> Layout:
        return Layout(
            self.time.path if self.time else "",
            unit_of(self.time.value) if self.time else "",
            self.id.path if self.id else "",
            "/".join(leaf.path for leaf in self.names),
            tuple(leaf.path for leaf in fields),
        )

    def _said(self, path: str) -> Leaf | None:
        """The value that the user means by `path`: all of its path, its name as a field, or the end of its path."""
        if not path:
            return None
        rules: tuple[Callable[[Leaf], bool], ...] = (
            lambda leaf: leaf.path == path,
            lambda leaf: leaf.name == path or label(leaf.name) == path,
            lambda leaf: leaf.path.endswith(f".{path}"),
        )
        return next((leaf for rule in rules for leaf in self._leaves if rule(leaf)), None)

    def _first(self, leaves: Iterable[Leaf], keys: Sequence[str], fits: Callable[[Leaf], bool]) -> Leaf | None:
        """Of those with one of `keys` that fit: the nearest to the data, then the one whose key comes first."""
        rank = {key: at for at, key in enumerate(keys)}
        found = [leaf for leaf in leaves if leaf.key in rank and leaf.at[2] < 0 and fits(leaf)]
        return min(found, key=lambda leaf: (leaf.order, rank[leaf.key]), default=None)

    def _find_time(self) -> Leaf | None:
        own = [leaf for leaf in self._leaves if leaf.own and leaf.at[2] < 0]
        outer = [leaf for leaf in self._leaves if not leaf.own]
        leaves = [*own, *outer]
        return (
            self._dated(own)
            or self._dated(outer)
            or self._first(leaves, words.TIMES, self._is_possible)
            or next((leaf for leaf in leaves if is_written_time(leaf.value)), None)
            or self._first(leaves, tuple(words.CERTAIN_TIMES), lambda leaf: type(leaf.value) in (int, float, str))
            or next((leaf for leaf in leaves if self._is_now(leaf)), None)
        )

    def _dated(self, leaves: list[Leaf]) -> Leaf | None:
        """A time with its date: by a usual name, by a name like a time's, or written as one."""
        return (
            self._first(leaves, words.TIMES, self._is_dated)
            or next((leaf for leaf in leaves if words.LIKE_A_TIME.search(leaf.key) and self._is_dated(leaf)), None)
            or next((leaf for leaf in leaves if is_written_time(leaf.value) and self._is_dated(leaf)), None)
            or next((leaf for leaf in leaves if leaf.listed and self._is_listed_time(leaf)), None)
        )

    def _is_possible(self, leaf: Leaf) -> bool:
        return to_ns(leaf.value, self._recv) is not None

    def _is_dated(self, leaf: Leaf) -> bool:
        return self._is_possible(leaf) and unit_of(leaf.value) != "clock time" and not is_date(leaf.value)

    def _is_listed_time(self, leaf: Leaf) -> bool:
        if int(leaf.key[1:]) > MAX_TIME_POSITION or not self._is_possible(leaf):
            return False
        return not is_number(leaf.value) or float(leaf.value) >= EARLIEST_UNNAMED

    def _is_now(self, leaf: Leaf) -> bool:
        if words.LIKE_AN_ID.search(leaf.key) or leaf.key in words.IDS or unit_of(leaf.value) in ("", "s"):
            return False
        ns = to_ns(leaf.value, self._recv)
        return ns is not None and abs(ns - self._recv) < NEAR

    def _find_names(self) -> list[Leaf]:
        instrument = self._first(self._leaves, words.INSTRUMENTS, _is_name)
        if instrument:
            return [instrument]
        place = self._first(self._leaves, words.PLACES, _is_name)
        thing = self._first(self._leaves, words.THINGS, _is_name)
        if place or thing:
            return [leaf for leaf in (place, thing) if leaf]
        other = self._first(self._leaves, ("id", "ID"), _is_name_by_id) or self._first(
            self._leaves, words.CHANNELS, _is_name
        )
        return [other] if other else []

    def _find_kinds(self) -> list[Leaf]:
        rank = {key: at for at, key in enumerate(words.KINDS)}
        taken = {leaf.at for leaf in (*self.names, *([self.time] if self.time else []))}
        found = [
            leaf
            for leaf in self._leaves
            if leaf.key in rank and leaf.at[2] < 0 and leaf.at not in taken and _is_word(leaf.value)
        ]
        return sorted(found, key=lambda leaf: (leaf.order, rank[leaf.key]))[:MAX_KINDS]

    def _find_controls(self) -> list[Leaf]:
        if not self._top:
            return []
        rank = {key: at for at, key in enumerate(words.CONTROL_KEYS)}
        found = [leaf for leaf in self._leaves if leaf.key in rank and leaf.at[0] == 0 and _is_word(leaf.value)]
        return sorted(found, key=lambda leaf: rank[leaf.key])[:MAX_CONTROLS]

    def _find_id(self) -> Leaf | None:
        taken = {leaf.at for leaf in self.names} | ({self.time.at} if self.time else set())
        return self._first(self._leaves, words.IDS, lambda leaf: leaf.at not in taken and self._is_id(leaf))

    def _is_id(self, leaf: Leaf) -> bool:
        value = leaf.value
        if type(value) is int:
            if leaf.key not in words.LETTER_IDS:
                return True
            another_time = self._is_possible(leaf) and unit_of(value) != "s"
            return value >= words.LETTER_ID_FROM and not another_time
        if type(value) is not str or not value or is_written_time(value):
            return False
        # "i" may be an interval, an index, or a UUID.
        return leaf.key not in words.LETTER_IDS or words.LIKE_A_UNIQUE_ID.search(value) is not None

    def _find_fields(self) -> list[Leaf]:
        if self._options.fields:
            return [leaf for path in self._options.fields if (leaf := self._said(path)) is not None][:MAX_FIELDS]
        taken = {leaf.at for leaf in self.names}
        taken |= {leaf.at for leaf in (self.time, self.id) if leaf}
        twice = {(leaf.at[0], f"{leaf.key}_str") for leaf in self._leaves}  # Bitstamp's price, and price_str
        return [
            leaf
            for leaf in self._in_order()
            if leaf.at not in taken and leaf.at[:2] not in twice and self._is_field(leaf)
        ][:MAX_FIELDS]

    def _in_order(self) -> list[Leaf]:
        """As they stand in the message, its own first."""
        return sorted(self._leaves, key=lambda leaf: (not leaf.own, leaf.at[0]))

    def _is_field(self, leaf: Leaf) -> bool:
        key = leaf.key
        if not is_number(leaf.value) or key in words.OF_THE_MESSAGE or words.LIKE_AN_ID.search(key):
            return False
        if key in words.NUMBERED_NAMES or key in words.CERTAIN_TIMES:
            return False
        if key in words.IDS and key not in words.LETTER_IDS:
            return False
        if (key in _TIME_RANK or words.LIKE_A_TIME.search(key)) and self._is_possible(leaf):
            return False
        return leaf.own or (key not in words.OF_AN_ANSWER and not key.lower().endswith("counter"))

    def _is_placeholder(self, leaf: Leaf) -> bool:
        roles = {found.at for found in (*self.names, *self.kinds, self.time, self.id) if found}
        return type(leaf.value) is str and leaf.at not in roles and leaf.value.strip().lower() in words.PLACEHOLDERS


def _is_word(value: object) -> bool:
    return type(value) is str and bool(value) and not is_number(value)


def _is_name(leaf: Leaf) -> bool:
    value = leaf.value
    if leaf.key in words.NUMBERED_NAMES and type(value) is int:
        return True
    if type(value) is not str or not value or value.lower() in words.SIDES or is_written_time(value):
        return False
    return leaf.key in words.NUMBERED_NAMES or not is_number(value)


def _is_name_by_id(leaf: Leaf) -> bool:
    return _is_word(leaf.value) and words.LIKE_A_UNIQUE_ID.search(leaf.value) is None
