"""What a recording already holds of each stream: where a new run goes on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from tuistream.core.batch import IdRule, StreamKey, ids_array
from tuistream.core.continuity import REPEATS_KNOWN
from tuistream.core.errors import RecordingError
from tuistream.core.session import Known
from tuistream.store import catalog as catalogs
from tuistream.store.catalog import Catalog, Entry
from tuistream.store.opening import open_for_reading

TAIL_ROWS = 20_000  # the file's newest rows, read at once for all streams; what is older is found through blocks
OLDER_FILES = 24  # of a rotated recording that are read for streams of which the newer ones hold too little

_Row = tuple[int, int, int | str | None]  # t, recv, id


def load(connection: sqlite3.Connection, catalog: Catalog) -> dict[StreamKey, Known]:
    """The newest of each stream that has ticks, by key. Reads a bounded number of rows a stream.

    `last_t` and `last_recv` are the greatest of these; `ids` are the last (up to `REPEATS_KNOWN`), as they came.
    """
    (newest,) = connection.execute("SELECT coalesce(max(n), 0) FROM ticks").fetchone()
    tail = newest - TAIL_ROWS
    rows: dict[int, list[_Row]] = {}
    for stream, *row in connection.execute("SELECT stream, t, recv, id FROM ticks WHERE n > ? ORDER BY n", (tail,)):
        rows.setdefault(stream, []).append((row[0], row[1], row[2]))
    known = {}
    for key, entry in catalog.entries.items():
        found = rows.get(entry.id, [])
        wanted = _wanted(entry)
        if tail > 0 and len(found) < wanted:
            found = [*_older(connection, entry, tail, wanted - len(found)), *found]
        if found:
            known[key] = _known(found)
    return known


def add_older(newer: Mapping[StreamKey, Known], older: Sequence[Path]) -> tuple[dict[StreamKey, Known], int | None]:
    """`newer` with what the files before, oldest first, hold of streams of which it has too little.

    Reads them from the newest on, up to `OLDER_FILES`, and ends with one that adds nothing. Also tells when the
    newest session in them was last alive (ns since 1970 UTC), if it did not end as it should. A file that cannot be
    read is passed over.
    """
    known = dict(newer)
    alive: int | None = None
    session_found = False
    for path in older[: -OLDER_FILES - 1 : -1]:
        try:
            connection = open_for_reading(path)
            try:
                catalog = catalogs.load(connection)
                lacking = {key: entry for key, entry in catalog.entries.items() if not _is_enough(known, key, entry)}
                if not session_found:
                    last = connection.execute("SELECT alive, ended FROM sessions ORDER BY id DESC LIMIT 1").fetchone()
                    session_found = last is not None
                    alive = last[0] if last is not None and last[1] is None else None
                found = _newest(connection, lacking)
            finally:
                connection.close()
        except (RecordingError, sqlite3.Error, ValueError, LookupError, TypeError):
            continue
        if not found and session_found:
            break
        for key, each in found.items():
            known[key] = _joined(each, known[key]) if key in known else each
    return known, alive


def _newest(connection: sqlite3.Connection, entries: Mapping[StreamKey, Entry]) -> dict[StreamKey, Known]:
    """As `load`, of these streams only, by their blocks: the tail of a file may be all of others."""
    (newest,) = connection.execute("SELECT coalesce(max(n), 0) FROM ticks").fetchone()
    rows = {key: _older(connection, entry, newest, _wanted(entry)) for key, entry in entries.items()}
    return {key: _known(found) for key, found in rows.items() if found}


def _wanted(entry: Entry) -> int:
    """How many of a stream's newest ticks are to be known."""
    return 1 if entry.stream.ids is IdRule.OPAQUE else REPEATS_KNOWN


def _is_enough(known: Mapping[StreamKey, Known], key: StreamKey, entry: Entry) -> bool:
    there = known.get(key)
    if there is None:
        return False
    return entry.stream.ids is IdRule.OPAQUE or (there.ids is not None and len(there.ids) >= REPEATS_KNOWN)


def _joined(older: Known, newer: Known) -> Known:
    """What two files that follow one another hold of a stream."""
    parts = [each for each in (older, newer) if each.ids is not None and each.ids_t is not None]
    ids = [tick_id for each in parts for tick_id in (each.ids.tolist() if each.ids is not None else ())]
    times = [t for each in parts for t in (each.ids_t.tolist() if each.ids_t is not None else ())]
    return Known(
        last_t=max(older.last_t, newer.last_t),
        last_recv=max(older.last_recv, newer.last_recv),
        ids=ids_array(ids[-REPEATS_KNOWN:]),
        ids_t=np.array(times[-REPEATS_KNOWN:], dtype=np.int64),
    )


def _older(connection: sqlite3.Connection, entry: Entry, before: int, count: int) -> list[_Row]:
    """About the last `count` rows of the stream up to row `before`, as they came."""
    blocks: list[tuple[int, int]] = []
    found = 0
    newest = "SELECT r0, min(r1, ?) FROM blocks WHERE stream = ? AND r0 <= ? ORDER BY t0 DESC"
    for r0, r1 in connection.execute(newest, (before, entry.id, before)):
        blocks.append((r0, r1))
        found += r1 - r0 + 1
        if found >= count:
            break
    rows: list[_Row] = []
    for r0, r1 in sorted(blocks):
        between = "SELECT t, recv, id FROM ticks WHERE n BETWEEN ? AND ? AND stream = ? ORDER BY n"
        rows += connection.execute(between, (max(r0, r1 - count + 1), r1, entry.id))
    return rows[-count:]


def _known(rows: Iterable[_Row]) -> Known:
    newest = list(rows)[-REPEATS_KNOWN:]
    with_ids = [(t, tick_id) for t, _, tick_id in newest if tick_id is not None]
    return Known(
        last_t=max(t for t, _, _ in newest),
        last_recv=max(recv for _, recv, _ in newest),
        ids=ids_array([tick_id for _, tick_id in with_ids]),
        ids_t=np.array([t for t, _ in with_ids], dtype=np.int64),
    )
