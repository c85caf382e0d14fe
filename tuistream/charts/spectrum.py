"""Spectra: how much of each frequency there is in a stretch of ticks. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from tuistream.core.batch import Times, Values

MOST_POINTS: Final = 1 << 16  # samples that are transformed at once
LEAST_POINTS: Final = 8
WINDOWS: Final = ("hann", "hamming", "blackman", "none")
UNITS: Final = ("amplitude", "dB", "density")
ALONG: Final = ("time", "ticks")
FLOOR: Final = 1e-300  # amplitude that stands for none, in decibels
NS: Final = 1e-9


class Transform(NamedTuple):
    """How a spectrum is made of ticks: one of `WINDOWS`, of `UNITS` and of `ALONG`."""

    window: str = WINDOWS[0]
    unit: str = UNITS[0]
    along: str = ALONG[0]

    @property
    def words(self) -> str:
        """What of it a reader need know."""
        window = "no window" if self.window == "none" else self.window.capitalize()
        return window if self.unit == UNITS[0] else f"{window}  {self.unit}"


DEFAULT: Final = Transform()


class Spectrum(NamedTuple):
    """frequency: float64[m], Hz (cycles per unit of an axis that is not time, or per tick), rising, even, above 0.

    size: float64[m]. amplitude: in the values' own unit, that of a sine is its amplitude. dB: 20 log10 of that.
    density: of power, one-sided, in the values' unit squared per Hz, so that its integral is the variance (P. D.
    Welch, IEEE Transactions on Audio and Electroacoustics 15, 1967). samples: how many were transformed.
    """

    frequency: Values
    size: Values
    samples: int


def weights(window: str, count: int) -> Values:
    """The weights of a window, float64[count], periodic, as F. J. Harris has them (Proc. IEEE 66, 1978).

    Raises ValueError for a name that is none of `WINDOWS`.
    """
    if window == "none":
        return np.ones(count)
    makers = {"hann": np.hanning, "hamming": np.hamming, "blackman": np.blackman}
    if window not in makers:
        raise ValueError(f"{window} is no window; there are {', '.join(WINDOWS)}")
    found: Values = makers[window](count + 1)[:-1]
    return found


def spectrum_of(
    t: Times, v: Values, transform: Transform = DEFAULT, gaps: Sequence[tuple[int, int]] = ()
) -> Spectrum | None:
    """The spectrum of the longest stretch of ticks that no gap (from, to, ns) cuts; None where it has too few.

    t: int64[n], ns, rising; v: float64[n], of which those count that are finite. Along time, ticks that come unevenly
    are put on an even grid of as many samples by straight lines between them; along ticks each is a sample as it is.
    The mean is taken away first. Raises ValueError for a window that is none.
    """
    known = np.isfinite(v)
    t, v = _longest(t[known], v[known], gaps)
    count = len(t)
    if count < LEAST_POINTS or (transform.along == "time" and t[-1] <= t[0]):
        return None
    largest = float(np.abs(v).max()) or 1.0
    even, step = v / largest, 1.0
    if transform.along == "time":
        seconds = (t - t[0]) * NS
        step = float(seconds[-1]) / (count - 1)
        even = np.interp(np.arange(count) * step, seconds, even)
    window = weights(transform.window, count)
    found = np.abs(np.fft.rfft((even - even.mean()) * window))
    twice = np.full(len(found), 2.0)  # each has a negative frequency too, but for none and the highest
    twice[0] = twice[-1] = 1.0
    twice[-1] += count % 2
    with np.errstate(over="ignore"):
        if transform.unit == "density":
            size = twice * found**2 * step / (window**2).sum() * largest * largest
        else:
            size = twice * found / window.sum() * largest
    if transform.unit == "dB":
        size = 20 * np.log10(np.maximum(size, FLOOR))
    return Spectrum(np.arange(1, len(found)) / (count * step), size[1:], count)


def _longest(t: Times, v: Values, gaps: Sequence[tuple[int, int]]) -> tuple[Times, Values]:
    """The longest stretch of ticks between two gaps; of one with more than can be transformed the newest."""
    cuts = {0, len(t)} | {int(np.searchsorted(t, to, side="left")) for since, to in gaps if to > since}
    at = sorted(cuts)
    begin, end = max(pairwise(at), key=lambda part: part[1] - part[0], default=(0, 0))
    begin = max(begin, end - MOST_POINTS)
    return t[begin:end], v[begin:end]
