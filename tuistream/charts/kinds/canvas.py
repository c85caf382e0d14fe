"""Cells to draw into: texts, and dots of several inks."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tuistream.charts.kinds.contract import Size
from tuistream.charts.panel import Frame, one_cell
from tuistream.charts.raster import BLANK, GlyphSet, glyph_set

TEXT_MOST: Final = 1_000  # characters of one text

SOLIDS: Final = {"braille": "█▓▒░", "blocks": "█▓▒░", "ascii": "#=+o*%@&"}

Dots = NDArray[np.bool_]


def blank(size: Size) -> Frame:
    """A frame with nothing in it."""
    shape = max(0, size.height), max(0, size.width)
    return Frame(np.full(shape, BLANK, np.uint16), np.full(shape, -1, np.int8))


def shown(text: str, glyphs: str) -> str:
    """`text` as it takes one cell a character: what is no such glyph becomes · (? in ASCII)."""
    other = "?" if glyphs == "ascii" else "·"
    return "".join(char if one_cell(char, glyphs) else other for char in text[:TEXT_MOST])


def cut(text: str, width: int, glyphs: str) -> str:
    """As much of `text` as `width` cells have room for, with a sign where some is missing."""
    if len(text) <= width:
        return text
    return text[: max(0, width - 1)] + ("~" if glyphs == "ascii" else "…") if width > 0 else ""


def solid(glyphs: str, colours: int, ink: int) -> str:
    """What fills a cell of the series `ink`: where there are no colours each of the first few has its own."""
    signs = SOLIDS[glyphs]
    return signs[ink % len(signs)] if not colours else signs[0]


def write(frame: Frame, row: int, column: int, text: str, ink: int) -> None:
    """Put `text` into a row from a column on, as far as there are cells. text: as `shown` gives it."""
    if not 0 <= row < frame.height:
        return
    if column < 0:
        text, column = text[-column:], 0
    text = text[: max(0, frame.width - column)]
    if text:
        frame.chars[row, column : column + len(text)] = np.frombuffer(text.encode("utf-16-le"), "<u2")
        frame.ink[row, column : column + len(text)] = ink


class Canvas:
    """width x height cells of dots, from (0, 0) at the upper left; the ink drawn last owns a cell that inks share."""

    def __init__(self, width: int, height: int, glyphs: str) -> None:
        self.glyphs: GlyphSet = glyph_set(glyphs)
        self.width, self.height = max(0, width), max(0, height)
        rows, columns = self.glyphs.dots
        self.rows, self.columns = self.height * rows, self.width * columns
        self._bits = np.zeros((self.height, self.width), np.uint8)
        self._ink = np.full((self.height, self.width), -1, np.int8)

    def grid(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The centres of all dots, in cells from the upper left: y float64[rows, 1], x float64[1, columns]."""
        rows, columns = self.glyphs.dots
        return (np.arange(self.rows)[:, None] + 0.5) / rows, (np.arange(self.columns)[None, :] + 0.5) / columns

    def fill(self, dots: Dots, ink: int) -> None:
        """Set the dots of a mask, bool[rows, columns]."""
        rows, columns = self.glyphs.dots
        cells = dots.view(np.uint8).reshape(self.height, rows, self.width, columns)
        bits = np.zeros_like(self._bits)
        for row, column in np.ndindex(rows, columns):
            bits |= cells[:, row, :, column] * np.uint8(self.glyphs.bits[row, column])
        self._bits |= bits
        self._ink[bits != 0] = ink

    def set(self, rows: NDArray[np.int64], columns: NDArray[np.int64], ink: int) -> None:
        """Set single dots; those outside are left out."""
        inside = (rows >= 0) & (rows < self.rows) & (columns >= 0) & (columns < self.columns)
        dots = np.zeros((self.rows, self.columns), np.bool_)
        dots[rows[inside], columns[inside]] = True
        self.fill(dots, ink)

    def put(self, frame: Frame, row: int = 0, column: int = 0) -> None:
        """Copy the cells with dots to a place in a frame that has room for all."""
        part = (slice(row, row + self.height), slice(column, column + self.width))
        touched = self._bits != 0
        frame.chars[part][touched] = self.glyphs.codes[self._bits[touched]]
        frame.ink[part][touched] = self._ink[touched]
