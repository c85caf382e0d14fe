"""Averages kept as ticks come equal those computed from all of them, and never go over a gap."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tuistream.core.batch import Values
from tuistream.core.series import Series
from tuistream.core.session import Gap
from tuistream.ui.averages import Averages

LENGTH = 4
floats = st.floats(-1e6, 1e6)
pieces = st.lists(st.lists(floats, min_size=1, max_size=12), min_size=1, max_size=10)


def expected(t: list[int], values: list[float], gaps: list[Gap]) -> Values:
    """A simple moving average that begins anew where a gap ends, straight from its definition."""
    found = np.full(len(values), np.nan)
    for index in range(len(values)):
        first = index - LENGTH + 1
        if first >= 0 and not any(t[first] < gap.to <= t[index] for gap in gaps):
            found[index] = np.mean(values[first : index + 1])
    return found


@given(pieces, st.sets(st.integers(1, 60)), st.sets(st.integers(0, 9)))
def test_pieces_give_the_same_as_the_whole(parts: list[list[float]], ends: set[int], looks: set[int]) -> None:
    gaps = [Gap(10 * end - 10, 10 * end, "lost") for end in sorted(ends)]
    series = Series(("v",), 1_000)
    averages = Averages(series, "v", [("sma", LENGTH)])
    t = 0
    for number, part in enumerate(parts):
        times = np.arange(t, t + 10 * len(part), 10, dtype=np.int64)
        t += 10 * len(part)
        series.extend(times, np.array(part).reshape(-1, 1))
        if number in looks:
            averages.update([gap for gap in gaps if gap.to < t])
    averages.update([gap for gap in gaps if gap.to < t])
    column = averages.between(0, t, t)[f"sma {LENGTH}"]
    values = [value for part in parts for value in part]
    np.testing.assert_array_equal(column.t, series.t)
    np.testing.assert_allclose(
        column.v, expected(column.t.tolist(), values, gaps), rtol=1e-9, atol=1e-6, equal_nan=True
    )


def test_a_late_tick_is_taken_in() -> None:
    series = Series(("v",), 100)
    averages = Averages(series, "v", [("sma", 2), ("ema", 2)])
    series.extend(np.array([10, 30]), np.array([[1.0], [3.0]]))
    averages.update([])
    series.extend(np.array([20]), np.array([[2.0]]))
    averages.update([])
    np.testing.assert_allclose(averages.between(0, 100, 100)["sma 2"].v, [np.nan, 1.5, 2.5])
    np.testing.assert_allclose(averages.between(0, 100, 20)["sma 2"].v, [np.nan, 1.5])


def test_more_ticks_than_the_window_between_two_looks() -> None:
    series = Series(("v",), 10)
    averages = Averages(series, "v", [("sma", 2)])
    for start in (0, 100, 200):
        series.extend(np.arange(start, start + 50), np.arange(start, start + 50, dtype=float).reshape(-1, 1))
        if not start:
            averages.update([])
    averages.update([])
    column = averages.between(0, 1_000, 1_000)["sma 2"]
    np.testing.assert_array_equal(column.t, series.t)
    np.testing.assert_allclose(column.v[1:], series.t[1:] - 0.5)
