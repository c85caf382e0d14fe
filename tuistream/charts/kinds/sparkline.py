"""Each field in bars of its own scale, below each other, with its newest value."""

from __future__ import annotations

from typing import Final

import numpy as np
from msgspec.structs import replace

from tuistream.charts.kinds.bars import EIGHTHS
from tuistream.charts.kinds.canvas import blank, cut, shown, write
from tuistream.charts.kinds.contract import Content, DrawStyle, Points, Size, Ticks
from tuistream.charts.kinds.plot import EMPTY, SERIES
from tuistream.charts.kinds.words import name_text, value_text
from tuistream.charts.panel import LABEL, Frame, message_frame
from tuistream.core.batch import Values

NAME_PART: Final = 4  # names get at most one such part of the width
NUMBER_PART: Final = 3  # and numbers with their unit
LEAST_BARS: Final = 4  # cells, with the blanks beside them
MOST_FIELDS: Final = 64
TALLEST: Final = 16  # rows of one


def fits(content: Content) -> bool:
    return isinstance(content, Ticks | Points) and bool(content.columns)


def draw(content: Content, size: Size, style: DrawStyle) -> Frame:
    columns = _columns(content)
    if not any(np.isfinite(values).any() for values in columns.values()):
        return message_frame(EMPTY, *size, style.glyphs)
    frame = blank(size)
    rows = _rows(len(columns), size)
    most = size.height // rows
    names = [shown(name_text(name), style.glyphs) for name in columns][:most]
    width = min(max(map(len, names)), size.width // NAME_PART)
    texts = _texts(columns, style)
    if max(map(len, texts[:most])) > size.width // NUMBER_PART:
        texts = _texts(columns, replace(style, unit=""))
    numbers = min(max(map(len, texts[:most])), size.width - width - LEAST_BARS)
    for at, (name, values, text) in enumerate(zip(names, columns.values(), texts, strict=False)):
        row = at * rows
        middle = row + (rows - 1) // 2
        write(frame, middle, 0, cut(name, width, style.glyphs), LABEL)
        room = max(0, size.width - width - numbers - 2)
        for down, line in enumerate(tall(values, room, rows - (rows > 1), style.glyphs)):
            write(frame, row + down, width + 1, line, at % SERIES)
        write(frame, middle, size.width - numbers, cut(text, numbers, style.glyphs).rjust(numbers), at % SERIES)
    return frame


def read_out(content: Content, size: Size, style: DrawStyle, column: int, row: int) -> str:  # noqa: ARG001
    columns = _columns(content)
    at = row // _rows(len(columns), size) if columns else 0
    if not 0 <= at < len(columns):
        return ""
    name, values = [*columns.items()][at]
    known = values[np.isfinite(values)]
    if not len(known):
        return ""
    low, high, last = (
        value_text(float(each), values, style, main=not at) for each in (known.min(), known.max(), known[-1])
    )
    return f"{name_text(name)}  {last}  ({low} to {high})"


def tall(values: Values, width: int, rows: int, glyphs: str) -> list[str]:
    """Bars in `width` columns and `rows` rows, scaled to their own range; each shows the last value of its part."""
    if width < 1 or rows < 1:
        return []
    if not len(values):
        return [" " * width] * rows
    values = values[(np.arange(1, width + 1) * len(values) - 1) // width]
    known = values[np.isfinite(values)]
    if not len(known):
        return [" " * width] * rows
    lo, extent = float(known.min()), float(known.max()) / 2 - float(known.min()) / 2
    parts = (values / 2 - lo / 2) / extent if extent > 0 else np.where(np.isfinite(values), 0.5, np.nan)
    seen = np.isfinite(parts)
    heights = np.where(seen, 1 + np.where(seen, parts, 0.0) * (8 * rows - 1), 0).astype(int).tolist()
    lines = []
    for row in range(rows):
        below = 8 * (rows - 1 - row)
        lines.append("".join(_sign(height - below, glyphs) for height in heights))
    return lines


def _sign(eighths: int, glyphs: str) -> str:
    if glyphs == "ascii":
        return "#" if eighths >= 6 else "=" if eighths >= 4 else "_" if eighths >= 1 else " "
    return EIGHTHS[min(eighths, 8) - 1] if eighths > 0 else " "


def _texts(columns: dict[str, Values], style: DrawStyle) -> list[str]:
    return [value_text(_last(values), values, style, main=not at) for at, values in enumerate(columns.values())]


def _rows(fields: int, size: Size) -> int:
    """Of one field, with the blank one below it."""
    return max(1, min(TALLEST, size.height // max(1, fields)))


def _columns(content: Content) -> dict[str, Values]:
    """Several fields shown: these; else all."""
    assert isinstance(content, Ticks | Points)
    names = content.shown if isinstance(content, Ticks) and len(content.shown) > 1 else tuple(content.columns)
    return {name: content.columns[name] for name in names[:MOST_FIELDS]}


def _last(values: Values) -> float:
    known = np.flatnonzero(np.isfinite(values))
    return float(values[known[-1]]) if len(known) else float("nan")
