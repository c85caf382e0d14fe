"""The right end of a drawing, where points are added without drawing the rest again.

Ten frames a second of a window of minutes differ in the few dots of the newest points. To find those takes a
hundredth of what it takes to draw all lines, and gives the same cells.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from math import floor, isfinite
from typing import Final, NamedTuple

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from tuistream.charts.polyline import FAR, Grid, Line
from tuistream.charts.raster import GlyphSet, Viewport, glyph_set
from tuistream.core.batch import Times, Values

Place = tuple[int, int]  # row and column of a cell


class Points(NamedTuple):
    """What has come at the end of a line. t: int64[n], ns, sorted. v: float64[n], and its extremes."""

    t: Times
    v: Values
    low: float
    high: float


class _Stretch(NamedTuple):
    """Points one after another in one column of dots."""

    column: int
    begin: int
    first: float
    low: float
    high: float
    end: int
    last: float


class _End(msgspec.Struct):
    """The last point of a line that was drawn."""

    t: int
    v: float


class LiveEnd:
    """The end of lines that `rasterise` drew with kind "line" on a linear scale.

    bits: uint8[lines, height, width], the dots of each line in each cell, which `grow` changes.
    """

    def __init__(
        self, lines: Sequence[Line], viewport: Viewport, bits: NDArray[np.uint8], glyphs: str, columns: int, rows: int
    ) -> None:
        self._viewport = viewport
        self._glyphs = glyph_set(glyphs)
        dot_rows, dot_columns = self._glyphs.dots
        self._grid = Grid(
            viewport.t0, viewport.t1, viewport.lo, viewport.hi, False, columns, dot_columns, rows * dot_rows
        )
        self._bits = bits
        self._styles = [line.style for line in lines]
        self._ends = [_End(int(line.t[-1]), float(line.v[-1])) if len(line.t) else None for line in lines]
        self._edges: list[int] = []
        extent = viewport.hi / 2 - viewport.lo / 2
        known = viewport.t1 - viewport.t0 >= self._grid.columns > 0 and 0 < extent < float("inf")
        self._extent = extent if known else 0.0

    @property
    def first_cell(self) -> int:
        """The column of the first cell that `grow` may change; -1 where nothing can grow."""
        ends = [end.t for end in self._ends if end is not None]
        if not ends or not self._extent:
            return -1
        return self._column_of(min(ends)) // self._grid.dots

    def cell_row(self, value: float, rows: int) -> int:
        """The row of cells, of `rows`, in which a value lies, as `raster.rows_of`; any if nothing can grow."""
        if not self._extent:
            return 0
        part = (self._viewport.hi / 2 - value / 2) / self._extent
        height = min(max(part * rows, -FAR), FAR)
        return floor(height) - (height == rows)

    def time_of(self, cell: int) -> int:
        """The time, ns, at which a column of cells begins."""
        return self._all_edges()[cell * self._grid.dots]

    def slide(self, viewport: Viewport) -> int | None:
        """Go on in a window that lies later by whole cells; by how many, which bits have moved to the left.

        None, and nothing done, where more than that differs, or where a line ends at the last window's very end: the
        column that holds what is at the end itself is another one then.
        """
        before, grid = self._viewport, self._grid
        width, rest = divmod(before.t1 - before.t0, max(1, grid.cells))
        by = viewport.t0 - before.t0
        if (
            not self._extent
            or rest
            or by % width
            or not 0 <= by < width * grid.cells
            or replace(before, t0=viewport.t0, t1=before.t1 + by) != viewport
            or any(end is None or end.t >= before.t1 for end in self._ends)
        ):
            return None
        cells = by // width
        if cells:
            self._bits[:, :, :-cells] = self._bits[:, :, cells:]
            self._bits[:, :, -cells:] = 0
            self._viewport, self._grid = viewport, replace(grid, t0=viewport.t0, t1=viewport.t1)
            self._edges = [edge + by for edge in self._edges]
        return cells

    def grow(self, grown: Sequence[Points]) -> list[tuple[Place, int, int]] | None:
        """Add points to each line; the cells that changed: place, code point, style.

        None, and nothing done, where all is to be drawn anew: points that are none, that go beyond the window, or
        that come after none.
        """
        stretches: list[list[_Stretch]] = []
        for end, points in zip(self._ends, grown, strict=True):
            found = self._stretches(end, points)
            if found is None:
                return None
            stretches.append(found)
        changed: dict[Place, None] = {}
        for index, parts in enumerate(stretches):
            end = self._ends[index]
            if parts and end is not None:
                self._join(index, end, parts, changed)
                end.t, end.v = parts[-1].end, parts[-1].last
        return [(place, *self._look_of(place)) for place in changed]

    def _all_edges(self) -> list[int]:
        if not self._edges:
            self._edges = self._grid.edges().tolist()
        return self._edges

    def _column_of(self, t: int) -> int:
        """The column of dots in which a time lies; -1 before the first, the number of columns after the last."""
        return bisect_right(self._all_edges(), t) - 1

    def _stretches(self, end: _End | None, points: Points) -> list[_Stretch] | None:
        t, v, low, high = points
        if not len(t):
            return []
        begin, stop = int(t[0]), int(t[-1])
        if end is None or not self._extent or not isfinite(end.v) or not isfinite(low) or not isfinite(high):
            return None
        before, last = self._column_of(end.t), self._column_of(stop)
        if before < 0 or last >= self._grid.columns or begin < end.t:
            return None
        first = self._column_of(begin)
        if first == last:
            return [_Stretch(first, begin, float(v[0]), low, high, stop, float(v[-1]))]
        cuts = [0, *t.searchsorted(self._edges[first + 1 : last + 1], side="left").tolist(), len(t)]
        stretches = []
        for column, a, b in zip(range(first, last + 1), cuts, cuts[1:], strict=False):
            if b > a:
                part = v[a:b]
                ends = float(part[0]), float(part.min()), float(part.max())
                stretches.append(_Stretch(column, int(t[a]), *ends, int(t[b - 1]), float(part[-1])))
        return stretches

    def _join(self, index: int, end: _End, stretches: list[_Stretch], changed: dict[Place, None]) -> None:
        """Draw a line on through points; the rows of a crossing as in `polyline`."""
        column, t, v = self._column_of(end.t), end.t, end.v
        edges = self._edges
        for part in stretches:
            top, bottom = self._row(self._height(part.high)), self._row(self._height(part.low))
            row = self._row(self._height(v))
            if part.column == column:
                self._set(index, column, min(top, row), max(bottom, row), changed)
            else:
                left = self._height(v)
                rise, run = self._height(part.first) - left, part.begin - t
                entry = row
                for edge in range(column + 1, part.column + 1):
                    crossed = self._row(left + rise * ((edges[edge] - t) / run))
                    if edge == column + 1:
                        self._set(index, column, min(row, crossed), max(row, crossed), changed)
                    else:
                        self._set(index, edge - 1, *_entered(entry, crossed, crossed), changed)
                    entry = crossed
                self._set(index, part.column, *_entered(entry, top, bottom), changed)
            column, t, v = part.column, part.end, part.last

    def _height(self, value: float) -> float:
        """As `Grid.heights`."""
        height = (self._viewport.hi / 2 - value / 2) / self._extent * self._grid.rows
        return min(max(height, -FAR), FAR)

    def _row(self, height: float) -> int:
        """As `Grid.rows_of`."""
        return floor(height) - (height == self._grid.rows)

    def _set(self, index: int, column: int, top: int, bottom: int, changed: dict[Place, None]) -> None:
        """Set the dots of a column from one row to another."""
        rows, columns = self._glyphs.dots
        top, bottom = max(top, 0), min(bottom, self._grid.rows - 1)
        x, part = divmod(column, columns)
        for y in range(top // rows, bottom // rows + 1):
            first, last = max(top - y * rows, 0), min(bottom - y * rows, rows - 1)
            mask = _MASKS[self._glyphs.dots][part][first][last]
            before = int(self._bits[index, y, x])
            if before | mask != before:
                self._bits[index, y, x] = before | mask
                changed[y, x] = None

    def _look_of(self, place: Place) -> tuple[int, int]:
        """Code point and style of a cell: the first line that has a dot in it keeps its style."""
        bits, style = 0, -1
        for line, of_line in enumerate(self._bits[:, place[0], place[1]].tolist()):
            if of_line and not bits:
                style = self._styles[line]
            bits |= of_line
        return int(self._glyphs.codes[bits]), style


def _entered(entry: int, top: int, bottom: int) -> tuple[int, int]:
    """Rows of a column that the line enters at a row: stretched to the row beside it."""
    return (entry + 1 if entry < top else top), (entry - 1 if entry > bottom else bottom)


def _masks(glyphs: GlyphSet) -> list[list[list[int]]]:
    """By column of dots, first and last row: the bits of the dots between."""
    rows, columns = glyphs.dots
    return [
        [[int(glyphs.bits[first : last + 1, column].sum()) for last in range(rows)] for first in range(rows)]
        for column in range(columns)
    ]


# One for each shape of a cell.
_MASKS: Final = {glyph_set(name).dots: _masks(glyph_set(name)) for name in ("braille", "blocks", "ascii")}
