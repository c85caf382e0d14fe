"""What a line of text is: a row, a header, pairs such as `a=1`, a StatsD metric; and what its numbers are called."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from tuistream.decoders.discovery import vocabulary as words
from tuistream.decoders.discovery.roles import EARLIEST_UNNAMED, NEAR
from tuistream.decoders.table.cells import MAX_CELL, MAX_CELLS, WHITE_SPACE, delimiter_of, is_value, split
from tuistream.decoders.wire.numbers import is_number
from tuistream.decoders.wire.timestamps import EARLIEST, is_date, is_written_time, to_ns, unit_of

MAX_LAYOUTS: Final = 16  # numbers of cells for which rows without a header are named
ELAPSED: Final = "elapsed"  # what a time is called that is not of day: seconds since a start

Message = dict[str, str]

# https://github.com/statsd/statsd/blob/master/docs/metric_types.md; |@rate and |#tags may follow.
_STATSD = re.compile(r"([^:|\s]{1,200}):([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\|(c|g|ms|h|d|s)(?:\|.*)?")
_STATSD_KINDS = {"c": "count", "g": "gauge", "ms": "timing", "h": "histogram", "d": "distribution", "s": "set"}
_PAIR = re.compile(r'([A-Za-z_][\w./-]{0,80})\s?=\s?("[^"]*"|[^\s,;"]+)')
_WITH_UNIT = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[A-Za-zµ°%/]{0,6}", re.ASCII | re.IGNORECASE)
_MARKS: Final = ("{", "[", "<")  # JSON and HTML, not a table
_WORD = re.compile(r"[^\W\d]|%")


_DATE_NAMES: Final = frozenset(("date", "day", "datum", "fecha", "data"))
_CLOCK = re.compile(r"\d?\d:\d\d(?::\d\d(?:[.,]\d{1,40})?)?", re.ASCII)


class Columns(NamedTuple):
    """The names of a row's cells. dated: the places of a date and of the clock time that goes with it, if any."""

    names: tuple[str, ...]
    dated: tuple[int, int] | None = None

    def message(self, cells: Sequence[str]) -> Message:
        found = dict(zip(self.names, cells, strict=True))
        if self.dated:
            date, clock = (self.names[place] for place in self.dated)
            found[clock] = dated(found.pop(date), found[clock])
        return found

    def by_name(self, rows: Sequence[Sequence[str]]) -> dict[str, Sequence[str]]:
        """The columns of rows, by their names."""
        found: dict[str, Sequence[str]] = dict(zip(self.names, zip(*rows, strict=True), strict=True)) if rows else {}
        if self.dated and rows:
            date, clock = (self.names[place] for place in self.dated)
            found[clock] = [dated(*both) for both in zip(found.pop(date), found[clock], strict=True)]
        return found


class NoRow(Exception):
    """A line that holds no tick; the text is the reason. `header`: it names the columns of those that follow."""

    def __init__(self, reason: str, header: bool = False) -> None:
        super().__init__(reason)
        self.header = header


