"""Taking the ticks out of segments whose rollups are to be kept: one file of rollups takes the place of several.

That file is written beside them, is on the disk before it gets the name that lets it stand for them (see `segments`),
and only then are they removed. Whatever instant a crash comes at, a reader finds either them or it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final

import numpy as np

from tuistream.core.batch import Stream, StreamKey
from tuistream.core.errors import RecordingError
from tuistream.store import catalog, schema
from tuistream.store.buckets import FIRST_NS, LAST_NS, Rows, bucket_of, combined, filled, joined, valueless
from tuistream.store.flush import EVENT_SQL, inserts
from tuistream.store.opening import open_for_reading, reason_of, sync_to_disk
from tuistream.store.rollups import COLUMNS, TABLES, Source, columns_of, rows_between
from tuistream.store.segments import base_of, thinned_path
from tuistream.store.thinned import EVENT, MINUTE, WIDTHS_KEPT

MOST_FILES: Final = 16  # that one takes the place of at once
_ROWS_AT_ONCE: Final = 10_000
_SESSION_COLUMNS: Final = "pid, version, settings, began, alive, ended, rows, flushes"


def thin(files: Sequence[Path], now: int) -> Path:
    """Make the file of rollups that stands for `files`, segments of one recording, oldest first; they stay.

    Of each stream it has the rows of `WIDTHS_KEPT`; gaps and other events and sessions stay, texts and pictures do
    not. A stream whose axis is not time has no rollups, and nothing of it is left. Takes memory for the minutes of
    one stream. now: ns since 1970 UTC. Raises RecordingError, OSError; then nothing has changed.
    """
    target = thinned_path(files)
    base = base_of(target) or target
    made = base.with_name(f"{base.name}-thin")
    leftovers = [made, made.with_name(f"{made.name}-journal")]
    for file in leftovers:
        file.unlink(missing_ok=True)
    try:
        write(made, files, now)
        sync_to_disk(made)
        made.rename(target)
    except BaseException:
        for file in leftovers:
            file.unlink(missing_ok=True)
        raise
    sync_to_disk(target.parent)
    return target


def write(path: Path, files: Sequence[Path], now: int) -> None:
    """Write the rollups of `files` into a new file at `path`. Raises RecordingError."""
    with ExitStack() as stack:
        try:
            target = stack.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
            # Nobody knows the file yet: what counts is that it is on the disk when it gets its name.
            target.execute("PRAGMA synchronous = OFF")
            target.execute("PRAGMA journal_mode = MEMORY").fetchone()
            target.execute("BEGIN")
            for statement in schema.creation():
                target.execute(statement)
            sources = [_File(file, stack.enter_context(closing(open_for_reading(file)))) for file in files]
            _Thinning(target, sources, now).run()
            target.execute("COMMIT")
        except sqlite3.Error as error:
            raise RecordingError(reason_of(error)) from error
        except (ValueError, LookupError, TypeError, OverflowError) as error:
            # What the tables hold is not what they were made for.
            raise RecordingError("a file is damaged") from error


class _File:
    """numbers: the ids of its streams in the target. rolled: its ticks that are in rows there."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self.connection = connection
        self.entries: dict[StreamKey, catalog.Entry] = {}
        self.numbers: dict[int, int] = {}
        self.rolled = 0


