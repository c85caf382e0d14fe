"""Value axes: round ticks with just the digits they need, and ranges that stay while they fit.

The time axis is in `time_axis`; its `time_ticks` is importable from here too.
"""

from __future__ import annotations

from math import ceil, floor, isfinite, log10
from typing import Final

from tuistream.charts.time_axis import time_ticks

__all__ = ["fit_range", "sticky_range", "time_ticks", "value_ticks"]

Range = tuple[float, float]
Tick = tuple[float, str]

EMPTY_RANGE: Final = (0.0, 1.0)
MOST_TICKS: Final = 200
PLAIN_BELOW: Final = 1e9  # values from here on are labelled in powers of ten
MOST_DIGITS: Final = 5  # after the point in powers of ten; what needs more is written out
EXACT_BELOW: Final = 1e15
MOST_DECIMALS: Final = 9  # labels that would need more are in powers of ten too
PADDING: Final = 0.05  # of the data's extent, at either end
LOG_PADDING: Final = 1.05  # factor, on a logarithmic scale
FILL: Final = 0.5  # a range is chosen anew when the one that fits is smaller than this part of it
FLAT_PART: Final = 0.002  # of a flat line's value, at either side of it
PARTS: Final = 20  # steps in a range: how round its ends are


def value_ticks(lo: float, hi: float, count: int, log: bool = False) -> list[Tick]:
    """At most `count` round values from lo to hi, rising, each with its label.

    Steps are 1, 2, 2.5 or 5 x 10^n; on a logarithmic scale powers of ten, or 1, 2, 5 x 10^n where there are few of
    them. Labels have the digits that the step needs, the same number after the point in all. No ticks where the
    range is no range.
    """
    if not (isfinite(lo) and isfinite(hi) and lo < hi) or count < 1 or (log and lo <= 0):
        return []
    count = min(count, MOST_TICKS)
    if log:
        ticks = _log_ticks(lo, hi, count)
        if len(ticks) > 1 or count == 1:
            return ticks
    step = _tick_step(lo, hi, count)
    if step is None:
        return []
    mantissa, exponent = step
    size = _scaled(mantissa, exponent)
    multiples = range(ceil(lo / size - 1e-9), floor(hi / size + 1e-9) + 1)
    values = [_scaled(multiple * mantissa, exponent) for multiple in multiples]
    decimals = max(0, (1 if mantissa % 10 else 0) - exponent - 1)
    largest = max(abs(lo), abs(hi))
    digits = max(0, floor(log10(largest)) - floor(log10(size)) + (mantissa == 25))
    exact = largest < PLAIN_BELOW or (digits > MOST_DIGITS and largest < EXACT_BELOW)
    if exact and decimals <= MOST_DECIMALS:
        return [(value, f"{value + 0.0:,.{decimals}f}") for value in values]
    return [(value, f"{value + 0.0:.{digits}e}") for value in values]


def fit_range(lo: float, hi: float, log: bool = False) -> Range:
    """The range at round values that shows data from lo to hi with a little room. A flat line gets room around it.

    On a logarithmic scale lo is above 0. Where there are no data (lo or hi is not finite, or lo > hi): 0 to 1, or
    1 to 10.
    """
    if not (isfinite(lo) and isfinite(hi) and lo <= hi) or (log and lo <= 0):
        return (1.0, 10.0) if log else EMPTY_RANGE
    if log and log10(hi) - log10(lo) >= 1:
        low, high = _decimal_step(lo / LOG_PADDING, up=False), _decimal_step(hi * LOG_PADDING, up=True)
        return (low, high) if 0 < low < high < float("inf") else (lo, hi)
    low, high = _padded(lo, hi)
    return (low, high) if not log or low > 0 else (lo * 0.9, high)


