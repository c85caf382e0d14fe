"""Reading the rows of a table that may be damaged: all that can be read, and which cannot."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Final

from tuistream.store.schema import identifier

CHUNK_ROWS: Final = 20_000
_END: Final = 1 << 62
_DAMAGE = (sqlite3.DatabaseError, OverflowError)  # a text that is no UTF-8 is an OperationalError


class Salvage:
    """The rows of `table` by its integer `key`, in chunks. lost: the stretches of keys that could not be read.

    A stretch that reaches to the end of the table is said to end at its first key: nobody knows how many there were.
    """

    def __init__(self, connection: sqlite3.Connection, table: str, key: str, columns: Sequence[str]) -> None:
        names = ", ".join(map(identifier, columns))
        self._connection = connection
        self._sql = f"SELECT {key}, {names} FROM {table} WHERE {key} >= ? ORDER BY {key} LIMIT ?"  # noqa: S608
        self.lost: list[tuple[int, int]] = []

    def chunks(self, first: int = 0) -> Iterator[list[tuple[Any, ...]]]:
        """Rows from key `first` on, the key before the other columns."""
        at, size = first, CHUNK_ROWS
        while at < _END:
            rows, whole = self._read(at, size)
            if rows:
                yield rows
                at, size = rows[-1][0] + 1, CHUNK_ROWS
            elif whole:
                return
            else:
                readable = self._next_readable(at)
                self.lost.append((at, readable - 1 if readable < _END else at))
                at = readable

    def _read(self, at: int, size: int) -> tuple[list[tuple[Any, ...]], bool]:
        """The rows up to where it fails, and whether it did not."""
        rows: list[tuple[Any, ...]] = []
        try:
            for row in self._connection.execute(self._sql, (at, size)):
                rows.append(row)  # noqa: PERF402  # what came before a failure is kept
        except _DAMAGE:
            return rows, False
        return rows, True

    def _next_readable(self, at: int) -> int:
        """The least key behind `at` from which on a row can be read, or that nothing comes after; `_END` if none."""
        step = 1
        while at + step < _END and not self._can_read(at + step):
            step *= 2
        bad, good = at + step // 2, min(at + step, _END)
        while good - bad > 1:
            middle = (bad + good) // 2
            if self._can_read(middle):
                good = middle
            else:
                bad = middle
        return good

    def _can_read(self, at: int) -> bool:
        return self._read(at, 1)[1]
