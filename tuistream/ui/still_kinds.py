"""A stream of a recording as any kind but lines, for a still. Nothing here knows a theme."""

from __future__ import annotations

from datetime import tzinfo
from typing import Final, NamedTuple

import numpy as np

from tuistream.charts import kinds
from tuistream.charts.kinds.contract import TRUECOLOUR, Content, DrawStyle, Size, Ticks
from tuistream.charts.ohlc import width_for
from tuistream.charts.panel import Frame, message_frame
from tuistream.charts.spectrum import DEFAULT, Transform
from tuistream.core.batch import Stream
from tuistream.core.session import AXIS_MOST
from tuistream.store.history import History, Wanted, Window
from tuistream.studies.grid_counts import GridCounts
from tuistream.ui.axis_view import UNIT
from tuistream.ui.content import HEAT_MAP as HEAT_MAP
from tuistream.ui.content import SPECTRUM
from tuistream.ui.counting import ACROSS, DOWN, matrix_of

CANDLES: Final = "candles"
GRID: Final = "heat-map"
NO_TICKS: Final = ("figure", "picture", "map")  # kinds that ticks are never
TAG_ROOM: Final = 11  # cells beside the columns of a chart, about
GRID_MOST: Final = 1 << 20  # cells of a grid in width, and in height


class KindWanted(NamedTuple):
    """name: one of `kinds.there()`. interval: ns of a candle, 0 for what suits.

    field: the one that is drawn, "" for what the screen draws first. newest: ticks of a spectrum, 0 for all in the
    window.
    """

    name: str = kinds.LINES[0]
    interval: int = 0
    field: str = ""
    newest: int = 0
    transform: Transform = DEFAULT

    @property
    def lines(self) -> bool:
        return self.name in kinds.LINES

    @property
    def words(self) -> str:
        """What it is, for the edge of a panel."""
        if self.name == kinds.LINES[0]:
            return ""
        return f"{self.name} {self.transform.words}" if self.name == SPECTRUM else self.name


AS_LINES: Final = KindWanted()


class Asked(NamedTuple):
    """A stream's `fields` from `since` to before `until`, ns."""

    stream: Stream
    fields: tuple[str, ...]
    since: int
    until: int


def content_of(history: History, asked: Asked, wanted: KindWanted, columns: int) -> Content:
    """What there is to draw in so many columns of cells."""
    stream = asked.stream
    if stream.kind == HEAT_MAP and wanted.name == GRID and {DOWN, ACROSS} <= set(stream.fields):
        return _counted(history.window(_wanted(asked, (DOWN, ACROSS), columns)))
    if wanted.name == CANDLES:
        width = max(wanted.interval, width_for(asked.until - asked.since, columns, 1 if wanted.interval else 2))
        since = asked.since // width * width
        # A column of the recording is a candle, so that points say all of it.
        return _ticks(history.window(Wanted(stream.key, asked.fields, since, asked.until, width)), asked)
    names = (*asked.fields, *(name for name in stream.fields if name not in asked.fields))
    window = history.window(_wanted(asked, names, columns))
    return _sweep(window, asked) if stream.axis and window.raw else _newest(_ticks(window, asked), wanted)


def frame_of(content: Content, wanted: KindWanted, size: Size, style: DrawStyle) -> Frame:
    """It as the kind that is wanted; a word where it cannot be that."""
    if kinds.kind(wanted.name).fits(content):
        return kinds.kind(wanted.name).draw(content, size, style)
    return message_frame(f"no {wanted.name} of this: {', '.join(kinds.fitting(content))}", *size, style.glyphs)


def style_of(
    wanted: KindWanted, glyphs: str, digits: int, timezone: tzinfo | None, *, log: bool, colours: bool
) -> DrawStyle:
    return DrawStyle(
        glyphs,
        TRUECOLOUR if colours else 0,
        digits,
        log=log,
        timezone=timezone,
        cell=wanted.interval,
        transform=wanted.transform,
    )


def _wanted(asked: Asked, names: tuple[str, ...], columns: int) -> Wanted:
    step = max(1, (asked.until - asked.since) // max(1, columns))
    return Wanted(asked.stream.key, names, asked.since, asked.until, step)


def _ticks(window: Window, asked: Asked) -> Ticks:
    """The ticks of a window; where points stand for them those of the first field, as each has times of its own."""
    t0, until = window.wanted.t0, window.wanted.t1
    names = window.wanted.fields if window.raw else window.wanted.fields[:1]
    t = window.lines[names[0]].t
    inside = slice(*np.searchsorted(t, (t0, until)).tolist())
    columns = {name: window.lines[name].v[inside] for name in names}
    shown = tuple(name for name in asked.fields if name in columns)
    gaps = tuple((gap.since, min(gap.to, until)) for gap in window.gaps)
    return Ticks(t[inside], columns, shown, t0, until, gaps, every=window.raw)


def _newest(content: Ticks, wanted: KindWanted) -> Ticks:
    """The newest ticks of what a spectrum is wanted of."""
    if wanted.name != SPECTRUM or not wanted.newest or len(content.t) <= wanted.newest:
        return content
    t = content.t[-wanted.newest :]
    columns = {name: values[-wanted.newest :] for name, values in content.columns.items()}
    return Ticks(t, columns, content.shown, int(t[0]), content.t1, content.gaps, every=content.every)


def _sweep(window: Window, asked: Asked) -> Ticks:
    """The window's last sweep along an axis that is no time."""
    content, axis = _ticks(window, asked), asked.stream.axis
    known = np.abs(content.columns[axis]) < AXIS_MOST
    along = np.rint(content.columns[axis][known] * UNIT).astype(np.int64)
    steps = np.flatnonzero(np.diff(along) < 0)
    first = int(steps[-1]) + 1 if len(steps) else 0
    t = along[first:]
    columns = {name: values[known][first:] for name, values in content.columns.items() if name != axis}
    t0, t1 = (int(t[0]), int(t[-1]) + 1) if len(t) else (0, 1)
    return Ticks(t, columns, content.shown, t0, t1, (), axis)


def _counted(window: Window) -> Content:
    """How often each cell came; the grid is as large as what came, as a recording does not tell what it was."""
    rows, columns = (window.lines[name].v for name in (DOWN, ACROSS))
    t = window.lines[DOWN].t
    inside = (t >= window.wanted.t0) & (t < window.wanted.t1)
    rows, columns = rows[inside], columns[inside]
    most = (min(GRID_MOST, int(np.nanmax(each, initial=0.0, where=each < GRID_MOST)) + 1) for each in (columns, rows))
    counts = GridCounts(*most)
    counts.extend(rows, columns)
    return matrix_of(counts)
