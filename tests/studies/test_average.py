"""Moving averages: wherever the values are cut, the same as computing them from scratch."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import fsum

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuistream import studies
from tuistream.core.batch import Values
from tuistream.core.errors import SettingsError
from tuistream.studies.average import EMA_BLOCK, PASS, Ema, Sma, ema, sma

PRICES = st.one_of(st.floats(1, 1e6), st.just(np.nan), st.just(np.inf))
LENGTHS = st.integers(1, 40)


def sma_from_scratch(values: Values, length: int) -> Values:
    """Each average by itself, from exactly rounded sums."""
    known: list[float] = []
    averages = []
    for value in values.tolist():
        if np.isfinite(value):
            known.append(value)
        full = np.isfinite(value) and len(known) >= length
        averages.append(fsum(known[-length:]) / length if full else np.nan)
    return np.array(averages, dtype=np.float64)


def ema_from_scratch(values: Values, length: int) -> Values:
    """The definition, in exact arithmetic."""
    alpha, last = Fraction(2, length + 1), None
    averages = []
    for value in values.tolist():
        if not np.isfinite(value):
            averages.append(np.nan)
            continue
        last = Fraction(value) if last is None else last + alpha * (Fraction(value) - last)
        averages.append(float(last))
    return np.array(averages, dtype=np.float64)


def in_pieces(study: studies.Study, values: Values, cuts: list[int]) -> Values:
    edges = [0, *sorted(cut % (len(values) + 1) for cut in cuts), len(values)]
    return np.concatenate([study.extend(values[a:b]) for a, b in pairwise(edges)])


@given(st.lists(PRICES, max_size=120), LENGTHS, st.lists(st.integers(0, 1_000), max_size=12))
def test_cut_anywhere_the_same_as_from_scratch(prices: list[float], length: int, cuts: list[int]) -> None:
    values = np.array(prices, dtype=np.float64)
    for study, expected in (
        (Sma(length), sma_from_scratch(values, length)),
        (Ema(length), ema_from_scratch(values, length)),
    ):
        np.testing.assert_allclose(in_pieces(study, values, cuts), expected, rtol=1e-9)


@given(st.lists(st.floats(), max_size=60), LENGTHS, st.lists(st.integers(0, 1_000), max_size=5))
def test_no_value_makes_it_fail(numbers: list[float], length: int, cuts: list[int]) -> None:
    values = np.array(numbers, dtype=np.float64)
    for study in (Sma(length), Ema(length)):
        averages = in_pieces(study, values, cuts)
        assert len(averages) == len(values)
        assert not np.isinf(averages).any()
        assert np.isnan(averages[~np.isfinite(values)]).all()


def test_missing_values_are_left_out() -> None:
    values = np.array([1, 2, np.nan, 3, 4, np.inf, 8])
    np.testing.assert_array_equal(sma(values, 3), [np.nan, np.nan, np.nan, 2, 3, np.nan, 5])
    np.testing.assert_array_equal(ema(values, 3), [1, 1.5, np.nan, 2.25, 3.125, np.nan, 5.5625])


def test_reset_begins_anew() -> None:
    for study in (Sma(3), Ema(3)):
        first = study.extend(np.array([5.0, 7.0, 9.0, 11.0]))
        study.extend(np.array([1e12, 2.0]))
        study.reset()
        np.testing.assert_array_equal(study.extend(np.array([5.0, 7.0, 9.0, 11.0])), first)


@pytest.mark.parametrize("length", [1, 2, 15, 1_000])
def test_a_spike_that_has_left_the_window_leaves_nothing_behind(length: int) -> None:
    values: Values = np.full(4_000, 60_000.01)
    values += np.arange(4_000) % 7 * 0.01
    spiked = values.copy()
    spiked[1_500] = 1e16
    clean, study = sma(values, length), Sma(length)
    averages = in_pieces(study, spiked, [10, 1_400, 1_499, 1_501, 1_502, 1_520, 3_000])
    np.testing.assert_allclose(averages[1_500 + length :], clean[1_500 + length :], rtol=1e-12)
    assert (averages[max(1_500, length - 1) : 1_500 + length] > 1e12).all()


def test_nothing_drifts_in_ten_million_ticks() -> None:
    generator = np.random.default_rng(7)
    moves = np.round(generator.normal(0, 0.05, 500_000), 2)
    simple, exponential = Sma(50), Ema(50)
    tail = np.empty(0)
    for _ in range(20):
        prices = np.round(60_000.01 + np.cumsum(moves), 2)
        averages, smoothed = simple.extend(prices), exponential.extend(prices)
        tail = prices[-2_000:]
    np.testing.assert_allclose(averages[-1_900:], sma_from_scratch(tail, 50)[-1_900:], rtol=1e-12)
    # What lies further back counts less than (1 - 2 / 51) ** 1,900 = 1e-33.
    np.testing.assert_allclose(smoothed[-50:], ema_from_scratch(tail, 50)[-50:], rtol=1e-12)


def test_long_inputs_are_taken_in_passes() -> None:
    values = np.arange(float(PASS + 3 * EMA_BLOCK + 5))
    values[[7, PASS - 1, PASS]] = np.nan
    for whole, study in ((sma(values, 9), Sma(9)), (ema(values, 9), Ema(9))):
        np.testing.assert_allclose(in_pieces(study, values, [5, 1_000, PASS // 2]), whole, rtol=1e-12)
    np.testing.assert_allclose(sma(values, 9)[-1], values[-9:].mean(), rtol=1e-12)


def test_found_by_name() -> None:
    assert isinstance(studies.create("sma", 15), Sma)
    assert isinstance(studies.create("ema", 50), Ema)
    assert studies.create("ema", 50).length == 50
    assert studies.NAMES == ("ema", "sma")
    with pytest.raises(SettingsError, match="study 'rsy' is not known; known are ema, sma"):
        studies.create("rsy", 15)
    with pytest.raises(SettingsError, match="sma 0"):
        studies.create("sma", 0)
    with pytest.raises(ValueError, match="0 values"):
        Sma(0)
