"""Making small recordings through the real sink."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tuistream.core.batch import Batch, IdRule, Stream, ids_array
from tuistream.core.outbox import Outbox
from tuistream.core.status import Event
from tuistream.sinks.sqlite import SqliteSink

T0 = 1_795_000_000_000_000_000
TRADES = Stream("feed", "BTCUSDT", "trade", ("price", "qty"), ids=IdRule.CONSECUTIVE, found="test")


def ticks(
    stream: Stream = TRADES, count: int = 1, first: int = 0, ids: Sequence[int | str | None] | None = None
) -> Batch:
    """`count` ticks of `stream`, a ms apart; the value of field f of tick i is i + f / 10, its id is i."""
    rows = np.arange(first, first + count, dtype=np.int64)
    t = T0 + rows * 1_000_000
    v = rows[:, None] + np.arange(len(stream.fields)) / 10
    return Batch(stream, t, t + 500, v, rows if ids is None else ids_array(ids))


async def record(path: Path, items: Sequence[Batch | Event], **options: Any) -> SqliteSink:
    """Record `items` into the file at `path`, and close it."""
    outbox = Outbox("test")
    async with SqliteSink(path, outbox, **options) as sink:
        writing = asyncio.create_task(sink.run())
        put(outbox, items)
        sink.stop()
        await writing
    return sink


def put(outbox: Outbox, items: Sequence[Batch | Event]) -> None:
    for item in items:
        if isinstance(item, Batch):
            outbox.offer(item)
        else:
            outbox.note(item)


def query(path: Path, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql, parameters).fetchall()
    finally:
        connection.close()
