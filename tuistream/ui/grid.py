"""The panels of a page: which streams, how many, which is the current one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.layout import Layout
from textual.timer import Timer
from textual.widget import Widget

from tuistream.core.board import Board
from tuistream.core.session import Session
from tuistream.ui.chart import Chart
from tuistream.ui.commands import Pane, bindings
from tuistream.ui.glyphs import Signs
from tuistream.ui.messages import Said
from tuistream.ui.options import ViewOptions
from tuistream.ui.panel import Panel
from tuistream.ui.streams import Entry, EntryKey, Streams, key_of
from tuistream.ui.tiles import ONE_COLUMN_BELOW, TileLayout, capacity
from tuistream.ui.view import newest_edge
from tuistream.ui.watch_rows import WatchRows

if TYPE_CHECKING:
    from tuistream.store.asking import HistoryReader

TOUR_SECONDS = 5
KEPT = "a recording keeps what came"


class Grid(Widget):
    """Every stream has a number and so its place on a page; panels are made for as many as a page holds."""

    BINDINGS: ClassVar[list[Binding]] = bindings(Pane.GRID)  # type: ignore[assignment]

    def __init__(
        self,
        session: Session,
        streams: Streams,
        rows: WatchRows,
        options: ViewOptions,
        signs: Signs,
        glyphs: str,
        reader: HistoryReader | None = None,
    ) -> None:
        """reader: of the recording, if there is one."""
        super().__init__(id="grid")
        self._reader = reader
        self.current = 0  # the number, from 0, of the stream whose panel keys act on
        self.maximised = False
        self.one_panel = False  # there is room for one only
        self._session = session
        self._streams = streams
        self._options = options
        self._charts: dict[EntryKey, Chart] = {}
        self._cleared: set[EntryKey] = set()  # of which nothing that was recorded earlier is shown any more
        self._tour: Timer | None = None
        self._looks_seen = 0
        self._tiles = TileLayout()
        self._edges: dict[EntryKey, int] | None = None  # while paused: each stream's now
        self._paused_at: int | None = None
        self._rows, self._signs, self._glyphs = rows, signs, glyphs
        self._panels = [self._new_panel()]

    @property
    def layout(self) -> Layout:
        return self._tiles

    def compose(self) -> ComposeResult:
        yield from self._panels

    @property
    def capacity(self) -> int:
        if self.maximised or self.one_panel:
            return 1
        return capacity(self.size.width, self.size.height, self.app.size.width)

    @property
    def shown(self) -> list[Panel]:
        return [panel for panel in self._panels if panel.display]

    @property
    def panel(self) -> Panel:
        """The current panel."""
        return next((panel for panel in self.shown if panel.number == self.current), self._panels[0])

    def freeze(self, now: int | None) -> None:
        """Stand still as of `now` (ns), or go on where it is None."""
        self._paused_at = now
        self._edges = None
        for chart in self._charts.values():
            chart.freeze(now is not None)
        if now is not None:
            self._edges = {key_of(entry): self._edge(entry, now) for entry in self._streams.order}

    def updates(self, now: int, clock: int | None) -> Iterator[None]:
        """Draw what changed on this page, a panel at each step.

        now: ns. clock: ns, which goes on while the view is paused; None where all words are to be brought up to date.
        """
        self._take_looks()
        for panel in self.shown:
            if not panel.display:
                continue
            entry = panel.entry
            edge = 0
            if entry is not None:
                paused_edge = self._edges.get(key_of(entry)) if self._edges is not None else None
                edge = self._edge(entry, now) if paused_edge is None else paused_edge
            panel.update(now, edge, self._paused_at, clock)
            yield

    def fill(self) -> None:
        """Give this page's streams to panels; to be called when streams, size or page changed."""
        order = self._streams.shown
        room = self.capacity
        self._tiles.one_column = self.app.size.width < ONE_COLUMN_BELOW
        self.current = min(self.current, max(0, len(order) - 1))
        first = self.current // room * room
        entries = order[first : first + room]
        if len(self._panels) < len(entries):
            new = [self._new_panel() for _ in range(len(entries) - len(self._panels))]
            self._panels += new
            self.mount(*new)
        for index, panel in enumerate(self._panels):
            shown = index < max(1, len(entries))
            if panel.display != shown:
                panel.display = shown
            if index < len(entries):
                panel.assign(self._content(entries[index]), first + index)
            else:
                panel.assign(None, first + index)
        self.refresh(layout=True)

    def show_stream(self, key: EntryKey, focus: bool = True) -> None:
        """Turn to the page of a stream, and give its panel the focus."""
        if self._streams.unhide(key):
            self.post_message(Said(f"{self._streams.label(key)} has its panel again"))
        self._turn_to(self._streams.index(key), focus)

    def action_go(self, digit: str) -> None:
        number = int(digit) - 1
        if number < len(self._streams.shown):
            self._turn_to(number, focus=True)
        else:
            count = len(self._streams.shown)
            self.post_message(Said(f"no panel {digit}: there {'is' if count == 1 else 'are'} {count}"))

    def action_maximise(self) -> None:
        if self.one_panel:
            self.post_message(Said("there is room for one panel only, and this is it"))
            return
        self.maximise(not self.maximised)

    def maximise(self, on: bool) -> None:
        self.maximised = on
        self.screen.set_class(on, "-maximised")
        self._turn_to(self.current, focus=True)

    def action_turn(self, pages: int) -> None:
        room, count = self.capacity, len(self._streams.shown)
        page, last = self.current // room, max(0, (count - 1) // room)
        if not 0 <= page + pages <= last:
            where = (
                "one page only" if not last else "this is the last page" if pages > 0 else "this is the first page"
            )
            self.post_message(Said(where))
            return
        self._turn_to((page + pages) * room, focus=isinstance(self.screen.focused, Panel))
        self.post_message(Said(f"page {page + pages + 1} of {last + 1}"))

    def action_hide(self) -> None:
        entry = self.panel.entry
        if entry is None or len(self._streams.shown) < 2:
            self.post_message(Said("nothing to hide" if entry is None else "this is the only panel"))
            return
        key = key_of(entry)
        self._streams.hide(key)
        self._turn_to(self.current, focus=isinstance(self.screen.focused, Panel))
        self.post_message(Said(f"{self._streams.label(key)} is hidden; U shows all, as does the list one"))

    def action_unhide(self) -> None:
        count = self._streams.unhide()
        self._turn_to(self.current, focus=isinstance(self.screen.focused, Panel))
        self.post_message(Said(f"{count} shown again" if count else "no panel is hidden"))

    def action_clear(self) -> None:
        """Clear the panel that keys act on."""
        entry = self.panel.entry
        if entry is None:
            self.post_message(Said("nothing to clear"))
            return
        chart = self.panel.chart
        back = "" if chart is None or chart.view.following else ", follows the newest"
        self._clear(entry)
        self.panel.redraw()
        self.post_message(Said(f"{self._streams.label(key_of(entry))}: cleared{back}; {KEPT}"))

    def action_clear_all(self) -> None:
        for entry in self._streams.order:
            self._clear(entry)
        for panel in self.shown:
            panel.redraw()
        self.post_message(Said(f"all panels cleared; {KEPT}"))

    def _clear(self, entry: Entry) -> None:
        self._session.clear(entry)
        self._cleared.add(key_of(entry))
        if (chart := self._charts.get(key_of(entry))) is not None:
            chart.clear()

    def action_tour(self) -> None:
        """Show one panel, or page, after the other, or no longer."""
        if self._tour is None:
            self._tour = self.set_interval(TOUR_SECONDS, self._tour_on)
            self.post_message(Said(f"tours the panels, {TOUR_SECONDS} s each; A ends it"))
        else:
            self._tour.stop()
            self._tour = None
            self.post_message(Said("the tour has ended"))

    def _tour_on(self) -> None:
        room, count = self.capacity, len(self._streams.shown)
        if count > 1 and len(self.app.screen_stack) == 1:
            following = self.current // room * room + room if count > room else self.current + 1
            self._turn_to(following if following < count else 0, focus=isinstance(self.screen.focused, Panel))

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if isinstance(event.widget, Panel):
            self.current = event.widget.number

    def on_resize(self) -> None:
        self.fill()

    def _new_panel(self) -> Panel:
        return Panel(self._session, self._streams, self._rows, self._options, self._signs, self._glyphs)

    def _turn_to(self, number: int, focus: bool) -> None:
        self.current = number
        self.fill()
        if focus:
            self.panel.focus(scroll_visible=False)

    def _content(self, entry: Entry) -> Chart | Board:
        if isinstance(entry, Board):
            return entry
        key = key_of(entry)
        if key not in self._charts:
            reader = None if key in self._cleared else self._reader
            chart = self._charts[key] = Chart(entry, self._options.averages, self._streams.look(key), reader)
            if (wanted := self._streams.wanted(entry)) is not None:
                from tuistream.ui.wishes import arrange

                arrange(chart, wanted)
        return self._charts[key]

    def _take_looks(self) -> None:
        """Let charts know how their senders want them to look now."""
        if self._looks_seen != self._streams.looks_seen:
            self._looks_seen = self._streams.looks_seen
            for key, chart in self._charts.items():
                chart.adopt(self._streams.look(key))

    def _edge(self, entry: Entry, now: int) -> int:
        """Now by the clock of the stream's producer, ns; the newest place on an axis that is not time."""
        if isinstance(entry, Board):
            return now
        still = bool(entry.stream.axis) or entry.recalled or self._streams.ended(entry)
        return newest_edge(entry.series.t, entry.last_recv, now, still)
