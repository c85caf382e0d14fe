"""The log of events: connects, gaps, errors, with local times, newest last."""

from __future__ import annotations

from datetime import tzinfo
from typing import ClassVar

from textual import events
from textual.binding import Binding
from textual.geometry import Region
from textual.strip import Strip

from tuistream.core.session import Session
from tuistream.core.status import Event
from tuistream.core.text import printable
from tuistream.ui.commands import Pane, bindings
from tuistream.ui.line import InkedWidget, Part, padded
from tuistream.ui.messages import Said
from tuistream.ui.status_line import local_time

KIND_INKS = {"open": "up", "close": "dim", "retry": "warning", "gap": "warning", "stale": "stale", "lost": "error"}
TEXT_LENGTH = 400
FEED_WIDTH = 20
WHEEL_LINES = 3


class EventLog(InkedWidget, can_focus=True):
    """Polled by `update`; stays at the newest event until it is scrolled back, and then stands still."""

    BINDINGS: ClassVar[list[Binding]] = bindings(Pane.EVENTS)  # type: ignore[assignment]

    def __init__(self, session: Session, timezone: tzinfo | None) -> None:
        super().__init__(id="events")
        self.border_title = "events"
        self._session = session
        self._timezone = timezone
        self._now = 0
        self._seen = 0
        self._back = 0  # lines between the last one shown and the newest
        self._place = ""
        self._lines: dict[int, tuple[Part, ...]] = {}

    def update(self, now: int) -> None:
        """Take in what happened since. now: ns."""
        self._now = now
        if self._back:
            self._back += self._session.event_count - self._seen
        self._seen = self._session.event_count
        self._scroll(0)

    def render_line(self, y: int) -> Strip:
        return self.strip_of(self._lines.get(y, ()), self.size.width)

    def action_move(self, lines: int) -> None:
        if not self._scroll(-lines):
            self.post_message(Said("this is the newest event" if lines > 0 else "this is the oldest event kept"))

    def action_turn(self, pages: int) -> None:
        self.action_move(pages * max(1, self.size.height - 1))

    def action_newest(self) -> None:
        self._scroll(-self._back)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._scroll(WHEEL_LINES)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._scroll(-WHEEL_LINES)

    def on_resize(self) -> None:
        self._lines.clear()
        self._scroll(0)

    def _scroll(self, back: int) -> bool:
        """Go back by so many lines and draw what changed; whether anything moved."""
        log, height = self._session.events, self.size.height
        before = self._back
        self._back = min(max(0, before + back), max(0, len(log) - height))
        last = len(log) - self._back
        place = f"{last:,} of {len(log):,}" if self._back else ""
        if place != self._place:
            self._place = place
            self.border_subtitle = place or None
        first = max(0, last - height)
        shown = [log[index] for index in range(first, last)]
        for y in range(height):
            line = tuple(self._line(shown[y])) if y < len(shown) else ()
            if not log and y == 0:
                line = (("nothing has happened yet", "dim"),)
            if self._lines.get(y) != line:
                self._lines[y] = line
                self.refresh(Region(0, y, self.size.width, 1))
        return self._back != before

    def _line(self, event: Event) -> list[Part]:
        feed_width = min(FEED_WIDTH, max(map(len, self._session.feeds), default=FEED_WIDTH))
        local = local_time(event.t, self._timezone)
        same_day = local.date() == local_time(self._now, self._timezone).date()
        stamp = f"{local:%H:%M:%S}" if same_day else f"{local:%Y-%m-%d %H:%M:%S}"
        return [
            (f"{stamp} ", "dim"),
            (padded(printable(event.feed), feed_width) + " ", "plain"),
            (padded(printable(event.kind), 9) + " ", KIND_INKS.get(event.kind, "plain")),
            (printable(event.text, TEXT_LENGTH), "plain"),
        ]
