"""`--every`: a row for each bucket of time and field, in time, from the rollups where they are and else the ticks."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tuistream.core.batch import StreamKey
from tuistream.core.errors import RecordingError, SettingsError
from tuistream.core.exchange import FEED, KIND, STREAM, TIME
from tuistream.exports.contract import Column, Done, Kind, Piece, Sheet
from tuistream.store.buckets import WIDTHS, Rows, bucket_of, combined, joined
from tuistream.store.catalog import quantity_of
from tuistream.store.opening import open_for_reading, reason_of
from tuistream.store.playback import Selection
from tuistream.store.reading import Reader
from tuistream.store.rollups import BLOCKS_SQL, Source, block_parameters, rows_between
from tuistream.store.thinned import MINUTE, thinned_span

ROWS_AT_ONCE: Final = 50_000  # about
LONGEST: Final = 1 << 20  # buckets of a step, however few rows they give
FILES_OPEN: Final = 16

FIELD: Final = "field"
NUMBERS: Final = ("open", "high", "low", "close", "mean")
COUNT: Final = "count"
VOLUME: Final = "volume"


@dataclass(frozen=True, slots=True)
class _Stream:
    """A stream in one file. number: of all files. fields: the place of each of its fields among those of all."""

    number: int
    source: Source
    fields: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _File:
    """since, until: event times of its ticks, the second just behind. thinned: it has rollups only."""

    path: Path
    streams: list[_Stream]
    since: int
    until: int
    thinned: bool = False


class Candles:
    """A selection as pieces of a table of buckets of `every` ns. Buckets and fields without a value have no row.

    Raises RecordingError; SettingsError for an `every` that is no whole number of seconds. At `since` and `until`
    buckets are of what lies between them. Where a file has rollups only, that is the minutes that begin there; it is
    left out where `every` is no whole number of minutes.
    """

    def __init__(self, selection: Selection, every: int, done: Done) -> None:
        if every < WIDTHS[0] or every % WIDTHS[0]:
            raise SettingsError("--every: a whole number of seconds is wanted")
        self._selection = selection
        self._every = every
        self._width = max(width for width in WIDTHS if every % width == 0)
        self._done = done
        self._keys: dict[StreamKey, int] = {}
        self._fields: dict[str, int] = {}
        self._open: OrderedDict[Path, sqlite3.Connection] = OrderedDict()
        self._files = [found for path in selection.files if (found := self._look(path)) is not None]
        parts = [tuple(dict.fromkeys(key[part] for key in self._keys)) for part in range(3)]
        self._places = np.array(
            [[names.index(word) for names, word in zip(parts, key, strict=True)] for key in self._keys],
            dtype=np.int64,
        ).reshape(-1, 3)
        self.sheet = Sheet(
            (
                Column(TIME, Kind.TIME),
                *(Column(name, Kind.NAME, names) for name, names in zip((FEED, STREAM, KIND), parts, strict=True)),
                Column(FIELD, Kind.NAME, tuple(self._fields)),
                *(Column(name, Kind.NUMBER) for name in NUMBERS),
                Column(COUNT, Kind.COUNT),
                Column(VOLUME, Kind.NUMBER),
            )
        )

    def pieces(self) -> Iterator[Piece]:
        if not self._files:
            return
        first = min(file.since for file in self._files)
        last = max(file.until for file in self._files)
        self._done.total = last - first
        at, step = bucket_of(first, self._every), self._every
        try:
            while at < last:
                step = self._step(at, step)
                if len(rows := self._rows(max(at, first), min(at + step, last))):
                    yield self._piece(rows)
                at += step
                self._done.read = at - first
        finally:
            for connection in self._open.values():
                connection.close()

    def _look(self, path: Path) -> _File | None:
        """What is wanted of a file; None where it has no ticks of that time."""
        since, until = self._selection.since, self._selection.until
        with Reader(path) as reader:
            numbers = self._selection.numbers(reader.streams)
            streams = []
            for number in reader.streams if numbers is None else numbers:
                stream = reader.streams[number]
                place = self._keys.setdefault(stream.key, len(self._keys))
                fields = [self._fields.setdefault(name, len(self._fields)) for name in stream.fields]
                source = Source(number, len(stream.fields), quantity_of(stream))
                streams.append(_Stream(place, source, np.array(fields, dtype=np.int64)))
            span = reader.span()
        thinned = span is None and self._every % MINUTE == 0
        if thinned:
            with closing(open_for_reading(path)) as connection:
                span = thinned_span(connection)
        if span is None:
            return None
        first = span[0] if since is None else max(since, span[0])
        behind = span[1] + 1 if until is None else min(until, span[1] + 1)
        if thinned:
            first, behind = -(-first // MINUTE) * MINUTE, -(-behind // MINUTE) * MINUTE
        return _File(path, streams, first, behind, thinned) if first < behind else None

    def _step(self, at: int, last: int) -> int:
        """How many ns from `at` are read at once, whole buckets: as many as give about `ROWS_AT_ONCE` rows."""
        step = min(2 * last, LONGEST * self._every)
        while step > self._every and self._most_rows(at, at + step) > ROWS_AT_ONCE:
            step = max(self._every, step // (2 * self._every) * self._every)
        return step

    def _most_rows(self, since: int, until: int) -> int:
        buckets = (until - since) // self._every
        rows = 0
        for file in self._overlapping(since, until):
            with self._connection(file.path) as connection:
                if file.thinned:
                    minutes = (min(until, file.until) - max(since, file.since)) // MINUTE
                    rows += min(minutes, buckets) * sum(len(stream.fields) for stream in file.streams)
                    continue
                for stream in file.streams:
                    parameters = block_parameters(connection, stream.source.id, since, until)
                    sql = f"SELECT sum(r1 - r0 + 1) FROM ({BLOCKS_SQL})"  # noqa: S608
                    (ticks,) = connection.execute(sql, parameters).fetchone()
                    rows += min(ticks or 0, buckets) * len(stream.fields)
        return rows

    def _overlapping(self, since: int, until: int) -> list[_File]:
        return [file for file in self._files if file.since < until and file.until > since]

    def _rows(self, since: int, until: int) -> Rows:
        """The rows of the buckets from `since` to before `until`; `stream` is the number of all files."""
        parts = []
        for file in self._overlapping(since, until):
            with self._connection(file.path) as connection:
                for stream in file.streams:
                    begin, end = max(since, file.since), min(until, file.until)
                    rows = rows_between(connection, stream.source, self._width, begin, end)
                    rows = rows.take(rows.count > 0)
                    if len(rows):
                        number = np.full(len(rows), stream.number, dtype=np.int64)
                        parts.append(rows.with_columns(stream=number, field=stream.fields[rows.field]))
        return combined(joined(parts), self._every)

    def _piece(self, rows: Rows) -> Piece:
        rows = rows.take(np.lexsort((rows.field, rows.stream, rows.bucket)))
        names = self._places[rows.stream].T
        numbers: list[NDArray[Any]] = [rows.first, rows.high, rows.low, rows.last, rows.sum / rows.count]
        return [rows.bucket, *names, rows.field, *numbers, rows.count, rows.quantity]

    @contextmanager
    def _connection(self, path: Path) -> Iterator[sqlite3.Connection]:
        """The file's connection: one of the `FILES_OPEN` last that were asked for."""
        connection = self._open.pop(path, None)
        if connection is None:
            if len(self._open) >= FILES_OPEN:
                self._open.popitem(last=False)[1].close()
            connection = open_for_reading(path)
        self._open[path] = connection
        try:
            yield connection
        except sqlite3.Error as error:
            raise RecordingError(f"cannot read {path}: {reason_of(error)}") from error
