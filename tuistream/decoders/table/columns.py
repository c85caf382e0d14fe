"""Rows of one layout column by column, where every cell is what the first row's was. Else nothing is done."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tuistream.core.batch import Times
from tuistream.decoders.discovery.plan import Plan
from tuistream.decoders.discovery.reader import Reader
from tuistream.decoders.table.cells import MAX_CELL, WHITE_SPACE
from tuistream.decoders.table.lines import Table, dated
from tuistream.decoders.wire.rows import Block, StreamRows
from tuistream.decoders.wire.timestamps import to_ns

_ODD = b'"#_=|{'  # in no line that is read here


def take_columns(frames: Sequence[bytes], first: int, table: Table, reader: Reader, recv: int) -> bool:
    """Add the rows in `frames` to their streams; False where one is odd, and nothing has happened.

    first: which frame of the read frames[0] is. recv: ns since 1970 UTC.
    """
    text = frames[0].decode("utf-8", "replace").strip()
    layout = table.layout_of(text)
    if layout is None or any(len(frame) > MAX_CELL or not frame.isascii() for frame in frames):
        return False
    (names, pair), delimiter = layout
    if any(byte in frame for frame in frames for byte in _ODD) or _has_decimal_comma(frames, delimiter):
        return False
    separator = None if delimiter == WHITE_SPACE else delimiter.encode()
    rows = [frame.split(separator) for frame in frames]
    if any(len(row) != len(names) for row in rows):
        return False
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    if pair:
        date, clock = names[pair[0]], names[pair[1]]
        both = zip(columns.pop(date), columns[clock], strict=True)
        columns[clock] = tuple(dated(day.decode(), time.decode()).encode() for day, time in both)
    plan = reader.plan_of({name: column[0].decode().strip() for name, column in columns.items()})
    if plan is None or not plan.flat or plan.id is not None or plan.controls:
        return False
    streams = _streams(plan, columns, len(frames))
    values = _values(plan, columns)
    times = _times(plan, columns, recv, len(frames))
    if streams is None or values is None or times is None:
        return False
    for stream, at in streams:
        stream.add_block(Block(at + first, times[at], values[at]))
    return True


def _has_decimal_comma(frames: Sequence[bytes], delimiter: str) -> bool:
    return delimiter != "," and any(b"," in frame for frame in frames)


def _streams(
    plan: Plan, columns: dict[str, tuple[bytes, ...]], count: int
) -> list[tuple[StreamRows, np.ndarray[tuple[int], np.dtype[np.int64]]]] | None:
    """Each stream with the places of its rows, in the order of their first; None where one is not known yet."""
    by_label: dict[tuple[bytes, ...], list[int]] = {}
    if plan.labels:
        for at, key in enumerate(zip(*(columns[name] for _, name, _ in plan.labels), strict=True)):
            by_label.setdefault(key, []).append(at)
    else:
        by_label[()] = list(range(count))
    streams = []
    for key, places in by_label.items():
        entry = plan.entries.get(tuple(each.decode().strip() for each in key))
        if entry is None or entry.rows is None or entry.control or not entry.direct:
            return None
        if entry.rows.width != len(plan.paths):
            return None
        streams.append((entry.rows, np.array(places, dtype=np.int64)))
    return streams


def _values(
    plan: Plan, columns: dict[str, tuple[bytes, ...]]
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]] | None:
    try:
        values = np.array([list(map(float, columns[name])) for _, name, _ in plan.paths], dtype=np.float64).T
    except ValueError:
        return None
    return np.ascontiguousarray(values) if np.isfinite(values).all() else None


def _times(plan: Plan, columns: dict[str, tuple[bytes, ...]], recv: int, count: int) -> Times | None:
    if plan.time is None:
        return np.full(count, recv, dtype=np.int64)
    times = [to_ns(cell.decode(), recv) for cell in columns[plan.time[1]]]
    return None if None in times else np.array(times, dtype=np.int64)
