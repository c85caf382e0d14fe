"""A video as the screen has it: one frame at a time, and what became of the others."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray


class Video(msgspec.Struct, eq=False):
    """What is played. width, height: pixels, by its header; rate: frames/s, 0 where it is not known.

    want: called with columns and rows of pixels when a frame was drawn, and the next one may be made, of at most that
    size; with 0 and 0, of the size before. decoded, broken: frames that were, and that could not be. shown: frames
    that a panel has drawn. rests: none is decoded, as nobody looks. ended: why no more will come.
    """

    width: int
    height: int
    codec: str
    rate: float
    want: Callable[[int, int], None]
    decoded: int = 0
    broken: int = 0
    shown: int = 0
    rests: bool = False
    ended: str = ""
    waiting: VideoFrame | None = None  # the newest one, until it is drawn

    @property
    def skipped(self) -> int:
        """Frames that nobody has seen, or will."""
        return max(0, self.decoded - self.shown - (self.waiting is not None))

    @property
    def words(self) -> str:
        """What it is."""
        rate = f"  {self.rate:.3g}/s" if self.rate else ""
        return f"{self.width:,} x {self.height:,}  {self.codec}{rate}"

    @property
    def counts(self) -> str:
        """What became of its frames."""
        broken = f"  {self.broken:,} broken" if self.broken else ""
        return f"{self.shown:,} shown  {self.skipped:,} skipped{broken}"


class VideoFrame(msgspec.Struct, frozen=True, eq=False):
    """pixels: uint8[h, w, 3], red, green and blue, the row 0 at the top; scaled down to what was wanted."""

    video: Video
    pixels: NDArray[np.uint8]

    def take(self, columns: int, rows: int) -> None:
        """This one is drawn: the next may come, of at most so many pixels."""
        video = self.video
        if video.waiting is self:
            video.waiting = None
            video.shown += 1
            video.want(columns, rows)

    def pass_over(self) -> None:
        """Nobody will see this one: the next may come."""
        if self.video.waiting is self:
            self.video.waiting = None
            self.video.want(0, 0)
