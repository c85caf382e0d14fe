"""The rows of the watch list: values, order and columns. Nothing here draws."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise, takewhile
from typing import NamedTuple

import msgspec
import numpy as np

from tuistream.charts.numbers import digits_for, format_change, format_percent, format_value, sparkline
from tuistream.core.batch import Times, Values
from tuistream.core.board import Board
from tuistream.core.durations import format_duration
from tuistream.core.session import StreamState
from tuistream.core.status import Rate
from tuistream.core.text import printable
from tuistream.ui.content import HEAT_MAP
from tuistream.ui.counting import ACROSS, DOWN
from tuistream.ui.glyphs import Signs
from tuistream.ui.line import Part, cell_len, padded
from tuistream.ui.streams import Entry, EntryKey, Streams, key_of

SECOND = 1_000_000_000
NAN = float("nan")
UNIT_LENGTH = 24
SPARK_SPAN = 60 * SECOND
DIGITS_SAMPLE = 200
DIGITS_NS = 250_000_000  # between looks at how many decimals there are, once that many values have been looked at
SIGNIFICANT = 8  # digits shown of a value at most
SORTS = ("appearance", "name", "change %", "rate", "age")
WIDTHS = {
    "stream": 11,
    "last": 12,
    "chg %": 7,
    "age": 6,
    "ticks/s": 8,
    "change": 11,
    "low": 12,
    "high": 12,
    "last minute": 12,
}
DROPPED_FIRST = ("low", "high", "change", "last minute", "ticks/s", "age", "chg %")
OF_NUMBERS = ("last", "change", "chg %", "low", "high")  # side by side
KEPT_FROM_NAMES = "chg %"  # dropped only for names that could not be told apart otherwise
LONGEST_NAME = 28  # for which other columns make room
SHOWN_ORDER = ("stream", "last", "change", "chg %", "low", "high", "ticks/s", "age", "last minute")


class Row(msgspec.Struct, frozen=True):
    """What the list says of one stream; times are ns. text: its newest item, where it has no numbers (all NaN)."""

    key: EntryKey
    label: str
    number: int
    last: float
    first: float
    low: float
    high: float
    digits: int
    rate: float
    last_recv: int
    silent: bool
    unit: str = ""
    text: str = ""

    @property
    def percent(self) -> float:
        return (self.last / self.first - 1) * 100 if self.first and np.isfinite(self.first) else float("nan")


class _Digits(NamedTuple):
    """Decimals that were found, and what was looked at: the series' version, ticks so far, when."""

    version: int
    ticks: int
    at: int
    found: int


