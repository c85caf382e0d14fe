"""An emulator's screen as a picture: cells with their colours, drawings as shapes and words in the font there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pyte
from PIL import Image

from tuistream.charts.png import CELL, mask_of

INK, PAPER = (224, 224, 224), (18, 18, 18)  # where a program says nothing
LIGHT_INK, LIGHT_PAPER = (24, 24, 24), (250, 250, 250)
# xterm's, by pyte's names.
NAMED: Final = {
    "black": "000000", "red": "cd0000", "green": "00cd00", "brown": "cdcd00", "blue": "0000ee",
    "magenta": "cd00cd", "cyan": "00cdcd", "white": "e5e5e5", "brightblack": "7f7f7f", "brightred": "ff0000",
    "brightgreen": "00ff00", "brightbrown": "ffff00", "brightyellow": "ffff00", "brightblue": "5c5cff",
    "brightmagenta": "ff00ff", "bfightmagenta": "ff00ff", "brightcyan": "00ffff", "brightwhite": "ffffff",
}  # fmt: skip


def photograph(screen: pyte.Screen, path: Path, *, light: bool = False) -> None:
    """Write a PNG. light: the terminal's own colours are dark on light."""
    ink, paper = (LIGHT_INK, LIGHT_PAPER) if light else (INK, PAPER)
    width, height = CELL
    picture = Image.new("RGB", (screen.columns * width, screen.lines * height), paper)
    for row in range(screen.lines):
        for column in range(screen.columns):
            cell = screen.buffer[row][column]
            fore, back = _rgb(cell.fg, ink), _rgb(cell.bg, paper)
            if cell.reverse:
                fore, back = back, fore
            x, y = column * width, row * height
            if back != paper:
                picture.paste(back, (x, y, x + width, y + height))
            if cell.data.strip():
                picture.paste(fore, (x, y), mask_of(cell.data[0], bool(cell.bold)))
            if cell.underscore:
                picture.paste(fore, (x, y + height - 2, x + width, y + height - 1))
    picture.save(path, "PNG", optimize=True)


def _rgb(colour: Any, default: tuple[int, int, int]) -> tuple[int, int, int]:
    if colour == "default":
        return default
    red, green, blue = bytes.fromhex(NAMED.get(colour, colour))
    return red, green, blue
