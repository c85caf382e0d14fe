"""What a terminal shows and what it should show, cell by cell, and the shortest way from the one to the other.

What a cell is, says `ui.cell_codes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.cells import get_character_cell_size
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

from tuistream.core.palettes import Colours
from tuistream.ui.cell_codes import (
    CODE,
    CONTINUED,
    MOST_TEXTS,
    NARROW,
    STRIPS_FROM,
    STYLE_SHIFT,
    TEXTS_FROM,
    UNKNOWN,
    are_placed,
    codes_of,
    placeholder,
)
from tuistream.ui.inks import DIRECT, Inks
from tuistream.ui.layers import Layer, composed
from tuistream.ui.pen import Pen

Piece = tuple[int, int, Iterable[Segment]]  # row, column of its first cell, and its segments

BLANK: Final = 0x20
HALF: Final = 0x2580  # ▀, of which pictures are made
PORTION: Final = 32  # cells written at once where bytes are counted
PICTURES_PART: Final = 0.5  # of what may be sent at once, for pictures, as long as any waits
_KNOWN_BELOW: Final = 0x3000


def _narrow_table() -> NDArray[np.bool_]:
    table = np.zeros(_KNOWN_BELOW + 1, np.bool_)
    for first, stop in NARROW:
        table[first:stop] = True
    table.flags.writeable = False
    return table


class Shadow:
    """Two screens of width x height cells, the wanted and the shown one.

    inks: of their styles. layers: pictures in pixels instead of wanted cells. goal: what is wanted, with these.
    behind, picture_bytes: of what was taken last: whether anything but pictures had no room; what pictures took.
    """

    def __init__(self, system: ColorSystem = ColorSystem.TRUECOLOR) -> None:
        self._system = system
        self._narrow = _narrow_table()
        self.width = self.height = 0
        self.starts = 0  # a style's number holds until this changes
        self.layers: tuple[Layer, ...] = ()
        self.behind = False
        self.picture_bytes = 0
        self.restart()

    def restart(self) -> None:
        """Know of nothing: all is to be put again."""
        self.starts += 1
        self.inks = Inks(self._system)
        self._texts: list[str] = []
        self._text_numbers: dict[str, int] = {}
        self.resize(self.width, self.height)

    def resize(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._pictures_from = 0  # the cell of pictures that is sent first
        self._wanted = np.full(width * height, UNKNOWN, np.int64)
        self.goal = self._wanted
        self.shown = self._wanted.copy()

    def forget(self) -> None:
        """The terminal may show anything: all that is wanted is to be sent."""
        self.shown.fill(UNKNOWN)

    @property
    def full(self) -> bool:
        """Whether it is time to `restart`: there have been very many styles or texts."""
        return self.inks.full or len(self._texts) >= MOST_TEXTS

    @property
    def pending(self) -> bool:
        """Whether anything is still to be sent."""
        goal = composed(self._wanted, self.width, self.layers)
        return bool(((goal != self.shown) & (goal != UNKNOWN)).any())

    def put(self, pieces: Iterable[Piece]) -> None:
        """Want these; what lies outside the screen is cut off. Pieces do not overlap."""
        texts: list[str] = []
        lengths: list[int] = []
        styles: list[int] = []
        starts: list[int] = []  # of pieces: their first cell
        sizes: list[int] = []
        number, of_half = self.inks.number, self.inks.of_half
        width, height = self.width, self.height
        for y, x, segments in pieces:
            if not (0 <= y < height and 0 <= x < width):
                continue
            size = 0
            for text, style, control in segments:
                if text and not control:
                    texts.append(text)
                    lengths.append(len(text))
                    styles.append(of_half(style) if text[0] == "▀" else number(style))
                    size += len(text)
            starts.append(y * width + x)
            sizes.append(size)
        if not texts:
            return
        codes = np.frombuffer("".join(texts).encode("utf-32-le", "replace"), "<u4").astype(np.int64)
        inks = np.repeat(np.array(styles, np.int64), lengths)
        first = np.array(starts, np.int64)
        if not self.are_narrow(codes).all():
            codes, inks, sizes = self._clustered(codes, inks, sizes)
        ends = np.cumsum(sizes)
        places = np.arange(len(codes)) + np.repeat(first - ends + sizes, sizes)
        inside = places < np.repeat((first // width + 1) * width, sizes)
        codes[self.inks.alike_halves(inks) & (codes == HALF)] = BLANK
        blank = codes == BLANK
        inks[blank] = self.inks.on_blanks(inks[blank])
        cells = codes | (inks << STYLE_SHIFT)
        self._wanted[places[inside]] = cells[inside]

    def number(self, style: Style | None) -> int:
        """The number of a style in `put_cells`."""
        return self.inks.number(style)

    def direct(self, fore: Colours, back: Colours) -> NDArray[np.int64]:
        """The numbers, for `put_cells`, of cells with colours of their own: 0xRRGGBB, -1 for the terminal's."""
        return self.inks.direct(fore, back)

    def put_cells(
        self,
        rows: NDArray[np.integer[Any]],
        x: int,
        codes: NDArray[np.integer[Any]],
        styles: NDArray[np.integer[Any]],
    ) -> None:
        """Want cells from column `x` on, which fit. A half block that looks as its ground is a blank.

        rows: int[k]. codes: int[k, n], code points of one cell each. styles: int[k, n], their numbers.
        """
        screen = self._wanted.reshape(self.height, self.width)
        screen[rows, x : x + codes.shape[1]] = self.cells(codes, styles)

    def cells(self, codes: NDArray[np.integer[Any]], styles: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """The cells that `put_cells` would put."""
        if np.logical_or.reduce(styles >= DIRECT, axis=None):
            codes = np.where(self.inks.alike_halves(styles) & (codes == HALF), BLANK, codes)
        inks = np.where(codes == BLANK, self.inks.on_blanks(styles), styles)
        return codes.astype(np.int64) | (inks.astype(np.int64) << STYLE_SHIFT)

    def picture_cells(self, number: int, ground: int, size: tuple[int, int], *, strips: bool) -> NDArray[np.int64]:
        """The cells, of rows and columns, in which a picture is seen in pixels; until `starts` changes.

        number: the picture's. ground: 0xRRGGBB behind it, or -1 for the terminal's own.
        """
        return codes_of(*size, strips=strips) | (self.inks.picture(number, ground) << STYLE_SHIFT)

    def empty_cells(self, ground: int, size: tuple[int, int]) -> NDArray[np.int64]:
        """Cells of rows and columns where there is only a ground."""
        blank = self.inks.on_blank(self.inks.picture(0, ground))
        return np.full(size, BLANK | (blank << STYLE_SHIFT), np.int64)

    def shows(self, number: int, ground: int) -> bool:
        """Whether the terminal has any cell in which a picture is seen in pixels."""
        ink = self.inks.picture(number, ground)
        return bool((are_placed(self.shown & CODE) & (self.shown >> STYLE_SHIFT == ink)).any())

    def put_points(self, cells: Iterable[tuple[int, int, int, int]]) -> None:
        """Want a few cells inside the screen: row, column, code point of one cell, number of its style."""
        wanted, width = self._wanted, self.width
        for y, x, code, style in cells:
            ink = self.inks.on_blank(style) if code == BLANK else style
            wanted[y * width + x] = code | (ink << STYLE_SHIFT)

    def put_text(self, y: int, x: int, text: str, style: int) -> None:
        """Want a text inside the screen, of characters of one cell, from a cell on; style: its number."""
        start = y * self.width + x
        ink, blank = style << STYLE_SHIFT, self.inks.on_blank(style) << STYLE_SHIFT | BLANK
        self._wanted[start : start + len(text)] = [blank if char == " " else ord(char) | ink for char in text]

    def are_narrow(self, codes: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
        """Which code points have one cell in every terminal."""
        narrow: NDArray[np.bool_] = self._narrow[np.minimum(codes, _KNOWN_BELOW)]
        return narrow

    @property
    def pictures_pending(self) -> bool:
        """Whether any cell of a picture was to be seen when something was taken last, and had no room."""
        cells = self.goal[(self.goal != self.shown) & (self.goal != UNKNOWN)]
        return bool(((cells >> STYLE_SHIFT >= DIRECT) | are_placed(cells & CODE)).any())

    def take(self, allowance: int | None = None, pictures: int | None = None) -> str:
        """The sequences that make the terminal show what is wanted, as far as `allowance` bytes of UTF-8 go.

        pictures: how many of these may be for pictures, at most.
        """
        goal = self.goal = composed(self._wanted, self.width, self.layers)
        changed = ((goal != self.shown) & (goal != UNKNOWN)).nonzero()[0]
        self.behind, self.picture_bytes = False, 0
        if not len(changed):
            return ""
        cells = goal[changed]
        placed = are_placed(cells & CODE)
        direct = cells >> STYLE_SHIFT >= DIRECT
        waiting = bool((direct | placed).any())
        part = 0  # that is kept for pictures, so that charts which change all the time do not take it, too
        if waiting and allowance is not None:
            part = int(allowance * PICTURES_PART)
            part = max(0, part if pictures is None else min(part, pictures))
        words = allowance if allowance is None else allowance - part
        pen = Pen(self, words)
        self.behind = not self._draw(pen, changed[~(direct | placed)], allowance)
        if waiting:
            pen.allow(part)
            before = pen.written
            in_strips = placed & (cells & CODE >= STRIPS_FROM)
            self._draw_pictures(pen, changed[direct], changed[placed & ~in_strips], allowance)
            if in_strips.any():
                self._draw_strips(pen)
            self.picture_bytes = pen.written - before
        return pen.finish()

    def _draw_pictures(
        self, pen: Pen, direct: NDArray[np.int64], placed: NDArray[np.int64], allowance: int | None
    ) -> None:
        if allowance is None:
            if len(direct):
                pen.draw_direct(direct)
            self._draw(pen, placed, allowance)
            return
        pictures = np.union1d(direct, placed)
        # From where the last one ended, so that the lower parts have their turn, too.
        cut = int(pictures.searchsorted(self._pictures_from))
        ended = self._draw(pen, pictures[cut:], allowance) and self._draw(pen, pictures[:cut], allowance)
        self._pictures_from = 0 if ended else pen.refused

    def _draw_strips(self, pen: Pen) -> None:
        """Draw the strips of which anything is not on the terminal, each whole."""
        places = np.arange(len(self.goal)).reshape(self.height, self.width)
        for layer in self.layers:
            if not layer.fits(self.width, self.height):
                continue
            columns = slice(layer.x, layer.x + layer.cells.shape[1])
            for row, rows, text in layer.strips:
                cells = places[layer.y + row : layer.y + row + rows, columns]
                here = self.goal[cells] == layer.cells[row : row + rows]
                if here.all() and (self.shown[cells] != self.goal[cells]).any():
                    pen.draw_strip(cells, text)

    def _draw(self, pen: Pen, changed: NDArray[np.int64], allowance: int | None) -> bool:
        """Write cells; False where the allowance ended before them."""
        if not len(changed):
            return True
        pen.lift()
        halves = changed[(self.goal[changed] & CODE) == CONTINUED]
        if len(halves):
            changed = np.union1d(changed, halves - 1)  # a wide character is written whole
        if allowance is None:
            for start, stop, ink, sure, text in self._runs(changed):
                pen.draw(start, stop, ink, sure, text)
            self.shown[changed] = self.goal[changed]
            return True
        for start, stop, ink, sure, _text in self._runs(changed):
            for first in range(start, stop, PORTION):
                last = min(first + PORTION, stop)
                if not pen.draw(first, last, ink, sure and last == stop, self._text(first, last)):
                    return False
                self.shown[first:last] = self.goal[first:last]
        return True

    def _runs(self, changed: NDArray[np.int64]) -> Iterator[tuple[int, int, int, bool, str]]:
        """Stretches (first, stop, style) of changed cells of one row, whether the cursor is surely at the stop, and
        their text.
        """
        cells = self.goal[changed]
        codes = cells & CODE
        inks = self._carried(cells >> STYLE_SHIFT, codes == BLANK)
        # Terminals differ on how wide other characters are: the cursor is placed anew after them.
        narrow = self.are_narrow(codes) | are_placed(codes)
        breaks = (changed[1:] - changed[:-1] != 1) | (inks[1:] != inks[:-1]) | (changed[1:] % self.width == 0)
        breaks |= ~narrow[:-1] & (codes[1:] != CONTINUED)
        cuts = np.concatenate(([0], breaks.nonzero()[0] + 1))
        ends = np.concatenate((cuts[1:], [len(changed)])) - 1
        stops = changed[ends] + 1
        # At the right edge terminals differ, too.
        sure = narrow[ends] & (stops % self.width != 0)
        starts, ended = changed[cuts].tolist(), stops.tolist()
        if int(codes.max()) < TEXTS_FROM:
            plain = codes.astype("<u4").tobytes().decode("utf-32-le")
            bounds = cuts.tolist()
            texts = [plain[a:b] for a, b in zip(bounds, [*bounds[1:], len(plain)], strict=True)]
        else:
            texts = [self._text(start, stop) for start, stop in zip(starts, ended, strict=True)]
        return zip(starts, ended, inks[cuts].tolist(), sure.tolist(), texts, strict=True)

    def _carried(self, inks: NDArray[np.int64], blank: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The styles, where blanks keep that of the glyph before them if they look the same in it."""
        glyphs = np.maximum.accumulate(np.where(blank, -1, np.arange(len(inks))))
        before = inks[np.maximum(glyphs, 0)]
        alike = blank & (glyphs >= 0) & (self.inks.on_blanks(before) == inks)
        return np.where(alike, before, inks)

    def _text(self, start: int, stop: int) -> str:
        """What is wanted from one cell of a row to another."""
        parts = [code for code in (self.goal[start:stop] & CODE).tolist() if code != CONTINUED]
        return "".join(chr(code) if code < TEXTS_FROM else self._long_text(code) for code in parts)

    def _long_text(self, code: int) -> str:
        number = code - TEXTS_FROM
        return self._texts[number] if number < MOST_TEXTS else placeholder(code)

    def alike(self, start: int, stop: int, ink: int) -> str:
        """The cells between, of a character each, if all look the same in the style `ink`, else ""."""
        blank = self.inks.on_blank(ink)
        found = ""
        for cell in self.goal[start:stop].tolist():
            code = cell & CODE
            if cell == UNKNOWN or code >= TEXTS_FROM or cell >> STYLE_SHIFT != (blank if code == BLANK else ink):
                return ""
            found += chr(code)
        return found

    def _clustered(
        self, codes: NDArray[np.int64], inks: NDArray[np.int64], sizes: list[int]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], list[int]]:
        """The same in cells, where some characters have not one cell but none or two."""
        new_codes: list[int] = []
        new_inks: list[int] = []
        new_sizes: list[int] = []
        at = 0
        for size in sizes:
            begin = len(new_codes)
            for code, ink in zip(codes[at : at + size].tolist(), inks[at : at + size].tolist(), strict=True):
                cells = get_character_cell_size(chr(code))
                if code < BLANK or 0x7F <= code < 0xA0:
                    continue  # a control character has no place on a screen
                if cells:
                    new_codes += [code, CONTINUED][:cells]
                    new_inks += [ink] * cells
                elif len(new_codes) > begin:
                    lead = -2 if new_codes[-1] == CONTINUED else -1
                    new_codes[lead] = self._joined(new_codes[lead], code)
            new_sizes.append(len(new_codes) - begin)
            at += size
        return np.array(new_codes, np.int64), np.array(new_inks, np.int64), new_sizes

    def _joined(self, before: int, mark: int) -> int:
        """The code of a character with a mark that takes no cell of its own."""
        text = (self._texts[before - TEXTS_FROM] if before >= TEXTS_FROM else chr(before)) + chr(mark)
        number = self._text_numbers.get(text)
        if number is None:
            number = self._text_numbers[text] = len(self._texts)
            self._texts.append(text)
        return TEXTS_FROM + number
