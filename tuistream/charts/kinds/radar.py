"""The newest values on spokes, joined: the further out, the larger. The centre is zero, or the smallest below it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tuistream.charts.kinds import disc
from tuistream.charts.kinds.canvas import Canvas, blank, write
from tuistream.charts.kinds.contract import Content, DrawStyle, Size
from tuistream.charts.kinds.groups import MOST_PARTS, newest_values
from tuistream.charts.kinds.plot import EMPTY, SERIES
from tuistream.charts.panel import AXIS, LABEL, Frame, message_frame

LEAST_SPOKES: Final = 3
SAMPLES: Final = 6  # points of a line in the length of a cell

Distances = NDArray[np.float64]


def fits(content: Content) -> bool:
    return disc.fits(content, LEAST_SPOKES)


def draw(content: Content, size: Size, style: DrawStyle) -> Frame:
    parts = disc.parts_of(content, style)
    out = distances(content)
    if not len(parts) or not np.isfinite(out).any():
        return message_frame(EMPTY, *size, style.glyphs)
    place = disc.placed(parts, size, style)
    if place is None:
        return disc.as_bars(parts, size, style)
    frame = blank(size)
    canvas = Canvas(place.columns, place.rows, style.glyphs)
    ends = np.ones(len(parts))
    for circle in (0.5, 1.0):
        _polygon(canvas, place, circle * ends, AXIS)
    for part in parts:
        _line(canvas, place, (part.number / len(parts), 0.0), (part.number / len(parts), 1.0), AXIS)
    for ink in reversed(range(min(len(out), SERIES))):
        _polygon(canvas, place, out[ink], ink)
    canvas.put(frame, place.top, place.left)
    for part in parts:
        row, column = place.cell(part.number / len(parts), place.radius)
        write(
            frame,
            min(row, place.top + place.rows - 1),
            min(column, place.left + place.columns - 1),
            part.sign,
            LABEL,
        )
    disc.beside(frame, place, parts, style, inked=False)
    return frame


def read_out(content: Content, size: Size, style: DrawStyle, column: int, row: int) -> str:
    return disc.said_at(content, size, style, column, row, lambda turn, count: round(turn * count) % count, beyond=1)


def distances(content: Content) -> Distances:
    """float64[series, spokes]: how far out each value lies, from 0 in the centre to 1; NaN where there is none."""
    v = newest_values(content).v[:, :MOST_PARTS]
    known = v[np.isfinite(v)]
    if not len(known):
        return np.full(v.shape, np.nan)
    lo, hi = min(0.0, float(known.min())) / 2, max(0.0, float(known.max())) / 2
    out: Distances = np.where(np.isfinite(v), v, np.nan) / 2
    return (out - lo) / (hi - lo) if hi > lo else out * 0.0


def _polygon(canvas: Canvas, place: disc.Place, out: Distances, ink: int) -> None:
    """Join neighbours that both have a value."""
    count = len(out)
    for at in range(count):
        here, there = float(out[at]), float(out[(at + 1) % count])
        if np.isfinite(here) and np.isfinite(there):
            _line(canvas, place, (at / count, here), ((at + 1) / count, there), ink)


def _line(canvas: Canvas, place: disc.Place, start: tuple[float, float], end: tuple[float, float], ink: int) -> None:
    """From one (turn, distance) to another, straight."""
    corners = []
    for turn, distance in (start, end):
        angle, length = 2 * np.pi * turn, distance * place.radius
        corners.append((place.rows / 2 - length * np.cos(angle), place.columns / 2 + 2 * length * np.sin(angle)))
    (y0, x0), (y1, x1) = corners
    along = np.linspace(0.0, 1.0, int(SAMPLES * (abs(y1 - y0) + abs(x1 - x0))) + 2)
    rows, columns = canvas.glyphs.dots
    canvas.set(
        np.floor((y0 + (y1 - y0) * along) * rows).astype(np.int64),
        np.floor((x0 + (x1 - x0) * along) * columns).astype(np.int64),
        ink,
    )
