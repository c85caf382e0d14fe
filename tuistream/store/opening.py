"""Opening a recording for writing and for reading, and SQLite's errors in plain words."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Literal

from tuistream.core.errors import RecordingError, RecordingRefused
from tuistream.store import schema
from tuistream.store.segments import base_of

Sync = Literal["normal", "full"]

BUSY_SECONDS = 1.0
REST_SECONDS = 0.1  # as long as those are waited for who read a file that is to come to rest
CHECKPOINT_PAGES = 8_000  # 32 MB: then the WAL's pages go into the file, for which the disk is waited for
WRITER_CACHE_KIB = 16_384  # a page for each place where rollups grow: each field of each stream, each width
WAL_BYTES_KEPT = 64 << 20  # what a slow reader let grow beyond this is given back

_REASONS = {
    sqlite3.SQLITE_FULL: "disk full",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_BUSY: "locked by another program",
    sqlite3.SQLITE_LOCKED: "locked by another program",
    sqlite3.SQLITE_PERM: "no permission",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
    sqlite3.SQLITE_CORRUPT: "the file is damaged",
    sqlite3.SQLITE_NOTADB: "not an SQLite file",
}


def result_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code, 0 where the error is not SQLite's own."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def reason_of(error: sqlite3.Error) -> str:
    """`error` in a few words: "disk full", "read-only", …"""
    code = result_code(error)
    if code == sqlite3.SQLITE_IOERR:
        return f"input/output error ({error.sqlite_errorname})"
    return _REASONS.get(code, str(error))


def open_for_writing(path: Path, sync: Sync = "normal", index_time: bool = False) -> sqlite3.Connection:
    """Create the recording at `path`, or open it to append. The caller holds its `WriterLock`.

    Raises RecordingError where it cannot be; RecordingRefused for a file that is no recording, or one of a newer
    layout, which stays as it is, to the byte. A file that a crash left is recovered by SQLite here.
    """
    path = path.resolve()
    try:
        if not path.exists():
            create_recording(path, sync)
        elif path.stat().st_size:
            check_recording(path)
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode=rwc", timeout=BUSY_SECONDS, isolation_level=None, uri=True
        )
    except sqlite3.Error as error:
        raise RecordingError(f"cannot record into {path}: {reason_of(error)}") from error
    except OSError as error:
        raise RecordingError(f"cannot record into {path}: {error.strerror}") from error
    try:
        _set_up(connection, path, sync, index_time)
    except sqlite3.Error as error:
        connection.close()
        raise RecordingError(f"cannot record into {path}: {reason_of(error)}") from error
    except RecordingError:
        connection.close()
        raise
    return connection


def check_recording(path: Path) -> None:
    """Look at whose file it is without a lock, a journal or a -shm file of ours. Raises RecordingError."""
    if not path.is_file():
        raise RecordingError(f"{path} is not a file")
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            schema.read_layout(connection, path)
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        raise _unreadable(path, error) from error


def create_recording(path: Path, sync: Sync) -> None:
    """Make an empty recording at `path`, where nothing is yet. It appears whole, so that nobody reads half of it.

    Until then it is there as `PATH-new`, a segment as `BASE-new`; what a crash leaves there the next one clears.
    Raises RecordingError.
    """
    base = base_of(path) or path
    made = base.with_name(f"{base.name}-new")
    leftovers = [made.with_name(f"{made.name}{end}") for end in ("", "-journal", "-wal", "-shm")]
    try:
        for file in leftovers:
            file.unlink(missing_ok=True)
        try:
            connection = sqlite3.connect(made, timeout=BUSY_SECONDS, isolation_level=None)
            try:
                # Nobody knows the file yet: what counts is that it is on the disk when it gets its name.
                connection.execute("PRAGMA synchronous = OFF")
                connection.execute("PRAGMA journal_mode = MEMORY").fetchone()
                _in_transaction(connection, schema.creation())
                connection.execute("PRAGMA journal_mode = WAL").fetchone()
            finally:
                connection.close()
            sync_to_disk(made)
            made.rename(path)
        except (sqlite3.Error, OSError):
            for file in leftovers:
                file.unlink(missing_ok=True)
            raise
        if sync == "full" and os.name == "posix":
            sync_to_disk(path.parent)  # a name survives a power cut only with its folder
    except sqlite3.Error as error:
        raise RecordingError(f"cannot record into {path}: {reason_of(error)}") from error
    except OSError as error:
        raise RecordingError(f"cannot record into {path}: {error.strerror}") from error


def sync_to_disk(path: Path) -> None:
    """Wait until the file, or the names in the folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_at_rest(path: Path) -> bool:
    """Whether the recording at `path` is one plain file, as far as its folder shows."""
    return not any(path.with_name(f"{path.name}{end}").exists() for end in ("-wal", "-shm"))


