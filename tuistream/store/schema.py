"""The layout of a recording: its tables, its views, its version, and what is no recording.

A recording is an SQLite file with `application_id` "tuis" and the layout's version in `user_version`. Ticks are
appended in the order of their flushes, each flush sorted by stream; `blocks` tells for each stream and flush
which times and which rows it holds, and serves as the index. A reader that looks for the times `a` to before `b` of a
stream finds all its blocks among those whose t0 is from `a - streams.reach` to before `b`.

Rollups, what readers may rely on. `rollups` tells for which stretches of a stream's event times, from `since` to
before `until`, the rows of `rollup_1s`, `_5s`, `_15s`, `_1m`, `_1h` or `_1d` (`width`, in ns) are complete: each
bucket of the stream that has ticks there has a row for each field, and the rows are what its ticks say, late ones
included, as all is written in one transaction with the ticks. `since` and `until` are multiples of the width, or
before all ticks.
Outside of these stretches there are no rows to rely on, and a reader takes shorter buckets, or the ticks:

- after the newest stretch: the bucket of the newest tick is never in it, as it may not be over, nor are all of 1 s
  that began less than 5 s before it;
- where rows would not be worth their room, because the buckets hold few ticks (a stream of 1 tick/s has none of 1 s);
- all of it in a stream that is drawn against an axis that is not time.

`store/rollups.py` says what to read for a window (`pieces`, `rows_between`, `rolled_until`). A field that the stream
gained has no rows in buckets from before: none of their ticks has a value of it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tuistream.core.errors import RecordingError, RecordingRefused

APPLICATION_ID = int.from_bytes(b"tuis")
LAYOUT = 1
FIRST_COLUMNS = 2
ROLLUP_WIDTHS = ("1s", "5s", "15s", "1m", "1h", "1d")
MAX_COLUMNS = 1_000  # SQLite's own limit is 2,000 columns a table

# Seconds; the same expression in the views and in the index, so that SQLite sees that they agree. A division is
# rounded once: a time that came as a float of seconds is that float again, which t * 1e-9 misses by a bit.
TIME = "t / 1e9"

_MINUTE = 60 * 10**9
_FIRST, _LAST = "-9223372036854775807 - 1", "9223372036854775807"  # ns; SQL has no literal of the least integer

TABLES = (
    """CREATE TABLE streams (
        id INTEGER PRIMARY KEY,
        feed TEXT NOT NULL,          -- without secrets
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        fields TEXT NOT NULL,        -- JSON: [{"name", "unit"}], the first is v0 of ticks
        ids TEXT NOT NULL,           -- what the ids promise: opaque, unique, consecutive
        timed INTEGER NOT NULL,      -- 0 where ticks carry no event time, and t is the receive time
        found TEXT NOT NULL,         -- how the fields were found
        first_seen INTEGER NOT NULL, -- ns since 1970 UTC, as all times here
        axis TEXT NOT NULL,          -- the field that the others are drawn against, where that is not time
        price INTEGER,               -- which of the fields the view trades shows
        quantity INTEGER,            -- which of the fields is how much was traded
        reach INTEGER NOT NULL DEFAULT 0, -- none of its blocks has a t1 - t0 above this
        view TEXT,                   -- the view of this stream's ticks
        UNIQUE (feed, name, kind)
    ) STRICT""",
    """CREATE TABLE ticks (
        n INTEGER PRIMARY KEY,
        stream INTEGER NOT NULL,
        t INTEGER NOT NULL,          -- event time
        recv INTEGER NOT NULL,       -- receive time
        id ANY,                      -- the producer's own
        v0 REAL,
        v1 REAL
    ) STRICT""",
    """CREATE TABLE blocks (
        stream INTEGER NOT NULL,
        t0 INTEGER NOT NULL,         -- the least and the greatest t of the rows r0 to r1 of ticks
        t1 INTEGER NOT NULL,
        r0 INTEGER NOT NULL,
        r1 INTEGER NOT NULL,
        PRIMARY KEY (stream, t0, r0)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE events (
        n INTEGER PRIMARY KEY,
        t INTEGER NOT NULL,
        feed TEXT NOT NULL,
        stream INTEGER,
        kind TEXT NOT NULL,
        text TEXT NOT NULL,
        details TEXT NOT NULL        -- JSON
    ) STRICT""",
    """CREATE TABLE sessions (
        id INTEGER PRIMARY KEY,
        pid INTEGER NOT NULL,
        version TEXT NOT NULL,
        settings TEXT NOT NULL,      -- JSON, without secrets
        began INTEGER NOT NULL,
        alive INTEGER NOT NULL,      -- when it last wrote
        ended INTEGER,               -- NULL: it is running, or it did not end as it should
        rows INTEGER NOT NULL,       -- ticks committed
        flushes INTEGER NOT NULL     -- transactions committed
    ) STRICT""",
    """CREATE TABLE media (
        n INTEGER PRIMARY KEY,
        stream INTEGER NOT NULL,
        t INTEGER NOT NULL,
        recv INTEGER NOT NULL,
        type TEXT NOT NULL,          -- text, image, map …
        data ANY NOT NULL            -- a text as UTF-8, bytes as they came, anything else as JSON
    ) STRICT""",
    *(
        f"""CREATE TABLE rollup_{width} (
        stream INTEGER NOT NULL,
        field INTEGER NOT NULL,      -- position in streams.fields
        bucket INTEGER NOT NULL,     -- its first ns
        first REAL,
        last REAL,
        min REAL,
        max REAL,
        sum REAL,
        count INTEGER NOT NULL,      -- ticks that have a value
        ticks INTEGER NOT NULL,      -- ticks, with a value or without
        first_t INTEGER,             -- event times of `first` and `last`: with them lines go as those of ticks
        last_t INTEGER,
        quantity REAL,               -- the sum of the stream's quantity over these ticks, where it has one
        PRIMARY KEY (stream, field, bucket)
    ) STRICT, WITHOUT ROWID"""
        for width in ROLLUP_WIDTHS
    ),
    """CREATE TABLE rollups (
        stream INTEGER NOT NULL,
        width INTEGER NOT NULL,      -- ns: which of the tables
        since INTEGER NOT NULL,      -- from here to before `until` its rows are complete
        until INTEGER NOT NULL,
        PRIMARY KEY (stream, width, since)
    ) STRICT, WITHOUT ROWID""",
)

VIEWS = (
    """CREATE VIEW gaps AS
    SELECT e.feed, s.name AS stream, s.kind,
        json_extract(e.details, '$.from') AS t0, json_extract(e.details, '$.to') AS t1,
        json_extract(e.details, '$.reason') AS reason,
        json_extract(e.details, '$.first_id') AS first_id, json_extract(e.details, '$.last_id') AS last_id,
        json_extract(e.details, '$.missing') AS missing,
        (json_extract(e.details, '$.to') - json_extract(e.details, '$.from')) * 1e-9 AS seconds
    FROM events AS e LEFT JOIN streams AS s ON s.id = e.stream
    WHERE e.kind = 'gap'""",
)

# Names that no view of a stream may take; SQLite compares names without regard to case.
RESERVED = frozenset(
    (
        "streams",
        "ticks",
        "blocks",
        "events",
        "sessions",
        "media",
        *(f"rollup_{width}" for width in ROLLUP_WIDTHS),
        "rollups",
        "gaps",
        "candles_1m",
        "trades",
        "ticks_named",
        "ticks_time",
    )
)


def creation() -> list[str]:
    """The statements that make a recording of the newest layout in an empty file, for one transaction."""
    return [
        f"PRAGMA application_id = {APPLICATION_ID}",
        f"PRAGMA user_version = {LAYOUT}",
        *TABLES,
        *VIEWS,
        *wide_views(FIRST_COLUMNS),
    ]


def wide_views(columns: int) -> list[str]:
    """The statements that make the views over all `columns` value columns of ticks anew.

    All force the order of their joins. `trades` walks the ticks, so that the newest are found through the index
    on time, where there is one; `ticks_named` walks the streams and their blocks, so that a stream is found
    through these. `candles_1m` has the complete rows of the rollup, and computes those of minutes that have none.
    """
    price = _choose("s.price", columns)
    value = _choose("f.key", columns)
    return [
        "DROP VIEW IF EXISTS trades",
        f"""CREATE VIEW trades (time, price) AS
    SELECT k.{TIME}, {price}
    FROM ticks AS k CROSS JOIN streams AS s ON s.id = k.stream
    WHERE s.price IS NOT NULL AND {price} IS NOT NULL""",  # noqa: S608  # column numbers only
        "DROP VIEW IF EXISTS ticks_named",
        f"""CREATE VIEW ticks_named AS
    SELECT s.feed, s.name AS stream, s.kind, k.n, k.{TIME} AS time, k.t, k.recv, k.id,
        json_extract(f.value, '$.name') AS field, json_extract(f.value, '$.unit') AS unit, {value} AS value
    FROM streams AS s CROSS JOIN json_each(s.fields) AS f
        CROSS JOIN blocks AS b ON b.stream = s.id
        CROSS JOIN ticks AS k ON k.n BETWEEN b.r0 AND b.r1 AND k.stream = s.id""",  # noqa: S608
        "DROP VIEW IF EXISTS candles_1m",
        _candles(columns),
    ]


def _candles(columns: int) -> str:
    """The view of candles. `c` are the stretches of a stream's event times, lo to before hi, without complete rows:
    before, between and behind those with them.
    """
    return f"""CREATE VIEW candles_1m (feed, stream, kind, field, t, time, open, high, low, close, volume, count) AS
    SELECT s.feed, s.name, s.kind, json_extract(f.value, '$.name'), r.bucket, r.bucket / 1e9,
        r.first, r.max, r.min, r.last, r.quantity, r.count
    FROM streams AS s CROSS JOIN json_each(s.fields) AS f
        CROSS JOIN rollups AS u ON u.stream = s.id AND u.width = {_MINUTE}
        CROSS JOIN rollup_1m AS r
            ON r.stream = s.id AND r.field = f.key AND r.bucket >= u.since AND r.bucket < u.until
    WHERE r.count > 0
    UNION ALL
    SELECT feed, stream, kind, field, t, t / 1e9, max(open), max(value), min(value), max(close), sum(quantity),
        count(value)
    FROM (
        SELECT feed, stream, kind, field, minute AS t, value, quantity,
            first_value(value) OVER (PARTITION BY number, place, minute ORDER BY value IS NULL, t, n) AS open,
            first_value(value) OVER
                (PARTITION BY number, place, minute ORDER BY value IS NULL, t DESC, n DESC) AS close,
            number, place
        FROM (
            SELECT s.id AS number, s.feed, s.name AS stream, s.kind, f.key AS place,
                json_extract(f.value, '$.name') AS field, k.t, k.n, k.t - k.t % {_MINUTE} AS minute,
                {_choose("f.key", columns)} AS value, {_choose("s.quantity", columns)} AS quantity
            FROM streams AS s CROSS JOIN (
                SELECT stream, until AS lo,
                    lead(since, 1, {_LAST}) OVER (PARTITION BY stream ORDER BY since, until) AS hi
                FROM (
                    SELECT stream, since, until FROM rollups WHERE width = {_MINUTE}
                    UNION ALL SELECT id, {_FIRST}, {_FIRST} FROM streams
                )
            ) AS c ON c.stream = s.id
            CROSS JOIN blocks AS b ON b.stream = s.id AND b.t0 >= c.lo - s.reach AND b.t0 < c.hi AND b.t1 >= c.lo
            CROSS JOIN ticks AS k ON k.n BETWEEN b.r0 AND b.r1 AND k.stream = s.id AND k.t >= c.lo AND k.t < c.hi
            CROSS JOIN json_each(s.fields) AS f
        )
    )
    GROUP BY number, place, t HAVING count(value) > 0"""  # noqa: S608  # numbers of ours


def _choose(position: str, columns: int) -> str:
    return f"CASE {position} " + " ".join(f"WHEN {i} THEN k.v{i}" for i in range(columns)) + " END"


def add_column(column: int) -> str:
    return f"ALTER TABLE ticks ADD COLUMN v{column} REAL"


def time_index() -> str:
    """The statement for the index on time (`--index-time`), for programs that ask for the newest of `trades`."""
    return f"CREATE INDEX IF NOT EXISTS ticks_time ON ticks ({TIME})"


def identifier(name: str) -> str:
    """`name` quoted for SQL. It must hold no NUL."""
    return '"' + name.replace('"', '""') + '"'


def read_layout(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the layout of the recording behind `connection`.

    Raises RecordingRefused where it is another program's, or newer than this program knows.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (layout,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise RecordingRefused(f"{path} is an SQLite file of another program, not a recording")
    if layout > LAYOUT:
        raise RecordingRefused(f"{path} has layout {layout}; this version of tuistream knows layouts up to {LAYOUT}")
    return int(layout)


def migrate(connection: sqlite3.Connection, layout: int) -> None:  # noqa: ARG001
    """Bring a recording of an older `layout` to the newest, in one transaction. (Layout 1 is the first.)

    A layout 2 comes here as statements that lead from 1 to 2 and end with `PRAGMA user_version = 2`.
    """
    if not 1 <= layout <= LAYOUT:
        raise RecordingError(f"no way is known from layout {layout} to {LAYOUT}")
