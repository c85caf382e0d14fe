"""Recordings made without a loop, in flushes of one's choice, with rollups however few ticks a bucket has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tuistream.core.batch import Batch
from tuistream.core.status import Event
from tuistream.store import catalog
from tuistream.store.append import append
from tuistream.store.flush import prepare
from tuistream.store.opening import open_for_writing
from tuistream.store.rolling import Rolling

ALWAYS = (0.0, 0.0)


def write(path: Path, flushes: Sequence[Sequence[Batch | Event]], worth: tuple[float, float] = ALWAYS) -> None:
    """Append each of `flushes` to the recording at `path`, as a transaction of its own."""
    connection = open_for_writing(path)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        known, rolling = catalog.load(connection), Rolling.begin(worth)
        for items in flushes:
            flush = prepare(items, known, 0)
            connection.execute("BEGIN")
            rolling = append(flush, connection, rolling)
            connection.execute("COMMIT")
            known = flush.catalog
    finally:
        connection.close()
