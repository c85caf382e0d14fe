import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuistream.charts.spectrum import LEAST_POINTS, MOST_POINTS, WINDOWS, Transform, spectrum_of

SECOND = 1_000_000_000
START = 1_795_172_400 * SECOND


def sine(frequency: float, amplitude: float, rate: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    seconds = np.arange(count) / rate
    return START + np.rint(seconds * SECOND).astype(np.int64), 7.0 + amplitude * np.sin(
        2 * np.pi * frequency * seconds
    )


@given(st.floats(1.0, 45.0), st.floats(0.01, 1e6), st.sampled_from(WINDOWS))
def test_a_sine_peaks_at_its_frequency_with_its_amplitude(frequency: float, amplitude: float, window: str) -> None:
    found = spectrum_of(*sine(frequency, amplitude, 100, 1_000), Transform(window))
    assert found is not None
    peak = int(found.size.argmax())
    assert abs(found.frequency[peak] - frequency) <= 0.51 * (found.frequency[1] - found.frequency[0])
    # Between two frequencies of the grid every window loses, the plain one the most: 3.9 dB.
    assert 0.63 * amplitude <= found.size[peak] <= 1.03 * amplitude


@pytest.mark.parametrize("window", WINDOWS)
def test_on_the_grid_the_amplitude_is_exact(window: str) -> None:
    found = spectrum_of(*sine(5.0, 3.0, 100, 1_000), Transform(window))
    assert found is not None
    assert found.frequency[found.size.argmax()] == pytest.approx(5.0)
    assert found.size.max() == pytest.approx(3.0, rel=1e-2)
    decibels = spectrum_of(*sine(5.0, 3.0, 100, 1_000), Transform(window, "dB"))
    assert decibels is not None
    assert decibels.size.max() == pytest.approx(20 * np.log10(3.0), abs=0.1)


def test_a_plain_window_gives_numpys_transform() -> None:
    t, v = sine(5.0, 3.0, 100, 257)
    v = v + np.random.default_rng(1).normal(size=len(v))
    found = spectrum_of(t, v, Transform("none"))
    assert found is not None
    assert np.allclose(found.size, 2 * np.abs(np.fft.rfft(v - v.mean()))[1:] / len(v), rtol=1e-6, atol=1e-9)
    assert np.allclose(found.frequency, np.fft.rfftfreq(len(v), 0.01)[1:])


def test_ticks_that_come_unevenly_show_the_same_peak() -> None:
    random = np.random.default_rng(2)
    seconds = np.sort(random.uniform(0, 20, 4_000))
    t = START + (seconds * SECOND).astype(np.int64)
    found = spectrum_of(t, np.sin(2 * np.pi * 3 * seconds))
    assert found is not None
    assert found.frequency[found.size.argmax()] == pytest.approx(3.0, abs=0.06)


def test_no_line_is_drawn_through_a_gap() -> None:
    t, v = sine(5.0, 3.0, 100, 1_000)
    t, v = np.concatenate((t, t[:200] + 60 * SECOND)), np.concatenate((v, v[:200] * 1_000))
    found = spectrum_of(t, v, gaps=[(int(t[999]), int(t[1_000]))])
    assert found is not None
    assert found.samples == 1_000
    assert found.size.max() == pytest.approx(3.0, rel=1e-2)


def test_what_has_no_spectrum() -> None:
    assert spectrum_of(np.arange(3), np.ones(3)) is None
    assert spectrum_of(np.zeros(100, np.int64), np.ones(100)) is None
    assert spectrum_of(np.arange(100), np.full(100, np.nan)) is None
    flat = spectrum_of(np.arange(100) * SECOND, np.ones(100))
    assert flat is not None
    assert flat.size.max() == pytest.approx(0, abs=1e-12)
    many = spectrum_of(np.arange(2 * MOST_POINTS) * SECOND, np.full(2 * MOST_POINTS, 1.7e308))
    assert many is not None
    assert many.samples == MOST_POINTS
    with pytest.raises(ValueError):
        spectrum_of(np.arange(100), np.ones(100), Transform("square"))


@pytest.mark.parametrize("window", WINDOWS)
def test_the_integral_of_the_density_is_the_variance(window: str) -> None:
    """Parseval: exactly so for a plain window, and for noise on average for any."""
    v = np.random.default_rng(3).normal(scale=2.0, size=20_000)
    t = START + np.arange(len(v)) * (SECOND // 250)
    found = spectrum_of(t, v, Transform(window, "density"))
    assert found is not None
    step = found.frequency[1] - found.frequency[0]
    assert found.size.sum() * step == pytest.approx(v.var(), rel=1e-9 if window == "none" else 0.05)


@given(st.integers(LEAST_POINTS, 300), st.sampled_from(WINDOWS))
def test_the_definition_of_the_transform_gives_the_same(count: int, window: str) -> None:
    v = np.random.default_rng(count).normal(size=count)
    t = START + np.arange(count) * SECOND
    found = spectrum_of(t, v, Transform(window))
    assert found is not None
    places = np.arange(count)
    angle = 2 * np.pi * places / count
    shape = {
        "hann": 0.5 - 0.5 * np.cos(angle),
        "hamming": 0.54 - 0.46 * np.cos(angle),
        "blackman": 0.42 - 0.5 * np.cos(angle) + 0.08 * np.cos(2 * angle),
        "none": np.ones(count),
    }[window]
    for k in range(1, count // 2 + 1):
        sine = np.exp(-2j * np.pi * k * places / count)
        size = abs(((v - v.mean()) * shape * sine).sum()) / shape.sum() * (1 if 2 * k == count else 2)
        assert found.size[k - 1] == pytest.approx(size, abs=1e-9)
    assert found.frequency == pytest.approx(np.arange(1, count // 2 + 1) / count)


def test_along_ticks_times_do_not_matter() -> None:
    t = np.sort(np.random.default_rng(4).integers(START, START + 60 * SECOND, 1_000))
    v = np.sin(2 * np.pi * 0.1 * np.arange(1_000))
    for times in (t, np.full(1_000, START)):
        found = spectrum_of(times, v, Transform(along="ticks"))
        assert found is not None
        assert found.frequency[found.size.argmax()] == pytest.approx(0.1)
        assert found.size.max() == pytest.approx(1.0, rel=1e-2)


def test_values_that_are_none_are_bridged() -> None:
    t, v = sine(5.0, 3.0, 100, 1_000)
    v[np.random.default_rng(5).choice(np.arange(1, 999), 100, replace=False)] = np.nan
    found = spectrum_of(t, v)
    assert found is not None
    assert found.samples == 900
    assert found.frequency[found.size.argmax()] == pytest.approx(5.0, abs=0.06)
    assert found.size.max() == pytest.approx(3.0, rel=0.05)


@pytest.mark.parametrize("count", [*range(12), 65_535, 65_536, 65_537, 1_000_000])
def test_any_number_of_ticks(count: int) -> None:
    found = spectrum_of(START + np.arange(count) * SECOND, np.sin(np.arange(count) * 0.5))
    if count < LEAST_POINTS:
        assert found is None
        return
    assert found is not None
    assert found.samples == min(count, MOST_POINTS)
    assert len(found.frequency) == len(found.size) == found.samples // 2
    assert abs(found.frequency[found.size.argmax()] - 0.5 / (2 * np.pi)) <= found.frequency[0]
