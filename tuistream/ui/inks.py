"""Styles as a terminal hears of them: SGR sequences (ECMA-48, 8.3.117), from one style to the next."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.color import ColorSystem
from rich.style import Style

from tuistream.core.palettes import Colours, nearest

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
# Numbers from here on are colours themselves: a glyph's and its background's, each 0 for the terminal's own, else one
# more than what it is: an index of a palette, or 6 bits of red, 7 of green and 6 of blue.
DIRECT: Final = 1 << 40
COLOUR_BITS: Final = 20
COLOUR: Final = (1 << COLOUR_BITS) - 1
_PALETTES: Final = {ColorSystem.STANDARD: 16, ColorSystem.WINDOWS: 16, ColorSystem.EIGHT_BIT: 256}
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

    def picture(self, picture: int, ground: int) -> int:
        """The number of a style whose colour is the number of a picture, to the last bit. ground: 0xRRGGBB or -1."""
        back = self.colour_code(int(self._packed(np.array([ground], np.int32))[0]), 40) if ground >= 0 else ""
        codes = "", f"38;2;{picture >> 16};{picture >> 8 & 255};{picture & 255}", back
        return self._intern(codes, ("", "", back))

    def on_blanks(self, numbers: NDArray[np.integer[Any]]) -> Numbers:
        """The numbers, int64[n], of what blanks in these styles, int64[n], look like."""
        if len(self._blank_array) != len(self._blanks):
            self._blank_array = np.array(self._blanks, np.int64)
        direct = numbers >= DIRECT
        if not direct.any():
            found: Numbers = self._blank_array[numbers]
            return found
        others = self._blank_array[np.where(direct, 0, numbers)] if len(self._blank_array) else numbers
        return np.where(direct, numbers & (DIRECT | COLOUR), others)

    def direct(self, fore: Colours, back: Colours) -> Numbers:
        """The numbers, int64[n], of cells with colours of their own: 0xRRGGBB, -1 for the terminal's."""
        return self._packed(fore) << COLOUR_BITS | self._packed(back) | DIRECT

    def of_half(self, style: Style | None) -> int:
        """The number of a style for a half block: that of its colours themselves where it has no more than these."""
        if style is None or style._attributes or style.color is None or style.bgcolor is None:
            return self.number(style)
        fore, back = style.color.triplet, style.bgcolor.triplet
        if fore is None or back is None:
            return self.number(style)
        both = np.array([(each[0] << 16) | (each[1] << 8) | each[2] for each in (fore, back)], np.int32)
        packed = self._packed(both)
        return int(packed[0] << COLOUR_BITS | packed[1] | DIRECT)

    def alike_halves(self, numbers: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
        """Of direct numbers: whether a glyph looks as what is behind it."""
        alike: NDArray[np.bool_] = np.equal(numbers >> COLOUR_BITS & COLOUR, numbers & COLOUR)
        alike &= (numbers >= DIRECT) & (numbers & COLOUR != 0)
        return alike

    def _packed(self, colours: Colours) -> Numbers:
        wide = colours.astype(np.int64)
        count = _PALETTES.get(self._system)
        if count is not None:
            return nearest(colours, count).astype(np.int64) + 1
        packed: Numbers = (wide >> 18 & 63) << 13 | (wide >> 9 & 127) << 6 | (wide >> 2 & 63)
        return np.where(wide < 0, 0, packed + 1)

    def colour_code(self, packed: int, ground: int) -> str:
        """The code for a colour; ground: 30 for that of a glyph, 40 for that behind it."""
        if not packed:
            return ""
        colour, count = packed - 1, _PALETTES.get(self._system)
        if count == 16:
            return str(ground + colour if colour < 8 else ground + 52 + colour)
        if count == 256:
            return f"{ground + 8};5;{colour}"
        red, green, blue = colour >> 13, colour >> 6 & 127, colour & 63
        return f"{ground + 8};2;{red << 2 | red >> 4};{green << 1 | green >> 6};{blue << 2 | blue >> 4}"

    def on_blank(self, number: int) -> int:
        """The number of what a blank in this style looks like."""
        return self._blanks[number] if number < DIRECT else number & (DIRECT | COLOUR)

    def step(self, before: int, after: int) -> str:
        """The sequence that changes the one into the other. before: -1 for the state after RESET."""
        if after >= DIRECT or before >= DIRECT:  # there are too many of them to be remembered
            return self._step(before, after)
        found = self._steps.get((before, after))
        if found is None:
            if len(self._steps) >= MOST_STYLES:
                self._steps.clear()
            found = self._steps[before, after] = self._step(before, after)
        return found

    def _step(self, before: int, after: int) -> str:
        was, now = self._codes_of(before), self._codes_of(after)
        if was == now:
            return ""
        had, has = was[0].split(";"), now[0].split(";")
        off = list(dict.fromkeys(_OFF[code] for code in had if code and code not in has))
        # What turns one attribute off may turn off others that stay.
        on = [code for code in has if code and (code not in had or _OFF[code] in off)]
        colours = [new or none for old, new, none in zip(was[1:], now[1:], ("39", "49"), strict=True) if new != old]
        return f"\x1b[{';'.join([*off, *on, *colours])}m"

    def _codes_of(self, number: int) -> Codes:
        if number >= DIRECT:
            return "", self.colour_code(number >> COLOUR_BITS & COLOUR, 30), self.colour_code(number & COLOUR, 40)
        return self._codes[number] if number >= 0 else ("", "", "")

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
