"""Steps: each value holds until the next one."""

from __future__ import annotations

import numpy as np

from tuistream.charts.kinds import scatter
from tuistream.charts.kinds.contract import Content, DrawStyle, Size, Ticks
from tuistream.charts.kinds.plot import SERIES, Plot
from tuistream.charts.panel import Frame
from tuistream.charts.polyline import Line
from tuistream.charts.raster import rasterise
from tuistream.core.batch import Times, Values


def fits(content: Content) -> bool:
    return isinstance(content, Ticks)


def draw(content: Content, size: Size, style: DrawStyle) -> Frame:
    assert isinstance(content, Ticks)
    return scatter.over_time(content, size, style, _steps)


def read_out(content: Content, size: Size, style: DrawStyle, column: int, row: int) -> str:
    assert isinstance(content, Ticks)
    return scatter.tick_at(content, size, style, column, row, before=True)


def stairs(t: Times, v: Values) -> tuple[Times, Values]:
    """The corners of the steps through points: int64[2 n - 1] and float64[2 n - 1]."""
    return np.repeat(t, 2)[1:], np.repeat(v, 2)[:-1]


def _steps(content: Ticks, plot: Plot, style: DrawStyle) -> None:
    lines = []
    for ink, name in enumerate(content.shown[:SERIES]):
        lines.append(Line(*stairs(content.t, content.columns[name]), content.gaps, ink))
    cells = rasterise(lines, plot.viewport, *plot.canvas, style.glyphs)
    drawn = cells.ink >= 0
    plot.frame.chars[: plot.rows, : plot.columns][drawn] = cells.chars[drawn]
    plot.frame.ink[: plot.rows, : plot.columns][drawn] = cells.ink[drawn]
