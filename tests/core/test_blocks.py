"""Extremes of blocks: the same as of the rows themselves, while the column grows, moves on and is corrected."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tuistream.charts.polyline import Grid, Line, spans_of
from tuistream.core.blocks import BLOCK, NOT_KNOWN
from tuistream.core.series import Series

seeds = st.integers(0, 2**32 - 1)


def values(random: np.random.Generator, count: int, absent: float) -> np.ndarray:
    drawn = random.normal(size=count)
    drawn[random.random(count) < absent] = np.nan
    drawn[random.random(count) < absent / 4] = np.inf
    return drawn


@given(
    seed=seeds,
    parts=st.lists(st.integers(1, 700), min_size=1, max_size=12),
    late=st.sets(st.integers(0, 11)),
    looks=st.sets(st.integers(0, 11)),
    window=st.integers(2, 1_500),
    absent=st.sampled_from([0.0, 0.001, 0.3]),
)
def test_the_same_as_of_all_rows(
    seed: int, parts: list[int], late: set[int], looks: set[int], window: int, absent: float
) -> None:
    random = np.random.default_rng(seed)
    series = Series(("v",), window)
    t = 0
    for number, count in enumerate(parts):
        since = max(0, t - 400) if number in late else t
        times = np.sort(random.integers(since, t + 1 + 2 * count, count))
        t = int(times[-1])
        series.extend(times, values(random, count, absent).reshape(-1, 1))
        if number in looks or number == len(parts) - 1:
            check(series, random)


def check(series: Series, random: np.random.Generator) -> None:
    column = series.column("v")
    first, stop = np.sort(random.integers(0, len(column) + 1, 2)).tolist()
    part, extremes = column[first:stop], series.extremes("v").cut(first, stop)
    for low, high, begin in zip(extremes.low, extremes.high, range(extremes.first, len(part), BLOCK), strict=False):
        block = part[begin : begin + BLOCK]
        assert len(block) == BLOCK
        np.testing.assert_equal((low, high), (block.min(), block.max()))
    assert extremes.first + BLOCK * (len(extremes.low) + 2) > len(part) or len(part) < 2 * BLOCK
    for least in (-np.inf, 0.0):
        known = (part > least) & (part < np.inf)
        np.testing.assert_array_equal(extremes.unknown(part, least), np.flatnonzero(~known))
        expected = (part[known].min(), part[known].max()) if known.any() else (np.inf, -np.inf)
        assert extremes.range(part, least) == expected
    if len(part):
        starts = np.unique(random.integers(0, len(part), random.integers(1, 9)))
        stop = random.integers(starts[-1] + 1, len(part) + 1)
        low, high = extremes.of(part, starts, stop)
        np.testing.assert_array_equal(low, np.minimum.reduceat(part[:stop], starts))
        np.testing.assert_array_equal(high, np.maximum.reduceat(part[:stop], starts))


@given(seed=seeds, count=st.integers(2, 5_000), absent=st.sampled_from([0.0, 0.0005, 0.5]), log=st.booleans())
def test_lines_are_the_same_with_extremes_and_without(seed: int, count: int, absent: float, log: bool) -> None:
    random = np.random.default_rng(seed)
    series = Series(("v",), 4_000)
    series.extend(np.sort(random.integers(0, 10_000, count)), values(random, count, absent).reshape(-1, 1))
    t0, t1 = np.sort(random.choice(12_000, 2, replace=False)).tolist()
    grid = Grid(t0, t1, 0.01 if log else -2.0, 2.0, log, 7, 2, 40)
    gaps = [(t0 + (t1 - t0) // 3, t0 + (t1 - t0) // 2)] if seed % 2 else []
    part = series.between(t0, t1)
    t, v = series.t[part], series.column("v")[part]
    line = Line(t, v, tuple(gaps), extremes=series.extremes("v").cut(part.start, part.stop))
    for one, other in zip(spans_of([line], grid), spans_of([replace(line, extremes=NOT_KNOWN)], grid), strict=True):
        np.testing.assert_array_equal(one, other)
