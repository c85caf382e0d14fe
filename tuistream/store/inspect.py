"""What a recording holds: its streams, gaps and sessions, read through plain SQL."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace  # noqa: TID251
from pathlib import Path

from tuistream.core.errors import RecordingError
from tuistream.store.lock import writer_of
from tuistream.store.opening import open_for_reading, reason_of, wal_path
from tuistream.store.rollups import TABLES
from tuistream.store.schema import read_layout
from tuistream.store.segments import files_of
from tuistream.store.thinned import MINUTE, is_thinned, removed

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
    """One run that wrote the recording. end: "clean", "running" or "unclean" (then `alive` is its last flush)."""

    pid: int
    version: str
    began: int
    alive: int
    ended: int | None
    rows: int
    end: str


@dataclass(frozen=True, slots=True)
class FileContent:
    """One of the files: bytes, and what `Contents` has of all. Times are event times in ns since 1970 UTC.

    thinned: it has rollups only, of so many ticks that were removed; None where it has its ticks.
    """

    path: Path
    size: int
    wal_size: int
    rows: int
    first: int | None
    last: int | None
    thinned: int | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """A whole recording, of one file or several. `writer` is the pid that records into it now (0: not known whose).

    gaps, sessions: the newest `GAPS_LISTED` and `SESSIONS_LISTED`, oldest first; gap_count: of all.
    size, wal_size: bytes. items, item_bytes: texts, pictures and the like, and the bytes of what they hold.
    files: oldest first.
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
    files: list[FileContent] = field(default_factory=list)

    @property
    def thinned(self) -> int:
        """How many ticks were removed of which there are rollups."""
        return sum(file.thinned or 0 for file in self.files)

    @property
    def end(self) -> str:
        """How the last session ended: "clean", "running" or "unclean"; "clean" too where there was none."""
        return self.sessions[-1].end if self.sessions else "clean"

    @property
    def last_flush(self) -> int | None:
        """When the last session wrote last, ns since 1970 UTC: after an unclean end what came later is missing."""
        return self.sessions[-1].alive if self.sessions else None

    @property
    def first(self) -> int | None:
        return _span(self.streams)[0]

    @property
    def last(self) -> int | None:
        return _span(self.streams)[1]


def inspect(path: Path) -> Contents:
    """Read what the recording at `path` holds, each file in one consistent view of it. Raises RecordingError.

    Rows are counted through the blocks, so that the time grows with the number of flushes, not of ticks.
    """
    files = files_of([path])
    found = []
    for number, file in enumerate(files):
        try:
            found.append(_inspect_file(file))
        except RecordingError:
            if number == len(files) - 1 or file.exists():
                raise  # else --retention has removed it meanwhile
    return found[0] if files == [path] else _together(path, found)


def _inspect_file(path: Path) -> Contents:
    writer = writer_of(path)
    connection = open_for_reading(path)
    try:
        connection.execute("BEGIN")
        thinned = removed(connection)[1] if is_thinned(connection) else None
        streams = _streams(connection) if thinned is None else _thinned_streams(connection)
        items, item_bytes = _items(connection)
        size, wal_size, rows = _size(path), _size(wal_path(path.resolve())), sum(stream.rows for stream in streams)
        return Contents(
            path=path,
            layout=read_layout(connection, path),
            size=size,
            wal_size=wal_size,
            writer=writer,
            rows=rows,
            streams=streams,
            gap_count=connection.execute("SELECT count(*) FROM gaps").fetchone()[0],
            gaps=_gaps(connection),
            sessions=_sessions(connection, writer is not None),
            items=items,
            item_bytes=item_bytes,
            files=[FileContent(path, size, wal_size, rows, *_span(streams), thinned)],
        )
    except (sqlite3.Error, ValueError, LookupError, TypeError) as error:
        # A file with our mark whose tables are not as they should be is damaged, however that shows.
        reason = reason_of(error) if isinstance(error, sqlite3.Error) else "the file is damaged"
        raise RecordingError(f"cannot read {path}: {reason}") from error
    finally:
        connection.close()


def _span(streams: Sequence[StreamContent]) -> tuple[int | None, int | None]:
    """The first and the last event time of all streams."""
    return (
        min((s.first for s in streams if s.first is not None), default=None),
        max((s.last for s in streams if s.last is not None), default=None),
    )


def _together(base: Path, parts: Sequence[Contents]) -> Contents:
    """What the files of one recording, oldest first, hold together."""
    by_key: dict[tuple[str, str, str], list[StreamContent]] = {}
    for stream in (stream for part in parts for stream in part.streams):
        by_key.setdefault((stream.feed, stream.name, stream.kind), []).append(stream)
    gaps = sorted((gap for part in parts for gap in part.gaps), key=lambda gap: gap.t1 or 0)
    return Contents(
        path=base,
        layout=max(part.layout for part in parts),
        size=sum(part.size for part in parts),
        wal_size=sum(part.wal_size for part in parts),
        writer=writer_of(base),
        rows=sum(part.rows for part in parts),
        streams=[_one_stream(by_key[key]) for key in sorted(by_key)],
        gap_count=sum(part.gap_count for part in parts),
        gaps=gaps[-GAPS_LISTED:],
        sessions=_runs([session for part in parts for session in part.sessions])[-SESSIONS_LISTED:],
        items=sum(part.items for part in parts),
        item_bytes=sum(part.item_bytes for part in parts),
        files=[file for part in parts for file in part.files],
    )


def _one_stream(parts: Sequence[StreamContent]) -> StreamContent:
    """One stream of several files, as the newest describes it, with all fields that it has had."""
    first, last = _span(parts)
    return replace(
        parts[-1],
        fields=tuple(dict.fromkeys(name for part in parts for name in part.fields)),
        rows=sum(part.rows for part in parts),
        first=first,
        last=last,
        gaps=sum(part.gaps for part in parts),
    )


def _runs(sessions: Iterable[SessionContent]) -> list[SessionContent]:
    """A run has a session in each file that it wrote; they have its pid and the time of its start in common."""
    runs: dict[tuple[int, int], SessionContent] = {}
    for session in sessions:
        key = (session.pid, session.began)
        before = runs.pop(key, None)
        runs[key] = session if before is None else replace(session, rows=before.rows + session.rows)
    return list(runs.values())


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


def _thinned_streams(connection: sqlite3.Connection) -> list[StreamContent]:
    """Those of a file of rollups, which tell when the ticks were that were removed."""
    sql = f"SELECT min(first_t), max(last_t) FROM {TABLES[MINUTE]} WHERE stream = ?"  # noqa: S608  # our own name
    numbers = connection.execute("SELECT id FROM streams ORDER BY feed, name, kind").fetchall()
    spans = [connection.execute(sql, number).fetchone() for number in numbers]
    return [
        replace(stream, first=first, last=last)
        for stream, (first, last) in zip(_streams(connection), spans, strict=True)
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
