"""Ticks of one read, row by row as they are decoded, and the batches that they become."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from tuistream.core.batch import Batch, IdRule, Stream, ids_array
from tuistream.core.text import printable
from tuistream.decoders.contract import MAX_FIELDS, MAX_NAME
from tuistream.decoders.wire.numbers import NAN

MAX_STREAMS = 10_000  # that one decoder keeps; ticks of further ones are counted as `other`
_HASH = 8  # characters that keep apart two names which are alike once they are cut and made printable


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the parts of a stream's ticks stand in its frames, as dotted paths; "" for what there is not.

    unit: of the time ("s", "ms", "µs", "ns", "ISO 8601", "clock time"). fields: the paths, in the stream's order.
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


class StreamRows:
    """The rows of one stream in this read. A row is its time (ns), a value for each field, and the producer's id."""

    __slots__ = (
        "_flat",
        "_has_ids",
        "_ids",
        "_t",
        "_touched",
        "last",
        "last_id",
        "layout",
        "stream",
        "ticks",
        "width",
    )

    def __init__(self, stream: Stream, layout: Layout, touched: list[StreamRows]) -> None:
        self.stream = stream
        self.layout = layout
        self.width = len(stream.fields)
        self.ticks = 0
        self.last: list[float] = []
        self.last_id: int | str | None = None
        self._touched = touched
        self._t: list[int] = []
        self._flat: list[float] = []
        self._ids: list[int | str | None] = []
        self._has_ids = False

    def add(self, t: int, values: list[float], tick_id: int | str | None = None) -> None:
        if not self._t:
            self._touched.append(self)
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

    def batch(self, recv: int) -> Batch:
        """The rows as a batch; there are none afterwards."""
        count = len(self._t)
        self.ticks += count
        self.last, self.last_id = self._flat[-self.width :], self._ids[-1]
        batch = Batch(
            self.stream,
            np.array(self._t, dtype=np.int64),
            np.full(count, recv, dtype=np.int64),
            np.array(self._flat, dtype=np.float64).reshape(count, self.width),
            ids_array(self._ids) if self._has_ids else None,
        )
        self._t, self._flat, self._ids, self._has_ids = [], [], [], False
        return batch


class Rows:
    """The streams of one feed, at most `MAX_STREAMS`."""

    def __init__(self, feed: str) -> None:
        self.feed = feed
        self.streams: dict[tuple[str, str], StreamRows] = {}
        self._touched: list[StreamRows] = []

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
        rows = StreamRows(stream, layout or Layout(fields=fields), self._touched)
        self.streams[name, kind] = rows
        return rows

    def batches(self, recv: int) -> list[Batch]:
        """One batch for each stream that has rows, in the order of their first tick. recv: ns since 1970 UTC."""
        touched = self._touched
        batches = [rows.batch(recv) for rows in touched]
        touched.clear()
        return batches
