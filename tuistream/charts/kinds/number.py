"""The newest value, large; below it how it moved in the window, and between what it was."""

from __future__ import annotations

from typing import Final

import numpy as np

from tuistream.charts.kinds.canvas import blank, cut, shown, write
from tuistream.charts.kinds.contract import Content, DrawStyle, Size, Ticks
from tuistream.charts.kinds.plot import EMPTY
from tuistream.charts.kinds.words import name_text
from tuistream.charts.numbers import digits_for, format_change, format_percent, format_value, sparkline
from tuistream.charts.panel import DOWN, FLAT, LABEL, UP, Frame, message_frame
from tuistream.core.batch import Values

# The five rows of each sign, three pixels as bits; "." and "," have one.
_PIXELS: Final = {
    "0": (7, 5, 5, 5, 7),
    "1": (2, 6, 2, 2, 7),
    "2": (7, 1, 7, 4, 7),
    "3": (7, 1, 7, 1, 7),
    "4": (5, 5, 7, 1, 1),
    "5": (7, 4, 7, 1, 7),
    "6": (7, 4, 7, 5, 7),
    "7": (7, 1, 1, 2, 2),
    "8": (7, 5, 7, 5, 7),
    "9": (7, 5, 7, 1, 7),
    "-": (0, 0, 7, 0, 0),
    "+": (0, 2, 7, 2, 0),
    "e": (7, 5, 7, 4, 7),
    "i": (2, 0, 2, 2, 2),
    "n": (0, 6, 5, 5, 5),
    "f": (3, 4, 6, 4, 4),
}
_NARROW: Final = {".": (0, 0, 0, 0, 1), ",": (0, 0, 0, 1, 1)}
ROWS: Final = 5
LARGE_PART: Final = 0.6  # of the height, for the value
LARGEST: Final = 4  # cells of a pixel's side
HALVES: Final = " ▄▀█"  # by the lower (1) and the upper (2) pixel


def fits(content: Content) -> bool:
    return isinstance(content, Ticks)


def draw(content: Content, size: Size, style: DrawStyle) -> Frame:
    assert isinstance(content, Ticks)
    values = _values(content)
    if not len(values):
        return message_frame(EMPTY, *size, style.glyphs)
    digits = digits_for(values) if style.digits is None else style.digits
    last, before, first = float(values[-1]), _before(values), float(values[0])
    ink = UP if last > before else DOWN if last < before else FLAT
    frame = blank(size)
    lines = large(format_value(last, digits), size, style.glyphs, most_rows=max(1, round(LARGE_PART * size.height)))
    below = _words(content, style, digits, first, last, values)[: max(0, size.height - len(lines) - 1)]
    spark = size.height - len(lines) - len(below) - 2 if len(values) > 1 else 0
    top = max(0, (size.height - len(lines) - len(below) - (spark > 0) * 2 - bool(below)) // 2)
    for at, line in enumerate(lines):
        write(frame, top + at, max(0, (size.width - len(line)) // 2), line, ink)
    row = top + len(lines) + 1
    for text in below:
        text = cut(shown(text, style.glyphs), size.width, style.glyphs)
        write(frame, row, (size.width - len(text)) // 2, text, LABEL)
        row += 1
    if spark > 0:
        width = min(size.width, max(20, size.width // 2))
        write(frame, row + (spark > 1), (size.width - width) // 2, sparkline(values, width, style.glyphs), 0)
    return frame


def read_out(content: Content, size: Size, style: DrawStyle, column: int, row: int) -> str:  # noqa: ARG001
    assert isinstance(content, Ticks)
    values = _values(content)
    if not len(values):
        return ""
    digits = digits_for(values) if style.digits is None else style.digits
    return "  ".join(_words(content, style, digits, float(values[0]), float(values[-1]), values))


def large(text: str, size: Size, glyphs: str, most_rows: int) -> list[str]:
    """`text` in pixels as large as there is room for; as it is where there is none."""
    for side in range(LARGEST, 0, -1):
        pixels = np.repeat(np.repeat(_pixels(text), side, axis=0), side, axis=1)
        if glyphs == "ascii":
            pixels = np.repeat(pixels, 2, axis=1)
            lines = ["".join("#" if pixel else " " for pixel in row) for row in pixels]
        else:
            pixels = np.pad(pixels, ((0, len(pixels) % 2), (0, 0)))
            pairs = 2 * pixels[::2].astype(int) + pixels[1::2]
            lines = ["".join(HALVES[pair] for pair in row) for row in pairs.tolist()]
        if len(lines) <= most_rows and len(lines[0]) <= size.width:
            return lines
    return [cut(text, size.width, glyphs)]


def _pixels(text: str) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """bool[5, n], with a blank column between signs."""
    columns: list[list[bool]] = []
    for sign in text:
        rows, width = (_NARROW[sign], 1) if sign in _NARROW else (_PIXELS.get(sign, (0,) * ROWS), 3)
        columns += [[bool(row >> (width - 1 - at) & 1) for row in rows] for at in range(width)]
        columns.append([False] * ROWS)
    return np.array(columns[:-1] or [[False] * ROWS], np.bool_).T


def _values(content: Ticks) -> Values:
    values = content.columns[content.shown[0]]
    return values[np.isfinite(values)]


def _before(values: Values) -> float:
    """The newest value that is not the last one; that where there is none."""
    others = np.flatnonzero(values != values[-1])
    return float(values[others[-1]]) if len(others) else float(values[-1])


def _words(content: Ticks, style: DrawStyle, digits: int, first: float, last: float, values: Values) -> list[str]:
    name = f"{name_text(content.shown[0])} {name_text(style.unit)}".strip()
    change = last / 2 - first / 2
    percent = f"  {format_percent(200 * change / abs(first))}" if first and np.isfinite(change / first * 200) else ""
    moved = f"{format_change(2 * change, digits)}{percent}" if np.isfinite(2 * change) else ""
    low, high = (format_value(float(each), digits) for each in (values.min(), values.max()))
    return [word for word in (name, moved, f"{low} to {high}") if word]
