"""Bubbles: circles at x and y, with r as radius, as the chart hub's senders give them."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from tuistream.charts.axes import value_ticks
from tuistream.charts.kinds.canvas import Canvas, Dots
from tuistream.charts.kinds.contract import Content, DrawStyle, Size, Ticks
from tuistream.charts.kinds.plot import COLUMNS_A_TICK, EMPTY, Plot, plotted, range_of
from tuistream.charts.kinds.words import named_values, time_text
from tuistream.charts.panel import Frame, message_frame
from tuistream.charts.raster import Viewport
from tuistream.core import batch

MOST: Final = 1_000  # the newest
LARGEST_PART: Final = 6  # the largest radius is this part of the height
PIXELS: Final = 16.0  # of a radius, in the height of a cell
LINE: Final = 0.3  # heights of a cell: how thick a circle is
PLACES: Final = 1_000_000_000


class Bubbles(NamedTuple):
    """x, y: float64[n], finite. r: float64[n], 0 where it is not known. rows: int64[n], of the ticks."""

    x: batch.Values
    y: batch.Values
    r: batch.Values
    rows: batch.Times


def fits(content: Content) -> bool:
    return isinstance(content, Ticks) and {"x", "y"} <= content.columns.keys() | {content.axis}


def draw(content: Content, size: Size, style: DrawStyle) -> Frame:
    assert isinstance(content, Ticks)
    bubbles = _bubbles(content)
    if not len(bubbles.x):
        return message_frame(EMPTY, *size, style.glyphs)
    plot, places = _placed(bubbles, size, style)
    if not plot.columns or not plot.rows:
        return plot.frame
    canvas = Canvas(plot.columns, plot.rows, style.glyphs)
    dots = np.zeros((canvas.rows, canvas.columns), np.bool_)
    for down, right, radius in zip(*(each.tolist() for each in places), strict=True):
        _ring(dots, canvas, (down, right), radius)
    canvas.fill(dots, 0)
    canvas.put(plot.frame)
    return plot.frame


def _ring(dots: Dots, canvas: Canvas, centre: tuple[float, float], radius: float) -> None:
    """Set the dots of a circle, at least the one that is in its middle."""
    rows, columns = canvas.glyphs.dots
    row, column = min(int(centre[0] * rows), canvas.rows - 1), min(int(centre[1] * columns), canvas.columns - 1)
    high, wide = int(radius * rows) + 1, int(2 * radius * columns) + 1
    top, left = max(0, row - high), max(0, column - wide)
    part = dots[top : row + high + 1, left : column + wide + 1]
    y = (np.arange(top, top + part.shape[0])[:, None] + 0.5) / rows - centre[0]
    x = ((np.arange(left, left + part.shape[1])[None, :] + 0.5) / columns - centre[1]) / 2
    distance = np.hypot(y, x)
    part |= (distance <= radius) & (distance >= radius - LINE)
    if radius < LINE:
        dots[row, column] = True


def read_out(content: Content, size: Size, style: DrawStyle, column: int, row: int) -> str:
    assert isinstance(content, Ticks)
    bubbles = _bubbles(content)
    if not len(bubbles.x):
        return ""
    plot, (down, right, radius) = _placed(bubbles, size, style)
    if not (0 <= column < plot.columns and 0 <= row < plot.rows):
        return ""
    away = np.hypot(down - row - 0.5, (right - column - 0.5) / 2) - radius
    at = int(np.argmin(away))
    if away[at] > 1:
        return ""
    index = int(bubbles.rows[at])
    names = [name for name in ("x", "y", "r") if name in content.columns]
    return f"{time_text(int(content.t[index]), style)}  {named_values(content, index, names, style)}".strip()


def _bubbles(content: Ticks) -> Bubbles:
    """The newest ticks that have a place."""
    along = content.t[-MOST:] / PLACES
    x, y = (content.columns[name][-MOST:] if name in content.columns else along for name in ("x", "y"))
    r = content.columns["r"][-MOST:] if "r" in content.columns else np.zeros(len(x))
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    radius = np.where(np.isfinite(r[known]) & (r[known] > 0), r[known], 0.0)
    return Bubbles(x[known], y[known], radius, known + len(content.t) - len(x))


def _placed(
    bubbles: Bubbles, size: Size, style: DrawStyle
) -> tuple[Plot, tuple[batch.Values, batch.Values, batch.Values]]:
    """The axes; rows, columns and radii of the bubbles in heights and widths of cells."""
    x_lo, x_hi = range_of([bubbles.x])
    y_lo, y_hi = range_of([bubbles.y])
    ticks = value_ticks(x_lo, x_hi, max(1, size.width // COLUMNS_A_TICK))
    along = [(int(_part(np.array([value]), x_lo, x_hi)[0] * PLACES), label) for value, label in ticks]
    plot = plotted(size, style, Viewport(0, PLACES, y_lo, y_hi), along)
    down = (1 - _part(bubbles.y, y_lo, y_hi)) * plot.rows
    right = _part(bubbles.x, x_lo, x_hi) * plot.columns
    most = max(0.5, plot.rows / LARGEST_PART)
    radius = bubbles.r / PIXELS
    largest = float(radius.max(initial=0.0))
    return plot, (down, right, radius if largest <= most else radius / largest * most)


def _part(values: batch.Values, lo: float, hi: float) -> batch.Values:
    """Where values lie between two others, from 0 to 1."""
    extent = hi / 2 - lo / 2  # halves, because the distance of two finite floats need not be one
    found: batch.Values = np.clip((values / 2 - lo / 2) / extent, 0.0, 1.0) if extent > 0 else np.zeros(len(values))
    return found
