"""A board in a panel: a log of what came, the newest at the bottom; only rows that changed are sent again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import Final

from textual import events
from textual.geometry import Region, Size
from textual.strip import Strip

from tuistream.core.board import Board, Item
from tuistream.ui.items import Row, beside_stamp, rows_of
from tuistream.ui.line import InkedWidget, wrapped
from tuistream.ui.openings import Opening, opened_rows
from tuistream.ui.painting import PaintedApp

WHEEL_LINES: Final = 3
ROWS_KEPT: Final = 2_000  # items whose rows are remembered


class RowsView(InkedWidget):
    """Rows of parts, from the top, each sent again only if it changed."""

    DEFAULT_CSS = "RowsView { height: 1fr; width: 1fr; }"
    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Row] = []

    def show_rows(self, rows: Sequence[Row]) -> None:
        before = self._rows
        self._rows = [*rows[: self.size.height]]
        app = self.app
        for y in range(max(len(before), len(self._rows))):
            if _at(before, y) != _at(self._rows, y) and (
                not isinstance(app, PaintedApp) or not app.paint_row(self, y)
            ):
                self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        return self.strip_of(_at(self._rows, y), self.size.width)


class BoardView(RowsView):
    """Shows a board; stays at its newest until it is scrolled back, and then stands still.

    What replaces all that was before (a picture, a map) is one item, shown from its first row on.
    """

    def __init__(self, timezone: tzinfo | None, scrolled: Callable[[], None]) -> None:
        """scrolled: called when the mouse has scrolled it."""
        super().__init__()
        self._timezone = timezone
        self._scrolled = scrolled
        self._board: Board | None = None
        self._drawn: tuple[int, Size] | None = None
        self._version = -1  # of the board, that the log has taken
        self._log = Log(self._rows_of)
        self._top = 0  # of a single item: the rows above those that are shown
        self._opening: Opening | None = None  # of what the newest item names
        self._opening_seen: object = None
        self._note = ""

    @property
    def newer(self) -> int:
        """How many items came after the last one that is shown; 0 while it follows the newest."""
        return self._log.newer

    @property
    def scrollable(self) -> bool:
        """Whether there are more rows than have room."""
        count = 0
        for item in reversed(self._log.items):
            count += len(self._log.rows_of(item))
            if count > self.size.height:
                return True
        return False

    def assign(self, board: Board | None) -> None:
        """Show another board."""
        if board is not self._board:
            self._board = board
            self._drawn, self._version = None, -1
            self._top = 0
            self._log = Log(self._rows_of)

    def note_opening(self, opening: Opening | None) -> None:
        """What became of what the newest item names; drawn with the next update."""
        seen = None if opening is None else opening.seen
        if opening is not self._opening or seen != self._opening_seen:
            self._opening, self._opening_seen, self._drawn = opening, seen, None
            self._log.forget_rows()

    def note(self, words: str) -> None:
        """What else there is to say of the newest item; drawn with the next update."""
        if words != self._note:
            self._note, self._drawn = words, None
            self._log.forget_rows()

    def update(self, frozen_at: int | None) -> bool:
        """Draw what came since the last time, until `frozen_at` (ns) if that is given; whether anything was drawn."""
        board = self._board
        if board is None:
            return False
        version = self._version if frozen_at is not None and self._log.items else board.version
        if self._drawn == (version, self.size):
            return False
        if version != self._version:
            self._log.take(board, frozen_at)
            version = version if frozen_at is None else -1  # there may be more in it
        self._version, self._drawn = version, (version, self.size)
        self._log.resize(self.size.width, self.size.height)
        self._draw()
        return True

    def scroll_rows(self, rows: int) -> bool:
        """Go forward by so many rows, or back; whether anything moved."""
        if self._single:
            before = self._top
            most = max(0, len(self._rows_of(self._log.items[-1])) - self.size.height)
            self._top = min(max(0, before + rows), most)
            moved = self._top != before
        else:
            moved = self._log.move(rows)
        if moved:
            self._draw()
        return moved

    def follow(self) -> None:
        self._top = 0
        self._log.reset()
        self._draw()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._wheel(-WHEEL_LINES)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._wheel(WHEEL_LINES)

    def on_resize(self) -> None:
        """Draw at once what was there: the next look may be far."""
        if self._log.items:
            self.update(frozen_at=0)

    def _wheel(self, rows: int) -> None:
        if self.scroll_rows(rows):
            self._scrolled()

    @property
    def _single(self) -> bool:
        items = self._log.items
        return len(items) == 1 and items[-1].kind != "text"

    def _draw(self) -> None:
        if self._single:
            self.show_rows(self._rows_of(self._log.items[-1])[self._top :])
        else:
            self.show_rows(self._log.visible())

    def _rows_of(self, item: Item) -> list[Row]:
        width, opening = max(1, self.size.width), self._opening
        if item is not self._log.items[-1]:
            return rows_of(item, width, self._timezone)
        rows = rows_of(item, width, self._timezone)
        if opening is not None:
            rows = opened_rows(item, opening, width, self._timezone)
        room, indent = beside_stamp(width)
        note = wrapped(f"not shown: {self._note}", room) if self._note else []
        return [*rows, *(((indent, ""), (part, "warning")) for part in note)]


class Log:
    """Which rows of a board's items are seen: the newest at the bottom, or where it was scrolled to.

    rows_of: an item's rows for the width that it is shown in.
    """

    def __init__(self, rows_of: Callable[[Item], list[Row]]) -> None:
        self.items: tuple[Item, ...] = ()
        self._make = rows_of
        self._size = (0, 0)
        self._last: tuple[int, int] | None = None  # the lowest row that is seen: item and row in it; None: the newest
        self._rows: dict[int, tuple[Item, list[Row]]] = {}  # by the item's identity

    @property
    def newer(self) -> int:
        return 0 if self._last is None else len(self.items) - 1 - self._last[0]

    def reset(self) -> None:
        """Follow the newest."""
        self._last = None

    def take(self, board: Board, until: int | None = None) -> None:
        """The board as it is now; without what came after `until` (ns), if anything came before."""
        before, self.items = self.items, tuple(board.items)
        if until is not None:
            self.items = tuple(item for item in self.items if item.recv <= until) or self.items
        if self._last is not None:
            seen = before[self._last[0]]
            place = next((place for place, item in enumerate(self.items) if item is seen), None)
            self._last = (0, 0) if place is None else (place, self._last[1])
        if len(self._rows) > ROWS_KEPT:
            self._rows.clear()

    def forget_rows(self) -> None:
        """Have items say anew what they say."""
        self._rows.clear()

    def resize(self, width: int, height: int) -> None:
        if (width, height) != self._size:
            self._size = width, height
            self._rows.clear()

    def visible(self) -> list[Row]:
        """The rows that are seen, from the top."""
        if not self.items:
            return []
        rows = self._up_from(self._place())
        if len(rows) < self._size[1] and self._last is not None:
            self._last = self._down_from((0, 0), self._size[1] - 1)
            rows = self._up_from(self._place())
        return rows

    def move(self, rows: int) -> bool:
        """Go forward by so many rows, or back; whether that changed anything."""
        if not self.items or not rows:
            return False
        before = self.visible(), self._last
        place = self._place()
        self._last = self._down_from(place if rows > 0 else self._back_from(place, -rows), max(0, rows))
        return (self.visible(), self._last) != before

    def _place(self) -> tuple[int, int]:
        end = len(self.items) - 1
        place, row = self._last if self._last is not None else (end, len(self._of(end)) - 1)
        return place, min(row, len(self._of(place)) - 1)

    def _up_from(self, place: tuple[int, int]) -> list[Row]:
        """The rows that end at a place, as many as there is room for."""
        index, row = place
        found = self._of(index)[: row + 1]
        while len(found) < self._size[1] and index > 0:
            index -= 1
            found = [*self._of(index), *found]
        return found[max(0, len(found) - self._size[1]) :]

    def _back_from(self, place: tuple[int, int], rows: int) -> tuple[int, int]:
        index, row = place
        row -= rows
        while row < 0 and index > 0:
            index -= 1
            row += len(self._of(index))
        return index, max(0, row)

    def _down_from(self, place: tuple[int, int], rows: int) -> tuple[int, int] | None:
        """A place so many rows further on; None where that is the newest row."""
        index, row = place
        row += rows
        end = len(self.items) - 1
        while index < end and row >= len(self._of(index)):
            row -= len(self._of(index))
            index += 1
        return None if index == end and row >= len(self._of(index)) - 1 else (index, row)

    def _of(self, index: int) -> list[Row]:
        return self.rows_of(self.items[index])

    def rows_of(self, item: Item) -> list[Row]:
        known = self._rows.get(id(item))
        if known is None:
            known = self._rows[id(item)] = item, self._make(item)
        return known[1]


def _at(rows: Sequence[Row], y: int) -> Row:
    return rows[y] if y < len(rows) else ()