class Table:
    """Rows of one stream of lines into messages: cells by the names of their columns.

    A line of words is the header of the rows behind it, if they have as many cells. Without one, columns are named by
    what the first row holds: `time`, `name`, `value`, or `v0`, `v1` … by their positions where there are several.
    A date and a clock time side by side are one time, which has the name of the latter.
    """

    def __init__(self, time_field: str = "") -> None:
        """time_field: the column that the user says is the time."""
        self._time_field = time_field
        self.columns = Columns(())  # of the header in force
        self.delimiter = ""
        self._header: tuple[str, ...] = ()  # the last one that came, as it came
        self._unnamed: dict[int, Columns] = {}

    def message(self, line: str, recv: int) -> Message:
        """The cells of a row, named. Raises NoRow. recv: ns since 1970 UTC."""
        line = line.strip(" \r\n\x00\ufeff")
        if line.startswith(_MARKS):
            raise NoRow("neither a row nor the names of columns")
        commented = line.startswith("#")
        delimiter = self.delimiter or delimiter_of(line)
        cells = cells_of(line.lstrip("# ") if commented else line, delimiter, len(self._header))
        named = self.columns.names
        if named and len(cells) == len(named) + 1 and not cells[-1]:
            cells.pop()  # a delimiter ends the line
        if named and len(cells) == len(named) and not commented and any(map(is_value, cells)):
            return self.columns.message(cells)
        if (found := delimiter_of(line)) != delimiter:
            delimiter = found
            cells = cells_of(line.lstrip("# ") if commented else line, delimiter, len(self._header))
        if not commented and (odd := _statsd(line) or _pairs(line)):
            return odd
        if named and tuple(cells) == self._header:
            raise NoRow("names of columns", header=True)
        if _is_header(cells, delimiter, strict=bool(named)):
            self._header = tuple(cells)
            self.columns, self.delimiter = Columns(()), ""
            raise NoRow("names of columns", header=True)
        if commented:
            raise NoRow("a comment", header=True)
        if not _is_row(cells, delimiter, named=len(self._header) == len(cells)):
            raise NoRow("no number in it" if not any(map(is_number, cells)) else "neither numbers nor their names")
        if named:
            raise NoRow(f"{len(cells):,} cells, where the header has {len(named):,}")
        return self._columns_of(cells, delimiter, recv).message(cells)

    def layout_of(self, line: str) -> tuple[Columns, str] | None:
        """Columns and delimiter by which a row is read, if one like it has been."""
        if self.columns.names:
            return self.columns, self.delimiter
        delimiter = delimiter_of(line)
        columns = self._unnamed.get(len(split(line, delimiter)))
        return (columns, delimiter) if columns and len(self._header) != len(columns.names) else None

    def _columns_of(self, cells: list[str], delimiter: str, recv: int) -> Columns:
        if len(self._header) == len(cells):
            names = self._with_elapsed(_unique(self._header), cells, recv)
            date_names = {name for name in names if _DATE_NAMES.intersection(re.split("[^a-z]+", name.lower()))}
            pair = _dated_places(cells, [name in date_names for name in names])
            if pair and names[pair[0]] == self._time_field:  # the user's word for the time stays
                names = tuple(
                    {pair[0]: f"{name}.{at}", pair[1]: self._time_field}.get(at, name)
                    for at, name in enumerate(names)
                )
            self.columns, self.delimiter = Columns(names, pair), delimiter
            return self.columns
        columns = self._unnamed.get(len(cells))
        if columns is None:
            if len(self._unnamed) >= MAX_LAYOUTS:
                raise NoRow(f"{len(cells):,} cells, after lines with {MAX_LAYOUTS} other numbers of them")
            pair = _dated_places(cells, [True] * len(cells))
            told = [*cells]
            if pair:
                told[pair[0]], told[pair[1]] = "", dated(cells[pair[0]], cells[pair[1]])
            columns = self._unnamed[len(cells)] = Columns(_by_what_they_hold(told, recv), pair)
        return columns

    def _with_elapsed(self, names: tuple[str, ...], cells: list[str], recv: int) -> tuple[str, ...]:
        """A time that is none since 1970 is a value: seconds since the sender's start, as most measurements have."""
        return tuple(
            ELAPSED if name != self._time_field and ELAPSED not in names and _is_elapsed(name, cell, recv) else name
            for name, cell in zip(names, cells, strict=True)
        )


def is_row(line: str) -> bool:
    """Whether a line is surely a row of several cells with a number, or a StatsD metric: no sentence."""
    line = line.strip()
    if line.startswith(_MARKS):
        return False
    delimiter = delimiter_of(line)
    cells = split(line, delimiter)
    if len(cells) > 1 and (delimiter != WHITE_SPACE or is_value(cells[0])):
        return _is_row(cells, delimiter, named=False)
    return _STATSD.fullmatch(line) is not None


def is_header(line: str, *, sure: bool = True) -> bool:
    """Whether a line may name the columns of rows that follow. sure: not if it may be a sentence, too."""
    line = line.strip().lstrip("# ")
    delimiter = delimiter_of(line)
    if line.startswith(_MARKS) or "\ufffd" in line or not line.replace("\t", "").isprintable():
        return False
    return (delimiter != WHITE_SPACE or not sure) and _is_header(split(line, delimiter), delimiter)