def sticky_range(previous: Range | None, lo: float, hi: float, log: bool = False) -> Range:
    """`previous` as long as data from lo to hi lie in it and fill enough of it, else the range that fits them.

    Keeps `previous` where there are no data. With None as `previous` it always fits: the tight mode.
    """
    if previous is None or not previous[0] < previous[1] or (log and previous[0] <= 0):
        return fit_range(lo, hi, log)
    if not (isfinite(lo) and isfinite(hi) and lo <= hi) or (log and lo <= 0):
        return previous
    fitted = fit_range(lo, hi, log)
    if previous[0] <= lo and hi <= previous[1] and _extent(fitted, log) >= FILL * _extent(previous, log):
        return previous
    return fitted


def _extent(span: Range, log: bool) -> float:
    low, high = (log10(span[0]), log10(span[1])) if log else span
    return high / 2 - low / 2


def _padded(lo: float, hi: float) -> Range:
    """lo and hi moved outwards to round values."""
    flat = FLAT_PART * max(abs(lo), abs(hi)) or 1.0
    # Below a few units in the last place two values are one.
    if hi - lo <= 1e-13 * max(abs(lo), abs(hi)):
        lo, hi = lo - flat, hi + flat
    pad = (hi - lo) * PADDING
    step = _tick_step(lo - pad, hi + pad, PARTS) if isfinite(hi - lo + 2 * pad) else None
    if step is None:
        return lo, hi
    size = _scaled(*step)
    low, high = floor((lo - pad) / size), ceil((hi + pad) / size)
    # Data above zero, or below it, do not get an axis that crosses it.
    low = 0 if lo >= 0 > low else low
    high = 0 if hi <= 0 < high else high
    ends = _scaled(low * step[0], step[1]), _scaled(high * step[0], step[1])
    return ends if ends[0] <= lo < hi <= ends[1] and isfinite(ends[1] - ends[0]) else (lo, hi)


def _decimal_step(value: float, *, up: bool) -> float:
    """The nearest of 1, 2, 5 x 10^n that is not below `value`, or not above it."""
    if not 0 < value < float("inf"):
        return value
    exponent = floor(log10(value))
    steps = [_scaled(m, n) for n in (exponent - 1, exponent, exponent + 1) for m in (1, 2, 5)]
    return min(step for step in steps if step >= value) if up else max(step for step in steps if step <= value)


def _tick_step(lo: float, hi: float, count: int) -> tuple[int, int] | None:
    """The smallest step that gives at most `count` ticks from lo to hi, as (m, n): m x 10^n, m of 10, 20, 25, 50."""
    least = (hi - lo) / max(count, 1)
    if not 0 < least < float("inf"):
        return None
    exponent = floor(log10(least)) - 2
    for power in range(exponent, exponent + 4):
        for mantissa in (10, 20, 25, 50):
            size = _scaled(mantissa, power)
            if not 0 < size < float("inf") or max(abs(lo), abs(hi)) / size > 1e15:
                continue
            if floor(hi / size + 1e-9) - ceil(lo / size - 1e-9) + 1 <= count:
                return mantissa, power
    return None


def _scaled(multiple: int, exponent: int) -> float:
    """multiple x 10^exponent, rounded once."""
    return float(f"{multiple}e{exponent}")


def _log_ticks(lo: float, hi: float, count: int) -> list[Tick]:
    """Powers of ten and what lies between them; every second, third … power where there is no room for all."""
    first, last = floor(log10(lo)), floor(log10(hi) + 1e-9)
    for mantissas in (1, 2, 5), (1, 3), (1,):
        ticks = _decimal_ticks(lo, hi, range(first, last + 1), mantissas)
        if len(ticks) <= count:
            return ticks
    every = ceil(len(ticks) / count)
    return _decimal_ticks(lo, hi, range(ceil(first / every) * every, last + 1, every), (1,))


def _decimal_ticks(lo: float, hi: float, exponents: range, mantissas: tuple[int, ...]) -> list[Tick]:
    ticks: list[Tick] = []
    for exponent in exponents:
        for mantissa in mantissas:
            value = _scaled(mantissa, exponent)
            if lo * (1 - 1e-12) <= value <= hi * (1 + 1e-12):
                plain = exponent >= -MOST_DECIMALS and value < PLAIN_BELOW
                ticks.append((value, f"{value:,.{max(0, -exponent)}f}" if plain else f"{value:.0e}"))
    return ticks
