"""What streams say that is not numbers: texts, pictures, maps, figures. Kept as it came, within bounds."""

from __future__ import annotations

from collections import deque
from typing import Final

import msgspec
from msgspec.structs import replace

from tuistream.core.batch import Stream
from tuistream.core.video import VideoFrame

ITEMS_KEPT: Final = 1_000  # of a stream
BYTES_KEPT: Final = 8 << 20  # of a stream; its newest item is kept whatever its size
BOARDS_MOST: Final = 1_000  # streams of items
BOARDS_BYTES: Final = 512 << 20  # of all of them; beyond it the largest makes room
DROPPED: Final = "(dropped: too much had come)"
CLEARED: Final = "(cleared)"


class Item(msgspec.Struct, frozen=True):
    """One message. t, recv: ns, as of a tick; kind: "text", "image", "map", "video", "figure", "spectrum" …

    value: what the message held, as JSON gives it or bytes. size: about how many bytes it takes.
    replaces: the items before it are of no interest any more (a picture, a figure).
    """

    stream: Stream
    t: int
    recv: int
    kind: str
    value: object
    size: int
    replaces: bool = False


class Board(msgspec.Struct):
    """The newest items of one stream. `version` rises with each; `dropped` counts what had no room any more."""

    stream: Stream
    number: int  # in the order of appearance, from 0, streams of numbers included
    items: deque[Item] = msgspec.field(default_factory=deque)
    nbytes: int = 0
    version: int = 0
    dropped: int = 0
    last_t: int = 0
    last_recv: int = 0

    def add(self, item: Item) -> None:
        if item.replaces:
            self.items.clear()
            self.nbytes = 0
        self.items.append(item)
        self.nbytes += item.size
        self.version += 1
        self.last_t, self.last_recv = item.t, item.recv
        while len(self.items) > ITEMS_KEPT or (self.nbytes > BYTES_KEPT and len(self.items) > 1):
            self.nbytes -= self.items.popleft().size
            self.dropped += 1

    def clear(self) -> None:
        """Let go of all items; that there were some stays to be said."""
        newest = self.items[-1]
        _let_go(newest)
        self.items.clear()
        self.items.append(replace(newest, kind="text", value=CLEARED, size=0, replaces=False))
        self.nbytes = 0
        self.version += 1

    def drop(self) -> None:
        """Let go of the oldest item; of the only one, what it holds."""
        item = self.items.popleft()
        _let_go(item)
        self.nbytes -= item.size
        self.dropped += 1
        self.version += 1
        if not self.items:
            self.items.append(replace(item, kind="text", value=DROPPED, size=0, replaces=False))


def _let_go(item: Item) -> None:
    if isinstance(item.value, VideoFrame):
        item.value.pass_over()  # a video whose frame nobody takes would rest for ever
