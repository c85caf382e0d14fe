"""Mending a recording in a copy: what can be read is written anew, with blocks, rollups, views and counters."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tuistream.core.batch import Batch, IdRule, Stream, ids_array
from tuistream.core.errors import RecordingError
from tuistream.store import schema, thinning
from tuistream.store.append import append
from tuistream.store.catalog import Catalog
from tuistream.store.checks.findings import File, Findings
from tuistream.store.checks.ids import disagreements
from tuistream.store.flush import prepare
from tuistream.store.lock import WriterLock
from tuistream.store.opening import open_for_reading, open_for_writing, reason_of
from tuistream.store.rolling import Rolling
from tuistream.store.salvage import Salvage
from tuistream.store.thinned import is_thinned, removed

LOST_LISTED = 20  # stretches of rows in the notice that the copy gets
REASON = "lost in a damaged file"
_STREAM_COLUMNS = ("feed", "name", "kind", "fields", "ids", "timed", "found", "axis", "first_seen")


@dataclass(slots=True)
class Repaired:
    """What a repair did. rows: ticks in the copy. lost: stretches of rows of each table that could not be read.

    rolled: removed ticks of which a file of rollups has the rows. refused: ticks that could be read but are none.
    gaps, unfounded: gaps added, and gaps that were not so.
    """

    rows: int = 0
    rolled: int = 0
    refused: int = 0
    gaps: int = 0
    unfounded: int = 0
    lost: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    @property
    def lost_rows(self) -> int:
        return sum(last - first + 1 for first, last in self.lost.get("ticks", []))


def repair(
    path: Path, copy: Path, repaired: Repaired | None = None, clock: Callable[[], int] = time.time_ns
) -> Repaired:
    """Write what the recording at `path` holds into a new file `copy`. Raises RecordingError where that cannot be."""
    repaired = repaired or Repaired()
    if copy.exists():
        raise RecordingError(f"{copy} is there already; a repair writes a new file")
    lock = WriterLock(copy)
    lock.take()
    try:
        with contextlib.closing(open_for_reading(path)) as source:
            source.execute("BEGIN")
            if is_thinned(source):
                _copy_rollups(path, copy, source, repaired, clock())
                return repaired
            with contextlib.closing(open_for_writing(copy)) as target:
                _Repair(source, target, repaired, clock()).run()
    except sqlite3.Error as error:
        raise RecordingError(f"cannot repair {path} into {copy}: {reason_of(error)}") from error
    finally:
        lock.release()
    return repaired


def _copy_rollups(path: Path, copy: Path, source: sqlite3.Connection, repaired: Repaired, now: int) -> None:
    """Of a file that has rollups only: the longer ones anew from those of minutes."""
    try:
        thinning.write(copy, [path], now)
    except BaseException as error:
        for file in (copy, copy.with_name(f"{copy.name}-journal")):
            file.unlink(missing_ok=True)
        if isinstance(error, RecordingError):
            raise RecordingError(f"cannot repair {path} into {copy}: {error}") from error
        raise
    _, repaired.rolled = removed(source)


class _Repair:
    def __init__(self, source: sqlite3.Connection, target: sqlite3.Connection, repaired: Repaired, now: int) -> None:
        self._source = source
        self._target = target
        self._repaired = repaired
        self._now = now
        self._catalog = Catalog()
        self._streams: dict[int, Stream] = {}  # by the source's ids
        self._numbers: dict[int, int] = {}  # from the source's ids to the copy's
        self._flushes = 0

    def run(self) -> None:
        self._copy_streams()
        self._copy_ticks()
        for table in ("events", "media"):
            with self._transaction():
                self._copy(table)
        with self._transaction():
            self._copy("sessions", "id")
            self._mend_sessions()
            self._mend_gaps()
            self._note()
        if self._has_index():
            self._target.execute(schema.time_index())
        self._target.execute("PRAGMA journal_mode = DELETE").fetchall()

    @contextlib.contextmanager
    def _transaction(self) -> Any:
        self._target.execute("BEGIN")
        yield
        self._target.execute("COMMIT")

    def _rows(self, table: str, key: str, columns: tuple[str, ...]) -> Any:
        salvage = Salvage(self._source, table, key, columns)
        yield from salvage.chunks()
        if salvage.lost:
            self._repaired.lost[table] = salvage.lost

    def _copy_streams(self) -> None:
        for rows in self._rows("streams", "id", _STREAM_COLUMNS):
            for number, *row in rows:
                with contextlib.suppress(ValueError, LookupError, TypeError):  # then it gets names of ours
                    self._add(number, _stream(row), row[-1])

    def _add(self, number: int, stream: Stream, first_seen: int) -> None:
        known, statements = self._catalog.with_streams([stream], first_seen)
        with self._transaction():
            for sql, parameters in statements:
                self._target.execute(sql, parameters)
        self._catalog = known
        entry = known.entries[stream.key]
        self._streams[number], self._numbers[number] = entry.stream, entry.id

    def _copy_ticks(self) -> None:
        columns = self._columns("ticks")
        values = tuple(f"v{column}" for column in range(len(columns)) if f"v{column}" in columns)
        rolling = Rolling.begin()
        for rows in self._rows("ticks", "n", ("stream", "t", "recv", "id", *values)):
            good = [row for row in rows if _is_tick(row)]
            self._repaired.refused += len(rows) - len(good)
            batches = self._batches(good, len(values))
            flush = prepare(batches, self._catalog, self._now)
            with self._transaction():
                rolling = append(flush, self._target, rolling)
            self._catalog = flush.catalog
            self._flushes += 1
            self._repaired.rows += flush.rows

    def _batches(self, rows: list[tuple[Any, ...]], width: int) -> list[Batch]:
        by_stream: dict[int, list[tuple[Any, ...]]] = {}
        for row in rows:
            by_stream.setdefault(row[1], []).append(row)
        batches = []
        for number, mine in by_stream.items():
            if number not in self._streams:
                fields = tuple(f"v{column}" for column in range(width))
                self._add(number, Stream("", f"stream {number}", "unknown", fields), self._now)
            stream = self._streams[number]
            t, recv, ids = (np.array([row[at] for row in mine], dtype=np.object_) for at in (2, 3, 4))
            v = np.array([row[5 : 5 + len(stream.fields)] for row in mine], dtype=np.float64)
            some_ids = None if all(each is None for each in ids) else ids_array(ids.tolist())
            v = v.reshape(len(mine), len(stream.fields))
            batches.append(Batch(stream, t.astype(np.int64), recv.astype(np.int64), v, some_ids))
        return batches

    def _columns(self, table: str) -> list[str]:
        return [name for (name,) in self._source.execute("SELECT name FROM pragma_table_info(?)", (table,))]

    def _copy(self, table: str, key: str = "n") -> None:
        """The rows of a table as they are, but for the streams' numbers."""
        names = tuple(name for (name,) in self._target.execute("SELECT name FROM pragma_table_info(?)", (table,)))
        if not set(names) <= set(self._columns(table)):
            return  # the source has no such table
        rest = tuple(name for name in names if name != key)
        marks = ", ".join("?" * (1 + len(rest)))
        sql = f"INSERT INTO {table} ({key}, {', '.join(rest)}) VALUES ({marks})"  # noqa: S608  # our names only
        at = names.index("stream") if "stream" in names else None
        for rows in self._rows(table, key, rest):
            for row in rows:
                cells = list(row)
                if at is not None and cells[at] is not None:
                    cells[at] = self._numbers.get(cells[at])
                with contextlib.suppress(sqlite3.IntegrityError):  # a cell of it is damaged, or its stream
                    self._target.execute(sql, cells)

    def _mend_sessions(self) -> None:
        """Have the sessions count what there is: what is too much or too little is that of the last ones."""
        target = self._target
        target.execute("UPDATE sessions SET alive = ended WHERE ended IS NOT NULL")
        if not target.execute("SELECT count(*) FROM sessions").fetchone()[0]:
            target.execute(
                "INSERT INTO sessions (pid, version, settings, began, alive, ended, rows, flushes)"
                " VALUES (0, '', '{}', ?1, ?1, ?1, 0, 0)",
                (self._now,),
            )
        ((rows, flushes),) = target.execute("SELECT sum(rows), sum(flushes) FROM sessions").fetchall()
        missing = self._repaired.rows - rows
        for number, counted in target.execute("SELECT id, rows FROM sessions ORDER BY id DESC").fetchall():
            change = max(missing, -counted)
            missing -= change
            target.execute("UPDATE sessions SET rows = rows + ? WHERE id = ?", (change, number))
        if flushes < self._flushes:
            last = "UPDATE sessions SET flushes = flushes + ? WHERE id = (SELECT max(id) FROM sessions)"
            target.execute(last, (self._flushes - flushes,))

    def _mend_gaps(self) -> None:
        """A gap for each hole in consecutive ids, and none where there is no hole."""
        (last,) = self._target.execute("SELECT coalesce(max(n), 0) FROM ticks").fetchone()
        file = File(self._target, Findings(), last)
        sql = "INSERT INTO events (t, feed, stream, kind, text, details) VALUES (?, ?, ?, 'gap', ?, ?)"
        for entry, found in list(disagreements(file, {})):
            for first, end in found.unfounded:
                self._repaired.unfounded += self._target.execute(
                    "UPDATE events SET kind = 'notice' WHERE kind = 'gap' AND stream = ?"
                    " AND json_extract(details, '$.first_id') = ? AND json_extract(details, '$.last_id') = ?",
                    (entry.id, first, end),
                ).rowcount
        for entry, found in list(disagreements(file, {})):  # a gap that was not so may have hidden a hole
            for hole in found.holes:
                missing = hole.last - hole.first + 1
                details = {"from": max(hole.since, 0), "to": hole.t, "reason": REASON}
                details |= {"first_id": hole.first, "last_id": hole.last, "missing": missing}
                text = f"{entry.stream.label}: ids {hole.first} to {hole.last} missing ({missing:,}), {REASON}"
                self._target.execute(sql, (hole.t, entry.stream.feed, entry.id, text, json.dumps(details)))
                self._repaired.gaps += 1

    def _note(self) -> None:
        details = {table: lost[:LOST_LISTED] for table, lost in self._repaired.lost.items()}
        text = f"repaired: {self._repaired.rows:,} ticks could be read, {self._repaired.lost_rows:,} rows could not"
        sql = "INSERT INTO events (t, feed, stream, kind, text, details) VALUES (?, '', NULL, 'notice', ?, ?)"
        self._target.execute(sql, (self._now, text, json.dumps(details)))

    def _has_index(self) -> bool:
        sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'ticks_time'"
        return bool(self._source.execute(sql).fetchone()[0])


def _stream(row: list[Any]) -> Stream:
    feed, name, kind, fields, ids, timed, found, axis, _ = row
    names = tuple(each["name"] for each in json.loads(fields))
    return Stream(feed, name, kind, names, IdRule(ids), bool(timed), found, axis)


def _is_tick(row: tuple[Any, ...]) -> bool:
    _, stream, t, recv, tick_id, *values = row
    return (
        type(stream) is type(t) is type(recv) is int
        and not isinstance(tick_id, (bytes, float))
        and all(value is None or isinstance(value, (int, float)) for value in values)
    )