def _is_row(cells: list[str], delimiter: str, named: bool) -> bool:
    """Whether cells hold a tick. In white space, which stands in sentences too, only the first may be a word."""
    if not any(map(is_number, cells)):
        return False
    if named or delimiter != WHITE_SPACE:
        return all(len(cell) <= MAX_CELL for cell in cells)
    return all(map(is_value, cells[1:])) and (is_value(cells[0]) or len(cells) > 1)


def _is_header(cells: list[str], delimiter: str, strict: bool = False) -> bool:
    """strict: there is a header already, which a sentence must not replace."""
    if strict and (delimiter == WHITE_SPACE or len(cells) < 2):
        return False
    said = [cell for cell in cells if cell]
    return bool(said) and all(
        len(cell) <= MAX_CELL
        and not is_value(cell)
        and cell.lower() not in words.PLACEHOLDERS
        and _WORD.search(cell) is not None
        for cell in said
    )


def cells_of(line: str, delimiter: str, wanted: int) -> list[str]:
    """The cells. A date and a clock time with white space between are two only where that makes them as many as
    wanted.
    """
    cells = split(line, delimiter)
    if delimiter == WHITE_SPACE and len(cells) < wanted == len(apart := line.split(None, MAX_CELLS)):
        return apart
    return cells


def dated(date: str, clock: str) -> str:
    """A date and a clock time as one."""
    date, clock = date.strip(), clock.strip()
    return f"{date} 0{clock}" if clock[1:2] == ":" else f"{date} {clock}"


def _dated_places(cells: Sequence[str], may_be_date: Sequence[bool]) -> tuple[int, int] | None:
    """The places of the first date that stands beside a clock time, and of that."""
    for at, cell in enumerate(cells):
        if may_be_date[at] and is_date(cell):
            for beside in (at + 1, at - 1):
                if 0 <= beside < len(cells) and _CLOCK.fullmatch(cells[beside]):
                    return at, beside
    return None


def _unique(header: tuple[str, ...]) -> tuple[str, ...]:
    names: list[str] = []
    for at, cell in enumerate(header):
        name = cell or f"v{at}"
        names.append(name if name not in names else f"{name}.{at}")
    return tuple(names)


def _by_what_they_hold(cells: list[str], recv: int) -> tuple[str, ...]:
    time = _place_of_time(cells, recv)
    name = next((at for at, cell in enumerate(cells) if not is_value(cell) and _WORD.search(cell)), None)
    values = [at for at, cell in enumerate(cells) if at != time and is_number(cell)]
    return tuple(
        "time"
        if at == time
        else "name"
        if at == name
        else "value"
        if values == [at]
        else f"v{at}"
        if at in values
        else f"text{at}"
        for at in range(len(cells))
    )


def _place_of_time(cells: list[str], recv: int) -> int | None:
    """Where the time stands: written as one, or a number that can be one in the first two places, or is now."""
    for at, cell in enumerate(cells):
        if is_value(cell) and not is_number(cell):
            return at
    if sum(map(is_number, cells)) < 2:
        return None
    for at, cell in enumerate(cells):
        ns = to_ns(cell, recv) if is_number(cell) and float(cell) >= EARLIEST_UNNAMED else None
        if ns is not None and (at < 2 or abs(ns - recv) < NEAR):
            return at
    return None


def _is_elapsed(name: str, cell: str, recv: int) -> bool:
    if name not in words.TIMES or not is_number(cell) or to_ns(cell, recv) is not None:
        return False
    return 0 <= float(cell) < EARLIEST / 1e9


def _statsd(line: str) -> Message | None:
    match = _STATSD.fullmatch(line) if "|" in line else None
    return {"metric": match[1], "value": match[2], "type": _STATSD_KINDS[match[3]]} if match else None


def _pairs(line: str) -> Message | None:
    """The pairs of a line such as `level=info rtt=12.3ms`, where one of them holds a number."""
    if "=" not in line:
        return None
    message: Message = {}
    for name, value in _PAIR.findall(line):
        number = _WITH_UNIT.fullmatch(value)
        text = number[1] if number else value.strip('"')
        timeless = number is not None and name in words.TIMES and unit_of(text) and to_ns(text, 1 << 62) is None
        message.setdefault(ELAPSED if timeless else name, text)
    has_number = any(is_number(value) and not is_written_time(value) for value in message.values())
    return message if has_number else None
