"""Value axes: round steps, the digits that they need, ranges that stay."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite, log10

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuistream.charts.axes import fit_range, sticky_range, value_ticks

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("lo", "hi", "count", "labels"),
    [
        (61_808, 61_841, 4, ["61,810", "61,820", "61,830", "61,840"]),
        (61_837.61, 61_837.64, 4, ["61,837.61", "61,837.62", "61,837.63", "61,837.64"]),
        (0, 1, 5, ["0.00", "0.25", "0.50", "0.75", "1.00"]),
        (-5, 7, 5, ["-5.0", "-2.5", "0.0", "2.5", "5.0"]),
        (0, 100, 3, ["0", "50", "100"]),
        (0, 1e-6, 4, ["0.0000000", "0.0000005", "0.0000010"]),
        (1e-12, 3e-12, 4, ["1e-12", "2e-12", "3e-12"]),
        (1.5e9, 1.7e9, 4, ["1.5e+09", "1.6e+09", "1.7e+09"]),
        (999_999_990, 1_000_000_010, 3, ["999,999,990", "1,000,000,000", "1,000,000,010"]),
    ],
)
def test_labels_have_the_digits_of_the_step(lo: float, hi: float, count: int, labels: list[str]) -> None:
    assert [label for _value, label in value_ticks(lo, hi, count)] == labels


@pytest.mark.parametrize(
    ("lo", "hi", "count", "labels"),
    [
        (1, 1_000, 4, ["1", "10", "100", "1,000"]),
        (200, 15_000, 8, ["200", "500", "1,000", "2,000", "5,000", "10,000"]),
        (200, 15_000, 5, ["300", "1,000", "3,000", "10,000"]),
        (0.001, 1e6, 4, ["0.001", "1", "1,000", "1,000,000"]),
        (2, 3, 4, ["2.0", "2.5", "3.0"]),
    ],
)
def test_logarithmic_ticks(lo: float, hi: float, count: int, labels: list[str]) -> None:
    assert [label for _value, label in value_ticks(lo, hi, count, log=True)] == labels


@pytest.mark.parametrize("bad", [(1, 1), (2, 1), (float("nan"), 1), (0, float("inf"))])
def test_no_ticks_where_there_is_no_range(bad: tuple[float, float]) -> None:
    assert value_ticks(*bad, 5) == []
    assert value_ticks(0, 1, 0) == []
    assert value_ticks(-1, 10, 5, log=True) == []


@given(st.floats(-1e12, 1e12), st.floats(1e-6, 1e12), st.integers(1, 30))
def test_ticks_are_round_equally_far_and_what_they_say(lo: float, extent: float, count: int) -> None:
    hi = lo + extent
    ticks = value_ticks(lo, hi, count)
    assert len(ticks) <= count
    for value, label in ticks:
        ulps = extent * 1e-6 + 1e-15 * max(abs(lo), abs(hi))
        assert lo - ulps <= value <= hi + ulps
        assert float(label.replace(",", "")) == pytest.approx(value, rel=1e-12, abs=1e-12)
    if extent > 1e-9 * max(abs(lo), abs(hi)):
        assert len({label for _value, label in ticks}) == len(ticks)
        # A step of 1, 2, 2.5, 5 x 10^n leaves at least a fifth of the places that there were for ticks.
        assert len(ticks) >= min(count, 5) // 3
        steps = [b[0] - a[0] for a, b in pairwise(ticks)]
        assert all(step == pytest.approx(steps[0], rel=1e-3) for step in steps)


@given(FINITE, FINITE, st.integers(-1, 400), st.booleans())
def test_no_range_makes_ticks_fail(lo: float, hi: float, count: int, log: bool) -> None:
    ticks = value_ticks(lo, hi, count, log)
    assert [value for value, _label in ticks] == sorted(value for value, _label in ticks)
    assert len(ticks) <= max(count, 0)
    assert all(isfinite(value) for value, _label in ticks)


def test_a_range_stays_until_data_leave_it_or_fill_too_little() -> None:
    first = sticky_range(None, 61_812, 61_838)
    assert first[0] <= 61_812 < 61_838 <= first[1]
    assert sticky_range(first, 61_813.5, 61_837) == first
    assert sticky_range(first, 61_815, 61_836) == first
    above = sticky_range(first, 61_815, first[1] + 0.01)
    assert above != first
    assert above[1] > first[1]
    small = sticky_range(first, 61_820, 61_824)
    assert small[1] - small[0] < (first[1] - first[0]) / 2


def test_without_data_a_range_stays_as_it_is() -> None:
    inf = float("inf")
    assert sticky_range(None, inf, -inf) == (0, 1)
    assert sticky_range((3, 4), inf, -inf) == (3, 4)
    assert sticky_range((3, 4), float("nan"), 5) == (3, 4)
    assert sticky_range(None, inf, -inf, log=True) == (1, 10)
    assert sticky_range((5, 5), 1, 2) == fit_range(1, 2)
    assert sticky_range((-5, 5), 1, 200, log=True) == fit_range(1, 200, log=True)


def test_a_flat_line_gets_room_around_it_and_keeps_it() -> None:
    for value in (61_837.63, 5.0, -0.001, 0.0, 1e16):
        lo, hi = fit_range(value, value)
        assert lo < value < hi
        assert 0.2 < (value - lo) / (hi - lo) < 0.8
        assert sticky_range((lo, hi), value, value) == (lo, hi)


def test_positive_data_get_no_negative_axis() -> None:
    assert fit_range(0.1, 99)[0] == 0
    assert fit_range(-99, -0.1)[1] == 0


def test_a_logarithmic_range_ends_at_round_values() -> None:
    assert fit_range(1.2, 900, log=True) == (1, 1_000)
    assert fit_range(0.03, 45, log=True) == (0.02, 50)
    assert fit_range(2, 3, log=True)[0] > 0


@given(FINITE, FINITE, st.one_of(st.none(), st.tuples(FINITE, FINITE)), st.booleans())
def test_a_range_holds_the_data(a: float, b: float, previous: tuple[float, float] | None, log: bool) -> None:
    lo, hi = min(a, b), max(a, b)
    low, high = sticky_range(previous, lo, hi, log)
    assert low < high or lo == hi
    if not log or lo > 0:
        assert low <= lo
        assert hi <= high
        fitted = (low, high) if previous is None else sticky_range(None, lo, hi, log)
        assert sticky_range(fitted, lo, hi, log) == fitted


@given(st.floats(1e-3, 1e6), st.floats(1.0001, 1e6))
def test_a_fitted_range_is_filled_by_half(lo: float, factor: float) -> None:
    hi = lo * factor
    low, high = fit_range(lo, hi)
    if hi - lo > 1e-9 * hi:
        assert (hi - lo) / (high - low) > 0.5
    low, high = fit_range(lo, hi, log=True)
    if factor > 100:
        assert log10(hi / lo) / log10(high / low) > 0.5
