"""What one transaction adds to a recording."""

from __future__ import annotations

import sqlite3

from tuistream.store.flush import EVENT_SQL, ITEM_SQL, Flush
from tuistream.store.rolling import Rolling


def append(flush: Flush, connection: sqlite3.Connection, rolling: Rolling) -> Rolling:
    """Write all of `flush` into the file, in the caller's transaction; what the rollups are once it is committed."""
    ((row,),) = connection.execute("SELECT coalesce(max(n), 0) FROM ticks").fetchall()
    for sql, parameters in flush.streams:
        connection.execute(sql, parameters)
    rolling, rolled = rolling.after(flush, connection)
    for ticks in flush.ticks:
        for sql, rows in ticks.statements():
            connection.executemany(sql, rows)
    for sql, rows in (*flush.blocks_after(row), *rolled):
        connection.executemany(sql, rows)
    if flush.events:
        connection.executemany(EVENT_SQL, flush.events)
    if flush.items:
        connection.executemany(ITEM_SQL, flush.item_rows())
    return rolling
