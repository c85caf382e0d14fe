import hashlib
import sqlite3
from pathlib import Path

import pytest

from tests.store.recorded import query, record, ticks
from tuistream.core.errors import RecordingError, RecordingRefused
from tuistream.store import schema
from tuistream.store.opening import Sync, open_for_reading, open_for_writing


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def foreign(path: Path, wal: bool) -> None:
    connection = sqlite3.connect(path)
    if wal:
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE trades (time float, price float)")
    connection.commit()
    connection.close()


def newer(path: Path) -> None:
    open_for_writing(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute(f"PRAGMA user_version = {schema.LAYOUT + 1}")
    connection.commit()
    connection.close()


@pytest.mark.parametrize("what", ["foreign", "foreign in WAL", "text", "newer", "short"])
async def test_what_is_no_recording_is_refused_and_left_alone(tmp_path: Path, what: str) -> None:
    path = tmp_path / "a.db"
    if what.startswith("foreign"):
        foreign(path, what.endswith("WAL"))
    elif what == "newer":
        newer(path)
    else:
        path.write_text("time,price\n1,2\n" * (100 if what == "text" else 1))
    before, there = digest(path), sorted(tmp_path.iterdir())
    with pytest.raises(RecordingRefused, match=r"recording|layout 2"):
        await record(path, [ticks()])
    assert digest(path) == before
    assert sorted(tmp_path.iterdir()) == there


def test_what_is_no_recording_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    foreign(path, wal=False)
    with pytest.raises(RecordingRefused, match="another program"):
        open_for_reading(path)
    path.write_text("time,price\n" * 1000)
    with pytest.raises(RecordingRefused, match="not an SQLite file"):
        open_for_reading(path)
    path.write_bytes(b"")
    with pytest.raises(RecordingError, match="empty"):
        open_for_reading(path)
    with pytest.raises(RecordingError, match="no such file"):
        open_for_reading(tmp_path / "b.db")
    with pytest.raises(RecordingError, match="not a file"):
        open_for_reading(tmp_path)


async def test_a_place_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="not a file"):
        await record(tmp_path, [])
    (tmp_path / "file").write_text("x")
    with pytest.raises(RecordingError, match="Not a directory"):
        await record(tmp_path / "file" / "a.db", [])


async def test_missing_directories_are_made(tmp_path: Path) -> None:
    await record(tmp_path / "a" / "b" / "c.db", [ticks(count=3)])
    assert query(tmp_path / "a" / "b" / "c.db", "SELECT count(*) FROM ticks") == [(3,)]


async def test_a_file_at_rest_is_one_plain_file(tmp_path: Path) -> None:
    path = tmp_path / "odd name?#%.db"
    await record(path, [ticks(count=1000)])
    assert list(tmp_path.iterdir()) == [path]
    assert query(path, "PRAGMA journal_mode") == [("delete",)]
    assert query(path, "PRAGMA application_id") == [(0x74756973,)]
    assert query(path, "PRAGMA user_version") == [(1,)]
    assert query(path, "PRAGMA integrity_check") == [("ok",)]
    strict = query(path, "SELECT name FROM pragma_table_list WHERE type = 'table' AND NOT strict")
    assert all(name.startswith("sqlite_") for (name,) in strict)


async def test_reading_while_another_writes(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    writer = open_for_writing(path)
    reader = open_for_reading(path)
    assert writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    writer.execute("INSERT INTO media (stream, t, recv, type, data) VALUES (1, 2, 3, 'text/plain', 'x')")
    assert reader.execute("SELECT count(*) FROM media").fetchone() == (1,)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM media")
    reader.close()
    writer.close()


@pytest.mark.parametrize(("sync", "level"), [("normal", 1), ("full", 2)])
def test_sync(tmp_path: Path, sync: Sync, level: int) -> None:
    connection = open_for_writing(tmp_path / "a.db", sync)
    assert connection.execute("PRAGMA synchronous").fetchone() == (level,)
    connection.close()
