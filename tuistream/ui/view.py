"""Which stretch of time a panel shows: ranges, zoom, pan, follow. Nothing here draws or knows a clock."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, datetime, tzinfo

import msgspec
from msgspec.structs import replace

from tuistream.core.batch import Times
from tuistream.ui import axis_view

MS = 1_000_000
SECOND = 1_000 * MS
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
AUTO_SPAN = MINUTE
AUTO_STEPS = tuple(n * SECOND for n in (5, 10, 15, 20, 30, 45, 60))  # spans of the first minute
PAGES = 8  # a window that is paged jumps by such a part of itself
MIN_SPAN = 10 * MS
MAX_SPAN = 36_525 * DAY  # a hundred years
TICKS_SHOWN = 50

# Widths of a column. Each up to half a day divides the next unit of the clock (minute, hour, day), so that
# columns begin at the same times whatever the window, and each from three seconds on is a whole number of seconds.
_SECOND_PARTS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 75, 80, 100, 120, 125, 150, 200, 250, 300)
_SIXTIETHS = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)
_WIDTHS = (
    *(10_000 * n for n in (1, 2, 5, 10, 20, 50)),
    *(MS * n for n in (*_SECOND_PARTS, 400, 500, 600, 750)),
    *(MS * n for n in (1_000, 1_200, 1_500, 2_000, 2_500)),
    # Without 12: a recording's buckets of 5 s would lie across its dots, and most ticks be read one by one.
    *(SECOND * n for n in _SIXTIETHS[2:] if n != 12),
    *(MINUTE * n for n in _SIXTIETHS),
    *(HOUR * n for n in (1, 2, 3, 4, 6, 8, 12)),
    *(DAY * n for n in (1, 2, 3, 4, 5, 7, 10, 14, 20, 28, 40, 60, 100, 150, 200, 300, 500, 1_000, 2_000, 5_000)),
)


class Range(msgspec.Struct, frozen=True):
    """A quick range. span: ns, 0 where it follows from the day or the ticks. ticks: how many it shows, if any."""

    name: str
    span: int = 0
    ticks: int = 0


def of_ticks(count: int) -> Range:
    return Range(f"{count:,} ticks", ticks=count)


AUTO, TICKS, TODAY, ALL = Range("auto"), of_ticks(TICKS_SHOWN), Range("today"), Range("all")
RANGES = (
    AUTO,
    TICKS,
    Range("1m", MINUTE),
    Range("5m", 5 * MINUTE),
    Range("15m", 15 * MINUTE),
    Range("45m", 45 * MINUTE),
    Range("1h", HOUR),
    Range("3h", 3 * HOUR),
    TODAY,
    Range("1d", DAY),
    ALL,
)
# Of an axis that is not time, in its units.
AXIS_RANGES = (
    AUTO,
    TICKS,
    *(Range(f"{units:,}", units * axis_view.UNIT) for units in (1, 10, 60, 100, 600, 1_000, 10_000)),
    ALL,
)


class Window(msgspec.Struct, frozen=True):
    """`columns` columns of `width` ns from `t0` on; `t0` and `t1` are whole numbers of columns since 1970.

    span: what was asked for, ns; the window is at least as long. end: where the span ends, ns, in the last column.
    """

    t0: int
    t1: int
    width: int
    span: int
    end: int


class View(msgspec.Struct, frozen=True):
    """What the user chose. Each change gives a new view; one that cannot be made gives the same one.

    zoom: each step halves the span. centre: the middle of the span, ns, while panned; None while following.
    held: the span, ns, that the range meant when panning began. axis: it is of an axis that is not time, and what is
    in ns else is in billionths of its unit. points: how many ticks its sender wants to be seen, 0 if it says nothing.
    """

    range: Range = AUTO
    zoom: int = 0
    centre: int | None = None
    held: int = 0
    axis: bool = False
    points: int = 0

    @property
    def following(self) -> bool:
        return self.centre is None

    @property
    def ranges(self) -> tuple[Range, ...]:
        """The quick ranges, from the shortest on."""
        known = AXIS_RANGES if self.axis else RANGES
        wanted = of_ticks(self.points)
        return known if not self.points or wanted in known else (known[0], wanted, *known[1:])

    def base(
        self, t: Times, edge: int, timezone: tzinfo | None, whole: bool = True, oldest: int | None = None
    ) -> int:
        """The span, ns, before zoom, of ticks at `t` seen at `edge`. whole: no tick has left memory yet.

        oldest: the time of the oldest tick that can be shown, where that is not the first of `t`.
        """
        if self.held:
            return self.held
        if self.range.span:
            return self.range.span
        if not len(t):
            return AUTO_SPAN
        first = int(t[0]) if oldest is None else oldest
        if self.range is AUTO and self.axis:
            span = axis_view.auto_span(t, edge)
        elif self.range is AUTO and whole:
            span = min(edge - first, AUTO_SPAN)
            return next(step for step in AUTO_STEPS if step >= span)
        elif self.range is AUTO:
            # Of a stream too fast for memory to hold so much, what it holds: its file is not read all the time.
            span = min(edge - int(t[0]), AUTO_SPAN)
        elif self.range.ticks:
            span = edge - int(t[max(0, len(t) - self.range.ticks)])
        elif self.range is TODAY:
            span = edge - midnight(edge, timezone)
        else:
            span = edge - first
        least, most = self._limits
        return min(max(span, SECOND if self.range is AUTO and not self.axis else least), most)

    @property
    def _limits(self) -> tuple[int, int]:
        """The shortest and the longest span."""
        return (axis_view.LEAST, axis_view.MOST) if self.axis else (MIN_SPAN, MAX_SPAN)

    def span(self, base: int) -> int:
        return scaled(base, self.zoom)

    def window(
        self,
        t: Times,
        edge: int,
        columns: int,
        timezone: tzinfo | None = None,
        *,
        whole: bool = True,
        paged: bool = False,
        still: int = 0,
        oldest: int | None = None,
    ) -> Window:
        """The window of `columns` columns on ticks at `t` (int64[n], ns, oldest first), at `edge` while following.

        The range auto stands still while it fills, from the first tick to the end of the step that it is in; so few
        cells change. With `paged` any window does, but for a jump by an eighth of it when it is full. A window that
        follows stands for `still` ns, where so much is no more than that eighth.
        """
        span = self.span(self.base(t, edge, timezone, whole, oldest))
        end = edge if self.centre is None else min(self.centre + span // 2, edge)
        ahead = max(1, columns // PAGES) if paged and self.centre is None else 1
        widths = axis_view.column_width if self.axis else column_width
        width = widths(span, columns - ahead)  # the last column is not over yet
        within = self._within_memory(whole) and span < AUTO_SPAN
        if within:
            width = column_within(span, columns)
        if ahead < -(-still // width) <= columns // PAGES and self.centre is None and not self.axis:
            ahead = -(-still // width)
            width = width if within else column_width(span, columns - ahead)
        first = int(t[0]) if oldest is None and len(t) else oldest or 0
        if self._fills(t, first, edge, whole):
            t1 = (first // width + columns) * width
            t1 = axis_view.shifted(t1, columns, width) if self.axis else t1
            return Window(t1 - columns * width, t1, width, span, end)
        t1 = -(-end // (ahead * width)) * ahead * width
        if self.axis:
            t1 = axis_view.shifted(t1, columns, width)
        return Window(t1 - columns * width, t1, width, span, end)

    def _within_memory(self, whole: bool) -> bool:
        """Whether this is the range auto of a stream of which memory does not hold all ticks."""
        return self.range is AUTO and not self.axis and not whole and self.zoom == 0 and self.centre is None

    def _fills(self, t: Times, first: int, edge: int, whole: bool) -> bool:
        """Whether the range auto is in its first minute, or its first ticks."""
        shown = self.range is AUTO and self.zoom == 0 and self.centre is None and whole and len(t) > 0
        if self.axis:
            return shown and len(t) <= axis_view.AUTO_TICKS and edge - first <= axis_view.MOST
        return shown and edge - first < AUTO_SPAN

    def zoomed(self, steps: int, base: int) -> View:
        """Nearer by `steps` (further where negative), about the newest tick or, panned, about the middle."""
        zoom = self.zoom + steps
        least, most = self._limits
        return replace(self, zoom=zoom) if least <= scaled(base, zoom) <= most else self

    def panned(self, by: int, now: Window, base: int, edge: int) -> View:
        """Moved by `by` ns (back where negative) from `now`; at the edge it follows again."""
        end = (-(-now.end // now.width) * now.width if self.centre is None else now.end) + by
        if end >= edge:
            return self.followed()
        return replace(self, centre=end - now.span // 2, held=base)

    def gone_to(self, t: int, base: int) -> View:
        """With `t` (ns) in the middle."""
        return replace(self, centre=t, held=base)

    def followed(self) -> View:
        return replace(self, centre=None, held=0)

    def ranged(self, steps: int) -> View:
        """The quick range `steps` further on, or where there is none this one, without zoom; the place is kept while
        panned."""
        ranges = self.ranges
        index = ranges.index(self.range) + steps
        if not 0 <= index < len(ranges):
            if not self.zoom:
                return self
            index -= steps
        chosen = ranges[index]
        if self.centre is not None and chosen.span:
            return replace(self, range=chosen, zoom=0, held=chosen.span)
        return replace(self, range=chosen, zoom=0, centre=None, held=0)

    def title(self, base: int) -> str:
        """What is shown, for a title: the range's name, or the span where zoom has changed it."""
        return self.range.name if not self.zoom else self.span_text(self.span(base))

    def span_text(self, span: int) -> str:
        return axis_view.span_text(span) if self.axis else short_duration(span)


