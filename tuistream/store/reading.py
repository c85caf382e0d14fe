"""The ticks and gaps of one file of a recording, read in bulk and in constant memory."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuistream.core.batch import Batch, Ids, Stream, StreamKey, Times
from tuistream.core.closing import Closing
from tuistream.core.errors import RecordingError
from tuistream.core.status import Event
from tuistream.store import catalog
from tuistream.store.opening import open_for_reading, reason_of

CHUNK_ROWS = 50_000
FIRST_ROWS = 1_000  # of the first chunk; each further one has up to four times as many
CHUNK_CELLS = 1_000_000  # of a chunk at most, so that one of a thousand columns takes no more memory than others
EVENTS_AT_ONCE = 1_000
_BEFORE_VALUES = 5  # columns: n, stream, t, recv, id

# What a file with our mark whose tables are not as they should be makes of our reading.
_DAMAGE = (ValueError, LookupError, TypeError, OverflowError)


class Reader(Closing):
    """The file at `path` as it is when it is opened, or at the last `refresh`. A context manager.

    Each chunk is a query of its own, so that a file that is being written can be read for as long as one likes.
    Everything raises RecordingError where the file cannot be read, and belongs to the thread that made the reader.

    streams: by the file's own ids. last, last_event: the last row of ticks and of events, 0 where there is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = open_for_reading(path)
        self._version: int | None = None
        self.last = self.last_event = 0
        self.streams: dict[int, Stream] = {}
        try:
            self.refresh()
        except RecordingError:
            self._connection.close()
            raise

    def close(self) -> None:
        self._connection.close()

    def refresh(self) -> bool:
        """See what others have written since; whether there is anything."""
        with self._reading():
            ((version,),) = self._connection.execute("PRAGMA data_version").fetchall()
            if version == self._version:
                return False
            self._connection.execute("BEGIN")
            try:
                known = catalog.load(self._connection)
                (self.last,) = self._connection.execute("SELECT coalesce(max(n), 0) FROM ticks").fetchone()
                (self.last_event,) = self._connection.execute("SELECT coalesce(max(n), 0) FROM events").fetchone()
            finally:
                self._connection.execute("COMMIT")
            self.streams = {entry.id: entry.stream for entry in known.entries.values()}
            # Not that of the transaction: what came in between is seen at the next time, and nothing is lost by it.
            self._version = version
        return True

    def chunks(
        self,
        since: int | None = None,
        until: int | None = None,
        streams: Collection[int] | None = None,
        rows: int = CHUNK_ROWS,
        first: int = 1,
    ) -> Iterator[list[Batch]]:
        """The ticks in the order of their rows, up to `rows` at a time, a batch for each stream that is in the chunk.

        The first chunks are small, so that they come soon. A flush is sorted by stream, so that in time the order
        holds within a stream, not across streams.
        since, until: event times, ns, from the one to before the other. streams: ids; None for all. first: the row
        to begin with.
        """
        wanted = sorted(self.streams if streams is None else set(streams) & set(self.streams))
        begin, last = self._span(since, until, wanted)
        first = max(first, begin)
        width = max((len(self.streams[number].fields) for number in wanted), default=0)
        rows = max(1, min(rows, CHUNK_CELLS // (_BEFORE_VALUES + width)))
        sql, parameters = _query(since, until, None if streams is None else wanted, width)
        count = min(rows, FIRST_ROWS)
        while first <= last:
            with self._reading():
                cursor = self._connection.execute(sql, (first, last, *parameters, count))
                # One flat array of objects: faster than a list for each column, and ids keep what they are.
                cells = np.fromiter(chain.from_iterable(cursor), dtype=np.object_)
                cells = cells.reshape(-1, _BEFORE_VALUES + width)
                batches = self._batches(cells)
            if not batches:
                return
            yield batches
            first = int(cells[-1, 0]) + 1
            if len(cells) < count:
                return
            count = min(rows, 4 * count)

    def row_at(self, t: int) -> int:
        """The first row of the flush in which a tick of event time `t` (ns) or later comes; after `last` if none."""
        with self._reading():
            (row,) = self._connection.execute("SELECT min(r0) FROM blocks WHERE t1 >= ?", (t,)).fetchone()
        return self.last + 1 if row is None else int(row)

    def span(self) -> tuple[int, int] | None:
        """The first and the last event time, ns; None where there is no tick."""
        with self._reading():
            first, last = self._connection.execute("SELECT min(t0), max(t1) FROM blocks").fetchone()
        return None if first is None else (int(first), int(last))

    def began(self) -> Times:
        """When recorders were started on the file, int64[n], ns since 1970 UTC, rising."""
        with self._reading():
            found = self._connection.execute("SELECT began FROM sessions ORDER BY began").fetchall()
            return np.array([began for (began,) in found], dtype=np.int64)

    def gaps(self, since: int | None = None, until: int | None = None) -> Iterator[Event]:
        """The gaps that the file holds, as they were noted, oldest first: those that touch `since` to `until`."""
        for event in self.events("gap"):
            begin, end = gap_span(event)
            if (since is None or end >= since) and (until is None or begin < until):
                yield event

    def events(self, kind: str | None = None, after: int = 0) -> Iterator[Event]:
        """The events of one `kind`, or all, as they were noted, oldest first, from those behind row `after` on."""
        sql = "SELECT n, t, feed, stream, kind, text, details FROM events WHERE n > ? AND n <= ?"
        sql += "" if kind is None else " AND kind = ?"
        while True:
            with self._reading():
                found = self._connection.execute(
                    f"{sql} ORDER BY n LIMIT {EVENTS_AT_ONCE}",
                    (after, self.last_event, *(() if kind is None else (kind,))),
                ).fetchall()
                events = [self._event(row) for row in found]
            yield from events
            if len(found) < EVENTS_AT_ONCE:
                return
            after = found[-1][0]

    def _event(self, row: tuple[Any, ...]) -> Event:
        _, t, feed, number, kind, text, details = row
        key: StreamKey | None = self.streams[number].key if number in self.streams else None
        loaded = json.loads(details)
        return Event(t, feed, kind, text, key, loaded if isinstance(loaded, dict) else {})

    def _span(self, since: int | None, until: int | None, wanted: list[int]) -> tuple[int, int]:
        """The first and the last row that may hold wanted ticks: rows of blocks of these streams and times."""
        if since is None and until is None:
            return (1, self.last) if wanted else (1, 0)
        least = -(1 << 63) if since is None else since
        most = (1 << 63) - 1 if until is None else until - 1
        first, last = self.last + 1, 0
        with self._reading():
            for number in wanted:
                r0, r1 = self._connection.execute(
                    "SELECT min(r0), max(r1) FROM blocks WHERE stream = ? AND t0 <= ? AND t1 >= ?",
                    (number, most, least),
                ).fetchone()
                if r0 is not None:
                    first, last = min(first, r0), max(last, r1)
        return first, min(last, self.last)

    def _batches(self, cells: NDArray[np.object_]) -> list[Batch]:
        """One for each stream, in the order in which the streams come first."""
        numbers = cells[:, 1].astype(np.int64)
        order = np.argsort(numbers, kind="stable")
        starts = np.flatnonzero(np.diff(numbers[order], prepend=-1)) if len(order) else order
        groups = np.split(order, starts[1:]) if len(order) else []
        batches = [self._batch(cells[rows], self.streams[int(numbers[rows[0]])]) for rows in groups]
        firsts = np.argsort([rows[0] for rows in groups])
        return [batches[position] for position in firsts]

    @staticmethod
    def _batch(cells: NDArray[np.object_], stream: Stream) -> Batch:
        times = cells[:, 2:4].astype(np.int64)
        values = cells[:, _BEFORE_VALUES : _BEFORE_VALUES + len(stream.fields)].astype(np.float64)  # NULL as NaN
        t, recv = np.ascontiguousarray(times.T)
        return Batch(stream, t, recv, values, _ids(cells[:, 4]))

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise RecordingError(f"cannot read {self.path}: {reason_of(error)}") from error
        except _DAMAGE as error:
            raise RecordingError(f"cannot read {self.path}: the file is damaged") from error


def gap_span(gap: Event) -> tuple[int, int]:
    """The event times, ns, of the ticks before and after a gap."""
    begin, end = (moment if isinstance(moment, int) else gap.t for moment in map(gap.details.get, ("from", "to")))
    return begin, end


def _query(
    since: int | None, until: int | None, streams: list[int] | None, width: int
) -> tuple[str, tuple[object, ...]]:
    """The query for one chunk between two rows, and what it takes behind these."""
    where, parameters = "n BETWEEN ? AND ?", []
    if since is not None:
        where += " AND t >= ?"
        parameters.append(since)
    if until is not None:
        where += " AND t < ?"
        parameters.append(until)
    if streams is not None:  # our numbers, and more than SQLite would take as parameters
        where += f" AND stream IN ({', '.join(map(str, streams))})"
    columns = ", ".join(["n", "stream", "t", "recv", "id", *(f"v{column}" for column in range(width))])
    return f"SELECT {columns} FROM ticks WHERE {where} ORDER BY n LIMIT ?", tuple(parameters)  # noqa: S608


def _ids(cells: NDArray[np.object_]) -> Ids | None:
    """The ids of one stream's rows; None where no row has one."""
    types = set(map(type, cells.tolist()))
    if types == {type(None)}:
        return None
    return cells.astype(np.int64) if types == {int} else cells.copy()
