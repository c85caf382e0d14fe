"""A program that records consecutive ids without end, and says after each flush how many it has recorded."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.store.recorded import TRADES, ticks
from tuistream.core.batch import Stream
from tuistream.core.outbox import Outbox
from tuistream.sinks import sqlite

OTHER = Stream("feed", "other", "trade", ("price", "qty", "side"))


async def write(path: Path) -> None:
    outbox = Outbox("endless")
    async with sqlite.SqliteSink(path, outbox) as sink:
        known = sink.known.get(TRADES.key)
        first = 0 if known is None or known.ids is None else int(known.ids[-1]) + 1
        print("first", first, flush=True)
        writing = asyncio.create_task(sink.run())
        told = 0
        while not writing.done():
            await outbox.room()
            outbox.offer(ticks(count=37, first=first))
            outbox.offer(ticks(OTHER, 3, first))
            first += 37
            if sink.rows > told:
                told = sink.rows
                print("rows", told, flush=True)
            await asyncio.sleep(0)


if __name__ == "__main__":
    sqlite.FLUSH_SECONDS = 0.002
    asyncio.run(write(Path(sys.argv[1])))
