"""The world in outlines: Natural Earth's 1:110m coasts and borders, as places in degrees.

Made with Natural Earth (naturalearthdata.com), which is in the public domain, from npm's package world-atlas; its
licence is in the file LICENSE here. `make` says how.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from tuistream.core.batch import Values

PARTS: Final = 100  # of a degree: about a kilometre, which is finer than the outlines are
BREAK: Final = -32_768  # in place of both: a line ends


class Outline(NamedTuple):
    """Lines, one after another. lon, lat: float64[n], degrees; NaN between two lines."""

    lon: Values
    lat: Values


@cache
def coasts() -> Outline:
    """Where land meets water."""
    return _read("coasts")


@cache
def borders() -> Outline:
    """Where two countries meet."""
    return _read("borders")


def _read(name: str) -> Outline:
    places = np.load(Path(__file__).with_name(f"{name}.npy"), allow_pickle=False)
    known = np.where(places == BREAK, np.nan, places / PARTS)
    known.flags.writeable = False
    return Outline(known[:, 0], known[:, 1])
