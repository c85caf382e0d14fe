"""Styles as a terminal hears of them: SGR sequences (ECMA-48, 8.3.117), from one style to the next."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.color import ColorSystem
from rich.style import Style

MOST_STYLES: Final = 4_096
RESET: Final = "\x1b[m"
# Attributes of Rich with the codes that turn them on and off; those that show on a blank come second.
_ON_GLYPHS: Final = (
    ("bold", "1", "22"),
    ("dim", "2", "22"),
    ("italic", "3", "23"),
    ("blink", "5", "25"),
    ("blink2", "6", "25"),
    ("conceal", "8", "28"),
)
_ON_BLANKS: Final = (
    ("underline", "4", "24"),
    ("reverse", "7", "27"),
    ("strike", "9", "29"),
    ("underline2", "21", "24"),
    ("frame", "51", "54"),
    ("encircle", "52", "54"),
    ("overline", "53", "55"),
)
_OFF: Final = {on: off for _name, on, off in (*_ON_GLYPHS, *_ON_BLANKS)}
Numbers = NDArray[np.int64]
Codes = tuple[str, str, str]  # of attributes, foreground and background; "" for the terminal's own


class Inks:
    """Numbers for what styles look like: those that look alike have the same. system: the colours to make do with."""

    def __init__(self, system: ColorSystem = ColorSystem.TRUECOLOR) -> None:
        self._system = system
        self._codes: list[Codes] = []
        self._numbers: dict[Codes, int] = {}
        self._of_styles: dict[Style | None, int] = {}
        self._blanks: list[int] = []
        self._steps: dict[tuple[int, int], str] = {}
        self._blank_array = np.empty(0, np.int64)

    @property
    def full(self) -> bool:
        """Whether there are so many that they are better numbered anew."""
        return len(self._codes) >= MOST_STYLES or len(self._of_styles) >= MOST_STYLES

    def number(self, style: Style | None) -> int:
        """The number of a style."""
        found = self._of_styles.get(style)
        if found is None:
            found = self._of_styles[style] = self._intern(*self._split(style))
        return found

    def on_blanks(self, numbers: NDArray[np.integer[Any]]) -> Numbers:
        """The numbers, int64[n], of what blanks in these styles, int64[n], look like."""
        if len(self._blank_array) != len(self._blanks):
            self._blank_array = np.array(self._blanks, np.int64)
        found: Numbers = self._blank_array[numbers]
        return found

    def on_blank(self, number: int) -> int:
        """The number of what a blank in this style looks like."""
        return self._blanks[number]

    def step(self, before: int, after: int) -> str:
        """The sequence that changes the one into the other. before: -1 for the state after RESET."""
        found = self._steps.get((before, after))
        if found is None:
            if len(self._steps) >= MOST_STYLES:
                self._steps.clear()
            found = self._steps[before, after] = self._step(before, after)
        return found

    def _step(self, before: int, after: int) -> str:
        was = self._codes[before] if before >= 0 else ("", "", "")
        now = self._codes[after]
        if was == now:
            return ""
        had, has = was[0].split(";"), now[0].split(";")
        off = list(dict.fromkeys(_OFF[code] for code in had if code and code not in has))
        # What turns one attribute off may turn off others that stay.
        on = [code for code in has if code and (code not in had or _OFF[code] in off)]
        colours = [new or none for old, new, none in zip(was[1:], now[1:], ("39", "49"), strict=True) if new != old]
        return f"\x1b[{';'.join([*off, *on, *colours])}m"

    def _split(self, style: Style | None) -> tuple[Codes, Codes]:
        """What a style looks like on a glyph and on a blank."""
        if style is None:
            return ("", "", ""), ("", "", "")
        glyphs = [on for name, on, _off in _ON_GLYPHS if getattr(style, name)]
        blanks = [on for name, on, _off in _ON_BLANKS if getattr(style, name)]
        fore = back = ""
        if style.color is not None and not style.color.is_default:
            fore = ";".join(style.color.downgrade(self._system).get_ansi_codes())
        if style.bgcolor is not None and not style.bgcolor.is_default:
            back = ";".join(style.bgcolor.downgrade(self._system).get_ansi_codes(foreground=False))
        whole = ";".join(glyphs + blanks), fore, back
        return whole, whole if blanks else ("", "", back)

    def _intern(self, codes: Codes, blank: Codes) -> int:
        number = self._numbers.get(codes)
        if number is None:
            number = self._numbers[codes] = len(self._codes)
            self._codes.append(codes)
            self._blanks.append(number)
            if blank != codes:
                self._blanks[number] = self._intern(blank, blank)
        return number
