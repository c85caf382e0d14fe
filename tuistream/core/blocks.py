"""Smallest and largest values of blocks of rows, so that extremes over very many rows are soon found."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuistream.core.batch import Values

BLOCK: Final = 64  # rows
FEW: Final = 16  # blocks to a range, below which looking at every row is as fast

Rows = NDArray[np.int64]


class Extremes(NamedTuple):
    """Of blocks of a column: block j covers rows first + 64 j to first + 64 (j + 1), first at least 0.

    low, high: float64[blocks], NaN where a block has one. The rows before `first` and after the last block have none.
    """

    low: Values
    high: Values
    first: int

    def cut(self, first: int, stop: int) -> Extremes:
        """Of the column's rows from `first` to before `stop`."""
        begin = max(0, -(-(first - self.first) // BLOCK))
        end = max(begin, min(len(self.low), (stop - self.first) // BLOCK))
        return Extremes(self.low[begin:end], self.high[begin:end], self.first + begin * BLOCK - first)

    def range(self, v: Values, least: float = -np.inf) -> tuple[float, float]:
        """Smallest and largest finite value above `least` of the whole column; inf and -inf if there is none."""
        sure = self._sure(least)
        rows = v[self._others(len(v), sure)]
        rows = rows[(rows > least) & (rows < np.inf)]
        lows, highs = np.concatenate((self.low[sure], rows)), np.concatenate((self.high[sure], rows))
        return float(np.minimum.reduce(lows, initial=np.inf)), float(np.maximum.reduce(highs, initial=-np.inf))

    def unknown(self, v: Values, least: float = -np.inf) -> Rows:
        """The rows whose value is not finite or not above `least`, int64[n], rising."""
        rows = self._others(len(v), self._sure(least))
        values = v[rows]
        return rows[~((values > least) & (values < np.inf))]

    def _sure(self, least: float) -> NDArray[np.bool_]:
        """The blocks of which every row is finite and above `least`."""
        sure: NDArray[np.bool_] = (self.low > least) & (self.high < np.inf)
        return sure

    def _others(self, count: int, sure: NDArray[np.bool_]) -> Rows:
        """Of `count` rows, those in none of the `sure` blocks."""
        end = self.first + len(sure) * BLOCK
        if len(sure) and np.logical_and.reduce(sure):
            return np.concatenate((np.arange(self.first), np.arange(end, count)))
        start = np.append(self.first + (~sure).nonzero()[0] * BLOCK, end)
        sizes = np.full(len(start), BLOCK)
        start, sizes = np.append(0, start), np.append(min(self.first, count), sizes)
        sizes[-1] = max(0, count - start[-1])
        return _numbers(start, sizes)

    def of(self, v: Values, starts: Rows, stop: int) -> tuple[Values, Values]:
        """Smallest and largest value of v[starts[i]:starts[i + 1]], the last range ending at `stop`.

        starts: int64[n], rising strictly, all below `stop`. NaN where a range has one.
        """
        if stop - starts[0] < FEW * BLOCK * len(starts) or not len(self.low):
            seen = v[:stop]
            return np.minimum.reduceat(seen, starts), np.maximum.reduceat(seen, starts)
        # numpy's bare functions: its comfortable ones (clip, append, stack) take several times as long for so few.
        stops = np.concatenate((starts[1:], (stop,)))
        blocks = len(self.low)
        begin = np.minimum(np.maximum(-(-(starts - self.first) // BLOCK), 0), blocks)
        end = np.minimum(np.maximum((stops - self.first) // BLOCK, begin), blocks)
        # Where a range has no whole block, all its rows are before the first.
        whole = end > begin
        head = np.where(whole, self.first + begin * BLOCK, stops)
        tail = np.where(whole, self.first + end * BLOCK, stops)
        low, high = _of_rows(v, (starts, tail), (head, stops))
        inner = _in_turn(begin[whole], end[whole])
        if len(inner):
            # A range may end where the blocks do, which reduceat does not take: one more that counts for nothing.
            low[whole] = np.minimum(
                low[whole], np.minimum.reduceat(np.concatenate((self.low, (np.inf,))), inner)[::2]
            )
            high[whole] = np.maximum(
                high[whole], np.maximum.reduceat(np.concatenate((self.high, (-np.inf,))), inner)[::2]
            )
        return low, high


NOT_KNOWN: Final = Extremes(np.empty(0), np.empty(0), 0)


def _of_rows(v: Values, starts: tuple[Rows, Rows], stops: tuple[Rows, Rows]) -> tuple[Values, Values]:
    """Extremes over two stretches of rows for each range together; inf and -inf where both are empty."""
    first = _in_turn(*starts)
    sizes = _in_turn(*stops) - first
    values = v[_numbers(first, sizes)]
    low, high = np.full(len(starts[0]), np.inf), np.full(len(starts[0]), -np.inf)
    counts = sizes[::2] + sizes[1::2]
    some = counts > 0
    places = (counts.cumsum() - counts)[some]
    if len(places):
        low[some], high[some] = np.minimum.reduceat(values, places), np.maximum.reduceat(values, places)
    return low, high


def _in_turn(one: Rows, other: Rows) -> Rows:
    """one[0], other[0], one[1], other[1] …"""
    both = np.empty(2 * len(one), np.int64)
    both[::2], both[1::2] = one, other
    return both


def _numbers(first: Rows, sizes: Rows) -> Rows:
    """first[0], first[0] + 1 … for sizes[0] of them, then first[1] …"""
    ends = sizes.cumsum()
    numbers: Rows = np.arange(ends[-1]) + (first - ends + sizes).repeat(sizes)
    return numbers


class Blocks:
    """Extremes of one column that grows at its end. Rows have numbers that stay when older rows are thrown away."""

    def __init__(self) -> None:
        self._first = 0  # number of the first block that is kept
        self._count = 0
        self._low = np.empty(0)
        self._high = np.empty(0)

    @property
    def nbytes(self) -> int:
        return self._low.nbytes + self._high.nbytes

    def changed(self, row: int) -> None:
        """Rows from number `row` on are not what they were."""
        self._count = max(0, min(self._count, row // BLOCK - self._first))

    def extremes(self, v: Values, number: int) -> Extremes:
        """Of the whole column `v`, whose first row has the number `number`."""
        first, end = -(-number // BLOCK), (number + len(v)) // BLOCK
        known = self._first + self._count
        if known < first:
            self._first, self._count, known = first, 0, first
        if known < end:
            self._extend(v[known * BLOCK - number : end * BLOCK - number].reshape(-1, BLOCK), first)
        skip = first - self._first
        return Extremes(self._low[skip : self._count], self._high[skip : self._count], first * BLOCK - number)

    def _extend(self, rows: Values, oldest: int) -> None:
        """Take further blocks; those before number `oldest` are not needed any more."""
        count = len(rows)
        if self._count + count > len(self._low):
            drop = min(self._count, max(0, oldest - self._first))
            kept = self._count - drop
            low, high = np.empty(2 * (kept + count)), np.empty(2 * (kept + count))
            low[:kept], high[:kept] = self._low[drop : self._count], self._high[drop : self._count]
            self._first, self._count, self._low, self._high = self._first + drop, kept, low, high
        new = slice(self._count, self._count + count)
        rows.min(axis=1, out=self._low[new])
        rows.max(axis=1, out=self._high[new])
        self._count += count
