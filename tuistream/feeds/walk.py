"""What a synthetic feed is: numbers for each symbol, step by step, and the frames that say them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuistream.core.durations import UNITS
from tuistream.core.errors import SettingsError

MAX_SYMBOLS = 1_000
NOMINAL_RATE = 20.0  # steps/s that a wave is drawn for where it is sent flat out


@dataclass(frozen=True, slots=True)
class WalkOptions:
    """What the user said about a walk.

    symbols: how many. seed: the same seed gives the same walk; None for another each time. rate: steps/s, 0 for flat
    out. prices: where each symbol starts, or one for all. drift, volatility: a year, as fractions. step: ns of the
    walk's own time for each tick. correlation: between any two symbols. period: ns of one turn of a wave, 0 for one
    that suits the rate.
    """

    symbols: int = 1
    seed: int | None = None
    rate: float = NOMINAL_RATE
    prices: tuple[float, ...] = (145.0,)
    drift: float = 0.05
    volatility: float = 0.1
    step: int = UNITS["d"]
    correlation: float = 0.0
    period: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.symbols <= MAX_SYMBOLS:
            raise SettingsError(f"--symbols {self.symbols}: from 1 to {MAX_SYMBOLS:,} are possible")


class Walk(ABC):
    """A feed's values. The same seed gives the same values however the steps are cut into blocks.

    symbols: their names; the frames of a walk with one symbol do not name it.
    """

    def __init__(self, name: str, options: WalkOptions) -> None:
        self.symbols = tuple(f"{name.upper()}{i + 1}" for i in range(options.symbols))
        names = [f', "symbol": "{symbol}"' for symbol in self.symbols]
        self._names = names if options.symbols > 1 else [""]

    @abstractmethod
    def values(self, steps: int) -> NDArray[np.float64]:
        """The next steps: float64[steps, symbols]."""

    @abstractmethod
    def says(self, values: list[float]) -> list[str]:
        """For each value the end of its frame: the field and its value as JSON, as in '"value": 0.5'."""

    def frames(self, times: NDArray[np.int64], values: NDArray[np.float64]) -> list[str]:
        """One frame for each value, symbol after symbol within a step.

        times: int64[steps], ns since 1970 UTC. A frame says them in seconds, as streaming-plot's server does:
        {"time": 1795172027.0605018, "price": "144.89"}
        """
        said = self.says(values.ravel().tolist())
        seconds = (times / 1e9).tolist()
        heads = [f'{{"time": {time}{name}, ' for time in seconds for name in self._names]
        return [f"{head}{tail}}}" for head, tail in zip(heads, said, strict=True)]
