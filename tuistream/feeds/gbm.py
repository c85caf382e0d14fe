"""`serve gbm`: prices that follow geometric Brownian motions."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tuistream.core.durations import UNITS
from tuistream.core.errors import SettingsError
from tuistream.feeds.walk import Walk, WalkOptions

YEAR = 365 * UNITS["d"]
LOWEST, HIGHEST = 1e-6, 1e9  # starting prices
SPAN = math.log(1e9)  # of the logarithm, up and down from the start; the walk is reflected there
LONGEST_STEP = 1.0  # in the logarithm, drift and five standard deviations together


class GeometricBrownianMotion(Walk):
    """The exact log-normal step S(t+dt) = S(t)·exp((mu - sigma²/2)·dt + sigma·sqrt(dt)·Z), Z standard normal.

    Glasserman, Monte Carlo Methods in Financial Engineering, (3.22). The first tick is the starting price. A walk
    that runs for long grows without bound (at 20 ticks/s and a day a tick, a millionfold in an hour and a half), so
    far from its start, a factor of 1e9, the logarithm is reflected: the steps keep their size, and turn.
    """

    def __init__(self, options: WalkOptions) -> None:
        super().__init__("gbm", options)
        count, years = options.symbols, options.step / YEAR
        self._start = np.log(_prices(options))
        self._moved = np.zeros(count)  # of the logarithm, before reflection
        self._drift = (options.drift - options.volatility * options.volatility / 2) * years
        self._deviation = options.volatility * math.sqrt(years)
        _check(options, self._drift, self._deviation)
        # The square root of the matrix with 1 on its diagonal and the correlation elsewhere: own·I + shared·J.
        rest = math.sqrt(1 - options.correlation)
        self._own = rest
        self._shared = (math.sqrt(max(0.0, 1 + (count - 1) * options.correlation)) - rest) / count
        self._random = np.random.default_rng(options.seed)
        self._begun = False

    def values(self, steps: int) -> NDArray[np.float64]:
        at_start = int(not self._begun and steps > 0)
        self._begun = self._begun or steps > 0
        z = self._random.standard_normal((steps - at_start, len(self.symbols)))
        z = self._own * z + self._shared * z.sum(axis=1, keepdims=True)
        # Summed from where the last block ended, in order: to the last bit the same however the steps are cut.
        moved = np.cumsum(np.vstack((self._moved, self._drift + self._deviation * z)), axis=0)
        self._moved = moved[-1]
        reflected = SPAN - np.abs((moved[1 - at_start :] + SPAN) % (4 * SPAN) - 2 * SPAN)
        return np.exp(self._start + reflected)

    def says(self, values: list[float]) -> list[str]:
        return [f'"price": "{price:.2f}"' if price >= 1 else f'"price": "{_small(price)}"' for price in values]


def create(options: WalkOptions) -> GeometricBrownianMotion:
    return GeometricBrownianMotion(options)


def _small(price: float) -> str:
    """A price below 1 with four significant digits, so that it does not become flat."""
    return f"{price:.{3 - math.floor(math.log10(price))}f}"


def _prices(options: WalkOptions) -> NDArray[np.float64]:
    prices, count = options.prices, options.symbols
    if len(prices) not in (1, count):
        raise SettingsError(f"--price: once for all or once for each symbol; {len(prices)} given for {count} symbols")
    for price in prices:
        if not LOWEST <= price <= HIGHEST:
            raise SettingsError(f"--price {price:g}: from {LOWEST:g} to {HIGHEST:g} is possible")
    return np.broadcast_to(np.array(prices), count).astype(np.float64)


def _check(options: WalkOptions, drift: float, deviation: float) -> None:
    correlation, count = options.correlation, options.symbols
    if count == 1 and correlation:
        raise SettingsError("--correlation: for several symbols (--symbols)")
    lowest = -1 / (count - 1) if count > 1 else 0.0
    # Only in this range is the matrix of correlations positive semi-definite.
    if not lowest - 1e-12 <= correlation <= 1:
        raise SettingsError(
            f"--correlation {correlation:g}: {count} symbols can have from {lowest:.4g} to 1 in common"
        )
    if options.step <= 0:
        raise SettingsError("--step: more than 0 is wanted")
    if not options.volatility >= 0:
        raise SettingsError(f"--volatility {options.volatility:g}: 0 or more is wanted")
    if not abs(drift) + 5 * deviation <= LONGEST_STEP:
        raise SettingsError(
            f"--drift {options.drift:g}, --volatility {options.volatility:g}: too much for one --step of "
            f"{options.step / YEAR:.3g} years; a shorter step is wanted"
        )
