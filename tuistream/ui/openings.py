"""What was opened of what messages name: by a pattern of --allow-media, or because the user said so."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from datetime import tzinfo
from typing import Any, Final, Literal, NamedTuple, Protocol

import msgspec
from msgspec.structs import replace

from tuistream.core.board import Board, Item
from tuistream.core.video import VideoFrame
from tuistream.sources.media.names import Named, NotOpened, named
from tuistream.sources.media.opening import Opener
from tuistream.ui.items import Row, address_of, beside_stamp, rows_of
from tuistream.ui.line import wrapped
from tuistream.ui.status_line import local_time
from tuistream.ui.streams import EntryKey, key_of

KEPT: Final = 12  # boards whose opened pictures are kept; of each the newest
JUDGED_KEPT: Final = 200  # boards of which is known what they name
AT_ONCE: Final = 4  # that are being opened; others wait
AGAIN_NS: Final = 1_000_000_000  # of one board not more often than this
PLAYED_AT_ONCE: Final = 4  # videos
PLAY_AGAIN_NS: Final = 5_000_000_000  # after which a video that has ended is opened once more
UNSEEN_NS: Final = 5_000_000_000  # after which a video that is on no panel is closed


class Opening(msgspec.Struct):
    """What became of the address that an item names.

    picture: the item with the picture itself for its value, the last that was opened; at: when that was, ns. words:
    why the last try failed. confirmed: as in `Opener.open`. looked: when a panel last showed it, ns. frames: pictures
    of a video so far.
    """

    item: Item
    address: str
    begun: int
    confirmed: str = ""
    looked: int = 0
    frames: int = 0
    state: Literal["opening", "open", "failed"] = "opening"
    picture: Item | None = None
    at: int = 0
    words: str = ""

    @property
    def seen(self) -> tuple[str, int, str]:
        """What a drawing of it depends on."""
        return self.state, self.at, self.words


class Judged(NamedTuple):
    """What an item names, and that once more if a pattern allows it."""

    item: Item
    address: str
    allowed: Named | None


class OpeningApp(Protocol):
    """An app that opens what messages name."""

    openings: Openings


class Openings:
    """One a board. run: runs what opens as a task of the app's, until the app ends. clock: ns since 1970 UTC."""

    def __init__(
        self, opener: Opener, clock: Callable[[], int], run: Callable[[Coroutine[Any, Any, None]], object]
    ) -> None:
        self.opener = opener
        self._clock = clock
        self._run = run
        self._places = asyncio.Semaphore(AT_ONCE)
        self._screens = asyncio.Semaphore(PLAYED_AT_ONCE)
        self._found: OrderedDict[EntryKey, Opening] = OrderedDict()
        self._judged: OrderedDict[EntryKey, Judged] = OrderedDict()

    def of(self, board: Board) -> Opening | None:
        """What became of what the newest item of a board names."""
        opening = self._found.get(key_of(board))
        if opening is None or opening.address != self._judge(key_of(board), board.items[-1]).address:
            return None
        return opening

    def look(self, board: Board) -> None:
        """Open what a board that is on the screen names, where a pattern allows it, again with each new item."""
        item, before = board.items[-1], self._found.get(key_of(board))
        played = before is not None and before.item.kind == "video" and before.frames != 1
        if before is not None and played and self._goes_on(key_of(board), item, before):
            return
        if before is not None and (
            before.item is item or before.state == "opening" or 0 <= self._clock() - before.begun < AGAIN_NS
        ):
            return
        judged = self._judge(key_of(board), item)
        if judged.allowed is not None:
            self.start(key_of(board), item, judged.allowed)

    def _goes_on(self, key: EntryKey, item: Item, video: Opening) -> bool:
        """Whether what is wanted is the video that was opened; where patterns allow it, again if it has ended."""
        judged, now = self._judge(key, item), self._clock()
        if judged.address != video.address:
            return False
        video.looked, video.item = now, item
        if video.state == "failed" and judged.allowed is not None and now - video.at >= PLAY_AGAIN_NS:
            self.start(key, item, judged.allowed)
        return True

    def start(self, key: EntryKey, item: Item, name: Named, confirmed: str = "") -> None:
        """Open what an item names. confirmed: as in `Opener.open`."""
        before = self._found.pop(key, None)
        now = self._clock()
        opening = self._found[key] = Opening(item, address_of(item), now, confirmed, now)
        if before is not None and before.address == opening.address:
            opening.picture, opening.at, opening.frames = before.picture, before.at, before.frames
        while len(self._found) > KEPT:
            self._found.popitem(last=False)
        self._run((self._play if item.kind == "video" else self._open)(key, opening, name))

    async def _play(self, key: EntryKey, opening: Opening, name: Named) -> None:
        """Show what moves for as long as a panel does."""

        def show(data: bytes | VideoFrame) -> bool:
            now = self._clock()
            size = len(data) if isinstance(data, bytes) else data.pixels.nbytes
            opening.picture = replace(opening.item, value=data, size=size)
            opening.state, opening.at = "open", now
            opening.frames += 1
            opening.looked = now if opening.frames == 1 else opening.looked
            return wanted()

        def wanted() -> bool:
            return self._found.get(key) is opening and self._clock() - opening.looked < UNSEEN_NS

        async with self._screens:
            try:
                await self.opener.play(name, opening.confirmed, show, wanted)
            except NotOpened as error:
                opening.state, opening.words = "failed", str(error)
            else:
                if opening.frames > 1:
                    opening.state, opening.words = "failed", "closed, as no panel showed it"
            opening.at = self._clock()

    async def _open(self, _key: EntryKey, opening: Opening, name: Named) -> None:
        async with self._places:
            try:
                data = await self.opener.open(name, opening.confirmed)
            except NotOpened as error:
                opening.state, opening.words = "failed", str(error)
                return
        opening.picture = replace(opening.item, value=data, size=len(data))
        opening.state, opening.at = "open", self._clock()

    def _judge(self, key: EntryKey, item: Item) -> Judged:
        """Each item is looked at once: a picture in a message may be long."""
        judged = self._judged.pop(key, None)
        if judged is None or judged.item is not item:
            judged = self._judged_anew(item)
        self._judged[key] = judged
        while len(self._judged) > JUDGED_KEPT:
            self._judged.popitem(last=False)
        return judged

    def _judged_anew(self, item: Item) -> Judged:
        address = address_of(item)
        try:
            name = named(address) if address else None
        except NotOpened:
            name = None
        return Judged(item, address, name if name is not None and self.opener.may_open(name) else None)


def opened_rows(item: Item, opening: Opening, width: int, timezone: tzinfo | None) -> list[Row]:
    """The rows of an item that names what was opened, or was tried to be."""
    words: list[tuple[str, str]] = []
    rows: list[Row] = []
    if opening.picture is not None:
        rows = rows_of(opening.picture, width, timezone)
        words.append((f"opened {local_time(opening.at, timezone):%H:%M:%S}  {named(opening.address).shown}", "dim"))
    if opening.state == "failed":
        words.append((f"not opened: {opening.words}", "warning"))
    if opening.state == "opening" and opening.picture is None:
        words.append(("it is being opened …", "dim"))
    room, indent = beside_stamp(width)
    more: list[Row] = [((indent, ""), (part, ink)) for text, ink in words for part in wrapped(text, room)]
    return [*(rows or rows_of(item, width, timezone)), *more]
