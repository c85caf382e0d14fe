"""A program that records consecutive ids until it is killed: `python -m tests.sinks.endless_writer FILE [PHASE]`.

Says a line for each thing that it begins and ends, so that whoever kills it can hit a certain one: "first ID" once
the recording is open, "rows N" when so many are acknowledged, and for a phase "begin" and "end". The phases:

load        none in particular
checkpoint  each transaction, the WAL being so small that each moves pages into the file
turn        a change to the file of the next day; the clock is set a day forward every few flushes
close       the close, which comes after a few flushes
open        the opening of the recording
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from functools import wraps
from pathlib import Path
from typing import Any

from tests.store.recorded import TRADES, ticks
from tuistream.core.batch import Stream
from tuistream.core.durations import UNITS
from tuistream.core.outbox import Outbox
from tuistream.sinks import sqlite
from tuistream.store import opening
from tuistream.store.recorder import Recorder
from tuistream.store.rotation import Rotation
from tuistream.store.writer import Writer

PHASES = ("load", "checkpoint", "turn", "close", "open")
OTHER = Stream("feed", "other", "trade", ("price", "qty", "side"))
SMALL_WAL = 8  # pages
ROWS = 1_000  # that wait, at most: what a flush has stays small, and a kill hits many places in little time
FLUSHES_A_DAY = 5
FLUSHES = 15  # before a close


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())  # one call, so that a line is there wholly or not at all


def _told(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def telling(*arguments: Any) -> Any:
        say("begin")
        result = method(*arguments)
        say("end")
        return result

    return telling


def _told_async(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(method)
    async def telling(*arguments: Any) -> Any:
        say("begin")
        result = await method(*arguments)
        say("end")
        return result

    return telling


def _tell(phase: str) -> None:
    """Have the begin and the end of the phase said."""
    if phase == "checkpoint":
        opening.CHECKPOINT_PAGES = SMALL_WAL
        setattr(Writer, "_commit", _told(Writer._commit))  # noqa: B010  # mypy would rather not
    elif phase == "turn":
        setattr(Recorder, "_create", _told(Recorder._create))  # noqa: B010
        setattr(Writer, "_finish", _told(Writer._finish))  # noqa: B010  # of the file before
    elif phase == "close":
        setattr(sqlite.SqliteSink, "close", _told_async(sqlite.SqliteSink.close))  # noqa: B010
    elif phase == "open":
        setattr(Recorder, "open", _told_async(Recorder.open))  # noqa: B010


class Days:
    """A clock that can be set a day forward."""

    ahead = 0

    def __call__(self) -> int:
        return time.time_ns() + self.ahead


async def write(path: Path, phase: str) -> None:
    outbox, days = Outbox("endless", ROWS), Days()
    rotation = Rotation(every=UNITS["d"]) if phase == "turn" else None
    async with sqlite.SqliteSink(path, outbox, clock=days, rotation=rotation) as sink:
        known = sink.known.get(TRADES.key)
        first = 0 if known is None or known.ids is None else int(known.ids[-1]) + 1
        say(f"first {first}")
        writing = asyncio.create_task(sink.run())
        told = flushes = 0
        while not writing.done():
            await outbox.room()
            outbox.offer(ticks(count=37, first=first))
            outbox.offer(ticks(OTHER, 3, first))
            first += 37
            if sink.rows > told:
                told = sink.rows
                flushes += 1
                say(f"rows {told}")
                if phase == "turn" and not flushes % FLUSHES_A_DAY:
                    days.ahead += UNITS["d"]
                if phase == "close" and flushes == FLUSHES:
                    sink.stop()
                    break
            await asyncio.sleep(0)
        await writing


if __name__ == "__main__":
    sqlite.FLUSH_SECONDS = 0.002
    wanted = sys.argv[2] if len(sys.argv) > 2 else "load"
    _tell(wanted)
    asyncio.run(write(Path(sys.argv[1]), wanted))
