"""The colours of terminals that have 256 or 16 of them, and which of those is nearest to another.

The 256 are xterm's: 16, a cube of 6 x 6 x 6, and 24 greys. What the first 16 look like is each terminal's own;
xterm's are taken. Source: xterm, 256colres.h and XTerm-col.ad.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.int32]  # 0xRRGGBB, -1 for none

LEVELS: Final = (0, 95, 135, 175, 215, 255)  # of the cube
CUBE_FROM, GREYS_FROM = 16, 232
SIXTEEN: Final = (
    *(0x000000, 0xCD0000, 0x00CD00, 0xCDCD00, 0x0000EE, 0xCD00CD, 0x00CDCD, 0xE5E5E5),
    *(0x7F7F7F, 0xFF0000, 0x00FF00, 0xFFFF00, 0x5C5CFF, 0xFF00FF, 0x00FFFF, 0xFFFFFF),
)


def nearest(colours: Colours, count: int) -> Colours:
    """The index of the nearest colour among `count`, 256 or 16; -1 for none. int32 of the same shape."""
    known = np.stack((colours >> 16 & 255, colours >> 8 & 255, colours & 255), axis=-1)
    found = _of_sixteen(known) if count == 16 else _of_256(known)
    return np.where(colours < 0, -1, found).astype(np.int32)


def colours_of(indices: Colours, count: int) -> Colours:
    """The colours at indices of the palette of `count`, 256 or 16, as they are taken to look."""
    palette = np.array(SIXTEEN, np.int32)
    if count != 16:
        levels = np.array(LEVELS, np.int32)
        cube = (levels[:, None, None] << 16) | (levels[:, None] << 8) | levels
        palette = np.concatenate((palette, cube.ravel(), (8 + 10 * np.arange(24, dtype=np.int32)) * 0x010101))
    return np.where(indices < 0, -1, palette[indices]).astype(np.int32)


def _of_sixteen(colours: NDArray[np.int32]) -> NDArray[np.int64]:
    palette = np.array([(each >> 16, each >> 8 & 255, each & 255) for each in SIXTEEN], np.int32)
    best = np.zeros(colours.shape[:-1], np.int64)
    least = np.full(colours.shape[:-1], np.iinfo(np.int32).max, np.int32)
    for index, colour in enumerate(palette):
        apart = ((colours - colour) ** 2).sum(axis=-1, dtype=np.int32)
        best[apart < least] = index
        np.minimum(least, apart, out=least)
    return best


def _of_256(colours: NDArray[np.int32]) -> NDArray[np.int64]:
    levels = np.array(LEVELS, np.int32)
    steps = np.searchsorted((levels[1:] + levels[:-1]) // 2 + 1, colours, side="right")
    in_cube = ((colours - levels[steps]) ** 2).sum(axis=-1)
    greys = np.clip((colours.mean(axis=-1) - 3) // 10, 0, 23).astype(np.int64)
    in_greys = ((colours - (8 + 10 * greys)[..., None]) ** 2).sum(axis=-1)
    cube = CUBE_FROM + steps[..., 0] * 36 + steps[..., 1] * 6 + steps[..., 2]
    return np.where(in_greys < in_cube, GREYS_FROM + greys, cube)
