"""Columns of a table that `tuistream export` wrote, back into the batches that they were."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tuistream.core.batch import Batch, IdRule, Ids, Stream, StreamKey, Times, Values, ids_array
from tuistream.core.errors import RecordingError
from tuistream.core.exchange import (
    FEED,
    FIXED,
    ID,
    KIND,
    RECEIVED,
    STREAM,
    TEXT_ID,
    TIME,
    field_of,
    unguarded,
    unguarded_id,
)
from tuistream.imports.contract import Progress, Wishes
from tuistream.imports.times import BAD, Column, TimeColumn

EXPORTED = "written by tuistream export"
MAX_STREAMS = 10_000
_NEEDED = frozenset(FIXED) - {ID}


def is_exported(columns: Collection[str]) -> bool:
    """Whether a table with these columns is one of ours."""
    return set(columns) >= _NEEDED


def streams_in(text: bytes | None) -> dict[StreamKey, Stream]:
    """The streams that an exported file says of itself, by key; none where it says nothing. Raises RecordingError."""
    if not text:
        return {}
    try:
        found = [
            Stream(
                str(each["feed"]),
                str(each["name"]),
                str(each["kind"]),
                tuple(map(str, each["fields"])),
                IdRule(each["ids"]),
                bool(each["timed"]),
                str(each["found"]),
                str(each.get("axis", "")),
            )
            for each in json.loads(text)
        ]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise RecordingError("what the file says of its streams is damaged") from error
    return {stream.key: stream for stream in found}


class Exported:
    """Rows of one exported file into batches, many rows at a time. Times, ids and values are exactly what they were.

    text: the cells are text, those of names and ids guarded as in a CSV file.
    """

    def __init__(
        self, columns: Collection[str], progress: Progress, streams: Mapping[StreamKey, Stream] | None = None,
        *, text: bool,
    ) -> None:  # fmt: skip
        self._progress = progress
        self._text = text
        self._fields = [name for name in columns if name not in (*FIXED, TEXT_ID)]
        self._known = streams or {}
        there = set(map(field_of, self._fields))
        if any(not there.issuperset(stream.fields) for stream in self._known.values()):
            raise RecordingError("what the file says of its streams is not what it has")
        self._streams: dict[StreamKey, Stream] = {}
        self._times = TimeColumn(Wishes())

    def with_columns(self, columns: Collection[str]) -> Exported:
        """Self, from now on with these columns: JSON has them row by row."""
        self._fields = [name for name in columns if name not in (*FIXED, TEXT_ID)]
        return self

    def batches(self, columns: Mapping[str, Column], where: Sequence[int] | range) -> list[Batch]:
        """The ticks, a batch for each stream. where: the number of each row, to name what is refused."""
        t, recv = self._times.read(columns[TIME]), self._times.read(columns[RECEIVED])
        good = (t != BAD) & (recv != BAD)
        if bad := int((~good).sum()):
            self._progress.refuse(f"row {where[int(np.flatnonzero(~good)[0])]:,}", "a time that cannot be", bad)
        values = {field_of(name): self._floats(columns[name]) for name in self._fields}
        groups: dict[StreamKey, list[int]] = {}
        keys = zip(self._names(columns[FEED]), self._names(columns[STREAM]), self._names(columns[KIND]), strict=True)
        for row, (key, kept) in enumerate(zip(keys, good.tolist(), strict=True)):
            if kept:
                groups.setdefault(key, []).append(row)
        return [
            self._batch(key, np.array(rows, dtype=np.intp), t, recv, values, columns) for key, rows in groups.items()
        ]

    def _batch(
        self,
        key: StreamKey,
        rows: NDArray[np.intp],
        t: Times,
        recv: Times,
        values: Mapping[str, Values],
        columns: Mapping[str, Column],
    ) -> Batch:
        stream = self._stream(key, values, rows)
        v = np.stack([values[name][rows] for name in stream.fields], axis=1)
        return Batch(stream, t[rows], recv[rows], v, self._ids(columns, rows))

    def _stream(self, key: StreamKey, values: Mapping[str, Values], rows: NDArray[np.intp]) -> Stream:
        """The stream with the fields that it is known to have, and those that are in these rows."""
        stream = self._streams.get(key) or self._known.get(key)
        if stream is not None and key in self._known:
            return stream
        if stream is None and len(self._streams) >= MAX_STREAMS:
            raise RecordingError(f"more than {MAX_STREAMS:,} streams in one file")
        fields = () if stream is None else stream.fields
        new = [name for name, column in values.items() if name not in fields and not np.isnan(column[rows]).all()]
        if stream is None or new:
            stream = self._streams[key] = Stream(*key, fields=(*fields, *new) or tuple(values)[:1], found=EXPORTED)
        return stream

    def _names(self, cells: Column) -> list[str]:
        names = ["" if cell is None else str(cell) for cell in cells]
        return [unguarded(name) for name in names] if self._text else names

    def _floats(self, cells: Column) -> Values:
        if isinstance(cells, np.ndarray) and cells.dtype.kind in "fiu":
            return cells.astype(np.float64)
        try:
            values = np.array([cell or "nan" for cell in cells] if self._text else cells, dtype=np.float64)
        except (ValueError, TypeError, OverflowError):
            values = np.empty(0)
        # Where a cell is a list, all of them may make an array of more than one dimension.
        return values if values.shape == (len(cells),) else np.array([_float(cell) for cell in cells])

    def _ids(self, columns: Mapping[str, Column], rows: NDArray[np.intp]) -> Ids | None:
        numbers, texts = columns.get(ID), columns.get(TEXT_ID)
        if texts is None and isinstance(numbers, np.ndarray) and numbers.dtype == np.int64:
            ids: Ids = numbers[rows]
            return ids
        found: list[int | str | None] = [None] * len(rows)
        if numbers is not None:
            cells = [numbers[row] for row in rows.tolist()]
            found = [unguarded_id(cell) for cell in cells] if self._text else [_id(cell) for cell in cells]
        if texts is not None:
            found = [_id(texts[row]) or known for known, row in zip(found, rows.tolist(), strict=True)]
        return None if all(tick_id is None for tick_id in found) else ids_array(found)


def _id(cell: object) -> int | str | None:
    return cell if cell is None or type(cell) in (int, str) else str(cell)  # type: ignore[return-value]  # as it says


def _float(cell: object) -> float:
    try:
        return float(cell)  # type: ignore[arg-type]
    except (ValueError, TypeError, OverflowError):
        return float("nan")
