"""What kind a panel is, and what keys do to that."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from msgspec.structs import replace

from tuistream.charts import kinds
from tuistream.charts.kinds.contract import CLOSER, Content, DrawStyle, Figure, Markers, Raster, Ticks
from tuistream.charts.ohlc import WIDTHS
from tuistream.charts.spectrum import UNITS, WINDOWS
from tuistream.core.board import Board, Item
from tuistream.ui import content
from tuistream.ui.board_controls import BoardControls
from tuistream.ui.chart import AVERAGE_INKS, FIELD_INKS, Chart
from tuistream.ui.contrast import readable
from tuistream.ui.kind_view import KindView, colours_of
from tuistream.ui.options import ViewOptions
from tuistream.ui.painting import PaintedApp
from tuistream.ui.streams import EntryKey, Streams, key_of
from tuistream.ui.view import Window, short_duration

if TYPE_CHECKING:
    from tuistream.core.video import Video
    from tuistream.ui.pictures import PictureApp, Shown

MOST_NEARER = 30  # steps
ROWS = "rows"  # of text: what a board is where it is nothing else


class Sight(NamedTuple):
    """How many steps nearer than all of it, and aside from its middle.

    range: the name of one that its sender offers.
    """

    zoom: int = 0
    right: int = 0
    down: int = 0
    range: str = ""


HOME = Sight()
NEARER = (Raster, Markers, Figure)  # contents that one can go nearer to


class KindControls(BoardControls):
    """Draws charts and boards as what they are said to be, or chosen to be. Subclasses draw lines."""

    def __init__(self, streams: Streams, options: ViewOptions, glyphs: str) -> None:
        super().__init__(streams, options, glyphs)
        self.kinds = KindView(self._plot)
        self._board_drawn: object = None
        self._taken: tuple[Board, object, Content | None] | None = None  # of a board at a version: its content
        self._pictured = Pictured()
        self._sights: dict[EntryKey, Sight] = {}  # of boards: what the user went nearer to

    def style(self, digits: int | None, unit: str = "", *, log: bool = False) -> DrawStyle:
        """How kinds are to be drawn on this terminal."""
        glyphs, colours = self._plot.glyphs, colours_of(self.app)
        ratio = self.app.cell_ratio if isinstance(self.app, PaintedApp) else 2.0
        return DrawStyle(glyphs, colours, digits, unit, log, self._timezone, cell_ratio=ratio)

    def draw_ticks(self, chart: Chart, window: Window, digits: int, colours: tuple[str, ...]) -> None:
        """Draw a chart that is no line."""
        unit = chart.look.unit if chart.look is not None else ""
        choices = chart.choices
        style = replace(self.style(digits, unit, log=choices.log), cell=choices.candle, transform=choices.transform)
        drawn, name = content.of_chart(chart, window, self.edge), chart.choices.kind
        if not kinds.kind(name).fits(drawn):
            name = next(one for one in kinds.fitting(drawn) if one not in kinds.LINES)
        if isinstance(drawn, Ticks) and name in kinds.SCALED:
            shown = drawn.shown[: 1 if name == "candles" else len(drawn.shown)]
            values = chart.range_of((drawn.columns[field] for field in shown), zero=name == "bars")
            style = replace(style, values=values)
        self.kinds.show(name, drawn, style, colours)

    def draw_board(self, board: Board, frozen_at: int | None) -> None:
        """Draw what is new; nothing of it while the view is frozen, since `frozen_at` (ns)."""
        drawn, version = self._take(board, frozen=frozen_at is not None)
        name = self._kind_of(board, drawn)
        if drawn is None or name == ROWS:
            super().draw_board(board, frozen_at)
            return
        self.show_inner(self._plot)
        sight = self._sights.get(key_of(board), HOME)
        style = self.style(None)
        made_of = (version, self._plot.size, name, sight, style.cell_ratio)
        if made_of != self._board_drawn:
            self._board_drawn = made_of
            self.drawings += 1
            colours: tuple[str, ...] = ()
            style = replace(style, zoom=sight.zoom, pan=(sight.right, sight.down))
            if isinstance(drawn, Figure):
                drawn = replace(drawn, since=dict(drawn.ranges).get(sight.range))
                colours = self._readable(drawn)
            self.kinds.show(name, drawn, style, colours)

    def _readable(self, drawn: Figure) -> tuple[str, ...]:
        """The colours of a figure's traces that can be seen."""
        wanted = tuple(trace.colour for trace in drawn.traces[: len(FIELD_INKS + AVERAGE_INKS)])
        own = self.app.native_ansi_color or self.app.no_color
        return () if own else readable(wanted, self.background_colors[1])

    def board_words(self, board: Board) -> tuple[str, list[str], str]:
        count, about, newer = super().board_words(board)
        if isinstance(self._taken[2] if self._taken is not None else None, Raster):
            about += [self._pictured.words, self.kinds.pixels]
            app = cast("PictureApp", self.app)
            opening = app.openings.of(board)
            if (video := self._pictured.video) is not None:
                about += [video.counts, video.ended]
            elif opening is not None and opening.frames > 1:
                shown = app.pictures.shown(key_of(board))
                about.append(f"{shown:,} shown  {max(0, opening.frames - shown):,} skipped")
        return count, about, newer

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
        chart.rescale()
        self._change(chart.view, f"chart: {name}, {fitting.index(name) + 1} of {len(fitting)}")

    def action_interval(self, steps: int) -> None:
        """Make candles longer or shorter, or take the next window of a spectrum."""
        chart, _window = self._ready()
        if chart is None:
            return
        choices = chart.choices
        if choices.kind == "candles":
            widths = (0, *WIDTHS)
            candle = widths[(widths.index(choices.candle) + steps) % len(widths)]
            chart.choices = replace(choices, candle=candle)
            self._change(chart.view, f"candles: {short_duration(candle) if candle else 'as long as suits'}")
        elif choices.kind == content.SPECTRUM:
            transform = choices.transform
            chart.choices = replace(
                choices, transform=transform._replace(window=_beside(WINDOWS, transform.window, steps))
            )
            self._change(chart.view, f"window: {chart.choices.transform.window}")
        else:
            self._say("only candles have a length, and spectra a window: c changes the kind")

    def action_scale(self) -> None:
        """Take the next unit of a spectrum, or the next scale of what has one."""
        chart, _window = self._ready()
        if chart is None or chart.choices.kind != content.SPECTRUM:
            super().action_scale()
            return
        transform = chart.choices.transform
        unit = _beside(UNITS, transform.unit, 1)
        chart.choices = replace(chart.choices, transform=transform._replace(unit=unit))
        self._change(chart.view, f"unit: {unit}")

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

    def _take(self, board: Board, *, frozen: bool = True) -> tuple[Content | None, object]:
        """What the board holds, made once of each of its versions; of a frozen one what was taken last."""
        taken = self._taken
        if taken is not None and taken[0] is board and frozen:
            return taken[2], taken[1]
        picture = self._picture_of(board, frozen=frozen)
        version: object = board.version if picture is None else (picture.of, picture.words)
        if taken is None or taken[0] is not board or taken[1] != version:
            drawn = content.of_board(board) if picture is None else picture.raster
            taken = self._taken = board, version, drawn
        return taken[2], taken[1]

    def _picture_of(self, board: Board, *, frozen: bool) -> Shown | None:
        """The picture that the newest item is, or that was opened at the address that it names."""
        from tuistream.ui.items import NAMING

        item = board.items[-1]
        if item.kind not in NAMING:
            return None
        app = cast("PictureApp", self.app)
        if not frozen:
            app.openings.look(board)
        opening = app.openings.of(board)
        if opening is not None and opening.frames > 1 and opening.state == "failed":
            return None  # what does not move any more must not look as if it did
        held = item if opening is None or opening.picture is None else opening.picture
        if not self._pictured.holds(held):
            return None
        shown = app.pictures.last(key_of(board)) if self._waits(held) else None
        shown = shown or app.pictures.look(key_of(board), held, self._room_of(board))
        self.rows_note(shown.words)
        return shown

    def _waits(self, held: Item) -> bool:
        """Whether the frame before one of a video is still on its way to the terminal."""
        return held.kind == "video" and isinstance(self.app, PaintedApp) and self.app.pictures_pending

    def _room_of(self, board: Board) -> tuple[int, int]:
        """How many pixels of a video can be seen: all of a cell's, or two a cell, or eight where they are dots."""
        width, height = self._plot.size
        style = self.style(None)
        detail = (1, 2) if style.colours and style.glyphs != "ascii" else (2, 4)
        if isinstance(self.app, PaintedApp):
            detail = self.app.graphics.detail or detail
        nearer = CLOSER ** max(0, self._sights.get(key_of(board), HOME).zoom)
        return round(detail[0] * width * nearer), round(detail[1] * height * nearer)

    def _kind_of(self, board: Board, drawn: Content | None) -> str:
        """What a board is drawn as: as chosen, else as what its item is, else rows."""
        chosen = self._streams.board_kinds.get(key_of(board), "")
        if chosen == ROWS or drawn is None:
            return ROWS
        if chosen and kinds.kind(chosen).fits(drawn):
            return chosen
        said = kinds.said(board.items[-1].kind)
        return said if said and said not in kinds.LINES and kinds.kind(said).fits(drawn) else self._fitting(drawn)[0]

    def _move_sight(self, zoom: int = 0, right: int = 0, down: int = 0) -> bool:
        """Go nearer to what a board is drawn as, or aside; False where that is nothing to go nearer to."""
        board, taken = self.board, self._taken
        if board is None or taken is None or taken[0] is not board or not isinstance(taken[2], NEARER):
            return False
        if self._kind_of(board, taken[2]) == ROWS:
            return False
        before = self._sights.get(key_of(board), HOME)
        sight = Sight(before.zoom + zoom, before.right + right, before.down + down)
        if zoom:  # what is in the middle stays there
            factor = CLOSER**zoom
            sight = Sight(before.zoom + zoom, round(before.right * factor), round(before.down * factor))
        sight = sight._replace(range=before.range)
        if abs(sight.zoom) <= MOST_NEARER:
            self._sights[key_of(board)] = sight
        self.redraw()
        return True

    def action_zoom(self, steps: int) -> None:
        if not self._move_sight(zoom=steps):
            super().action_zoom(steps)

    def action_pan(self, steps: int) -> None:
        if not self._move_sight(right=steps):
            super().action_pan(steps)

    def action_range(self, steps: int) -> None:
        board, drawn = self.board, self._taken[2] if self._taken is not None else None
        if board is None or not isinstance(drawn, Figure) or not drawn.ranges:
            super().action_range(steps)
            return
        names = [name for name, _since in drawn.ranges]
        before = self._sights.get(key_of(board), HOME).range
        at = names.index(before) + steps if before in names else len(names) - 1 + min(0, steps)
        name = names[min(max(0, at), len(names) - 1)]
        self._sights[key_of(board)] = Sight(range=name)
        self._say(f"range {name}")
        self.redraw()

    def action_scroll_items(self, rows: int, pages: int = 0) -> None:
        if pages or not self._move_sight(down=rows):
            super().action_scroll_items(rows, pages)

    def action_reset(self) -> None:
        if self.board is not None and self._sights.pop(key_of(self.board), None) is not None:
            self._say("all of it")
            self.redraw()
        else:
            super().action_reset()


class Pictured:
    """Whether an item holds a picture, and what it is in words; each is looked at once, as it may be long."""

    def __init__(self) -> None:
        self._item: Item | None = None
        self.words = ""
        self.video: Video | None = None

    def holds(self, item: Item) -> bool:
        if item is not self._item:
            from tuistream.core.pictures import picture_of
            from tuistream.core.video import VideoFrame
            from tuistream.ui.items import summary

            self._item = item
            value = item.value
            self.video = value.video if isinstance(value, VideoFrame) else None
            self.words = summary(item) if self.video is not None or picture_of(value) is not None else ""
        return bool(self.words)


def _beside(names: tuple[str, ...], now: str, steps: int) -> str:
    """The name so many places after `now`, round and round; the first where that is none of them."""
    return names[(names.index(now) + steps) % len(names)] if now in names else names[0]
