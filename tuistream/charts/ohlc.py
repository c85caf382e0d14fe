"""Candles: the first, highest, lowest and last value of each stretch of time, from ticks. Pure."""

from __future__ import annotations

from bisect import bisect_left
from math import gcd
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuistream.core.batch import Times, Values

SECOND: Final = 10**9
MINUTE, HOUR, DAY = 60 * SECOND, 3_600 * SECOND, 86_400 * SECOND
# Widths of a candle, ns; each divides the next unit of the clock, so that candles begin at round times.
WIDTHS: Final = (
    *(SECOND * n for n in (1, 2, 5, 10, 15, 30)),
    *(MINUTE * n for n in (1, 2, 5, 10, 15, 30)),
    *(HOUR * n for n in (1, 2, 4, 6, 12)),
    DAY,
)

LABELS: Final = 8  # cells by which the room beside a value axis may differ


class Candles(NamedTuple):
    """Each [n], rising by t. t: int64, the first ns of a candle. counts: int64, values in it, at least 1."""

    t: Times
    open: Values
    high: Values
    low: Values
    close: Values
    counts: NDArray[np.int64]

    def since(self, first: int) -> Candles:
        """Those from number `first` on."""
        prices = (self.open[first:], self.high[first:], self.low[first:], self.close[first:])
        return Candles(self.t[first:], *prices, self.counts[first:])


def candles_of(t: Times, v: Values, width: int) -> Candles:
    """The candles, `width` ns long and beginning at multiples of it since 1970 UTC, of ticks in order of time.

    t: int64[n], ns, rising; v: float64[n]. Values that are not finite have no part; a stretch without any has no
    candle. Raises ValueError for a width below 1.
    """
    if width < 1:
        raise ValueError(f"candles of {width} ns")
    known = np.isfinite(v)
    if not known.all():
        t, v = t[known], v[known]
    if not len(t):
        none = np.empty(0, np.float64)
        return Candles(np.empty(0, np.int64), none, none, none, none, np.empty(0, np.int64))
    bucket = np.floor_divide(t, width)
    first = np.concatenate(([0], np.flatnonzero(bucket[1:] != bucket[:-1]) + 1))
    stop = np.append(first[1:], len(t))
    return Candles(
        bucket[first] * width,
        v[first],
        np.maximum.reduceat(v, first),
        np.minimum.reduceat(v, first),
        v[stop - 1],
        stop - first,
    )


def step_for(step: int, span: int, columns: int, chosen: int) -> int:
    """The longest part of `step` ns of which each candle has whole ones, so that points that stand for the ticks of
    such parts make the candles of all ticks.

    span, columns: as of `width_for`, give or take the labels beside them. chosen: ns of a candle, 0 for what suits.
    """
    if chosen:
        return gcd(step, max(chosen, width_for(span, columns, 1)))
    return gcd(step, *(width_for(span, max(1, columns + more)) for more in (-LABELS, 0, LABELS)))


def width_for(span: int, columns: int, least: int = 2) -> int:
    """The shortest of `WIDTHS` of which a candle has at least `least` of `columns` columns that show `span` ns.

    The longest, a day, where all have less.
    """
    index = bisect_left(WIDTHS, -(-span * least // max(1, columns)))
    return WIDTHS[min(index, len(WIDTHS) - 1)]
