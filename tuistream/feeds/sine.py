"""`serve sine`: a sine wave."""

from __future__ import annotations

import numpy as np

from tuistream.feeds.periodic import Periodic
from tuistream.feeds.walk import WalkOptions


def create(options: WalkOptions) -> Periodic:
    return Periodic("sine", options, lambda phase: np.sin(2 * np.pi * phase))
