"""Pictures in pixels on the screen: encoded in a thread, sent in their share of the budget, forgotten when gone.

What is drawn first is half blocks, in cells. Where the terminal shows pixels, a layer has the picture seen instead
of these cells. By Kitty's protocol it is sent once, in parts as there is room for them, and seen when it is whole;
sixels are drawn strip by strip. Meanwhile what was there before is seen, or nothing. A picture that would take longer
than SECONDS in its share of the budget, and than its half blocks, stays in these.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final
from weakref import WeakKeyDictionary

import numpy as np
from textual.geometry import Region
from textual.widget import Widget

from tuistream.charts.panel import Frame
from tuistream.ui.budget import BURST_PART, Budget
from tuistream.ui.cell_codes import Cells
from tuistream.ui.layers import Layer
from tuistream.ui.shadow import PICTURES_PART, Shadow
from tuistream.ui.sights import MOST_BYTES, MOST_MOVING_BYTES, Bounds, Picture, Sight, encoded

SECONDS: Final = 4  # that a picture may take in its share of the budget
AT_ONCE: Final = 64_000  # bytes that are written at once where there is no budget
AROUND: Final = 160  # bytes around a strip, or a part of a picture
NUMBERS: Final = 200  # pictures that the terminal has, at most
MOVING: Final = 1.0  # seconds within which a picture that follows another is a part of something that moves
USUAL_CELL: Final = 10, 20  # pixels, where nobody knows


class View:
    """What there is of a plot's picture. wanted: the newest; done: what was last encoded, or refused: `words`."""

    def __init__(self, wanted: Sight) -> None:
        self.wanted = wanted
        self.done: Sight | None = None
        self.shown: Picture | None = None  # whole, in the terminal
        self.coming: Picture | None = None  # on its way there
        self.encoding = False
        self.begun_at = float("-inf")  # monotonic seconds: when the last one was begun
        self.words = ""
        self.region = Region()
        self.cells: tuple[Sight, Cells] | None = None  # what stands for the picture


