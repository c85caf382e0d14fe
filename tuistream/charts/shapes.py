"""Characters that are drawings as shapes, so that a picture needs no font that has them.

Braille patterns, quadrants, shades, lines of boxes and triangles: Unicode 15, chapters 21.1 and 22.7. Places are in
parts of a cell, from its upper left corner.
"""

from __future__ import annotations

from functools import cache
from math import cos, pi, sin
from typing import Final, NamedTuple

Point = tuple[float, float]


class Shapes(NamedTuple):
    """dots: their centres. strokes: lines through points. areas: polygons, each with how opaque it is."""

    dots: tuple[Point, ...] = ()
    strokes: tuple[tuple[Point, ...], ...] = ()
    areas: tuple[tuple[tuple[Point, ...], float], ...] = ()


LEFT, TOP, RIGHT, BOTTOM, CENTRE = (0.0, 0.5), (0.5, 0.0), (1.0, 0.5), (0.5, 1.0), (0.5, 0.5)
_BRAILLE: Final = 0x2800
_DOTS: Final = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))  # column and row of each bit's
_QUADRANTS: Final = "▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"  # upper left, upper right, lower left, lower right are bits 1, 2, 4, 8
_LOWER: Final = "▁▂▃▄▅▆▇█"  # eighths from the bottom
_LEFT: Final = "▏▎▍▌▋▊▉█"  # eighths from the left
_SHADES: Final = {"░": 0.25, "▒": 0.5, "▓": 0.75}
_ARMS: Final = {
    "│": (TOP, BOTTOM),
    "─": (LEFT, RIGHT),
    "├": (TOP, BOTTOM, RIGHT),
    "╷": (BOTTOM,),
    "╵": (TOP,),
    "┤": (TOP, BOTTOM, LEFT),
    "┬": (LEFT, RIGHT, BOTTOM),
    "┴": (LEFT, RIGHT, TOP),
    "┼": (LEFT, RIGHT, TOP, BOTTOM),
    "┌": (RIGHT, BOTTOM),
    "┐": (LEFT, BOTTOM),
    "└": (RIGHT, TOP),
    "┘": (LEFT, TOP),
}
# How wide an upright line is above the middle and below it, in parts of a cell.
_UPRIGHT: Final = {"┃": (0.5, 0.5), "╹": (0.5, 0.0), "╻": (0.0, 0.5), "╿": (0.5, 0.15), "╽": (0.15, 0.5)}
_ROUNDED: Final = {"╭": (RIGHT, BOTTOM), "╮": (LEFT, BOTTOM), "╰": (RIGHT, TOP), "╯": (LEFT, TOP)}
_ARC_STEPS: Final = 8
_POLYGONS: Final[dict[str, tuple[Point, ...]]] = {
    "▲": ((0.5, 0.28), (0.95, 0.74), (0.05, 0.74)),
    "▼": ((0.5, 0.74), (0.95, 0.28), (0.05, 0.28)),
    "▴": ((0.5, 0.36), (0.85, 0.68), (0.15, 0.68)),
    "▾": ((0.5, 0.68), (0.85, 0.36), (0.15, 0.36)),
    "◂": ((0.1, 0.5), (0.8, 0.34), (0.8, 0.66)),
    "◄": ((0.0, 0.5), (1.0, 0.3), (1.0, 0.7)),
}


@cache
def shapes_of(char: str) -> Shapes | None:
    """The shapes of a character; None for one that a font is to show."""
    if _BRAILLE <= ord(char) <= _BRAILLE + 0xFF:
        bits = ord(char) - _BRAILLE
        places = (_DOTS[bit] for bit in range(8) if bits >> bit & 1)
        return Shapes(dots=tuple((0.25 + column / 2, 0.125 + row / 4) for column, row in places))
    if char in _QUADRANTS:
        bits = _QUADRANTS.index(char) + 1
        return Shapes(areas=tuple((_quadrant(bit), 1.0) for bit in range(4) if bits >> bit & 1))
    if char in _LOWER:
        return _filled(0.0, 1 - (_LOWER.index(char) + 1) / 8, 1.0)
    if char in _LEFT:
        return _filled(0.0, 0.0, (_LEFT.index(char) + 1) / 8)
    if char in _SHADES:
        return _filled(0.0, 0.0, 1.0, _SHADES[char])
    if char in _ARMS:
        return Shapes(strokes=tuple((CENTRE, end) for end in _ARMS[char]))
    if char in _UPRIGHT:
        return Shapes(areas=tuple((_bar(wide, half), 1.0) for half, wide in enumerate(_UPRIGHT[char]) if wide))
    if char in _ROUNDED:
        return Shapes(strokes=(_arc(*_ROUNDED[char]),))
    return Shapes(areas=((_POLYGONS[char], 1.0),)) if char in _POLYGONS else None


def _filled(left: float, top: float, right: float, opacity: float = 1.0) -> Shapes:
    """A rectangle down to the bottom."""
    return Shapes(areas=((((left, top), (right, top), (right, 1.0), (left, 1.0)), opacity),))


def _bar(wide: float, half: int) -> tuple[Point, ...]:
    left, right, top = 0.5 - wide / 2, 0.5 + wide / 2, half / 2
    return (left, top), (right, top), (right, top + 0.5), (left, top + 0.5)


def _quadrant(bit: int) -> tuple[Point, ...]:
    x, y = bit % 2 / 2, bit // 2 / 2
    return (x, y), (x + 0.5, y), (x + 0.5, y + 0.5), (x, y + 0.5)


def _arc(side: Point, end: Point) -> tuple[Point, ...]:
    """From the middle of a side, round the corner, to the middle of the upper or lower edge: a part of an ellipse."""
    turns = (step * pi / 2 / _ARC_STEPS for step in range(_ARC_STEPS + 1))
    width, height = CENTRE[0] - side[0], CENTRE[1] - end[1]
    reach = 0.5  # of a cell's height, which is twice its width: so the arc looks round
    bend = end[1] + height * (1 - reach)
    arc = tuple((side[0] + width * sin(turn), side[1] + (bend - side[1]) * (1 - cos(turn))) for turn in turns)
    return (*arc, end)
