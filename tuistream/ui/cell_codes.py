"""Cells of a screen as numbers.

A cell is one int64: the number of its style above 21 bits, in them a code point; for what is more than one code
point, 0x110000 and the number of the text; CONTINUED for the right half of a wide character. UNKNOWN is no cell.
Where a picture is seen in pixels, the code says which row and column of it that is, and the style which picture.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

UNKNOWN: Final = -1
STYLE_SHIFT: Final = 21
CODE: Final = (1 << STYLE_SHIFT) - 1
TEXTS_FROM: Final = 0x110000
MOST_TEXTS: Final = 65_536
PLACED_FROM: Final = TEXTS_FROM + MOST_TEXTS  # cells whose text is a placeholder of Kitty's
COLUMN_BITS: Final = 9
MOST_SIDE: Final = 1 << COLUMN_BITS  # rows, or columns, of a picture
STRIPS_FROM: Final = PLACED_FROM + MOST_SIDE * MOST_SIDE  # cells under sixels
PLACES_END: Final = STRIPS_FROM + MOST_SIDE * MOST_SIDE
CONTINUED: Final = CODE
# Code points of one cell each in every terminal: Latin, arrows, box drawing, blocks, shapes, braille.
NARROW: Final = (
    (0x20, 0x7F),
    (0xA1, 0xAD),
    (0xAE, 0x300),
    (0x2010, 0x2028),
    (0x2190, 0x2195),
    (0x2500, 0x25FD),
    (0x2800, 0x2900),
)
_NARROW_TEXT: Final = re.compile(
    "[{}]*".format("".join(f"{re.escape(chr(first))}-{chr(stop - 1)}" for first, stop in NARROW))
)

Cells = NDArray[np.int64]


def is_narrow(text: str) -> bool:
    """Whether each character of a text has one cell in every terminal."""
    return _NARROW_TEXT.fullmatch(text) is not None


def codes_of(rows: int, columns: int, *, strips: bool) -> Cells:
    """int64[rows, columns]: the codes of a picture's cells. Neither is more than MOST_SIDE."""
    places = (np.arange(rows)[:, None] << COLUMN_BITS) | np.arange(columns)
    return places.astype(np.int64) + (STRIPS_FROM if strips else PLACED_FROM)


def are_placed(codes: Cells) -> NDArray[np.bool_]:
    """Which codes are of cells of pictures in pixels."""
    found: NDArray[np.bool_] = (codes >= PLACED_FROM) & (codes < PLACES_END)
    return found


def placeholder(code: int) -> str:
    """The text of a cell from PLACED_FROM on."""
    from tuistream.charts.graphics.kitty import cell  # only where there are such

    return cell(*divmod(code - PLACED_FROM, MOST_SIDE))
