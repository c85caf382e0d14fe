"""Ticks as few points that draw the same line. No I/O.

A line is drawn column by column: what shows of a column is the smallest and the largest value in it, and how the line
enters and leaves it, which the first and the last tick tell with their times. So four points stand for any number of
ticks between two cuts: the first, the smallest, the largest and the last. Points are ticks themselves, or lie between
two of them, so that points of points are the same as points of all the ticks. Ticks without a value cut what is
reduced together with them: parts that overlap in time are to be merged first where they have such ticks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuistream.core.batch import Times, Values

POINTS = 4  # of a piece with more ticks than that


class Points(NamedTuple):
    """t: int64[n], ns, rising. v: float64[n], beside it."""

    t: Times
    v: Values


NO_POINTS = Points(np.empty(0, np.int64), np.empty(0))


class Pieces(NamedTuple):
    """cuts: int64[n], ns, rising: no point stands for ticks on both sides of one. whole: bool[n + 1], the pieces
    (before the first cut, between two, after the last) of which every tick is needed: no line joins these.
    """

    cuts: Times
    whole: NDArray[np.bool_]

    def of(self, t: Times) -> NDArray[np.int64]:
        """The piece that each time lies in."""
        found: NDArray[np.int64] = np.searchsorted(self.cuts, t, side="right")
        return found


def pieces(t0: int, t1: int, step: int, gaps: Sequence[tuple[int, int]]) -> Pieces:
    """Of columns `step` ns wide from `t0` to `t1`, cut where `gaps` (from, to, ns) begin and end, too."""
    columns = np.arange(t0, t1 + step, step, dtype=np.int64)
    columns[-1] = t1
    if not gaps:
        return Pieces(columns, np.zeros(len(columns) + 1, np.bool_))
    since, to = np.array(gaps, dtype=np.int64).T
    real = to > since + 1
    since, to = since[real] + 1, to[real]  # the ticks at either end are outside
    cuts = _unique(np.concatenate((columns, np.clip(since, t0, t1), np.clip(to, t0, t1))))
    inside = np.zeros(len(cuts) + 2, np.int64)
    np.add.at(inside, np.searchsorted(cuts, since, side="left") + 1, 1)
    np.add.at(inside, np.searchsorted(cuts, to, side="left") + 1, -1)
    whole: NDArray[np.bool_] = np.cumsum(inside)[:-1] > 0
    return Pieces(cuts, whole)


def reduced(points: Points, into: Pieces) -> Points:
    """At most four points for each run of values in a piece, and one for each run of ticks that have none."""
    t, v = points
    if len(t) <= POINTS:
        return points
    piece, known = into.of(t), np.isfinite(v)
    new = np.ones(len(t), np.bool_)
    new[1:] = (piece[1:] != piece[:-1]) | (known[1:] != known[:-1]) | into.whole[piece[1:]]
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], len(t)) - 1
    if len(starts) * POINTS >= len(t):
        return points
    low, high = np.minimum.reduceat(v, starts), np.maximum.reduceat(v, starts)
    return of_buckets(t[starts], v[starts], low, high, t[ends], v[ends], ends - starts)


def of_buckets(
    first_t: Times, first: Values, low: Values, high: Values, last_t: Times, last: Values, more: NDArray[np.int64]
) -> Points:
    """The points of buckets in the order of their times. more: ticks of each beside the first."""
    t = np.stack((first_t, first_t, last_t, last_t), axis=1)
    v = np.stack((first, low, high, last), axis=1)
    needed = np.ones(t.shape, np.bool_)
    needed[:, 1:] = (more > 0)[:, None]
    needed[:, 1:3] &= (more > 1)[:, None]
    return Points(t[needed], v[needed])


def merged(parts: Sequence[Points]) -> Points:
    """All points by their times; those of one time in the order of the parts."""
    some = [part for part in parts if len(part.t)]
    if not some:
        return NO_POINTS
    if len(some) == 1:
        return some[0]
    t, v = np.concatenate([part.t for part in some]), np.concatenate([part.v for part in some])
    if (t[1:] >= t[:-1]).all():
        return Points(t, v)
    order = np.argsort(t, kind="stable")
    return Points(t[order], v[order])


def _unique(times: Times) -> Times:
    times = np.sort(times)
    return times[np.diff(times, prepend=times[0] - 1) > 0]
