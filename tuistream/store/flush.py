"""From batches and events to the rows of one transaction. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tuistream.core.batch import Batch, Ids, Stream, Times, Values
from tuistream.core.board import Item
from tuistream.core.outbox import Entry as Pending
from tuistream.core.status import Event
from tuistream.store.catalog import Catalog, Entry, Statement, quantity_of, stored_key
from tuistream.store.rollups import Source
from tuistream.store.values import storable_bytes, storable_id, storable_json, storable_text

# Many rows a statement cost a fifth of one row a statement. While the event loop is busy each statement waits for the
# interpreter's lock, so that only their number counts. Few sizes, so that each is compiled once.
STATEMENT_ROWS = (4_096, 1_024, 256, 64, 16, 4, 1)
MAX_PARAMETERS = 32_766  # SQLite's SQLITE_MAX_VARIABLE_NUMBER

BLOCK_COLUMNS = ("stream", "t0", "t1", "r0", "r1")
EVENT_SQL = "INSERT INTO events (t, feed, stream, kind, text, details) VALUES (?, ?, ?, ?, ?, ?)"
ITEM_SQL = "INSERT INTO media (stream, t, recv, type, data) VALUES (?, ?, ?, ?, ?)"

Shape = tuple[int, bool]  # how many fields, and whether there are ids
Insert = tuple[str, Iterator[list[object]]]  # a statement, and the parameters of each time that it is run


class Ticks(msgspec.Struct, frozen=True, eq=False):
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

    def statements(self) -> Iterator[Insert]:
        """Statements that insert many rows each, and their parameters."""
        names = ["stream", "t", "recv", *(f"v{column}" for column in range(self.v.shape[1]))]
        columns: list[NDArray[Any]] = [self.stream, self.t, self.recv, *self.v.T]  # SQLite keeps NaN as NULL
        if self.ids is not None:
            names.append("id")
            columns.append(self.ids)
        return inserts("ticks", names, columns)


class Flush(msgspec.Struct, frozen=True, eq=False):
    """One transaction's rows. `catalog` is how the recording's streams will be once it is committed.

    blocks: stream, t0, t1 and the first and last of the flush's rows, counted from 0 in the order of `ticks`.
    """

    catalog: Catalog
    streams: list[Statement]
    ticks: list[Ticks]
    blocks: list[tuple[int, int, int, int, int]]
    events: list[tuple[object, ...]]
    items: list[tuple[int, Item]]  # each with its stream's id
    rows: int
    gaps: int
    sources: dict[int, Source]  # of the streams with ticks here whose axis is time, by id

    def blocks_after(self, row: int) -> Iterator[Insert]:
        """What inserts the blocks, where `row` is the last of the ticks that are there already."""
        blocks = np.array(self.blocks, dtype=np.int64).reshape(-1, len(BLOCK_COLUMNS))
        blocks[:, -2:] += row + 1
        return inserts("blocks", BLOCK_COLUMNS, list(blocks.T))

    def item_rows(self) -> Iterator[tuple[object, ...]]:
        """The parameters of `ITEM_SQL`, made one after another: a picture may be many megabytes."""
        for stream, item in self.items:
            yield stream, item.t, item.recv, storable_text(item.kind), storable_bytes(item.value)


def prepare(pending: Sequence[Pending], catalog: Catalog, now: int) -> Flush:
    """The transaction that records `pending`. `now`: ns since 1970 UTC, when a stream that is new was first seen."""
    batches = [each for each in pending if isinstance(each, Batch) and len(each)]
    events = [each for each in pending if isinstance(each, Event)]
    items = [each for each in pending if isinstance(each, Item)]
    news = _unknown_streams([*batches, *items], events, catalog)
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
    by_shape: dict[Shape, list[tuple[Entry, list[Batch]]]] = {}
    for group in groups:
        by_shape.setdefault(shapes[group[0].id], []).append(group)
    ticks = [_ticks(shape, alike) for shape, alike in by_shape.items()]
    return Flush(
        catalog=catalog,
        streams=statements,
        ticks=ticks,
        blocks=_blocks(ticks),
        events=[_event_row(event, catalog) for event in events],
        items=[(catalog.entries[item.stream.key].id, item) for item in items],
        rows=sum(map(len, ticks)),
        gaps=sum(event.kind == "gap" for event in events),
        sources={number: source_of(entry) for number, (entry, _) in by_entry.items() if not entry.stream.axis},
    )


def source_of(entry: Entry) -> Source:
    """The stream as far as its rollups go."""
    return Source(entry.id, len(entry.stream.fields), quantity_of(entry.stream))


def _blocks(ticks: Sequence[Ticks]) -> list[tuple[int, int, int, int, int]]:
    blocks: list[tuple[int, int, int, int, int]] = []
    row = 0
    for rows in ticks:
        # Each stream's rows follow one another.
        edges = [0, *(np.flatnonzero(np.diff(rows.stream)) + 1).tolist(), len(rows)]
        for start, stop in pairwise(edges):
            t = rows.t[start:stop]
            blocks.append((int(rows.stream[start]), int(t.min()), int(t.max()), row + start, row + stop - 1))
        row += len(rows)
    return blocks


def _unknown_streams(news: Iterable[Batch | Item], events: Iterable[Event], catalog: Catalog) -> list[Stream]:
    """The streams that the recording does not know, or knows otherwise, in the order in which they changed."""
    streams = list(dict.fromkeys(each.stream for each in news))
    keys = {stream.key for stream in streams}
    named = {event.stream for event in events if event.stream is not None}
    # A stream that only an event has named so far; its fields come with its first tick.
    bare = [Stream(*key, fields=()) for key in sorted(named - keys)]
    unknown = [stream for stream in streams if not catalog.knows(stream)]
    return unknown + [s for s in bare if s.key not in catalog.entries and stored_key(s.key) not in catalog.entries]


def _shape(entry: Entry, parts: Sequence[Batch]) -> Shape:
    return len(entry.stream.fields), any(part.ids is not None for part in parts)


def _ticks(shape: Shape, groups: Sequence[tuple[Entry, list[Batch]]]) -> Ticks:
    width, with_ids = shape
    batches = [batch for _, parts in groups for batch in parts]
    counts = [sum(map(len, parts)) for _, parts in groups]
    return Ticks(
        stream=np.repeat(np.array([entry.id for entry, _ in groups], dtype=np.int64), counts),
        t=np.concatenate([batch.t for batch in batches]),
        recv=np.concatenate([batch.recv for batch in batches]),
        ids=_ids(batches, sum(counts)) if with_ids else None,
        v=np.concatenate([_values(batch, entry.stream.fields, width) for entry, parts in groups for batch in parts]),
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


def inserts(
    table: str, names: Sequence[str], columns: Sequence[NDArray[Any]], verb: str = "INSERT"
) -> Iterator[Insert]:
    """Statements that insert the rows of `columns` in order, as many rows each as may be."""
    start, count = 0, len(columns[0])
    for size in STATEMENT_ROWS:
        if size * len(columns) > MAX_PARAMETERS:
            continue
        stop = start + (count - start) // size * size
        if stop > start:
            yield _insert(f"{verb} INTO {table}", names, size), _parameters(columns, start, stop, size)
        start = stop


def _insert(verb: str, names: Sequence[str], rows: int) -> str:
    # Not ?1, ?2, …: SQLite compiles a statement with many numbered parameters in quadratic time.
    marks = f"({', '.join('?' * len(names))})"
    return f"{verb} ({', '.join(names)}) VALUES {', '.join([marks] * rows)}"


def _parameters(columns: Sequence[NDArray[Any]], start: int, stop: int, size: int) -> Iterator[list[object]]:
    """The rows from `start` to `stop`, value by value in one list for each `size` of them, made when asked for."""
    step = len(columns)
    for first in range(start, stop, size):
        flat: list[object] = [None] * (size * step)
        for position, column in enumerate(columns):
            flat[position::step] = column[first : first + size].tolist()
        yield flat


def _event_row(event: Event, catalog: Catalog) -> tuple[object, ...]:
    stream = None
    if event.stream is not None:
        entry = catalog.entries.get(event.stream) or catalog.entries[stored_key(event.stream)]
        stream = entry.id
    feed, _, _ = stored_key((event.feed, "", ""))
    return event.t, feed, stream, event.kind, storable_text(event.text), storable_json(event.details)
