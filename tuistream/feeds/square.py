"""`serve square`: 1 for half a period, then -1."""

from __future__ import annotations

import numpy as np

from tuistream.feeds.periodic import Periodic
from tuistream.feeds.walk import WalkOptions


def create(options: WalkOptions) -> Periodic:
    return Periodic("square", options, lambda phase: np.where(phase < 0.5, 1.0, -1.0))
