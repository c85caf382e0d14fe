"""A program that records consecutive ids at a steady pace until SIGTERM: `python -m tests.sinks.steady_writer FILE`.

Each change between recording and failing is a line of JSON with the reason, and the last line says what became of
the ticks. SIGUSR1: a new file. SIGUSR2: the clock goes back by an hour. With SMALL_WAL in the environment each
transaction moves pages from the WAL into the file.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

from tests.store.recorded import ticks
from tuistream.core.durations import UNITS
from tuistream.core.outbox import Outbox
from tuistream.sinks import sqlite
from tuistream.store import opening
from tuistream.store.rotation import Rotation

ROOM = 4_000  # ticks that wait
TICKS, PAUSE = 50, 0.005


class Clock:
    """The time, until it is put back."""

    back = 0

    def __call__(self) -> int:
        return time.time_ns() - self.back


async def write(path: Path) -> None:
    outbox, clock, stopped = Outbox("steady", ROOM), Clock(), asyncio.Event()
    loop = asyncio.get_running_loop()
    offered, told, waits = 0, "", 0.0
    async with sqlite.SqliteSink(path, outbox, clock=clock, rotation=Rotation(every=UNITS["h"])) as sink:

        def put_back() -> None:
            clock.back += UNITS["h"]

        loop.add_signal_handler(signal.SIGTERM, stopped.set)
        loop.add_signal_handler(signal.SIGUSR1, sink.rotate)
        loop.add_signal_handler(signal.SIGUSR2, put_back)
        writing = asyncio.create_task(sink.run())
        while not (stopped.is_set() or writing.done()):
            began = loop.time()
            await outbox.room()
            waits += loop.time() - began
            outbox.offer(ticks(count=TICKS, first=offered))
            offered += TICKS
            state = "recording" if sink.rows and not outbox.failing else sink.state if outbox.failing else ""
            if state and state != told:
                told = state
                say({"state": state, "reason": sink.reason})
            await asyncio.sleep(PAUSE)
        sink.stop()
        await writing
    say({"offered": offered, "rows": sink.rows, "lost": outbox.lost_rows, "unstored": sink.unstored, "waits": waits})


def say(words: dict[str, object]) -> None:
    print(json.dumps(words), flush=True)


if __name__ == "__main__":
    opening.BUSY_SECONDS = 0.2
    if "SMALL_WAL" in os.environ:
        opening.CHECKPOINT_PAGES = 8
    sqlite.FLUSH_SECONDS = 0.02
    sqlite.LAST_RETRY_SECONDS = 0.2
    sqlite.DRAIN_SECONDS = 10.0
    asyncio.run(write(Path(sys.argv[1])))
