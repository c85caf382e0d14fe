"""Reading rollups: which rows cover a stretch of a stream, and rows of any, from ticks where the file has none."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from tuistream.core.batch import Times, Values
from tuistream.store.buckets import (
    FIRST_NS,
    LAST_NS,
    NO_ROWS,
    REAL,
    WHOLE,
    WIDTHS,
    Rows,
    combined,
    filled,
    joined,
    rows_of,
)
from tuistream.store.schema import ROLLUP_WIDTHS

TABLES: Final = dict(zip(WIDTHS, (f"rollup_{name}" for name in ROLLUP_WIDTHS), strict=True))
# The columns of the tables, as `Rows` calls them and as SQL does.
ORDER: Final = (
    *("stream", "field", "bucket", "first", "last", "low", "high", "sum"),
    *("count", "ticks", "first_t", "last_t", "quantity"),
)
COLUMNS: Final = tuple({"low": "min", "high": "max"}.get(name, name) for name in ORDER)
CHUNK_ROWS: Final = 50_000

TICKS: Final = 0  # the width of a piece that is read from the ticks


class Piece(NamedTuple):
    """Event times `since` to before `until` (ns) that are read from rows of `width`, or from the ticks (`TICKS`)."""

    width: int
    since: int
    until: int


class Source(msgspec.Struct, frozen=True):
    """A stream of a file as far as its rollups go: its id, how many fields, which of them is the quantity."""

    id: int
    fields: int
    quantity: int | None = None


def rolled_until(connection: sqlite3.Connection, stream: int) -> dict[int, int]:
    """For each width (ns) of which the stream has rows: the first ns after them.

    A width that is missing has none. That the rows begin with the stream's ticks and have no hole is not said:
    see `pieces`.
    """
    found = connection.execute("SELECT width, max(until) FROM rollups WHERE stream = ? GROUP BY width", (stream,))
    return dict(found.fetchall())


def pieces(connection: sqlite3.Connection, stream: int, width: int, since: int, until: int) -> list[Piece]:
    """What to read for the times `since` to before `until`, in time: rows of `width` or shorter buckets, or ticks.

    As few pieces as may be, next to one another, from `since` to `until`; each of rows has whole buckets only.
    """
    widths = [each for each in WIDTHS if each <= width]
    return list(_pieces(connection, stream, widths, since, until))


def _pieces(
    connection: sqlite3.Connection, stream: int, widths: Sequence[int], since: int, until: int
) -> Iterator[Piece]:
    if since >= until:
        return
    if not widths:
        yield Piece(TICKS, since, until)
        return
    *shorter, width = widths
    at = since
    spans = connection.execute(
        "SELECT since, until FROM rollups WHERE stream = ? AND width = ? AND since < ? AND until > ? ORDER BY since",
        (stream, width, min(until, LAST_NS), max(since, FIRST_NS)),
    )
    for begin, end in spans.fetchall():
        first = begin if begin >= at else -(-at // width) * width if at > FIRST_NS else at
        stop = end if end <= until else until // width * width
        if first < stop:
            yield from _pieces(connection, stream, shorter, at, first)
            yield Piece(width, first, stop)
            at = stop
    yield from _pieces(connection, stream, shorter, at, until)


def rows_between(
    connection: sqlite3.Connection,
    source: Source,
    width: int,
    since: int,
    until: int,
    *,
    anew: bool = False,
) -> Rows:
    """The rows of `width` (one of `WIDTHS`) for the ticks from `since` to before `until`, by field and bucket.

    They are exact, whatever the file has rows of; at the edges they are of parts of buckets. anew: the file's own
    rows of `width` are not used, only shorter ones and ticks.
    """
    widths = [each for each in WIDTHS if each < width + (not anew)]
    whole = NO_ROWS
    for piece in _pieces(connection, source.id, widths, since, until):
        if piece.width == TICKS:
            parts = _of_ticks(connection, source, piece.since, piece.until, width)
        else:
            parts = stored_rows(connection, source, piece.width, piece.since, piece.until)
        for part in parts:
            whole = combined(joined([whole, part]), width)
    return filled(whole, max(1, source.fields))


def stored_rows(connection: sqlite3.Connection, source: Source, width: int, since: int, until: int) -> Iterator[Rows]:
    """The rows of the file's own table for `width`, as they are, in parts: field by field, in time."""
    sql = (
        f"SELECT {', '.join(COLUMNS)} FROM {TABLES[width]} WHERE stream = ? AND field = ? AND bucket BETWEEN ? AND ?"  # noqa: S608
    )
    for field in range(max(1, source.fields)):
        cursor = connection.execute(sql, (source.id, field, since, until - 1))
        while found := cursor.fetchmany(CHUNK_ROWS):
            yield _rows_read(found)


