"""How the screen gets to the terminal: only cells that changed, within a budget, and only as fast as it is read.

Textual sends whole rows of whatever was refreshed. Here its updates go into a shadow of the screen, and what differs
from what the terminal shows is sent: at once where the terminal keeps up and the budget allows it, else later, in
its latest state. So nothing piles up, and nothing is lost. A widget that changes with every frame need not go through
Textual at all: `paint` and `paint_row` put its cells into the shadow, and Textual learns only which of the rows that
it keeps are out of date.

This uses private names of Textual 8.2, all of them here: of `App` `_display`, `_driver`, `_batch_count`, `_running`,
`_closed`, `_sync_available`, `_notifications`, `_fatal_error`, `_exit_renderables`, `_close_messages_no_wait`; of
`Screen` `_compositor` and `_layout_required`; of `Widget` `_styles_cache`; of `_compositor` the updates with their
fields, and `size`; `_ansi_sequences`; of the console `_color_system`. A test fails when one of them changes.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Coroutine, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from rich.color import ColorSystem
from rich.console import RenderableType
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.errors import NoWidget
from textual.filter import LineFilter
from textual.geometry import Offset, Region
from textual.map_geometry import MapGeometry
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from tuistream.core.palettes import Colours
from tuistream.ui.budget import Budget
from tuistream.ui.cell_codes import is_narrow
from tuistream.ui.keys_first import KeysFirst
from tuistream.ui.shadow import Piece, Shadow
from tuistream.ui.terminal_answers import questions

if sys.platform != "win32":
    from tuistream.ui.driver import TerminalDriver
else:  # Windows has Textual's own way to the terminal
    TerminalDriver = None

if TYPE_CHECKING:
    from asyncio import TimerHandle

    from tuistream.ui.graphics import Graphics

Numbers = NDArray[np.integer[Any]]
Cell = tuple[int, int, int, int]

MOST_WAITING: Final = 1  # writes that may wait while another is made
LOOK_AGAIN: Final = 0.02  # seconds until a terminal that does not keep up is looked at again
AROUND: Final = 32  # bytes around a frame: the marks of a synchronised update, the cursor's place
MOST_PALETTES: Final = 64  # of widgets that paint; an app has a few for each theme
PORTION_BYTES: Final = 600  # bytes that a budget gathers before it lets any through


def pieces(update: LayoutUpdate | ChopsUpdate) -> Iterator[Piece]:
    """The finished strips of an update, with their places."""
    if isinstance(update, LayoutUpdate):
        for y, line in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in line:
                yield y, x, strip
                x += strip.cell_length
        return
    seen: set[tuple[int, int]] = set()
    for y, x1, x2 in update.spans:
        for end, (x, chop) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if chop is not None and x < x2 and end > x1 and (y, x) not in seen:
                seen.add((y, x))
                yield y, x, chop


class _Place(NamedTuple):
    """Where a widget is, by the compositor: its content's region on the screen, the rows above that, and whether it
    is whole.
    """

    found: MapGeometry
    region: Region
    above: int
    whole: bool


class PaintedApp(KeysFirst):
    """An app whose screen is sent cell by cell.

    budget: bytes a second to the terminal, 0 for no ceiling. pictures: how they are shown, one of
    `terminal_answers.WISHES`.
    """

    def __init__(self, budget: int = 0, pictures: str = "cells") -> None:
        super().__init__(driver_class=TerminalDriver)
        self._pictures_wish = pictures
        self._protocol, self._cell = "", (0, 0)  # how pictures are sent; a cell's pixels, 0 where not known
        self.questions = questions(pictures, os.environ)  # which the driver asks the terminal
        self._graphics: Graphics | None = None
        self._shadow = Shadow(self.console._color_system or ColorSystem.TRUECOLOR)
        self._budget = Budget(budget, time.monotonic_ns()) if budget else None
        self._later: TimerHandle | None = None
        self._held = False  # until then: not only pictures are to be sent
        self._counted = 0  # of the driver's bytes, in the budget
        self._cursor_sent = Offset(-1, -1)
        self._soon = False  # what was painted is about to be sent
        self._places: WeakKeyDictionary[Widget, _Place] = WeakKeyDictionary()
        self._numbers: dict[tuple[tuple[Style, ...], tuple[LineFilter, ...], int], Numbers] = {}

    @property
    def _terminal(self) -> TerminalDriver | None:
        """Our own way to the terminal; None on Windows and where there is no terminal."""
        driver = self._driver
        return driver if sys.platform != "win32" and isinstance(driver, TerminalDriver) else None

    @property
    def bytes_sent(self) -> int:
        """Bytes written to the terminal since the start."""
        driver = self._terminal
        return driver.bytes_written if driver is not None else 0

    @property
    def behind(self) -> bool:
        """Whether the terminal, or the budget, has not taken yet what is to be seen: drawing more makes no sense.

        Pictures may still be on their way.
        """
        return self._later is not None and self._held

    @property
    def pictures_pending(self) -> bool:
        """Whether pictures are still on their way: one that follows would tear what is seen of them."""
        graphics = self._graphics
        return self._shadow.pictures_pending or (graphics is not None and graphics.pending)

    @property
    def cell_ratio(self) -> float:
        """How many times as high as wide a cell of the terminal is."""
        width, height = self._cell
        return min(max(1.0, round(height / width, 2)), 4.0) if width else 2.0

    @property
    def graphics(self) -> Graphics:
        """Pictures in pixels; made when there is the first picture."""
        if self._graphics is None:
            from tuistream.ui.graphics import Graphics

            rate = self._budget.rate if self._budget is not None else 0
            self._graphics = Graphics(rate, self._run_encoding, self._send_again)
            self._graphics.use(self._protocol, self._cell)
        return self._graphics

    def repaint(self) -> None:
        """Send the whole screen again: the terminal may show anything."""
        self._shadow.forget()
        self.refresh()

    def take_anew(self) -> None:
        """The terminal was somebody else's: nothing that it was sent is there."""
        if self._graphics is not None:
            self._graphics.forget()
        self.repaint()

    def paint(
        self,
        widget: Widget,
        rows: Numbers,
        codes: Numbers,
        inks: Numbers,
        styles: Sequence[Style],
        colours: tuple[Colours, Colours] | None = None,
    ) -> bool:
        """Show cells of a widget; False, and nothing done, where it must be refreshed instead.

        rows: int[k], of its content. codes, inks: int[k, width], a cell's code point and its index in `styles`.
        colours: int32[k, width] each, of glyphs and behind them, where a cell has its own: 0xRRGGBB, else -1.
        """
        place = self._place(widget)
        if place is None or codes.shape[1] != place.region.width or not self._shadow.are_narrow(codes).all():
            return False
        numbers = self._numbers_of(widget, tuple(styles))
        chosen = numbers[inks]
        if colours is not None:
            own = (colours[0] >= 0) | (colours[1] >= 0)
            chosen = np.where(own, self._shadow.direct(*colours), chosen)
        self._shadow.put_cells(rows + place.region.y, place.region.x, codes, chosen)
        self._painted(widget, place, int(rows[0]), int(rows[-1]) + 1)
        return True

    def paint_cells(self, widget: Widget, cells: Sequence[Cell], styles: tuple[Style, ...]) -> bool:
        """As `paint`, for a few cells: row and column in its content, code point, index in `styles`."""
        place = self._place(widget)
        shadow = self._shadow
        if place is None or not is_narrow("".join(chr(code) for _y, _x, code, _ink in cells)):
            return False
        numbers = self._numbers_of(widget, styles)
        x, y = place.region.offset
        shadow.put_points((y + row, x + column, code, int(numbers[ink])) for row, column, code, ink in cells)
        rows = [row for row, *_ in cells]
        self._painted(widget, place, min(rows), max(rows) + 1)
        return True

    def paint_texts(self, widget: Widget, y: int, x: int, texts: Sequence[tuple[str, Style]]) -> bool:
        """As `paint_cells`, for texts one after another from a place in its content on."""
        place = self._place(widget)
        shadow = self._shadow
        joined = "".join(text for text, _style in texts)
        if place is None or x + len(joined) > place.region.width or not is_narrow(joined):
            return False
        numbers = self._numbers_of(widget, tuple(style for _text, style in texts)).tolist()
        x += place.region.x
        for (text, _style), number in zip(texts, numbers, strict=True):
            shadow.put_text(place.region.y + y, x, text, number)
            x += len(text)
        self._painted(widget, place, y, y + 1)
        return True

    def paint_row(self, widget: Widget, y: int) -> bool:
        """Show what row `y` of a widget's content is now; False, and nothing done, where it must be refreshed."""
        place = self._place(widget)
        if place is None:
            return False
        strip = widget.render_line(y)
        for line_filter in widget.get_line_filters():
            strip = strip.apply_filter(line_filter, widget.background_colors[1])
        self._shadow.put([(place.region.y + y, place.region.x, strip)])
        self._painted(widget, place, y, y + 1)
        return True

    def _place(self, widget: Widget) -> _Place | None:
        """Where a widget's content is on the screen; None unless that is settled, whole, and nothing lies over it."""
        screen, shadow = self.screen, self._shadow
        if (
            len(self.screen_stack) > 1
            or screen._layout_required
            or self._batch_count
            or len(self._notifications)
            or self._terminal is None
            or (shadow.width, shadow.height) != self.size
            or screen._compositor.size != self.size  # a new size is known before the screen is laid out for it
            or shadow.full
            or not widget.is_attached
            or not widget.display
        ):
            return None
        try:
            found = screen.find_widget(widget)
        except NoWidget:
            return None
        known = self._places.get(widget)
        if known is None or known.found is not found:
            region = found.region.shrink(widget.styles.gutter)
            whole = bool(region) and found.clip.contains_region(region)
            known = self._places[widget] = _Place(found, region, region.y - found.region.y, whole)
        return known if known.whole else None

    def _numbers_of(self, widget: Widget, styles: tuple[Style, ...]) -> Numbers:
        """The shadow's numbers for styles as Textual's filters leave them, which take away or translate colours."""
        filters = tuple(widget.get_line_filters())
        key = (styles, filters, self._shadow.starts)
        numbers = self._numbers.get(key)
        if numbers is None:
            strips = [Strip([Segment("x", style)]) for style in styles]
            for line_filter in filters:
                strips = [strip.apply_filter(line_filter, widget.background_colors[1]) for strip in strips]
            if len(self._numbers) >= MOST_PALETTES:
                self._numbers.clear()
            numbers = np.array([self._shadow.number(next(iter(strip)).style) for strip in strips])
            self._numbers[key] = numbers
        return numbers

    def _painted(self, widget: Widget, place: _Place, first: int, stop: int) -> None:
        """Have Textual draw these rows anew when it wants them, and send them soon."""
        widget._styles_cache.set_dirty(Region(0, place.above + first, place.region.width, stop - first))
        self._unsent = True
        if not self._gathering:
            self._send_soon()

    def _send_soon(self) -> None:
        if self._unsent and not self.behind and not self._soon:
            self._soon = True
            asyncio.get_running_loop().call_soon(self._send_painted)

    def _send_painted(self) -> None:
        self._soon = False
        if self._unsent and self._running and not self._closed and not self.behind:
            self._unsent = False
            self._send()

    def on_mount(self) -> None:
        self.app_resume_signal.subscribe(self, lambda _app: self.take_anew(), immediate=True)
        if self._terminal is not None:
            self._terminal.leaving = self._leaving

    def on_resize(self, _event: events.Resize) -> None:
        if self._terminal is not None:
            self._terminal.ask_cell()
        self.repaint()

    def on_terminal_driver_answered(self, event: TerminalDriver.Answered) -> None:
        self._protocol = event.abilities.protocol(self._pictures_wish, event.cell)
        self._cell = event.cell or (0, 0)
        if self._graphics is not None:
            self._graphics.use(self._protocol, self._cell)
            self._send_again()

    def _leaving(self) -> str:
        return self._graphics.leaving() if self._graphics is not None else ""

    def _run_encoding(self, work: Coroutine[Any, Any, None]) -> None:
        self.run_worker(work, group="encoding")

    def _send_again(self) -> None:
        """There is something to send that was not painted."""
        self._unsent = True
        self._send_soon()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if self._terminal is None or not isinstance(renderable, (LayoutUpdate, ChopsUpdate)):
            super()._display(screen, renderable)
            return
        if self._running and not self._closed and not self._batch_count:
            self._fit_shadow()
            self._shadow.put(pieces(renderable))
            if not self.behind:
                self._send()
        self.post_display_hook()

    def _fit_shadow(self) -> None:
        """Have a shadow of the terminal's size."""
        shadow = self._shadow
        if (shadow.width, shadow.height) != self.size or shadow.full:
            shadow.width, shadow.height = self.size
            shadow.restart()
            self.screen.refresh()

    def _send(self) -> None:
        """Send what differs, as far as that may be now; for the rest come back."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        driver, budget = self._terminal, self._budget
        if driver is None or driver.dead or self._closed:
            return
        if driver.waiting > MOST_WAITING:
            self._come_back(LOOK_AGAIN, held=True)
            return
        if budget is None:
            self._write(driver, self._take(None))
            if self._graphics is not None and self._graphics.pending:
                self._come_back(LOOK_AGAIN, held=False)
            return
        # What others write (modes, the bell) counts too.
        budget.spend(driver.bytes_written - self._counted)
        before = self._counted = driver.bytes_written
        self._write(driver, self._take(budget.allowance(time.monotonic_ns()) - AROUND))
        self._counted = driver.bytes_written
        budget.spend(self._counted - before)
        if self._pending:
            self._come_back(max(LOOK_AGAIN, budget.wait(PORTION_BYTES)), held=self._shadow.behind)

    @property
    def _pending(self) -> bool:
        return self._shadow.pending or (self._graphics is not None and self._graphics.pending)

    def _take(self, allowance: int | None) -> str:
        """What is to be written now: cells, and parts of pictures."""
        shadow, graphics = self._shadow, self._graphics
        if graphics is None:
            return shadow.take(allowance)
        shadow.layers = graphics.layers(shadow, self._region_of)
        now = time.monotonic_ns()
        text = shadow.take(allowance, graphics.allowance(now))
        graphics.spend(shadow.picture_bytes)
        if not graphics.pending:
            return text
        text += graphics.take(shadow, None if allowance is None else allowance - len(text.encode()), now)
        shadow.layers = graphics.layers(shadow, self._region_of)
        return text + shadow.take() if allowance is None else text

    def _region_of(self, widget: Widget) -> Region | None:
        place = self._place(widget)
        return place.region if place is not None else None

    def _write(self, driver: TerminalDriver, text: str) -> None:
        """Write one frame, and where the cursor stands after it, for input methods."""
        cursor = self.screen.outer_size.clamp_offset(self.cursor_position)
        if not text and cursor == self._cursor_sent:
            return
        self._cursor_sent = cursor
        text += f"\x1b[{cursor.y + 1};{cursor.x + 1}H"
        driver.write(f"{SYNC_START}{text}{SYNC_END}" if self._sync_available else text)

    def _come_back(self, seconds: float, *, held: bool) -> None:
        self._held = held
        self._later = asyncio.get_running_loop().call_later(seconds, self._send)

    def _fatal_error(self) -> None:
        """As Textual does, but for local variables: they may hold secrets."""
        from rich.segment import Segments
        from rich.traceback import Traceback

        self.bell()
        traceback = Traceback(show_locals=False, width=None)
        self._exit_renderables.append(Segments(self.console.render(traceback, self.console.options)))
        self._close_messages_no_wait()
