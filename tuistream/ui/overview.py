"""The strip under a chart that shows all that there is, small, and where in it the window lies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from textual import events

from tuistream.charts.numbers import sparkline
from tuistream.core.batch import Times, Values
from tuistream.ui.chart import Chart
from tuistream.ui.line import Line, Part
from tuistream.ui.view import SECOND, Window

ROWS_FROM: Final = 16  # of a panel, from which it has room for the strip
EVERY: Final = SECOND  # ns between two looks at what has come
EVERY_PAGED: Final = 10 * SECOND  # and where every byte counts
UNREAD: Final = "."  # what is recorded, and not in memory


class Overview(Line):
    """One row: a sparkline of the main field from the oldest tick on, with brackets around the window."""

    DEFAULT_CSS = "Overview { display: none; }"

    def __init__(self, glyphs: str, go_to: Callable[[int], None], paged: bool) -> None:
        """go_to: called with the time (ns) that was clicked at. paged: it changes as rarely as can be."""
        super().__init__()
        self._glyphs = glyphs
        self._go_to = go_to
        self._every = EVERY_PAGED if paged else EVERY
        self._span = (0, 0)
        self._made_of: object = None
        self._sampled_of: object = None  # what these were found of
        self._values = np.empty(0)

    def leave(self) -> None:
        """There is no chart."""
        if self.display:
            self.display = False

    def update(self, chart: Chart, window: Window, edge: int, rows: int) -> None:
        """Show where `window` lies in what the chart has up to `edge` (ns), if a panel of `rows` rows has room."""
        made_of = (
            chart,
            edge // self._every,
            rows,
            self.outer_size,
            self.display,
            window.t1 - window.t0,
            chart.view,
            chart.fields,
            chart.past.oldest,
        )
        if made_of == self._made_of:
            return
        self._made_of = made_of
        shown = rows >= ROWS_FROM  # whatever the window is: the chart keeps its height when that changes
        if shown != self.display:
            self.display = shown
        if not shown or not self.size.width:
            return
        series = chart.state.series
        sampled_of = chart, edge // self._every, self.size.width, chart.fields[0], chart.past.oldest, series.history
        if sampled_of != self._sampled_of:
            self._sampled_of = sampled_of
            self._span = chart.past.first, edge
            self._values = sampled(series.t, series.column(chart.fields[0]), *self._span, self.size.width)
        self.show(strip(self._values, *self._span, window, self._glyphs, chart.past.first < int(series.t[0])))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        event.stop()
        first, last = self._span
        self._go_to(first + (2 * event.x + 1) * (last - first) // (2 * max(1, self.size.width)))


def sampled(t: Times, v: Values, first: int, last: int, width: int) -> Values:
    """The last value in each of `width` columns from `first` to `last`, ns; float64[width], NaN where there is none.

    t: int64[n], rising; v: float64[n].
    """
    ends = first + (last - first) * np.arange(1, width + 1, dtype=np.float64) / width
    stops = t.searchsorted(ends.astype(np.int64), side="right")
    starts = np.append(t.searchsorted(first, side="left"), stops[:-1])
    found = np.full(width, np.nan)
    some = stops > starts
    found[some] = v[stops[some] - 1]
    return found


def strip(values: Values, first: int, last: int, window: Window, glyphs: str, unread: bool) -> list[Part]:
    """The row: what lies outside the window is dim. unread: before the first value there is more, not in memory."""
    width = len(values)
    text = sparkline(values, width, glyphs)
    known = np.isfinite(values).nonzero()[0]
    if unread and len(known):
        text = UNREAD * int(known[0]) + text[int(known[0]) :]
    begin, end = (min(max(0, (t - first) * width // max(1, last - first)), width - 1) for t in (window.t0, window.t1))
    if end - begin < 1 or width < 3:
        return [(text[:begin], "dim"), (text[begin : end + 1].replace(" ", "|"), "price"), (text[end + 1 :], "dim")]
    inside = f"[{text[begin + 1 : end]}]"
    return [(text[:begin], "dim"), (inside, "price"), (text[end + 1 :], "dim")]
