"""A recording of its own: the ticks that are wanted, and the gaps, with ids, fields and views as they were."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tuistream.core.errors import RecordingError
from tuistream.core.outbox import Outbox
from tuistream.exports.contract import Done
from tuistream.sinks.sqlite import SqliteSink
from tuistream.store.playback import Fields, Selection
from tuistream.store.reading import Reader


def write(path: Path, selection: Selection, done: Done, name: str) -> None:
    """Record the selection into a new file at `path`, which is to be called `name`. Raises RecordingError."""
    asyncio.run(_record(path, selection, done, name))


async def _record(path: Path, selection: Selection, done: Done, name: str) -> None:
    outbox = Outbox(name)
    settings = {"export": [file.name for file in selection.files]}
    async with SqliteSink(path, outbox, settings) as sink:
        writing = asyncio.create_task(sink.run())
        try:
            fields = Fields()
            for file in selection.files:
                await _take(file, selection, fields, outbox, done)
        finally:
            sink.stop()
            await writing
    if sink.unstored or outbox.lost_rows:
        raise RecordingError(f"{sink.unstored + outbox.lost_rows:,} ticks could not be written: {sink.reason}")


async def _take(path: Path, selection: Selection, fields: Fields, outbox: Outbox, done: Done) -> None:
    with Reader(path) as reader:
        done.total += reader.last
        fields.add(list(reader.streams.values()))
        numbers = selection.numbers(reader.streams)
        for chunk in reader.chunks(selection.since, selection.until, numbers):
            for batch in chunk:
                outbox.offer(fields.of(batch))
                done.rows += len(batch)
                done.read += len(batch)
            await outbox.room()
            if outbox.failing:
                raise RecordingError(f"cannot write {outbox.name}: {outbox.failing}")
        wanted = {reader.streams[number].key for number in (reader.streams if numbers is None else numbers)}
        for gap in reader.gaps(selection.since, selection.until):
            if gap.stream is None or gap.stream in wanted:
                outbox.note(gap)
                await outbox.room()
