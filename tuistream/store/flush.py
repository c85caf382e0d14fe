"""From batches and events to the rows of one transaction. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuistream.core.batch import Batch, Ids, Stream, Times, Values
from tuistream.core.status import Event
from tuistream.store.catalog import Catalog, Entry, Statement, stored_key
from tuistream.store.values import storable_id, storable_json, storable_text

# Many rows a statement cost a fifth of one row a statement. While the event loop is busy each statement waits for the
# interpreter's lock, so that only their number counts. Few sizes, so that each is compiled once.
STATEMENT_ROWS = (4_096, 1_024, 256, 64, 16, 4, 1)
MAX_PARAMETERS = 32_766  # SQLite's SQLITE_MAX_VARIABLE_NUMBER

BLOCK_SQL = "INSERT INTO blocks (stream, t0, t1, r0, r1) VALUES (?, ?, ?, ?, ?)"
EVENT_SQL = "INSERT INTO events (t, feed, stream, kind, text, details) VALUES (?, ?, ?, ?, ?, ?)"

Shape = tuple[int, bool]  # how many fields, and whether there are ids


@dataclass(frozen=True, slots=True, eq=False)
class Ticks:
    """Rows of `ticks` with equally many fields, sorted by stream. v: float64[n, fields]; the others: [n].

    ids: None where no row has one: a NULL that is bound costs as much as all the rest of its row.
    """

    stream: Times
    t: Times
    recv: Times
    ids: Ids | None
    v: Values

    def __len__(self) -> int:
        return len(self.t)

    def statements(self) -> Iterator[tuple[str, Iterator[list[object]]]]:
        """Statements that insert many rows each, and their parameters, made as they are asked for."""
        columns = [self.stream, self.t, self.recv, *([] if self.ids is None else [self.ids]), *self.v.T]
        start = 0
        for size in STATEMENT_ROWS:
            if size * len(columns) > MAX_PARAMETERS:
                continue
            stop = start + (len(self) - start) // size * size
            if stop > start:
                yield _insert(self.v.shape[1], self.ids is not None, size), _parameters(columns, start, stop, size)
            start = stop


@dataclass(frozen=True, slots=True, eq=False)
class Flush:
    """One transaction's rows. `catalog` is how the recording's streams will be once it is committed.

    blocks: stream, t0, t1 and the first and last of the flush's rows, counted from 0 in the order of `ticks`.
    """

    catalog: Catalog
    streams: list[Statement]
    ticks: list[Ticks]
    blocks: list[tuple[int, int, int, int, int]]
    events: list[tuple[object, ...]]
    rows: int
    gaps: int

    def blocks_after(self, row: int) -> list[tuple[int, int, int, int, int]]:
        """The rows of `blocks`, where `row` is the last of the ticks that are there already."""
        return [(stream, t0, t1, row + 1 + r0, row + 1 + r1) for stream, t0, t1, r0, r1 in self.blocks]


def prepare(items: Sequence[Batch | Event], catalog: Catalog, now: int) -> Flush:
    """The transaction that records `items`. `now`: ns since 1970 UTC, when a stream that is new was first seen."""
    batches = [item for item in items if isinstance(item, Batch) and len(item)]
    events = [item for item in items if isinstance(item, Event)]
    news = _unknown_streams(batches, events, catalog)
    statements: list[Statement] = []
    if news:
        catalog, statements = catalog.with_streams(news, now)
    by_entry: dict[int, tuple[Entry, list[Batch]]] = {}
    for batch in batches:
        entry = catalog.entries[batch.stream.key]
        by_entry.setdefault(entry.id, (entry, []))[1].append(batch)
    # By shape first, so that all streams of one shape share their statements.
    shapes = {number: _shape(entry, parts) for number, (entry, parts) in by_entry.items()}
    groups = sorted(by_entry.values(), key=lambda group: (shapes[group[0].id], group[0].id))
    blocks: list[tuple[int, int, int, int, int]] = []
    by_shape: dict[Shape, list[tuple[Entry, Batch]]] = {}
    row = 0
    for entry, parts in groups:
        count = sum(map(len, parts))
        t0 = min(int(part.t.min()) for part in parts)
        t1 = max(int(part.t.max()) for part in parts)
        blocks.append((entry.id, t0, t1, row, row + count - 1))
        by_shape.setdefault(shapes[entry.id], []).extend((entry, part) for part in parts)
        row += count
    return Flush(
        catalog=catalog,
        streams=statements,
        ticks=[_ticks(shape, parts) for shape, parts in by_shape.items()],
        blocks=blocks,
        events=[_event_row(event, catalog) for event in events],
        rows=row,
        gaps=sum(event.kind == "gap" for event in events),
    )


def _unknown_streams(batches: Iterable[Batch], events: Iterable[Event], catalog: Catalog) -> list[Stream]:
    """The streams that the recording does not know, or knows otherwise, in the order in which they changed."""
    streams = list(dict.fromkeys(batch.stream for batch in batches))
    keys = {stream.key for stream in streams}
    named = {event.stream for event in events if event.stream is not None}
    # A stream that only an event has named so far; its fields come with its first tick.
    bare = [Stream(*key, fields=()) for key in sorted(named - keys)]
    unknown = [stream for stream in streams if not catalog.knows(stream)]
    return unknown + [s for s in bare if s.key not in catalog.entries and stored_key(s.key) not in catalog.entries]


def _shape(entry: Entry, parts: Sequence[Batch]) -> Shape:
    return len(entry.stream.fields), any(part.ids is not None for part in parts)


def _ticks(shape: Shape, parts: Sequence[tuple[Entry, Batch]]) -> Ticks:
    width, with_ids = shape
    counts = [len(batch) for _, batch in parts]
    return Ticks(
        stream=np.repeat(np.array([entry.id for entry, _ in parts], dtype=np.int64), counts),
        t=np.concatenate([batch.t for _, batch in parts]),
        recv=np.concatenate([batch.recv for _, batch in parts]),
        ids=_ids([batch for _, batch in parts], sum(counts)) if with_ids else None,
        v=np.concatenate([_values(batch, entry.stream.fields, width) for entry, batch in parts]),
    )


def _values(batch: Batch, fields: tuple[str, ...], width: int) -> Values:
    """The batch's values in the columns that the recording gives them. A field beyond its limit is left out."""
    if batch.stream.fields == fields:
        return batch.v
    values = np.full((len(batch), width), np.nan)
    for position, name in enumerate(map(storable_text, batch.stream.fields)):
        if name in fields:
            values[:, fields.index(name)] = batch.v[:, position]
    return values


