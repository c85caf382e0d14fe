"""Pictures in pixels over the cells that stand for them.

All that is wanted on a screen is cells, and so is a picture: half blocks. Where the terminal can show its pixels, its
layer has other cells take their place, each only while it is still that picture's: what is drawn over it is seen.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tuistream.ui.cell_codes import Cells


class Strip(NamedTuple):
    """Rows of a picture, of its cells, that one sequence draws from their first cell on."""

    row: int
    rows: int
    text: str


class Layer(NamedTuple):
    """A picture at row y and column x. instead_of, cells: int64[rows, columns]: what is the one becomes the other.

    strips: what draws them all, from the top, where that is no text; then all of them are there, or none is.
    """

    y: int
    x: int
    instead_of: Cells
    cells: Cells
    strips: tuple[Strip, ...] = ()

    def fits(self, width: int, height: int) -> bool:
        """Whether it lies on a screen of that size; it may be for another one, before a resize has come through."""
        rows, columns = self.cells.shape
        return bool(0 <= self.y <= height - rows and 0 <= self.x <= width - columns)


def composed(wanted: Cells, width: int, layers: tuple[Layer, ...]) -> Cells:
    """The cells of a screen, int64[height * width], with pictures in them."""
    if not layers:
        return wanted
    found = wanted.copy()
    screen = found.reshape(-1, width)
    for layer in layers:
        if not layer.fits(width, len(screen)):
            continue
        rows, columns = layer.cells.shape
        part = screen[layer.y : layer.y + rows, layer.x : layer.x + columns]
        same = part == layer.instead_of
        if not layer.strips or same.all():
            np.copyto(part, layer.cells, where=same)
    return found
