"""A still of a recording's streams: the panels of the screen for any window, without a screen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from math import inf, isfinite, log10
from typing import Final, NamedTuple

import numpy as np
from textual.geometry import Region

from tuistream.charts import kinds
from tuistream.charts.axes import sticky_range, time_ticks, value_ticks
from tuistream.charts.kinds.contract import Size, Ticks
from tuistream.charts.numbers import digits_for, format_value
from tuistream.charts.panel import INKS as PLOT_INKS
from tuistream.charts.panel import Axes, Frame, Layout, Tag, aligned, compose, layout_for, message_frame
from tuistream.charts.polyline import Line
from tuistream.charts.raster import Viewport, glyph_set
from tuistream.charts.still import Run, Still
from tuistream.core.batch import Values
from tuistream.core.series import Series
from tuistream.core.session import AXIS_MOST, main_field
from tuistream.core.text import printable
from tuistream.store.history import History, Newest, Wanted, Window
from tuistream.ui.averages import Average, over, run_up
from tuistream.ui.axis_view import UNIT
from tuistream.ui.axis_view import column_width as axis_width
from tuistream.ui.chart import AVERAGE_INKS, COLUMNS_A_TICK, FIELD_INKS, ROWS_A_TICK, axis_ticks, closes, style_of
from tuistream.ui.fields import has_price, switchable
from tuistream.ui.frame import bottom_edge, top_edge
from tuistream.ui.glyphs import signs_for
from tuistream.ui.line import Part, cell_len, in_ascii
from tuistream.ui.status_line import local_time
from tuistream.ui.still_colours import Colours, Ink, colours_of
from tuistream.ui.still_kinds import AS_LINES, TAG_ROOM, Asked, KindWanted, content_of, frame_of
from tuistream.ui.still_kinds import style_of as kind_style
from tuistream.ui.stream_plot import FIRST_LABELS
from tuistream.ui.streams import labels
from tuistream.ui.tiles import capacity, tiles
from tuistream.ui.view import DAY, HOUR, MINUTE, MS, SECOND, short_duration
from tuistream.ui.watch_rows import SIGNIFICANT, Row

SAMPLE: Final = 4_096  # newest ticks by which the fields are chosen
LAYOUTS_TRIED: Final = 3  # until the room for labels is what they need
UNITS: Final = (DAY, HOUR, MINUTE, SECOND, 100 * MS, 10 * MS, MS, 10_000, 100, 1)
UNITS_A_COLUMN: Final = 40  # at least, so that a column is hardly wider than it need be


@dataclass(frozen=True, slots=True)
class StillOptions:
    """What is wanted. width, height: cells. averages: lengths in ticks. glyphs: as of a screen.

    kind: what streams are drawn as. colours: cells may have colours of their own, as of a heat map.
    """

    width: int = 120
    height: int = 30
    averages: tuple[int, ...] = (15,)
    theme: str = ""
    glyphs: str = "braille"
    log: bool = False
    timezone: tzinfo | None = None
    kind: KindWanted = AS_LINES
    colours: bool = True


class Span(NamedTuple):
    """Event times from `since` to before `until`, ns."""

    since: int
    until: int


def ranked(found: Iterable[Newest]) -> list[Newest]:
    """Streams in the order of their panels: those with a traded price, then with quotes, then the rest."""

    def rank(newest: Newest) -> int:
        main = main_field(newest.stream, described=False)
        if has_price((main,)) and main not in ("bid", "ask"):
            return 0
        return 1 if has_price(newest.stream.fields) else 2

    return sorted(found, key=rank)


def most_panels(options: StillOptions) -> int:
    return capacity(options.width, options.height, options.width)


def still_of(history: History, streams: Sequence[Newest], span: Span, options: StillOptions) -> Still:
    """A panel for each of `streams`. Raises RecordingError, and SettingsError for the theme."""
    colours = colours_of(options.theme)
    named = labels([newest.stream.key for newest in streams])
    runs: list[Run] = []
    for number, (newest, region) in enumerate(
        zip(streams, tiles(len(streams), options.width, options.height), strict=True), start=1
    ):
        panel = _Panel(history, newest, named[newest.stream.key], number, span, options, colours)
        runs += panel.runs(region)
    since, until = (f"{local_time(t, options.timezone):%Y-%m-%d %H:%M:%S}" for t in span)
    title = f"{', '.join(named.values())} from {since} to {until}"
    return Still(options.width, options.height, colours.background, runs, title)


def columns_for(span: Span, columns: int) -> tuple[int, int]:
    """Where the first of `columns` columns begins, and their width (ns, even), so that they hold the span.

    Both are whole numbers of a unit of the clock, as the buckets of rollups are.
    """
    length = span.until - span.since
    unit = next((unit for unit in UNITS if UNITS_A_COLUMN * unit * columns <= length), 1)
    width = -(-(length + unit) // (columns * 2 * unit)) * 2 * unit
    return span.since // unit * unit, width


class _Drawn(NamedTuple):
    """A finished chart and what its edges say. legend: name and ink of each line. shown: the values of the first."""

    frame: Frame
    legend: list[tuple[str, str]]
    shown: Values
    digits: int


class _Scene(NamedTuple):
    """Lines from t0 to t1, and what stands around them. shown: the values of each line that are in the window."""

    t0: int
    t1: int
    lines: list[Line]
    legend: list[tuple[str, str]]
    shown: list[Values]
    ticks: list[tuple[int, str]]
    gaps: list[tuple[int, int]]


class _Panel:
    """One stream's."""

    def __init__(
        self,
        history: History,
        newest: Newest,
        label: str,
        number: int,
        span: Span,
        options: StillOptions,
        colours: Colours,
    ) -> None:
        self._history = history
        self._stream = newest.stream
        self._recv = newest.recv
        self._label = label
        self._number = number
        self._span = span
        self._options = options
        self._averages: list[Average] = [("sma", length) for length in options.averages]
        self._colours = colours
        sample = Series(newest.stream.fields, max(2, len(newest.t)))
        sample.extend(newest.t, newest.v)
        main = main_field(newest.stream, described=False)
        self._fields = switchable(sample, main, newest.stream.axis)[0][: len(FIELD_INKS)]
        if options.kind.field in newest.stream.fields:
            self._fields = (options.kind.field,)

    def runs(self, region: Region) -> Iterator[Run]:
        """The panel with its edges, in the cells of `region`."""
        width, height = region.size
        drawn = self._drawn(max(1, width - 2), max(1, height - 2))
        signs = signs_for(self._options.glyphs)
        bar = self._colours.words["edge"].colour
        top = top_edge(width, signs, False, self._number, self._row(drawn), drawn.legend, self._length())
        bottom = bottom_edge(width, signs, False, self._about(), self._times(), "dim")
        yield from self._parts(top, region.x, region.y)
        for y in range(drawn.frame.height):
            yield Run(region.x, region.y + 1 + y, signs.bar, 1, bar)
            yield from self._row_of(drawn.frame, y, region.x + 1, region.y + 1 + y)
            yield Run(region.right - 1, region.y + 1 + y, signs.bar, 1, bar)
        yield from self._parts(bottom, region.x, region.bottom - 1)

    def _drawn(self, width: int, height: int) -> _Drawn:
        """The chart, once the room for its labels is what they need."""
        if not self._options.kind.lines:
            return self._of_kind(Size(width, height))
        room = FIRST_LABELS
        for _ in range(LAYOUTS_TRIED):
            drawn, needed = self._in_layout(layout_for(width, height, room))
            if needed == room or layout_for(width, height, needed) == layout_for(width, height, room):
                break
            room = needed
        return drawn

    def _of_kind(self, size: Size) -> _Drawn:
        options = self._options
        asked = Asked(self._stream, self._fields, *self._span)
        content = content_of(self._history, asked, options.kind, max(1, size.width - TAG_ROOM))
        shown = content.columns[content.shown[0]] if isinstance(content, Ticks) and content.shown else np.empty(0)
        shown = shown[np.isfinite(shown)]
        digits = _digits(shown)
        style = kind_style(
            options.kind, options.glyphs, digits, options.timezone, log=options.log, colours=options.colours
        )
        named = zip(self._fields, FIELD_INKS, strict=False) if options.kind.name in kinds.LEGENDS else ()
        return _Drawn(frame_of(content, options.kind, size, style), list(named), shown, digits)

    def _in_layout(self, layout: Layout) -> tuple[_Drawn, int]:
        """The chart, and how many cells its labels need."""
        options = self._options
        rows = max(1, layout.rows)
        scene = self._scene(max(1, layout.columns))
        known = [values[np.isfinite(values) & (values > (0.0 if options.log else -inf))] for values in scene.shown]
        if not any(map(len, known)):
            message = "no value above 0" if any(map(len, scene.shown)) else "no ticks"
            frame = message_frame(message, layout.width, layout.height, options.glyphs)
            return _Drawn(frame, [], np.empty(0), 0), layout.labels
        least = min(float(values.min()) for values in known if len(values))
        most = max(float(values.max()) for values in known if len(values))
        viewport = Viewport(scene.t0, scene.t1, *sticky_range(None, least, most, options.log), options.log)
        values_at = value_ticks(viewport.lo, viewport.hi, max(2, rows // ROWS_A_TICK + 1), options.log)
        digits = _digits(known[0])
        tag = _tag(known[0], digits)
        frame = compose(
            layout,
            Axes(),
            options.glyphs,
            scene.lines,
            viewport,
            values_at,
            scene.ticks,
            tag,
            scene.gaps,
            options.kind.name,
        )
        needed = max(map(len, aligned([*(label for _value, label in values_at), tag.text if tag else ""])))
        return _Drawn(frame, scene.legend, known[0], digits), needed

    def _scene(self, columns: int) -> _Scene:
        """What is drawn in so many columns."""
        t0, width = columns_for(self._span, columns)
        window = self._window(t0, width)
        if self._stream.axis and window.raw:
            return self._along_axis(window, columns)
        lines, legend = self._lines(window)
        return _Scene(
            t0,
            t0 + columns * width,
            lines,
            legend,
            [_between(line, *self._span) for line in lines],
            time_ticks(t0, t0 + columns * width, max(1, columns // COLUMNS_A_TICK), self._options.timezone),
            [(gap.since, min(gap.to, self._span.until)) for gap in window.gaps],
        )

    def _along_axis(self, window: Window, columns: int) -> _Scene:
        """The window's last sweep along an axis that is not time."""
        points = window.lines[self._stream.axis]
        inside = (points.t >= self._span.since) & (points.t < self._span.until) & (np.abs(points.v) < AXIS_MOST)
        along = np.rint(points.v[inside] * UNIT).astype(np.int64)
        steps = np.flatnonzero(np.diff(along) < 0)
        first = int(steps[-1]) + 1 if len(steps) else 0
        along = along[first:]
        values = [window.lines[name].v[inside][first:] for name in self._fields]
        width = axis_width(int(along[-1] - along[0]) if len(along) else 0, columns - 1)
        t0 = int(along[0]) // width * width if len(along) else 0
        named = list(zip(self._fields, FIELD_INKS, strict=False))
        lines = [Line(along, v, (), style_of(ink)) for v, (_name, ink) in zip(values, named, strict=True)]
        t1 = t0 + columns * width
        return _Scene(t0, t1, lines, named, values, axis_ticks(t0, t1, max(1, columns // COLUMNS_A_TICK)), [])

    def _window(self, t0: int, width: int) -> Window:
        step = width // glyph_set(self._options.glyphs).dots[1]
        axis = (self._stream.axis,) if self._stream.axis else ()
        wanted = Wanted(self._stream.key, (*self._fields, *axis), t0, self._span.until, step, run_up(self._averages))
        return self._history.window(wanted)

    def _lines(self, window: Window) -> tuple[list[Line], list[tuple[str, str]]]:
        """The lines of fields and averages, and their legend. Of more ticks than are read they are of the columns."""
        breaks = tuple((gap.since, gap.to) for gap in window.gaps)
        lines: list[Line] = []
        legend: list[tuple[str, str]] = []
        for name, ink in zip(self._fields, FIELD_INKS, strict=False):
            points = window.lines[name]
            before = points.t < self._span.until
            lines.append(Line(points.t[before], points.v[before], breaks, style_of(ink)))
            legend.append((name, ink))
        main = lines[0]
        t, v, about = main.t, main.v, ""
        if not window.raw:
            t, v = closes(main, window.wanted.t0, window.wanted.step)
            about = "≈ "
        for index, (name, values) in enumerate(over(t, v, self._averages, window.gaps)):
            ink = AVERAGE_INKS[index % len(AVERAGE_INKS)]
            lines.append(Line(t, values, breaks, style_of(ink)))
            legend.append((f"{about}{name}", ink))
        return lines, legend

    def _row(self, drawn: _Drawn) -> Row:
        shown = drawn.shown if len(drawn.shown) else np.array([np.nan])
        first, last = float(shown[0]), float(shown[-1])
        low, high = float(shown.min()), float(shown.max())
        key = self._stream.key
        return Row(
            key, self._label, self._number, last, first, low, high, drawn.digits, 0.0, self._recv, silent=False
        )

    def _about(self) -> list[str]:
        words = [printable(self._stream.feed, 24)]
        if self._stream.kind and self._stream.kind not in self._label:
            words.append(printable(self._stream.kind, 24))
        if self._stream.axis:
            words.append(f"along {printable(self._stream.axis, 24)}")
        kind = self._options.kind
        if kind.words:
            words.append(kind.words)
        if kind.field and kind.field not in self._fields:
            words.append(f"no field {printable(kind.field, 24)}")
        return [*words, "log"] if self._options.log else words

    def _length(self) -> str:
        """How long the window is."""
        if self._options.kind.newest:
            return f"{self._options.kind.newest:,} ticks"
        return short_duration(self._span.until - self._span.since)

    def _times(self) -> str:
        """The window, with the difference from UTC."""
        since, until = (local_time(t, self._options.timezone) for t in self._span)
        end = f"{until:%H:%M:%S}" if since.date() == until.date() else f"{until:%Y-%m-%d %H:%M:%S}"
        return f"{since:%Y-%m-%d %H:%M:%S} to {end} {until:%z}"

    def _parts(self, parts: Sequence[Part], x: int, y: int) -> Iterator[Run]:
        for words, name in parts:
            text = in_ascii(words) if self._options.glyphs == "ascii" else words
            width = cell_len(text)
            ink = self._colours.words.get(name) or Ink(name or self._colours.words["plain"].colour, False)
            yield Run(x, y, text, width, *ink)
            x += width

    def _row_of(self, frame: Frame, row: int, x: int, y: int) -> Iterator[Run]:
        for text, ink, fore, behind in frame.coloured_runs(row):
            if ink >= 0:
                colour, bold = self._colours.plot[PLOT_INKS[ink]]
                back = f"#{behind:06x}" if behind >= 0 else ""
                yield Run(x, y, text, len(text), f"#{fore:06x}" if fore >= 0 else colour, bold, back)
            x += len(text)


def _between(line: Line, since: int, until: int) -> Values:
    """The line's values from `since` to before `until`."""
    first, stop = np.searchsorted(line.t, (since, until))
    return line.v[first:stop]


def _digits(values: Values) -> int:
    """Decimals of the values, as the watch list has them."""
    needed = digits_for(values)
    size = abs(float(values[-1])) if len(values) else 0.0
    whole = int(log10(size)) + 1 if size >= 1 else 1
    return min(needed, max(0, SIGNIFICANT - whole))


def _tag(values: Values, digits: int) -> Tag | None:
    """The last value, and where it came from."""
    if not len(values) or not isfinite(values[-1]):
        return None
    last = float(values[-1])
    others = values[values != last]
    before = float(others[-1]) if len(others) else last
    direction = "up" if last > before else "down" if last < before else "flat"
    return Tag(last, format_value(last, digits), direction)
