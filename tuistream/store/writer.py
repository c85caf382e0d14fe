"""The one connection that writes a recording, and its session's row."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import aiosqlite

from tuistream import __version__
from tuistream.core.batch import StreamKey
from tuistream.core.errors import RecordingError
from tuistream.core.session import Known
from tuistream.store import catalog, known
from tuistream.store.append import append
from tuistream.store.flush import Flush
from tuistream.store.lock import WriterLock
from tuistream.store.opening import Sync, open_for_writing, wal_path
from tuistream.store.rolling import Rolling
from tuistream.store.values import storable_json

MEASURE_SECONDS = 1.0


class Displaced(RecordingError):
    """The file that is written has no longer the path that it was opened by."""


class _Connection(aiosqlite.Connection):
    async def call(self, function: Callable[[sqlite3.Connection], None]) -> None:
        """Run `function` in the connection's thread: one hop for a transaction, however many statements it has.

        A hop wakes two threads, which at a few ticks a second is most of what a recording costs.
        """
        await self._execute(function, self._conn)  # type: ignore[no-untyped-call]


class Writer:
    """Appends transactions to the recording at `path`. SQLite's errors (sqlite3.Error) pass through `commit`.

    The caller holds `lock`, or has it taken here, and gives it back. `began`: when the run began, ns since 1970 UTC.

    known: what the file held of each stream when it was opened. unclean: when the last session before this was
    last alive (ns since 1970 UTC), if it did not end as it should. first_session: there was none before.
    catalog: the file's streams. bytes: its size with its WAL, while ticks come as of `MEASURE_SECONDS` ago at most.
    ahead: the file has a transaction whose commit had been reported as failed.
    """

    def __init__(
        self,
        path: Path,
        lock: WriterLock,
        settings: Mapping[str, object],
        sync: Sync,
        index_time: bool,
        clock: Callable[[], int],
        began: int,
    ) -> None:
        self.path = path
        self.known: dict[StreamKey, Known] = {}
        self.unclean: int | None = None
        self.first_session = True
        self.catalog = catalog.Catalog()
        self.bytes = 0
        self.ahead = False
        self._settings = settings
        self._sync = sync
        self._index_time = index_time
        self._clock = clock
        self._began = began
        self._lock = lock
        self._connection: _Connection | None = None
        self._file: os.stat_result | None = None
        self._wal = path
        self._session: tuple[int, int] | None = None  # id, began
        self._flushes = 0
        self._rolling = Rolling.begin()
        self._measured = 0.0
        self._opened = False  # once at least

    async def open(self) -> None:
        """Take the lock, open or create the file, begin the session. Raises RecordingError, RecordingLocked."""
        failures: list[RecordingError] = []

        def connect() -> sqlite3.Connection:
            # aiosqlite does not wait for the end of its thread if this raises, so the failure goes round it.
            try:
                return self._connect()
            except RecordingError as failure:
                failures.append(failure)
                return sqlite3.connect(":memory:")

        connection = _Connection(connect, iter_chunk_size=64)
        await connection
        if failures:
            await connection.close()
            raise failures[0]
        self._connection = connection

    async def ready(self) -> None:
        """Make sure that the connection is open. Raises as `open`."""
        if self._connection is None:
            await self.open()

    async def commit(self, flush: Flush) -> None:
        """Write all of `flush`, or nothing. Raises Displaced before it writes where the path has another file now."""
        await self._open_connection().call(partial(self._commit, flush))
        self._flushes += 1
        self.catalog = flush.catalog

    def _commit(self, flush: Flush, connection: sqlite3.Connection) -> None:
        """In aiosqlite's thread: one transaction, which is over, one way or the other, when this returns."""
        if not self._is_in_place():
            raise Displaced(f"{self.path} has been moved or removed")
        connection.execute("BEGIN IMMEDIATE")
        try:
            rolling = self._write(flush, connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._rolling = rolling
        if time.monotonic() - self._measured >= MEASURE_SECONDS:
            self._measure()

    def _write(self, flush: Flush, connection: sqlite3.Connection) -> Rolling:
        """Write all of `flush`; what the rollups are then."""
        assert self._session is not None
        alive = connection.execute(
            "UPDATE sessions SET alive = ?, rows = rows + ?, flushes = flushes + 1 WHERE id = ?",
            (self._clock(), flush.rows, self._session[0]),
        )
        if not alive.rowcount:
            raise RecordingError(f"the session has vanished from {self.path}")
        return append(flush, connection, self._rolling)

    async def leave(self) -> None:
        """End the session in a file that was moved or removed; `ready` begins one in the file that is there then."""
        await self._end_session()
        await self.drop()
        self._session = None

    async def drop(self) -> None:
        """Close the connection, because it failed; `ready` opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):  # it failed already, and that was told
                await connection.close()

    async def close(self) -> None:
        """End the session, leave one plain file. A failure to write here loses no tick."""
        try:
            await self._end_session(at_rest=True)
        finally:
            await self._close_now()

    async def _close_now(self) -> None:
        try:
            await self.drop()
        finally:
            if self._connection is not None:
                self._connection.stop()
            await asyncio.to_thread(self._measure)

    async def _end_session(self, at_rest: bool = False) -> None:
        if self._connection is not None:
            await self._connection.call(partial(self._finish, at_rest))

    def _finish(self, at_rest: bool, connection: sqlite3.Connection) -> None:
        assert self._session is not None
        now = self._clock()
        with contextlib.suppress(sqlite3.Error):  # the session then counts as one that ended without a word
            connection.execute("UPDATE sessions SET alive = ?, ended = ? WHERE id = ?", (now, now, self._session[0]))
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            if at_rest:
                # A file with no WAL can be read from a read-only place. While others read it, it keeps its WAL.
                connection.execute("PRAGMA journal_mode = DELETE").fetchall()

    def _open_connection(self) -> _Connection:
        if self._connection is None:
            raise RecordingError(f"{self.path} is not open")
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        """In aiosqlite's thread: everything that opening is."""
        self._lock.take()
        connection = open_for_writing(self.path, self._sync, self._index_time)
        try:
            self.catalog = catalog.load(connection)
            self._rolling = Rolling.begin()  # anew from the file: a failure may have undone some of it
            self._begin_session(connection)
            self._file = self.path.stat()
            self._wal = wal_path(self.path.resolve())
            self._measure()
            self._opened = True
        except (sqlite3.Error, OSError) as error:
            connection.close()
            raise RecordingError(f"cannot record into {self.path}: {error}") from error
        return connection

    def _begin_session(self, connection: sqlite3.Connection) -> None:
        """Begin a session in the file; or go on with ours after a failure."""
        if self._session is not None:
            there = connection.execute(
                "SELECT flushes FROM sessions WHERE id = ? AND began = ?", self._session
            ).fetchone()
            if there is not None:
                self.ahead = there[0] > self._flushes
                self._flushes = there[0]
                return
        elif not self._opened:
            self.known = known.load(connection, self.catalog)
            last = connection.execute("SELECT alive, ended FROM sessions ORDER BY id DESC LIMIT 1").fetchone()
            self.first_session = last is None
            self.unclean = last[0] if last is not None and last[1] is None else None
        began = self._began
        row = (os.getpid(), __version__, storable_json(self._settings), began, self._clock())
        ((number,),) = connection.execute(
            "INSERT INTO sessions (pid, version, settings, began, alive, rows, flushes) VALUES (?, ?, ?, ?, ?, 0, 0)"
            " RETURNING id",
            row,
        ).fetchall()
        self._session = number, began
        self._flushes = 0

    def _is_in_place(self) -> bool:
        try:
            now = self.path.stat()
        except FileNotFoundError:
            return False
        except OSError:
            return True  # no permission to look, perhaps for a moment: what is wrong shows when it is written to
        return self._file is not None and os.path.samestat(now, self._file)

    def _measure(self) -> None:
        """Take the size of the file and its WAL."""
        self._measured = time.monotonic()
        size = 0
        for file in (self.path, self._wal):
            with contextlib.suppress(OSError):
                size += file.stat().st_size
        self.bytes = size
