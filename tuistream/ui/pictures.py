"""The pictures that panels show: decoded in a thread, one of a board at a time, the newest when there is a place."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

import msgspec

from tuistream.charts.kinds.contract import Raster
from tuistream.core.board import Item
from tuistream.core.video import VideoFrame
from tuistream.sources.media.names import NotOpened
from tuistream.ui.openings import Openings
from tuistream.ui.streams import EntryKey

KEPT: Final = 12  # boards whose pixels are kept
AT_ONCE: Final = 2  # that are being decoded


class Shown(msgspec.Struct):
    """What a board's picture is.

    wanted: the item to be shown; begun: the one that was last decoded, or still is. of: the item that `raster` was
    made of; words: why `of` cannot be shown. shown, skipped: how many pictures were decoded, and how many had been
    replaced by then.
    """

    wanted: Item
    of: Item | None = None
    raster: Raster | None = None
    begun: Item | None = None
    words: str = ""
    busy: bool = False
    shown: int = 0
    skipped: int = 0


class PictureApp(Protocol):
    """An app that opens what messages name, and decodes pictures."""

    openings: Openings
    pictures: Pictures


class Pictures:
    """One a board. run: runs what decodes as a task of the app's, until the app ends."""

    def __init__(self, run: Callable[[Coroutine[Any, Any, None]], object]) -> None:
        self._run = run
        self._places = asyncio.Semaphore(AT_ONCE)
        self._found: OrderedDict[EntryKey, Shown] = OrderedDict()

    def look(self, key: EntryKey, item: Item, room: tuple[int, int]) -> Shown:
        """What there is of the picture that an item holds, or of the one before it; decodes it where it is new.

        room: pixels across and down that the next frame of a video may have, as more would not be seen.
        """
        shown = self._found.pop(key, None) or Shown(item)
        self._found[key] = shown
        while len(self._found) > KEPT:
            self._found.popitem(last=False)
        if isinstance(item.value, VideoFrame):
            if item is not shown.of:
                item.value.take(*room)
                shown.wanted = shown.of = item
                shown.raster, shown.words = Raster(item.value.pixels), ""
            return shown
        if item is not shown.wanted:
            shown.skipped += shown.wanted is not shown.of and shown.wanted is not shown.begun
            shown.wanted = item
        if shown.of is not item and not shown.busy:
            shown.busy = True
            self._run(self._decode(shown))
        return shown

    def last(self, key: EntryKey) -> Shown | None:
        """What was looked at last of a board, as it is now."""
        return self._found.get(key)

    def shown(self, key: EntryKey) -> int:
        """How many pictures of a board were decoded."""
        found = self._found.get(key)
        return found.shown if found is not None else 0

    async def _decode(self, shown: Shown) -> None:
        """Decode what is wanted when there is a place, which may be a newer one by then."""
        from tuistream.sources.media.pixels import pixels_of

        try:
            async with self._places:
                item = shown.begun = shown.wanted
                try:
                    raster, words = Raster(await asyncio.to_thread(pixels_of, item.value)), ""
                    shown.shown += 1
                except NotOpened as error:
                    raster, words = None, str(error)
            shown.of, shown.raster, shown.words = item, raster, words
        finally:
            shown.busy = False
