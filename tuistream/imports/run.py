"""An import: files through a session into a recording, the way that a feed's ticks go."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from tuistream.core.batch import Batch, StreamKey
from tuistream.core.errors import RecordingError
from tuistream.core.outbox import PENDING_EVENTS, Outbox
from tuistream.core.session import Session
from tuistream.core.status import Event, FeedStatus
from tuistream.core.text import printable
from tuistream.imports import CAPTURE, format_of, open_reader
from tuistream.imports.contract import Part, Progress, Reader, Wishes
from tuistream.sinks.sqlite import SqliteSink
from tuistream.store.opening import Sync

HANDED_OVER = PENDING_EVENTS // 4  # ticks or events at once: each tick may make a gap, and gaps must find room


@dataclass(slots=True)
class Imported:
    """What an import did. rows, gaps: written. repeats: ticks dropped because their id had just come. streams: how
    many. first, last: event times, ns, None without ticks. own_times: the files that have no receive times, where
    that of a tick is its event time.
    """

    progress: Progress = field(default_factory=Progress)
    rows: int = 0
    gaps: int = 0
    repeats: int = 0
    streams: int = 0
    first: int | None = None
    last: int | None = None
    own_times: list[str] = field(default_factory=list)

    def look(self) -> tuple[int, int, int]:
        """How far it is: bytes read, bytes in all, ticks written."""
        return self.progress.done, self.progress.total, self.rows


async def run(
    paths: Sequence[Path],
    db: Path,
    wishes: Wishes,
    done: Imported,
    *,
    sync: Sync = "normal",
    index_time: bool = False,
) -> None:
    """Read the files one after another and record their ticks into `db`; `done` is kept up to date.

    Raises RecordingError where one cannot be read or `db` cannot be written, SettingsError where they are not what
    `wishes` say; what came before is recorded then. The feed waits for the disk, as any feed does.
    """
    asked = _looked_at(paths, db, wishes)
    done.progress.total = sum(path.stat().st_size for path in paths)
    outbox = Outbox(str(db))
    settings = {"import": [path.name for path in paths]}
    importer = _Importer(outbox, done)
    sink = SqliteSink(db, outbox, settings, sync=sync, index_time=index_time)
    with ThreadPoolExecutor(1, "import") as thread:  # one: what reads an SQLite file must stay in its thread
        try:
            async with sink:
                writing = asyncio.create_task(sink.run())
                try:
                    for path in paths:
                        await importer.take(path, asked[path], thread)
                finally:
                    sink.stop()
                    await writing
        finally:  # closed: what waited when the import was cancelled is written, too
            done.rows, done.gaps = sink.rows, sink.gaps
    if sink.unstored or outbox.lost_rows:
        raise RecordingError(f"{sink.unstored + outbox.lost_rows:,} ticks could not be written: {sink.reason}")


def _looked_at(paths: Sequence[Path], db: Path, wishes: Wishes) -> dict[Path, Wishes]:
    """What is wished of each file. What cannot be read is said here, before anything is written."""
    captures = [path for path in paths if format_of(path) == CAPTURE]
    asked = dict.fromkeys(paths, wishes)
    for path in captures:  # all of one import are of one feed
        asked[path] = replace(wishes, feed=wishes.feed or captures[0].name)
    for path in paths:
        if db.exists() and db.samefile(path):
            raise RecordingError(f"{db} cannot be imported into itself")
        open_reader(path, asked[path], Progress())
    return asked


class _Importer:
    """Hands what the readers give to the session, and waits where the sink has no room."""

    def __init__(self, outbox: Outbox, done: Imported) -> None:
        self._outbox = outbox
        self._done = done
        self._session = Session(window=2)  # nobody looks
        self._session.outboxes.append(outbox)
        self._streams: set[StreamKey] = set()
        self._rows = 0

    async def take(self, path: Path, wishes: Wishes, thread: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        reader = await loop.run_in_executor(thread, open_reader, path, wishes, self._done.progress)
        if not reader.receive_times:
            self._done.own_times.append(path.name)
        parts = reader.parts()
        before = self._rows
        try:
            while (part := await self._next(parts, thread)) is not None:
                await self._hand_over(part)
                self._done.rows = self._rows - self._outbox.rows
        finally:
            self._note(path, reader, self._rows - before)

    async def _next(self, parts: Iterator[Part], thread: ThreadPoolExecutor) -> Part | None:
        """The next part, None after the last. A cancellation waits for the thread, which still has the generator."""
        future = asyncio.get_running_loop().run_in_executor(thread, partial(next, parts, None))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            raise

    async def _hand_over(self, part: Part) -> None:
        if part.opens:
            for feed in self._session.feeds.values():
                self._session.interrupt(feed, "between captures")
        for batch in part.batches:
            self._count(batch)
            for start in range(0, len(batch), HANDED_OVER):
                rows = batch.take(slice(start, start + HANDED_OVER))
                if part.as_is:
                    self._outbox.offer(rows)
                else:
                    self._session.ingest(self._feed(batch.stream.feed), [rows])
                await self._room()
        for start in range(0, len(part.events), HANDED_OVER):
            for event in part.events[start : start + HANDED_OVER]:
                self._session.note(event)
            await self._room()

    async def _room(self) -> None:
        await self._session.room()
        if self._outbox.failing:
            raise RecordingError(f"cannot write {self._outbox.name}: {self._outbox.failing}")

    def _count(self, batch: Batch) -> None:
        done = self._done
        self._rows += len(batch)
        self._streams.add(batch.stream.key)
        done.streams = len(self._streams)
        first, last = int(batch.t.min()), int(batch.t.max())
        done.first = first if done.first is None else min(done.first, first)
        done.last = last if done.last is None else max(done.last, last)
        done.repeats = sum(feed.repeats for feed in self._session.feeds.values())

    def _feed(self, name: str) -> FeedStatus:
        return self._session.feeds.get(name) or self._session.add_feed(FeedStatus(name))

    def _note(self, path: Path, reader: Reader, rows: int) -> None:
        text = f"{rows:,} ticks of {printable(path.name)}"
        if not reader.receive_times:
            text += "; their receive time is their event time"
        self._session.note(Event(self._session.clock(), "", "import", text))
