"""What a panel shows of a board, and what keys do to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding
from textual.widget import Widget

from tuistream.core.text import printable
from tuistream.ui.commands import Pane, bindings
from tuistream.ui.controls import ChartControls
from tuistream.ui.messages import Followed, Said
from tuistream.ui.options import ViewOptions
from tuistream.ui.status_line import local_time
from tuistream.ui.stream_plot import StreamPlot
from tuistream.ui.streams import Streams, key_of

if TYPE_CHECKING:
    from tuistream.core.board import Board, Item
    from tuistream.ui.board_view import BoardView
    from tuistream.ui.openings import OpeningApp, Openings


class BoardControls(ChartControls):
    """Draws `board` as rows. Subclasses draw what else there is to be drawn."""

    BINDINGS: ClassVar[list[Binding]] = bindings(Pane.BOARD)

    def __init__(self, streams: Streams, options: ViewOptions, glyphs: str) -> None:
        super().__init__(streams, options)
        self.board: Board | None = None
        self.drawings = 0  # made so far
        self._plot = StreamPlot(glyphs)
        self._view: BoardView | None = None  # made when it is needed
        self._note = ""

    def show_frame(self) -> None:
        """Draw title and state."""
        raise NotImplementedError

    def canvas(self) -> tuple[int, int]:
        """Columns and rows that the lines have."""
        return self._plot.canvas_size

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A board's keys are its own where it is shown; else they mean what they mean elsewhere."""
        if action == "scroll_items":
            return self.board is not None and (len(parameters) == 1 or self._has_page(parameters[1] == 1))
        if action == "open_named":
            if self.board is None:
                return False
            from tuistream.ui.items import address_of

            return bool(address_of(self.board.items[-1]))
        return super().check_action(action, parameters)

    def _has_page(self, forward: bool) -> bool:
        """Whether rows can be scrolled by a page; else the page of panels is turned."""
        view = self._view
        return view is not None and view.display and (view.newer > 0 if forward else view.scrollable)

    def no_chart(self) -> str:
        return super().no_chart() if self.board is None else "no chart: arrows scroll, f follows the newest"

    def action_scroll_items(self, rows: int, pages: int = 0) -> None:
        view = self._view
        if view is None or not view.scroll_rows(rows + pages * max(1, view.size.height - 1)):
            self.post_message(Said("this is the newest" if rows + pages > 0 else "this is the oldest that is kept"))
        self.show_frame()

    def action_follow(self) -> None:
        if self.board is None:
            super().action_follow()
            return
        if self._view is not None:
            self._view.follow()
        self._say("follows the newest")
        self.post_message(Followed())
        self.show_frame()

    def action_open_named(self) -> None:
        if self.board is not None:
            self.run_worker(self._ask(self.board, self.board.items[-1]), group="ask", exclusive=True)

    async def _ask(self, board: Board, item: Item) -> None:
        """Open what an item names, if the user wants it once he has seen what exactly that is."""
        from tuistream.sources.media.names import NotOpened, named
        from tuistream.ui.items import address_of

        openings = self._openings
        try:
            name = named(address_of(item))
            real = await openings.opener.real(name)
        except NotOpened as error:
            self._say(f"not opened: {error}")
            return
        from tuistream.ui.naming import NamedScreen

        if await self.app.push_screen_wait(NamedScreen(item, self._streams.label(key_of(board)), name, real)):
            openings.start(key_of(board), item, name, real)

    @property
    def _openings(self) -> Openings:
        return cast("OpeningApp", self.app).openings

    def assign_board(self, board: Board | None) -> None:
        if board is not self.board:
            self.board = board
            self.rows_note("")
            if self._view is not None:
                self._view.assign(board)

    def draw_board(self, board: Board, frozen_at: int | None) -> None:
        """Draw what is new; nothing of it while the view is frozen, since `frozen_at` (ns)."""
        view = self.rows_view()
        if frozen_at is None:
            self._openings.look(board)
        view.note_opening(self._openings.of(board))
        self.drawings += view.update(frozen_at)

    def rows_note(self, words: str) -> None:
        """Say more of the newest item, where it is shown as rows."""
        if self._view is not None or words:
            self._note = words
            if self._view is not None:
                self._view.note(words)

    def rows_view(self) -> BoardView:
        """The widget for rows, on the screen instead of the plot."""
        if self._view is None:
            from tuistream.ui.board_view import BoardView

            self._view = BoardView(self._timezone, self.show_frame)
            self._view.assign(self.board)
            self._view.note(self._note)
            self.mount(self._view, after=self._plot)
        self.show_inner(self._view)
        return self._view

    def show_inner(self, inner: Widget) -> None:
        """Have `inner` on the screen, be it the plot or the rows."""
        for widget in (self._plot, self._view):
            if widget is not None and widget.display != (widget is inner):
                widget.display = widget is inner

    def board_words(self, board: Board) -> tuple[str, list[str], str]:
        """How much there is of a board, for its title; what it is; and how much is newer than what is seen."""
        newest = board.items[-1]
        count = f"{len(board.items) + board.dropped:,} in all"
        if newest.replaces:
            count = f"{local_time(newest.t, self._timezone):%H:%M:%S}"
        about = [printable(board.stream.feed, 24)]
        if board.stream.kind and board.stream.kind not in self._streams.label(key_of(board)):
            about.append(printable(board.stream.kind, 24))
        newer = self._view.newer if self._view is not None else 0
        return count, about, f"{newer:,} newer" if newer else ""

    def _say(self, words: str) -> None:
        if self.board is None:
            super()._say(words)
        else:
            self.post_message(Said(f"{self._streams.label(key_of(self.board))}: {words}"))
