"""The sink that records into an SQLite file."""

from __future__ import annotations

import asyncio
import math
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType

from tuistream.core.batch import Batch, StreamKey
from tuistream.core.board import Item
from tuistream.core.errors import RecordingError
from tuistream.core.outbox import Entry, Loss, Outbox
from tuistream.core.session import Known
from tuistream.core.status import Event, RecordingStatus
from tuistream.store.flush import Flush, prepare
from tuistream.store.opening import Sync, reason_of, result_code
from tuistream.store.recorder import Recorder
from tuistream.store.rotation import Retention, Rotation
from tuistream.store.writer import Displaced, Writer

FLUSH_SECONDS = 0.23  # from one flush to the next: with the time to write, what comes is in the file within 250 ms
LAST_SECONDS = 0.16  # what comes so long after a flush begins one: the loop is awake then, no timer need wake it
ENOUGH_ROWS = 20_000  # with so many a flush waits for no more
FLUSH_ROWS = 100000  # at most in one transaction: the busier the loop, the more a transaction has to carry
HEARTBEAT_SECONDS = 10.0
FIRST_RETRY_SECONDS = 0.1
LAST_RETRY_SECONDS = 5.0
DRAIN_SECONDS = 5.0  # how long a sink that fails is tried when it is to close

RECORDING = "recording"
FAILING = "failing"

# After these the connection is as good as before; after any other a new one is opened.
_PASSING = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY)
# A statement that SQLite cannot take is a mistake of ours and ends the program; trying again would not help.
_MISTAKES = (sqlite3.ProgrammingError, sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.DataError)


class _Bell(asyncio.Event):
    """The outbox's `wake`; one that rings when `due` (monotonic seconds) is past ends the pause as well."""

    def __init__(self) -> None:
        super().__init__()
        self.due = math.inf
        self.go_on = asyncio.Event()

    def set(self) -> None:
        super().set()
        if time.monotonic() >= self.due:
            self.go_on.set()


