"""The messages of one read, as stretches of the bytes in which they came."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

import msgspec
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tuistream.core.batch import Times
    from tuistream.core.board import Item

Positions = NDArray[np.int64]


class Read(msgspec.Struct, frozen=True, eq=False):
    """What one read gave, or several that are looked at together. recv: when it was, ns since 1970 UTC.

    refused: what came with it and is no frame, or too long for one: the beginning of each, and why. notices: what the
    producer said to a human beside its data. items: what is no numbers and needs no decoder. recvs: of several reads,
    when each frame came, int64[len(frames)], in order; `recv` is the last of them.
    """

    recv: int
    frames: Sequence[bytes]
    refused: Sequence[tuple[bytes, str]] = ()
    notices: Sequence[str] = ()
    items: Sequence[Item] = ()
    recvs: Times | None = None

    def apart(self) -> Iterator[Read]:
        """Each read by itself. Only frames are ever of several."""
        if self.recvs is None:
            yield self
            return
        first = 0
        for stop in [*(np.flatnonzero(np.diff(self.recvs)) + 1).tolist(), len(self.frames)]:
            yield Read(int(self.recvs[first]), self.frames[first:stop])
            first = stop


def together(reads: Sequence[Read]) -> Iterator[Read]:
    """The same with those in one that follow one another and are frames only; not Frames, of which each has many."""
    group: list[Read] = []
    for read in reads:
        plain = isinstance(read.frames, list) and not read.refused and not read.notices and not read.items
        if not plain and group:
            yield _joined(group)
            group = []
        if plain and read.recvs is None:
            group.append(read)
        else:
            yield read
    if group:
        yield _joined(group)


def _joined(reads: Sequence[Read]) -> Read:
    if len(reads) == 1:
        return reads[0]
    frames = [frame for read in reads for frame in read.frames]
    recvs = np.array([read.recv for read in reads], np.int64)
    return Read(reads[-1].recv, frames, recvs=np.repeat(recvs, [len(read.frames) for read in reads]))


class Frames(Sequence[bytes]):
    """Messages that stand in `data` one after another, each behind a header of its own; bytes objects on demand.

    A decoder that takes them all at once never asks for one: an object for each costs more than decoding it does.
    heads, starts, ends: int64[n], where each message's header and the message itself begin, and where it ends.
    Each message's end is the head of the next. Headers have two bytes at least.
    """

    __slots__ = ("_all", "data", "ends", "heads", "starts")

    def __init__(self, data: bytes, heads: Positions, starts: Positions, ends: Positions) -> None:
        self.data = data
        self.heads = heads
        self.starts = starts
        self.ends = ends
        self._all: list[bytes] | None = None

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.each())

    @overload
    def __getitem__(self, at: int) -> bytes: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[bytes]: ...
    def __getitem__(self, at: int | slice) -> bytes | Sequence[bytes]:
        if self._all is not None:
            return self._all[at]
        if isinstance(at, slice):
            return (
                Frames(self.data, self.heads[at], self.starts[at], self.ends[at])
                if at.step in (None, 1)
                else self.each()[at]
            )
        return self.data[self.starts[at] : self.ends[at]]

    @property
    def nbytes(self) -> int:
        """Bytes of all messages, without their headers."""
        return int((self.ends - self.starts).sum())

    def each(self) -> list[bytes]:
        """All messages as bytes objects."""
        if self._all is None:
            data = self.data
            self._all = [data[start:end] for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True)]
        return self._all

    def some(self, at: Positions) -> list[bytes]:
        """The messages at `at`, as bytes objects. at: int64[n]."""
        data, starts, ends = self.data, self.starts[at].tolist(), self.ends[at].tolist()
        return [data[start:end] for start, end in zip(starts, ends, strict=True)]

    def text(self, before: bytes, filler: bytes) -> bytearray:
        """All messages, each behind `before` (one byte) and then `filler` (one byte) in the place of its header."""
        if not len(self):
            return bytearray()
        first = int(self.heads[0])
        text = bytearray(memoryview(self.data)[first : int(self.ends[-1])])
        cells = np.frombuffer(text, dtype=np.uint8)
        cells[self.heads - first] = before[0]
        sizes = self.starts - self.heads
        longest = int(sizes.max())
        for byte in range(1, longest):
            heads = self.heads if byte < 2 else self.heads[sizes > byte]
            cells[heads - (first - byte)] = filler[0]
        return text
