"""The frames of a read by their skeletons: those of known ones at once, the others left to the general way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tuistream.decoders.wire.skeleton import VARYING, Reading, Template, Unfit

WORTH_IT = 8  # frames of a read, and of one skeleton in it
MAX_TEMPLATES = 256  # that are remembered, with the skeletons that can have none; past it all are forgotten
MAX_SKELETON = 2_048  # bytes
MAX_FAILURES = 3  # reads in a row that did not fit their template
_SEPARATOR = b"\0"  # occurs in no JSON text


class Bulk:
    """Templates of the skeletons that came often, made from what the general way did with such a message."""

    def __init__(self, reading_of: Callable[[bytes], Reading | None]) -> None:
        """reading_of: how a frame that the general way has just read was read, None where it is not that simple."""
        self._reading_of = reading_of
        self._templates: dict[bytes, Template | None] = {}
        self._failures: dict[bytes, int] = {}
        self._unknown: dict[bytes, bytes] = {}  # skeletons of this read that came often, each with one of its frames
        self._usual = b""  # the skeleton that a whole read had

    def take(self, frames: Sequence[bytes], recv: int) -> Sequence[int]:
        """Add the ticks of the frames that are of known skeletons to their streams; which frames are left, in order.

        Those are to be read the general way; then `learn` is due.
        """
        every = range(len(frames))
        text = _SEPARATOR.join(frames).translate(None, VARYING)
        if self._usual and text == _SEPARATOR.join([self._usual] * len(frames)):
            return () if self._taken(self._usual, frames, np.arange(len(frames)), recv) else every
        skeletons = text.split(_SEPARATOR)
        if len(skeletons) != len(frames):
            return every
        return self._sorted(skeletons, frames, recv)

    def learn(self) -> None:
        """Make templates of the skeletons that came often in the last read, all of whose frames have been read."""
        for skeleton, frame in self._unknown.items():
            if len(self._templates) >= MAX_TEMPLATES:
                self.forget()
            reading = self._reading_of(frame)
            if reading is None:
                self._templates[skeleton] = None
                continue
            try:
                self._templates[skeleton] = Template(frame, reading)
            except Unfit:
                self._templates[skeleton] = None
            else:
                self._usual = skeleton
        self._unknown.clear()

    def forget(self) -> None:
        """Start anew, since what the templates were made from has been forgotten."""
        self._templates.clear()
        self._failures.clear()
        self._usual = b""

    def _sorted(self, skeletons: list[bytes], frames: Sequence[bytes], recv: int) -> Sequence[int]:
        groups: dict[bytes, list[int]] = {}
        for at, skeleton in enumerate(skeletons):
            group = groups.get(skeleton)
            if group is None:
                groups[skeleton] = [at]
            else:
                group.append(at)
        left: list[int] = []
        for skeleton, group in groups.items():
            if len(group) < WORTH_IT:
                left.extend(group)
            elif skeleton not in self._templates:
                left.extend(group)
                if len(skeleton) <= MAX_SKELETON:
                    self._unknown[skeleton] = frames[group[0]]
            elif not self._taken(skeleton, [frames[at] for at in group], np.array(group), recv):
                left.extend(group)
        left.sort()
        return left

    def _taken(self, skeleton: bytes, frames: Sequence[bytes], at: NDArray[np.int64], recv: int) -> bool:
        template = self._templates.get(skeleton)
        if template is None:
            return False
        try:
            block = template.block(frames, at, recv)
        except Unfit:
            failures = self._failures[skeleton] = self._failures.get(skeleton, 0) + 1
            if failures >= MAX_FAILURES:
                self._templates[skeleton] = None
            return False
        self._failures.pop(skeleton, None)
        template.reading.rows.add_block(block)
        return True
