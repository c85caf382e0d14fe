"""What sine, square and sawtooth have in common: a shape over a phase that turns at a steady rate."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tuistream.core.errors import SettingsError
from tuistream.feeds.walk import NOMINAL_RATE, Walk, WalkOptions

PERIOD = 10.0  # seconds, unless the ticks are so few that FEWEST_TICKS take longer
FEWEST_TICKS = 20.0

Shape = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def said_as_value(values: list[float]) -> list[str]:
    """Values as JSON numbers with six decimals at most."""
    return [f'"value": {round(value, 6)}' for value in values]


class Periodic(Walk):
    """A wave between -1 and 1. Several symbols are the same wave, shifted evenly over one period.

    `shape` turns phases in [0, 1) into values.
    """

    def __init__(self, name: str, options: WalkOptions, shape: Shape) -> None:
        super().__init__(name, options)
        rate = options.rate or NOMINAL_RATE
        self._ticks_a_turn = rate * options.period / 1e9 if options.period else max(rate * PERIOD, FEWEST_TICKS)
        if self._ticks_a_turn < 2:
            raise SettingsError(
                f"--period: a turn of {self._ticks_a_turn:.3g} ticks shows no {name}; "
                f"at {rate:g} ticks/s {2 / rate:.3g} s or more are wanted"
            )
        self._shape = shape
        self._shifts = np.arange(options.symbols) / options.symbols
        self._next = 0

    def values(self, steps: int) -> NDArray[np.float64]:
        ticks = np.arange(self._next, self._next + steps, dtype=np.float64)
        self._next += steps
        return self._shape((ticks[:, None] / self._ticks_a_turn + self._shifts) % 1.0)

    def says(self, values: list[float]) -> list[str]:
        return said_as_value(values)
