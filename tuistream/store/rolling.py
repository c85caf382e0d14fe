"""Writing rollups: the buckets that are not over, and what each flush adds to the file's rows.

A bucket is written once, when a tick of its stream comes that is in a later one (those of seconds, five together).
The finished rows of one width are what the next is made of, so that sums are sums of few numbers. A tick that comes
late, into a bucket that is written, corrects its row in the same transaction. What is kept here is read back from the
file when a stream has its first tick of a run, so that no end of a run, however sudden, makes a difference.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from tuistream.core.batch import Times, Values
from tuistream.store.buckets import (
    FIRST_NS,
    LAST_NS,
    NO_ROWS,
    WIDTHS,
    Numbers,
    Rows,
    bucket_of,
    buckets_of,
    combined,
    joined,
    rows_of,
    sizes,
    valueless,
)
from tuistream.store.flush import Flush, Insert, Ticks, inserts
from tuistream.store.rollups import COLUMNS, TABLES, Source, columns_of, newest_time, rows_between

# Rows are worth their room where a bucket has so many ticks for each tick's worth of numbers that its rows hold:
# they are begun with so many, and given up with fewer than that.
BEGIN_TICKS: Final = 8.0
GIVE_UP_TICKS: Final = 6.0
# The rows of each width are written when such a stretch is over. Rows of several seconds of one field lie next to one
# another, so that they cost half as much as each second's by themselves, and fewer pages.
STRETCHES: Final = {width: max(width, 5 * 10**9) for width in WIDTHS}

# Rows of open buckets are put together when a bucket is over, or there are more than so many, and times as they need.
PENDING_ROWS: Final = 10_000
PENDING_TIMES: Final = 4
_ROW_NUMBERS: Final = 11  # of a row, its key in part
_TICK_NUMBERS: Final = 4  # of a tick besides its values
_WEIGHT: Final = 1 / 8  # of one bucket in the mean number of ticks a bucket

_SPAN_SQL: Final = (
    "INSERT INTO rollups (stream, width, since, until) VALUES (?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET until = excluded.until"
)
_NO_SPANS_SQL: Final = "DELETE FROM rollups WHERE stream = ?"
_REACH_SQL: Final = "UPDATE streams SET reach = max(reach, ?) WHERE id = ?"


class Level(msgspec.Struct, frozen=True, eq=False):
    """One width. open: rows from the open stretch on (`STRETCHES`), in parts as they came. The others, a stream each:

    kept: whether the rows of finished buckets are written now. since: from when on they are; where they are not,
    `FIRST_NS` as long as no tick lies before the open bucket. density: ticks a bucket of late, NaN where none was
    finished in this run. older: whether the file has stretches of rows besides the one that `since` begins.
    """

    width: int
    open: Rows
    kept: NDArray[np.bool_]
    since: Times
    density: Values
    older: NDArray[np.bool_]

    def with_more(self, parts: Sequence[Rows], least: int) -> Level:
        """With more rows for the buckets that are open. least: how many rows these have when put together."""
        rows = joined([self.open, *parts])
        if len(rows) > PENDING_ROWS + PENDING_TIMES * least:
            rows = combined(rows, self.width)
        return replace(self, open=rows)


class Rolling(msgspec.Struct, frozen=True, eq=False):
    """All that a writer knows for its rollups. Immutable: a transaction that fails leaves nothing behind.

    ids: of the streams that had ticks in this run, rising. newest: the greatest event time of each, `FIRST_NS` where
    it has none. fields: how many each has. reach: as in `streams.reach`, by id. worth: the least and, to begin, the
    greater number of ticks as above (`GIVE_UP_TICKS`, `BEGIN_TICKS`). along: ids of streams that had an axis that is
    not time in this run; they have no rows any more.
    """

    ids: Numbers
    newest: Times
    fields: Numbers
    levels: tuple[Level, ...]
    reach: Mapping[int, int]
    worth: tuple[float, float]
    along: frozenset[int]

    @classmethod
    def begin(cls, worth: tuple[float, float] = (GIVE_UP_TICKS, BEGIN_TICKS)) -> Rolling:
        """For a file that is opened, whatever it holds."""
        none = np.empty(0, np.int64)
        no = np.empty(0, np.bool_)
        levels = tuple(Level(width, NO_ROWS, no, none, np.empty(0), no) for width in WIDTHS)
        return cls(none, none, none, levels, {}, worth, frozenset())

    def after(self, flush: Flush, connection: sqlite3.Connection) -> tuple[Rolling, list[Insert]]:
        """How it is after `flush`, and what to write with it. The ticks of the flush are not yet in the file."""
        reach, statements = self._reach(flush)
        along = self.along | {stream for stream, *_ in flush.blocks if stream not in flush.sources}
        if gone := along - self.along:
            statements.append((_NO_SPANS_SQL, iter([[stream] for stream in sorted(gone)])))
        sources = {number: source for number, source in flush.sources.items() if number not in along}
        known = self._knowing(sources, connection)
        parts = [_partial(ticks, sources) for ticks in flush.ticks]
        newest = known.newest.copy()
        timed = [(stream, t1) for stream, _, t1, _, _ in flush.blocks if stream in sources]
        if timed:
            streams, latest = np.array(timed, dtype=np.int64).T
            at = np.searchsorted(known.ids, streams)
            newest[at] = np.maximum(newest[at], latest)
        levels = []
        for level in known.levels:
            parts = [part for part in parts if len(part)]
            if parts and _only_adds(level, known, newest, parts):
                level, parts = level.with_more(parts, int(known.fields.sum())), []
            elif parts:
                step = _Step(level, known, newest, parts, connection)
                level, parts = step.after, step.finished
                statements += step.statements
            levels.append(level)
        return replace(known, newest=newest, levels=tuple(levels), reach=reach, along=along), statements

    def _reach(self, flush: Flush) -> tuple[Mapping[int, int], list[Insert]]:
        """Powers of two, so that it seldom changes."""
        longer: dict[int, int] = {}
        for stream, t0, t1, _, _ in flush.blocks:
            if t1 - t0 > self.reach.get(stream, 0):
                longer[stream] = min((1 << (t1 - t0).bit_length()) - 1, LAST_NS)
        if not longer:
            return self.reach, []
        changes: list[list[object]] = [[reach, stream] for stream, reach in longer.items()]
        return {**self.reach, **longer}, [(_REACH_SQL, iter(changes))]

    def _knowing(self, sources: Mapping[int, Source], connection: sqlite3.Connection) -> Rolling:
        """With what the file has of the streams that are new here, and with the fields that others gained."""
        there = set(self.ids.tolist())
        new = [source for number, source in sorted(sources.items()) if number not in there]
        known = _with_streams(self, new, connection) if new else self
        wanted = [(number, max(1, source.fields)) for number, source in sources.items()]
        at = np.searchsorted(known.ids, [number for number, _ in wanted])
        fields = np.array([count for _, count in wanted], dtype=np.int64)
        grown = np.flatnonzero(known.fields[at] < fields)
        if not len(grown):
            return known
        counts = known.fields.copy()
        counts[at[grown]] = fields[grown]
        levels = known.levels
        for place in at[grown].tolist():
            added = range(int(known.fields[place]), int(counts[place]))
            levels = tuple(_with_fields(level, int(known.ids[place]), added) for level in levels)
        return replace(known, fields=counts, levels=levels)


def _partial(ticks: Ticks, sources: Mapping[int, Source]) -> Rows:
    """The rows of what one flush has of streams of equally many fields."""
    stream, t, v = ticks.stream, ticks.t, ticks.v
    starts = np.concatenate(([0], np.flatnonzero(stream[1:] != stream[:-1]) + 1))
    ids = stream[starts].tolist()
    if any(number not in sources for number in ids):
        timed = np.isin(stream, list(sources))
        if not timed.any():
            return NO_ROWS
        return _partial(replace(ticks, stream=stream[timed], t=t[timed], v=v[timed]), sources)
    positions = [sources[number].quantity for number in ids]
    quantity = None
    if any(position is not None for position in positions):
        columns = np.array([-1 if position is None else position for position in positions])
        if (columns == columns[0]).all():
            quantity = v[:, columns[0]]
        else:
            column = np.repeat(columns, sizes(starts, len(t)))
            quantity = np.where(column < 0, np.nan, v[np.arange(len(t)), np.maximum(column, 0)])
    return rows_of(stream, t, v, quantity)


def _with_fields(level: Level, stream: int, fields: Iterable[int]) -> Level:
    first = level.open.take((level.open.stream == stream) & (level.open.field == 0))
    return replace(level, open=joined([level.open, *(valueless(first, field) for field in fields)]))


def _with_streams(rolling: Rolling, sources: Sequence[Source], connection: sqlite3.Connection) -> Rolling:
    """With further streams, as the file has them."""
    known = [_of_file(source, connection) for source in sources]
    added = np.array([source.id for source in sources], dtype=np.int64)
    order = np.argsort(np.concatenate([rolling.ids, added]), kind="stable")

    def with_added(old: NDArray[Any], new: Sequence[object]) -> NDArray[Any]:
        return np.concatenate([old, np.array(new, dtype=old.dtype)])[order]

    levels = []
    for position, level in enumerate(rolling.levels):
        parts = [found[position] for _, found in known]
        levels.append(
            Level(
                level.width,
                joined([level.open, *(part.open for part in parts)]),
                with_added(level.kept, [part.kept[0] for part in parts]),
                with_added(level.since, [part.since[0] for part in parts]),
                with_added(level.density, [np.nan] * len(parts)),
                with_added(level.older, [part.older[0] for part in parts]),
            )
        )
    return replace(
        rolling,
        ids=with_added(rolling.ids, added.tolist()),
        newest=with_added(rolling.newest, [newest for newest, _ in known]),
        fields=with_added(rolling.fields, [max(1, source.fields) for source in sources]),
        levels=tuple(levels),
    )


def _of_file(source: Source, connection: sqlite3.Connection) -> tuple[int, list[Level]]:
    """The newest time of a stream, and its levels: what is open of each is read from shorter buckets and ticks."""
    newest = newest_time(connection, source.id)
    levels = []
    before = LAST_NS + 1  # where the shorter buckets that are over end
    for width in WIDTHS:
        begins = FIRST_NS if newest is None else bucket_of(newest, STRETCHES[width])
        rows = NO_ROWS if newest is None else rows_between(connection, source, width, begins, before, anew=True)
        spans = connection.execute(
            "SELECT since, until FROM rollups WHERE stream = ? AND width = ? ORDER BY since DESC LIMIT 2",
            (source.id, width),
        ).fetchall()
        kept = bool(spans) and newest is not None and spans[0][1] == begins
        since = spans[0][0] if kept else FIRST_NS if newest is None else LAST_NS
        levels.append(
            Level(
                width,
                rows,
                np.array([kept]),
                np.array([since], dtype=np.int64),
                np.array([np.nan]),
                np.array([len(spans) > kept]),
            )
        )
        before = begins
    return FIRST_NS if newest is None else newest, levels


def _only_adds(level: Level, known: Rolling, newest: Times, parts: Iterable[Rows]) -> bool:
    """Whether no bucket of the level is over with these rows, and none of them comes late."""
    stretch = STRETCHES[level.width]
    was_open, opens = buckets_of(known.newest, stretch), buckets_of(newest, stretch)
    for part in parts:
        at = np.searchsorted(known.ids, part.stream)
        if (was_open[at] != opens[at]).any() or (part.bucket < was_open[at]).any():
            return False
    return True


def _with(rows: Rows, others: Rows, width: int) -> Rows:
    """Both together, where each by itself is as `combined` makes it; `others` came later."""
    if not len(rows) or not len(others):
        return rows if len(rows) else others
    return combined(joined([rows, others]), width)


class _Step:
    """One level takes what a flush finished one level below, or at the lowest all that it has: rows in parts.

    after: the level then. finished: rows for the next level: buckets that are over, and what came late for others.
    """

    def __init__(
        self, level: Level, known: Rolling, newest: Times, parts: Sequence[Rows], connection: sqlite3.Connection
    ) -> None:
        self._level = level
        self._known = known
        self._connection = connection
        self.statements: list[Insert] = []
        ids, width = known.ids, level.width
        rows = NO_ROWS
        for part in parts:
            rows = _with(rows, combined(part, width), width)
        at = np.searchsorted(ids, rows.stream)
        stretch = STRETCHES[width]
        was_open, opens = buckets_of(known.newest, stretch)[at], buckets_of(newest, stretch)
        stretches = buckets_of(rows.bucket, stretch)
        late, at_open = stretches < was_open, stretches == was_open
        has_news = np.zeros(len(ids), dtype=np.bool_)
        has_news[at] = True
        touched = has_news[np.searchsorted(ids, level.open.stream)]
        going_on = _with(combined(level.open.take(touched), width), rows.take(at_open), width)
        over = buckets_of(going_on.bucket, stretch) < opens[np.searchsorted(ids, going_on.stream)]
        new = ~late & ~at_open
        new_over = new & (stretches < opens[at])
        closed = [going_on.take(over), rows.take(new_over)]
        lateness = rows.take(late)
        since = self._correct(lateness, at[late]) if len(lateness) else level.since
        columns = self._close(joined(closed), opens, since)
        still_open = [level.open.take(~touched), going_on.take(~over), rows.take(new & ~new_over)]
        self.after = Level(width, joined(still_open), *columns)
        self.finished = [*closed, lateness]

    def _close(
        self, closed: Rows, opens: Times, since: Times
    ) -> tuple[NDArray[np.bool_], Times, Values, NDArray[np.bool_]]:
        """Write the rows of buckets that are over, where they are worth it: the level's new columns."""
        level, known = self._level, self._known
        if not len(closed):
            return level.kept, since, level.density, level.older
        at = np.searchsorted(known.ids, closed.stream)
        count = np.bincount(at, minlength=len(known.ids))
        some = count > 0
        mean = np.bincount(at, closed.ticks, len(known.ids)) / np.maximum(count, 1)
        weight = 1 - (1 - _WEIGHT) ** (count / known.fields)
        density = np.where(np.isnan(level.density), mean, level.density + weight * (mean - level.density))
        density = np.where(some, density, level.density)
        cost = known.fields * _ROW_NUMBERS / (known.fields + _TICK_NUMBERS)
        least, begin = known.worth
        worth = density >= np.where(level.kept, least, begin) * cost
        kept = np.where(some, worth, level.kept)
        begins = some & worth & ~level.kept
        earliest = np.full(len(known.ids), LAST_NS)
        np.minimum.at(earliest, at, closed.bucket)
        since = np.where(begins & (since != FIRST_NS), earliest, since)
        since = np.where(some & ~worth, LAST_NS, since)
        self._write(closed.take(kept[at]))
        spans: list[list[object]] = [
            [int(known.ids[place]), level.width, int(since[place]), int(opens[place])]
            for place in np.flatnonzero(some & worth).tolist()
        ]
        if spans:
            self.statements.append((_SPAN_SQL, iter(spans)))
        return kept, since, density, level.older | (level.kept & ~kept)

    def _write(self, rows: Rows) -> None:
        if len(rows):
            # A row that is there already can only be a leftover from where no reader looks.
            self.statements += inserts(TABLES[self._level.width], COLUMNS, columns_of(rows), "INSERT OR REPLACE")

    def _correct(self, rows: Rows, at: NDArray[np.intp]) -> Times:
        """Correct the rows of buckets that are over; `Level.since` as it is then."""
        level = self._level
        covered = level.kept[at] & (rows.bucket >= level.since[at])
        for place in np.unique(at[~covered & level.older[at]]).tolist():
            mine = np.flatnonzero(at == place)
            covered[mine] |= self._is_covered(int(self._known.ids[place]), rows.bucket[mine])
        corrections = rows.take(covered)
        if len(corrections):
            parameters = zip(*(column.tolist() for column in columns_of(corrections)), strict=True)
            self.statements.append((_merge_sql(TABLES[level.width]), map(list, parameters)))
        since = level.since.copy()
        lost = at[~covered]
        since[lost[~level.kept[lost]]] = LAST_NS
        return since

    def _is_covered(self, stream: int, buckets: Times) -> NDArray[np.bool_]:
        """Which of the stream's buckets lie in stretches of which the file has the rows."""
        spans = self._connection.execute(
            "SELECT since, until FROM rollups WHERE stream = ? AND width = ? AND since <= ? AND until > ?",
            (stream, self._level.width, int(buckets.max()), int(buckets.min())),
        )
        covered = np.zeros(len(buckets), dtype=np.bool_)
        for since, until in spans:
            covered |= (buckets >= since) & (buckets < until)
        return covered


