"""Numbers as text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuistream.charts.numbers import (
    compact,
    digits_for,
    format_change,
    format_percent,
    format_value,
    glyphs_for,
    sparkline,
)

NAN, INF = float("nan"), float("inf")
FLOATS = st.floats(width=64)


@pytest.mark.parametrize(
    ("values", "digits"),
    [
        ([61_837.63, 61_837.6, 61_837.0], 2),
        ([3, 4, 5], 0),
        ([0.1, 0.25], 2),
        ([0.1 + 0.2, 0.7], 1),
        ([1.2e-5, 3.45e-5], 7),
        ([1.5e-12], 13),
        ([0.00001234, 1.0], 8),
        ([NAN, INF, 1.5], 1),
        ([], 0),
        ([0, 0], 0),
        ([1e15 + 0.5], 0),
    ],
)
def test_decimals_are_those_of_the_data(values: list[float], digits: int) -> None:
    assert digits_for(np.array(values, dtype=np.float64)) == digits


def test_values_without_a_smallest_step_get_six_digits() -> None:
    wave = np.sin(np.arange(1.0, 900.0))
    assert digits_for(wave) == 6
    assert digits_for(wave * 1_000) == 3
    assert digits_for(wave * 1e9) == 0


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=50), st.integers(0, 4))
def test_decimals_are_enough_and_not_more(units: list[int], decimals: int) -> None:
    values = np.array([float(f"{unit}e-{decimals}") for unit in units])
    found = digits_for(values)
    assert found <= decimals
    assert [float(format_value(v, found).replace(",", "")) for v in values.tolist()] == values.tolist()


def test_values() -> None:
    assert format_value(61_837.63, 2) == "61,837.63"
    assert format_value(-9.9, 2) == "-9.90"
    assert format_value(-0.001, 2) == "0.00"
    assert format_value(-0.0, 0) == "0"
    assert format_value(1.5e-12, 13) == "1.5000e-12"
    assert format_value(2e15, 0) == "2.0000e+15"
    assert (format_value(NAN, 2), format_value(INF, 2), format_value(-INF, 2)) == ("-", "inf", "-inf")


def test_changes_say_their_sign() -> None:
    assert format_change(12.4, 2) == "+12.40"
    assert format_change(-9.93, 2) == "-9.93"
    assert format_change(0.0, 2) == format_change(-0.001, 2) == format_change(0.001, 2) == "0.00"
    assert format_change(NAN, 2) == "-"
    assert format_percent(0.0212) == "+0.02 %"
    assert format_percent(-0.409) == "-0.41 %"
    assert format_percent(-12_345.6) == "-12,346 %"
    assert format_percent(INF) == "-"


def test_numbers_of_one_magnitude_have_one_width() -> None:
    assert len({len(format_value(v, 2)) for v in (10_000, 61_837.63, 99_999.99)}) == 1
    assert len({len(compact(n)) for n in (1_000_000, 1_239_999, 9_994_999, 58_000_000, 99_949_999)}) == 1


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (999, "999"),
        (999.6, "1.00 k"),
        (1_240, "1.24 k"),
        (9_996, "10.0 k"),
        (999_499, "999 k"),
        (999_500, "1.00 M"),
        (58_000_000, "58.0 M"),
        (1.2e9, "1.20 G"),
        (3.3e19, "33,000 P"),
        (-1_500, "-1.50 k"),
        (1.5, "1.5"),
        (NAN, "-"),
    ],
)
def test_counts_in_three_digits(count: float, text: str) -> None:
    assert compact(count) == text


def test_sparklines() -> None:
    ramp = np.arange(8.0)
    assert sparkline(ramp, 8) == "▁▂▃▄▅▆▇█"
    assert sparkline(ramp, 4) == "▁▃▆█"
    assert sparkline(ramp[:3], 5) == "  ▁▅█"
    assert sparkline(ramp, 7, "ascii") == "_.-=+*#"
    assert sparkline(np.array([1, NAN, 2]), 3) == "▁ █"
    assert sparkline(np.array([5.0, 5.0]), 2) == "▄▄"
    assert sparkline(np.array([NAN]), 3) == "   "
    assert sparkline(ramp, 0) == ""


@given(st.lists(FLOATS, max_size=40), st.integers(0, 20), st.sampled_from(["braille", "blocks", "ascii"]))
def test_a_sparkline_has_its_width(values: list[float], width: int, glyphs: str) -> None:
    assert len(sparkline(np.array(values, dtype=np.float64), width, glyphs)) == width


@given(FLOATS, st.integers(0, 16))
def test_any_number_can_be_written(value: float, digits: int) -> None:
    for text in (format_value(value, digits), format_change(value, digits), format_percent(value), compact(value)):
        assert text
        assert text.isascii()


@pytest.mark.parametrize(
    ("term", "encoding", "glyphs"),
    [
        ("xterm-256color", "utf-8", "braille"),
        ("xterm", "UTF8", "braille"),
        ("linux", "utf-8", "blocks"),
        ("linux", "iso-8859-15", "ascii"),
        ("xterm", "ascii", "ascii"),
        ("xterm", "ANSI_X3.4-1968", "ascii"),
        ("xterm", "klingon", "ascii"),
        ("xterm", "", "ascii"),
    ],
)
def test_what_a_terminal_can_show(term: str, encoding: str, glyphs: str) -> None:
    assert glyphs_for({"TERM": term}, encoding) == glyphs
    assert glyphs_for({}, "utf-8") == "braille"