class SqliteSink:
    """Records what comes through `outbox` into the file at `path`.

    `await open()`, then `run()` in a task; `stop()` lets `run` end once the outbox is drained, and `close()` drains
    what is left, also where `run` was cancelled. `async with` is `open` and `close`.

    A flush is one transaction: it is written wholly, or kept in hand and tried again, so that nothing is lost or
    written twice. While that fails the outbox keeps what it has room for, and what it had none for becomes a gap
    per stream as soon as writing works again.

    With `rotation`, or after `rotate()`, the recording goes on in a new file from a flush on: the rows of one flush
    are in one file. The file before is brought to rest meanwhile, and files that `retention` does not keep are
    removed; each is an event.

    rows, gaps, items: ticks, gap rows and, where the outbox takes media, texts and the like committed by this run.
    bytes: size of the recording's files with their WALs. state: "recording" or "failing", and then `reason`.
    pending: ticks waiting. unstored: ticks that waited and could not be written before `close` gave up
    (`outbox.lost_rows` are those that found no room to wait).
    tried_at, written_at: when the last flush ended, and when the last one did that was written (monotonic seconds).
    file: the one that is written. known: what the recording held of each stream when it was opened. unclean: when
    the last session before this was last alive (ns since 1970 UTC), if it did not end as it should, else None.
    """

    def __init__(
        self,
        path: Path,
        outbox: Outbox,
        settings: Mapping[str, object] | None = None,
        *,
        sync: Sync = "normal",
        index_time: bool = False,
        clock: Callable[[], int] = time.time_ns,
        rotation: Rotation | None = None,
        retention: Retention | None = None,
        note: Callable[[Event], None] | None = None,
    ) -> None:
        """`settings` go into the session's row: no secrets. `clock`: ns since 1970 UTC.

        `note` takes events about the files, and passes them on to `outbox`; without it they go there at once.
        """
        self.path = path
        self.outbox = outbox
        self.rows = 0
        self.gaps = 0
        self.items = 0
        self._lost_items_told = 0
        self.state = RECORDING
        self.reason = ""
        self.tried_at = self.written_at = time.monotonic()
        self._abandoned = 0
        self._recorder = Recorder(
            path, settings or {}, sync, index_time, clock, note or outbox.note, rotation, retention
        )
        self._clock = clock
        self._hand: list[Entry] = []
        self._took_at = -math.inf  # monotonic seconds
        self._writing = asyncio.Lock()
        self._flushing: asyncio.Task[bool] | None = None
        self._stopped = False
        self._bell = _Bell()
        outbox.wake = self._bell
        if len(outbox):
            self._bell.set()
        self._retry = FIRST_RETRY_SECONDS
        self._deadline: float | None = None

    @property
    def _writer(self) -> Writer:
        return self._recorder.writer

    @property
    def file(self) -> Path:
        return self._writer.path

    @property
    def known(self) -> dict[StreamKey, Known]:
        return self._recorder.known

    @property
    def unclean(self) -> int | None:
        return self._recorder.unclean

    @property
    def bytes(self) -> int:
        return self._recorder.bytes

    @property
    def pending(self) -> int:
        return self.outbox.rows + _count_rows(self._hand)

    @property
    def unstored(self) -> int:
        return self._abandoned

    def status(self) -> RecordingStatus:
        return RecordingStatus(
            self.state,
            str(self.path),
            self.reason,
            rows=self.rows,
            gaps=self.gaps,
            bytes=self.bytes,
            pending=self.pending,
            lost=self.outbox.lost_rows,
            items=self.items,
            lost_items=self.outbox.lost_items,
        )

    async def open(self) -> None:
        """Take the lock, create or open the file. Raises RecordingError; RecordingLocked where another has it."""
        await self._recorder.open()

    def rotate(self) -> None:
        """Go on in a new file with the next flush, which is now, or as soon as writing works."""
        self._recorder.asked = True
        self._bell.set()

    async def run(self) -> None:
        """Write until `stop` was called and all is written, or until `DRAIN_SECONDS` after it if that fails."""
        rate = 0.0
        loop = asyncio.get_running_loop()
        began = loop.time()
        while not self._stopped:
            await self._wait(rate)
            rows = self.pending
            written = await self._flush()
            now = loop.time()
            rate = rows / max(now - began, 1e-3)
            began = now
            if not written:
                await self._pause(self._backoff())
        await self._drain()

    def stop(self) -> None:
        """Let `run` write what waits, and end."""
        self._stopped = True
        self._bell.go_on.set()
        self._bell.set()

    @asynccontextmanager
    async def at_rest(self) -> AsyncIterator[None]:
        """Write what waits, for at most `DRAIN_SECONDS`; then nothing is written while the block lasts.

        So the process may be stopped in it, and holds no lock on the file that would keep other writers waiting.
        """
        await self._write_all(asyncio.get_running_loop().time() + DRAIN_SECONDS)
        async with self._writing:
            await self._recorder.settled()
            yield

    async def close(self) -> None:
        """Write what waits, end the session, release the file. Counts in `unstored` what could not be written."""
        self.stop()
        try:
            await self._drain()
        finally:
            self._abandoned += self.pending
            self.outbox.lost_items += self.outbox.items + _count_items(self._hand)
            self._hand = []
            self.outbox.close()
            await self._recorder.close()

    async def __aenter__(self) -> SqliteSink:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def _wait(self, rate: float) -> None:
        """Until there is something to write and more may have joined it, or the session should be marked as alive.

        rate: rows/s of late; where these are many, the wait is only as long as a transaction takes to fill.
        """
        if self._hand:
            return
        heartbeat = asyncio.get_running_loop().call_later(HEARTBEAT_SECONDS, self._bell.set)
        try:
            await self._bell.wait()
        finally:
            heartbeat.cancel()
        enough = min(ENOUGH_ROWS, self.outbox.limit // 4)  # a feed should never have to wait for our pause
        since = time.monotonic() - self._took_at
        if len(self.outbox) and self.outbox.rows < enough and since < LAST_SECONDS:
            self._bell.due = self._took_at + LAST_SECONDS
            await self._pause(min(FLUSH_SECONDS - since, enough / rate if rate else FLUSH_SECONDS))
            self._bell.due = math.inf

    async def _pause(self, seconds: float) -> None:
        """Sleep, but not past `stop`, nor past what comes once the bell is `due`.

        No `asyncio.timeout`: at a few ticks a second, ending each sleep with an exception is a cost that shows.
        """
        if self._stopped:
            return
        go_on = self._bell.go_on
        go_on.clear()
        timer = asyncio.get_running_loop().call_later(seconds, go_on.set)
        try:
            await go_on.wait()
        finally:
            timer.cancel()

    async def _drain(self) -> None:
        """Write all that waits, for at most `DRAIN_SECONDS` after the first call."""
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().time() + DRAIN_SECONDS
        await self._write_all(self._deadline)

    async def _write_all(self, deadline: float) -> None:
        """Write all that waits, until `deadline` on the loop's clock at most."""
        loop = asyncio.get_running_loop()
        if self._flushing is not None and not self._flushing.done():
            await asyncio.shield(self._flushing)  # that of `run`, which may have been cancelled in the middle of it
        while (self._hand or len(self.outbox) or self.outbox.lost) and (left := deadline - loop.time()) > 0:
            if not await self._flush():
                await asyncio.sleep(min(self._backoff(), left))

    def _backoff(self) -> float:
        seconds = self._retry
        self._retry = min(2 * seconds, LAST_RETRY_SECONDS)
        return seconds

    async def _flush(self) -> bool:
        """Write one transaction, to its end even if the caller is cancelled."""
        self._flushing = asyncio.ensure_future(self._flush_once())
        return await asyncio.shield(self._flushing)

    async def _flush_once(self) -> bool:
        async with self._writing:
            if not self._hand:
                self._took_at = time.monotonic()
                self._hand = self.outbox.take(FLUSH_ROWS)
                if self.state == RECORDING:  # else the file may have what is in hand, although it said otherwise
                    await self._recorder.turn_if_due(bool(self._hand))
            try:
                await self._commit()
            except _MISTAKES:
                raise
            except sqlite3.Error as error:
                if result_code(error) not in _PASSING:
                    await self._writer.drop()
                self._fail(reason_of(error))
                return False
            except RecordingError as error:
                await self._writer.drop()
                self._fail(str(error))
                return False
            self._succeeded()
            return True

    async def _commit(self) -> None:
        await self._writer.ready()
        if self._writer.ahead:
            self._writer.ahead = False  # the last try had been written, although it was said to have failed
            return
        try:
            await self._writer.commit(self._prepared())
        except Displaced:
            await self._writer.leave()
            told = "the recording had been moved or removed; a new file goes on"
            self._hand.append(Event(self._clock(), "", "notice", told))
            await self._writer.ready()
            await self._writer.commit(self._prepared())

    def _prepared(self) -> Flush:
        return prepare(self._hand, self._writer.catalog, self._clock())

    def _fail(self, reason: str) -> None:
        self.tried_at = time.monotonic()
        self.state, self.reason = FAILING, reason
        self.outbox.fail(reason)

    def _succeeded(self) -> None:
        self.tried_at = self.written_at = time.monotonic()
        self.rows += _count_rows(self._hand)
        self.gaps += sum(isinstance(item, Event) and item.kind == "gap" for item in self._hand)
        self.items += _count_items(self._hand)
        self._hand = []
        if self.outbox.failing or self.outbox.lost:
            self._hand += _gaps(self.outbox.lost, self.reason, self._clock())
            self.outbox.lost.clear()
            self.outbox.recover()
        if lost := self.outbox.lost_items - self._lost_items_told:
            self._lost_items_told = self.outbox.lost_items
            text = f"{lost:,} texts, pictures or the like found no room to wait and are not recorded"
            self._hand.append(Event(self._clock(), "", "lost", text))
        self.state, self.reason = RECORDING, ""
        self._retry = FIRST_RETRY_SECONDS


def _count_rows(items: Sequence[Entry]) -> int:
    return sum(len(item) for item in items if isinstance(item, Batch))


def _count_items(entries: Sequence[Entry]) -> int:
    return sum(isinstance(entry, Item) for entry in entries)


def _gaps(lost: Mapping[StreamKey, Loss], reason: str, now: int) -> list[Event]:
    """One gap for each stream of which ticks did not fit into the outbox while nothing could be written."""
    why = f"recording failed: {reason}"
    return [
        Event(
            now,
            key[0],
            "gap",
            f"{loss.rows:,} ticks lost: {why}",
            key,
            {"from": min(loss.since, loss.to), "to": max(loss.since, loss.to), "reason": why, "missing": loss.rows},
        )
        for key, loss in lost.items()
    ]