def _merge_sql(table: str) -> str:
    """What adds a row of ticks that came late to the one that is there.

    A row that is not there though field 0 has one is that of a field that the stream gained since.
    """
    marks = ", ".join(f"?{number}" for number in range(1, 10))
    same = f"FROM {table} WHERE stream = ?1 AND field = 0 AND bucket = ?3 AND ?2 > 0"
    ticks, quantity = (f"coalesce((SELECT {name} {same}), ?{at})" for name, at in (("ticks", 10), ("quantity", 13)))
    return f"""INSERT INTO {table} AS old ({", ".join(COLUMNS)})
        VALUES ({marks}, {ticks}, ?11, ?12, {quantity})
        ON CONFLICT DO UPDATE SET
        first = iif(first_t IS NULL OR excluded.first_t < first_t, excluded.first, first),
        last = iif(last_t IS NULL OR excluded.last_t >= last_t, excluded.last, last),
        min = coalesce(min(old.min, excluded.min), old.min, excluded.min),
        max = coalesce(max(old.max, excluded.max), old.max, excluded.max),
        sum = CASE 0 WHEN count THEN excluded.sum WHEN excluded.count THEN sum ELSE sum + excluded.sum END,
        count = count + excluded.count,
        ticks = ticks + ?10,
        first_t = coalesce(min(first_t, excluded.first_t), first_t, excluded.first_t),
        last_t = coalesce(max(last_t, excluded.last_t), last_t, excluded.last_t),
        quantity = coalesce(quantity + ?13, quantity, ?13)"""  # noqa: S608
