"""Arrow IPC files, through pyarrow (the extra `parquet`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from tuistream.core.errors import RecordingError, SettingsError
from tuistream.core.text import printable
from tuistream.imports.contract import PART_ROWS, Part, Progress, Wishes
from tuistream.imports.exported import EXPORTED, Exported, is_exported, streams_in
from tuistream.imports.table import Table
from tuistream.imports.times import Column

STREAMS_KEY = b"tuistream.streams"

_DAMAGE = (OSError, ValueError, IndexError, OverflowError, MemoryError)  # what else pyarrow makes of a damaged file


def needed() -> Any:
    """pyarrow. Raises SettingsError where it is not installed."""
    try:
        import pyarrow
    except ImportError as error:
        raise SettingsError("this needs pyarrow: pip install 'tuistream[parquet]'") from error
    return pyarrow


class Source(Protocol):
    """An open file. schema: pyarrow's. parts: about how many batches there are."""

    schema: Any
    parts: int

    def batches(self) -> Iterator[Any]:
        """RecordBatches of a bounded number of rows."""

    def close(self) -> None: ...


class _Arrow(Source):
    def __init__(self, path: Path) -> None:
        arrow = needed()
        self._map = arrow.memory_map(str(path))
        self._file = arrow.ipc.open_file(self._map)
        self.schema = self._file.schema
        self.parts = self._file.num_record_batches

    def batches(self) -> Iterator[Any]:
        for number in range(self._file.num_record_batches):
            batch = self._file.get_batch(number)
            for first in range(0, batch.num_rows, PART_ROWS):
                yield batch.slice(first, PART_ROWS)

    def close(self) -> None:
        self._map.close()


def open_reader(path: Path, wishes: Wishes, progress: Progress) -> ArrowReader:
    return ArrowReader(path, wishes, progress, _Arrow)


class ArrowReader:
    """A `Reader` of a file of typed columns."""

    def __init__(self, path: Path, wishes: Wishes, progress: Progress, source: Callable[[Path], Source]) -> None:
        wishes.refuse_all_but(path, "a typed table", "time", "stream", "id", "fields", "unit", "day", "zone", "feed")
        self._path = path
        self._progress = progress
        self._source = source
        self._arrow = needed()
        self._table: Table | Exported
        with closing(self._open()) as file:
            names = self._names
            self.receive_times = is_exported(names) and wishes == Wishes(feed=wishes.feed)
            if self.receive_times:
                wishes.refuse_all_but(path, EXPORTED)
                known = streams_in((file.schema.metadata or {}).get(STREAMS_KEY))
                self._table = Exported(names, progress, known, text=False)
                return
            sample = self._next(file.batches())
            if sample is None or not sample[1]:
                raise RecordingError("there is no row in it")
            self._table = Table(wishes.feed or path.name, wishes, sample[0], progress)

    def parts(self) -> Iterator[Part]:
        began, size = self._progress.done, self._path.stat().st_size
        row, read = 1, 0
        with closing(self._open()) as file:
            batches = file.batches()
            while (found := self._next(batches)) is not None:
                columns, count = found
                where = range(row, row + count)
                yield Part(self._table.batches(columns, where))
                row = where.stop
                read += 1
                self._progress.done = began + min(size, size * read // max(1, file.parts))
        self._progress.done = began + size

    def _open(self) -> Source:
        try:
            source = self._source(self._path)
            self._names = list(source.schema.names)
            return source
        except (*_DAMAGE, self._arrow.ArrowException) as error:
            raise self._unreadable(error) from error

    def _next(self, batches: Iterator[Any]) -> tuple[dict[str, Column], int] | None:
        """The columns of the next rows, and how many these are."""
        try:
            batch = next(batches, None)
            if batch is None:
                return None
            batch.validate(full=True)  # what a file says of its own offsets is not to be believed
            return self._columns(batch), batch.num_rows
        except (*_DAMAGE, self._arrow.ArrowException) as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> RecordingError:
        return RecordingError(f"cannot read {self._path}: {printable(str(error))}")

    def _columns(self, batch: Any) -> dict[str, Column]:
        columns = zip(batch.schema.names, batch.columns, strict=True)
        return {name: self._column(column) for name, column in columns}

    def _column(self, column: Any) -> Column:
        """An array of ns for times, of numbers where none is missing or all are float64, else Python's values."""
        types = self._arrow.types
        kind = column.type
        if types.is_timestamp(kind):
            numbers = column.cast(self._arrow.timestamp("ns", kind.tz)).cast(self._arrow.int64())
            values = numbers.to_numpy(zero_copy_only=False) if not column.null_count else _with_nat(numbers)
            return np.asarray(values, dtype=np.int64).view("datetime64[ns]")
        if types.is_date(kind):
            return np.asarray(column.to_numpy(zero_copy_only=False)).astype("datetime64[ns]")
        if types.is_floating(kind) or (types.is_integer(kind) and not column.null_count):
            return np.asarray(column.to_numpy(zero_copy_only=False))
        if types.is_decimal(kind):
            return [None if value is None else float(value) for value in column.to_pylist()]
        if column.null_count == len(column):
            return [None] * len(column)
        if types.is_dictionary(kind) and not column.null_count:
            words = column.dictionary.to_pylist()
            return [words[place] for place in column.indices.to_pylist()]
        values = column.to_pylist()
        if types.is_boolean(kind) or types.is_nested(kind) or types.is_binary(kind):
            return [None] * len(values)
        return list(values)


def _with_nat(numbers: Any) -> Any:
    return numbers.fill_null(-1 << 63).to_numpy(zero_copy_only=False)
