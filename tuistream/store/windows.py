"""Windows of one file of a recording: of one stream's fields as many ticks, or points that stand for them, as a
drawing needs.

Where buckets of a rollup lie wholly within a piece of the window they stand for its ticks; what they do not cover
(what is beside a cut, what is newer than the last bucket that is closed, buckets with ticks that have no value) is
read from finer buckets, and at last from the ticks themselves, which are found through `blocks`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
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
BLOCK_TICKS: Final = 32  # of a block, from which on SQLite is asked for its extremes instead of its ticks
WORTH_COUNTING: Final = 4  # buckets, from which on ticks are counted through them
FARTHEST: Final = (1 << 62) - 1  # ns; no tick is later

Span = tuple[int, int]  # from, to before, ns

# A list of pairs of whole numbers as a table of `a` and `b`, in one parameter: see `_pairs`.
_PAIRS: Final = "SELECT CAST(key AS INTEGER) AS a, value AS b FROM json_each(?)"
_BUCKET: Final = np.dtype(
    [
        ("bucket", np.int64),
        *((name, np.float64) for name in ("first", "last", "low", "high")),
        *((name, np.int64) for name in ("count", "ticks", "first_t", "last_t")),
    ]
)
_BLOCK: Final = np.dtype([(name, np.int64) for name in ("t0", "t1", "r0", "r1")])


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
            rolled, spans = self._parted(spans, width)
            ticks += sum(self._count_rolled(width, begin, end) for begin, end in rolled)
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

    def _parted(self, spans: Sequence[Span], width: int) -> tuple[list[Span], list[Span]]:
        """The spans in two: where rows of `width` tell all, whole buckets then, and the rest. Each rises."""
        if not spans:
            return [], []
        where = "stream = ? AND width = ? AND until > ? AND since < ?"
        sql = f"SELECT since, until FROM rollups WHERE {where} ORDER BY since"  # noqa: S608
        stretches = self._connection.execute(sql, (self._number, width, spans[0][0], spans[-1][1])).fetchall()
        rolled: list[Span] = []
        left: list[Span] = []
        place = 0
        for t0, t1 in spans:
            at = t0
            while place < len(stretches) and stretches[place][1] <= t0:
                place += 1
            for since, until in islice(stretches, place, None):
                if since >= t1:
                    break
                begin, end = -(-max(at, since) // width) * width, min(t1, until) // width * width
                if begin < end:
                    left += [(at, begin)] if at < begin else []
                    rolled.append((begin, end))
                    at = end
            left += [(at, t1)] if at < t1 else []
        return rolled, left

    def ticks(self, t0: int, t1: int, fields: Sequence[str]) -> Ticks:
        """All of them from `t0` to before `t1`, by time, those of one time as they came."""
        spans = [(t0, t1)]
        parts = list(self._ticks_of(self._blocks_of(spans), spans, fields, TICKS_AT_ONCE))
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

    def points(self, asked: Asked, fields: Sequence[str]) -> list[list[Points]]:
        """Few points for many ticks, in parts; a list for each of `fields`."""
        parts: list[list[Points]] = []
        spans: list[list[Span]] = []
        for field in fields:
            found, left = self._rolled(asked, field) if field in self.stream.fields else ([], [asked[:2]])
            parts.append(found)
            spans.append(left)
        if together := _union(chain.from_iterable(spans)):
            blocks = self._blocks_of(together)
            if all(own == together for own in spans) and set(fields) <= set(self.stream.fields):
                told, blocks = self._extremes(blocks, together, asked.pieces, fields)
                for found, line in zip(parts, told, strict=True):
                    found.append(line)
            for ticks in self._ticks_of(blocks, together, fields, TICKS_AT_ONCE):
                for column, (found, own) in enumerate(zip(parts, spans, strict=True)):
                    line = Points(ticks.t, ticks.v[:, column])
                    if own != together:
                        mine = _within(line.t, own)
                        line = Points(line.t[mine], line.v[mine])
                    found.append(reduced(line, asked.pieces))
        return parts

    def _rolled(self, asked: Asked, field: str) -> tuple[list[Points], list[Span]]:
        """What buckets say, from wide to narrow ones; and what of the window none of them tells."""
        spans: list[Span] = [(asked.t0, asked.t1)]
        parts: list[Points] = []
        widest = np.diff(asked.pieces.cuts).max(initial=0)
        for width in (width for width in reversed(WIDTHS) if width <= widest):
            rolled, left = self._parted(spans, width)
            if rolled:
                found, untold = self._covered(rolled, width, asked.pieces, field)
                parts.append(found)
                spans = _union((*left, *untold))
        return parts, spans

    def _covered(self, spans: Sequence[Span], width: int, into: Pieces, field: str) -> tuple[Points, list[Span]]:
        """What the buckets of a width in `spans` say; and what of these they do not tell."""
        rows = self._buckets(width, spans, field)
        bucket = rows["bucket"]
        piece = into.of(bucket)
        split = (into.of(bucket + (width - 1)) != piece) | into.whole[piece]
        unclear = ~split & ((rows["count"] != rows["ticks"]) | ~np.isfinite(rows["low"]) | ~np.isfinite(rows["high"]))
        others = split | unclear if rows["ticks"][unclear].sum() <= TICKS_REPLACED else split
        told = ~others & (rows["count"] > 0)
        # What is between two buckets and is told by neither may cut the line there.
        run = np.cumsum(others) + np.searchsorted([begin for begin, _end in spans], bucket, side="right")
        return _points_of(rows[told], piece[told], run[told]), _joined(bucket[others], width)

    def _least(self, t: int) -> int:
        """Blocks that have a tick at `t` or later begin here or later."""
        return max(t - self._reach, FIRST_NS)

    def _buckets(self, width: int, spans: Sequence[Span], field: str) -> NDArray[np.void]:
        """`_BUCKET`[n], by their times."""
        columns = "bucket, first, last, min, max, count, ticks, coalesce(first_t, 0), coalesce(last_t, 0)"
        sql = (
            f"SELECT {columns} FROM ({_PAIRS}) CROSS JOIN {TABLES[width]}"  # noqa: S608  # our own names
            " WHERE stream = ? AND field = ? AND bucket >= a AND bucket < b"
        )
        position = self.stream.fields.index(field)
        return np.fromiter(self._connection.execute(sql, (_pairs(spans), self._number, position)), _BUCKET)

    def _blocks(self, t0: int, t1: int, limit: int = -1) -> list[tuple[int, int]]:
        """The first and the last row of blocks that have ticks from `t0` to before `t1`, by their times."""
        sql = "SELECT r0, r1 FROM blocks WHERE stream = ? AND t0 >= ? AND t0 < ? AND t1 >= ? LIMIT ?"
        return self._connection.execute(sql, (self._number, self._least(t0), t1, t0, limit)).fetchall()

    def _blocks_of(self, spans: Sequence[Span]) -> NDArray[np.void]:
        """`_BLOCK`[n], in the order of their rows: those that may have ticks in `spans`."""
        # Each is looked for from `reach` before on: those that are nearer to one another than that, once together.
        looked = _union((self._least(begin), end) for begin, end in spans)
        sql = f"SELECT t0, t1, r0, r1 FROM ({_PAIRS}) CROSS JOIN blocks WHERE stream = ? AND t0 >= a AND t0 < b"  # noqa: S608
        found = np.fromiter(self._connection.execute(sql, (_pairs(looked), self._number)), _BLOCK)
        begins, ends = np.array(spans, dtype=np.int64).T
        place = np.searchsorted(ends, found["t0"], side="right")
        touched: NDArray[np.void] = found[
            (place < len(ends)) & (begins[np.minimum(place, len(ends) - 1)] <= found["t1"])
        ]
        touched.sort(order="r0")
        return touched

    def _extremes(
        self, blocks: NDArray[np.void], spans: Sequence[Span], into: Pieces, fields: Sequence[str]
    ) -> tuple[list[Points], NDArray[np.void]]:
        """What blocks say as a bucket does, a line for each of `fields`; and those that are to be read.

        Such a block lies in one piece, begins with its earliest tick and ends with its latest, no other has ticks
        in its time, and all its ticks have values.
        """
        some = np.flatnonzero(_alone(blocks, spans, into))
        if not len(some):
            return [NO_POINTS] * len(fields), blocks
        asked = np.sort(blocks[some], order="t0")
        first, last = "(SELECT {} FROM ticks WHERE n = ?1)", "(SELECT {} FROM ticks WHERE n = ?2)"
        columns = [f"count(*), {first.format('t')} = ?3, {last.format('t')} = ?4"]
        for name in fields:
            v = f"v{self.stream.fields.index(name)}"
            columns.append(f"count({v}), {first.format(v)}, min({v}), max({v}), {last.format(v)}")
        sql = f"SELECT {', '.join(columns)} FROM ticks WHERE n BETWEEN ?1 AND ?2"  # noqa: S608  # our own names
        each = zip(*(asked[name].tolist() for name in ("r0", "r1", "t0", "t1")), strict=True)
        cells = np.array([self._connection.execute(sql, block).fetchone() for block in each], dtype=np.float64)
        count, in_time, rows = cells[:, 0], cells[:, 1:3] == 1, cells[:, 3:].reshape(len(cells), len(fields), 5)
        known, finite = rows[:, :, 0] == count[:, None], np.isfinite(rows[:, :, 1:])
        told = in_time.all(axis=1) & known.all(axis=1) & finite.all(axis=(1, 2)) & (asked["r1"] <= self._last)
        rows, begins, ends, more = rows[told], asked["t0"][told], asked["t1"][told], count[told].astype(np.int64) - 1
        lines = [
            of_buckets(begins, line[:, 1], line[:, 2], line[:, 3], ends, line[:, 4], more)
            for line in rows.transpose(1, 0, 2)
        ]
        return lines, blocks[~np.isin(blocks["r0"], asked["r0"][told])]

    def _ticks_of(
        self, blocks: NDArray[np.void], spans: Sequence[Span], fields: Sequence[str], rows: int
    ) -> Iterator[Ticks]:
        """The ticks of `blocks` in `spans`, about `rows` at a time, each part sorted; one part at least.

        In the order of the rows, so that ticks of one time are as they came.
        """
        positions = {name: position for position, name in enumerate(self.stream.fields)}
        columns = [f"k.v{positions[name]}" if name in positions else "NULL" for name in fields]
        sql = (
            f"SELECT k.t, {', '.join(columns)} FROM ({_PAIRS}) CROSS JOIN ticks AS k"  # noqa: S608
            " WHERE k.n BETWEEN a AND b AND k.t >= ? AND k.t < ? AND k.n <= ?"
        )
        # A tuple for each row is most of the time; straight into an array, it is a third less.
        row = np.dtype([("t", np.int64), *((f"v{column}", np.float64) for column in range(len(fields)))])
        pairs = zip(blocks["r0"].tolist(), blocks["r1"].tolist(), strict=True)
        asked = (_pairs(pairs), spans[0][0], spans[-1][1], self._last)
        cursor = self._connection.execute(sql, asked)
        while True:
            cells = np.fromiter(islice(cursor, rows), row)
            ended = len(cells) < rows
            if len(spans) > 1:
                cells = cells[_within(cells["t"], spans)]
            v = np.stack([cells[f"v{column}"] for column in range(len(fields))], axis=1)
            yield in_order([Ticks(cells["t"].copy(), v)])
            if ended:
                return


def in_order(parts: Sequence[Ticks]) -> Ticks:
    """The ticks of several parts, one at least, by their times; those of one time in the order of the parts."""
    t, v = np.concatenate([part.t for part in parts]), np.concatenate([part.v for part in parts])
    if not (t[1:] >= t[:-1]).all():
        order = np.argsort(t, kind="stable")
        t, v = t[order], v[order]
    return Ticks(t, v)


def _pairs(pairs: Iterable[tuple[int, int]]) -> str:
    """What `_PAIRS` reads. An object, as its keys are read in a fifth of the time of arrays of two."""
    return "{" + ",".join([f'"{a}":{b}' for a, b in pairs]) + "}"


def _union(spans: Iterable[Span]) -> list[Span]:
    """The spans by their times, those that touch or overlap as one."""
    union: list[Span] = []
    for begin, end in sorted(spans):
        if union and begin <= union[-1][1]:
            union[-1] = union[-1][0], max(end, union[-1][1])
        else:
            union.append((begin, end))
    return union


def _within(t: Times, spans: Sequence[Span]) -> NDArray[np.bool_]:
    """Which of `t` lie in `spans`, which rise and do not touch."""
    within: NDArray[np.bool_] = np.searchsorted(np.array(spans, dtype=np.int64).ravel(), t, side="right") % 2 == 1
    return within


def _alone(blocks: NDArray[np.void], spans: Sequence[Span], into: Pieces) -> NDArray[np.bool_]:
    """The blocks of some size that lie in one of `spans` and in one piece, with no other block in their time."""
    order = np.argsort(blocks["t0"], kind="stable")
    t0, t1 = blocks["t0"][order], blocks["t1"][order]
    apart = t0[1:] > np.maximum.accumulate(t1)[:-1]
    piece, place = into.of(t0), np.searchsorted(np.array(spans, dtype=np.int64).ravel(), (t0, t1), side="right")
    fits = (place[0] == place[1]) & (place[0] % 2 == 1) & (piece == into.of(t1)) & ~into.whole[piece]
    fits[1:] &= apart
    fits[:-1] &= apart
    alone = np.zeros(len(blocks), np.bool_)
    alone[order] = fits
    alone &= blocks["r1"] - blocks["r0"] + 1 >= BLOCK_TICKS
    return alone


def _joined(bucket: Times, width: int) -> list[Span]:
    """Buckets as spans, neighbours as one."""
    if not len(bucket):
        return []
    starts = np.flatnonzero(np.append(True, np.diff(bucket) != width))
    ends = np.append(starts[1:], len(bucket)) - 1
    return [(int(begin), int(end) + width) for begin, end in zip(bucket[starts], bucket[ends], strict=True)]


def _points_of(rows: NDArray[np.void], piece: NDArray[np.int64], run: NDArray[np.int64]) -> Points:
    """The points of the buckets of each piece and run together; all their ticks have values."""
    if not len(rows):
        return NO_POINTS
    starts = np.flatnonzero(np.append(True, (piece[1:] != piece[:-1]) | (run[1:] != run[:-1])))
    ends = np.append(starts[1:], len(rows)) - 1
    return of_buckets(
        rows["first_t"][starts],
        rows["first"][starts],
        np.minimum.reduceat(rows["low"], starts),
        np.maximum.reduceat(rows["high"], starts),
        rows["last_t"][ends],
        rows["last"][ends],
        np.add.reduceat(rows["count"], starts) - 1,
    )
