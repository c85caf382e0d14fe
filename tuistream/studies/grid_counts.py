"""How often each cell of a grid was named. Pure."""

from __future__ import annotations

from math import ceil, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tuistream.core.batch import Values

MOST_CELLS: Final = 1 << 18  # that are counted; of a larger grid several count as one
MOST_AT_ONCE: Final = 1 << 20


class GridCounts:
    """Counts of the cells of a grid of `columns` x `rows`, both at least 1.

    v: float64[h, w], the counts; each holds `fold` x `fold` cells, 1 where the grid is not too large. outside: how
    many had no cell in the grid.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = max(1, columns), max(1, rows)
        self.fold = max(1, ceil(sqrt(self.columns / MOST_CELLS * self.rows)))
        while ceil(self.columns / self.fold) * ceil(self.rows / self.fold) > MOST_CELLS:
            self.fold += 1
        self.v: NDArray[np.float64] = np.zeros((ceil(self.rows / self.fold), ceil(self.columns / self.fold)))
        self.outside = 0

    def extend(self, rows: Values, columns: Values) -> None:
        """Count cells, each named by its row and its column, from 0; float64[n] each. What has none is outside."""
        for start in range(0, len(rows), MOST_AT_ONCE):
            row, column = (each[start : start + MOST_AT_ONCE] for each in (rows, columns))
            inside = (row >= 0) & (row < self.rows) & (column >= 0) & (column < self.columns)  # not so for NaN
            self.outside += len(row) - int(inside.sum())
            y, x = (each[inside].astype(np.int64) // self.fold for each in (row, column))
            np.add.at(self.v, (y, x), 1.0)

    def labels(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Labels of rows and columns, where a count is of several; else none, as their numbers say it."""
        if self.fold == 1:
            return (), ()
        down, across = (tuple(f"{place * self.fold:,}" for place in range(count)) for count in self.v.shape)
        return down, across
