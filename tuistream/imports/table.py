"""Columns of a table that anyone wrote into batches: which is the time, the name, the id, and which are values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tuistream.core.batch import Batch, Stream, Values, ids_array
from tuistream.core.errors import RecordingError, SettingsError
from tuistream.core.text import printable
from tuistream.decoders.contract import MAX_FIELDS, DecoderOptions
from tuistream.decoders.discovery import vocabulary as words
from tuistream.decoders.discovery.plan import Plan
from tuistream.decoders.discovery.reader import Reader as MessageReader
from tuistream.decoders.discovery.streams import StreamFinder
from tuistream.decoders.wire.numbers import is_number, to_float, to_id
from tuistream.decoders.wire.rows import Rows
from tuistream.imports.contract import FAR, Progress, Wishes
from tuistream.imports.times import BAD, NOON, Column, TimeColumn

SAMPLE_ROWS: Final = 200  # among which a cell that says something is looked for in each column

Columns = Mapping[str, Column]


class Table:
    """Rows of one file into batches of its streams, many rows at a time. The receive time is the event time."""

    def __init__(self, feed: str, wishes: Wishes, sample: Columns, progress: Progress) -> None:
        """sample: the first rows. Raises RecordingError where no column is a time or none is a value; SettingsError
        where a column that was named is not there.
        """
        self._progress = progress
        self._times = TimeColumn(wishes)
        self._finder = StreamFinder(Rows(feed))
        self._plan = _plan(wishes, sample)
        if len(self._plan.paths) == MAX_FIELDS:
            progress.note(f"of a row {MAX_FIELDS} values are taken, not more; --fields names which")
        self._time, self._id = self._plan.time, self._plan.id
        self._streams: dict[tuple[str, ...], Stream | None] = {}

    def batches(self, columns: Columns, where: Sequence[int] | range, unit: str = "row") -> list[Batch]:
        """The ticks, a batch for each stream. where: the number of each row, to name what is refused."""
        assert self._time is not None
        t = self._times.read(columns[self._time[1]])
        v = np.stack([floats(columns[name]) for _, name, _ in self._plan.paths], axis=1)
        timed, told = t != BAD, ~np.isnan(v).all(axis=1)
        self._refuse(~timed, columns[self._time[1]], where, unit, "no time in it that can be:")
        self._refuse(timed & ~told, columns[self._plan.paths[0][1]], where, unit, "no finite number in it:")
        ids = columns[self._id[1]] if self._id is not None else None
        batches = []
        for stream, rows in self._groups(columns, timed & told, where, unit):
            found = None if ids is None else ids_array([to_id(_plain(ids[row])) for row in rows.tolist()])
            has_ids = found is not None and (found.dtype == np.int64 or any(each is not None for each in found))
            batches.append(Batch(stream, t[rows], t[rows], v[rows], found if has_ids else None))
        return batches

    def _refuse(
        self, bad: NDArray[np.bool_], cells: Column, where: Sequence[int] | range, unit: str, why: str
    ) -> None:
        if count := int(bad.sum()):
            first = int(np.flatnonzero(bad)[0])
            cell = printable(str(_plain(cells[first])), 40)
            self._progress.refuse(f"{unit} {where[first]:,}", f"{why} {cell!r}", count)

    def _groups(
        self, columns: Columns, good: NDArray[np.bool_], where: Sequence[int] | range, unit: str
    ) -> list[tuple[Stream, NDArray[np.intp]]]:
        """The streams with the places of their rows, in the order in which they come first."""
        labels = [columns[name] for _, name, _ in self._plan.labels[: len(self._plan.names) + len(self._plan.kinds)]]
        rows = np.flatnonzero(good)
        if not labels:
            return [(stream, rows)] if len(rows) and (stream := self._stream(())) is not None else []
        places: dict[tuple[str, ...], list[int]] = {}
        kept = rows.tolist()
        texts = [[_text(cells[row]) for row in kept] for cells in labels]
        for row, key in zip(kept, zip(*texts, strict=True), strict=True):
            places.setdefault(key, []).append(row)
        groups = []
        for key, found in places.items():
            stream = self._stream(key)
            if stream is None:
                self._progress.refuse(f"{unit} {where[found[0]]:,}", "more streams than can be", len(found))
            else:
                groups.append((stream, np.array(found, dtype=np.intp)))
        return groups

    def _stream(self, key: tuple[str, ...]) -> Stream | None:
        if key not in self._streams:
            names = len(self._plan.names)
            found = self._finder.find(key[:names], key[names:], self._plan)
            self._streams[key] = found.stream if found is not None else None
        return self._streams[key]


def floats(cells: Column) -> Values:
    """float64[n], NaN for what is no finite number."""
    if isinstance(cells, np.ndarray):
        if cells.dtype.kind in "fiu":
            values = cells.astype(np.float64)
            return np.where(np.isfinite(values), values, np.nan)
        cells = cells.tolist()
    return np.array([to_float(cell) for cell in cells], dtype=np.float64)


def _plan(wishes: Wishes, sample: Columns) -> Plan:
    """How the columns are read, as a message of a feed with these values would be."""
    message = {name: _telling(cells) for name, cells in sample.items()}
    for option, name in (("time", wishes.time), ("stream", wishes.stream), ("id", wishes.id)):
        if name and name not in message:
            raise SettingsError(f"--{option} {name!r}: no such column; there are {_listed(message)}")
    if missing := [name for name in wishes.fields if name not in message]:
        raise SettingsError(f"--fields {missing[0]!r}: no such column; there are {_listed(message)}")
    options = DecoderOptions(wishes.time, wishes.fields, wishes.stream, wishes.id)
    reader = MessageReader(Rows(""), options)
    reader.read(message, FAR if wishes.day is None else wishes.day + NOON)
    plan = reader.plan_of(message)
    if plan is None or not plan.paths:
        raise RecordingError(
            f"no column holds numbers that are values; there are {_listed(message)} (--fields names them)"
        )
    if plan.time is None:
        raise RecordingError(f"no column is a time; there are {_listed(message)} (--time names it)")
    return plan


def _telling(cells: Column) -> Any:
    """The first cell that says something, as a feed's message would have it."""
    if isinstance(cells, np.ndarray) and cells.dtype.kind == "M":
        return next(
            (f"{cell}Z" for cell in cells[:SAMPLE_ROWS].astype("datetime64[ns]").astype(str) if cell != "NaT"), ""
        )
    plain = [_plain(cell) for cell in cells[:SAMPLE_ROWS]]
    said = [cell for cell in plain if cell is not None and str(cell).strip().lower() not in words.PLACEHOLDERS]
    # A column of values may have a word here and there ("off"): it is one if most of its cells are numbers.
    numbers = [cell for cell in said if is_number(cell)]
    if 2 * len(numbers) > len(said):
        return numbers[0]
    return said[0] if said else ""


def _plain(cell: Any) -> Any:
    return cell.item() if isinstance(cell, np.generic) else cell


def _text(cell: Any) -> str:
    return "" if cell is None else str(_plain(cell))


def _listed(names: Mapping[str, object]) -> str:
    return printable(", ".join(names), 200)
