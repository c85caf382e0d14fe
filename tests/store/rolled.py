"""Recordings made without a loop, in flushes of one's choice, and their rollups by brute force."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tuistream.core.batch import Batch
from tuistream.core.status import Event
from tuistream.store import catalog
from tuistream.store.flush import EVENT_SQL, prepare
from tuistream.store.opening import open_for_writing

TABLES = {1_000_000_000: "rollup_1s", 60_000_000_000: "rollup_1m", 3_600_000_000_000: "rollup_1h"}


def write(path: Path, flushes: Sequence[Sequence[Batch | Event]]) -> None:
    """Append each of `flushes` to the recording at `path`, as a transaction of its own, without rollups."""
    connection = open_for_writing(path)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        known = catalog.load(connection)
        for items in flushes:
            flush = prepare(items, known, 0)
            connection.execute("BEGIN")
            (row,) = connection.execute("SELECT coalesce(max(n), 0) FROM ticks").fetchone()
            for sql, parameters in flush.streams:
                connection.execute(sql, parameters)
            for sql, rows in (each for ticks in flush.ticks for each in ticks.statements()):
                connection.executemany(sql, rows)
            for sql, rows in flush.blocks_after(row):
                connection.executemany(sql, rows)
            connection.executemany(EVENT_SQL, flush.events)
            connection.execute("COMMIT")
            known = flush.catalog
    finally:
        connection.close()


def roll_up(path: Path, width: int, until: int) -> None:
    """Fill the table of buckets `width` ns wide for all streams' ticks before `until`, a whole number of buckets."""
    connection = sqlite3.connect(path)
    for entry in catalog.load(connection).entries.values():
        columns = ", ".join(f"v{field}" for field in range(len(entry.stream.fields)))
        sql = f"SELECT t, {columns} FROM ticks WHERE stream = ? AND t < ? ORDER BY t, n"
        rows = connection.execute(sql, (entry.id, until)).fetchall()
        for field in range(len(entry.stream.fields)):
            buckets: dict[int, list[tuple[int, float | None]]] = {}
            for t, *values in rows:
                buckets.setdefault(t // width * width, []).append((t, values[field]))
            for bucket, ticks in buckets.items():
                connection.execute(
                    f"INSERT INTO {TABLES[width]} (stream, field, bucket, first, last, min, max, sum, count, ticks,"
                    " first_t, last_t) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (entry.id, field, bucket, *_figures(ticks)),
                )
    connection.commit()
    connection.close()


def _figures(ticks: Sequence[tuple[int, float | None]]) -> tuple[float | int | None, ...]:
    known = [(t, value) for t, value in ticks if value is not None]
    if not known:
        return None, None, None, None, 0.0, 0, len(ticks), None, None
    values = np.array([value for _, value in known])
    return (
        float(values[0]),
        float(values[-1]),
        float(values.min()),
        float(values.max()),
        float(values.sum()),
        len(known),
        len(ticks),
        known[0][0],
        known[-1][0],
    )
