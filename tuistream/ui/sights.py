"""Pictures as they are to be seen, and what is sent for them. Nothing here writes, and no terminal is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from tuistream.charts.kinds.picture import Crop, Pixels
from tuistream.charts.panel import Frame
from tuistream.ui.cell_codes import MOST_SIDE
from tuistream.ui.layers import Strip

MOST_BYTES: Final = 1_500_000  # of a picture that stands still
MOST_MOVING_BYTES: Final = 250_000  # of one that follows another within a second
# Part of each side, colours (0: all of them), and whether dithered; from the best to the least that is more than half
# blocks. Dithering flickers in what moves.
STEPS: Final = (
    (1.0, 0, False),
    (1.0, 256, True),
    (1.0, 256, False),
    (1.0, 64, False),
    (0.5, 256, False),
    (0.5, 64, False),
    (0.5, 16, False),
    (0.25, 64, False),
    (0.25, 16, False),
)
MOVING_FROM: Final = 2
MOST_STRIP_CELLS: Final = 8  # rows of cells in a strip of sixels
CELL_BYTES: Final = 20  # that a half block takes, at least, where colours change from cell to cell
WORTH: Final = 2.0  # so many times the pixels of half blocks are worth sending


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """A picture in a plot. frame: the same in half blocks. ground: 0xRRGGBB behind it, or -1 for the terminal's."""

    frame: Frame
    pixels: Pixels
    crop: Crop
    ground: int = -1


@dataclass(frozen=True, slots=True)
class Bounds:
    """most: bytes of a picture. strip: bytes of a strip of sixels. cell: a cell's pixels, width and height."""

    most: int
    strip: int
    cell: tuple[int, int]


@dataclass(slots=True, eq=False)
class Picture:
    """A picture in pixels, under a number. data: what Kitty's commands send, of which `sent` characters have been."""

    sight: Sight
    number: int = 0
    data: str = ""
    sent: int = 0
    strips: tuple[Strip, ...] = field(default=())

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        return self.sight.crop.rows, self.sight.crop.columns


def encoded(protocol: str, sight: Sight, bounds: Bounds, *, moving: bool) -> Picture | str:
    """What is sent for a picture; or in a word or two why none is. Takes long enough for a thread of its own."""
    crop = sight.crop
    if max(crop.rows, crop.columns) > (256 if protocol == "kitty" else MOST_SIDE - 1):
        return "too many cells"
    try:
        if protocol == "sixel":
            return _as_sixels(sight, bounds, moving=moving)
        return _as_kitty(sight, bounds, moving=moving)
    except ImportError:
        return "no Pillow"


def _as_kitty(sight: Sight, bounds: Bounds, *, moving: bool) -> Picture | str:
    from tuistream.charts.graphics import kitty
    from tuistream.charts.graphics.reduced import Reduced, cut, fitted

    most = max(bounds.most, CELL_BYTES * sight.crop.rows * sight.crop.columns)
    for part, colours, dithered in STEPS[MOVING_FROM if moving else 0 :]:
        width, height = fitted(sight.crop, bounds.cell, part)
        if part < 1.0 and not _worth(sight.crop, width, height):
            break
        data = kitty.payload(Reduced(cut(sight.pixels, sight.crop, width, height), colours, dithered))
        if len(data) <= most:
            return Picture(sight, data=data)
    return "over its share of the budget"


def _as_sixels(sight: Sight, bounds: Bounds, *, moving: bool) -> Picture | str:
    """As sixels have no size but their own, fewer pixels are drawn larger."""
    from tuistream.charts.graphics.reduced import MOST_PIXELS, Reduced, cut
    from tuistream.charts.graphics.sixel import BAND, MOST_SIDE, sixels, strip_rows

    crop, (cell_width, cell_height) = sight.crop, bounds.cell
    width, height = crop.columns * cell_width, crop.rows * cell_height
    if max(width, height) > MOST_SIDE or width * height > 2 * MOST_PIXELS:
        return "too large for sixels"
    least = strip_rows(cell_height)
    rows = least * max(1, MOST_STRIP_CELLS // least)
    tops = range(0, crop.rows, rows)
    heights = [min(rows, crop.rows - top) * cell_height // BAND * BAND for top in tops]
    if 0 in heights:
        return "too small for sixels"
    for part, colours, dithered in STEPS[MOVING_FROM if moving else 1 :]:
        small = max(1, int(width * part)), max(1, int(height * part))
        if part < 1.0 and not _worth(crop, *small):
            break
        pixels = cut(sight.pixels, crop, *small)
        if part < 1.0:
            whole = Crop(0.0, 0.0, float(small[0]), float(small[1]), 0, 0, crop.columns, crop.rows)
            pixels = cut(pixels, whole, width, height)
        texts = sixels(Reduced(pixels, colours, dithered), heights)
        if sum(map(len, texts)) <= bounds.most and max(map(len, texts)) <= bounds.strip:
            strips = (Strip(top, min(rows, crop.rows - top), text) for top, text in zip(tops, texts, strict=True))
            return Picture(sight, strips=tuple(strips))
    return "over its share of the budget"


def _worth(crop: Crop, width: int, height: int) -> bool:
    """Whether so many pixels show more than half blocks do."""
    return width * height >= WORTH * crop.columns * 2 * crop.rows
