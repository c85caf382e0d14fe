"""Streams, and batches of their ticks, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

Times = NDArray[np.int64]
Values = NDArray[np.float64]
Ids = NDArray[np.int64] | NDArray[np.object_]
StreamKey = tuple[str, str, str]


class IdRule(StrEnum):
    """What a stream's ids promise."""

    OPAQUE = "opaque"  # kept with the tick, nothing follows from them
    UNIQUE = "unique"  # no two ticks share one: a repeat after a reconnect is known by it
    CONSECUTIVE = "consecutive"  # each is the one before plus one: a hole is a gap


class Stream(msgspec.Struct, frozen=True):
    """One thing that a feed tells about, as far as it is known now.

    A stream that gains a field is a new `Stream` with the same key whose `fields` start with the old ones.
    `timed` is False where the ticks carry no event time, so that `t` is the receive time.
    `found` says in words how the fields were found ("binance", "auto: time in s at 'time', …").
    `axis` names the field that the others are drawn against where that is not time (a counter, an angle).
    """

    feed: str
    name: str
    kind: str
    fields: tuple[str, ...]
    ids: IdRule = IdRule.OPAQUE
    timed: bool = True
    found: str = ""
    axis: str = ""

    @property
    def key(self) -> StreamKey:
        return self.feed, self.name, self.kind

    @property
    def label(self) -> str:
        """What to call it: its name, or its feed's where it has none."""
        return self.name or self.feed


class Batch(msgspec.Struct, frozen=True, eq=False):
    """Ticks of one stream that one read gave, in the order in which they came.

    t: int64[n], event time, ns since 1970 UTC; the receive time where the stream is not timed.
    recv: int64[n], receive time, ns since 1970 UTC.
    v: float64[n, fields], NaN where a tick has no value.
    ids: int64[n], or object[n] of int, str or None, or None where the stream has no ids.
    """

    stream: Stream
    t: Times
    recv: Times
    v: Values
    ids: Ids | None = None

    def __len__(self) -> int:
        return len(self.t)

    def take(self, rows: slice | NDArray[Any]) -> Batch:
        """The same stream's ticks at `rows` (a slice, a mask or positions)."""
        ids = None if self.ids is None else self.ids[rows]
        return replace(self, t=self.t[rows], recv=self.recv[rows], v=self.v[rows], ids=ids)


def ids_array(ids: Sequence[int | str | None]) -> Ids:
    """Ids as int64[n] where every one is an integer that fits, else as object[n]."""
    if all(type(i) is int and -(1 << 63) <= i < 1 << 63 for i in ids):
        return np.array(ids, dtype=np.int64)
    array = np.empty(len(ids), dtype=np.object_)
    array[:] = ids
    return array
