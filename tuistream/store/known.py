"""What a recording already holds of each stream: where a new run goes on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

import numpy as np

from tuistream.core.batch import IdRule, StreamKey, ids_array
from tuistream.core.continuity import REPEATS_KNOWN
from tuistream.core.session import Known
from tuistream.store.catalog import Catalog, Entry

TAIL_ROWS = 20_000  # the file's newest rows, read at once for all streams; what is older is found through blocks

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
        wanted = 1 if entry.stream.ids is IdRule.OPAQUE else REPEATS_KNOWN
        if tail > 0 and len(found) < wanted:
            found = [*_older(connection, entry, tail, wanted - len(found)), *found]
        if found:
            known[key] = _known(found)
    return known


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
