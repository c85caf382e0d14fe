"""Buckets of time: from ticks to rows of a rollup, and from rows of short buckets to those of longer ones. Pure.

A bucket is `width` ns long and begins at a multiple of it since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from tuistream.core.batch import Times, Values

# ns, each a whole number of those before; with them a column of 1, 2, 5, 10, 15, 30 s and so on is whole buckets.
WIDTHS: Final = (10**9, 5 * 10**9, 15 * 10**9, 60 * 10**9, 3_600 * 10**9, 86_400 * 10**9)
FIRST_NS: Final = -(1 << 63)
LAST_NS: Final = (1 << 63) - 1

Numbers = NDArray[np.int64]


def bucket_of(t: int, width: int) -> int:
    """The first ns of the bucket that holds `t`."""
    return max(t // width * width, FIRST_NS)


def buckets_of(t: Times, width: int) -> Times:
    """`bucket_of` for each of `t`."""
    start = t - np.mod(t, width)
    if len(t) and t.min() < FIRST_NS + width:  # what begins before the first ns that there is would wrap around
        start[start > t] = FIRST_NS
    return start


WHOLE: Final = ("stream", "field", "bucket", "count", "ticks", "first_t", "last_t")
REAL: Final = ("first", "last", "low", "high", "sum", "quantity")


class Rows(msgspec.Struct, frozen=True, eq=False):
    """Rows of a rollup, column by column, each [n]: what one bucket holds of one field of one stream.

    stream: the recording's id. field: position in the stream's fields. bucket: its first ns. first, last, low, high,
    sum, count: of its values that are not NaN, by event time, and where that is the same by the order of coming.
    first_t, last_t: event times of the two. Where there are none: NaN, a sum of 0, and times that mean nothing.
    ticks: with a value or without. quantity: the sum of the finite values of the stream's quantity in these ticks;
    NaN where there is none.

    They are kept as two arrays, so that few operations move many columns. whole: int64[7, n], the columns of `WHOLE`.
    real: float64[6, n], those of `REAL`.
    """

    whole: NDArray[np.int64]
    real: NDArray[np.float64]

    def __len__(self) -> int:
        return int(self.whole.shape[1])

    @property
    def stream(self) -> Numbers:
        return self._whole(0)

    @property
    def field(self) -> Numbers:
        return self._whole(1)

    @property
    def bucket(self) -> Times:
        return self._whole(2)

    @property
    def count(self) -> Numbers:
        return self._whole(3)

    @property
    def ticks(self) -> Numbers:
        return self._whole(4)

    @property
    def first_t(self) -> Times:
        return self._whole(5)

    @property
    def last_t(self) -> Times:
        return self._whole(6)

    @property
    def first(self) -> Values:
        return self._real(0)

    @property
    def last(self) -> Values:
        return self._real(1)

    @property
    def low(self) -> Values:
        return self._real(2)

    @property
    def high(self) -> Values:
        return self._real(3)

    @property
    def sum(self) -> Values:
        return self._real(4)

    @property
    def quantity(self) -> Values:
        return self._real(5)

    def _whole(self, position: int) -> Numbers:
        column: Numbers = self.whole[position]
        return column

    def _real(self, position: int) -> Values:
        column: Values = self.real[position]
        return column

    def take(self, rows: NDArray[Any]) -> Rows:
        """Those at `rows` (a mask or positions)."""
        if rows.dtype == np.bool_:
            if rows.all():
                return self
            if not rows.any():
                return NO_ROWS
        return Rows(self.whole[:, rows], self.real[:, rows])

    def with_columns(self, **columns: NDArray[Any]) -> Rows:
        """With other values in these columns."""
        whole, real = self.whole.copy(), self.real.copy()
        for name, column in columns.items():
            if name in WHOLE:
                whole[WHOLE.index(name)] = column
            else:
                real[REAL.index(name)] = column
        return Rows(whole, real)


NO_ROWS: Final = Rows(np.empty((len(WHOLE), 0), np.int64), np.empty((len(REAL), 0)))


def joined(parts: Sequence[Rows]) -> Rows:
    """The rows of all `parts`, in their order."""
    some = [part for part in parts if len(part)]
    if len(some) <= 1:
        return some[0] if some else NO_ROWS
    whole, real = [part.whole for part in some], [part.real for part in some]
    return Rows(np.concatenate(whole, axis=1), np.concatenate(real, axis=1))


def rows_of(stream: Numbers, t: Times, v: Values, quantity: Values | None = None, width: int = WIDTHS[0]) -> Rows:
    """The rows of ticks: one for each field in each bucket that has ticks; where streams rise, as `combined` sorts.

    stream: int64[n], each stream's ticks next to one another. t: int64[n], in the order of coming. v: float64[n,
    fields]; with no field at all there are the rows of one that never has a value. quantity: float64[n], NaN where
    there is none.
    """
    if not len(t):
        return NO_ROWS
    if not v.shape[1]:
        v = np.full((len(t), 1), np.nan)
    falls = t[1:] < t[:-1]
    if falls.any() and (falls & (stream[1:] == stream[:-1])).any():
        order = np.lexsort((t, stream))
        stream, t, v = stream[order], t[order], v[order]
        quantity = None if quantity is None else quantity[order]
    starts = _starts(stream, t // width)  # several times as fast as the remainder that `buckets_of` takes
    n, width_fields = len(starts), v.shape[1]
    whole, real = np.empty((len(WHOLE), n * width_fields), np.int64), np.empty((len(REAL), n * width_fields))
    ids, bucket, ticks = stream[starts], buckets_of(t[starts], width), sizes(starts, len(t))
    total = np.nan if quantity is None else _total(quantity, starts)
    for field in range(width_fields):
        part = Rows(whole[:, field * n : (field + 1) * n], real[:, field * n : (field + 1) * n])
        part.stream[:], part.field[:], part.bucket[:], part.ticks[:], part.quantity[:] = (
            ids,
            field,
            bucket,
            ticks,
            total,
        )
        _fill(part, t, np.ascontiguousarray(v[:, field]), starts)
    return Rows(whole, real)


def combined(rows: Rows, width: int) -> Rows:
    """`rows` of buckets that are no longer than `width` as rows of such buckets, by field, stream and bucket.

    Of rows with the same time, those that come first count as the earlier.
    """
    if not len(rows):
        return rows
    bucket = buckets_of(rows.bucket, width)
    last = None
    if not _is_in_order(rows, bucket):
        none = rows.count == 0
        order = np.lexsort((rows.first_t, none, bucket, rows.stream, rows.field))
        rows, bucket, none = rows.take(order), bucket[order], none[order]
        starts = _starts(rows.field, rows.stream, bucket)
        # Of equal times the last is the one that came last, which `order` says.
        group = np.repeat(np.arange(len(starts)), sizes(starts, len(rows)))
        last = np.lexsort((order, rows.last_t, ~none, group))
    starts = _starts(rows.field, rows.stream, bucket)
    if len(starts) == len(rows):
        return rows if (bucket == rows.bucket).all() else rows.with_columns(bucket=bucket)
    ends = np.append(starts[1:], len(rows)) - 1
    return _merged(rows, bucket, starts, ends if last is None else last[ends])


def _is_in_order(rows: Rows, bucket: Times) -> bool:
    """Whether rows are by field, stream and `bucket`, and those with the same in time, each with a value."""
    f, s = rows.field, rows.stream
    same_field = f[1:] == f[:-1]
    same = same_field & (s[1:] == s[:-1])
    rises = (bucket[1:] > bucket[:-1]) | ((bucket[1:] == bucket[:-1]) & (rows.first_t[1:] > rows.last_t[:-1]))
    in_order = (f[1:] > f[:-1]) | (same_field & (s[1:] > s[:-1])) | (same & rises)
    return bool(in_order.all()) and bool(rows.count.all())


def _merged(rows: Rows, bucket: Times, starts: NDArray[np.intp], last: NDArray[np.intp]) -> Rows:
    """Groups of rows, which begin at `starts` with the earliest, as one each. last: which is the latest of each."""
    merged = Rows(rows.whole[:, starts], rows.real[:, starts])
    with np.errstate(over="ignore", invalid="ignore"):
        merged.bucket[:] = bucket[starts]
        merged.last[:], merged.last_t[:] = rows.last[last], rows.last_t[last]
        np.fmin.reduceat(rows.low, starts, out=merged.low)
        np.fmax.reduceat(rows.high, starts, out=merged.high)
        for total, part in ((merged.sum, rows.sum), (merged.count, rows.count), (merged.ticks, rows.ticks)):
            np.add.reduceat(part, starts, out=total)
        merged.quantity[:] = _total(rows.quantity, starts)
    return merged


def filled(rows: Rows, width: int) -> Rows:
    """`rows` of one stream, by field and bucket, as they are if it had all of its `width` fields from the start.

    A stream that gains a field has no rows of it from before, which are as if its ticks had had no value. Field 0 has
    all rows; in a longer bucket it alone knows of all ticks.
    """
    first = rows.take(rows.field == 0)
    missing = []
    for field in range(1, width):
        there = rows.bucket[rows.field == field]
        if len(there) < len(first):
            missing.append(valueless(first.take(~np.isin(first.bucket, there)), field))
    if missing:
        rows = combined(joined([rows, *missing]), 1)
    at = np.searchsorted(first.bucket, rows.bucket)
    return rows.with_columns(ticks=first.ticks[at], quantity=first.quantity[at])


def valueless(rows: Rows, field: int) -> Rows:
    """Rows as those of the same ticks for a `field` that has no value in any."""
    none = np.array(np.nan)
    return rows.with_columns(
        field=np.array(field), count=np.array(0), first=none, last=none, low=none, high=none, sum=np.array(0.0)
    )


def sizes(starts: NDArray[np.intp], stop: int) -> NDArray[np.int64]:
    """How many there are in groups that begin at `starts`, the last one ending at `stop`."""
    counts = np.empty(len(starts), np.int64)
    counts[:-1] = starts[1:] - starts[:-1]
    counts[-1:] = stop - starts[-1:]
    return counts


def _starts(*keys: NDArray[Any]) -> NDArray[np.intp]:
    """Where a new group begins: the first row, and each at which one of `keys` changes."""
    changes = keys[0][1:] != keys[0][:-1]
    for key in keys[1:]:
        changes |= key[1:] != key[:-1]
    return np.concatenate(([0], np.flatnonzero(changes) + 1))


def _fill(into: Rows, t: Times, values: Values, starts: NDArray[np.intp]) -> None:
    """Set what a field's `values` make, for groups of ticks in time that begin at `starts`."""
    known = ~np.isnan(values)
    if known.all():
        ends = np.append(starts[1:], len(t)) - 1
        into.first[:], into.last[:], into.first_t[:], into.last_t[:] = (
            values[starts],
            values[ends],
            t[starts],
            t[ends],
        )
        with np.errstate(over="ignore", invalid="ignore"):
            np.minimum.reduceat(values, starts, out=into.low)
            np.maximum.reduceat(values, starts, out=into.high)
            np.add.reduceat(values, starts, out=into.sum)
        into.count[:] = into.ticks
        return
    into.real[:4], into.sum[:], into.count[:], into.whole[5:] = np.nan, 0.0, 0, 0
    if known.any():
        rows = np.flatnonzero(known)
        group = np.searchsorted(starts, rows, side="right") - 1
        inner = _starts(group)
        some = into.take(group[inner])
        some.ticks[:] = sizes(inner, len(rows))
        all_ticks = into.ticks.copy()
        _fill(some, t[rows], values[rows], inner)
        into.whole[:, group[inner]], into.real[:, group[inner]] = some.whole, some.real
        into.ticks[:] = all_ticks


def _total(values: Values, starts: NDArray[np.intp]) -> Values:
    """The sum of each group's finite values; NaN where it has no number."""
    with np.errstate(over="ignore", invalid="ignore"):
        total: Values = np.add.reduceat(values, starts)
        if not np.isfinite(total).all():
            total = np.add.reduceat(np.where(np.isfinite(values), values, 0.0), starts)
            total[np.logical_and.reduceat(np.isnan(values), starts)] = np.nan
    return total