def columns_of(rows: Rows) -> list[NDArray[Any]]:
    """The columns as the tables have them: NULL where a bucket has no value. (SQLite keeps NaN as NULL.)"""
    columns: dict[str, NDArray[Any]] = {
        **dict(zip(WHOLE, rows.whole, strict=True)),
        **dict(zip(REAL, rows.real, strict=True)),
    }
    none = rows.count == 0
    if none.any():
        columns["sum"] = np.where(none, np.nan, rows.sum)
        for name in ("first_t", "last_t"):
            columns[name] = columns[name].astype(np.object_)
            columns[name][none] = None
    return [columns[name] for name in ORDER]


def _rows_read(found: list[tuple[Any, ...]]) -> Rows:
    columns = dict(zip(ORDER, zip(*found, strict=True), strict=True))
    for name in ("first_t", "last_t"):
        columns[name] = tuple(0 if t is None else t for t in columns[name])
    whole = np.array([columns[name] for name in WHOLE], dtype=np.int64)
    rows = Rows(whole, np.array([columns[name] for name in REAL], dtype=np.float64))
    rows.sum[rows.count == 0] = 0.0
    return rows


def _of_ticks(connection: sqlite3.Connection, source: Source, since: int, until: int, width: int) -> Iterator[Rows]:
    for t, v in ticks_between(connection, source, since, until):
        quantity = None if source.quantity is None else v[:, source.quantity]
        yield combined(rows_of(np.full(len(t), source.id), t, v, quantity, WIDTHS[0]), width)


def ticks_between(
    connection: sqlite3.Connection, source: Source, since: int, until: int
) -> Iterator[tuple[Times, Values]]:
    """Event times and values (float64[n, fields]) of the stream's ticks, in the order of coming, in parts."""
    values = "".join(f", k.v{field}" for field in range(source.fields))
    # With no LIMIT, SQLite leaves out an order that it thinks nobody can see.
    cursor = connection.execute(
        f"""WITH b AS MATERIALIZED ({BLOCKS_SQL} ORDER BY r0 LIMIT -1)
        SELECT k.t{values} FROM b CROSS JOIN ticks AS k ON k.n BETWEEN b.r0 AND b.r1 AND k.stream = :stream
        WHERE k.t BETWEEN :since AND :last""",  # noqa: S608  # column numbers only
        block_parameters(connection, source.id, since, until),
    )
    while found := cursor.fetchmany(CHUNK_ROWS):
        cells = np.array(found, dtype=np.object_)
        yield cells[:, 0].astype(np.int64), cells[:, 1:].astype(np.float64)


# The blocks that may hold ticks of :stream from :since to :last; :least as `block_parameters` says.
BLOCKS_SQL: Final = (
    "SELECT t0, t1, r0, r1 FROM blocks WHERE stream = :stream AND t0 BETWEEN :least AND :last AND t1 >= :since"
)


def block_parameters(connection: sqlite3.Connection, stream: int, since: int, until: int) -> dict[str, int]:
    """What `BLOCKS_SQL` takes for the times `since` to before `until`."""
    reach = reach_of(connection, stream)
    least = max(since - reach, FIRST_NS) if reach < LAST_NS else FIRST_NS
    return {"stream": stream, "since": since, "last": until - 1, "least": least}


def reach_of(connection: sqlite3.Connection, stream: int) -> int:
    """The longest time between the first and the last tick of a block of the stream, or more; `LAST_NS`: any."""
    found = connection.execute("SELECT reach FROM streams WHERE id = ?", (stream,)).fetchone()
    return int(found[0]) if found else 0


def newest_time(connection: sqlite3.Connection, stream: int) -> int | None:
    """The greatest event time of the stream's ticks; None where it has none."""
    reach = reach_of(connection, stream)
    newest: int | None = None
    for t0, t1 in connection.execute("SELECT t0, t1 FROM blocks WHERE stream = ? ORDER BY t0 DESC", (stream,)):
        if newest is not None and reach < LAST_NS and t0 + reach <= newest:
            break
        newest = t1 if newest is None else max(newest, t1)
    return newest
