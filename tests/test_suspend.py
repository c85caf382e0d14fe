"""Everything at rest while the program is suspended: connections closed, ticks in the file, nothing lost."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from tests.cli.running import TickServer, finish, query, rows, start, until
from tests.store.recorded import ticks
from tuistream.config import FeedSettings, Settings
from tuistream.core.outbox import Outbox
from tuistream.core.status import Event
from tuistream.sinks import sqlite
from tuistream.sinks.sqlite import SqliteSink
from tuistream.wiring import running

GAPS = "SELECT reason FROM gaps"


def settings(url: str, db: Path | None) -> Settings:
    return Settings(feeds=(FeedSettings("f", url),), db=db)


async def test_all_is_in_the_file_before_the_stop_and_the_gap_after_it(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    async with TickServer().running() as server, running(settings(server.url, db), recording_needed=True) as run:
        await until(lambda: run.session.ticks > 20)
        async with run.suspended() as line:
            taken = run.session.ticks
            assert rows(db) == taken
            assert f"recording into x.db has stopped, with {taken:,} rows written; fg goes on" in line
            assert "memory" not in line
            assert query(db, "SELECT text FROM events WHERE kind = 'close'") == [("suspended",)]
            await asyncio.sleep(0.1)
            assert rows(db) == taken == run.session.ticks
        await until(lambda: run.session.ticks > taken)
        await until(lambda: query(db, GAPS))
    assert query(db, GAPS) == [("suspended",)]
    ((gap,),) = query(db, "SELECT details FROM events WHERE kind = 'gap'")
    since, to = json.loads(gap)["from"], json.loads(gap)["to"]
    times = [t for (t,) in query(db, "SELECT t FROM ticks ORDER BY t")]
    assert times[taken - 1 : taken + 1] == [since, to]
    ((text, details),) = query(db, "SELECT text, details FROM events WHERE kind = 'suspended'")
    passed = json.loads(details)
    assert 100_000_000 <= passed["to"] - passed["from"] <= to - since
    assert text.startswith("for ")


async def test_with_no_recording_nothing_is_said_of_one() -> None:
    async with TickServer().running() as server, running(settings(server.url, None), recording_needed=False) as run:
        await until(lambda: run.session.ticks)
        async with run.suspended() as line:
            assert line == "tuistream: suspended; fg goes on"
        before = run.session.ticks
        await until(lambda: run.session.ticks > before)
        assert [gap.reason for state in run.session.streams.values() for gap in state.gaps] == ["suspended"]


async def test_what_cannot_be_written_waits_and_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "DRAIN_SECONDS", 0.2)
    db = tmp_path / "x\x1b[31m.db"
    async with TickServer().running() as server, running(settings(server.url, db), recording_needed=True) as run:
        await until(lambda: rows(db) > 20)
        other = sqlite3.connect(db, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            stored, before = rows(db), run.session.ticks
            await until(lambda: run.session.ticks > before + 20)
            async with run.suspended() as line:
                waiting = run.session.ticks - stored
                assert f"{stored:,} rows written and {waiting:,} waiting in memory" in line
                assert "\x1b" not in line
        finally:
            other.close()
        await until(lambda: query(db, GAPS))
        stored = run.session.ticks
        await until(lambda: rows(db) >= stored)
    assert query(db, GAPS) == [("suspended",)]
    assert rows(db) == run.session.ticks


async def test_the_sink_rests(tmp_path: Path) -> None:
    """Whatever comes while the process may be stopped is written later: no lock is held meanwhile."""
    db, outbox = tmp_path / "x.db", Outbox("test")
    async with SqliteSink(db, outbox) as sink:
        writing = asyncio.create_task(sink.run())
        outbox.offer(ticks(count=10))
        async with sink.at_rest():
            assert rows(db) == 10
            outbox.offer(ticks(count=10, first=10))
            outbox.note(Event(1, "f", "notice", "later"))
            await asyncio.sleep(2 * sqlite.FLUSH_SECONDS)
            assert rows(db) == 10
            other = sqlite3.connect(db, timeout=0, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            other.close()
        await until(lambda: rows(db) == 20)
        sink.stop()
        await writing


async def test_giving_it_up_midway_lets_the_run_go_on(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    async with TickServer().running() as server, running(settings(server.url, db), recording_needed=True) as run:
        await until(lambda: run.session.ticks > 20)
        for patience in range(20):

            async def suspend() -> None:
                async with run.suspended():
                    await asyncio.sleep(3_600)

            task = asyncio.create_task(suspend())
            for _ in range(patience * 3):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            before = run.session.ticks
            await until(lambda before=before: run.session.ticks > before)  # type: ignore[misc]
    assert rows(db) == run.session.ticks


pytest_posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no job control")


def is_stopped(pid: int) -> bool:
    return subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout[:1] == "T"


@pytest_posix
@pytest.mark.parametrize("with_shell", [True, False])
async def test_record_stops_in_good_order_and_goes_on(tmp_path: Path, with_shell: bool) -> None:
    db = tmp_path / "x.db"
    options = {"process_group": 0} if with_shell else {"start_new_session": True}
    async with TickServer().running() as server:
        process = await start("record", server.url, "--db", str(db), "--json", **options)
        await until(lambda: rows(db) > 20)
        for stops in (1, 2):
            process.send_signal(signal.SIGTSTP)
            await until(lambda: is_stopped(process.pid))
            stored = rows(db)
            assert server.connections == stops
            await asyncio.sleep(0.1)
            assert rows(db) == stored
            process.send_signal(signal.SIGCONT)
            await until(lambda stored=stored: rows(db) > stored)  # type: ignore[misc]
        process.terminate()
        code, lines, err = await finish(process)
    assert code == 0
    assert query(db, GAPS) == [("suspended",)] * 2
    assert lines[-1]["gaps"] == 2
    assert lines[-1]["rows"] == lines[-1]["ticks"] == rows(db)
    kinds = [line["event"] for line in lines if line["event"] not in ("progress", "end")]
    assert kinds == ["open", *["close", "suspended", "open", "gap"] * 2]
    words = [line for line in err.splitlines() if "suspended" in line]
    assert len(words) == 2
    assert all("recording into x.db has stopped" in line for line in words)


@pytest_posix
async def test_quiet_says_nothing_of_it_and_a_signal_ends_it_while_stopped(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    async with TickServer().running() as server:
        process = await start("record", server.url, "--db", str(db), "-q", process_group=0)
        await until(lambda: rows(db) > 20)
        process.send_signal(signal.SIGTSTP)
        await until(lambda: is_stopped(process.pid))
        process.terminate()
        process.send_signal(signal.SIGCONT)
        code, _, err = await finish(process)
    assert (code, err) == (0, "")
    assert not list(tmp_path.glob("x.db-*"))


@pytest_posix
@pytest.mark.parametrize("patient", [True, False])
async def test_a_stop_that_nobody_told_of(tmp_path: Path, patient: bool) -> None:
    """A patient sender waits, and nothing is missing; for another it was an outage."""
    db = tmp_path / "x.db"
    gone = asyncio.Event()

    async def handler(connection: ServerConnection) -> None:
        number = 0
        try:
            while True:
                await connection.send(json.dumps({"time": 1_795_172_027 + number / 100, "price": number}))
                number += 1
                await asyncio.sleep(0.005)
        finally:
            gone.set()

    pings = {} if patient else {"ping_interval": 0.3, "ping_timeout": 0.3, "close_timeout": 0.1}
    async with serve(handler, "127.0.0.1", 0, **pings) as server:  # type: ignore[arg-type]
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        process = await start("record", url, "--db", str(db), "--json", process_group=0)
        await until(lambda: rows(db) > 20)
        process.send_signal(signal.SIGSTOP)
        await until(lambda: is_stopped(process.pid))
        if patient:
            await asyncio.sleep(0.3)
        else:
            await gone.wait()
        stored = rows(db)
        process.send_signal(signal.SIGCONT)
        await until(lambda: rows(db) > stored + 50)
        process.terminate()
        code, _, _ = await finish(process)
    assert code == 0
    reasons = {reason for (reason,) in query(db, GAPS)}
    assert reasons == (set() if patient else {"outage"})
    if patient:
        times = [t for (t,) in query(db, "SELECT t FROM ticks ORDER BY t")]
        assert max(later - earlier for earlier, later in pairwise(times)) < 11_000_000


@pytest_posix
async def test_under_nohup_a_hangup_ends_nothing(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    async with TickServer().running() as server:
        line = 'trap "" HUP; exec "$0" -m tuistream record "$1" --db "$2" -q'
        process = await asyncio.create_subprocess_exec("sh", "-c", line, sys.executable, server.url, str(db))
        await until(lambda: rows(db) > 20)
        process.send_signal(signal.SIGHUP)
        stored = rows(db)
        await until(lambda: rows(db) > stored + 50)
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 30) == 0
