"""The spans of rows that a polyline covers, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuistream.core.batch import Times, Values
from tuistream.core.blocks import NOT_KNOWN, Extremes

Numbers = NDArray[np.int64]
FAR = 1e9  # rows beyond which a value is only "far outside"; keeps rows within int64 and slopes true to the eye


class Spans(NamedTuple):
    """Columns of dots, and in each the topmost and the lowest row, int64[k]; rows go downwards, some lie outside.

    A column has several spans where the line is open inside it.
    """

    columns: Numbers
    top: Numbers
    bottom: Numbers


@dataclass(frozen=True, slots=True)
class Grid:
    """`cells` cells of `dots` columns of dots each over the times from t0 to t1 (ns), `rows` rows of dots over the
    values from hi (the upper edge) to lo.
    """

    t0: int
    t1: int
    lo: float
    hi: float
    log: bool
    cells: int
    dots: int
    rows: int

    @property
    def columns(self) -> int:
        return self.cells * self.dots

    def edges(self) -> Numbers:
        """The time at which each column begins, and that at which the last one ends; int64[columns + 1], ns."""
        whole, rest = divmod(self.t1 - self.t0, self.cells)
        cell = np.arange(self.cells + 1, dtype=np.int64)
        begin = self.t0 + cell * whole + cell * rest // self.cells
        part = np.arange(self.dots, dtype=np.int64)
        inside = np.diff(begin)[:, None] * part // self.dots
        return np.append((begin[:-1, None] + inside).ravel(), begin[-1])

    def heights(self, values: Values) -> Values:
        """Rows, not rounded, of finite values (positive ones on a logarithmic scale), from 0 at `hi` downwards."""
        lo, hi = self.lo, self.hi
        if self.log:
            if not 0 < lo < hi < np.inf:
                return np.full(len(values), self.rows / 2)
            values, lo, hi = np.log10(values), float(np.log10(lo)), float(np.log10(hi))
        # Halves, because the distance of two finite floats need not be one.
        extent = hi / 2 - lo / 2
        if not 0 < extent < np.inf:
            return np.full(len(values), self.rows / 2)
        with np.errstate(over="ignore"):
            heights: Values = np.clip((hi / 2 - values / 2) / extent * self.rows, -FAR, FAR)
        return heights

    def rows_of(self, heights: Values) -> Numbers:
        """The row in which each height lies. The lower edge belongs to the last row."""
        rows = np.floor(heights).astype(np.int64)
        rows[heights == self.rows] -= 1
        return rows

    def row_of_zero(self) -> int:
        """The row from which areas are filled; the one below the last where zero is not in range."""
        if self.log or not self.lo <= 0 <= self.hi:
            return self.rows
        return int(self.rows_of(self.heights(np.zeros(1)))[0])


class _Groups(NamedTuple):
    """Runs of points that share a column and are joined: the column, the largest and the smallest value of each."""

    columns: Numbers
    high: Values
    low: Values


def spans_of(
    t: Times, v: Values, gaps: Sequence[tuple[int, int]], grid: Grid, extremes: Extremes = NOT_KNOWN
) -> Spans:
    """What the polyline through the points (t, v) covers.

    t: int64[n], sorted, ns; v: float64[n]. What is not finite, and on a logarithmic scale not positive, is no value:
    the line is open there, as it is over `gaps`. extremes: of `v`, so that not every point need be looked at.
    """
    edges = grid.edges()
    first = max(0, int(np.searchsorted(t, edges[0], side="left")) - 1)
    stop = min(len(t), int(np.searchsorted(t, edges[-1], side="right")) + 1)
    t, v, extremes = t[first:stop], v[first:stop], extremes.cut(first, stop)
    if not len(t):
        nothing = np.empty(0, np.int64)
        return Spans(nothing, nothing, nothing)
    bounds = _bounds(t, edges)
    broken = _with_gaps(t, np.empty(0, np.int64), gaps, grid)
    unknown = np.empty(0, np.bool_)
    groups = _groups(v, bounds, broken, unknown, extremes)
    # Extremes tell of any value that is none, so that the usual window, without one, needs no pass of its own.
    least = 0.0 if grid.log else -np.inf
    if not all(((x > least) & (x < np.inf)).all() for x in (groups.low, groups.high, v[[0, -1]])):
        unknown = np.zeros(len(v), np.bool_)
        unknown[extremes.unknown(v, least)] = True
        groups = _groups(v, bounds, broken, unknown, extremes)
    crossing, crossed = _crossings(t, v, broken, unknown, edges, grid)
    filled = np.zeros(grid.columns, np.bool_)
    filled[groups.columns] = True
    return _joined(groups, filled, crossing, crossed, grid)


def _bounds(t: Times, edges: Numbers) -> Numbers:
    """The points of column i are those from bounds[i] to before bounds[i + 1]."""
    bounds = np.searchsorted(t, edges, side="left")
    bounds[-1] = np.searchsorted(t, edges[-1], side="right")
    return bounds


def _groups(v: Values, bounds: Numbers, broken: Numbers, unknown: NDArray[np.bool_], extremes: Extremes) -> _Groups:
    """broken: the points that are not joined to the next. unknown: those that are none, bool[n], or empty."""
    starts = bounds[:-1][bounds[1:] > bounds[:-1]]
    cuts = broken + 1
    if len(unknown):
        # Where one of two neighbours is a value and the other is none.
        cuts = np.concatenate((cuts, np.flatnonzero(unknown[1:] != unknown[:-1]) + 1))
    if len(cuts):
        starts = np.union1d(starts, cuts[(cuts >= bounds[0]) & (cuts < bounds[-1])])
    if not len(starts):
        return _Groups(starts, np.empty(0), np.empty(0))
    low, high = extremes.of(v, starts, int(bounds[-1]))
    columns = np.searchsorted(bounds, starts, side="right") - 1
    if len(unknown):
        known = ~unknown[starts]
        columns, low, high = columns[known], low[known], high[known]
    return _Groups(columns, high, low)


def _with_gaps(t: Times, broken: Numbers, gaps: Sequence[tuple[int, int]], grid: Grid) -> Numbers:
    """`broken`, and the points whose join to the next would cross a gap; sorted, each once."""
    seen = [(since, to) for since, to in gaps if to > since and to > grid.t0 and since < grid.t1]
    if not seen or len(t) < 2:
        return broken
    since, to = np.array(seen, dtype=np.int64).T
    first = np.maximum(np.searchsorted(t, since, side="right") - 1, 0)
    last = np.minimum(np.searchsorted(t, to, side="left") - 1, len(t) - 2)
    real = first <= last
    first, last = first[real], last[real]
    if (first == last).all():
        return np.union1d(broken, first)
    steps = np.bincount(first, minlength=len(t)) - np.bincount(last + 1, minlength=len(t))
    return np.union1d(broken, np.flatnonzero(np.cumsum(steps) > 0))


def _crossings(
    t: Times, v: Values, broken: Numbers, unknown: NDArray[np.bool_], edges: Numbers, grid: Grid
) -> tuple[NDArray[np.bool_], Numbers]:
    """Whether the line crosses each edge, and in which row. broken, unknown: as for `_groups`."""
    count = len(t)
    before = np.searchsorted(t, edges, side="left")
    crossing = (before > 0) & (before < count)
    after = np.clip(before, 1, max(1, count - 1))
    if len(broken):
        place = np.minimum(np.searchsorted(broken, after - 1), len(broken) - 1)
        crossing &= broken[place] != after - 1
    if len(unknown) and count > 1:
        crossing &= ~(unknown[after - 1] | unknown[after])
    rows = np.zeros(len(edges), np.int64)
    after = after[crossing]
    left, right = grid.heights(v[after - 1]), grid.heights(v[after])
    part = (edges[crossing] - t[after - 1]) / (t[after] - t[after - 1])
    rows[crossing] = grid.rows_of(left + (right - left) * part)
    return crossing, rows


def _joined(
    groups: _Groups, filled: NDArray[np.bool_], crossing: NDArray[np.bool_], crossed: Numbers, grid: Grid
) -> Spans:
    """Spans of the points in each column, stretched to where the line enters and leaves it.

    The row of a crossing belongs to the column on the left; the one on the right reaches as far as the row beside
    it, so that a line is thin and has no holes.
    """
    columns = groups.columns
    passing = np.flatnonzero(~filled & crossing[:-1] & crossing[1:])
    alone = np.ones(len(passing), bool)
    begins = np.concatenate((np.diff(columns, prepend=-1) != 0, alone))
    ends = np.concatenate((np.diff(columns, append=grid.columns) != 0, alone))
    columns = np.concatenate((columns, passing))
    exits, entries = crossed[columns + 1], crossed[columns]
    top = np.concatenate((grid.rows_of(grid.heights(groups.high)), crossed[passing + 1]))
    bottom = np.concatenate((grid.rows_of(grid.heights(groups.low)), crossed[passing + 1]))
    leaving = ends & crossing[columns + 1]
    top = np.where(leaving, np.minimum(top, exits), top)
    bottom = np.where(leaving, np.maximum(bottom, exits), bottom)
    entering = begins & crossing[columns]
    top = np.where(entering & (entries < top), entries + 1, top)
    bottom = np.where(entering & (entries > bottom), entries - 1, bottom)
    return Spans(columns, top, bottom)
