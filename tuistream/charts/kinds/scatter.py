"""A dot for each value, not joined."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from tuistream.charts.kinds.canvas import Canvas
from tuistream.charts.kinds.contract import Content, DrawStyle, Points, Size, Ticks
from tuistream.charts.kinds.plot import (
    BILLIONTHS,
    EMPTY,
    SERIES,
    Plot,
    along_ticks,
    plotted,
    range_of,
    tag_of,
)
from tuistream.charts.kinds.words import named_values, when
from tuistream.charts.panel import Frame, message_frame
from tuistream.charts.raster import Viewport, columns_of, rows_of
from tuistream.core.batch import Times, Values

MOST: Final = 200_000  # ticks that are drawn, the newest
FARTHEST: Final = 4e9  # a place: in billionths it is a time

Draw = Callable[[Ticks, Plot, DrawStyle], None]


def fits(content: Content) -> bool:
    return isinstance(content, Ticks | Points)


def draw(content: Content, size: Size, style: DrawStyle) -> Frame:
    return over_time(_ticks(content), size, style, _dots)


def read_out(content: Content, size: Size, style: DrawStyle, column: int, row: int) -> str:
    return tick_at(_ticks(content), size, style, column, row)


def over_time(content: Ticks, size: Size, style: DrawStyle, draw_in: Draw) -> Frame:
    """A plot of the shown fields over the window, in which `draw_in` draws."""
    content = newest(content)
    shown = [content.columns[name] for name in content.shown[:SERIES]]
    if not any(np.isfinite(values).any() for values in shown):
        return message_frame(EMPTY, *size, style.glyphs)
    plot = _plot(content, size, style)
    if plot.columns and plot.rows:
        draw_in(content, plot, style)
    return plot.frame


def tick_at(content: Ticks, size: Size, style: DrawStyle, column: int, row: int, *, before: bool = False) -> str:
    """The tick whose column is the nearest one, or the last one until that column; "" beside the plot."""
    content = newest(content)
    plot = _plot(content, size, style)
    if not (0 <= column < plot.columns and 0 <= row < plot.rows) or not len(content.t):
        return ""
    place = content.t0 + (2 * column + 1) * (content.t1 - content.t0) // (2 * plot.columns)
    at = int(np.searchsorted(content.t, place, side="right"))
    around = [index for index in ((at - 1,) if before else (at - 1, at)) if 0 <= index < len(content.t)]
    if not around:
        return ""
    index = min(around, key=lambda one: abs(int(content.t[one]) - place))
    return f"{when(content, index, style)}  {named_values(content, index, content.shown, style)}"


def newest(content: Ticks) -> Ticks:
    """The newest `MOST` ticks."""
    if len(content.t) <= MOST:
        return content
    columns = {name: values[-MOST:] for name, values in content.columns.items()}
    return Ticks(content.t[-MOST:], columns, content.shown, content.t0, content.t1, content.gaps, content.axis)


def _plot(content: Ticks, size: Size, style: DrawStyle) -> Plot:
    shown = [content.columns[name] for name in content.shown[:SERIES]]
    lo, hi = style.values or range_of(shown, log=style.log)
    viewport = Viewport(content.t0, content.t1, lo, hi, style.log)
    return plotted(size, style, viewport, along_ticks(content, size.width, style), tag_of(shown[0], style))


def _dots(content: Ticks, plot: Plot, style: DrawStyle) -> None:
    canvas = Canvas(plot.columns, plot.rows, style.glyphs)
    for ink, name in reversed([*enumerate(content.shown[:SERIES])]):
        _set_dots(canvas, plot.viewport, content.t, content.columns[name], ink)
    canvas.put(plot.frame)


def _set_dots(canvas: Canvas, viewport: Viewport, t: Times, v: Values, ink: int) -> None:
    seen = np.isfinite(v) & (t >= viewport.t0) & (t <= viewport.t1)
    if viewport.log:
        seen &= v > 0
    rows = rows_of(viewport, v[seen], canvas.rows)
    canvas.set(rows, columns_of(viewport, t[seen], canvas.columns), ink)


def _ticks(content: Content) -> Ticks:
    """Points along something else as ticks."""
    if isinstance(content, Ticks):
        return content
    assert isinstance(content, Points)
    known = np.isfinite(content.x)
    x = content.x[known]
    places = np.rint(np.clip(x, -FARTHEST, FARTHEST) * BILLIONTHS).astype(np.int64)
    columns = {name: values[known] for name, values in content.columns.items()}
    first, last = (int(places[0]), int(places[-1])) if len(places) else (0, 1)
    return Ticks(places, columns, tuple(columns), first, max(last, first + 1), (), content.x_name or "x")