def _ids(batches: Sequence[Batch], count: int) -> Ids:
    arrays = [batch.ids for batch in batches]
    if all(ids is not None and ids.dtype == np.int64 for ids in arrays):
        return np.concatenate([ids for ids in arrays if ids is not None])
    joined = np.full(count, None, dtype=np.object_)
    row = 0
    for batch, ids in zip(batches, arrays, strict=True):
        if ids is not None:
            joined[row : row + len(batch)] = [storable_id(tick_id) for tick_id in ids.tolist()]
        row += len(batch)
    return joined


def _parameters(columns: Sequence[NDArray[Any]], start: int, stop: int, size: int) -> Iterator[list[object]]:
    """The rows from `start` to `stop`, row by row in one list for each `size` of them. NaN becomes NULL in SQLite."""
    step = len(columns)
    for first in range(start, stop, size):
        flat: list[object] = [None] * (size * step)
        for position, column in enumerate(columns):
            flat[position::step] = column[first : first + size].tolist()
        yield flat


def _insert(width: int, with_ids: bool, rows: int) -> str:
    # Not ?1, ?2, …: SQLite compiles a statement with many numbered parameters in quadratic time.
    names = ["stream", "t", "recv", *(["id"] if with_ids else []), *(f"v{column}" for column in range(width))]
    marks = f"({', '.join('?' * len(names))})"
    return f"INSERT INTO ticks ({', '.join(names)}) VALUES {', '.join([marks] * rows)}"  # noqa: S608  # numbers only


def _event_row(event: Event, catalog: Catalog) -> tuple[object, ...]:
    stream = None
    if event.stream is not None:
        entry = catalog.entries.get(event.stream) or catalog.entries[stored_key(event.stream)]
        stream = entry.id
    feed, _, _ = stored_key((event.feed, "", ""))
    return event.t, feed, stream, event.kind, storable_text(event.text), storable_json(event.details)
