"""What of a selection is not among its ticks: texts and pictures, and ticks of which only rollups are left."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing

from tuistream.core.errors import RecordingError
from tuistream.store import catalog
from tuistream.store.opening import open_for_reading, reason_of
from tuistream.store.playback import Selection
from tuistream.store.rollups import TABLES
from tuistream.store.thinned import MINUTE, is_thinned

_LEAST = -(1 << 63)
_MOST = (1 << 63) - 1


def items_left_out(selection: Selection) -> str:
    """How many texts, pictures and the like there are, in words; "" where there is none. Raises RecordingError."""
    count = _sum(selection, lambda _: "SELECT count(*) FROM media WHERE t BETWEEN ? AND ?")
    return f"texts, pictures and the like ({count:,}) are not in it" if count else ""


def ticks_left_out(selection: Selection) -> str:
    """How many ticks were removed and have rollups only, in words; "" where there is none. Raises RecordingError."""
    minutes = f"SELECT coalesce(sum(ticks), 0) FROM {TABLES[MINUTE]} WHERE field = 0 AND bucket BETWEEN ? AND ?"  # noqa: S608
    count = _sum(selection, lambda connection: minutes if is_thinned(connection) else "")
    return f"{count:,} older ticks are not in it: of them only rollups of 1 m and longer are left" if count else ""


def _sum(selection: Selection, sql_for: Callable[[sqlite3.Connection], str]) -> int:
    """Of what a statement finds for the streams and times in each file; where it is "", nothing."""
    since = _LEAST if selection.since is None else selection.since
    last = _MOST if selection.until is None else selection.until - 1
    count = 0
    for path in selection.files:
        with closing(open_for_reading(path)) as connection:
            try:
                if sql := sql_for(connection):
                    streams = {entry.id: entry.stream for entry in catalog.load(connection).entries.values()}
                    wanted = selection.numbers(streams)
                    named = "" if wanted is None else f" AND stream IN ({', '.join(map(str, wanted))})"
                    count += connection.execute(sql + named, (since, last)).fetchone()[0]
            except sqlite3.Error as error:
                raise RecordingError(f"cannot read {path}: {reason_of(error)}") from error
    return count
