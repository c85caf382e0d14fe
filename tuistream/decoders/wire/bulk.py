"""The frames of a read by their skeletons: those of known ones at once, the others left to the general way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from tuistream.decoders.wire.skeleton import VARYING, Reading, Template, Unfit

WORTH_IT = 8  # frames of a read, and of one skeleton in it
MAX_TEMPLATES = 256  # that are remembered, with the skeletons that can have none; past it all are forgotten
MAX_LEARNED = 4  # templates that are made after one read, since each takes a ms
MAX_SKELETON = 2_048  # bytes
MAX_FAILURES = 3  # reads in a row that did not fit their template
_SEPARATOR = b"\0"  # occurs in no JSON text
_UNKNOWN = -1


class Bulk:
    """Templates of the skeletons that came often, made from what the general way did with such a message."""

    def __init__(self, reading_of: Callable[[bytes], Reading | None]) -> None:
        """reading_of: how a frame that the general way has just read was read, None where it is not that simple."""
        self._reading_of = reading_of
        self._numbers: dict[bytes, int] = {}  # of skeletons: positions in the two lists
        self._templates: list[Template | None] = []
        self._failures: list[int] = []
        self._usual = b""  # a skeleton that whole reads may have
        self._unknown: list[tuple[bytes, bytes]] = []  # skeletons of this read that came often, each with a frame

    def take(self, frames: Sequence[bytes], recv: int) -> Sequence[int]:
        """Add the ticks of the frames that are of known skeletons to their streams; which frames are left, in order.

        Those are to be read the general way; then `learn` is due.
        """
        every = range(len(frames))
        text = _SEPARATOR.join(frames).translate(None, VARYING)
        if self._usual and text == _SEPARATOR.join([self._usual] * len(frames)):
            number = self._numbers[self._usual]
            return () if self._taken(number, frames, np.arange(len(frames)), recv) else every
        skeletons = text.split(_SEPARATOR)
        if len(skeletons) != len(frames):
            return every
        numbers = np.fromiter(map(self._numbers.get, skeletons, repeat(_UNKNOWN)), np.int64, len(frames))
        left = numbers == _UNKNOWN
        if left.any():
            self._note_unknown(skeletons, frames, np.flatnonzero(left).tolist())
        for number in dict.fromkeys(numbers.tolist()):
            if number == _UNKNOWN:
                continue
            at = np.flatnonzero(numbers == number)
            if len(at) < WORTH_IT or not self._taken(number, [frames[i] for i in at.tolist()], at, recv):
                left[at] = True
        return np.flatnonzero(left).tolist()

    def learn(self) -> None:
        """Make templates of the skeletons that came often in the last read, all of whose frames have been read."""
        for skeleton, frame in self._unknown:
            if len(self._templates) >= MAX_TEMPLATES:
                self.forget()
            self._numbers[skeleton] = len(self._templates)
            self._failures.append(0)
            try:
                reading = self._reading_of(frame)
                self._templates.append(Template(frame, reading) if reading else None)
            except Unfit:
                self._templates.append(None)
            self._usual = skeleton
        self._unknown.clear()

    def forget(self) -> None:
        """Start anew, since what the templates were made from has been forgotten."""
        self._numbers.clear()
        self._templates.clear()
        self._failures.clear()
        self._usual = b""

    def _note_unknown(self, skeletons: list[bytes], frames: Sequence[bytes], which: list[int]) -> None:
        counts: dict[bytes, int] = {}
        for at in which:
            skeleton = skeletons[at]
            counts[skeleton] = count = counts.get(skeleton, 0) + 1
            if count == WORTH_IT and len(skeleton) <= MAX_SKELETON and len(self._unknown) < MAX_LEARNED:
                self._unknown.append((skeleton, frames[at]))

    def _taken(self, number: int, frames: Sequence[bytes], at: NDArray[np.int64], recv: int) -> bool:
        """Whether the frames, which stand at `at`, are of a template and fitted it; then their ticks are added."""
        template = self._templates[number]
        if template is None:
            return False
        try:
            block = template.block(frames, at, recv)
        except Unfit:
            self._failures[number] += 1
            if self._failures[number] >= MAX_FAILURES:
                self._templates[number] = None
            return False
        self._failures[number] = 0
        template.reading.rows.add_block(block)
        return True
