"""A table of another program's SQLite file, such as `trades(time, price)` of streaming-plot's `stock.db`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from tuistream.core.errors import RecordingError, SettingsError
from tuistream.core.text import printable
from tuistream.imports.contract import PART_ROWS, Part, Progress, Wishes
from tuistream.imports.table import SAMPLE_ROWS, Columns, Table
from tuistream.store.opening import BUSY_SECONDS, reason_of
from tuistream.store.schema import identifier

TRADES: Final = "trades"


def open_reader(path: Path, wishes: Wishes, progress: Progress) -> DatabaseReader:
    return DatabaseReader(path, wishes, progress)


class DatabaseReader:
    """A `Reader` of one table (`--table`; "trades", or the only one there is), in the order of its rows."""

    receive_times = False

    def __init__(self, path: Path, wishes: Wishes, progress: Progress) -> None:
        wishes.refuse_all_but(
            path, "an SQLite file", "time", "stream", "id", "fields", "unit", "day", "zone", "feed", "table"
        )
        self._path = path
        self._progress = progress
        with self._open() as connection:
            name = _table(connection, wishes.table)
            self._sql = f"SELECT * FROM {identifier(name)}"  # noqa: S608  # quoted
            cursor = connection.execute(f"{self._sql} LIMIT {SAMPLE_ROWS}")
            self._names = [column[0] for column in cursor.description]
            sample = cursor.fetchall()
        if not sample:
            raise RecordingError(f"there is no row in its table {printable(name)}")
        self._table = Table(wishes.feed or path.name, wishes, self._columns(sample), progress)

    def parts(self) -> Iterator[Part]:
        began, size, row = self._progress.done, self._path.stat().st_size, 1
        with self._open() as connection:
            cursor = connection.execute(self._sql)
            while rows := cursor.fetchmany(PART_ROWS):
                where = range(row, row + len(rows))
                yield Part(self._table.batches(self._columns(rows), where))
                row = where.stop
        self._progress.done = began + size

    def _columns(self, rows: list[tuple[object, ...]]) -> Columns:
        return dict(zip(self._names, zip(*rows, strict=True), strict=True))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        uri = f"{self._path.resolve().as_uri()}?mode=ro"
        try:
            with closing(sqlite3.connect(uri, timeout=BUSY_SECONDS, isolation_level=None, uri=True)) as connection:
                connection.text_factory = lambda text: text.decode("utf-8", "replace")
                yield connection
        except sqlite3.Error as error:
            raise RecordingError(f"cannot read {self._path}: {reason_of(error)}") from error


def _table(connection: sqlite3.Connection, wanted: str) -> str:
    found = [
        name
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
            " ORDER BY name"
        )
    ]
    if wanted:
        if wanted not in found:
            raise SettingsError(f"--table {wanted!r}: no such table; there are {printable(', '.join(found))}")
        return wanted
    if TRADES in found or len(found) == 1:
        return TRADES if TRADES in found else str(found[0])
    raise SettingsError(f"--table: which of its tables? There are {printable(', '.join(found)) or 'none'}")
