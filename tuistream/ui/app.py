"""The monitor: a status line, a watch list, a grid of panels, a log of events, a footer. All of it is polled."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.command import CommandPalette, Provider
from textual.containers import Horizontal
from textual.dom import DOMNode
from textual.geometry import Size
from textual.widgets import Input

from tuistream.charts.numbers import glyphs_for
from tuistream.core.session import Session
from tuistream.core.status import RecordingStatus
from tuistream.ui import themes
from tuistream.ui.commands import Pane, app_bindings
from tuistream.ui.events import EventLog
from tuistream.ui.footer import Footer
from tuistream.ui.glyphs import signs_for
from tuistream.ui.grid import Grid
from tuistream.ui.keymap import translation
from tuistream.ui.line import InkPot, Line
from tuistream.ui.messages import Said, StreamChosen
from tuistream.ui.options import ViewOptions
from tuistream.ui.panel import Panel
from tuistream.ui.replay_keys import ReplayKeys
from tuistream.ui.replaying import toggled
from tuistream.ui.status_line import StatusLine, local_time
from tuistream.ui.streams import EntryKey, Streams, key_of
from tuistream.ui.suspending import Suspended, nothing_to_do
from tuistream.ui.tiles import neighbour
from tuistream.ui.watch_list import Tabs, WatchList

if TYPE_CHECKING:
    from tuistream.store.asking import HistoryReader
    from tuistream.ui.filter import FilterInput
    from tuistream.ui.openings import Openings
    from tuistream.ui.pictures import Pictures

SLOW_NS = 240_000_000  # status, lists and tabs are brought up to date this often
FIRST_LOOK = 0.01  # seconds between looks for the first stream
SIDES = {"h": "to the left", "j": "below", "k": "above", "l": "to the right"}
LIST_FROM, WIDE_LIST_FROM, SMALL_WIDTH, SMALL_HEIGHT = 100, 116, 60, 20


def _command_provider() -> type[Provider]:
    from tuistream.ui.palette import CommandProvider

    return CommandProvider


class TuistreamApp(ReplayKeys):
    """Shows a session, and changes nothing in it.

    demo: the line that a demo shows, or nothing. suspended: as in SuspendingApp. reader: of the recording, if there
    is one.
    """

    CSS_PATH = "tuistream.tcss"
    TITLE = "tuistream"
    AUTO_FOCUS = "Panel"
    BINDINGS: ClassVar[list[Binding]] = app_bindings()  # type: ignore[assignment]
    COMMANDS: ClassVar[set[Callable[[], type[Provider]]]] = {_command_provider}  # type: ignore[assignment]

    def __init__(
        self,
        session: Session,
        options: ViewOptions,
        recording: Callable[[], RecordingStatus],
        *,
        demo: str = "",
        suspended: Suspended = nothing_to_do,
        reader: HistoryReader | None = None,
    ) -> None:
        super().__init__(options.budget, suspended, options.pictures)
        for theme in themes.THEMES:
            self.register_theme(theme)
        self.theme = themes.checked(options.theme, "--theme") if options.theme else themes.DARK
        self.options = options
        self.paused: int | None = None
        encoding = getattr(sys.__stdout__, "encoding", None) or ""
        glyphs = options.glyphs or glyphs_for(os.environ, encoding)
        signs = signs_for(glyphs)
        self.ascii_only = glyphs == "ascii"
        if self.ascii_only:
            self.css_path.append(Path(__file__).with_name("ascii.tcss"))
        self.inks = InkPot(self)
        self._own_keys = translation(options.keys)
        self._session = session
        self._recording = recording
        self._slow_at = 0
        self._streams = Streams(session, options.panels)
        self._status = StatusLine(session, signs, options.timezone, options.playback)
        self._sent_shown = options.budget > 0
        self._demo = Line(id="demo")
        self._demo_text = demo
        self._list = WatchList(self._streams, signs, glyphs)
        self._tabs = Tabs(self._list, signs)
        self._grid = Grid(session, self._streams, self._list.rows, options, signs, glyphs, reader)
        self._events = EventLog(session, options.timezone)
        self._filter: FilterInput | None = None
        self._footer = Footer(signs, options.keys, options.playback is not None)

    def compose(self) -> ComposeResult:
        yield self._status
        if self._demo_text:
            yield self._demo
        yield self._tabs
        with Horizontal(id="panes"):
            yield self._list
            yield self._grid
        yield self._events
        yield self._footer

    @cached_property
    def openings(self) -> Openings:
        from tuistream.sources.media.opening import Opener
        from tuistream.ui.openings import Openings

        return Openings(Opener(self.options.media), self.options.clock, self._run_opening)

    @cached_property
    def pictures(self) -> Pictures:
        from tuistream.ui.pictures import Pictures

        return Pictures(self._run_opening)

    def get_css_variables(self) -> dict[str, str]:
        variables = super().get_css_variables()
        self.theme_variables = themes.variable_defaults(variables) | variables
        return self.theme_variables

    async def on_event(self, event: events.Event) -> None:
        """A key of the user's own stands for the table's, but for where one types."""
        if isinstance(event, events.Key) and not event.is_forwarded and event.key in self._own_keys:
            typing = len(self.screen_stack) > 1 or isinstance(self.focused, Input)
            key = event.key if typing else self._own_keys[event.key]
            if not key:
                return
            event = event if typing else events.Key(key, None)
        await super().on_event(event)

    def on_mount(self) -> None:
        self.set_class(self.ascii_only, "-ascii")
        nothing = not self._session.streams and not self._session.boards
        self.screen.set_class(nothing and bool(self.options.waiting), "-to-send")
        self._demo.show([(" DEMO ", "badge"), (f"  {self._demo_text}", "plain")])
        self._fit(self.size)
        self.set_interval(1 / self.options.fps, self._beat_by_and_by)
        self._first_look = self.set_interval(FIRST_LOOK, self._show_first)

    def _show_first(self) -> None:
        """Show the first stream as soon as there is one, not only at the next beat."""
        if self._session.streams or self._session.boards:
            self._first_look.stop()
            self.beat()

    def on_resize(self, event: events.Resize) -> None:
        self._fit(event.size)
        self._slow_at = 0

    def beat(self, everything: bool = False) -> None:
        """Bring the screen up to date: panels, and `everything` else a few times a second or now.

        Nothing is drawn while the terminal has not taken what was drawn before.
        """
        for _ in self._steps(everything):
            pass

    async def _beat_by_and_by(self) -> None:
        """A beat of which every step lets keys go first; what it draws is sent as one."""
        with self.gathered():
            for _ in self._steps(everything=False):
                await self.keys_first()

    def _steps(self, everything: bool) -> Iterator[None]:
        if len(self.screen_stack) > 1 or (self.behind and not everything):
            return
        now = self.options.clock()
        slow = everything or not 0 <= now - self._slow_at < SLOW_NS
        if self._streams.update(now):
            self.screen.remove_class("-to-send")
            self._list.streams_new()
            self._grid.fill()
            slow = True
        as_of = self.now() if self.paused is None else self.paused
        yield from self._grid.updates(as_of, None if everything else now)
        if slow:
            self._slow_at = now
            self._update_status(now)
            self._events.update(as_of)
            if self.paused is None:
                self._list.update(as_of)
            if self._tabs.display:
                self._tabs.update(as_of, self._current())
            self._footer.update(self._pane())

    def action_send(self, pane: str, action: str) -> None:
        """Do what a pane's key does, from wherever the focus is."""
        target = self._target(Pane(pane), action)
        if target is not None:
            self.call_next(self.run_action, action, target)

    def action_pause(self) -> None:
        if self.options.playback is not None:
            self.replay(toggled)
            return
        now = self.options.clock()
        self._pause(now if self.paused is None else None)
        words = "paused; recording goes on" if self._recording().state == "recording" else "paused"
        self.say(words if self.paused is not None else "goes on")

    def action_move(self, key: str) -> None:
        panes = [widget for widget in self.screen.focus_chain if widget.region]
        focused = self.screen.focused
        if focused is None or focused not in panes:
            self._grid.panel.focus()
            return
        index = neighbour([pane.region for pane in panes], panes.index(focused), key)
        if index is None:
            self.say(f"no pane {SIDES[key]}")
        else:
            panes[index].focus(scroll_visible=False)

    def action_watch_list(self) -> None:
        screen = self.screen
        hidden, wide = screen.has_class("-no-list"), screen.has_class("-wide-list")
        may_widen = self.size.width >= WIDE_LIST_FROM and not self._grid.maximised
        shown = "on" if hidden else "with all columns" if may_widen and not wide else "off"
        screen.set_class(shown == "off", "-no-list")
        screen.set_class(shown == "with all columns", "-wide-list")
        if shown == "off" and self._list.has_focus:
            self._grid.panel.focus()
        self.say(f"watch list {shown}{', as tabs' if shown == 'on' and self.size.width < LIST_FROM else ''}")

    def action_events(self) -> None:
        if self.screen.has_class("-small"):
            self.say(f"no room for events: they need {SMALL_WIDTH} x {SMALL_HEIGHT}")
            return
        shown = not self.screen.has_class("-events")
        self.screen.set_class(shown, "-events")
        (self._events if shown else self._grid.panel).focus()
        self._slow_at = 0

    async def action_filter(self) -> None:
        if self._filter is None:
            from tuistream.ui.filter import FilterInput

            self._filter = FilterInput()
            await self.show_input(self._filter)
        self._filter.open(self._list.rows.filter)

    async def show_input(self, line: Input) -> None:
        """Give a line to type in its place above the footer."""
        await self.screen_stack[0].mount(line, before=self._footer)

    def action_help(self) -> None:
        from tuistream.ui.help import HelpScreen

        self.push_screen(HelpScreen(self.options.waiting, self.options.keys, self.options.playback is not None))

    def action_command_palette(self) -> None:
        if self.screen.has_class("-small"):
            self.say(f"no room for the palette: it needs {SMALL_WIDTH} x {SMALL_HEIGHT}")
        elif not isinstance(self.screen, CommandPalette):
            from tuistream.ui.palette import Palette

            self.push_screen(Palette(id="--command-palette"))

    def action_theme(self) -> None:
        names = themes.NAMES
        self.theme = names[(names.index(self.theme) + 1) % len(names)]
        self.say(f"theme {self.theme}, {names.index(self.theme) + 1} of {len(names)}")

    def action_sent(self) -> None:
        self._sent_shown = not self._sent_shown
        self.say(f"bytes to the terminal {'shown' if self._sent_shown else 'not shown'}")

    async def action_screenshot(self) -> None:  # type: ignore[override]
        name = f"tuistream-{local_time(self.options.clock(), self.options.timezone):%Y%m%d-%H%M%S}.svg"
        picture = self.export_screenshot(title="tuistream")
        failures: list[str] = []
        for folder in (Path.cwd(), Path.home()):
            path = folder / name
            try:
                await asyncio.to_thread(path.write_text, picture, encoding="utf-8")
            except OSError as error:
                failures.append(f"{folder}: {error.strerror}")
            else:
                self.say(f"screenshot in {path}")
                return
        self.say(f"no screenshot: {'; '.join(failures)}")

    def action_leave(self) -> None:
        if self.screen.has_class("-events"):
            self.action_events()
        elif self._grid.maximised:
            self._grid.maximise(False)
        elif self._list.rows.filter:
            self._list.set_filter("")
            self.say("filter off")
        else:
            self.say("nothing to leave; q quits")

    def action_leave_program(self) -> None:
        self.exit(0)

    def on_said(self, message: Said) -> None:
        self.say(message.text)

    def on_followed(self) -> None:
        if self.paused is not None:
            self._pause(None)

    def on_stream_chosen(self, message: StreamChosen) -> None:
        self._grid.show_stream(message.key)

    def on_filter_input_edited(self, message: FilterInput.Edited) -> None:
        self._list.set_filter(message.text)

    def on_filter_input_closed(self) -> None:
        (self._list if self._list.display else self._grid.panel).focus()

    def on_descendant_focus(self) -> None:
        self._footer.update(self._pane())

    def _run_opening(self, work: Coroutine[Any, Any, None]) -> None:
        self.run_worker(work, group="openings")

    def _pause(self, at: int | None) -> None:
        self.paused = at
        self._grid.freeze(at)
        self._list.freeze(at)
        self.beat(everything=True)

    def say(self, text: str) -> None:
        now = self.options.clock()
        self._status.say(text, now)
        self._update_status(now)

    def _update_status(self, now: int) -> None:
        self._status.update(now, self._recording(), self.paused, self.bytes_sent if self._sent_shown else None)

    def _fit(self, size: Size) -> None:
        """Lay out for the terminal's size."""
        width, height = size
        small = width < SMALL_WIDTH or height < SMALL_HEIGHT
        self.screen.set_class(width < LIST_FROM, "-narrow")
        self.screen.set_class(small, "-small")
        if width < WIDE_LIST_FROM:
            self.screen.remove_class("-wide-list")
        self._grid.one_panel = small

    def current_panel(self) -> Panel:
        return self._grid.panel

    def _current(self) -> EntryKey | None:
        entry = self._grid.panel.entry
        return key_of(entry) if entry is not None else None

    def _pane(self) -> Pane:
        focused = self.screen.focused
        if focused is self._list or focused is self._events:
            return Pane.LIST if focused is self._list else Pane.EVENTS
        return Pane.BOARD if self._grid.panel.board is not None else Pane.PANEL

    def _target(self, pane: Pane, action: str) -> DOMNode | None:
        """The widget that a pane's action is for; None, with a word to the user, where it is not on the screen."""
        if pane is Pane.LIST and not self._list.display and not action.startswith("sort"):
            self.say("the list is not shown: w shows it, from 100 columns on")
            return None
        if pane is Pane.LIST and action.startswith("select"):
            self._list.focus()
        return {
            Pane.LIST: self._list,
            Pane.GRID: self._grid,
            Pane.PANEL: self._grid.panel,
            Pane.BOARD: self._grid.panel,
            Pane.EVENTS: self._events,
        }.get(pane, self)
