"""The counts of a sender's heat map, kept up with its ticks. Draws nothing."""

from __future__ import annotations

import numpy as np

from tuistream.charts.kinds.contract import Matrix
from tuistream.core.series import Series
from tuistream.studies.grid_counts import GridCounts

# What a sender calls row and col are places along the width of its grid, and along its height: of 192 x 108 come
# [184, 63] and [72, 97].
DOWN, ACROSS = "col", "row"


class Counting:
    """Counts each tick of a series once; also what has left memory since."""

    def __init__(self) -> None:
        self._counts: GridCounts | None = None
        self._counted = self._history = -1  # ticks of the series that are counted, and its history then

    def matrix(self, series: Series, grid: tuple[int, int], until: int) -> Matrix:
        """How often each cell of the grid (columns, rows) was named by ticks up to `until`, ns."""
        counts = self._counts
        if counts is None or (counts.columns, counts.rows) != grid or series.history != self._history:
            counts = self._counts = GridCounts(*grid)
            self._counted, self._history = series.total - len(series), series.history
        first = max(0, self._counted - (series.total - len(series)))
        stop = int(np.searchsorted(series.t, until, side="right"))
        if stop > first and {DOWN, ACROSS} <= set(series.fields):
            rows, columns = (series.column(name)[first:stop] for name in (DOWN, ACROSS))
            counts.extend(rows, columns)
            self._counted = series.total - len(series) + stop
        return matrix_of(counts)


def matrix_of(counts: GridCounts) -> Matrix:
    down, across = counts.labels()
    whole = (counts.columns, counts.rows) if counts.fold > 1 else None
    return Matrix(counts.v, down, across, counts=True, outside=counts.outside, stands_for=whole)
