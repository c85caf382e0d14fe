"""Reading files of which only rollups are left: their ticks were removed by `--retention`, and their rollups kept.

Such a file has no ticks and no blocks; each stream has all its rows of minutes, hours and days. Shorter buckets are
not kept, and a minute is then the least that can be told apart.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from tuistream.store.buckets import FIRST_NS, WIDTHS, bucket_of
from tuistream.store.points import Points, of_buckets, reduced
from tuistream.store.rollups import TABLES
from tuistream.store.windows import FARTHEST, TICKS_RAW, Asked, StreamRows, Ticks

WIDTHS_KEPT: Final = WIDTHS[3:]
MINUTE: Final = WIDTHS_KEPT[0]
EVENT: Final = "thinned"  # the kind of the event that says what was removed


def is_thinned(connection: sqlite3.Connection) -> bool:
    """Whether the file has rollups only."""
    none = "NOT EXISTS (SELECT 1 FROM blocks) AND NOT EXISTS (SELECT 1 FROM ticks)"
    sql = f"SELECT EXISTS (SELECT 1 FROM rollups) AND {none}"  # noqa: S608  # our own words
    return bool(connection.execute(sql).fetchone()[0])


def thinned_span(connection: sqlite3.Connection) -> tuple[int, int] | None:
    """The first ns of the first minute and that behind the last one of a file of rollups; None of any other."""
    if not is_thinned(connection):
        return None
    sql = "SELECT min(since), max(until) FROM rollups WHERE width = ?"
    since, until = connection.execute(sql, (MINUTE,)).fetchone()
    return None if since is None else (since, until)


def removed(connection: sqlite3.Connection) -> tuple[int, int]:
    """How many ticks were removed, as far as the file says, and how many of them are in rollups."""
    sql = """SELECT coalesce(sum(json_extract(details, '$.ticks')), 0),
        coalesce(sum(json_extract(details, '$.rolled')), 0) FROM events WHERE kind = ?"""
    ticks, rolled = connection.execute(sql, (EVENT,)).fetchone()
    return int(ticks), int(rolled)


class ThinnedRows(StreamRows):
    """One stream in a file of rollups: the first, least, greatest and last of each minute stand for its ticks."""

    def oldest(self) -> int | None:
        table = TABLES[MINUTE]
        sql = f"SELECT min(bucket) FROM {table} WHERE stream = ? AND field = 0"  # noqa: S608  # our own names
        (bucket,) = self._connection.execute(sql, (self._number,)).fetchone()
        places = (self._number, max(1, len(self.stream.fields)), bucket)
        sql = f"SELECT min(first_t) FROM {table} WHERE stream = ? AND field < ? AND bucket = ?"  # noqa: S608
        (first,) = self._connection.execute(sql, places).fetchone()
        return bucket if first is None else int(first)

    def newest(self) -> int:
        """Where its last minute ends, ns."""
        sql = f"SELECT max(bucket) FROM {TABLES[MINUTE]} WHERE stream = ? AND field = 0"  # noqa: S608  # our own name
        (bucket,) = self._connection.execute(sql, (self._number,)).fetchone()
        return FIRST_NS if bucket is None else int(bucket) + MINUTE

    def count(self, t0: int, t1: int) -> int:
        """None, or too many to be handed out: there are none."""
        sql = f"SELECT 1 FROM {TABLES[MINUTE]} WHERE stream = ? AND field = 0 AND bucket > ? AND bucket < ? LIMIT 1"  # noqa: S608
        found = self._connection.execute(sql, (self._number, max(t0 - MINUTE, FIRST_NS), t1)).fetchone()
        return TICKS_RAW + 1 if found else 0

    def before(self, t: int, count: int, fields: Sequence[str]) -> Ticks:  # noqa: ARG002  # there is but one
        """What the last minute before `t` ends with; it stands for the last tick."""
        return self._edge(t, fields, before=True)

    def after(self, t: int, fields: Sequence[str]) -> Ticks:
        """What the first minute at `t` or later begins with."""
        return self._edge(t, fields, before=False)

    def received(self, t: int) -> int:
        return t

    def _edge(self, t: int, fields: Sequence[str], *, before: bool) -> Ticks:
        found = []
        for name in fields:
            points = list(self._near(t, name, before))
            found.append(points[0] if points else None)
        times = [each[0] for each in found if each is not None]
        if not times:
            return Ticks(np.empty(0, np.int64), np.empty((0, len(fields))))
        at = max(times) if before else min(times)
        row = [np.nan if each is None else each[1] for each in found]
        return Ticks(np.array([at], np.int64), np.array([row], np.float64))

    def _near(self, t: int, field: str, before: bool) -> Iterator[tuple[int, float]]:
        """Points of the two nearest minutes that are before `t`, or at it or later, the nearest first."""
        if field not in self.stream.fields:
            return
        where = "bucket < ?" if before else "bucket >= ?"
        sql = (
            f"SELECT first_t, first, last_t, last FROM {TABLES[MINUTE]} WHERE stream = ? AND field = ? AND {where}"  # noqa: S608
            f" AND count > 0 ORDER BY bucket {'DESC' if before else ''} LIMIT 2"
        )
        start = t if before else bucket_of(t, MINUTE)
        position = self.stream.fields.index(field)
        for first_t, first, last_t, last in self._connection.execute(sql, (self._number, position, start)):
            points = ((last_t, last), (first_t, first)) if before else ((first_t, first), (last_t, last))
            yield from (point for point in points if (point[0] < t) == before)

    def points(self, asked: Asked, fields: Sequence[str]) -> list[list[Points]]:
        """As of ticks; what longer buckets do not tell, minutes do."""
        parts: list[list[Points]] = []
        for field in fields:
            found, left = self._rolled(asked, field) if field in self.stream.fields else ([], [])
            minutes = [self._minutes(begin, end, field) for begin, end in left]
            parts.append([*found, *(reduced(points, asked.pieces) for points in minutes)])
        return parts

    def _minutes(self, t0: int, t1: int, field: str) -> Points:
        """The points of minutes that lie between."""
        rows = self._buckets(MINUTE, [(max(bucket_of(max(t0, -FARTHEST), MINUTE), FIRST_NS), t1)], field)
        rows = rows[rows["count"] > 0]
        first_t, first, low, high = (rows[name] for name in ("first_t", "first", "low", "high"))
        points = of_buckets(first_t, first, low, high, rows["last_t"], rows["last"], rows["count"] - 1)
        inside = (points.t >= t0) & (points.t < t1)
        return Points(points.t[inside], points.v[inside])
