"""Spans of an axis that is not time. As times are in ns, places on it are in billionths of its unit."""

from __future__ import annotations

from math import floor, log10
from typing import Final

from tuistream.core.batch import Times

UNIT: Final = 1_000_000_000
AUTO_TICKS: Final = 500  # that the range auto shows
LEAST: Final = 1_000  # of a span
MOST: Final = 1_000_000_000 * UNIT
_PLACES: Final = 1 << 63  # places are int64
_ROUND: Final = (10, 20, 50)
_WIDTHS: Final = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)  # of a column


def auto_span(t: Times, edge: int) -> int:
    """The span of the newest ticks at `t` (int64[n], rising), as a round number."""
    return _next_round(edge - int(t[max(0, len(t) - AUTO_TICKS)]), _ROUND)


def column_width(span: int, columns: int) -> int:
    """The narrowest round width with which `columns` columns hold `span`."""
    return _next_round(-(-span // max(columns, 1)), _WIDTHS)


def shifted(t1: int, columns: int, width: int) -> int:
    """Where a window that is to end at `t1`, a whole number of columns, ends, so that it lies within int64."""
    last, first = (_PLACES - 1) // width, -(_PLACES // width)
    return max(min(t1 // width, last), first + columns) * width


def span_text(span: int) -> str:
    """A span in the axis' unit: "60", "0.25", "1,500"."""
    return f"{span / UNIT:,.10g}"


def _next_round(least: int, mantissas: tuple[int, ...]) -> int:
    """The smallest m x 10^n that is at least `least`, in which m is one of `mantissas`, from 10 to below 100."""
    least = max(least, 1)
    power = max(0, floor(log10(least)) - 2)
    while True:
        scale: int = 10**power
        for mantissa in (1, 2, 5, *mantissas) if not power else mantissas:
            if mantissa * scale >= least:
                return mantissa * scale
        power += 1
