"""What the sink does while it cannot write."""

import asyncio
import os
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.store.recorded import TRADES, put, query, record, ticks
from tuistream.core.outbox import Outbox
from tuistream.sinks import sqlite
from tuistream.sinks.sqlite import SqliteSink
from tuistream.store import opening
from tuistream.store.writer import Writer

pytestmark = pytest.mark.skipif(os.name == "nt", reason="removes and renames open files")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.02)
    monkeypatch.setattr(sqlite, "FLUSH_SECONDS", 0.01)
    monkeypatch.setattr(sqlite, "FIRST_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(sqlite, "LAST_RETRY_SECONDS", 0.02)


@asynccontextmanager
async def recording(path: Path, outbox: Outbox) -> AsyncIterator[SqliteSink]:
    async with SqliteSink(path, outbox) as sink:
        writing = asyncio.create_task(sink.run())
        yield sink
        sink.stop()
        await writing


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


async def set_pragma(sink: SqliteSink, pragma: str) -> None:
    """A limit that only the writer's own connection feels."""
    connection = sink._writer._connection
    assert connection is not None
    await connection.execute_fetchall(f"PRAGMA {pragma}")


@asynccontextmanager
async def locked_by_another_program(path: Path) -> AsyncIterator[None]:
    other = sqlite3.connect(path, timeout=10, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def ids_of(path: Path) -> list[int]:
    return [i for (i,) in query(path, "SELECT id FROM ticks ORDER BY n")]


async def test_locked_by_another_program(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    outbox = Outbox("test")
    async with recording(path, outbox) as sink:
        put(outbox, [ticks(count=100)])
        await until(lambda: sink.rows == 100)
        async with locked_by_another_program(path):
            put(outbox, [ticks(count=100, first=100)])
            await until(lambda: sink.state == "failing")
            assert sink.status().reason == "locked by another program"
            assert outbox.failing
            put(outbox, [ticks(count=100, first=200)])
            assert sink.pending == 200
        await until(lambda: sink.state == "recording")
        assert outbox.failing == ""
    assert ids_of(path) == list(range(300))
    assert query(path, "SELECT count(*) FROM gaps") == [(0,)]


async def test_what_does_not_fit_is_a_gap_with_its_count(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    outbox = Outbox("test", limit=150)
    async with recording(path, outbox) as sink:
        async with locked_by_another_program(path):
            put(outbox, [ticks(count=100)])
            await until(lambda: sink.state == "failing")
            for first in range(100, 1_000, 100):
                await outbox.room()  # nobody waits for a sink that fails
                put(outbox, [ticks(count=100, first=first)])
            assert sink.status().lost == 800
        await until(lambda: sink.gaps == 1)
        put(outbox, [ticks(count=100, first=1_000)])
    assert ids_of(path) == [*range(200), *range(1_000, 1_100)]
    gap = query(path, "SELECT stream, kind, t0, t1, reason, missing FROM gaps")
    lost = ticks(count=800, first=200)
    reason = "recording failed: locked by another program"
    assert gap == [("BTCUSDT", "trade", lost.t[0], lost.t[-1], reason, 800)]
    assert sink.unstored == 0


async def test_disk_full(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    outbox = Outbox("test")
    async with recording(path, outbox) as sink:
        put(outbox, [ticks(count=1_000)])
        await until(lambda: sink.rows == 1_000)
        await set_pragma(sink, "max_page_count = 1")
        put(outbox, [ticks(count=5_000, first=1_000)])
        await until(lambda: sink.state == "failing")
        assert sink.reason == "disk full"
        await set_pragma(sink, "max_page_count = 1000000")
        await until(lambda: sink.rows == 6_000)
    assert ids_of(path) == list(range(6_000))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("may not mount a small file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


async def test_a_disk_that_is_full_and_then_has_room(small_disk: Path) -> None:
    path, ballast = small_disk / "a.db", small_disk / "ballast"
    outbox = Outbox("test", limit=10_000)
    async with recording(path, outbox) as sink:
        put(outbox, [ticks(count=100)])
        await until(lambda: sink.rows == 100)
        with pytest.raises(OSError, match="No space"), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        first = 100
        while sink.state == "recording":
            put(outbox, [ticks(count=100, first=first)])
            first += 100
            await asyncio.sleep(0.005)
        assert "full" in sink.reason or "input/output" in sink.reason
        assert query(path, "PRAGMA quick_check") == [("ok",)]
        ballast.unlink()
        await until(lambda: sink.rows == first)
    assert ids_of(path) == list(range(first))
    assert [file.name for file in small_disk.iterdir()] == ["a.db"]


async def test_a_connection_that_fails_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    outbox = Outbox("test")
    async with recording(path, outbox) as sink:
        put(outbox, [ticks(count=100)])
        await until(lambda: sink.rows == 100)
        await set_pragma(sink, "query_only = ON")  # SQLite then says that the database is read-only
        put(outbox, [ticks(count=100, first=100)])
        await until(lambda: sink.rows == 200)
    assert ids_of(path) == list(range(200))
    assert query(path, "SELECT count(*), sum(rows), count(ended) FROM sessions") == [(1, 200, 1)]


async def test_a_commit_that_failed_and_yet_happened_is_not_written_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.db"
    outbox = Outbox("test")
    commit: Any = Writer._commit
    armed = True

    def lying(self: Writer, *arguments: Any) -> None:
        nonlocal armed
        commit(self, *arguments)
        if armed:
            armed = False
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_IOERR, "SQLITE_IOERR"
            raise error

    monkeypatch.setattr(Writer, "_commit", lying)
    async with recording(path, outbox) as sink:
        put(outbox, [ticks(count=100)])
        await until(lambda: sink.rows == 100)
        assert not armed
        put(outbox, [ticks(count=100, first=100)])
    assert ids_of(path) == list(range(200))
    assert query(path, "SELECT rows, flushes FROM sessions") == [(200, 2)]


@pytest.mark.parametrize("moved", [False, True])
async def test_a_file_that_goes_away_is_begun_anew(tmp_path: Path, moved: bool) -> None:
    path, old = tmp_path / "a.db", tmp_path / "old.db"
    outbox = Outbox("test")
    async with recording(path, outbox) as sink:
        put(outbox, [ticks(count=100)])
        await until(lambda: sink.rows == 100)
        if moved:
            path.rename(old)
        else:
            for file in tmp_path.iterdir():
                file.unlink()
        put(outbox, [ticks(count=100, first=100)])
        await until(lambda: sink.rows == 200)
    assert ids_of(path) == list(range(100, 200))
    assert query(path, "SELECT kind, text FROM events") == [
        ("notice", "the recording had been moved or removed; a new file goes on")
    ]
    if moved:
        assert ids_of(old) == list(range(100))
        assert query(old, "PRAGMA integrity_check") == [("ok",)]
        assert query(old, "SELECT count(ended) FROM sessions") == [(1,)]


async def test_a_directory_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    place = tmp_path / "place"
    path = place / "a.db"
    outbox = Outbox("test")
    async with recording(path, outbox) as sink:
        put(outbox, [ticks(count=100)])
        await until(lambda: sink.rows == 100)
        place.rename(tmp_path / "away")
        put(outbox, [ticks(count=100, first=100)])
        await until(lambda: sink.state == "failing")
        assert "No such file or directory" in sink.reason
        (tmp_path / "away").rename(place)
        await until(lambda: sink.rows == 200)
    assert ids_of(path) == list(range(200))


async def test_closing_while_it_fails_says_what_was_not_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "DRAIN_SECONDS", 0.1)
    path = tmp_path / "a.db"
    outbox = Outbox("test")
    async with locked_by_another_program_later(path) as lock:
        async with recording(path, outbox) as sink:
            put(outbox, [ticks(count=100)])
            await until(lambda: sink.rows == 100)
            lock()
            put(outbox, [ticks(count=70, first=100)])
        assert (sink.unstored, sink.rows, sink.pending) == (70, 100, 0)
    assert ids_of(path) == list(range(100))
    again = await record(path, [ticks(count=70, first=100)])
    assert again.unclean is not None
    assert ids_of(path) == list(range(170))


@asynccontextmanager
async def locked_by_another_program_later(path: Path) -> AsyncIterator[Callable[[], object]]:
    others: list[sqlite3.Connection] = []

    def lock() -> None:
        others.append(sqlite3.connect(path, isolation_level=None))
        others[0].execute("BEGIN IMMEDIATE")

    try:
        yield lock
    finally:
        for other in others:
            other.close()


async def test_a_mistake_of_ours_ends_the_run_and_frees_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    outbox = Outbox("test")
    sink = SqliteSink(path, outbox)
    await sink.open()
    batch = ticks(count=3)
    broken = type(batch)(TRADES, np.array([None] * 3), batch.recv, batch.v, None)
    put(outbox, [broken])
    with pytest.raises(TypeError):
        await sink.run()
    with pytest.raises(TypeError):
        await sink.close()
    await record(path, [ticks(count=3)])
    assert ids_of(path) == [0, 1, 2]
