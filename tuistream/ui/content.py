"""What a panel has to draw, as arrays: of a chart's ticks, and of what a board holds. Nothing here draws."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from tuistream.charts.kinds.contract import Content, Ticks
from tuistream.charts.spectrum import LEAST_POINTS
from tuistream.core.board import Board
from tuistream.ui.chart import Chart
from tuistream.ui.past import Joined
from tuistream.ui.view import Window

HEAT_MAP = "heatmap"  # in a sender's words
SPECTRUM = "spectrum"
COUNTING = ("histogram", SPECTRUM)  # kinds that need every tick, not points that stand for many


def of_chart(chart: Chart, window: Window, edge: int) -> Content:
    """What a chart has to draw up to `edge`: now by the stream's clock, ns.

    The ticks that lie in the window, of memory as views, and before them those that were read of the recording; of a
    sender's heat map how often each of its cells came.
    """
    if chart.look is not None and is_grid(chart):
        return chart.counting.matrix(chart.state.series, chart.look.grid, chart.until(edge))
    series, axis = chart.state.series, chart.state.stream.axis
    part = series.between(window.t0, window.t1)
    until = min(part.stop, int(np.searchsorted(series.t, chart.until(edge), side="right")))
    seen = slice(part.start, max(part.start, until))
    shown = fields_of(chart)
    names = (*shown, *(name for name in series.fields if name not in shown))
    joined = chart.past.joined(window)
    if chart.choices.kind in COUNTING and (newest := _in_memory(chart, joined, seen)) is not None:
        seen, joined = newest, None
        window = window if seen.start >= part.start else replace(window, t0=int(series.t[seen.start]))
    found = [(gap.since, gap.to) for gap in (*chart.state.gaps, *(joined.gaps if joined is not None else ()))]
    gaps = () if axis else tuple(sorted({gap for gap in found if gap[1] > window.t0 and gap[0] < window.t1}))
    if joined is not None and (read := [name for name in names if name in joined.found.lines]):
        # Where points stand for ticks, those of each field have times of their own.
        read = read if joined.raw else read[:1]
        lines = {name: joined.line(name, series.t[seen], series.column(name)[seen]) for name in read}
        columns = {name: values for name, (_t, values) in lines.items()}
        shown = tuple(name for name in shown if name in columns) or (read[0],)
        return Ticks(lines[read[0]][0], columns, shown, window.t0, window.t1, gaps, axis, joined.raw)
    columns = {name: series.column(name)[seen] for name in names}
    return Ticks(series.t[seen], columns, shown, window.t0, window.t1, gaps, axis)


def _in_memory(chart: Chart, joined: Joined | None, seen: slice) -> slice | None:
    """The ticks that are counted, where memory has them: so many as a spectrum is wanted of, or instead of points
    that stand for ticks those that there are; None where the window tells.
    """
    count = chart.choices.newest if chart.choices.kind == SPECTRUM else 0
    if count and (joined is None or seen.stop >= count):
        return slice(max(0, seen.stop - count), seen.stop)
    if joined is not None and not joined.raw and seen.stop - seen.start >= LEAST_POINTS:
        return seen
    return None


def part_words(chart: Chart, window: Window) -> str:
    """What part of the window is counted, where that is not all of it."""
    joined = chart.past.joined(window) if chart.choices.kind in COUNTING else None
    if joined is None or joined.raw or (chart.choices.kind == SPECTRUM and chart.choices.newest):
        return ""
    part = chart.state.series.between(window.t0, window.t1)
    return "of the ticks in memory" if part.stop - part.start >= LEAST_POINTS else ""


def is_grid(chart: Chart) -> bool:
    """Whether it is a sender's heat map, which counts all that has come, whatever the window."""
    return chart.look is not None and chart.look.kind == HEAT_MAP and chart.look.grid != (0, 0)


def fields_of(chart: Chart) -> tuple[str, ...]:
    """The fields that are seen together: all of a sender's own chart in their order, until one is chosen."""
    if chart.choices.field == 0 and not chart.choices.only and chart.look is not None and chart.look.kind:
        axis = chart.state.stream.axis
        return tuple(name for name in chart.state.series.fields if name != axis)
    return chart.fields


def of_board(board: Board) -> Content | None:
    """What the newest item of a board holds, to be drawn; None where rows of text say it."""
    from tuistream.ui.board_content import of_item  # not every session has boards

    return of_item(board.items[-1])