class Graphics:
    """protocol: "kitty", "sixel" or "" for cells. cell: a cell's pixels, 0 where not known."""

    def __init__(
        self, budget: int, run: Callable[[Coroutine[Any, Any, None]], object], changed: Callable[[], None]
    ) -> None:
        """budget: bytes a second, 0 for no ceiling. run: has a task of the app's; changed: there is more to send."""
        self.protocol = ""
        self.cell = 0, 0
        self._run, self._changed = run, changed
        self._share = Budget(int(budget * PICTURES_PART), time.monotonic_ns()) if budget else None
        self._rate = budget
        self._views: WeakKeyDictionary[Widget, View] = WeakKeyDictionary()
        self._one = asyncio.Lock()  # encoded at a time
        # Other programs number pictures in this terminal, too, mostly from 1 on.
        self._numbers = range(first := (1 + int.from_bytes(os.urandom(2)) % 65_535) << 8, first + NUMBERS)
        self._used: set[int] = set()
        self._leaving: list[tuple[int, int]] = []  # numbers and grounds of pictures that are shown no more
        self._sending: Picture | None = None

    @property
    def _pixels(self) -> tuple[int, int]:
        return self.cell if self.cell[0] else USUAL_CELL

    @property
    def detail(self) -> tuple[int, int] | None:
        """The pixels across and down that are seen of a cell; None where cells are all there is."""
        return self._pixels if self.protocol else None

    @property
    def pending(self) -> bool:
        """Whether there is anything to send that is no cell."""
        return bool(self._leaving) or self._next() is not None

    def use(self, protocol: str, cell: tuple[int, int]) -> None:
        """Show pictures so from now on."""
        if (protocol, cell) != (self.protocol, self.cell):
            self.protocol, self.cell = protocol, cell
            self.forget()

    def forget(self) -> None:
        """The terminal has nothing of what was sent: it was somebody else's meanwhile."""
        self._used.clear()
        self._leaving.clear()
        self._sending = None
        for view in self._views.values():
            view.shown = view.coming = view.done = None
            self._begin(view)

    def show(self, plot: Widget, sight: Sight) -> None:
        """Have a picture seen in a plot that shows its half blocks."""
        view = self._views.get(plot)
        if view is None:
            view = self._views[plot] = View(sight)
        if view.done is not None and _alike(view.done, sight):
            view.done = sight
        view.wanted = sight
        self._begin(view)

    def words(self, plot: Widget) -> str:
        """Why the picture in a plot is in cells, or how it is shown; "" where there is no choice."""
        view = self._views.get(plot)
        if view is None or not self.protocol:
            return ""
        return f"in cells: {view.words}" if view.words else "pixels"

    def layers(self, shadow: Shadow, region_of: Callable[[Widget], Region | None]) -> tuple[Layer, ...]:
        """What is to be seen instead of cells. region_of: where a widget's content is, None where not settled."""
        if not self._views:
            return ()
        found = []
        for plot, view in list(self._views.items()):
            if not _shows(plot, view.wanted.frame):
                self._drop(plot, view)
                continue
            view.region = region_of(plot) or view.region
            layer = self._layer(shadow, view)
            if layer is not None:
                found.append(layer)
        return tuple(found)

    def allowance(self, now: int) -> int | None:
        """The bytes that pictures may have at `now`, monotonic ns, by their share; None where there is no ceiling."""
        return None if self._share is None else self._share.allowance(now)

    def spend(self, count: int) -> None:
        """So many bytes were sent of pictures."""
        if self._share is not None:
            self._share.spend(count)

    def take(self, shadow: Shadow, allowance: int | None, now: int) -> str:
        """What is to be written beside cells, of at most about `allowance` bytes. now: monotonic, ns."""
        parts = []
        most = AT_ONCE if allowance is None else int(allowance * PICTURES_PART)
        if self._share is not None:
            most = min(most, self._share.allowance(now))
        if self._sending is None:
            parts += self._deletions(shadow)
        while most > AROUND and (picture := self._next()) is not None:
            text = self._chunk(picture, most - AROUND)
            most -= len(text)
            parts.append(text)
        text = "".join(parts)
        self.spend(len(text))
        return text

    def leaving(self) -> str:
        """What has the terminal free all that it has of ours."""
        if self.protocol != "kitty":
            return ""
        from tuistream.charts.graphics import kitty

        broken = kitty.broken_off() if self._sending is not None else ""
        self._sending = None
        return broken + "".join(kitty.deletion(number) for number in sorted(self._used))

    def _next(self) -> Picture | None:
        """The picture that is being sent, or else the first that waits."""
        if self._sending is not None:
            return self._sending
        return next((view.coming for view in self._views.values() if view.coming is not None), None)

    def _begin(self, view: View) -> None:
        """Encode what is wanted, unless that is done, or another is still on its way."""
        if self.protocol and not view.encoding and view.coming is None and view.done is not view.wanted:
            view.encoding = True
            self._run(self._encode(view))

    async def _encode(self, view: View) -> None:
        try:
            async with self._one:
                sight, protocol, now = view.wanted, self.protocol, time.monotonic()
                moving, view.begun_at = now - view.begun_at < MOVING, now
                bounds = self._bounds(moving=moving)
                found = await asyncio.to_thread(encoded, protocol, sight, bounds, moving=moving)
        finally:
            view.encoding = False
        if protocol != self.protocol or bounds.cell != self._pixels:
            self._begin(view)
            return
        view.done = sight
        if isinstance(found, Picture) and not self._number(found):
            found = "too many pictures"
        if isinstance(found, str):
            view.words = found
            self._retire(view.shown)
            view.shown = None
        elif not any(each is view for each in self._views.values()):
            self._retire(found)
        else:
            view.words = ""
            if found.strips:
                self._replace(view, found)
            else:
                view.coming = found
        self._changed()
        self._begin(view)

    def _bounds(self, *, moving: bool) -> Bounds:
        most = MOST_MOVING_BYTES if moving else MOST_BYTES
        strip = most
        if self._rate:
            share = self._rate * PICTURES_PART
            most = min(most, int(share * (1 - BURST_PART)) * SECONDS)
            strip = max(0, int(share * BURST_PART) - 4 * AROUND)
        return Bounds(most, strip, self._pixels)

    def _layer(self, shadow: Shadow, view: View) -> Layer | None:
        sight, picture = view.wanted, view.shown
        crop, ground = sight.crop, sight.ground
        at = view.region.y + crop.row, view.region.x + crop.column
        size = crop.rows, crop.columns
        if picture is not None and picture.size == size:
            cells = shadow.picture_cells(picture.number, ground, size, strips=bool(picture.strips))
            # Sixels on the last row would have the terminal scroll.
            if not picture.strips or at[0] + crop.rows < shadow.height:
                return Layer(*at, _instead_of(shadow, view), cells, picture.strips)
        elif view.encoding or view.coming is not None:
            return Layer(*at, _instead_of(shadow, view), shadow.empty_cells(ground, size))
        return None

    def _number(self, picture: Picture) -> bool:
        free = next((number for number in self._numbers if number not in self._used), 0)
        picture.number = free
        if free:
            self._used.add(free)
        return bool(free)

    def _chunk(self, picture: Picture, most: int) -> str:
        from tuistream.charts.graphics import kitty

        rows, columns = picture.size
        text, picture.sent = kitty.chunk(picture.number, columns, rows, picture.data, picture.sent, most)
        if picture.sent < len(picture.data):
            self._sending = picture
            return text
        self._sending = None
        picture.data = ""
        view = next((view for view in self._views.values() if view.coming is picture), None)
        if view is None:  # gone while it was sent
            self._retire(picture)
        else:
            view.coming = None
            self._replace(view, picture)
            self._begin(view)
        return text

    def _replace(self, view: View, picture: Picture) -> None:
        self._retire(view.shown)
        view.shown = picture

    def _retire(self, picture: Picture | None) -> None:
        if picture is not None:
            self._leaving.append((picture.number, picture.sight.ground))

    def _drop(self, plot: Widget, view: View) -> None:
        """The plot shows something else."""
        del self._views[plot]
        self._retire(view.shown)
        if view.coming is not None and view.coming is not self._sending:
            self._retire(view.coming)

    def _deletions(self, shadow: Shadow) -> list[str]:
        """Have the terminal forget pictures once no cell shows them."""
        texts, waiting = [], []
        for number, ground in self._leaving:
            if shadow.shows(number, ground):
                waiting.append((number, ground))
                continue
            self._used.discard(number)
            if self.protocol == "kitty":
                from tuistream.charts.graphics import kitty

                texts.append(kitty.deletion(number))
        self._leaving = waiting
        return texts


def _shows(plot: Any, frame: Frame) -> bool:
    return bool(plot.is_attached and plot.display and plot.frame is frame)


def _alike(one: Sight, other: Sight) -> bool:
    """Whether the same is to be sent for both."""
    return one.pixels is other.pixels and one.crop == other.crop and one.ground == other.ground


def _instead_of(shadow: Shadow, view: View) -> Cells:
    """The cells of the shadow that are a picture's half blocks; made once of each."""
    sight = view.wanted
    if view.cells is None or view.cells[0] is not sight:
        frame, crop = sight.frame, sight.crop
        part = slice(crop.row, crop.row + crop.rows), slice(crop.column, crop.column + crop.columns)
        assert frame.fg is not None
        assert frame.bg is not None
        styles = shadow.direct(frame.fg[part], frame.bg[part])
        view.cells = sight, shadow.cells(frame.chars[part].astype(np.int64), styles)
    return view.cells[1]
