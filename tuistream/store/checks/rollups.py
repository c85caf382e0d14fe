"""Whether the rows of the rollups are what the ticks give."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tuistream.core.batch import Values
from tuistream.core.text import printable
from tuistream.store import catalog
from tuistream.store.buckets import FIRST_NS, LAST_NS, WIDTHS, Rows, bucket_of, combined, filled, joined
from tuistream.store.checks.findings import File
from tuistream.store.rollups import BLOCKS_SQL, TABLES, Source, block_parameters, rows_between, stored_rows
from tuistream.store.thinned import MINUTE, is_thinned, removed

ROWS_WANTED: Final = 200_000  # ticks or shorter rows to compute one stretch from; the stretch is chosen so
MOST_BUCKETS: Final = 50_000
_TOLERANCE: Final = 1e-11  # of the greatest value times their number: sums depend on the order of adding


def check_rollups(file: File) -> None:
    """The rows of each stretch that is said to be complete, beside what shorter rows give, and of these the ticks."""
    entries: dict[int, catalog.Entry] = {}
    thinned = False
    with file.step("the streams"):
        thinned = is_thinned(file.connection)
        entries = {entry.id: entry for entry in catalog.load(file.connection).entries.values()}
        known = ", ".join(map(str, WIDTHS))
        sql = f"SELECT stream, width, since, until FROM rollups WHERE width NOT IN ({known})"  # noqa: S608
        for stream, width, since, _ in file.connection.execute(sql):
            file.findings.add("rollup", f"there are no rollups of {width} ns", f"stream {stream}", t=since)
        strangers = "SELECT DISTINCT stream FROM rollups WHERE stream NOT IN (SELECT id FROM streams)"
        for (stream,) in file.connection.execute(strangers):
            file.findings.add("rollup", f"stream {stream} is not in the table of streams")
    for entry in entries.values():
        source = Source(entry.id, len(entry.stream.fields), catalog.quantity_of(entry.stream))
        name = printable(entry.stream.label, 60)
        for width in WIDTHS:
            with file.step(f"the rollups of {name}"):
                spans = file.connection.execute(
                    "SELECT since, until FROM rollups WHERE stream = ? AND width = ? ORDER BY since",
                    (source.id, width),
                ).fetchall()
            _check_order(file, name, width, spans)
            for since, until in spans if not thinned or width != MINUTE else ():
                _check_span(file, source, name, width, since, until)
        with file.step(f"the blocks of {name}"):
            counted = "SELECT coalesce(sum(r1 - r0 + 1), 0) FROM blocks WHERE stream = ?"
            file.findings.done += file.connection.execute(counted, (source.id,)).fetchone()[0]


def check_thinned(file: File) -> None:
    """Of a file of rollups: whether they are of as many ticks as were removed; their values nobody knows."""
    with file.step("what was removed"):
        if not is_thinned(file.connection):
            return
        sql = f"SELECT count(*), coalesce(sum(ticks) FILTER (WHERE field = 0), 0) FROM {TABLES[MINUTE]}"  # noqa: S608
        rows, ticks = file.connection.execute(sql).fetchone()
        file.findings.buckets += rows
        _, rolled = removed(file.connection)
        if ticks != rolled:
            text = f"{TABLES[MINUTE]} has {ticks:,} ticks; {rolled:,} are said to be in it"
            file.findings.add("rollup", text)


def _check_order(file: File, name: str, width: int, spans: list[tuple[int, int]]) -> None:
    before = FIRST_NS
    for since, until in spans:
        if since >= until or since < before or bucket_of(since, width) != since or until % width:
            text = f"{TABLES[width]}: a stretch from {since} to {until} cannot be"
            file.findings.add("rollup", text, name, t=since)
        before = max(before, until)


def _check_span(file: File, source: Source, name: str, width: int, since: int, until: int) -> None:
    """Stretch after stretch, each in a read transaction of its own."""
    at: int | None = since
    buckets = 1_000
    while at is not None and at < until:
        begin, at = at, None  # where it cannot be read, that was noted, and the next may well be no better
        with file.step(f"the rollups of {name}"):
            begin = _next_bucket(file, source, width, begin)
            end = min(until, begin // width * width + buckets * width)
            if begin < end:
                used = _check_stretch(file, source, name, width, begin, end)
                buckets = max(1, min(MOST_BUCKETS, buckets * ROWS_WANTED // max(used, ROWS_WANTED // 10)))
                at = end


def _check_stretch(file: File, source: Source, name: str, width: int, since: int, until: int) -> int:
    """How many ticks, or shorter rows, it took."""
    wanted = rows_between(file.connection, source, width, since, until, anew=True)
    stored = combined(joined(list(stored_rows(file.connection, source, width, since, until))), 1)
    orphans = ~np.isin(stored.bucket, stored.bucket[stored.field == 0])
    for bucket in np.unique(stored.bucket[orphans]).tolist():
        file.findings.add("rollup", f"{TABLES[width]} has no row of field 0, but of others", name, t=bucket)
    _compare(file, source, name, width, wanted, filled(stored.take(~orphans), max(1, source.fields)))
    return int(wanted.ticks[wanted.field == 0].sum()) if width == WIDTHS[0] else 60 * len(wanted)


def _next_bucket(file: File, source: Source, width: int, since: int) -> int:
    """The first bucket from `since` on that may have ticks or rows: years without any are not walked through."""
    connection = file.connection
    here = block_parameters(connection, source.id, since, since + 1)
    row = f"SELECT bucket FROM {TABLES[width]} WHERE stream = ? AND field = 0 AND bucket >= ? ORDER BY bucket LIMIT 1"  # noqa: S608
    block = "SELECT t0 FROM blocks WHERE stream = ? AND t0 >= ? ORDER BY t0 LIMIT 1"
    within = f"""SELECT min(k.t) FROM ({BLOCKS_SQL}) AS b CROSS JOIN ticks AS k ON k.n BETWEEN b.r0 AND b.r1
        WHERE k.stream = :stream AND k.t >= :since"""  # noqa: S608
    found = [connection.execute(sql, (source.id, since)).fetchone() for sql in (row, block)]
    found.append(connection.execute(within, here).fetchone())
    times = [first[0] for first in found if first is not None and first[0] is not None]
    return max(since, bucket_of(min(times), width)) if times else LAST_NS


def _compare(file: File, source: Source, name: str, width: int, wanted: Rows, stored: Rows) -> None:
    """Both by field and bucket."""
    file.findings.buckets += len(stored)
    table = TABLES[width]
    keys = [list(zip(rows.field.tolist(), rows.bucket.tolist(), strict=True)) for rows in (wanted, stored)]
    if keys[0] != keys[1]:
        for field, bucket in sorted(set(keys[0]) - set(keys[1]))[:100]:
            file.findings.add("rollup", f"{table} has no row of field {field} where there are ticks", name, t=bucket)
        for field, bucket in sorted(set(keys[1]) - set(keys[0]))[:100]:
            file.findings.add(
                "rollup", f"{table} has a row of field {field} where there are no ticks", name, t=bucket
            )
        return
    some = wanted.count > 0
    differs: dict[str, NDArray[np.bool_]] = {
        name: some & (getattr(wanted, name) != getattr(stored, name))
        for name in ("first", "last", "low", "high", "first_t", "last_t")
    }
    differs |= {name: getattr(wanted, name) != getattr(stored, name) for name in ("count", "ticks")}
    greatest = np.maximum(np.abs(wanted.low), np.abs(wanted.high))
    differs["sum"] = some & ~_near(wanted.sum, stored.sum, greatest * wanted.count)
    traded = wanted.field == (source.quantity or 0)
    scale = np.tile((greatest * wanted.count)[traded], max(1, source.fields))
    differs["quantity"] = ~_near(wanted.quantity, stored.quantity, scale)
    for column, wrong in differs.items():
        for row in np.flatnonzero(wrong).tolist():
            values = [f"{getattr(rows, column)[row]}" for rows in (stored, wanted)]
            text = f"{table}: {column} of field {wanted.field[row]} is {values[0]}, its ticks give {values[1]}"
            file.findings.add("rollup", text, name, t=int(wanted.bucket[row]))


def _near(wanted: Values, stored: Values, scale: Values) -> NDArray[np.bool_]:
    """Whether sums agree as far as the order of adding lets them; what overflowed on the way says nothing."""
    with np.errstate(over="ignore", invalid="ignore"):
        near = np.abs(wanted - stored) <= _TOLERANCE * scale
    same: NDArray[np.bool_] = near | (wanted == stored) | (np.isnan(wanted) & np.isnan(stored)) | ~np.isfinite(scale)
    return same
