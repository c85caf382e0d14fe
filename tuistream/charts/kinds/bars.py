"""Upright bars from zero: one for each tick and field, or for each label and name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from tuistream.charts.kinds.canvas import shown, solid
from tuistream.charts.kinds.contract import Content, DrawStyle, Size, Ticks, Values
from tuistream.charts.kinds.groups import label_of, last_ticks, texts_of
from tuistream.charts.kinds.plot import EMPTY, SERIES, Plot, draw_labels, plotted, range_of
from tuistream.charts.panel import Frame, message_frame
from tuistream.charts.raster import Viewport, rows_of
from tuistream.core import batch

EIGHTHS: Final = "▁▂▃▄▅▆▇█"
WIDEST: Final = 12  # cells of a bar
VALUES_A_BAR: Final = 2  # cells that a bar has at least, with the space after it, where there is room


def fits(content: Content) -> bool:
    return isinstance(content, Ticks | Values)


def draw(content: Content, size: Size, style: DrawStyle) -> Frame:
    groups = _groups(content, size, style)
    if not np.isfinite(groups.v).any():
        return message_frame(EMPTY, *size, style.glyphs)
    plot = _plot(groups, size, style)
    slot, width = slots(plot.columns, groups)
    changes = [at for at, label in enumerate(groups.labels) if not at or label != groups.labels[at - 1]]
    draw_labels(plot, style, [(at * slot + slot // 2, shown(groups.labels[at], style.glyphs)) for at in changes])
    for series in range(min(len(groups.names), SERIES)):
        columns = [at * slot + series * width for at in range(len(groups.labels))]
        upright(plot, style, columns, max(1, width - (width > 2)), groups.v[series], series)
    return plot.frame


def read_out(content: Content, size: Size, style: DrawStyle, column: int, row: int) -> str:
    groups = _groups(content, size, style)
    if not np.isfinite(groups.v).any():
        return ""
    plot = _plot(groups, size, style)
    slot, width = slots(plot.columns, groups)
    at = column // slot
    series = min((column - at * slot) // width, len(groups.names) - 1, SERIES - 1)
    if not (0 <= at < len(groups.labels) and 0 <= row < plot.rows and series >= 0 and column < plot.columns):
        return ""
    (text,) = texts_of(groups.v[series, at : at + 1], style)
    return f"{label_of(groups.labels[at], at)}  {label_of(groups.names[series], series)} {text}"


def slots(columns: int, groups: Values) -> tuple[int, int]:
    """Cells of the bars of one label, and of one of them, 1 at least."""
    series = max(1, min(len(groups.names), SERIES))
    slot = min(columns // max(1, len(groups.labels)), (WIDEST + 1) * series)
    width = max(1, (slot - (slot > series)) // series)
    return max(1, slot), width


def upright(plot: Plot, style: DrawStyle, columns: Sequence[int], width: int, values: batch.Values, ink: int) -> None:
    """Bars from zero, or from the edge that is nearest to it, in eighths of a cell. columns: where each begins."""
    view, most = plot.viewport, plot.rows * 8
    zero = view.lo if view.log else min(max(0.0, view.lo), view.hi)
    base = most if zero <= view.lo else (int(rows_of(view, [zero], most)[0]) + 4) // 8 * 8
    full = solid(style.glyphs, style.colours, ink)
    seen = np.isfinite(values) & ((values > 0) | (not view.log))
    ends = np.clip(rows_of(view, values, most), 0, most).tolist()
    for column, end, drawn in zip(columns, ends, seen.tolist(), strict=True):
        if not drawn or column + width > plot.columns:
            continue
        top, bottom = min(end, base), max(end, base)
        for row in range(top // 8, min(plot.rows, -(-bottom // 8))):
            covered = min(bottom, 8 * row + 8) - max(top, 8 * row)
            sign = _sign(covered, full, hangs=bottom < 8 * row + 8, glyphs=style.glyphs)
            if sign != " ":
                plot.frame.chars[row, column : column + width] = ord(sign)
                plot.frame.ink[row, column : column + width] = ink


def _sign(covered: int, full: str, *, hangs: bool, glyphs: str) -> str:
    """The character for so many eighths of a cell, from its lower edge, or, where it hangs, from its upper one."""
    if glyphs == "ascii":
        return full if covered >= 4 else " "
    if hangs or covered == 8:
        return full if covered >= 6 else "▀" if covered >= 3 else "▔" if covered else " "
    return EIGHTHS[covered - 1] if covered else " "


def _groups(content: Content, size: Size, style: DrawStyle) -> Values:
    """As many of the newest as have room."""
    series = max(1, min(len(content.shown), SERIES)) if isinstance(content, Ticks) else 1
    most = max(1, size.width - 12) // (series + (series > 1))
    groups = last_ticks(content, most, style, fine=False)
    return groups if len(groups.labels) <= size.width else Values(*_first(groups, size.width))


def _first(
    groups: Values, most: int
) -> tuple[tuple[str, ...], tuple[str, ...], np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
    return groups.labels[:most], groups.names, groups.v[:, :most]


def _plot(groups: Values, size: Size, style: DrawStyle) -> Plot:
    lo, hi = style.values or range_of([groups.v[:SERIES].ravel()], log=style.log, zero=True)
    return plotted(size, style, Viewport(0, 1, lo, hi, style.log))
