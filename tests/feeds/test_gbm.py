"""`serve gbm`: the laws of the walk."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuistream.core.durations import UNITS
from tuistream.core.errors import SettingsError
from tuistream.feeds.gbm import SPAN, YEAR, GeometricBrownianMotion, create
from tuistream.feeds.walk import WalkOptions

STEPS = 100_000


def walk(**options: Any) -> GeometricBrownianMotion:
    return create(WalkOptions(**{"seed": 1, "step": UNITS["h"]} | options))


def test_it_is_the_exact_log_normal_step() -> None:
    options = WalkOptions(seed=5, prices=(145.0,), drift=0.3, volatility=0.4, step=UNITS["d"])
    dt, z = options.step / YEAR, np.random.default_rng(5).standard_normal(500)
    expected = 145 * np.exp(np.cumsum((0.3 - 0.4**2 / 2) * dt + 0.4 * math.sqrt(dt) * z))
    values = create(options).values(501)[:, 0]
    assert values[0] == pytest.approx(145, rel=1e-12)
    np.testing.assert_allclose(values[1:], expected, rtol=1e-10)


def test_log_returns_have_the_mean_and_variance_that_were_asked_for() -> None:
    drift, volatility, dt = 2.0, 0.5, UNITS["h"] / YEAR
    returns = np.diff(np.log(walk(drift=drift, volatility=volatility).values(STEPS)[:, 0]))
    mean, variance = (drift - volatility**2 / 2) * dt, volatility**2 * dt
    assert returns.mean() == pytest.approx(mean, abs=5 * math.sqrt(variance / STEPS))
    assert returns.var() == pytest.approx(variance, rel=5 * math.sqrt(2 / STEPS))


@pytest.mark.parametrize(("symbols", "correlation"), [(2, 0.6), (4, -1 / 3), (5, 0.0), (3, 1.0), (2, -1.0)])
def test_any_two_symbols_have_the_correlation_that_was_asked_for(symbols: int, correlation: float) -> None:
    returns = np.diff(np.log(walk(symbols=symbols, correlation=correlation).values(STEPS)), axis=0)
    measured = np.corrcoef(returns.T)
    expected = np.full((symbols, symbols), correlation)
    np.fill_diagonal(expected, 1)
    np.testing.assert_allclose(measured, expected, atol=5 / math.sqrt(STEPS))
    np.testing.assert_allclose(returns.std(axis=0), 0.1 * math.sqrt(UNITS["h"] / YEAR), rtol=0.02)


@given(st.lists(st.integers(0, 400), min_size=1, max_size=12), st.integers(1, 9))
def test_the_same_seed_gives_the_same_walk_however_it_is_cut(cuts: list[int], symbols: int) -> None:
    options: dict[str, Any] = {"symbols": symbols, "correlation": 0.3 if symbols > 1 else 0.0}
    whole = walk(**options).values(sum(cuts))
    cut = walk(**options)
    np.testing.assert_array_equal(np.concatenate([cut.values(steps) for steps in cuts]), whole)


def test_another_seed_gives_another_walk_and_none_one_each_time() -> None:
    walks = [walk(seed=seed).values(50)[1:, 0] for seed in (1, 2, None, None)]
    assert all(not np.any(a == b) for i, a in enumerate(walks) for b in walks[:i])


def test_far_from_its_start_the_walk_turns_and_keeps_its_steps() -> None:
    gbm = walk(drift=0.6, volatility=0.05, step=UNITS["d"])
    logs = np.log(np.concatenate([gbm.values(20_000) for _ in range(4)])[:, 0] / 145)
    assert SPAN * 0.99 < logs.max() <= SPAN
    assert logs[-1] < logs.max() - 5
    returns = np.abs(np.diff(logs))
    assert returns.max() < 0.05
    assert np.median(returns[:20_000]) == pytest.approx(np.median(returns[-20_000:]), rel=0.1)


def test_a_frame_is_streaming_plots() -> None:
    frames = walk().frames(np.array([1795172027_060501800, 1795172027_500000000]), np.array([[144.891], [0.51238]]))
    assert frames == [
        '{"time": 1795172027.0605018, "price": "144.89"}',
        '{"time": 1795172027.5, "price": "0.5124"}',
    ]


def test_several_symbols_are_named_in_their_frames() -> None:
    gbm = walk(symbols=2, prices=(0.01, 20.0))
    frames = gbm.frames(np.array([10**18, 10**18 + 10**9]), gbm.values(2))
    assert [json.loads(frame)["symbol"] for frame in frames] == ["GBM1", "GBM2", "GBM1", "GBM2"]
    assert [json.loads(frame)["price"] for frame in frames[:2]] == ["0.01000", "20.00"]
    assert [json.loads(frame)["time"] for frame in frames] == [1e9, 1e9, 1e9 + 1, 1e9 + 1]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"symbols": 4, "correlation": -0.34}, "--correlation -0.34: 4 symbols can have from -0.3333 to 1"),
        ({"symbols": 2, "correlation": 1.1}, "--correlation"),
        ({"symbols": 2, "correlation": math.nan}, "--correlation"),
        ({"correlation": 0.5}, "--correlation: for several symbols"),
        ({"symbols": 3, "prices": (1.0, 2.0)}, "2 given for 3 symbols"),
        ({"prices": (0.0,)}, "--price 0"),
        ({"prices": (math.nan,)}, "--price nan"),
        ({"step": 0}, "--step"),
        ({"volatility": -0.1}, "--volatility"),
        ({"volatility": 1e200}, "--volatility"),
        ({"drift": math.inf}, "--drift"),
        ({"symbols": 0}, "--symbols 0"),
        ({"symbols": 1_001}, "--symbols 1001: from 1 to 1,000"),
    ],
)
def test_what_cannot_be_is_refused_by_its_option(options: dict[str, Any], error: str) -> None:
    with pytest.raises(SettingsError, match=error):
        walk(**options)
