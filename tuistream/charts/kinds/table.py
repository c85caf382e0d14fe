"""A row for each tick, the newest the lowest; a value's colour says where it moved."""

from __future__ import annotations

from typing import Final

import numpy as np

from tuistream.charts.kinds.canvas import blank, cut, shown, write
from tuistream.charts.kinds.contract import Content, DrawStyle, Points, Size, Ticks, Values
from tuistream.charts.kinds.groups import label_of, last_ticks
from tuistream.charts.kinds.plot import EMPTY
from tuistream.charts.kinds.words import name_text
from tuistream.charts.numbers import digits_for, format_value
from tuistream.charts.panel import DOWN, FLAT, LABEL, MESSAGE, UP, Frame, message_frame
from tuistream.core import batch

LEAST_COLUMN: Final = 6  # cells of one
NAME_MOST: Final = 16
SPACE: Final = 2
MOVES: Final = ("▲▼", "^v")  # up and down, where no colour says it


def fits(content: Content) -> bool:
    return isinstance(content, Ticks | Values | Points)


def draw(content: Content, size: Size, style: DrawStyle) -> Frame:
    rows = _rows(content, size, style)
    if not len(rows.labels) or not len(rows.names):
        return message_frame(EMPTY, *size, style.glyphs)
    frame = blank(size)
    place = max(len(label) for label in rows.labels)
    for at, label in enumerate(rows.labels):
        write(frame, 1 + at, 0, shown(label, style.glyphs), MESSAGE)
    for number, column, width in _placed(rows, place, size, style):
        name = cut(shown(label_of(rows.names[number], number), style.glyphs), width, style.glyphs)
        write(frame, 0, column, name.rjust(width), LABEL)
        values = rows.v[number]
        digits = _digits(values, number, style)
        for at, value in enumerate(values.tolist()):
            text = cut(format_value(value, digits), width, style.glyphs).rjust(width)
            ink = _ink(values, at)
            if not style.colours and ink != FLAT:
                text += MOVES[style.glyphs == "ascii"][ink == DOWN]
            write(frame, 1 + at, column, text, ink)
    return frame


def read_out(content: Content, size: Size, style: DrawStyle, column: int, row: int) -> str:
    rows = _rows(content, size, style)
    place = max((len(label) for label in rows.labels), default=0)
    if not 1 <= row <= len(rows.labels):
        return ""
    for number, start, width in _placed(rows, place, size, style):
        if start - SPACE < column < start + width:
            text = format_value(float(rows.v[number, row - 1]), _digits(rows.v[number], number, style))
            return f"{name_text(rows.labels[row - 1])}  {label_of(rows.names[number], number)} {text}"
    return name_text(rows.labels[row - 1])


def _rows(content: Content, size: Size, style: DrawStyle) -> Values:
    """As many of the newest as there are rows: all fields, those shown first."""
    most = max(1, size.height - 1)
    if isinstance(content, Ticks):
        content = Ticks(content.t, content.columns, tuple(content.columns), content.t0, content.t1, axis=content.axis)
        return last_ticks(content, most, style)
    if isinstance(content, Points):
        labels = tuple(f"{x:g}" for x in content.x[:most])
        v = np.array([values[:most] for values in content.columns.values()], np.float64)
        return Values(labels, tuple(content.columns), v.reshape(len(content.columns), len(labels)))
    assert isinstance(content, Values)
    return Values(content.labels[:most], content.names, content.v[:, :most])


def _placed(rows: Values, place: int, size: Size, style: DrawStyle) -> list[tuple[int, int, int]]:
    """Number, first cell and width of each column that has room; the last one that is cut has its least width."""
    found: list[tuple[int, int, int]] = []
    at = place + SPACE
    for number, name in enumerate(rows.names):
        values = rows.v[number]
        digits = _digits(values, number, style)
        width = max((len(format_value(value, digits)) for value in values.tolist()), default=0)
        width = max(width, min(len(label_of(name, number)), NAME_MOST), LEAST_COLUMN)
        if at + width > size.width and found:
            break
        found.append((number, at, min(width, max(1, size.width - at))))
        at += width + SPACE
        if at >= size.width:
            break
    return found


def _digits(values: batch.Values, number: int, style: DrawStyle) -> int:
    return style.digits if number == 0 and style.digits is not None else digits_for(values)


def _ink(values: batch.Values, at: int) -> int:
    """Where a value moved from the one above it."""
    if at == 0 or values[at] == values[at - 1]:
        return FLAT
    return UP if values[at] > values[at - 1] else DOWN if values[at] < values[at - 1] else FLAT