def bring_to_rest(path: Path) -> bool:
    """Leave one plain file of the recording at `path`, which nobody writes; whether that is so now.

    Not while others read it: then it stays as it is, and whole. The caller holds its lock.
    """
    try:
        check_recording(path)
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=rw", timeout=REST_SECONDS, isolation_level=None, uri=True
        )
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        finally:
            connection.close()
        if mode == "delete" and not wal_path(path).exists():
            # Who was just opening it may have made this anew, and a reader does not remove it. It is of no use now.
            path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    except (sqlite3.Error, OSError, RecordingError):
        return False
    return bool(mode == "delete")


def _set_up(connection: sqlite3.Connection, path: Path, sync: Sync, index_time: bool) -> None:
    connection.execute(f"PRAGMA synchronous = {'FULL' if sync == 'full' else 'NORMAL'}")
    # macOS: without these a sync stops at the drive's cache, and a power cut could break the file.
    connection.execute(f"PRAGMA fullfsync = {'ON' if sync == 'full' else 'OFF'}")
    connection.execute("PRAGMA checkpoint_fullfsync = ON")
    connection.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES_KEPT}")
    # An empty file that was there. Made before WAL is turned on, so that it says whose it is from its first page on.
    if not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        _in_transaction(connection, schema.creation())
    layout = schema.read_layout(connection, path)
    if layout < schema.LAYOUT:
        schema.migrate(connection, layout)
    # Where the file system has no shared memory this stays a rollback journal: slower, and no less safe.
    connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if index_time:
        connection.execute(schema.time_index())


def _in_transaction(connection: sqlite3.Connection, statements: list[str]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in statements:
            connection.execute(statement)
        connection.execute("COMMIT")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A read-only connection to the recording at `path`, which another process may be writing.

    Raises RecordingError where there is none, or where it is no recording of a layout that is known.
    """
    real = path.resolve()
    try:
        if not real.is_file():
            raise RecordingError(f"{path} is not a file" if real.exists() else f"{path}: no such file")
        if not real.stat().st_size:
            raise RecordingError(f"{path} is empty, not a recording")
    except OSError as error:
        raise RecordingError(f"cannot read {path}: {error.strerror}") from error
    try:
        return _connect_reading(f"{real.as_uri()}?mode=ro", path)
    except sqlite3.OperationalError as error:
        # A WAL needs a -shm file, which a read-only directory does not let us make; a file at rest needs neither.
        if result_code(error) not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY) or _has_wal(real):
            raise _unreadable(path, error) from error
    except sqlite3.DatabaseError as error:
        raise _unreadable(path, error) from error
    try:
        return _connect_reading(f"{real.as_uri()}?mode=ro&immutable=1", path)
    except sqlite3.DatabaseError as error:
        raise _unreadable(path, error) from error


def _connect_reading(uri: str, path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, timeout=BUSY_SECONDS, isolation_level=None, uri=True)
    try:
        schema.read_layout(connection, path)
    except (sqlite3.Error, RecordingError):
        connection.close()
        raise
    return connection


def _has_wal(path: Path) -> bool:
    wal = wal_path(path)
    return wal.exists() and wal.stat().st_size > 0


def wal_path(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _unreadable(path: Path, error: sqlite3.Error) -> RecordingError:
    if result_code(error) == sqlite3.SQLITE_NOTADB:
        return RecordingRefused(f"{path} is not a recording (not an SQLite file)")
    return RecordingError(f"cannot read {path}: {reason_of(error)}")
