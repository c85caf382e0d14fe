import asyncio
import json
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.store.recorded import T0, TRADES, put, query, record, ticks
from tuistream.cli.info import command
from tuistream.core.batch import Stream
from tuistream.core.errors import RecordingError
from tuistream.core.outbox import Outbox
from tuistream.core.status import Event
from tuistream.sinks.sqlite import SqliteSink
from tuistream.store.inspect import inspect
from tuistream.store.rotation import Rotation


def told(path: Path, *options: str) -> str:
    result = CliRunner().invoke(command, [str(path), *options], catch_exceptions=False)
    return result.output


def gap(stream: Stream, first_id: int, last_id: int) -> Event:
    details: dict[str, Any] = {"from": T0, "to": T0 + 10**9, "reason": "ids missing"}
    details |= {"first_id": first_id, "last_id": last_id, "missing": last_id - first_id + 1}
    return Event(T0, stream.feed, "gap", "", stream.key, details)


async def test_what_a_recording_holds(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    book = Stream("feed", "BTCUSDT", "book", ("bid", "ask"))
    await record(path, [ticks(count=12_345), gap(TRADES, 7, 9), ticks(book, 3)])
    await record(path, [ticks(count=1, first=12_345)])
    contents = inspect(path)
    assert (contents.layout, contents.rows, contents.writer, contents.gap_count) == (1, 12_349, None, 1)
    assert (contents.first, contents.last) == (T0, T0 + 12_345_000_000)
    rows = {(s.name, s.kind): (s.fields, s.rows, s.gaps) for s in contents.streams}
    assert rows == {
        ("BTCUSDT", "trade"): (("price", "qty"), 12_346, 1),
        ("BTCUSDT", "book"): (("bid", "ask"), 3, 0),
    }
    assert [(s.end, s.rows) for s in contents.sessions] == [("clean", 12_348), ("clean", 1)]
    text = told(path)
    for part in (
        "12,349 rows in 2 streams",
        "12,346",
        "price, qty",
        "1 gap:",
        "id 7 to 9",
        "3 missing",
        "2 sessions",
    ):
        assert part in text
    values = json.loads(told(path, "--json"))
    assert values["rows"] == 12_349
    assert values["streams"][0]["fields"] == ["bid", "ask"]
    assert values["gaps"][0]["missing"] == 3
    assert values["size"] == path.stat().st_size
    assert list(tmp_path.iterdir()) == [path]


async def test_a_file_that_is_being_written(tmp_path: Path) -> None:
    path, copy = tmp_path / "a.db", tmp_path / "copy"
    outbox = Outbox("test")
    async with SqliteSink(path, outbox) as sink:
        writing = asyncio.create_task(sink.run())
        put(outbox, [ticks(count=100)])
        while sink.rows < 100:
            await asyncio.sleep(0.01)
        contents = inspect(path)
        assert (contents.rows, contents.writer) == (100, os.getpid())
        assert [s.end for s in contents.sessions] == ["running"]
        assert f"being recorded by pid {os.getpid()}" in told(path)
        copy.mkdir()
        for file in tmp_path.glob("a.db*"):
            if not file.name.endswith("-shm"):
                shutil.copy(file, copy)  # what a crash leaves
        sink.stop()
        await writing
    assert [s.end for s in inspect(copy / "a.db").sessions] == ["unclean"]
    text = told(copy / "a.db")
    assert "did not end as it should, last wrote" in text
    (flush,) = query(copy / "a.db", "SELECT alive FROM sessions")[0]
    moment = datetime.fromtimestamp(flush // 10**9).astimezone()
    assert f"did not end as it should: the last flush was at {moment:%Y-%m-%d %H:%M:%S}" in text
    values = json.loads(told(copy / "a.db", "--json"))
    assert (values["end"], values["last_flush"]) == ("unclean", flush)
    assert inspect(copy / "a.db").rows == 100


async def test_the_files_of_a_recording_are_told_as_one(tmp_path: Path) -> None:
    base, hour = tmp_path / "a.db", 3_600 * 10**9
    book, wide = Stream("feed", "BTCUSDT", "book", ("bid",)), Stream("feed", "BTCUSDT", "book", ("ask", "bid"))
    await record(base, [ticks(count=50)], clock=lambda: T0 - hour)
    outbox, now = Outbox("test"), [T0]
    async with SqliteSink(base, outbox, clock=lambda: now[0], rotation=Rotation(every=hour)) as sink:
        writing = asyncio.create_task(sink.run())
        for number, stream in enumerate((book, wide)):
            now[0] = T0 + number * hour
            put(outbox, [ticks(count=10, first=50 + 10 * number), ticks(stream, 3, number), gap(TRADES, 7, 9)])
            while sink.rows < 13 * (number + 1):
                await asyncio.sleep(0.01)
        assert [(s.end, s.rows) for s in inspect(base).sessions] == [("clean", 50), ("running", 26)]
        sink.stop()
        await writing
    contents = inspect(base)
    assert (contents.path, contents.rows, contents.gap_count, contents.end) == (base, 76, 2, "clean")
    assert [(s.rows, s.ended) for s in contents.sessions] == [(50, T0 - hour), (26, now[0])]
    found = {s.kind: (s.fields, s.rows, s.gaps) for s in contents.streams}
    assert found == {"trade": (("price", "qty"), 70, 2), "book": (("bid", "ask"), 6, 0)}
    assert [file.rows for file in contents.files] == [50, 13, 13]
    assert contents.size == sum(file.stat().st_size for file in tmp_path.iterdir())
    text = told(base)
    assert "in 3 files, layout 1" in text
    assert len(re.findall(r"^a\.2\d{7}T\d{6}Z\.db +\d+\.\d kB +13 ", text, re.MULTILINE)) == 2
    assert inspect(contents.files[1].path).rows == 13
    assert json.loads(told(base, "--json"))["files"][0]["rows"] == 50


async def test_text_of_the_file_does_not_reach_the_terminal_raw(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    stream = Stream("f\x1b[2J", "n\x07\n\u202e", "k\x9b", ("price\x1b]0;x\x07",))
    hostile = Event(T0, stream.feed, "gap", "\x1b", stream.key, {"from": T0, "to": T0, "reason": "\x1b[31m"})
    await record(path, [ticks(stream), hostile])
    text = told(path)
    assert all(line.isprintable() for line in text.split("\n"))
    assert "f·[2J" in text


async def test_an_empty_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await record(path, [])
    assert "0 rows in 0 streams, no ticks yet" in told(path)
    assert "\nended as it should\n" in told(path)
    assert json.loads(told(path, "--json"))["first"] is None


async def test_a_damaged_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await record(path, [ticks(count=10)])
    for sql in ("UPDATE streams SET fields = '[1]'", "UPDATE streams SET fields = '{'", "DROP TABLE blocks"):
        copy = tmp_path / "b.db"
        shutil.copy(path, copy)
        connection = sqlite3.connect(copy)
        connection.execute(sql)
        connection.commit()
        connection.close()
        with pytest.raises(RecordingError, match="cannot read"):
            inspect(copy)


@pytest.fixture
def read_only_place(tmp_path: Path) -> Iterator[Path]:
    """A directory that becomes read-only with `chmod 555` (for root: with a remount) once it is filled."""
    place = tmp_path / "place"
    place.mkdir()
    mounted = os.geteuid() == 0
    if mounted and subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("root writes anywhere, and may not mount here")
    try:
        yield place
    finally:
        if mounted:
            subprocess.run(["umount", place], check=True)
        else:
            place.chmod(0o755)


def make_read_only(place: Path) -> None:
    if os.geteuid() == 0:
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
    else:
        place.chmod(0o555)


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
async def test_a_read_only_place(read_only_place: Path) -> None:
    rest, crashed = read_only_place / "rest.db", read_only_place / "crashed.db"
    await record(rest, [ticks(count=100)])
    outbox = Outbox("test")
    async with SqliteSink(crashed, outbox) as sink:
        put(outbox, [ticks(count=100)])
        writing = asyncio.create_task(sink.run())
        while sink.rows < 100:
            await asyncio.sleep(0.01)
        for end in ("", "-wal", "-shm"):
            shutil.copy(f"{crashed}{end}", read_only_place / f"copy.db{end}")
        sink.stop()
        await writing
    walled = read_only_place / "walled.db"  # in WAL mode, closed by another program
    shutil.copy(rest, walled)
    assert query(walled, "PRAGMA journal_mode = WAL") == [("wal",)]
    make_read_only(read_only_place)
    for name in ("rest.db", "copy.db", "walled.db"):
        assert inspect(read_only_place / name).rows == 100, name
    with pytest.raises(RecordingError, match="cannot record into"):
        await record(rest, [ticks()])
    with pytest.raises(RecordingError, match="cannot record into"):
        await record(read_only_place / "new.db", [ticks()])
