"""The watch list: every stream with its numbers, one a row; only rows that changed are sent to the terminal."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tuistream.charts.numbers import format_value
from tuistream.core.board import Board
from tuistream.ui.commands import Pane, bindings
from tuistream.ui.glyphs import Signs
from tuistream.ui.line import InkedWidget, Line, Part, cut, padded
from tuistream.ui.messages import Said, StreamChosen
from tuistream.ui.painting import PaintedApp
from tuistream.ui.streams import Entry, EntryKey, Streams, key_of
from tuistream.ui.view import newest_edge
from tuistream.ui.watch_rows import SORTS, Row, WatchRows, cells, columns_for, header, spark_of

ARRANGE_NS = 1_000_000_000
TAB_TEXT = 10


class WatchList(ScrollView, InkedWidget, inherit_bindings=False):
    """Polled by `update`. The cursor stays on its stream however the rows move."""

    BINDINGS: ClassVar[list[Binding]] = bindings(Pane.LIST)  # type: ignore[assignment]
    can_focus = True

    def __init__(self, streams: Streams, signs: Signs, glyphs: str) -> None:
        super().__init__(id="watch-list")
        self.rows = WatchRows(streams)
        self.selected: EntryKey | None = None
        self._streams = streams
        self._signs = signs
        self._glyphs = glyphs
        self._now = 0
        self._paused = False
        self._arranged = -ARRANGE_NS
        self._titles = ("", "")
        self._lines: dict[int, tuple[Part, ...]] = {}  # by row of the viewport, what was drawn last
        self._sparks: dict[EntryKey, str] = {}

    @property
    def total(self) -> int:
        """All streams, those that the filter leaves out, too."""
        return len(self._streams.order)

    def update(self, now: int) -> None:
        """Draw what changed. now: ns."""
        self._now = now
        if now - self._arranged >= ARRANGE_NS or now < self._arranged:
            self.rows.measure(now)
            self._sparks.clear()
            self._arrange()
        self.draw()

    def freeze(self, now: int | None) -> None:
        """Stand still as of `now` (ns), or go on where it is None."""
        self._paused = now is not None
        if now is None:
            self.rows.thaw()
        else:
            self._now = now
            self.rows.freeze(now)
            self.draw()

    def draw(self) -> None:
        width, height = self.size
        columns = columns_for(width, self.rows.longest, self.rows.apart)
        app = self.app if self.is_attached else None
        for y in range(height):
            line = tuple(self._line(y, columns))
            if self._lines.get(y) != line:
                self._lines[y] = line
                if not (isinstance(app, PaintedApp) and app.paint_row(self, y)):
                    self.refresh(Region(0, y, width, 1))

    def render_line(self, y: int) -> Strip:
        return self.strip_of(self._lines.get(y, ()), self.size.width)

    def streams_new(self) -> None:
        """There are new streams: take them in at the next update."""
        self._arranged = -ARRANGE_NS

    def select_stream(self, key: EntryKey) -> None:
        """Put the cursor on a stream and show it."""
        self.selected = key
        self._show_cursor()
        self.draw()

    def set_filter(self, text: str) -> None:
        self.rows.filter = text
        self._arrange()
        self.scroll_to(y=0, animate=False)
        self._show_cursor()
        self.draw()

    def action_select(self, step: int) -> None:
        order = self.rows.order
        if not order:
            self.post_message(Said(self._nothing()))
            return
        index = min(max(self._cursor() + step, 0), len(order) - 1)
        self.select_stream(key_of(order[index]))

    def action_scroll_by(self, pages: int) -> None:
        self.action_select(pages * max(1, self.size.height - 2))

    def action_open(self) -> None:
        if self.selected is None or not self.rows.order:
            self.post_message(Said(self._nothing()))
        else:
            self.post_message(StreamChosen(self.selected))

    def action_sort(self) -> None:
        self.rows.sort = SORTS[(SORTS.index(self.rows.sort) + 1) % len(SORTS)]
        self._arrange()
        self._show_cursor()
        self.draw()
        self.post_message(Said(f"streams by {self.rows.sort}"))

    def on_click(self, event: events.Click) -> None:
        index = event.get_content_offset_capture(self).y - 1 + round(self.scroll_y)
        if 0 <= index < len(self.rows.order):
            key = key_of(self.rows.order[index])
            if key == self.selected or event.chain > 1:
                self.post_message(StreamChosen(key))
            self.select_stream(key)

    def on_resize(self) -> None:
        self._lines.clear()
        self._show_cursor()
        self.draw()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.draw()

    def row_at(self, y: int) -> Entry | None:
        """The stream in row `y` of the viewport; row 0 is the header."""
        index = y - 1 + round(self.scroll_y)
        return self.rows.order[index] if y > 0 and 0 <= index < len(self.rows.order) else None

    def _arrange(self) -> None:
        self._arranged = self._now
        self.rows.arrange(self._now)
        order = self.rows.order
        if order and self.selected is None:
            self.selected = key_of(order[0])
        self.virtual_size = Size(self.size.width, len(order) + 1)
        title = f"watch {self._signs.bar} {len(order):,} of {self.total:,}" if self.rows.filter else "watch"
        by = "" if self.rows.sort == SORTS[0] else f"by {self.rows.sort}"
        kept = f"filter {self.rows.filter!r}" if self.rows.filter else ""
        away = len(self._streams.order) - len(self._streams.shown)
        hidden = f"{self._signs.hidden} {away:,} hidden" if away else ""
        self._set_titles(title, "  ".join(part for part in (kept, by, hidden) if part))

    def _set_titles(self, title: str, subtitle: str) -> None:
        if self._titles != (title, subtitle):
            self._titles = (title, subtitle)
            self.border_title = Content(title) if title else None
            self.border_subtitle = Content(subtitle) if subtitle else None

    def _line(self, y: int, columns: dict[str, int]) -> list[Part]:
        if y == 0:
            return header(columns)
        state = self.row_at(y)
        if state is None:
            empty = y == 1 and not self.rows.order
            return [(padded(f"  {self._nothing()}", self.size.width), "dim")] if empty else []
        row = self.rows.row(state, self._now)
        spark = self._spark(state, columns["last minute"]) if "last minute" in columns else ""
        return cells(row, columns, self._now, self._signs, row.key == self.selected, spark)

    def _spark(self, state: Entry, width: int) -> str:
        """The last minute; nothing where the ticks do not tell when they were."""
        key = state.stream.key
        if isinstance(state, Board) or state.stream.axis:
            return ""
        if key not in self._sparks or (len(self._sparks[key]) != width - 1 and not self._paused):
            series = state.series
            edge = newest_edge(series.t, state.last_recv, self._now, self._streams.ended(state))
            self._sparks[key] = spark_of(series.t, series.column(state.main), edge, width - 1, self._glyphs)
        return self._sparks[key]

    def _cursor(self) -> int:
        for index, state in enumerate(self.rows.order):
            if key_of(state) == self.selected:
                return index
        return 0

    def _show_cursor(self) -> None:
        index, room = self._cursor(), max(1, self.size.height - 1)
        top = round(self.scroll_y)
        if not top <= index < top + room:
            self.scroll_to(y=index if index < top else index - room + 1, animate=False, immediate=True)

    def _nothing(self) -> str:
        return f"no stream has {self.rows.filter!r} in its name" if self.rows.filter else "no stream yet"


class Tabs(Line):
    """The watch list where there is no room for one: a line of names with their last values."""

    def __init__(self, watch_list: WatchList, signs: Signs) -> None:
        super().__init__(id="tabs")
        self._list = watch_list
        self._signs = signs
        self._spans: list[tuple[int, int, EntryKey]] = []

    def update(self, now: int, current: EntryKey | None) -> None:
        """Names from the one on which the current one still fits. now: ns."""
        parts = self._filtered()
        x = sum(len(text) for text, _ink in parts)
        rows = [self._list.rows.row(state, now) for state in self._around(current, self.size.width - x)]
        self._spans = []
        for row in rows:
            sign, ink = self._signs.move(row.last, row.first)
            chosen = row.key == current
            tab: list[Part] = [
                (
                    f" {row.number or self._signs.hidden} {row.label} ",
                    "selected" if chosen else "stale" if row.silent else "plain",
                ),
                (f"{_shown(row)} ", "stale" if row.silent else "plain"),
                (self._signs.stale if row.silent else "" if row.text else sign, "stale" if row.silent else ink),
                (" ", ""),
            ]
            start, x = x, x + sum(len(text) for text, _ink in tab)
            self._spans.append((start, x, row.key))
            parts += [*tab, (self._signs.bar, "edge")]
            x += 1
        self.show(parts)

    def _filtered(self) -> list[Part]:
        """That there are others, which the filter leaves out."""
        wanted, count = self._list.rows.filter, len(self._list.rows.order)
        if not wanted:
            return []
        return [
            (f" {cut(repr(wanted), TAB_TEXT, self._signs.ellipsis)} {count:,} of {self._list.total:,} ", "accent")
        ]

    def _around(self, current: EntryKey | None, room: int) -> list[Entry]:
        """The streams whose tabs may fit in `room` cells, the current one among them."""
        order = self._list.rows.order
        fit = max(1, room // 24)
        keys = [key_of(entry) for entry in order]
        index = keys.index(current) if current in keys else 0
        first = index // fit * fit
        return order[first : first + fit + 1]

    def on_click(self, event: events.Click) -> None:
        for start, end, key in self._spans:
            if start <= event.x < end:
                self.post_message(StreamChosen(key))


def _shown(row: Row) -> str:
    """The last value, or the beginning of the newest text."""
    return cut(row.text, TAB_TEXT) if row.text else format_value(row.last, row.digits)
