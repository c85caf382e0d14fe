"""Which of a sender's colours can be seen on the screen."""

from __future__ import annotations

import re
from typing import Final

from textual.color import Color

LEAST_CONTRAST: Final = 2.2  # to the background; text wants 4.5, a line less
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)


def readable(colours: tuple[str, ...], background: Color) -> tuple[str, ...]:
    """Each of `colours` that is "#rrggbb" and stands out from `background`; "" in place of any other."""
    return tuple(
        colour if _COLOUR.fullmatch(colour) and contrast(Color.parse(colour), background) >= LEAST_CONTRAST else ""
        for colour in colours
    )


def contrast(one: Color, other: Color) -> float:
    """From 1 to 21. Source: WCAG 2.2, contrast ratio."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: Color) -> float:
    """From 0 to 1. Source: WCAG 2.2, relative luminance."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
