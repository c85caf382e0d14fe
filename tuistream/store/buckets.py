"""Buckets of time: from ticks to rows of a rollup, and from rows of short buckets to those of longer ones. Pure.

A bucket is `width` ns long and begins at a multiple of it since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tuistream.core.batch import Times, Values

WIDTHS: Final = (10**9, 60 * 10**9, 3_600 * 10**9, 86_400 * 10**9)  # each a whole number of those before
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


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows of a rollup, column by column, each [n]: what one bucket holds of one field of one stream.

    stream: the recording's id. field: position in the stream's fields. bucket: its first ns. first, last, low, high,
    sum, count: of its values that are not NaN, by event time, and where that is the same by the order of coming.
    first_t, last_t: event times of the two. Where there are none: NaN, a sum of 0, and times that mean nothing.
    ticks: with a value or without. quantity: the sum of the finite values of the stream's quantity in these ticks;
    NaN where there is none.
    """

    stream: Numbers
    field: Numbers
    bucket: Times
    first: Values
    last: Values
    low: Values
    high: Values
    sum: Values
    count: Numbers
    ticks: Numbers
    first_t: Times
    last_t: Times
    quantity: Values

    def __len__(self) -> int:
        return len(self.bucket)

    @property
    def columns(self) -> list[NDArray[Any]]:
        """In the order of `COLUMNS`."""
        return [getattr(self, name) for name in COLUMNS]

    def take(self, rows: slice | NDArray[Any]) -> Rows:
        """Those at `rows` (a slice, a mask or positions)."""
        return rows_from([column[rows] for column in self.columns])


COLUMNS: Final = tuple(each.name for each in fields(Rows))
WHOLE: Final = frozenset(("stream", "field", "bucket", "count", "ticks", "first_t", "last_t"))  # int64, else float64


def rows_from(columns: Sequence[NDArray[Any]]) -> Rows:
    """The rows with these columns, in the order of `COLUMNS`."""
    return Rows(**dict(zip(COLUMNS, columns, strict=True)))


NO_ROWS: Final = rows_from([np.empty(0, np.int64 if name in WHOLE else np.float64) for name in COLUMNS])


def joined(parts: Sequence[Rows]) -> Rows:
    """The rows of all `parts`, in their order."""
    some = [part for part in parts if len(part)]
    if len(some) <= 1:
        return some[0] if some else NO_ROWS
    return rows_from([np.concatenate(columns) for columns in zip(*(part.columns for part in some), strict=True)])


def rows_of(stream: Numbers, t: Times, v: Values, quantity: Values | None = None, width: int = WIDTHS[0]) -> Rows:
    """The rows of ticks, by field, stream and bucket: one for each field in each bucket that has ticks.

    stream: int64[n], each stream's ticks next to one another. t: int64[n], in the order of coming. v: float64[n,
    fields]; with no field at all there are the rows of one that never has a value. quantity: float64[n], NaN where
    there is none.
    """
    if not len(t):
        return NO_ROWS
    if not v.shape[1]:
        v = np.full((len(t), 1), np.nan)
    if ((t[1:] < t[:-1]) & (stream[1:] == stream[:-1])).any():
        order = np.lexsort((t, stream))
        stream, t, v = stream[order], t[order], v[order]
        quantity = None if quantity is None else quantity[order]
    bucket = buckets_of(t, width)
    starts = _starts(stream, bucket)
    ticks = np.diff(starts, append=len(t)).astype(np.int64)
    total = np.full(len(starts), np.nan) if quantity is None else _total(quantity, starts)
    return joined(
        [
            Rows(
                stream=stream[starts],
                field=np.full(len(starts), field, dtype=np.int64),
                bucket=bucket[starts],
                ticks=ticks,
                quantity=total,
                **_statistics(t, np.ascontiguousarray(v[:, field]), starts),
            )
            for field in range(v.shape[1])
        ]
    )


