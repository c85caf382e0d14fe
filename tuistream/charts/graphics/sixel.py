"""Pictures as sixels: bands of six rows of pixels, a colour after another.

Source: DEC, "VT330/VT340 Programmer Reference Manual", volume 2, chapter 14; its colours are percents of red, green
and blue, at most 256 of them.
"""

from __future__ import annotations

import math
import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tuistream.charts.graphics.reduced import Reduced

BAND: Final = 6  # rows of pixels
MOST_COLOURS: Final = 256
MOST_SIDE: Final = 4_096  # pixels; xterm has no larger ones by default than its window
_NOTHING: Final = 63  # the character of a column without any pixel; the six lowest bits on top of it are pixels
_RUN: Final = re.compile(rb"(.)\1{3,}", re.DOTALL)
_WEIGHTS: Final = (1 << np.arange(BAND, dtype=np.uint8)).reshape(1, BAND, 1)


def strip_rows(cell_height: int) -> int:
    """The least number of rows of cells that whole bands fill, so that pictures below each other do not overlap."""
    return BAND // math.gcd(BAND, cell_height)


def sixels(reduced: Reduced, heights: list[int]) -> list[str]:
    """Sequences that draw a picture from the cursor on, in strips of `heights` pixels below each other.

    Heights are whole bands, and together not more than the picture has. All strips have the same colours. Raises
    ImportError without Pillow, and ValueError for a picture that is too large.
    """
    rows, width = reduced.pixels.shape[:2]
    if max(rows, width) > MOST_SIDE or sum(heights) > rows or any(height % BAND for height in heights):
        raise ValueError(f"{width} x {rows} pixels in strips of {heights}")
    colours = min(MOST_COLOURS, reduced.colours or MOST_COLOURS)
    image = Reduced(reduced.pixels, colours, reduced.dithered).image()
    indices = np.asarray(image, np.uint8)
    palette = np.array(image.getpalette() or [0, 0, 0], np.int64).reshape(-1, 3)
    percents = ((palette * 100 + 127) // 255).tolist()
    found, top = [], 0
    for height in heights:
        found.append(_sequence(indices[top : top + height], percents))
        top += height
    return found


def _sequence(indices: NDArray[np.uint8], percents: list[list[int]]) -> str:
    """indices: uint8[bands * 6, width]."""
    height, width = indices.shape
    used = np.unique(indices)
    places = np.zeros(MOST_COLOURS, np.uint8)
    places[used] = np.arange(len(used))
    colours = "".join(
        f"#{place};2;{';'.join(map(str, percents[index]))}" for place, index in enumerate(used.tolist())
    )
    bands = places[indices].reshape(-1, BAND, width)
    # 1 in the second place: pixels that are not drawn stay as they are.
    return f'\x1bP0;1q"1;1;{width};{height}{colours}{"-".join(map(_band, bands))}\x1b\\'


def _band(band: NDArray[np.uint8]) -> str:
    """uint8[6, width] as one row of characters for each colour in it; each begins at the left again."""
    there = np.unique(band)
    masks = ((band[None] == there[:, None, None]) * _WEIGHTS).sum(axis=1, dtype=np.uint8) + np.uint8(_NOTHING)
    parts = []
    for colour, row in zip(there.tolist(), masks, strict=True):
        text = _RUN.sub(_repeated, row.tobytes().rstrip(b"?"))
        parts.append(f"#{colour}{text.decode('ascii')}")
    return "$".join(parts)


def _repeated(run: re.Match[bytes]) -> bytes:
    return b"!%d%c" % (len(run[0]), run[0][0])
