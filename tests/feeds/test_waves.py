"""`serve sine`, `square`, `sawtooth` and `noise`, and how a feed is found by its name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tuistream.core.errors import SettingsError
from tuistream.feeds import NAMES, create, resolve
from tuistream.feeds.walk import WalkOptions

WAVES = ("sine", "square", "sawtooth")
PHASE = np.arange(200) / 200


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sine", np.sin(2 * np.pi * PHASE)),
        ("square", np.where(PHASE < 0.5, 1.0, -1.0)),
        ("sawtooth", 2 * PHASE - 1),
    ],
)
def test_a_turn_takes_ten_seconds(name: str, expected: NDArray[np.float64]) -> None:
    values = create(name, WalkOptions()).values(600)[:, 0]
    for turn in range(3):
        np.testing.assert_allclose(values[turn * 200 : (turn + 1) * 200], expected, atol=1e-9)


def test_a_period_is_kept_and_one_too_short_to_show_is_refused() -> None:
    values = create("square", WalkOptions(rate=1_000, period=10**9)).values(1_000)[:, 0]
    assert values[:500].tolist() == [1.0] * 500
    assert values[500:].tolist() == [-1.0] * 500
    with pytest.raises(SettingsError, match=r"--period: a turn of 0\.5 ticks shows no sine"):
        create("sine", WalkOptions(rate=0.5, period=10**9))
    with pytest.raises(SettingsError, match="--period"):
        create("sine", WalkOptions(rate=0, period=10**6))


def test_a_wave_at_a_low_rate_still_is_one() -> None:
    assert create("sine", WalkOptions(rate=0.1)).values(20)[:, 0].max() > 0.95


def test_several_symbols_are_shifted() -> None:
    values = create("sine", WalkOptions(symbols=4)).values(200)
    np.testing.assert_allclose(values[:, [1]], np.roll(values[:, [0]], -50, axis=0), atol=1e-9)
    np.testing.assert_allclose(values.sum(axis=1), 0, atol=1e-9)


def test_noise_is_standard_normal_and_its_symbols_independent() -> None:
    values = create("noise", WalkOptions(symbols=2, seed=3)).values(50_000)
    assert abs(values.mean()) < 0.02
    assert values.std() == pytest.approx(1, rel=0.02)
    assert abs(np.mean(values[:, 0] * values[:, 1])) < 0.025


@given(st.sampled_from(NAMES), st.lists(st.integers(0, 300), min_size=1, max_size=8))
def test_cuts_change_nothing(name: str, cuts: list[int]) -> None:
    whole = create(name, WalkOptions(seed=1, symbols=3)).values(sum(cuts))
    walk = create(name, WalkOptions(seed=1, symbols=3))
    np.testing.assert_array_equal(np.concatenate([walk.values(steps) for steps in cuts]), whole)


@pytest.mark.parametrize("name", [*WAVES, "noise"])
def test_a_frame_holds_a_number(name: str) -> None:
    walk = create(name, WalkOptions(seed=1))
    frames = [json.loads(frame) for frame in walk.frames(np.arange(30) * 10**9, walk.values(30))]
    assert all(list(frame) == ["time", "value"] and type(frame["value"]) is float for frame in frames)
    named = create(name, WalkOptions(symbols=2))
    second = json.loads(named.frames(np.array([0]), named.values(1))[1])
    assert second["symbol"] == f"{name.upper()}2"


def test_words_are_names_or_files(tmp_path: Path) -> None:
    file = tmp_path / "frames.txt"
    file.touch()
    assert resolve(["sine"]) == "sine"
    assert resolve([str(file), str(file)]) == (file, file)
    with pytest.raises(
        SettingsError, match=r"'gbmm' is neither a feed \(gbm, sine, square, sawtooth, noise\) nor a file"
    ):
        resolve(["gbmm"])
    with pytest.raises(SettingsError, match="'sin\\[·m' is neither"):
        resolve(["sin[\x1bm"])
    with pytest.raises(SettingsError, match="one feed at a time"):
        resolve(["gbm", str(file)])
    with pytest.raises(SettingsError, match="a folder"):
        resolve([str(tmp_path)])
    with pytest.raises(SettingsError, match="'walk' is neither"):
        create("walk", WalkOptions())
