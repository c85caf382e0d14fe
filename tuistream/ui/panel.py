"""One panel: a frame with title and state, and in it the chart or the board of one stream."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from math import nan
from typing import Final

import numpy as np
from msgspec.structs import replace
from textual.app import ComposeResult

from tuistream.charts import kinds
from tuistream.charts.kinds.canvas import solid
from tuistream.charts.numbers import format_value
from tuistream.charts.raster import Viewport, glyph_set
from tuistream.core.batch import Values
from tuistream.core.board import Board
from tuistream.core.durations import format_duration
from tuistream.core.latest import Latest
from tuistream.core.session import Session, StreamState
from tuistream.core.status import FeedState
from tuistream.core.text import printable
from tuistream.ui.chart import AVERAGE_INKS, FIELD_INKS, Chart
from tuistream.ui.content import COUNTING, SPECTRUM, fields_of, is_grid, part_words
from tuistream.ui.contrast import readable
from tuistream.ui.cursor import CursorControls
from tuistream.ui.frame import bottom_edge, top_edge
from tuistream.ui.glyphs import Signs
from tuistream.ui.kind_view import colours_of
from tuistream.ui.line import Line
from tuistream.ui.options import ViewOptions
from tuistream.ui.overview import Overview
from tuistream.ui.replaying import playback_word
from tuistream.ui.status_line import feed_word, local_time
from tuistream.ui.streams import Entry, Streams
from tuistream.ui.view import SECOND
from tuistream.ui.waiting import rows_for_waiting, waiting_for
from tuistream.ui.watch_rows import Row, WatchRows

LOOKED_BACK: Final = 64  # ticks, for how a field that is not the main one moved
WORDS_NS: Final = 240_000_000  # from one change of what a panel's lower edge says to the next


class Panel(CursorControls, can_focus=True):
    """Polled by `update`; draws only if its ticks, its window, its size or the user's choices changed.

    Has a chart, or a board, or neither.
    """

    def __init__(
        self, session: Session, streams: Streams, rows: WatchRows, options: ViewOptions, signs: Signs, glyphs: str
    ) -> None:
        super().__init__(streams, options, glyphs)
        self._dots = glyph_set(glyphs).dots[1]  # columns of dots in a cell
        self.number = 0
        self._session = session
        self._rows = rows
        self._waiting = options.waiting
        self._playback = options.playback
        self._signs = signs
        self._top, self._bottom = Line(classes="top"), Line(classes="bottom")
        self._overview = Overview(glyphs, self.go_to, self._paged)
        self._drawn: object = None  # what the drawing was made of: all but the ticks and window; or a message
        self._drawn_window = (0, 0)
        self._drawn_version = -1
        self._tagged = (0.0, "flat")  # the last value that was shown, and where it had moved
        self._legend: list[tuple[str, str]] = []
        self._worded_at = 0  # by the clock: when what the lower edge says has changed last
        self._colours: Latest[tuple[str, ...]] = Latest()
        self._now = 0
        self._paused_at: int | None = None

    def compose(self) -> ComposeResult:
        yield self._top
        yield self._plot
        yield self._overview
        yield self._bottom

    @property
    def entry(self) -> Entry | None:
        return self.chart.state if self.chart is not None else self.board

    def assign(self, content: Chart | Board | None, number: int) -> None:
        """Show another stream, or none."""
        chart = content if isinstance(content, Chart) else None
        board = content if isinstance(content, Board) else None
        if chart is not self.chart or board is not self.board:
            if self.chart is not None:
                self.chart.forget()
            self.chart = chart
            self.assign_board(board)
            self.forget_cursor()
            self._drawn = None
        self.number = number
        self._worded_at = 0

    def update(self, now: int, edge: int, paused_at: int | None, clock: int | None) -> None:
        """now: ns; edge: now by the stream's clock; paused_at: since when the view is paused; clock: as of `Grid`.

        What the lower edge says changes a few times a second at most, as nobody reads faster.
        """
        self._now, self.edge, self._paused_at = now, edge, paused_at
        if not self.outer_size.width:
            return
        self._draw()
        self._show_top()
        due = clock is None or not self._worded_at <= clock < self._worded_at + WORDS_NS
        if due and self._show_bottom():
            self._worded_at = clock or 0

    def on_resize(self) -> None:
        self._drawn = None
        self._worded_at = 0

    def on_focus(self) -> None:
        self.show_frame()

    def on_blur(self) -> None:
        self.show_frame()

    def redraw(self) -> None:
        self._draw()
        self.show_frame()

    def _draw(self) -> None:
        if self.chart is None or not len(self.chart.state.series) or _has_no_window(self.chart):
            self._overview.leave()
        if self.board is not None:
            self.draw_board(self.board, self._paused_at)
            self.tell_kind()
        elif self.chart is None and self._waiting:
            view = self.rows_view()
            view.show_rows(rows_for_waiting(self._session, self._now, self._waiting, *view.size))
        else:
            self.show_inner(self._plot)
            if self.chart is None or not len(self.chart.state.series):
                self._show_message()
            else:
                self._draw_chart(self.chart)

    def _draw_chart(self, chart: Chart) -> None:
        columns, rows = self.canvas()
        window = self.window(chart)
        if not _has_no_window(chart):
            self._overview.update(chart, window, self.edge, self.outer_size.height)
        chart.recall(window, max(1, window.width // self._dots), self._recalled)
        series = chart.state.series
        version = -1 if self._paused_at is not None else series.version
        missing = chart.state.interrupted and self.edge // SECOND
        colours = self._colours_of(chart)
        gaps = chart.state.gaps
        made_of = (
            missing,
            len(gaps),
            gaps[-1] if gaps else None,
            columns,
            rows,
            chart.choices,
            chart.fields,
            chart.view,
            chart.past.version,
            colours,
        )
        slides = made_of == self._drawn
        same = slides and (window.t0, window.t1) == self._drawn_window
        if same and version == self._drawn_version:
            return
        self._drawn, self._drawn_version, self._drawn_window = made_of, version, (window.t0, window.t1)
        self.drawings += 1
        if chart.choices.kind not in kinds.LINES:
            named = chart.choices.kind in kinds.LEGENDS
            signed = chart.choices.kind == "bars" and not colours_of(self.app)
            self._legend = list(self._inked(fields_of(chart), colours, signed=signed)) if named else []
            self.draw_ticks(chart, window, self._rows.digits(chart.state, self._now, chart.fields[0]), colours)
            self.tell_kind()
            return
        if same and version >= 0 and chart.choices.kind == kinds.LINES[0]:
            grown = chart.growth(window, self.edge)
            if grown is not None and self._plot.grow(grown, self._tag(chart.state, chart.newest)):
                return
            slides = grown is None  # else the chart takes these points as drawn
        drawing = chart.drawing(window, columns, rows, self.edge, self._timezone, slides=slides)
        self.tell_line(chart, drawing, self._rows.digits(chart.state, self._now, chart.fields[0]))
        own = dict(enumerate(colours))
        self._legend = [(name, own.get(index) or ink) for index, (name, ink) in enumerate(drawing.legend)]
        self._plot.show(
            drawing.lines,
            drawing.viewport,
            drawing.value_ticks,
            drawing.time_ticks,
            self._tag(chart.state, drawing.last),
            [(gap.since, gap.to) for gap in drawing.gaps],
            kind=chart.choices.kind,
            colours=colours,
            grown=drawing.grown,
        )

    @property
    def draws_lines(self) -> bool:
        return self.chart is not None and self.chart.choices.kind in kinds.LINES

    def redraw_all(self) -> None:
        self._drawn = None
        self.redraw()

    def _inked(self, fields: tuple[str, ...], colours: tuple[str, ...], *, signed: bool) -> Iterator[tuple[str, str]]:
        """The first fields, each with its colour or ink; signed: after what their bars are filled with."""
        for index, (name, ink) in enumerate(zip(fields, (*FIELD_INKS, *AVERAGE_INKS), strict=False)):
            words = f"{solid(self._plot.glyphs, 0, index)} {name}" if signed else name
            yield words, (colours[index] if index < len(colours) else "") or ink

    def _recalled(self) -> None:
        """What the recording has of the window is there."""
        if self.is_attached and self.chart is not None and self.size.width:
            self.redraw()

    def _tag(self, state: StreamState, value: float) -> tuple[float, str, str] | None:
        """The tag of the last value; none where that is NaN."""
        if value != value:
            return None
        field = self.chart.fields[0] if self.chart is not None else ""
        return (
            value,
            format_value(value, self._rows.digits(state, self._now, field)),
            self._direction_of(state, value),
        )

    def _colours_of(self, chart: Chart) -> tuple[str, ...]:
        """Its sender's colours that can be seen; none on a terminal that has none, or chooses them itself."""
        if chart.look is None and not chart.choices.by_move:
            return ()
        fields = chart.fields if chart.choices.kind in kinds.LINES else fields_of(chart)
        own = self.app.native_ansi_color or self.app.no_color
        wanted = () if own else chart.colours(fields)
        found = self._colours.of(readable, wanted, self.background_colors[1]) if any(wanted) else ()
        if not chart.choices.by_move:
            return found
        # A view that is paused keeps what it showed, whatever comes.
        moved = self._tagged[1] if self._paused_at is not None else self._direction_of(chart.state, chart.newest)
        return (moved, *found[1:])

    def _direction_of(self, state: StreamState, value: float) -> str:
        """Where the last value moved; a view that is paused keeps what it showed of it."""
        if self._paused_at is None or self._tagged[0] != value:
            silent = self._streams.silent(state, self._now)
            field = self.chart.fields[0] if self.chart is not None else state.main
            before = state.previous if field == state.main else _before(state.series.column(field), value)
            self._tagged = value, "flat" if silent else _direction(value, before)
        return self._tagged[1]

    def _show_message(self) -> None:
        message = waiting_for(self._session, self._now) if self.chart is None else "waiting for the first tick"
        if message != self._drawn:
            self._drawn = message
            self._legend = []
            self._plot.show([], Viewport(0, 1, 0.0, 1.0, False), [], [], None, [], message)

    def show_frame(self) -> None:
        """Bring up to date what the edges say."""
        self._show_top()
        self._show_bottom()

    def _show_top(self) -> None:
        entry, legend, title = self.entry, [], ""
        if self.chart is not None:
            legend, title = self._legend, self._title(self.chart)
        elif self.board is not None:
            title, _about, _behind = self.board_words(self.board)
        row = self._rows.row(entry, self._now) if entry is not None else None
        if row is not None and self.chart is not None and self.chart.fields[0] != self.chart.state.main:
            row = self._of_field(row, self.chart)
        # It has no border of its own; `size` is found out anew each time.
        width = self.outer_size.width
        self._top.show(top_edge(width, self._signs, self.has_focus, self.number + 1, row, legend, title))

    def _of_field(self, row: Row, chart: Chart) -> Row:
        """The row of a stream where another field than its main one is drawn: how far that moved is not known."""
        digits = self._rows.digits(chart.state, self._now, chart.fields[0])
        return replace(row, last=chart.newest_known, first=nan, digits=digits)

    def _title(self, chart: Chart) -> str:
        """What is shown, for the upper edge."""
        if chart.choices.kind == SPECTRUM and chart.choices.newest:
            return f"{chart.choices.newest:,} ticks"
        if _has_no_window(chart):
            return ""  # of the newest tick alone, or of all that came
        return chart.view.title(self.base(chart)) if len(chart.state.series) else chart.view.range.name

    def _show_bottom(self) -> bool:
        """Bring up to date what the lower edge says; whether that has changed."""
        width, focused, entry, chart = self.outer_size.width, self.has_focus, self.entry, self.chart
        about: list[str] = []
        state = ink = behind = ""
        if chart is not None:
            about = self._about(chart)
            if len(chart.state.series) and not chart.view.following:
                behind = f"behind {self.behind(chart.view)}"
        elif self.board is not None:
            _title, about, behind = self.board_words(self.board)
        if entry is not None:
            state, ink = self._state(entry, behind)
        told = self.told if entry is not None else ""
        return self._bottom.show(bottom_edge(width, self._signs, focused, about, state, ink, told))

    def _about(self, chart: Chart) -> list[str]:
        """What the stream is, and what of the chart is not as usual; the first word is the first to fall."""
        stream, choices = chart.state.stream, chart.choices
        words = [printable(stream.feed, 24)]
        if stream.kind and stream.kind not in self._streams.label(stream.key):
            words.append(printable(stream.kind, 24))
        if stream.axis:
            words.append(f"along {printable(stream.axis, 24)}")
        if choices.kind not in (kinds.LINES[0], kinds.said(stream.kind)):
            words.append(choices.kind)
        if choices.kind == SPECTRUM:
            words[-1] += f" {choices.transform.words}"
        words.append(part_words(chart, self.window(chart)) if choices.kind in COUNTING else "")
        if choices.only and choices.only not in chart.fields:
            words.append(f"no field {printable(choices.only, 24)}")
        if choices.scale != "sticky":
            words.append(f"scale {choices.scale}")
        if choices.log:
            words.append("log")
        if chart.past.thinned:
            words.append("in part by the minute")
        return words

    def _state(self, entry: Entry, behind: str) -> tuple[str, str]:
        """The state of the view in words, and its ink."""
        words: list[str] = []
        ink = "up"
        if self._paused_at is not None:
            words.append(f"paused {local_time(self._paused_at, self._timezone):%H:%M:%S}")
            ink = "accent"
        if behind:
            words.append(behind)
            ink = "accent"
        if self.chart is not None and (self.chart.past.failure or self.chart.past.slow):
            failure = self.chart.past.failure
            words.append(f"no history: {failure}" if failure else "reading the recording")
            return "  ".join(words), "warning" if failure else "accent"
        if isinstance(entry, StreamState) and entry.recalled:
            words.append(f"as of {_moment(entry.last_t, self._now, self._timezone)}")
            ink = "stale"
        feed = self._session.feed_of(entry.stream)
        if feed is not None and feed.state is not FeedState.LIVE:
            word, ink = feed_word(feed, self._now)
            words.append(word)
        elif not words and self._streams.silent(entry, self._now):
            words.append(f"silent for {format_duration(max(0, self._now - entry.last_recv))}")
            ink = "stale"
        if not words and self._playback is not None:
            return playback_word(self._playback)
        return "  ".join(words) or ("following" if feed is not None and feed.follows else "live"), ink


def _has_no_window(chart: Chart) -> bool:
    """Whether what is drawn is the newest that came, or all of it."""
    return chart.choices.kind in kinds.MOMENTS or is_grid(chart)


def _moment(t: int, now: int, timezone: tzinfo | None) -> str:
    """A local time, with its day where that is not today's. t, now: ns."""
    then = local_time(t, timezone)
    day = "" if then.date() == local_time(now, timezone).date() else f"{then.day} {then:%b} "
    return f"{day}{then:%H:%M:%S}"


def _before(column: Values, value: float) -> float:
    """The last value before `value` that differs from it, among the newest; NaN where there is none."""
    newest = column[-LOOKED_BACK:]
    others = newest[np.isfinite(newest) & (newest != value)]
    return float(others[-1]) if len(others) else nan


def _direction(value: float, before: float) -> str:
    return "up" if value > before else "down" if value < before else "flat"
