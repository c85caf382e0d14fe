"""`serve noise`: independent standard normal numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tuistream.feeds.periodic import said_as_value
from tuistream.feeds.walk import Walk, WalkOptions


class Noise(Walk):
    def __init__(self, options: WalkOptions) -> None:
        super().__init__("noise", options)
        self._random = np.random.default_rng(options.seed)

    def values(self, steps: int) -> NDArray[np.float64]:
        return self._random.standard_normal((steps, len(self.symbols)))

    def says(self, values: list[float]) -> list[str]:
        return said_as_value(values)


def create(options: WalkOptions) -> Noise:
    return Noise(options)
