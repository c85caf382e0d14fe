"""A picture made as small as it must be: its pixels, and how many colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from tuistream.charts.kinds.picture import Crop, Pixels, scaled

if TYPE_CHECKING:
    from PIL import Image

MOST_PIXELS: Final = 1_000_000  # of what is sent
ALL_COLOURS: Final = 0
SAMPLED: Final = 80, 60  # pixels, at most, of which a palette is made


@dataclass(frozen=True, slots=True, eq=False)
class Reduced:
    """pixels: uint8[h, w, 3]. colours: of them, at most, 2 to 256; or ALL_COLOURS.

    dithered: what lies between the colours is seen as a mixture of pixels, which takes more bytes.
    """

    pixels: Pixels
    colours: int = ALL_COLOURS
    dithered: bool = False

    def image(self) -> Image.Image:
        """It as Pillow has it, with a palette where colours are few. Raises ImportError without Pillow."""
        from PIL import Image

        found = Image.fromarray(self.pixels)
        if self.colours == ALL_COLOURS:
            return found
        if found.getcolors(self.colours) is not None:
            return found.quantize(self.colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        # Of some of the pixels the best colours are found in a tenth of the time.
        some = found.copy()
        some.thumbnail(SAMPLED, Image.Resampling.NEAREST)
        palette = some.quantize(self.colours, Image.Quantize.MEDIANCUT, kmeans=1, dither=Image.Dither.NONE)
        dither = Image.Dither.FLOYDSTEINBERG if self.dithered else Image.Dither.NONE
        return found.quantize(palette=palette, dither=dither)


def cut(pixels: Pixels, crop: Crop, width: int, height: int) -> Pixels:
    """The part of a picture that is seen, uint8[height, width, 3]."""
    return np.clip(np.rint(scaled(pixels, crop, width, height)), 0, 255).astype(np.uint8)


def fitted(crop: Crop, cell: tuple[int, int], part: float = 1.0) -> tuple[int, int]:
    """The pixels, width and height, that a crop is worth: no more than it has, than its cells have, than MOST_PIXELS.

    cell: pixels of a cell. part: of each side, for less to send.
    """
    width = min(crop.width, crop.columns * cell[0])
    height = min(crop.height, crop.rows * cell[1])
    scale = part * min(1.0, (MOST_PIXELS / max(1.0, width * height)) ** 0.5)
    return max(1, int(width * scale)), max(1, int(height * scale))