class _Thinning:
    def __init__(self, target: sqlite3.Connection, files: Sequence[_File], now: int) -> None:
        self._target = target
        self._files = files
        self._now = now

    def run(self) -> None:
        for stream in self._streams().values():
            if not stream.stream.axis:
                self._roll(stream)
        for file in self._files:
            self._copy_events(file)
            self._note(file)
        for file in self._files:
            sessions = file.connection.execute(f"SELECT {_SESSION_COLUMNS} FROM sessions ORDER BY id")  # noqa: S608
            marks = ", ".join("?" * (_SESSION_COLUMNS.count(",") + 1))
            sql = f"INSERT INTO sessions ({_SESSION_COLUMNS}) VALUES ({marks})"  # noqa: S608  # our names only
            self._target.executemany(sql, sessions)

    def _streams(self) -> dict[int, catalog.Entry]:
        """The streams of all files, in the target, by their ids there."""
        known = catalog.Catalog()
        for file in self._files:
            file.connection.execute("BEGIN")
            seen = dict(file.connection.execute("SELECT id, first_seen FROM streams").fetchall())
            file.entries = dict(catalog.load(file.connection).entries)
            for entry in file.entries.values():
                known, statements = known.with_streams([entry.stream], seen[entry.id])
                for sql, parameters in statements:
                    self._target.execute(sql, parameters)
                file.numbers[entry.id] = known.entries[entry.stream.key].id
        return {entry.id: entry for entry in known.entries.values()}

    def _roll(self, entry: catalog.Entry) -> None:
        count = max(1, len(entry.stream.fields))
        parts = []
        for file in self._files:
            there = file.entries.get(entry.stream.key)
            if there is not None:
                part = _minutes(file.connection, there, entry)
                file.rolled += int(part.ticks[part.field == 0].sum())
                parts.append(part)
        rows = joined(parts)
        for width in WIDTHS_KEPT:
            rows = filled(combined(rows, width), count)
            self._write(entry.id, width, rows)

    def _write(self, number: int, width: int, rows: Rows) -> None:
        if not len(rows):
            return
        for sql, parameters in inserts(TABLES[width], COLUMNS, columns_of(rows)):
            self._target.executemany(sql, parameters)
        until = min(bucket_of(int(rows.bucket.max()), width) + width, LAST_NS // width * width)
        self._target.execute(
            "INSERT INTO rollups (stream, width, since, until) VALUES (?, ?, ?, ?)",
            (number, width, int(rows.bucket.min()), until),
        )

    def _copy_events(self, file: _File) -> None:
        cursor = file.connection.execute("SELECT t, feed, stream, kind, text, details FROM events ORDER BY n")
        while found := cursor.fetchmany(_ROWS_AT_ONCE):
            rows = [(t, feed, file.numbers.get(stream), *rest) for t, feed, stream, *rest in found]
            self._target.executemany(EVENT_SQL, rows)

    def _note(self, file: _File) -> None:
        """What of the file is not in the target any more. One of rollups has said that already."""
        counted = "SELECT coalesce(sum(r1 - r0 + 1), 0), min(t0), max(t1) FROM blocks"
        ticks, since, until = file.connection.execute(counted).fetchone()
        (items,) = file.connection.execute("SELECT count(*) FROM media").fetchone()
        if not ticks and not items:
            return
        details: dict[str, Any] = {"file": file.path.name, "ticks": ticks, "rolled": file.rolled, "items": items}
        details |= {"from": since, "to": until}
        text = f"{ticks:,} ticks of {file.path.name} removed, and their rollups kept"
        self._target.execute(EVENT_SQL, (self._now, "", None, EVENT, text, json.dumps(details)))


def _minutes(connection: sqlite3.Connection, there: catalog.Entry, entry: catalog.Entry) -> Rows:
    """The rows of minutes that a file's ticks of a stream give, with the target's id and places of fields."""
    stream = there.stream
    source = Source(there.id, len(stream.fields), catalog.quantity_of(stream))
    rows = rows_between(connection, source, MINUTE, FIRST_NS, LAST_NS + 1)
    if not len(rows):
        return rows
    places = _places(stream, entry.stream)
    moved = rows.with_columns(stream=np.full(len(rows), entry.id), field=places[rows.field])
    if 0 in places:
        return moved
    # All rows are to have one of field 0, which has all ticks.
    return joined([valueless(moved.take(rows.field == 0), 0), moved])


def _places(stream: Stream, merged: Stream) -> Any:
    """Where the stream's fields stand among those of all files: int64[fields], one at least."""
    return np.array([merged.fields.index(name) for name in stream.fields] or [0], dtype=np.int64)
