"""The spans of rows that a polyline covers, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from tuistream.core.batch import Times, Values
from tuistream.core.blocks import NOT_KNOWN, Extremes

Numbers = NDArray[np.int64]
_NONE: Final = np.empty(0, np.int64)
FAR = 1e9  # rows beyond which a value is only "far outside"; keeps rows within int64 and slopes true to the eye


class Line(msgspec.Struct, frozen=True, eq=False):
    """t: int64[n], ns, sorted. v: float64[n]; NaN and infinities are no values and leave the line open.

    gaps: stretches (from, to) in ns, which no line crosses; what lies inside one is drawn.
    style: the index, 0 to 127, that the cells of this line get. extremes: of blocks of `v`, where they are known.
    """

    t: Times
    v: Values
    gaps: tuple[tuple[int, int], ...] = ()
    style: int = 0
    extremes: Extremes = NOT_KNOWN


class Spans(NamedTuple):
    """Line, column of dots, topmost and lowest row, int64[k] each. Rows go downwards; some are outside.

    A column has several spans of a line where that is open inside it.
    """

    lines: Numbers
    columns: Numbers
    top: Numbers
    bottom: Numbers

    def of(self, line: int) -> Spans:
        """Those of one line."""
        mine = self.lines == line
        return Spans(*(part[mine] for part in self))


class Grid(msgspec.Struct, frozen=True):
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
        inside = (begin[1:] - begin[:-1])[:, None] * part // self.dots
        return np.concatenate(((begin[:-1, None] + inside).ravel(), begin[-1:]))

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
            heights = (hi / 2 - values / 2) / extent * self.rows
        return np.minimum(np.maximum(heights, -FAR), FAR)

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


class _Crossings(NamedTuple):
    """Where the line crosses edges of columns: the edges, the values before and after each, and how far between."""

    edges: Numbers
    before: Values
    after: Values
    part: Values


def spans_of(lines: Sequence[Line], grid: Grid) -> Spans:
    """What polylines cover."""
    edges = grid.edges()
    covered = [_covered(line, edges, grid) for line in lines]
    return _joined([groups for groups, _ in covered], [crossings for _, crossings in covered], grid)


def _covered(line: Line, edges: Numbers, grid: Grid) -> tuple[_Groups, _Crossings]:
    """What is not finite, and on a logarithmic scale not positive, is no value: the line is open there."""
    t, v = line.t, line.v
    first = max(0, int(t.searchsorted(edges[0], side="left")) - 1)
    stop = min(len(t), int(t.searchsorted(edges[-1], side="right")) + 1)
    t, v, extremes = t[first:stop], v[first:stop], line.extremes.cut(first, stop)
    if not len(t):
        return _Groups(_NONE, v, v), _Crossings(_NONE, v, v, v)
    bounds = t.searchsorted(edges, side="left")
    broken = _with_gaps(t, _NONE, line.gaps, grid)
    unknown = np.empty(0, np.bool_)
    groups = _groups(t, v, bounds, broken, unknown, extremes, int(edges[-1]))
    # Extremes tell of any value that is none, so that the usual window, without one, needs no pass of its own.
    least = 0.0 if grid.log else -np.inf
    if not all(((x > least) & (x < np.inf)).all() for x in (groups.low, groups.high, v[[0, -1]])):
        unknown = np.zeros(len(v), np.bool_)
        unknown[extremes.unknown(v, least)] = True
        groups = _groups(t, v, bounds, broken, unknown, extremes, int(edges[-1]))
    return groups, _crossings(t, v, bounds, broken, unknown, edges)


def _groups(
    t: Times,
    v: Values,
    bounds: Numbers,
    broken: Numbers,
    unknown: NDArray[np.bool_],
    extremes: Extremes,
    end: int,
) -> _Groups:
    """bounds: the first point at or after each edge; those of the last column reach to `end`, included.

    broken: the points that are not joined to the next. unknown: those that are none, bool[n], or empty.
    """
    stop = int(t.searchsorted(end, side="right"))
    starts = bounds[:-1][np.concatenate((bounds[1:-1], (stop,))) > bounds[:-1]]
    cuts = broken + 1
    if len(unknown):
        # Where one of two neighbours is a value and the other is none.
        cuts = np.concatenate((cuts, (unknown[1:] != unknown[:-1]).nonzero()[0] + 1))
    if len(cuts):
        starts = _merged(starts, cuts[(cuts >= bounds[0]) & (cuts < stop)])
    if not len(starts):
        return _Groups(starts, np.empty(0), np.empty(0))
    low, high = extremes.of(v, starts, stop)
    columns = bounds[:-1].searchsorted(starts, side="right") - 1
    if len(unknown):
        known = ~unknown[starts]
        columns, low, high = columns[known], low[known], high[known]
    return _Groups(columns, high, low)


def _merged(one: Numbers, other: Numbers) -> Numbers:
    """The rows that either names, sorted, each once. (np.union1d imports numpy.ma: the first chart would wait.)"""
    both = np.sort(np.concatenate((one, other)))
    return both[np.diff(both, prepend=-1) > 0]


def _with_gaps(t: Times, broken: Numbers, gaps: Sequence[tuple[int, int]], grid: Grid) -> Numbers:
    """`broken`, and the points whose join to the next would cross a gap; sorted, each once."""
    seen = [(since, to) for since, to in gaps if to > since and to > grid.t0 and since < grid.t1]
    if not seen or len(t) < 2:
        return broken
    since, to = np.array(seen, dtype=np.int64).T
    first = np.maximum(t.searchsorted(since, side="right") - 1, 0)
    last = np.minimum(t.searchsorted(to, side="left") - 1, len(t) - 2)
    real = first <= last
    first, last = first[real], last[real]
    if (first == last).all():
        return _merged(broken, first)
    steps = np.bincount(first, minlength=len(t)) - np.bincount(last + 1, minlength=len(t))
    return _merged(broken, (steps.cumsum() > 0).nonzero()[0])


def _crossings(
    t: Times, v: Values, bounds: Numbers, broken: Numbers, unknown: NDArray[np.bool_], edges: Numbers
) -> _Crossings:
    """bounds, broken, unknown: as for `_groups`."""
    crossed = ((bounds > 0) & (bounds < len(t))).nonzero()[0]
    after = bounds[crossed]
    if len(broken) and len(crossed):
        place = np.minimum(broken.searchsorted(after - 1), len(broken) - 1)
        joined = broken[place] != after - 1
        crossed, after = crossed[joined], after[joined]
    if len(unknown):
        joined = ~(unknown[after - 1] | unknown[after])
        crossed, after = crossed[joined], after[joined]
    begin = t[after - 1]
    return _Crossings(crossed, v[after - 1], v[after], (edges[crossed] - begin) / (t[after] - begin))


def _joined(groups: Sequence[_Groups], crossings: Sequence[_Crossings], grid: Grid) -> Spans:
    """Spans of the points in each column, stretched to where the line enters and leaves it; of all lines at once.

    The row of a crossing belongs to the column on the left; the one on the right reaches as far as the row beside
    it, so that a line is thin and has no holes.
    """
    width = grid.columns
    columns, high, low = (np.concatenate(parts) for parts in zip(*groups, strict=True))
    edges, before, after, part = (np.concatenate(parts) for parts in zip(*crossings, strict=True))
    lines = np.arange(len(groups)).repeat([len(group.columns) for group in groups])
    crossed_lines = np.arange(len(groups)).repeat([len(crossing.edges) for crossing in crossings])
    count = len(columns)
    middle = 2 * count + len(edges)
    heights = grid.heights(np.concatenate((high, low, before, after)))
    high, low, left, right = (
        heights[:count],
        heights[count : 2 * count],
        heights[2 * count : middle],
        heights[middle:],
    )
    crossing = np.zeros((len(groups), width + 1), np.bool_)
    crossing[crossed_lines, edges] = True
    crossed = np.zeros((len(groups), width + 1), np.int64)
    rows = grid.rows_of(np.concatenate((high, low, left + (right - left) * part)))
    crossed[crossed_lines, edges] = rows[2 * count :]
    empty = crossing[:, :-1] & crossing[:, 1:]
    empty[lines, columns] = False
    passing_lines, passing = empty.nonzero()
    places = lines * width + columns
    alone = np.ones(len(passing), np.bool_)
    others = places[1:] != places[:-1]
    edge = np.ones(min(1, count), np.bool_)
    begins = np.concatenate((edge, others, alone))
    ends = np.concatenate((others, edge, alone))
    lines, columns = np.concatenate((lines, passing_lines)), np.concatenate((columns, passing))
    exits, entries = crossed[lines, columns + 1], crossed[lines, columns]
    top = np.concatenate((rows[:count], exits[count:]))
    bottom = np.concatenate((rows[count : 2 * count], exits[count:]))
    leaving = ends & crossing[lines, columns + 1]
    top = np.where(leaving, np.minimum(top, exits), top)
    bottom = np.where(leaving, np.maximum(bottom, exits), bottom)
    entering = begins & crossing[lines, columns]
    top = np.where(entering & (entries < top), entries + 1, top)
    bottom = np.where(entering & (entries > bottom), entries - 1, bottom)
    return Spans(lines, columns, top, bottom)
