"""Two axes, and room for a drawing between them: what kinds with a value axis share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from tuistream.charts.axes import fit_range, time_ticks, value_ticks
from tuistream.charts.extremes import extremes
from tuistream.charts.kinds.canvas import blank, write
from tuistream.charts.kinds.contract import DrawStyle, Size, Ticks
from tuistream.charts.numbers import digits_for, format_value
from tuistream.charts.panel import AXIS, LABEL, Frame, Layout, Tag, aligned, draw_tag, layout_for, signs_of
from tuistream.charts.raster import Viewport, columns_of, rows_of
from tuistream.core.batch import Values

COLUMNS_A_TICK: Final = 13
ROWS_A_TICK: Final = 4
BILLIONTHS: Final = 1e9  # of an axis' unit, in which places on one that is no time are given
SERIES: Final = 8  # that have an ink of their own
EMPTY: Final = "no value in this window"


class Plot(NamedTuple):
    """A frame with its axes drawn, and the cells of it that are free: `columns` x `rows` from the upper left."""

    frame: Frame
    layout: Layout
    viewport: Viewport

    @property
    def columns(self) -> int:
        return max(0, self.layout.columns)

    @property
    def rows(self) -> int:
        return max(0, self.layout.rows)

    @property
    def canvas(self) -> Size:
        return Size(self.columns, self.rows)


def range_of(values: Iterable[Values], *, log: bool = False, zero: bool = False) -> tuple[float, float]:
    """The value range at round ends for all that is finite in arrays. zero: with zero in it, where it is not log."""
    return fit_range(*extremes(values, log=log, zero=zero), log)


def plotted(
    size: Size,
    style: DrawStyle,
    viewport: Viewport,
    along: Sequence[tuple[int, str]] = (),
    last: Tag | None = None,
) -> Plot:
    """The axes for a viewport.

    along: places on the lower axis, as in the viewport's times, with their labels. last: the newest value's tag.
    """
    rows = layout_for(*size, 0).rows
    ticks = value_ticks(viewport.lo, viewport.hi, max(2, rows // ROWS_A_TICK + 1), viewport.log)
    texts = [label for _value, label in ticks]
    *labels, text = aligned([*texts, last.text if last is not None else ""])
    layout = layout_for(*size, max(len(text), *map(len, labels), 0))
    plot = Plot(blank(size), layout, viewport)
    if layout.labels:
        places = rows_of(viewport, [value for value, _label in ticks], plot.rows).tolist()
        _draw_values(plot, style, dict(zip(places, labels, strict=True)))
        if last is not None:
            row = int(rows_of(viewport, [last.value], plot.rows)[0])
            draw_tag(plot.frame, layout, row, last._replace(text=text), signs_of(style.glyphs))
    if layout.times:
        cells = columns_of(viewport, [place for place, _label in along], plot.columns).tolist() if along else []
        draw_labels(plot, style, [(cell, label) for cell, (_place, label) in zip(cells, along, strict=True)])
    return plot


def along_ticks(content: Ticks, columns: int, style: DrawStyle) -> list[tuple[int, str]]:
    """Round times in the window of a content, or round places where it is along something else, with labels."""
    count = max(1, columns // COLUMNS_A_TICK)
    if not content.axis:
        return time_ticks(content.t0, content.t1, count, style.timezone)
    lo, hi = content.t0 / BILLIONTHS, content.t1 / BILLIONTHS
    return [(round(value * BILLIONTHS), label) for value, label in value_ticks(lo, hi, count)]


def draw_labels(plot: Plot, style: DrawStyle, labels: Sequence[tuple[int, str]]) -> None:
    """The lower axis and labels under it, each centred on its column, left out where it has no room."""
    layout, signs = plot.layout, signs_of(style.glyphs)
    line = ["─"] * plot.columns
    free = 0
    for column, label in sorted(labels):
        start = column - len(label) // 2
        if start < free or start + len(label) > plot.columns:
            continue
        free = start + len(label) + 1
        line[column] = "┬"
        write(plot.frame, layout.height - 1, start, label, LABEL)
    if layout.axis:
        write(plot.frame, plot.rows, 0, "".join(line).translate(signs.axes), AXIS)


def tag_of(values: Values, style: DrawStyle) -> Tag | None:
    """The tag of the last finite value, with the direction from the one before it; None where there is none."""
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    last, before = float(known[-1]), float(known[-2:][0])
    digits = digits_for(known) if style.digits is None else style.digits
    return Tag(last, format_value(last, digits), "up" if last > before else "down" if last < before else "flat")


def _draw_values(plot: Plot, style: DrawStyle, labels: dict[int, str]) -> None:
    layout, signs = plot.layout, signs_of(style.glyphs)
    for row in range(plot.rows):
        label = labels.get(row)
        write(plot.frame, row, plot.columns, ("│" if label is None else "├").translate(signs.axes), AXIS)
        if label is not None:
            write(plot.frame, row, plot.columns + 2, label, LABEL)
    if layout.axis:
        write(plot.frame, plot.rows, plot.columns, "┘".translate(signs.axes), AXIS)