def scaled(span: int, zoom: int) -> int:
    """`span` halved `zoom` times, or doubled where `zoom` is negative."""
    return span >> min(zoom, 64) if zoom >= 0 else span << min(-zoom, 64)


def column_width(span: int, columns: int) -> int:
    """The narrowest of the widths, ns, with which `columns` columns hold `span` ns."""
    least = -(-span // max(columns, 1))
    index = bisect_left(_WIDTHS, least)
    return _WIDTHS[index] if index < len(_WIDTHS) else -(-least // DAY) * DAY


def column_within(span: int, columns: int) -> int:
    """The widest of the widths, ns, with which `columns` columns lie within `span` ns, else the narrowest."""
    return _WIDTHS[max(0, bisect_right(_WIDTHS, span // max(columns, 1)) - 1)]


def midnight(t: int, timezone: tzinfo | None) -> int:
    """The start of the local day that `t` lies in, both ns since 1970 UTC."""
    local = datetime.fromtimestamp(t // SECOND, UTC).astimezone(timezone)
    start = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if timezone is None:
        start = start.replace(tzinfo=None)
    return int(start.timestamp()) * SECOND


def newest_edge(t: Times, last_recv: int, now: int, still: bool) -> int:
    """Now by the clock of a stream's producer, ns: its newest event time and what has passed since it was received.

    So a replay of an old day follows that day, a producer's wrong clock does no harm, and a silent stream slides
    away. A feed that has ended stands `still`, and so does an axis that is not time.
    """
    if not len(t):
        return now
    return int(t[-1]) if still else int(t[-1]) + max(0, now - last_recv)


def short_duration(ns: int) -> str:
    """A span for a title, as the ranges are named, rounded: "500ms", "7.5s", "7m30s", "10m", "1h30m"."""
    if ns < SECOND - MS // 2:
        return f"{max(1, round(ns / MS))}ms"
    seconds = f"{ns / SECOND:.3g}"
    if float(seconds) < 60:
        return f"{seconds}s"
    unit = HOUR if ns >= DAY else MINUTE if ns >= HOUR else SECOND  # the smaller of the two that are shown
    ns = round(ns / unit) * unit
    parts: list[str] = []
    for size, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s")):
        count, ns = divmod(ns, size)
        if count:
            parts.append(f"{count}{name}")
    return "".join(parts[:2])
