"""Ticks of one read, row by row as they are decoded, and the batches that they become."""

from __future__ import annotations

import hashlib

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from tuistream.core.batch import Batch, IdRule, Ids, Stream, Times, Values, ids_array
from tuistream.core.text import printable
from tuistream.decoders.contract import MAX_FIELDS, MAX_NAME
from tuistream.decoders.wire.numbers import NAN

MAX_STREAMS = 10_000  # that one decoder keeps; ticks of further ones are counted as `other`
_HASH = 8  # characters that keep apart two names which are alike once they are cut and made printable


class Layout(msgspec.Struct, frozen=True):
    """Where the parts of a stream's ticks stand in its frames, as dotted paths; "" for what there is not.

    unit: of the time, as `unit_of` has it. fields: the paths, in the stream's order.
    """

    time: str = ""
    unit: str = ""
    id: str = ""
    key: str = ""
    fields: tuple[str, ...] = ()


def label(text: str, limit: int = MAX_NAME) -> str:
    """`text` as a name of at most `limit` glyphs; names that differ still do."""
    name = printable(text, limit)
    if name == text:
        return name
    digest = hashlib.blake2s(text.encode("utf-8", "surrogatepass"), digest_size=_HASH // 2).hexdigest()
    return f"{printable(text, limit - _HASH - 1)}~{digest}"


class Block(msgspec.Struct, frozen=True, eq=False):
    """Rows of one stream that were decoded together.

    at: int64[n], which frame of the read each came from, rising. t: int64[n], ns since 1970 UTC; None where the time
    is that of the read. v: float64[n, fields], of the fields that the stream had then. ids: int64[n], or object[n] of
    int, str or None, or None.
    """

    at: NDArray[np.int64]
    t: Times | None
    v: Values
    ids: Ids | None = None


class Progress(msgspec.Struct):
    """Where in a read the decoder is: the frame, and the streams that have rows.

    places: lowest bits of a frame's number that are none of it, but tell the frame's rows apart.
    """

    frame: int = 0
    places: int = 0
    in_order: bool = True  # the streams are in the order of their first rows
    touched: list[StreamRows] = msgspec.field(default_factory=list)


class StreamRows:
    """The rows of one stream in this read. A row is its time (ns), a value for each field, and the producer's id."""

    __slots__ = (
        "_at",
        "_blocks",
        "_flat",
        "_has_ids",
        "_ids",
        "_progress",
        "_t",
        "last",
        "last_id",
        "layout",
        "stream",
        "ticks",
        "width",
    )

    def __init__(self, stream: Stream, layout: Layout, progress: Progress) -> None:
        self.stream = stream
        self.layout = layout
        self.width = len(stream.fields)
        self.ticks = 0
        self.last: list[float] = []
        self.last_id: int | str | None = None
        self._progress = progress
        self._blocks: list[Block] = []
        self._at: list[int] = []  # the frame of each row
        self._t: list[int] = []
        self._flat: list[float] = []
        self._ids: list[int | str | None] = []
        self._has_ids = False

    def add(self, t: int, values: list[float], tick_id: int | str | None = None) -> None:
        progress = self._progress
        if not self._t and not self._blocks:
            progress.touched.append(self)
        self._at.append(progress.frame)
        self._t.append(t)
        self._flat.extend(values)
        self._ids.append(tick_id)
        if tick_id is not None:
            self._has_ids = True

    def grow(self, fields: tuple[str, ...], paths: tuple[str, ...] = ()) -> None:
        """Append those of `fields` that the stream lacks, as far as it may have more."""
        known = self.stream.fields
        new = [at for at, name in enumerate(fields) if name not in known][: MAX_FIELDS - len(known)]
        if not new:
            return
        width, rows = self.width, len(self._t)
        self.stream = replace(self.stream, fields=known + tuple(fields[at] for at in new))
        self.width = width + len(new)
        if paths:
            self.layout = replace(self.layout, fields=self.layout.fields + tuple(paths[at] for at in new))
        padding = [NAN] * len(new)
        self._flat = [x for row in range(rows) for x in self._flat[row * width : (row + 1) * width] + padding]

    def note_timed(self, layout: Layout) -> None:
        """From now on ticks of the stream carry an event time."""
        self.stream = replace(self.stream, timed=True)
        self.layout = replace(self.layout, time=layout.time, unit=layout.unit)

    def add_block(self, block: Block) -> None:
        if not self._t and not self._blocks:
            self._progress.touched.append(self)
        self._progress.in_order = False
        self._blocks.append(block)

    def first_frame(self) -> int:
        """Which frame of the read the first row is of."""
        firsts = [int(block.at[0]) for block in self._blocks]
        return min([*firsts, self._at[0]] if self._at else firsts)

    def batch(self, recv: int | Times) -> Batch:
        """The rows as a batch, in the order of their frames; there are none afterwards. recv: as in `batches`."""
        each = not isinstance(recv, int)
        if self._t:
            self._blocks.append(self._block(placed=each or bool(self._blocks)))
        block = self._blocks[0] if len(self._blocks) == 1 else self._merged(recv)
        self._blocks = []
        v, ids = block.v, block.ids
        if v.shape[1] < self.width:
            v = _padded(v, self.width)
        received = self._received(block, recv)
        t = received if block.t is None else block.t
        self.ticks += len(v)
        self.last = v[-1].tolist()
        self.last_id = None if ids is None else ids[-1:].tolist()[0]
        return Batch(self.stream, t, received, v, ids)

    def _block(self, *, placed: bool) -> Block:
        """What `add` gathered. placed: it is wanted, too, which frames it is of."""
        count = len(self._t)
        block = Block(
            np.array(self._at if placed else (), dtype=np.int64),
            np.array(self._t, dtype=np.int64),
            np.array(self._flat, dtype=np.float64).reshape(count, self.width),
            ids_array(self._ids) if self._has_ids else None,
        )
        self._at, self._t, self._flat, self._ids, self._has_ids = [], [], [], [], False
        return block

    def _merged(self, recv: int | Times) -> Block:
        blocks = self._blocks
        at = np.concatenate([block.at for block in blocks])
        order = np.argsort(at, kind="stable")
        ids: Ids | None = None
        if all(block.ids is not None and block.ids.dtype == np.int64 for block in blocks):
            ids = np.concatenate([block.ids for block in blocks if block.ids is not None])[order]
        elif any(block.ids is not None for block in blocks):
            each = [[None] * len(block.v) if block.ids is None else block.ids.tolist() for block in blocks]
            ids = ids_array([tick_id for ids_of_block in each for tick_id in ids_of_block])[order]
        t = np.concatenate([self._received(block, recv) if block.t is None else block.t for block in blocks])
        v = np.concatenate([_padded(block.v, self.width) for block in blocks])
        return Block(at[order], t[order], v[order], ids)

    def _received(self, block: Block, recv: int | Times) -> Times:
        """When the rows of a block came."""
        if isinstance(recv, int):
            return np.full(len(block.v), recv, dtype=np.int64)
        received: Times = recv[block.at >> self._progress.places]
        return received


def _padded(v: Values, width: int) -> Values:
    """`v` with columns of NaN added."""
    return np.pad(v, ((0, 0), (0, width - v.shape[1])), constant_values=NAN) if v.shape[1] < width else v


class Rows:
    """The streams of one feed, at most `MAX_STREAMS`. places: as in `Progress`, of all frames that are told."""

    def __init__(self, feed: str, places: int = 0) -> None:
        self.feed = feed
        self.streams: dict[tuple[str, str], StreamRows] = {}
        self._progress = Progress(places=places)

    def new(
        self,
        name: str,
        kind: str,
        fields: tuple[str, ...],
        ids: IdRule = IdRule.OPAQUE,
        timed: bool = True,
        found: str = "",
        layout: Layout | None = None,
    ) -> StreamRows | None:
        """A stream that is not there yet; None where there are `MAX_STREAMS` already. Names must be labels."""
        if len(self.streams) >= MAX_STREAMS:
            return None
        stream = Stream(self.feed, name, kind, fields[:MAX_FIELDS], ids, timed, found)
        rows = StreamRows(stream, layout or Layout(fields=fields), self._progress)
        self.streams[name, kind] = rows
        return rows

    def at_frame(self, frame: int) -> None:
        """Rows that are added from now on are of this frame of the read. To be told where blocks are added too."""
        self._progress.frame = frame

    def batches(self, recv: int | Times) -> list[Batch]:
        """One batch for each stream that has rows, in the order of their first tick.

        recv: ns since 1970 UTC, of all frames; or of each, int64[frames], of which `at_frame` must have been told.
        """
        progress = self._progress
        touched = progress.touched
        if not progress.in_order and len(touched) > 1:
            touched.sort(key=StreamRows.first_frame)
        batches = [rows.batch(recv) for rows in touched]
        touched.clear()
        progress.frame, progress.in_order = 0, True
        return batches
