"""What one panel shows of one stream: the user's choices; from them lines, scales, marks. Nothing here draws."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import tzinfo
from math import inf, isfinite
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from msgspec.structs import replace

from tuistream.charts import kinds
from tuistream.charts.axes import sticky_range, time_ticks, value_ticks
from tuistream.charts.extremes import extremes
from tuistream.charts.live_end import Points
from tuistream.charts.ohlc import step_for
from tuistream.charts.polyline import Line
from tuistream.charts.raster import Viewport
from tuistream.charts.spectrum import DEFAULT, Transform
from tuistream.core.batch import Times, Values
from tuistream.core.latest import Latest
from tuistream.core.look import Look
from tuistream.core.session import Gap, StreamState
from tuistream.ui.averages import Average, Averages, over, run_up
from tuistream.ui.axis_view import UNIT
from tuistream.ui.counting import Counting
from tuistream.ui.fields import switchable
from tuistream.ui.past import Joined, Past
from tuistream.ui.view import View, Window, of_ticks

if TYPE_CHECKING:
    from tuistream.store.asking import HistoryReader

AVERAGES = ("off", "sma", "ema", "both")
SCALES = ("auto", "sticky", "fixed")
FIELD_INKS = ("price", "price-2", "price-3", "price-4")
AVERAGE_INKS = ("average-1", "average-2", "average-3", "average-4")
FIELDS_SETTLED = 4_096  # ticks after which the choice of fields stays
COLUMNS_A_TICK, ROWS_A_TICK = 13, 4
MOST_GROWN = 4_096  # ticks that are drawn on to what is drawn already; for more, all is drawn anew
BARS = ("bar", "horizontalBar")  # charts, in a sender's words, that stand on zero
MOST_COLOURED = 8  # fields whose colours a sender may say


class Choices(msgspec.Struct, frozen=True):
    """What the user chose for the chart, beside its time."""

    averages: str = "sma"
    kind: str = "line"
    scale: str = "sticky"
    log: bool = False
    field: int = 0  # of what the stream can be switched through
    only: str = ""  # the field that is drawn, whatever the stream is switched to
    by_move: bool = False  # the main line's colour says where it moved last
    candle: int = 0  # ns of one, 0 for what suits
    transform: Transform = DEFAULT  # of a spectrum
    newest: int = 0  # ticks that a spectrum is of, 0 for those in the window


class Drawing(msgspec.Struct):
    """Everything that a plot needs. legend: name and ink of each line, in the order of `lines`."""

    window: Window
    lines: list[Line]
    legend: list[tuple[str, str]]
    viewport: Viewport
    value_ticks: list[tuple[float, str]]
    time_ticks: list[tuple[int, str]]
    last: float  # of the main line, in the window; NaN where there is none
    gaps: list[Gap] = msgspec.field(default_factory=list)
    thinned: int | None = None  # before this time, ns, only minutes are known
    grown: list[Points] | None = None  # what has come since the last drawing, where the window has only slid


class Chart:
    """Keeps what must outlive a frame: the averages, the value range, the choice of fields.

    look: how the stream's sender wants it to be shown. view, choices: as that says, until the user chooses otherwise.
    """

    def __init__(
        self,
        state: StreamState,
        lengths: tuple[int, ...],
        look: Look | None = None,
        reader: HistoryReader | None = None,
    ) -> None:
        self.state = state
        self.past = Past(state, reader)
        self.counting = Counting()
        self.look = look
        self.view = self.home
        self.choices = self.first_choices
        self._lengths = lengths
        self._averages: Averages | None = None
        self._averaged: tuple[str, str] = ("", "")
        self.value_range: tuple[float, float] | None = None
        self._newest_frozen: int | None = None  # event time of the newest tick that is shown while the view is paused
        self._seen = (inf, -inf)  # the extremes of what is drawn
        self._drawn_from = self._drawn_to = self._history = -1  # numbers of ticks, and the series' history then
        self._alone = False  # nothing of it was read from the recording
        self._selections: tuple[tuple[str, ...], ...] = ()
        self._selected_at = -1
        self._value_ticks: Latest[list[tuple[float, str]]] = Latest()
        self._time_ticks: Latest[list[tuple[int, str]]] = Latest()

    @property
    def home(self) -> View:
        """The view that nobody has changed."""
        view = View(axis=bool(self.state.stream.axis), points=self.look.points if self.look else 0)
        return view if not view.points else replace(view, range=of_ticks(view.points))

    @property
    def first_choices(self) -> Choices:
        """The choices that nobody has made. A wave has no averages, nor what a sender wants to be seen."""
        if self.look is None or not self.look.kind:
            return Choices(averages="off") if self.state.stream.axis else Choices()
        kind = kinds.said(self.look.kind) or ("area" if self.look.kind in BARS else "line")
        return Choices(averages="off", kind="area" if kind == "line" and self.look.fill else kind)

    def adopt(self, look: Look | None) -> None:
        """The sender wants it otherwise. What the user has chosen stays."""
        if look == self.look:
            return
        untouched = self.view == self.home, self.choices == self.first_choices
        self.look = look
        self._selected_at = -1
        if untouched[0]:
            self.view = self.home
        if untouched[1]:
            self.choices = self.first_choices

    def colours(self, fields: tuple[str, ...]) -> tuple[str, ...]:
        """What the sender wants these fields to look like, "#rrggbb" or nothing, in their order."""
        wanted = self.look.colours if self.look else ()
        stream = self.state.stream
        own = dict(zip((name for name in stream.fields if name != stream.axis), wanted, strict=False))
        return tuple(own.get(name, "") for name in fields[:MOST_COLOURED])

    def selections(self) -> tuple[tuple[str, ...], ...]:
        """What the fields key goes through; settled once the stream has shown what its values are like."""
        series = self.state.series
        size = min(len(series), FIELDS_SETTLED).bit_length() + 100 * len(series.fields)
        if size != self._selected_at:
            self._selected_at = size
            grouped = self.look is not None and bool(self.look.kind)
            self._selections = switchable(series, self.state.main, self.state.stream.axis, grouped)
        return self._selections

    @property
    def fields(self) -> tuple[str, ...]:
        if self.choices.only in self.state.series.fields:
            return (self.choices.only,)
        selections = self.selections()
        return selections[self.choices.field % len(selections)]

    def forget(self) -> None:
        """Give back the memory of what can be computed or read again."""
        self._averages = None
        self.past.forget()

    def clear(self) -> None:
        """Show nothing of what came before now, as its stream's ticks are gone; follow what comes."""
        self.forget()
        self.view = self.view.followed()
        self.past = Past(self.state, None)
        self.rescale()

    def recall(self, window: Window, step: int, came: Callable[[], None]) -> None:
        """Have read what the window needs of the recording, and call `came`; `step`: ns of a column of dots."""
        fields = self.fields[: len(FIELD_INKS)]
        if self.choices.kind == "candles":
            span = window.t1 - window.t0
            step = step_for(step, span, span // window.width, self.choices.candle)
        self.past.look(window, step, fields, run_up(self._wanted_averages()), came)

    def freeze(self, frozen: bool) -> None:
        """Show no tick that comes from now on, also where it is of a time that is shown; or show all again."""
        series = self.state.series
        self._newest_frozen = int(series.t[-1]) if frozen and len(series) else None

    def until(self, edge: int) -> int:
        """The event time of the newest tick that may be shown at `edge`, ns."""
        return edge if self._newest_frozen is None else min(edge, self._newest_frozen)

    def rescale(self) -> None:
        """Choose the value range anew at the next drawing."""
        self.value_range = None

    def positive(self, window: Window) -> bool:
        """Whether the main line has a positive value in `window`, as a logarithmic scale needs."""
        series = self.state.series
        values = series.column(self.fields[0])[series.between(window.t0, window.t1)]
        return bool((values > 0).any())

    def drawing(
        self,
        window: Window,
        columns: int,
        rows: int,
        edge: int,
        timezone: tzinfo | None,
        *,
        slides: bool = False,
    ) -> Drawing:
        """Lines and scales for a canvas of that size, of ticks up to `edge`: now by the stream's clock, ns.

        slides: whether nothing but the window, and what has come, may be another than at the last drawing.
        """
        series, log = self.state.series, self.choices.log
        joined = self.past.joined(window)
        gaps = self._gaps(window, edge, joined.gaps if joined is not None else ())
        breaks = (*((gap.since, gap.to) for gap in gaps), *(joined.breaks if joined is not None else ()))
        if self.state.interrupted and edge > int(series.t[-1]):
            gaps.append(Gap(int(series.t[-1]), edge, self.state.interrupted))
        part = series.between(window.t0, window.t1)
        until = self.until(edge)
        seen = slice(part.start, min(part.stop, int(series.t.searchsorted(until, side="right"))))
        lines: list[Line] = []
        legend: list[tuple[str, str]] = []
        for name, ink in zip(self.fields, FIELD_INKS, strict=False):
            if joined is not None:
                lines.append(
                    Line(*joined.line(name, series.t[seen], series.column(name)[seen]), breaks, style_of(ink))
                )
            else:
                extremes = series.extremes(name).cut(seen.start, seen.stop)
                lines.append(Line(series.t[seen], series.column(name)[seen], breaks, style_of(ink), extremes))
            legend.append((name, ink))
        for index, (name, line) in enumerate(self._average_lines(window, until, joined, lines[0], gaps)):
            ink = AVERAGE_INKS[index % len(AVERAGE_INKS)]
            lines.append(replace(line, gaps=breaks, style=style_of(ink)))
            legend.append((name, ink))
        lo, hi = self._value_range(lines, window)
        # The line enters the window from the same tick as before.
        slides = slides and joined is None and self._alone and (part.start > 0 or series.total == len(series))
        grown = self._new_points(window, edge) if slides else None
        first = part.start if joined is None else int(series.t.searchsorted(joined.join, side="left"))
        self._drawn_from = series.total - len(series) + first
        self._grows, self._alone = joined is None or joined.raw, joined is None
        self._drawn_to = series.total - len(series) + seen.stop
        self._history = series.history
        return Drawing(
            window,
            lines,
            legend,
            Viewport(window.t0, window.t1, lo, hi, log),
            self._value_ticks.of(value_ticks, lo, hi, max(2, rows // ROWS_A_TICK + 1), log),
            self._ticks_along(window, max(1, columns // COLUMNS_A_TICK), timezone),
            _last(lines[0].v),
            gaps,
            None if joined is None else joined.found.thinned,
            grown,
        )

    @property
    def newest(self) -> float:
        """The newest value of the main line; NaN where the newest tick has none."""
        return float(self.state.series.column(self.fields[0])[-1])

    @property
    def newest_known(self) -> float:
        """The newest value of the main line that is one, as far as may be shown; NaN where that is long ago."""
        series, frozen = self.state.series, self._newest_frozen
        stop = len(series) if frozen is None else int(series.t.searchsorted(frozen, side="right"))
        return _last(series.column(self.fields[0])[max(0, stop - MOST_GROWN) : stop])

    def growth(self, window: Window, edge: int) -> list[Points] | None:
        """What has come at the end of each line since the last drawing, or growth, of the same window.

        None where more than that has changed, or the value range would.
        """
        series = self.state.series
        if not self._grows or series.total == self._drawn_to or series.total - len(series) > self._drawn_from:
            return None
        grown = self._new_points(window, edge)
        if grown is None:
            return None
        lo = min(self._seen[0], *(points.low for points in grown))
        hi = max(self._seen[1], *(points.high for points in grown))
        if (lo, hi) != self._seen:
            if not self._still_fits(lo, hi):
                return None
            self._seen = lo, hi
        self._drawn_to = series.total
        return grown

    def _new_points(self, window: Window, edge: int) -> list[Points] | None:
        """What has come at the end of each line since the last drawing, or growth; None where that cannot be said."""
        series = self.state.series
        count = series.total - self._drawn_to
        if (
            series.history != self._history
            or not 0 <= count <= min(MOST_GROWN, len(series))
            or int(series.t[-1]) > min(self.until(edge), window.t1)
        ):
            return None
        t = series.t[len(series) - count :]
        columns = [(t, series.column(name)[len(series) - count :]) for name in self.fields[: len(FIELD_INKS)]]
        averages = self._updated_averages()
        if averages is not None:
            columns += averages.newest(count)
        return [Points(t, v, float(v.min(initial=inf)), float(v.max(initial=-inf))) for t, v in columns]

    def _still_fits(self, lo: float, hi: float) -> bool:
        """Whether data from `lo` to `hi` have the value range that is there."""
        if self.choices.scale == "fixed":
            return True
        previous = None if self.choices.scale == "auto" else self.value_range
        return sticky_range(previous, lo, hi, self.choices.log) == self.value_range

    def _gaps(self, window: Window, edge: int, recorded: tuple[Gap, ...]) -> list[Gap]:
        """Those that show in the window. An axis that is not time has none: theirs are times."""
        if self.view.axis:
            return []
        until = min(window.t1, edge)
        gaps = [gap for gap in self.state.gaps if gap.to > window.t0 and gap.since < until]
        if recorded:
            known = {(gap.since, gap.to) for gap in gaps}
            others = [gap for gap in recorded if gap.to > window.t0 and gap.since < until]
            gaps += [gap for gap in others if (gap.since, gap.to) not in known]
            gaps.sort(key=lambda gap: gap.to)
        if gaps and gaps[-1].to > edge:  # a view that is paused knows of nothing that came later
            gaps[-1] = replace(gaps[-1], to=edge)
        return gaps

    def _ticks_along(self, window: Window, count: int, timezone: tzinfo | None) -> list[tuple[int, str]]:
        if self.view.axis:
            return self._time_ticks.of(axis_ticks, window.t0, window.t1, count)
        return self._time_ticks.of(time_ticks, window.t0, window.t1, count, timezone)

    def _wanted_averages(self) -> list[Average]:
        chosen = ("sma", "ema") if self.choices.averages == "both" else (self.choices.averages,)
        return [(name, length) for name in ("sma", "ema") if name in chosen for length in self._lengths]

    def _average_lines(
        self, window: Window, until: int, joined: Joined | None, main: Line, gaps: list[Gap]
    ) -> list[tuple[str, Line]]:
        """The averages of the main line. Where the recording has too many ticks to read, they are of columns."""
        if joined is None:
            averages = self._updated_averages()
            known = averages.between(window.t0, window.t1, until) if averages is not None else {}
            return [(name, Line(column.t, column.v, extremes=column.extremes)) for name, column in known.items()]
        wanted = self._wanted_averages()
        if joined.raw:
            return [(name, Line(main.t, v)) for name, v in over(main.t, main.v, wanted, gaps)]
        t, v = closes(main, window.t0, joined.step)
        return [(f"≈ {name}", Line(t, values)) for name, values in over(t, v, wanted, gaps)]

    def _updated_averages(self) -> Averages | None:
        wanted = self._wanted_averages()
        if not wanted:
            self._averages = None
            return None
        key = (self.choices.averages, self.fields[0])
        if self._averages is None or self._averaged != key:
            self._averages = Averages(self.state.series, self.fields[0], wanted)
            self._averaged = key
        self._averages.update(() if self.view.axis else self.state.gaps)
        return self._averages

    def _value_range(self, lines: list[Line], window: Window) -> tuple[float, float]:
        """The value range for what is in the window, by the chosen mode."""
        if self.choices.scale == "fixed" and self.value_range is not None:
            return self.value_range
        lo, hi = np.inf, -np.inf
        for line in lines:
            least, most = _inside(line, window, self.choices.log)
            lo, hi = min(lo, least), max(hi, most)
        if self.look is not None and self.look.kind in BARS and self.choices.kind == "area" and lo <= hi:
            lo, hi = (lo, hi) if self.choices.log else (min(lo, 0.0), max(hi, 0.0))
        self._seen = lo, hi
        return self._scaled(lo, hi)

    def range_of(self, columns: Iterable[Values], *, zero: bool) -> tuple[float, float]:
        """The value range for arrays, by the chosen mode. zero: with zero in it, where it is not log."""
        if self.choices.scale == "fixed" and self.value_range is not None:
            return self.value_range
        return self._scaled(*extremes(columns, log=self.choices.log, zero=zero))

    def _scaled(self, lo: float, hi: float) -> tuple[float, float]:
        previous = None if self.choices.scale == "auto" else self.value_range
        self.value_range = sticky_range(previous, lo, hi, self.choices.log)
        return self.value_range


def axis_ticks(t0: int, t1: int, count: int) -> list[tuple[int, str]]:
    """At most `count` round places from t0 to t1, in billionths of the axis' unit, each with its label in units."""
    return [(round(value * UNIT), label) for value, label in value_ticks(t0 / UNIT, t1 / UNIT, count)]


def style_of(ink: str) -> int:
    return (*FIELD_INKS, *AVERAGE_INKS).index(ink)


def closes(line: Line, t0: int, step: int) -> tuple[Times, Values]:
    """The last value in each column of `step` ns, and its time."""
    known = np.isfinite(line.v)
    t, v = line.t[known], line.v[known]
    column = (t - t0) // step
    ends = (np.append(column[1:] != column[:-1], True)).nonzero()[0] if len(t) else np.empty(0, np.int64)
    return t[ends], v[ends]


def _last(values: Values) -> float:
    """The newest value that is one; NaN where there is none."""
    if len(values) and isfinite(values[-1]):
        return float(values[-1])
    known = np.isfinite(values).nonzero()[0]
    return float(values[known[-1]]) if len(known) else float("nan")


def _inside(line: Line, window: Window, log: bool) -> tuple[float, float]:
    """Smallest and largest value of a line in the window; inf and -inf where there is none."""
    first = int(line.t.searchsorted(window.t0, side="left"))
    stop = int(line.t.searchsorted(window.t1, side="right"))
    return line.extremes.cut(first, stop).range(line.v[first:stop], 0.0 if log else -inf)
