"""The frames of a read by their skeletons: those of known ones at once, the others left to the general way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import repeat

import numpy as np

from tuistream.core.frames import Frames
from tuistream.decoders.wire.grid import MAX_NEW_LABELS, Grids
from tuistream.decoders.wire.skeleton import VARYING, Positions, Reading, Template, Unfit

WORTH_IT = 16  # frames of a read, and of one skeleton in it
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
        self._grids = Grids()
        self._usual = b""  # a skeleton that whole reads may have
        self._unknown: list[tuple[bytes, bytes]] = []  # skeletons of this read that came often, each with a frame
        self._unlabelled: list[tuple[Template, bytes]] = []  # frames of this read with a new label
        self._ungridded: list[bytes] = []  # frames of this read that are worth a try

    def take(self, frames: Sequence[bytes], recv: int) -> Sequence[int]:
        """Add the ticks of the frames that are of known skeletons to their streams; which frames are left, in order.

        Those are to be read the general way; then `learn` is due.
        """
        at = np.arange(len(frames))
        if isinstance(frames, Frames):
            at = self._take_by_length(frames, recv)
            if len(at) < len(frames):  # else they are best taken as they stand
                frames = frames.some(at)
        if len(at) < WORTH_IT:
            return _in_order(at)
        return self._take_by_skeleton(frames, at, recv)

    def _take_by_length(self, frames: Frames, recv: int) -> Positions:
        """Add the ticks of those frames whose digits stand where they stood in others; which are left."""
        if not self._grids.worth_it:
            return np.arange(len(frames))
        blocks, left, new = self._grids.take(frames, recv)
        for rows, block in blocks:
            rows.add_block(block)
        self._ungridded = [frames[i] for i in new[:MAX_NEW_LABELS]]
        return left

    def _take_by_skeleton(self, frames: Sequence[bytes], at: Positions, recv: int) -> Sequence[int]:
        text = _skeletons(frames)
        if self._usual and text == (_SEPARATOR + self._usual) * len(frames):
            return _in_order(self._take_alike(self._numbers[self._usual], frames, at, recv))
        skeletons = bytes(text).split(_SEPARATOR)[1:]
        if len(skeletons) != len(frames):
            return _in_order(at)
        if isinstance(frames, Frames):
            frames = frames.each()
        numbers = np.fromiter(map(self._numbers.get, skeletons, repeat(_UNKNOWN)), np.int64, len(frames))
        unknown = np.flatnonzero(numbers == _UNKNOWN)
        if len(unknown):
            self._note_unknown(skeletons, frames, unknown.tolist())
        rest = [at[unknown]]
        distinct = dict.fromkeys(numbers.tolist())
        if len(distinct) == 1 and not len(unknown):
            self._usual = skeletons[0]
        for number in distinct:
            if number != _UNKNOWN:
                rows = np.flatnonzero(numbers == number)
                few = len(rows) < WORTH_IT
                alike = [] if few else [frames[i] for i in rows.tolist()]
                rest.append(at[rows] if few else self._take_alike(number, alike, at[rows], recv))
        return _in_order(np.concatenate(rest))

    def learn(self) -> None:
        """Make templates of the skeletons that came often in the last read, all of whose frames have been read."""
        for template, frame in self._unlabelled:
            template.add_label(frame, self._reading_of(frame))
        self._unlabelled.clear()
        for frame in self._ungridded:
            self._grids.learn(frame, self._reading_of(frame))
        self._ungridded.clear()
        for skeleton, frame in self._unknown:
            if len(self._templates) >= MAX_TEMPLATES:
                self.forget()
            self._numbers[skeleton] = len(self._templates)
            self._failures.append(0)
            self._templates.append(self._template_of(frame))
            self._usual = skeleton
        self._unknown.clear()

    def _template_of(self, frame: bytes) -> Template | None:
        reading = self._reading_of(frame)
        try:
            return Template(frame, reading) if reading else None
        except Unfit:
            return None

    def forget(self) -> None:
        """Start anew, since what the templates were made from has been forgotten."""
        self._numbers.clear()
        self._templates.clear()
        self._failures.clear()
        self._grids = Grids()
        self._usual = b""

    def _note_unknown(self, skeletons: list[bytes], frames: Sequence[bytes], which: list[int]) -> None:
        counts: dict[bytes, int] = {}
        for at in which:
            skeleton = skeletons[at]
            counts[skeleton] = count = counts.get(skeleton, 0) + 1
            if count == WORTH_IT and len(skeleton) <= MAX_SKELETON and len(self._unknown) < MAX_LEARNED:
                self._unknown.append((skeleton, frames[at]))

    def _take_alike(self, number: int, frames: Sequence[bytes], at: Positions, recv: int) -> Positions:
        """Add the ticks of frames of one skeleton, which stand at `at` in the read; those that are left."""
        template = self._templates[number]
        if template is None:
            return at
        try:
            taken = template.take(frames, at, recv)
        except Unfit:
            self._failures[number] += 1
            if self._failures[number] >= MAX_FAILURES:
                self._templates[number] = None
            return at
        self._failures[number] = 0
        for rows, block in taken.blocks:
            rows.add_block(block)
        if template.has_room:
            self._unlabelled.extend((template, frames[i]) for i in taken.new[:MAX_NEW_LABELS].tolist())
        return taken.left


def _skeletons(frames: Sequence[bytes]) -> bytes | bytearray:
    """The skeleton of each frame behind a separator."""
    if isinstance(frames, Frames):
        return frames.text(_SEPARATOR, VARYING[-1:]).translate(None, VARYING)
    return b"".join((_SEPARATOR, _SEPARATOR.join(frames))).translate(None, VARYING)


def _in_order(positions: Positions) -> list[int]:
    ordered: list[int] = np.sort(positions).tolist()
    return ordered