class WatchRows:
    """The streams as rows, sorted and filtered. While `frozen` is set (ns), they are as they were then."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._rates: dict[EntryKey, tuple[Rate, float]] = {}
        self._digits: dict[tuple[EntryKey, str], _Digits] = {}
        self._kept: dict[EntryKey, Row] = {}
        self.sort = SORTS[0]
        self.filter = ""
        self.order: list[Entry] = []
        self.longest = 0  # cells of the longest name in it
        self.apart = 0  # cells to which its names can be cut so that no two are alike

    def measure(self, now: int) -> None:
        """Measure the rates of all streams; about once a second."""
        for entry in self._streams.order:
            key = key_of(entry)
            rate = self._rates[key][0] if key in self._rates else Rate()
            count = entry.version if isinstance(entry, Board) else entry.ticks
            self._rates[key] = rate, rate.update(now, count)

    def arrange(self, now: int) -> None:
        """Filter and sort anew."""
        wanted = self.filter.casefold()
        streams = self._streams
        self.order = [e for e in streams.order if not wanted or wanted in streams.label(key_of(e)).casefold()]
        names = [streams.label(key_of(entry)) for entry in self.order]
        self.longest = max(map(cell_len, names), default=0)
        self.apart = told_apart(names)
        if self.sort == "name":
            self.order.sort(key=lambda entry: streams.label(key_of(entry)).casefold())
        elif self.sort == "change %":
            self.order.sort(key=lambda entry: _falling(self.row(entry, now).percent))
        elif self.sort == "rate":
            self.order.sort(key=lambda entry: _falling(self._rate(key_of(entry))))
        elif self.sort == "age":
            self.order.sort(key=lambda entry: -entry.last_recv)

    def freeze(self, now: int) -> None:
        """Keep every row as it stands."""
        self._kept = {key_of(entry): self.row(entry, now) for entry in self._streams.order}

    def thaw(self) -> None:
        self._kept = {}

    def row(self, entry: Entry, now: int) -> Row:
        key = key_of(entry)
        if key in self._kept:
            return self._kept[key]
        streams = self._streams
        number, rate, silent = streams.index(key) + 1, self._rate(key), streams.silent(entry, now)
        if isinstance(entry, Board):
            from tuistream.ui.items import summary

            text = summary(entry.items[-1])
            return Row(
                key, streams.label(key), number, NAN, NAN, NAN, NAN, 0, rate, entry.last_recv, silent, text=text
            )
        look = streams.look(key)
        if look is not None and look.kind == HEAT_MAP and look.grid != (0, 0):
            text = _newest_cell(entry)  # a count of cells has no last value
            return Row(
                key, streams.label(key), number, NAN, NAN, NAN, NAN, 0, rate, entry.last_recv, silent, text=text
            )
        return Row(
            key,
            streams.label(key),
            number,
            entry.last,
            entry.first,
            entry.low,
            entry.high,
            self.digits(entry, now),
            rate,
            entry.last_recv,
            silent,
            unit=printable(look.unit, UNIT_LENGTH) if look is not None else "",
        )

    def digits(self, state: StreamState, now: int, field: str = "") -> int:
        """Decimals of a field's values: as many as any so far has needed, so that numbers stand still.

        field: the stream's main one, where none is given.
        """
        field, series = field or state.main, state.series
        key = state.stream.key, field
        last = self._digits.get(key)
        if last is not None:
            soon = last.ticks >= DIGITS_SAMPLE and 0 <= now - last.at < DIGITS_NS
            if soon or last.version == series.version:
                return last.found
        values = series.column(field)[-DIGITS_SAMPLE:]
        needed = digits_for(values)
        last_value = state.last if field == state.main or not len(values) else float(values[-1])
        size = abs(last_value) if np.isfinite(last_value) else 0.0
        whole = int(np.log10(size)) + 1 if size >= 1 else 1
        found = max(min(needed, max(0, SIGNIFICANT - whole)), last.found if last else 0)
        self._digits[key] = _Digits(series.version, state.ticks, now, found)
        return found

    def _rate(self, key: EntryKey) -> float:
        return self._rates[key][1] if key in self._rates else 0.0


def _falling(value: float) -> float:
    """A sort key: the largest first, what is no number last."""
    return -value if value == value else float("inf")


def told_apart(names: Iterable[str]) -> int:
    """Cells to which names can be cut, with an ellipsis, so that no two of them become alike."""
    return max((_alike(*pair) + 2 for pair in pairwise(sorted(names))), default=0)


def _alike(one: str, other: str) -> int:
    """Cells of what both begin with."""
    return sum(cell_len(a) for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def columns_for(width: int, longest: int = 0, apart: int = 0) -> dict[str, int]:
    """The columns that fit, with their widths; the name and the last column take what is left.

    longest: cells of the longest name, for which columns that matter less make room. apart: cells that names need to
    be told apart, for which the others do, too.
    """
    shown = list(SHOWN_ORDER)
    room = width - 2
    whole = _name_width(longest)
    wanted = WIDTHS | {"stream": whole}
    for name in DROPPED_FIRST:
        if name == KEPT_FROM_NAMES:
            wanted = WIDTHS | {"stream": _name_width(min(longest, apart))}
        if sum(wanted[column] for column in shown) <= room:
            break
        shown.remove(name)
    widths = {name: wanted[name] for name in shown}
    over = sum(widths.values()) - room
    widths["stream"] = max(WIDTHS["stream"], widths["stream"] - max(0, over))
    free = max(0, -over)
    for name, most in (("stream", whole), ("last", WIDTHS["last"] + 3), ("chg %", 8), ("stream", longest + 1)):
        if name in widths:
            more = min(free, max(0, most - widths[name]))
            widths[name] += more
            free -= more
    if "last minute" in widths:
        widths["last minute"] += free
    return widths


def _name_width(cells_: int) -> int:
    return min(max(WIDTHS["stream"], cells_ + 1), LONGEST_NAME)


def header(columns: dict[str, int]) -> list[Part]:
    parts: list[Part] = [("  ", "")]
    for name, width in columns.items():
        if name == "stream":
            parts.append((padded(name, width), "dim"))
        elif name == "last":
            parts.append((padded("last", width - 2, right=True) + "  ", "dim"))
        else:
            parts.append((padded(name, width, right=True), "dim"))
    return parts


def _newest_cell(state: StreamState) -> str:
    """The places of the newest tick, along the width and the height of its grid."""
    series = state.series
    known = [name for name in (ACROSS, DOWN) if name in series.fields and len(series)]
    return ", ".join(f"{series.column(name)[-1]:,.0f}" for name in known)


def cells(row: Row, columns: dict[str, int], now: int, signs: Signs, selected: bool, spark: str) -> list[Part]:
    """One row of the list; of a stream whose panel is hidden with a sign and a dim name. now: ns."""
    value_ink = "stale" if row.silent else "plain"
    name_ink = "selected" if selected else value_ink if row.number else "dim"
    sign, ink = signs.move(row.last, row.first)
    if row.silent:
        sign, ink = signs.stale, "stale"
    parts: list[Part] = [(signs.cursor if selected else " ", "accent")]
    parts.append((" " if row.number else signs.hidden, "dim"))
    change, percent = row.last - row.first, row.percent
    if row.text:
        columns = _with_room_for_text(columns)
    for name, width in columns.items():
        match name:
            case "stream":
                parts.append((padded(row.label, width - 1) + " ", name_ink))
            case "text":
                parts.append((" " + padded(row.text, width - 1), value_ink))
            case "last":
                parts += [(number(row.last, row.digits, width - 2), value_ink), (f" {sign}", ink)]
            case "change":
                parts.append((right(format_change(change, row.digits), width), move_ink(change, row.silent)))
            case "chg %":
                parts.append((percentage(percent, width), move_ink(percent, row.silent)))
            case "low" | "high":
                value = row.low if name == "low" else row.high
                parts.append((number(value, row.digits, width), "dim"))
            case "ticks/s":
                parts.append((right(f"{row.rate:,.1f}" if row.rate < 1_000 else f"{row.rate:,.0f}", width), "dim"))
            case "age":
                parts.append((right(age_text(now - row.last_recv), width), value_ink if row.silent else "dim"))
            case _:
                parts.append((padded(spark, width, right=True), "stale" if row.silent else "spark"))
    return parts


def _with_room_for_text(columns: dict[str, int]) -> dict[str, int]:
    """The columns of a row that has a text where others have numbers."""
    shown: dict[str, int] = {}
    for name, width in columns.items():
        if name in OF_NUMBERS:
            shown["text"] = shown.get("text", 0) + width
        else:
            shown[name] = width
    return shown


def right(text: str, width: int) -> str:
    """`text` right-aligned with a space before it; a number that has no room is ###, never cut."""
    return (text if len(text) < width else "###"[: max(0, width - 1)]).rjust(width)


