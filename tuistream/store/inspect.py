"""What a recording holds: its streams, gaps and sessions, read through plain SQL."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from tuistream.core.errors import RecordingError
from tuistream.store.lock import writer_of
from tuistream.store.opening import open_for_reading, reason_of, wal_path
from tuistream.store.schema import read_layout

GAPS_LISTED = 1_000
SESSIONS_LISTED = 1_000


@dataclass(frozen=True, slots=True)
class StreamContent:
    """One stream. Times are event times in ns since 1970 UTC, None where it has no ticks."""

    feed: str
    name: str
    kind: str
    fields: tuple[str, ...]
    found: str
    view: str | None
    rows: int
    first: int | None
    last: int | None
    gaps: int


@dataclass(frozen=True, slots=True)
class GapContent:
    """One gap: event times (ns), why, and the ids that are missing where ids tell."""

    feed: str
    stream: str | None
    kind: str | None
    t0: int | None
    t1: int | None
    reason: str | None
    first_id: int | str | None
    last_id: int | str | None
    missing: int | None


@dataclass(frozen=True, slots=True)
class SessionContent:
    """One run that wrote the file. end: "clean", "running" or "unclean" (then `alive` is its last sign of life)."""

    pid: int
    version: str
    began: int
    alive: int
    ended: int | None
    rows: int
    end: str


@dataclass(frozen=True, slots=True)
class Contents:
    """A whole recording. `writer` is the pid that records into it now (0: not known whose), or None.

    gaps, sessions: the newest `GAPS_LISTED` and `SESSIONS_LISTED`, oldest first; gap_count: of all.
    size, wal_size: bytes. items, item_bytes: texts, pictures and the like, and the bytes of what they hold.
    """

    path: Path
    layout: int
    size: int
    wal_size: int
    writer: int | None
    rows: int
    streams: list[StreamContent]
    gap_count: int
    gaps: list[GapContent]
    sessions: list[SessionContent]
    items: int = 0
    item_bytes: int = 0

    @property
    def first(self) -> int | None:
        return min((s.first for s in self.streams if s.first is not None), default=None)

    @property
    def last(self) -> int | None:
        return max((s.last for s in self.streams if s.last is not None), default=None)


def inspect(path: Path) -> Contents:
    """Read what the recording at `path` holds, in one consistent view of it. Raises RecordingError.

    Rows are counted through the blocks, so that the time grows with the number of flushes, not of ticks.
    """
    writer = writer_of(path)
    connection = open_for_reading(path)
    try:
        connection.execute("BEGIN")
        streams = _streams(connection)
        items, item_bytes = _items(connection)
        return Contents(
            path=path,
            layout=read_layout(connection, path),
            size=_size(path),
            wal_size=_size(wal_path(path.resolve())),
            writer=writer,
            rows=sum(stream.rows for stream in streams),
            streams=streams,
            gap_count=connection.execute("SELECT count(*) FROM gaps").fetchone()[0],
            gaps=_gaps(connection),
            sessions=_sessions(connection, writer is not None),
            items=items,
            item_bytes=item_bytes,
        )
    except (sqlite3.Error, ValueError, LookupError, TypeError) as error:
        # A file with our mark whose tables are not as they should be is damaged, however that shows.
        reason = reason_of(error) if isinstance(error, sqlite3.Error) else "the file is damaged"
        raise RecordingError(f"cannot read {path}: {reason}") from error
    finally:
        connection.close()


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0


def _streams(connection: sqlite3.Connection) -> list[StreamContent]:
    rows = connection.execute(
        """SELECT s.feed, s.name, s.kind, s.fields, s.found, s.view,
            coalesce(sum(b.r1 - b.r0 + 1), 0), min(b.t0), max(b.t1),
            (SELECT count(*) FROM events AS e WHERE e.kind = 'gap' AND e.stream = s.id)
        FROM streams AS s LEFT JOIN blocks AS b ON b.stream = s.id
        GROUP BY s.id ORDER BY s.feed, s.name, s.kind"""
    )
    return [
        StreamContent(feed, name, kind, tuple(each["name"] for each in json.loads(fields)), *rest)
        for feed, name, kind, fields, *rest in rows
    ]


def _items(connection: sqlite3.Connection) -> tuple[int, int]:
    """How many items there are, and the bytes of what they hold."""
    count, nbytes = connection.execute("SELECT count(*), coalesce(sum(length(data)), 0) FROM media").fetchone()
    return count, nbytes


def _gaps(connection: sqlite3.Connection) -> list[GapContent]:
    newest = connection.execute(
        """SELECT feed, stream, kind, CAST(t0 AS INTEGER), CAST(t1 AS INTEGER), CAST(reason AS TEXT),
            first_id, last_id, CAST(missing AS INTEGER)
        FROM gaps ORDER BY t1 DESC LIMIT ?""",
        (GAPS_LISTED,),
    )
    return [GapContent(*row) for row in newest][::-1]


def _sessions(connection: sqlite3.Connection, being_written: bool) -> list[SessionContent]:
    newest = connection.execute(
        "SELECT pid, version, began, alive, ended, rows FROM sessions ORDER BY id DESC LIMIT ?", (SESSIONS_LISTED,)
    )
    sessions = []
    for number, (pid, version, began, alive, ended, rows) in enumerate(newest):
        running = ended is None and being_written and number == 0
        end = "clean" if ended is not None else "running" if running else "unclean"
        sessions.append(SessionContent(pid, version, began, alive, ended, rows, end))
    return sessions[::-1]
