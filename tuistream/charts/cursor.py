"""A cursor over a finished panel. Pure."""

from __future__ import annotations

from typing import Final

import numpy as np

from tuistream.charts.panel import AXIS, FLAT, GAP, LABEL, Frame
from tuistream.charts.raster import BLANK

ARMS: Final = (2, 1)  # cells to either side, and above and below
WHITE, BLACK = 0xFFFFFF, 0x000000
_SIGNS: Final = {"braille": "┼╌╎", "blocks": "┼─│", "ascii": "+-|"}


def with_cursor(frame: Frame, column: int, row: int, glyphs: str, *, tall: bool = False) -> Frame:
    """`frame` with a cross at a cell, which hides nothing: its arms are in blank cells.

    tall: the arm that goes up and down is as long as the canvas, which ends above the lower axis.
    """
    if not (0 <= column < frame.width and 0 <= row < frame.height):
        return frame
    cross, level, upright = map(ord, _SIGNS[glyphs])
    chars, ink = frame.chars.copy(), frame.ink.copy()
    fg, bg = (None if part is None else part.copy() for part in (frame.fg, frame.bg))
    axis = np.flatnonzero(ink[row:, column] == AXIS)
    bottom = row + int(axis[0]) if len(axis) else frame.height
    above, below = (0, bottom) if tall else (max(0, row - ARMS[1]), min(bottom, row + ARMS[1] + 1))
    left, right = max(0, column - ARMS[0]), min(frame.width, column + ARMS[0] + 1)
    for part, sign in ((np.s_[above:below, column], upright), (np.s_[row, left:right], level)):
        free = (chars[part] == BLANK) | (ink[part] == GAP)
        if bg is not None:
            free &= bg[part] < 0
        chars[part] = np.where(free, sign, chars[part])
        ink[part] = np.where(free, LABEL, ink[part])
    if chars[row, column] in (upright, level):
        chars[row, column] = cross
    ink[row, column] = FLAT
    if fg is not None and bg is not None:
        fg[row, column], bg[row, column] = WHITE, BLACK
    return Frame(chars, ink, fg=fg, bg=bg)
