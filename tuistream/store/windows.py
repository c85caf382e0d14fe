"""Windows of one file of a recording: of one stream's fields as many ticks, or points that stand for them, as a
drawing needs.

Where buckets of a rollup lie wholly within a piece of the window they stand for its ticks; what they do not cover
(what is beside a cut, what is newer than the last bucket that is closed, buckets with ticks that have no value) is
read from finer buckets, and at last from the ticks themselves, which are found through `blocks`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuistream.core.batch import Stream, Times, Values
from tuistream.store.buckets import FIRST_NS, WIDTHS
from tuistream.store.points import NO_POINTS, Pieces, Points, of_buckets, reduced
from tuistream.store.rollups import TABLES, reach_of

TICKS_RAW: Final = 20_000  # of a window: up to so many are handed out as they are
TICKS_AT_ONCE: Final = 100_000  # read before they are made fewer
TICKS_REPLACED: Final = 300_000  # in buckets with ticks that have no value: more are shown as if all had one
BLOCKS_COUNTED: Final = 20_000  # to find out how many ticks a window has
WORTH_COUNTING: Final = 4  # buckets, from which on ticks are counted through them
FARTHEST: Final = (1 << 62) - 1  # ns; no tick is later

Span = tuple[int, int]  # from, to before, ns

_NO_BUCKETS: Final = np.empty((0, 9), np.object_)


class Asked(NamedTuple):
    """The ticks from t0 to before t1 (ns), cut into `pieces`."""

    t0: int
    t1: int
    pieces: Pieces


class Ticks(NamedTuple):
    """Ticks of a stream. t: int64[n], rising. v: float64[n, fields]."""

    t: Times
    v: Values


class StreamRows:
    """One stream in one file. Everything here may raise sqlite3.Error, that it was interrupted among them."""

    def __init__(self, connection: sqlite3.Connection, number: int, stream: Stream) -> None:
        self.stream = stream
        self._connection = connection
        self._number = number
        self._reach = 0
        self._last = FARTHEST

    def refresh(self, last: int = FARTHEST) -> None:
        """Take in how long blocks are by now, as those that reach into a window are found by where they begin.

        last: the last row that is looked at for ticks.
        """
        self._reach = reach_of(self._connection, self._number)
        self._last = last

    def oldest(self) -> int | None:
        sql = "SELECT t0 FROM blocks WHERE stream = ? ORDER BY t0 LIMIT 1"
        found = self._connection.execute(sql, (self._number,)).fetchone()
        return None if found is None else int(found[0])

    def count(self, t0: int, t1: int) -> int:
        """About how many ticks there are from `t0` to `t1`; at least `TICKS_RAW` + 1 where these are too many."""
        spans: list[Span] = [(t0, t1)]
        ticks = 0
        for width in (width for width in reversed(WIDTHS) if t1 - t0 > WORTH_COUNTING * width):
            left: list[Span] = []
            for begin, end, rolled in self._stretches(spans, width):
                left += [] if rolled else [(begin, end)]
                ticks += self._count_rolled(width, begin, end) if rolled else 0
            spans = left
            if ticks > TICKS_RAW:
                return ticks
        for begin, end in spans:
            rows = [r1 - r0 + 1 for r0, r1 in self._blocks(begin, end, BLOCKS_COUNTED)]
            ticks += sum(rows) + (TICKS_RAW if len(rows) == BLOCKS_COUNTED else 0)
        return ticks

    def _count_rolled(self, width: int, t0: int, t1: int) -> int:
        sql = f"SELECT coalesce(sum(ticks), 0) FROM {TABLES[width]}"  # noqa: S608  # our own names
        where = " WHERE stream = ? AND field = 0 AND bucket >= ? AND bucket < ?"
        return int(self._connection.execute(sql + where, (self._number, t0, t1)).fetchone()[0])

    def _stretches(self, spans: Sequence[Span], width: int) -> Iterator[tuple[int, int, bool]]:
        """The spans in parts: whether rows of `width` tell all of each, whole buckets then."""
        where = "stream = ? AND width = ? AND until > ? AND since < ?"
        sql = f"SELECT since, until FROM rollups WHERE {where} ORDER BY since"  # noqa: S608
        for t0, t1 in spans:
            at = t0
            for since, until in self._connection.execute(sql, (self._number, width, t0, t1)).fetchall():
                begin, end = -(-max(at, since) // width) * width, min(t1, until) // width * width
                if begin < end:
                    if at < begin:
                        yield at, begin, False
                    yield begin, end, True
                    at = end
            if at < t1:
                yield at, t1, False

    def ticks(self, t0: int, t1: int, fields: Sequence[str]) -> Ticks:
        """All of them from `t0` to before `t1`, by time, those of one time as they came."""
        parts = list(self._fetched(t0, t1, fields, TICKS_AT_ONCE))
        if len(parts) == 1:
            return parts[0]
        return in_order(parts)

    def before(self, t: int, count: int, fields: Sequence[str]) -> Ticks:
        """The last `count` ticks before `t`."""
        sql = "SELECT t0, r1 - r0 + 1 FROM blocks WHERE stream = ? AND t0 < ? ORDER BY t0 DESC"
        found, since = 0, t
        for begin, rows in self._connection.execute(sql, (self._number, t)):
            # One that begins before `t` may end after it: a block more, so that there are enough in most cases.
            if found >= count:
                since = begin
                break
            found, since = found + rows, begin
        ticks = self.ticks(since, t, fields)
        if len(ticks.t) < count and since > (self.oldest() or t):
            ticks = self.ticks(self._far_enough(since, count), t, fields)
        return Ticks(ticks.t[-count:], ticks.v[-count:])

    def _far_enough(self, t: int, count: int) -> int:
        """A time from which on the stream has `count` ticks before `t`, or all that there are."""
        sql = "SELECT t0 FROM blocks WHERE stream = ? AND t0 < ? ORDER BY t0 DESC LIMIT 1 OFFSET ?"
        found = self._connection.execute(sql, (self._number, self._least(t), count)).fetchone()
        return -FARTHEST if found is None else int(found[0])

    def after(self, t: int, fields: Sequence[str]) -> Ticks:
        """The first tick at `t` or later."""
        sql = "SELECT min(t1) FROM (SELECT t1 FROM blocks WHERE stream = ? AND t0 >= ? AND t1 >= ? LIMIT 64)"
        (until,) = self._connection.execute(sql, (self._number, self._least(t), t)).fetchone()
        if until is None:
            return self.ticks(t, t, fields)
        ticks = self.ticks(t, until + 1, fields)
        return Ticks(ticks.t[:1], ticks.v[:1])

    def received(self, t: int) -> int:
        """The receive time of the last tick whose event time is `t`, ns."""
        sql = (
            "SELECT max(k.recv) FROM blocks AS b CROSS JOIN ticks AS k ON k.n BETWEEN b.r0 AND b.r1"
            " WHERE b.stream = ? AND b.t0 >= ? AND b.t0 <= ? AND b.t1 >= ? AND k.t = ?"
        )
        (recv,) = self._connection.execute(sql, (self._number, self._least(t), t, t, t)).fetchone()
        return int(recv)

    def points(self, asked: Asked, field: str) -> list[Points]:
        """Few points for many ticks of one field, in parts."""
        spans: list[Span] = [(asked.t0, asked.t1)]
        parts: list[Points] = []
        if field in self.stream.fields:
            widest = np.diff(asked.pieces.cuts).max(initial=0)
            for width in (width for width in reversed(WIDTHS) if width <= widest):
                spans, found = self._covered(spans, width, asked.pieces, field)
                parts += found
        for t0, t1 in spans:
            for ticks in self._fetched(t0, t1, (field,), TICKS_AT_ONCE):
                parts.append(reduced(Points(ticks.t, ticks.v[:, 0]), asked.pieces))
        return parts

    def _covered(
        self, spans: Sequence[Span], width: int, into: Pieces, field: str
    ) -> tuple[list[Span], list[Points]]:
        """What buckets of a width say of `spans`; and what of these they do not tell."""
        left: list[Span] = []
        parts: list[Points] = []
        replaced = 0
        for begin, end, rolled in self._stretches(spans, width):
            rows = self._buckets(width, begin, end, field) if rolled else _NO_BUCKETS
            left += [] if rolled else [(begin, end)]
            if not len(rows):
                continue
            bucket = rows[:, 0].astype(np.int64)
            piece = into.of(bucket)
            split = (into.of(bucket + (width - 1)) != piece) | into.whole[piece]
            unclear = _unclear(rows) & ~split
            replaced += int(rows[unclear, 6].sum())
            others = split | unclear if replaced <= TICKS_REPLACED else split
            left += _joined(bucket[others], width)
            parts.append(_points_of(rows[~others & (rows[:, 5] > 0)], into))
        return left, parts

    def _least(self, t: int) -> int:
        """Blocks that have a tick at `t` or later begin here or later."""
        return max(t - self._reach, FIRST_NS)

    def _buckets(self, width: int, t0: int, t1: int, field: str) -> NDArray[np.object_]:
        """object[n, 9], by their times: bucket, first, last, min, max, count, ticks, first_t, last_t."""
        sql = f"SELECT bucket, first, last, min, max, count, ticks, first_t, last_t FROM {TABLES[width]}"  # noqa: S608
        where = " WHERE stream = ? AND field = ? AND bucket >= ? AND bucket < ?"
        position = self.stream.fields.index(field)
        cursor = self._connection.execute(sql + where, (self._number, position, t0, t1))
        return np.fromiter(chain.from_iterable(cursor), dtype=np.object_).reshape(-1, 9)

    def _blocks(self, t0: int, t1: int, limit: int = -1) -> list[tuple[int, int]]:
        """The first and the last row of blocks that have ticks from `t0` to before `t1`, by their times."""
        sql = "SELECT r0, r1 FROM blocks WHERE stream = ? AND t0 >= ? AND t0 < ? AND t1 >= ? LIMIT ?"
        return self._connection.execute(sql, (self._number, self._least(t0), t1, t0, limit)).fetchall()

    def _fetched(self, t0: int, t1: int, fields: Sequence[str], rows: int) -> Iterator[Ticks]:
        """The ticks from `t0` to before `t1`, about `rows` at a time, each part sorted; one part at least."""
        positions = {name: position for position, name in enumerate(self.stream.fields)}
        columns = [f"k.v{positions[name]}" if name in positions else "NULL" for name in fields]
        # In the order of the rows, so that ticks of one time are as they came. With no LIMIT, SQLite leaves it out.
        sql = (
            "WITH b AS MATERIALIZED (SELECT r0, r1 FROM blocks WHERE stream = ? AND t0 >= ? AND t0 < ? AND t1 >= ?"  # noqa: S608
            f" ORDER BY r0 LIMIT -1) SELECT k.t, {', '.join(columns)} FROM b CROSS JOIN ticks AS k"
            " ON k.n BETWEEN b.r0 AND b.r1 WHERE k.t >= ? AND k.t < ? AND k.n <= ?"
        )
        # A tuple for each row is most of the time; straight into an array, it is a third less.
        row = np.dtype([("t", np.int64), *((f"v{column}", np.float64) for column in range(len(fields)))])
        cursor = self._connection.execute(sql, (self._number, self._least(t0), t1, t0, t0, t1, self._last))
        while True:
            cells = np.fromiter(islice(cursor, rows), row)
            v = np.stack([cells[f"v{column}"] for column in range(len(fields))], axis=1)
            yield in_order([Ticks(cells["t"].copy(), v)])
            if len(cells) < rows:
                return


def in_order(parts: Sequence[Ticks]) -> Ticks:
    """The ticks of several parts, one at least, by their times; those of one time in the order of the parts."""
    t, v = np.concatenate([part.t for part in parts]), np.concatenate([part.v for part in parts])
    if not (t[1:] >= t[:-1]).all():
        order = np.argsort(t, kind="stable")
        t, v = t[order], v[order]
    return Ticks(t, v)


def _unclear(rows: NDArray[np.object_]) -> NDArray[np.bool_]:
    """The buckets with ticks that have no value: a line is open there, which they do not tell."""
    unclear: NDArray[np.bool_] = (rows[:, 5] != rows[:, 6]).astype(np.bool_)
    return unclear | ~np.isfinite(rows[:, 3:5].astype(np.float64)).all(axis=1)


def _joined(bucket: Times, width: int) -> list[Span]:
    """Buckets as spans, neighbours as one."""
    if not len(bucket):
        return []
    starts = np.flatnonzero(np.append(True, np.diff(bucket) != width))
    ends = np.append(starts[1:], len(bucket)) - 1
    return [(int(begin), int(end) + width) for begin, end in zip(bucket[starts], bucket[ends], strict=True)]


def _points_of(rows: NDArray[np.object_], into: Pieces) -> Points:
    """The points of the buckets of each piece together; all their ticks have values."""
    if not len(rows):
        return NO_POINTS
    first, last, low, high = rows[:, 1:5].astype(np.float64).T
    piece = into.of(rows[:, 0].astype(np.int64))
    starts = np.flatnonzero(np.append(True, piece[1:] != piece[:-1]))
    ends = np.append(starts[1:], len(rows)) - 1
    return of_buckets(
        rows[starts, 7].astype(np.int64),
        first[starts],
        np.minimum.reduceat(low, starts),
        np.maximum.reduceat(high, starts),
        rows[ends, 8].astype(np.int64),
        last[ends],
        np.add.reduceat(rows[:, 5].astype(np.int64), starts) - 1,
    )
