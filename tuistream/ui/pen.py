"""Writes cells to a terminal in as few bytes as it takes, as far as an allowance goes."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from tuistream.ui.cell_codes import CODE, STYLE_SHIFT, are_placed
from tuistream.ui.direct_cells import sequences
from tuistream.ui.inks import RESET, Inks

BRIDGED: Final = 4  # unchanged cells that may be cheaper to write again than to jump over


class Drawn(Protocol):
    """What is drawn: cells that are to be shown, and cells that are."""

    width: int
    inks: Inks
    goal: NDArray[np.int64]
    shown: NDArray[np.int64]

    def alike(self, start: int, stop: int, ink: int) -> str:
        """The cells between, of a character each, if all look the same in the style `ink`, else ""."""


class Pen:
    """Writes runs of cells from left to right and down, and knows where the cursor stands and in which style."""

    def __init__(self, shadow: Drawn, allowance: int | None) -> None:
        self._shadow = shadow
        self._left = allowance if allowance is None else allowance - len(RESET)
        self._parts: list[str] = []
        self._at = -1  # the cell the cursor stands on; -1 where that is not known
        self._ink = -1
        self.refused = 0  # the cell that had no room any more
        self.written = 0  # bytes, but for those of cells that `draw_direct` has

    def lift(self) -> None:
        """Go on anywhere: also up, or to the left."""
        self._at = -1

    def allow(self, allowance: int) -> None:
        """Write at most so many bytes more, whatever is left."""
        if self._left is not None:
            self._left = allowance - len(RESET)

    def draw(self, start: int, stop: int, ink: int, sure: bool, text: str) -> bool:
        """Write the wanted cells of a run, which are `text`; False where the allowance does not reach.

        sure: whether all terminals have the cursor at `stop` then.
        """
        text = self._move(start) + self._shadow.inks.step(self._ink, ink) + text
        if not self._fits(text):
            self.refused = start
            return False
        self._parts.append(text)
        self._ink = ink
        self._at = stop if sure else -1
        return True

    def draw_strip(self, places: NDArray[np.int64], text: str) -> None:
        """Write, if it fits, the sequence that draws a picture over cells, int64[rows, columns], emptied before."""
        shadow = self._shadow
        parts, ink = [], self._ink
        if not are_placed(shadow.shown[places] & CODE).all():
            ink = shadow.inks.on_blank(int(shadow.goal[places[0, 0]] >> STYLE_SHIFT))
            parts.append(RESET + shadow.inks.step(-1, ink))
            parts += [self._go(int(row[0])) + " " * len(row) for row in places]
        parts += [self._go(int(places[0, 0])), text]
        text = "".join(parts)
        if self._fits(text):
            self._parts.append(text)
            self._at, self._ink = -1, ink
            shadow.shown[places] = shadow.goal[places]

    def _fits(self, text: str) -> bool:
        """Whether the allowance reaches for a text, which is then taken as written."""
        if self._left is None:
            return True
        size = len(text.encode())
        self._left -= size
        if self._left < 0:
            return False
        self.written += size
        return True

    def draw_direct(self, places: NDArray[np.int64]) -> None:
        """Write the wanted cells that have colours of their own."""
        shadow = self._shadow
        cells = shadow.goal[places]
        text, self._ink = sequences(shadow.inks, places, cells & CODE, cells >> STYLE_SHIFT, shadow.width)
        self._parts.append(text)
        shadow.shown[places] = cells
        self._at = -1

    def finish(self) -> str:
        return "".join([*self._parts, RESET]) if self._parts else ""

    def _go(self, to: int) -> str:
        y, x = divmod(to, self._shadow.width)
        return f"\x1b[{y + 1};{x + 1}H"

    def _move(self, to: int) -> str:
        """The shortest way of the cursor to a cell."""
        width, at = self._shadow.width, self._at
        if to == at:
            return ""
        if at < 0:
            return self._go(to)
        y, x = divmod(to, width)
        row, column = divmod(at, width)
        if row == y:
            forward = f"\x1b[{to - at}C" if to - at > 1 else "\x1b[C"
            # Unchanged cells may be cheaper to write again than to jump over.
            if to - at <= BRIDGED and self._ink >= 0:
                again = self._shadow.alike(at, to, self._ink)
                return again if 0 < len(again.encode()) <= len(forward) else forward
            return forward
        absolute = self._go(to)
        down = f"\x1b[{y - row}B" if y - row > 1 else "\x1b[B"
        return min(down + _aside(x - column), absolute, key=len)


def _aside(columns: int) -> str:
    """The shortest way along a row."""
    if columns > 0:
        return f"\x1b[{columns}C" if columns > 1 else "\x1b[C"
    return "\b" * -columns if columns >= -4 else f"\x1b[{-columns}D"
