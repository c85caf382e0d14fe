"""How often values of the window's main field lie where: bars of counts over values."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuistream.charts.axes import value_ticks
from tuistream.charts.kinds.bars import upright
from tuistream.charts.kinds.contract import Content, DrawStyle, Points, Size, Ticks
from tuistream.charts.kinds.plot import COLUMNS_A_TICK, EMPTY, Plot, draw_labels, plotted
from tuistream.charts.kinds.words import name_text
from tuistream.charts.numbers import digits_for, format_value
from tuistream.charts.panel import Frame, message_frame
from tuistream.charts.raster import Viewport
from tuistream.core import batch

MOST_VALUES: Final = 1_000_000  # the newest
LEAST_BAR: Final = 2  # cells
MOST_BINS: Final = 80
NOT_ALL: Final = "too many ticks to be counted: + or [ for fewer"
LABELS: Final = 12  # cells that the labels of counts are taken to need
LARGEST: Final = float(np.finfo(np.float64).max)


class Counts(NamedTuple):
    """counts: int64[n]. edges: float64[n + 1], rising."""

    counts: NDArray[np.int64]
    edges: batch.Values


def fits(content: Content) -> bool:
    return isinstance(content, Ticks | Points) and bool(content.columns)


def draw(content: Content, size: Size, style: DrawStyle) -> Frame:
    found = counted(content, size)
    if found is None:
        counted_all = not isinstance(content, Ticks) or content.every
        return message_frame(EMPTY if counted_all else NOT_ALL, *size, style.glyphs)
    plot, width = _plot(found, size, style)
    lo, hi = float(found.edges[0]), float(found.edges[-1])
    span = width * len(found.counts)
    ticks = value_ticks(lo, hi, max(1, span // COLUMNS_A_TICK))
    draw_labels(plot, style, [(min(span - 1, round((v - lo) / (hi - lo) * span)), text) for v, text in ticks])
    columns = [at * width for at in range(len(found.counts))]
    upright(plot, style, columns, max(1, width - (width > LEAST_BAR)), found.counts.astype(np.float64), 0)
    return plot.frame


def read_out(content: Content, size: Size, style: DrawStyle, column: int, row: int) -> str:
    found = counted(content, size)
    if found is None:
        return ""
    plot, width = _plot(found, size, style)
    at = column // width
    if not (0 <= at < len(found.counts) and 0 <= row < plot.rows):
        return ""
    digits = digits_for(found.edges) if style.digits is None else style.digits + 1
    lo, hi = (format_value(float(edge), digits) for edge in found.edges[at : at + 2])
    assert isinstance(content, Ticks | Points)
    return f"{name_text(_name(content))} {lo} to {hi}  {int(found.counts[at]):,} ticks"


def counted(content: Content, size: Size) -> Counts | None:
    """As numpy counts them, in so many bins as Rice's rule has and as there is room for; None for no finite value, or
    where points stand for ticks.
    """
    assert isinstance(content, Ticks | Points)
    if isinstance(content, Ticks) and not content.every:
        return None
    values = content.columns[_name(content)][-MOST_VALUES:]
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    room = max(1, (size.width - LABELS) // LEAST_BAR)
    bins = max(1, min(MOST_BINS, room, round(2 * np.cbrt(len(values)))))
    lo, hi = float(values.min()), float(values.max())
    if hi / 2 - lo / 2 > 1e307:  # numpy needs their distance
        values, lo, hi = values / 4, lo / 4, hi / 4
    if hi - lo <= max(1e-300, bins * 1e-13 * max(abs(lo), abs(hi))):  # one value, as far as floats tell
        around = max(0.5, 1e-9 * abs(lo))
        bins, lo, hi = 1, max(lo - around, -LARGEST), min(hi + around, LARGEST)
    counts, edges = np.histogram(values, bins, (lo, hi))
    return Counts(counts, edges)


def _name(content: Ticks | Points) -> str:
    return content.shown[0] if isinstance(content, Ticks) else next(iter(content.columns))


def _plot(found: Counts, size: Size, style: DrawStyle) -> tuple[Plot, int]:
    """The axes, and the cells of a bar."""
    plot = plotted(size, style, Viewport(0, 1, 0.0, _round_up(int(found.counts.max()))))
    return plot, max(1, plot.columns // len(found.counts))


def _round_up(count: int) -> float:
    """The next of 1, 2, 4, 6, 8, 10 x 10^n, so that the axis stands still while counts change."""
    power = 10 ** (len(str(max(1, count - 1))) - 1)
    return float(next(n * power for n in (1, 2, 4, 6, 8, 10) if n * power >= count))
