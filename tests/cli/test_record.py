"""`tuistream record` as a process: what it stores, what it says, how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from tests.cli.running import TickServer, finish, query, rows, start, until


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "x.db"


async def test_limit_is_exact_and_told_in_the_last_line(db: Path) -> None:
    async with TickServer(rate=0).running() as server:
        process = await start("record", server.url, "--db", str(db), "--limit", "501", "--json", "-q")
        code, lines, _ = await finish(process)
    assert code == 0
    (end,) = lines
    assert end["event"] == "end"
    assert (end["ticks"], end["rows"], end["gaps"], end["malformed"], end["reconnects"]) == (501, 501, 0, 0, 0)
    assert rows(db) == 501
    assert query(db, "PRAGMA integrity_check") == [("ok",)]
    assert not list(db.parent.glob("x.db-*"))


async def test_for_counts_from_the_start(db: Path) -> None:
    async with TickServer().running() as server:
        code, lines, _ = await finish(
            await start("record", server.url, "--db", str(db), "--for", "1s", "--json", "-q")
        )
    assert code == 0
    assert lines[-1]["seconds"] >= 0.9
    assert lines[-1]["rows"] == rows(db) > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_signal_drains_and_ends_with_0(db: Path, number: signal.Signals) -> None:
    async with TickServer().running() as server:
        process = await start("record", server.url, "--db", str(db), "--json", "-q")
        await until(lambda: rows(db) > 20)
        process.send_signal(number)
        code, lines, _ = await finish(process)
    assert code == 0
    assert lines[-1]["rows"] == lines[-1]["ticks"] == rows(db)


async def test_a_stopped_server_is_found_again_and_the_outage_is_one_gap(db: Path) -> None:
    server = TickServer()
    async with server.running():
        process = await start("record", server.url, "--db", str(db), "--json")
        await until(lambda: rows(db) > 20)
    await asyncio.sleep(0.5)
    before = rows(db)
    async with server.running():
        await until(lambda: rows(db) > before + 20)
        process.terminate()
        code, lines, _ = await finish(process)
    assert code == 0
    assert lines[-1]["reconnects"] == 1
    assert lines[-1]["gaps"] == 1
    (gap,) = query(db, "SELECT t0 < t1, reason FROM gaps")
    assert gap == (1, "outage")
    kinds = [line["event"] for line in lines]
    assert kinds.count("open") == 2
    assert kinds.count("close") == 1
    assert kinds.count("gap") == 1


@pytest.mark.parametrize(("close_code", "exit_code"), [(1000, 0), (1011, 1)])
async def test_retries_0_ends_with_the_first_close(db: Path, close_code: int, exit_code: int) -> None:
    async with TickServer(rate=0, count=50, code=close_code).running() as server:
        code, lines, err = await finish(
            await start("record", server.url, "--db", str(db), "--retries", "0", "--json", "-q")
        )
    assert code == exit_code
    assert lines[-1]["rows"] == rows(db) == 50
    assert server.connections == 1
    assert ("1011" in err) == (exit_code == 1)


async def test_a_second_run_appends_with_a_gap(db: Path) -> None:
    async with TickServer(rate=0).running() as server:
        for _ in range(2):
            code, lines, _ = await finish(
                await start("record", server.url, "--db", str(db), "--limit", "100", "--json", "-q")
            )
            assert code == 0
            assert lines[-1]["rows"] == 100
    assert rows(db) == 200
    assert lines[-1]["gaps"] == 1
    assert query(db, "SELECT reason FROM gaps") == [("not recorded",)]


async def test_a_file_that_is_recorded_is_refused_with_its_pid(db: Path) -> None:
    async with TickServer().running() as server:
        first = await start("record", server.url, "--db", str(db), "-q")
        await until(lambda: rows(db) > 0)
        code, _, err = await finish(await start("record", server.url, "--db", str(db), "-q"))
        assert code == 1
        assert f"recorded by pid {first.pid}" in err
        first.terminate()
        assert (await finish(first))[0] == 0


async def test_an_output_that_nobody_reads_stops_nothing(db: Path) -> None:
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    try:  # fill the pipe, so that the first line that is written already waits
        while True:
            os.write(write_end, b"x" * 65536)
    except BlockingIOError:
        os.set_blocking(write_end, True)
    async with TickServer().running() as server:
        process = await start("record", server.url, "--db", str(db), "--json", stdout=write_end)
        os.close(write_end)
        await until(lambda: rows(db) > 300)
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 30) == 0
    os.close(read_end)


async def test_a_reader_that_has_gone_stops_nothing(db: Path) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    async with TickServer().running() as server:
        process = await start("record", server.url, "--db", str(db), "--json", stdout=write_end)
        os.close(write_end)
        await until(lambda: rows(db) > 300)
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 30) == 0


async def test_several_feeds_go_into_one_file_and_one_may_end(db: Path) -> None:
    async with TickServer(rate=0, count=30).running() as short, TickServer().running() as long:
        process = await start("record", short.url, long.url, "--db", str(db), "--retries", "0", "--json")
        await until(lambda: len(query(db, "SELECT DISTINCT feed FROM streams")) == 2 and rows(db) > 60)
        process.terminate()
        code, lines, _ = await finish(process)
    assert code == 0
    assert lines[-1]["ticks"] == rows(db)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("record", "ws://a", "ws://b", "--bearer", "tok3n"), "--bearer"),
        (("record", "ws://a", "ws://b", "--send", "x"), "--send"),
        (("record", "ftp://a"), "ws://"),
        (("record", "ws://"), "host"),
        (("record", "ws://me:tok3n@a/x?token=tok3n#part"), "#fragment"),
        (("record", "ws://" + "a" * 70), "host"),
        (("record", "ws://a:0"), "port 0"),
        (("record", "ws://a", "--for", "soon"), "soon"),
        (("record", "ws://a", "--max-frame", "big"), "--max-frame"),
        (("record", "ws://a", "--decoder", "klingon"), "kraken"),
        (("record",), "URL"),
        (("recrod", "ws://a"), "record"),
    ],
)
async def test_mistakes_on_the_command_line_are_2(arguments: tuple[str, ...], words: str) -> None:
    code, _, err = await finish(await start(*arguments))
    assert code == 2
    assert words in err
    assert "Traceback" not in err
    assert "tok3n" not in err


async def test_secrets_stay_out_of_file_and_output(db: Path) -> None:
    async with TickServer(rate=0, count=20).running() as server:
        url = server.url.replace("ws://", "ws://me:hunter2@") + "/x?token=s3cret"
        process = await start("record", url, "--db", str(db), "--retries", "0", "--json", "--bearer", "b3arer")
        out, err = await asyncio.wait_for(process.communicate(), 30)
    content = db.read_bytes() + out + err
    assert rows(db) == 20
    for secret in (b"hunter2", b"s3cret", b"b3arer"):
        assert secret not in content


async def test_a_second_signal_ends_it_at_once(db: Path) -> None:
    async with TickServer().running() as server:
        process = await start("record", server.url, "--db", str(db), "-q")
        await until(lambda: rows(db) > 0)
        other = sqlite3.connect(db, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")  # the writer has to wait, and with it the end
        try:
            await asyncio.sleep(0.5)
            process.terminate()
            await asyncio.sleep(0.3)
            assert process.returncode is None
            process.terminate()
            assert await asyncio.wait_for(process.wait(), 2) == 128 + signal.SIGTERM
        finally:
            other.close()


async def test_ticks_that_could_not_be_stored_make_it_1(db: Path) -> None:
    async with TickServer().running() as server:
        process = await start("record", server.url, "--db", str(db), "--json")
        await until(lambda: rows(db) > 0)
        other = sqlite3.connect(db, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            assert process.stdout is not None
            while (told := json.loads(await asyncio.wait_for(process.stdout.readline(), 30)))["event"] != "recording":
                pass
            process.terminate()
            code, lines, err = await finish(process)
        finally:
            other.close()
    assert code == 1
    assert "cannot be written" in told["text"]
    assert lines[-1]["ticks"] > lines[-1]["rows"] == rows(db)
    assert "could not be stored" in err


@pytest.mark.parametrize("closed", [1, 2])
async def test_a_closed_output_stops_nothing(db: Path, closed: int) -> None:
    async with TickServer(rate=0, count=30).running() as server:
        line = f'exec "$0" -m tuistream record "$1" --db "$2" --retries 0 --json {closed}>&-'
        process = await asyncio.create_subprocess_exec("sh", "-c", line, sys.executable, server.url, str(db))
        assert await asyncio.wait_for(process.wait(), 30) == 0
    assert rows(db) == 30


async def test_a_field_that_is_not_there_is_missed_aloud(db: Path) -> None:
    async with TickServer(rate=0, count=30).running() as server:
        process = await start(
            "record", server.url, "--db", str(db), "--retries", "0", "--json", "--time-field", "when"
        )
        _, lines, _ = await finish(process)
        (notice,) = [line["text"] for line in lines if line["event"] == "notice"]
        assert "--time-field when" in notice
        process = await start("record", server.url, "--db", str(db), "--retries", "0", "--fields", "zzz")
        _, err = await process.communicate()
    assert b"--fields zzz" in err


async def test_secrets_that_a_producer_echoes_are_hidden(db: Path) -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.send('{"type": "error", "message": "bad token s3cret"}')
        await connection.send("s3cret is no JSON")
        await connection.send('{"note": "s3cret"}')

    async with serve(handler, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/?token=s3cret"
        process = await start("record", url, "--db", str(db), "--retries", "0", "--json")
        out, err = await asyncio.wait_for(process.communicate(), 30)
    assert b"bad token" in out
    assert b"s3cret" not in db.read_bytes() + out + err
