"""The newest values as slices of one angle, each as far out as its value is large."""

from __future__ import annotations

import numpy as np

from tuistream.charts.kinds import disc
from tuistream.charts.kinds.canvas import Canvas, blank, write
from tuistream.charts.kinds.contract import Content, DrawStyle, Size
from tuistream.charts.kinds.plot import EMPTY
from tuistream.charts.panel import AXIS, Frame, message_frame

RIM = 0.12  # heights of a cell: how thick the circle around it is


def fits(content: Content) -> bool:
    return disc.fits(content)


def draw(content: Content, size: Size, style: DrawStyle) -> Frame:
    parts = disc.parts_of(content, style)
    largest = max((part.share for part in parts), default=0.0)
    if not largest:
        return message_frame("no value above zero" if parts else EMPTY, *size, style.glyphs)
    place = disc.placed(parts, size, style)
    if place is None:
        return disc.as_bars(parts, size, style)
    frame = blank(size)
    canvas = Canvas(place.columns, place.rows, style.glyphs)
    dots = place.polar(canvas)
    for circle in (0.5, 1.0):
        canvas.fill(np.abs(dots.distance - circle * place.radius) <= RIM, AXIS)
    for part in parts:
        inside = np.floor(dots.turn * len(parts)) == part.number
        for edge in (part.number, part.number + 1):
            inside &= disc.apart(dots, edge / len(parts))
        canvas.fill(inside & (dots.distance <= place.radius * part.share / largest), part.ink)
    canvas.put(frame, place.top, place.left)
    for part in parts:
        out = place.radius * part.share / largest
        if out * np.pi / len(parts) >= 1:
            row, column = place.cell((part.number + 0.5) / len(parts), 0.7 * out)
            write(frame, row, column - 1, f" {part.sign} ", part.ink)
    disc.beside(frame, place, parts, style)
    return frame


def read_out(content: Content, size: Size, style: DrawStyle, column: int, row: int) -> str:
    return disc.said_at(content, size, style, column, row, lambda turn, count: min(int(turn * count), count - 1))
