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
UNITS: Final = ("amplitude", "decibel")
FLOOR: Final = 1e-300  # amplitude that stands for none, in decibels
NS: Final = 1e-9


class Spectrum(NamedTuple):
    """frequency: float64[m], Hz (cycles per unit of an axis that is not time), rising, evenly spaced, above 0.

    size: float64[m], in the values' own unit: that of a sine is its amplitude; or in decibels of that.
    samples: how many were transformed.
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
    t: Times, v: Values, window: str = "hann", unit: str = "amplitude", gaps: Sequence[tuple[int, int]] = ()
) -> Spectrum | None:
    """The spectrum of the longest stretch of ticks that no gap (from, to, ns) cuts; None where it has too few.

    t: int64[n], ns, rising; v: float64[n], of which those count that are finite. Ticks that come unevenly are put on
    an even grid of as many samples by straight lines between them; the mean is taken away first.
    """
    known = np.isfinite(v)
    t, v = _longest(t[known], v[known], gaps)
    count = len(t)
    if count < LEAST_POINTS or t[-1] <= t[0]:
        return None
    seconds = (t - t[0]) * NS
    step = float(seconds[-1]) / (count - 1)
    largest = float(np.abs(v).max()) or 1.0
    even = np.interp(np.arange(count) * step, seconds, v / largest)
    window_of = weights(window, count)
    found = np.abs(np.fft.rfft((even - even.mean()) * window_of)) / window_of.sum()
    found[1 : len(found) - (count % 2 == 0)] *= 2  # what has a negative frequency too
    with np.errstate(over="ignore"):
        size = found[1:] * largest
    if unit == "decibel":
        size = 20 * np.log10(np.maximum(size, FLOOR))
    return Spectrum(np.arange(1, len(found)) / (count * step), size, count)


def _longest(t: Times, v: Values, gaps: Sequence[tuple[int, int]]) -> tuple[Times, Values]:
    """The longest stretch of ticks between two gaps; of one with more than can be transformed the newest."""
    cuts = {0, len(t)} | {int(np.searchsorted(t, to, side="left")) for since, to in gaps if to > since}
    at = sorted(cuts)
    begin, end = max(pairwise(at), key=lambda part: part[1] - part[0], default=(0, 0))
    begin = max(begin, end - MOST_POINTS)
    return t[begin:end], v[begin:end]