def combined(rows: Rows, width: int) -> Rows:
    """`rows` of buckets that are no longer than `width` as rows of such buckets, by stream, field and bucket.

    Of rows with the same time, those that come first count as the earlier.
    """
    if not len(rows):
        return rows
    bucket = buckets_of(rows.bucket, width)
    none = rows.count == 0
    order = np.lexsort((rows.first_t, none, bucket, rows.field, rows.stream))
    rows, bucket, none = rows.take(order), bucket[order], none[order]
    starts = _starts(rows.stream, bucket, rows.field)
    if len(starts) == len(rows):
        return replace(rows, bucket=bucket)
    # Of equal times the last is the one that came last, which `order` says.
    group = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(rows)))
    last = np.lexsort((order, rows.last_t, ~none, group))[np.append(starts[1:], len(rows)) - 1]
    with np.errstate(over="ignore", invalid="ignore"):
        return Rows(
            stream=rows.stream[starts],
            field=rows.field[starts],
            bucket=bucket[starts],
            first=rows.first[starts],
            last=rows.last[last],
            low=np.fmin.reduceat(rows.low, starts),
            high=np.fmax.reduceat(rows.high, starts),
            sum=np.add.reduceat(rows.sum, starts),
            count=np.add.reduceat(rows.count, starts),
            ticks=np.add.reduceat(rows.ticks, starts),
            first_t=rows.first_t[starts],
            last_t=rows.last_t[last],
            quantity=_total(rows.quantity, starts),
        )


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
    return replace(rows, ticks=first.ticks[at], quantity=first.quantity[at])


def valueless(rows: Rows, field: int) -> Rows:
    """Rows as those of the same ticks for a `field` that has no value in any."""
    nothing = np.full(len(rows), np.nan)
    zero = np.zeros(len(rows), dtype=np.int64)
    return replace(
        rows,
        field=zero + field,
        count=zero,
        first=nothing,
        last=nothing,
        low=nothing,
        high=nothing,
        sum=np.zeros(len(rows)),
    )


def _starts(*keys: NDArray[Any]) -> NDArray[np.intp]:
    """Where a new group begins: the first row, and each at which one of `keys` changes."""
    changes = np.zeros(len(keys[0]), dtype=np.bool_)
    changes[0] = True
    for key in keys:
        changes[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(changes)


def _statistics(t: Times, values: Values, starts: NDArray[np.intp]) -> dict[str, NDArray[Any]]:
    """The columns of `Rows` that a field's values make, for groups of ticks in time that begin at `starts`."""
    known = ~np.isnan(values)
    with np.errstate(over="ignore", invalid="ignore"):
        if known.all():
            ends = np.append(starts[1:], len(t)) - 1
            return {
                "first": values[starts],
                "last": values[ends],
                "low": np.minimum.reduceat(values, starts),
                "high": np.maximum.reduceat(values, starts),
                "sum": np.add.reduceat(values, starts),
                "count": ends - starts + 1,
                "first_t": t[starts],
                "last_t": t[ends],
            }
    nothing = np.full(len(starts), np.nan)
    zero = np.zeros(len(starts), dtype=np.int64)
    columns = {name: zero if name in WHOLE else nothing for name in COLUMNS[3:-1] if name != "ticks"}
    columns["sum"] = np.zeros(len(starts))
    if known.any():
        rows = np.flatnonzero(known)
        group = np.searchsorted(starts, rows, side="right") - 1
        inner = _starts(group)
        for name, column in _statistics(t[rows], values[rows], inner).items():
            columns[name] = columns[name].copy()
            columns[name][group[inner]] = column
    return columns


def _total(values: Values, starts: NDArray[np.intp]) -> Values:
    """The sum of each group's finite values; NaN where it has no number."""
    with np.errstate(over="ignore", invalid="ignore"):
        total: Values = np.add.reduceat(values, starts)
        if not np.isfinite(total).all():
            total = np.add.reduceat(np.where(np.isfinite(values), values, 0.0), starts)
            total[np.logical_and.reduceat(np.isnan(values), starts)] = np.nan
    return total