def number(value: float, digits: int, width: int) -> str:
    """`value` with as many of its decimals as there is room for."""
    if value != value:
        return " " * width
    texts = (*(format_value(value, fewer) for fewer in range(digits, -1, -1)), f"{value:.3g}")
    return right(next((text for text in texts if len(text) < width), texts[-1]), width)


def percentage(percent: float, width: int) -> str:
    if percent != percent:
        return " " * width
    text = format_percent(percent).removesuffix("%").rstrip()
    return right(text if len(text) < width else f"{percent:+.0f}", width)


def move_ink(change: float, silent: bool) -> str:
    if silent:
        return "stale"
    return "up" if change > 0 else "down" if change < 0 else "flat"


def age_text(age: int) -> str:
    """Time since the last tick in one unit: "0 s", "12 s", "4 m", "2 h"."""
    if age < 60 * SECOND:
        return f"{max(0, age) // SECOND} s"
    return " ".join(format_duration(age).split()[:2])


def spark_of(t: Times, values: Values, edge: int, width: int, glyphs: str) -> str:
    """The minute before `edge` (ns) in `width` signs, each the last value of its part of it."""
    if not len(t) or width < 1:
        return ""
    ends = edge - SPARK_SPAN + (np.arange(1, width + 1) * (SPARK_SPAN // width))
    rows = np.searchsorted(t, ends, side="right") - 1
    fresh = rows >= np.searchsorted(t, edge - SPARK_SPAN, side="left")
    bars = sparkline(np.where(fresh, values[rows], np.nan), width, glyphs)
    return bars.replace("█", "▇")  # so that rows do not touch
