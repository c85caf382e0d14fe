"""The cursor of a panel: it has the arrows and the mouse until Esc, and says what is under it."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding

from tuistream.charts.kinds.contract import DrawStyle
from tuistream.charts.kinds.words import time_text
from tuistream.charts.numbers import format_value
from tuistream.core.text import printable
from tuistream.ui.axis_view import UNIT
from tuistream.ui.chart import Chart, Drawing
from tuistream.ui.commands import Pane, bindings
from tuistream.ui.kind_controls import KindControls
from tuistream.ui.line_read_out import read_out
from tuistream.ui.messages import Said
from tuistream.ui.options import ViewOptions
from tuistream.ui.streams import Streams


class CursorControls(KindControls):
    """Moves a cursor over the plot. Subclasses draw, and show `told`: what is under it."""

    BINDINGS: ClassVar[list[Binding]] = [  # type: ignore[assignment]
        *bindings(Pane.PANEL),
        *bindings(Pane.BOARD),
        *bindings(Pane.CURSOR),
    ]

    def __init__(self, streams: Streams, options: ViewOptions, glyphs: str) -> None:
        super().__init__(streams, options, glyphs)
        self.told = ""
        self._cursor_seen: tuple[int, int] | None = None  # where it was when it was last seen

    def redraw_all(self) -> None:
        """Draw at once, also what has not changed."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The arrows and Esc are the cursor's while there is one."""
        if action in ("move_cursor", "leave_cursor"):
            return self._plot.cursor is not None
        if action in ("pan", "scroll_items", "move_sight") and self._plot.cursor is not None:
            return False
        return super().check_action(action, parameters)

    def action_cursor(self) -> None:
        if self._plot.cursor is not None:
            self.action_leave_cursor()
            return
        if not self._plot.display or (self.board is None and self._ready(quiet=True)[0] is None):
            self.post_message(Said("no cursor: there is no drawing here"))
            return
        columns, rows = self._extent
        self.focus()
        self._put_cursor(self._cursor_seen or (columns * 3 // 4, rows // 2))
        self._say("cursor: arrows or the mouse move it, Esc leaves it")

    def action_move_cursor(self, right: int, down: int) -> None:
        if self._plot.cursor is not None:
            column, row = self._plot.cursor
            self._put_cursor((column + right, row + down))

    def action_leave_cursor(self) -> None:
        self._cursor_seen = self._plot.cursor
        self._plot.point(None)
        self.told = ""
        self.redraw_all()

    def forget_cursor(self) -> None:
        """What is shown is another stream's now."""
        self._cursor_seen = None
        self.told = ""
        self._plot.point(None)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if self._plot.cursor is not None and event.button == 1:
            event.prevent_default()
            self._point_at(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._plot.cursor is not None:
            event.prevent_default()
            self._point_at(event)

    def tell_line(self, chart: Chart, drawing: Drawing, digits: int) -> None:
        """Say what the lines have under the cursor."""
        self._keep_cursor()
        if self._plot.cursor is not None:
            window = drawing.window

            def text(t: int) -> str:
                if chart.state.stream.axis:
                    return f"{printable(chart.state.stream.axis, 24)} {format_value(t / UNIT, 3)}"
                return time_text(t, DrawStyle(timezone=self._timezone), window.t1 - window.t0)

            self.told = read_out(drawing, self.canvas()[0], self._plot.cursor[0], digits, text)

    def tell_kind(self) -> None:
        """Say what a kind that was drawn has under the cursor."""
        self._keep_cursor()
        if self._plot.cursor is not None:
            self.told = self.kinds.read_out(*self._plot.cursor) if self._plot.display else ""

    @property
    def _extent(self) -> tuple[int, int]:
        """Columns and rows that the cursor can be at."""
        return self.canvas() if self.draws_lines else (max(1, self._plot.size.width), max(1, self._plot.size.height))

    @property
    def draws_lines(self) -> bool:
        """Whether it is lines that are drawn."""
        raise NotImplementedError

    def _clamped(self, place: tuple[int, int]) -> tuple[int, int]:
        columns, rows = self._extent
        column, row = place
        return min(max(0, column), columns - 1), min(max(0, row), rows - 1)

    def _keep_cursor(self) -> None:
        """Have the cursor inside of what is drawn, which may have become smaller."""
        cursor = self._plot.cursor
        if cursor is not None and cursor != self._clamped(cursor):
            self._plot.point(self._clamped(cursor))

    def _put_cursor(self, place: tuple[int, int]) -> None:
        cursor = self._clamped(place)
        if cursor != self._plot.cursor:
            self._plot.point(cursor)
            self.redraw_all()

    def _point_at(self, event: events.MouseEvent) -> None:
        region = self._plot.content_region
        if region.contains(event.screen_x, event.screen_y):
            self._put_cursor((event.screen_x - region.x, event.screen_y - region.y))
