"""An app on Textual's real way to the terminal, where the terminal is an emulator in this process."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any, ClassVar

import pyte
from rich.console import Console
from textual import events
from textual.app import App
from textual.driver import Driver
from textual.geometry import Size

from tests.charts.graphics.reading import SIXEL, KittyTerminal, Pixels, sixels_read
from tests.ui.conftest import Monitor
from tuistream.ui.app import TuistreamApp
from tuistream.ui.driver import TerminalDriver
from tuistream.ui.options import ViewOptions
from tuistream.ui.terminal_answers import Abilities

# Sequences that pyte does not know and would print.
UNKNOWN = re.compile(r"\x1b\[[<>=?][0-9;:]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p")
Cells = list[list[tuple[object, ...]]]
SEEN = "\ue000"  # stands for a cell in which sixels are seen


class Emulated(TerminalDriver):
    """Writes to `screen`, which is a terminal that does not read while `stopped`. Has no keys."""

    def __init__(
        self, app: App[object], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        assert size is not None
        Driver.__init__(self, app, debug=debug, mouse=mouse, size=size)
        self.bytes_written = 0
        self.starts = 1
        self.leaving = str
        self.kitty = KittyTerminal()
        self.sixels: list[Pixels] = []
        self._answered: TerminalDriver.Answered | None = None
        self.frames: list[str] = []
        self.stopped = False
        self.screen = pyte.Screen(*size)
        self._stream = pyte.Stream(self.screen)

    @property
    def waiting(self) -> int:
        return 4 if self.stopped else 0

    @property
    def dead(self) -> bool:
        return False

    def write(self, data: str) -> None:
        self.bytes_written += len(data.encode())
        self.frames.append(data)
        end = 0
        for found in SIXEL.finditer(data):
            self._feed(data[end : found.start()])
            self._draw_sixels(found[0])
            end = found.end()
        self._feed(data[end:])

    def _feed(self, text: str) -> None:
        self._stream.feed(UNKNOWN.sub("", self.kitty.take(text)))

    def _draw_sixels(self, text: str) -> None:
        """What is written over them later takes their place, as what they are drawn over has to be empty."""
        assert self._answered is not None
        assert self._answered.cell is not None
        width, height = self._answered.cell
        pixels = sixels_read(text)
        self.sixels.append(pixels)
        screen, (top, left) = self.screen, (self.screen.cursor.y, self.screen.cursor.x)
        assert pixels.shape[1] % width == 0
        if tuple(self._app.size) != (screen.columns, screen.lines):
            return  # it was drawn for another size; all is drawn again soon
        assert top * height + pixels.shape[0] <= (screen.lines - 1) * height
        for y in range(top, top - (-pixels.shape[0] // height)):
            for x in range(left, left + pixels.shape[1] // width):
                assert screen.buffer[y][x].data in (" ", SEEN)
                screen.buffer[y][x] = screen.buffer[y][x]._replace(data=SEEN)

    def answer(self, abilities: Abilities, cell: tuple[int, int] | None = None) -> None:
        """As the terminal, when it was asked."""
        self._answered = self.Answered(abilities, cell or abilities.cell)
        self.ask_cell()

    def ask_cell(self) -> None:
        if self._answered is not None:
            self._app.post_message(self.Answered(self._answered.abilities, self._answered.cell))

    def start_application_mode(self) -> None:
        assert self._size is not None
        size = Size(*self._size)
        self._app.post_message(events.Resize(size, size))

    def stop_application_mode(self) -> None:
        pass

    def disable_input(self) -> None:
        pass

    def close(self) -> None:
        pass

    def resize(self, width: int, height: int) -> None:
        """As a terminal does it: what is on the screen afterwards is anybody's guess."""
        self._size = (width, height)
        self.screen.resize(height, width)
        self.garble()
        self._app.post_message(events.Resize(Size(width, height), Size(width, height)))

    def garble(self) -> None:
        for y in range(self.screen.lines):
            self._stream.feed(f"\x1b[{y + 1};1H\x1b[31m{'?' * self.screen.columns}\x1b[m")


class PaintedMonitor(Monitor):
    """A monitor whose app paints. printed: what the app left behind at its end."""

    printed = ""
    driver_class: ClassVar[type[Emulated]] = Emulated

    def make_app(self, view: ViewOptions) -> TuistreamApp:
        return TuistreamApp(self.session, view, lambda: self.recording, demo=self.demo)

    @asynccontextmanager
    async def painting(
        self, width: int = 100, height: int = 30, *, fails: bool = False, **options: Any
    ) -> AsyncIterator[Emulated]:
        glyphs = options.pop("glyphs", "braille")
        view = ViewOptions(fps=1, timezone=UTC, clock=lambda: self.now, glyphs=glyphs, **options)
        self.app = self.make_app(view)
        self.app.driver_class = self.driver_class
        errors = io.StringIO()
        self.app.error_console = Console(file=errors, width=200)
        running = asyncio.create_task(self.app.run_async(size=(width, height)))
        while not (self.app.is_running and self.app._dom_ready):
            await asyncio.sleep(0.01)
            assert not running.done(), running.result()
        await self.settle()
        driver = self.app._driver
        assert isinstance(driver, Emulated)
        try:
            yield driver
        finally:
            if self.app.is_running:
                self.app.exit()
            await running
            self.printed = errors.getvalue()
            assert fails or self.app._exception is None, self.app._exception

    async def sent(self) -> None:
        """Return once all that is to be seen is on the terminal."""
        await self.settle()
        while self.app.behind:
            await asyncio.sleep(0.01)
        await self.quiet()

    def expected(self) -> Cells:
        """What a full repaint by Textual would show."""
        screen = self.app.screen
        compositor = screen._compositor
        waiting = set(compositor._dirty_regions)  # a full update takes them for done
        update = compositor.render_update(full=True, screen_stack=self.app._background_screens)
        compositor._dirty_regions.update(waiting)
        fresh = pyte.Screen(*self.app.size)
        pyte.Stream(fresh).feed(update.render_segments(self.app.console))  # type: ignore[union-attr]
        return cells(fresh)


def cells(screen: pyte.Screen) -> Cells:
    """What can be seen of each cell."""
    return [[_seen(screen.buffer[y][x]) for x in range(screen.columns)] for y in range(screen.lines)]


def _seen(char: Any) -> tuple[object, ...]:
    if char.data == " " and not char.reverse and not char.underscore and not char.strikethrough:
        return " ", char.bg
    return tuple(char)


def difference(shown: Cells, wanted: Cells) -> str:
    """Where two screens differ; "" where they do not."""
    found = [
        f"({x}, {y}): {cell} where {other} should be"
        for y, (row, wanted_row) in enumerate(zip(shown, wanted, strict=True))
        for x, (cell, other) in enumerate(zip(row, wanted_row, strict=True))
        if cell != other
    ]
    return "\n".join(found[:5]) + (f"\n{len(found)} cells differ" if found else "")
