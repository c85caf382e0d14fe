"""What of a selection is not among its ticks: texts and pictures, and ticks of which only rollups are left."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Final, NamedTuple

from tuistream.core.errors import RecordingError
from tuistream.store import catalog
from tuistream.store.opening import open_for_reading, reason_of
from tuistream.store.playback import Selection
from tuistream.store.rollups import TABLES
from tuistream.store.thinned import MINUTE, is_thinned

_LEAST: Final = -(1 << 63)
_MOST: Final = (1 << 63) - 1


class LeftOut(NamedTuple):
    """items: texts, pictures and the like. ticks: those that were removed and whose rollups are kept."""

    items: int = 0
    ticks: int = 0

    def words(self, *, items: bool = True, ticks: bool = True) -> list[str]:
        """A sentence for each that there is and that is asked for."""
        told = []
        if items and self.items:
            told.append(f"{self.items:,} texts, pictures and the like are not in it")
        if ticks and self.ticks:
            told.append(f"{self.ticks:,} ticks are not in it: only rollups of 1 m and longer are left of them")
        return told


def left_out(selection: Selection) -> LeftOut:
    """Raises RecordingError."""
    items = ticks = 0
    for path in selection.files:
        with closing(open_for_reading(path)) as connection:
            try:
                found = _of_file(connection, selection)
            except sqlite3.Error as error:
                raise RecordingError(f"cannot read {path}: {reason_of(error)}") from error
        items, ticks = items + found.items, ticks + found.ticks
    return LeftOut(items, ticks)


def _of_file(connection: sqlite3.Connection, selection: Selection) -> LeftOut:
    since = _LEAST if selection.since is None else selection.since
    last = _MOST if selection.until is None else selection.until - 1
    streams = {entry.id: entry.stream for entry in catalog.load(connection).entries.values()}
    wanted = selection.numbers(streams)
    named = "" if wanted is None else f" AND stream IN ({', '.join(map(str, wanted))})"
    sql = f"SELECT count(*) FROM media WHERE t BETWEEN ? AND ?{named}"  # noqa: S608  # our numbers
    (items,) = connection.execute(sql, (since, last)).fetchone()
    if not is_thinned(connection):
        return LeftOut(items)
    sql = f"SELECT coalesce(sum(ticks), 0) FROM {TABLES[MINUTE]} WHERE field = 0 AND bucket BETWEEN ? AND ?{named}"  # noqa: S608
    return LeftOut(items, connection.execute(sql, (since, last)).fetchone()[0])
