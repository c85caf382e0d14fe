"""What kind a panel is, and what keys do to that."""

from __future__ import annotations

from dataclasses import replace
from datetime import tzinfo

from tuistream.charts import kinds
from tuistream.charts.kinds.contract import Content, DrawStyle
from tuistream.core.board import Board
from tuistream.ui import content
from tuistream.ui.board_controls import BoardControls
from tuistream.ui.chart import Chart
from tuistream.ui.kind_view import KindView, colours_of
from tuistream.ui.streams import Streams, key_of
from tuistream.ui.view import Window

ROWS = "rows"  # of text: what a board is where it is nothing else


class KindControls(BoardControls):
    """Draws charts and boards as what they are said to be, or chosen to be. Subclasses draw lines."""

    def __init__(self, streams: Streams, timezone: tzinfo | None, paged: bool, glyphs: str) -> None:
        super().__init__(streams, timezone, paged, glyphs)
        self.kinds = KindView(self._plot)
        self._board_drawn: object = None
        self._taken: tuple[Board, int, Content | None] | None = None  # of a board at a version: its content

    def style(self, digits: int | None, unit: str = "", *, log: bool = False) -> DrawStyle:
        """How kinds are to be drawn on this terminal."""
        glyphs, colours = self._plot.glyphs, colours_of(self.app)
        return DrawStyle(glyphs, colours, digits, unit, log, self._timezone)

    def draw_ticks(self, chart: Chart, window: Window, digits: int, colours: tuple[str, ...]) -> None:
        """Draw a chart that is no line."""
        unit = chart.look.unit if chart.look is not None else ""
        style = self.style(digits, unit, log=chart.choices.log)
        drawn, name = content.of_chart(chart, window, self.edge), chart.choices.kind
        if not kinds.kind(name).fits(drawn):
            name = next(one for one in kinds.fitting(drawn) if one not in kinds.LINES)
        self.kinds.show(name, drawn, style, colours)

    def draw_board(self, board: Board, frozen_at: int | None) -> None:
        """Draw what is new; nothing of it while the view is frozen, since `frozen_at` (ns)."""
        drawn, version = self._take(board, frozen=frozen_at is not None)
        name = self._kind_of(board, drawn)
        if drawn is None or name == ROWS:
            super().draw_board(board, frozen_at)
            return
        self.show_inner(self._plot)
        made_of = (version, self._plot.size, name)
        if made_of != self._board_drawn:
            self._board_drawn = made_of
            self.drawings += 1
            self.kinds.show(name, drawn, self.style(None))

    def assign_board(self, board: Board | None) -> None:
        if board is not self.board:
            self._board_drawn = None
            self.kinds.forget()
        super().assign_board(board)

    def action_chart(self, steps: int = 1) -> None:
        """Draw it as the next kind that fits."""
        if self.board is not None:
            self._turn_board(self.board, steps)
            return
        chart, window = self._ready()
        if chart is None or window is None:
            return
        fitting = kinds.fitting(content.of_chart(chart, window, self.edge))
        name = _beside(fitting, chart.choices.kind, steps)
        chart.choices = replace(chart.choices, kind=name)
        self._change(chart.view, f"chart: {name}, {fitting.index(name) + 1} of {len(fitting)}")

    def action_direction(self) -> None:
        chart, _window = self._ready()
        if chart is not None:
            by_move = not chart.choices.by_move
            chart.choices = replace(chart.choices, by_move=by_move)
            self._change(chart.view, "colour by the last move" if by_move else "colour of its own")

    def _turn_board(self, board: Board, steps: int) -> None:
        drawn, _version = self._take(board)
        fitting = self._fitting(drawn)
        if len(fitting) == 1:
            self._say(f"it can be shown as {fitting[0]} only")
            return
        name = _beside(fitting, self._kind_of(board, drawn), steps)
        self._streams.board_kinds[key_of(board)] = name
        self._say(f"shown as {name}, {fitting.index(name) + 1} of {len(fitting)}")
        self._board_drawn = None
        self.redraw()

    def _fitting(self, drawn: Content | None) -> tuple[str, ...]:
        return (*(kinds.fitting(drawn) if drawn is not None else ()), ROWS)

    def _take(self, board: Board, *, frozen: bool = True) -> tuple[Content | None, int]:
        """What the board holds, made once of each of its versions; of a frozen one what was taken last."""
        taken = self._taken
        if taken is None or taken[0] is not board or (not frozen and taken[1] != board.version):
            taken = self._taken = board, board.version, content.of_board(board)
        return taken[2], taken[1]

    def _kind_of(self, board: Board, drawn: Content | None) -> str:
        """What a board is drawn as: as chosen, else as what its item is, else rows."""
        chosen = self._streams.board_kinds.get(key_of(board), "")
        if chosen == ROWS or drawn is None:
            return ROWS
        if chosen and kinds.kind(chosen).fits(drawn):
            return chosen
        return kinds.said(board.items[-1].kind) or self._fitting(drawn)[0]


def _beside(names: tuple[str, ...], now: str, steps: int) -> str:
    """The name so many places after `now`, round and round; the first where that is none of them."""
    return names[(names.index(now) + steps) % len(names)] if now in names else names[0]
