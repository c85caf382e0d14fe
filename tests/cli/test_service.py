"""A recorder as a service: what its manager hears, and when it is said to be well."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.cli.running import TickServer, finish, query, rows, start, until
from tuistream.cli.health import STUCK_SECONDS, UNWRITTEN_SECONDS, Health
from tuistream.cli.service import Service
from tuistream.cli.service_manager import ServiceManager
from tuistream.config import FeedOptions, Settings, feed_settings
from tuistream.core.status import FeedState
from tuistream.store import opening
from tuistream.wiring import Run, running


class Manager:
    """The other end of NOTIFY_SOCKET, which is called `name`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"\0{name[1:]}" if name.startswith("@") else name)
        self.socket.setblocking(False)
        self._heard: list[str] = []

    @property
    def heard(self) -> list[str]:
        """All that has been said."""
        while True:
            try:
                self._heard.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return self._heard


@pytest.fixture(params=["", "@"], ids=["path", "abstract"])
def manager(request: pytest.FixtureRequest) -> Iterator[Manager]:
    with tempfile.TemporaryDirectory() as folder:
        manager = Manager(f"{request.param}{folder}/notify")
        with contextlib.closing(manager.socket):
            yield manager


@asynccontextmanager
async def recording(url: str, db: Path) -> AsyncIterator[Run]:
    settings = Settings(feeds=feed_settings([url], FeedOptions()), db=db)
    async with running(settings, recording_needed=True) as run:
        yield run


@asynccontextmanager
async def locked(db: Path) -> AsyncIterator[None]:
    """Another program is writing to the file."""
    other = sqlite3.connect(db, isolation_level=None, timeout=10)
    with contextlib.closing(other):
        other.execute("BEGIN IMMEDIATE")
        yield


class Clock:
    """The monotonic clock, put forward by `later` seconds."""

    later = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.later


async def test_a_manager_hears_when_it_is_ready_lives_reloads_and_stops(manager: Manager, tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    async with TickServer().running() as server:
        environment = os.environ | {"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "400000"}
        process = await start("record", server.url, "--db", str(db), env=environment)
        await until(lambda: manager.heard)
        assert manager.heard[0] == "READY=1"
        assert db.exists()
        await until(lambda: manager.heard.count("WATCHDOG=1") > 3 and rows(db))
        process.send_signal(signal.SIGUSR1)
        await until(lambda: manager.heard.count("READY=1") == 2)
        process.terminate()
        assert process.stderr is not None
        err = (await process.stderr.read()).decode()
        assert await process.wait() == 0
    assert "SIGUSR1" in err
    assert manager.heard[-1] == "STOPPING=1"
    assert "STATUS=0 rows, 0.0 ticks/s, 0 of 1 feeds live" in manager.heard
    at = manager.heard.index("READY=1", 1)
    reloading, since = manager.heard[at - 1].split("\n")
    assert reloading == "RELOADING=1"
    assert int(since.removeprefix("MONOTONIC_USEC=")) > 0


async def test_programs_that_a_recorder_starts_do_not_speak_for_it(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    manager = Manager(f"@{tmp_path}")
    environment = os.environ | {"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}
    feed = "exec:echo ${NOTIFY_SOCKET-1} ${WATCHDOG_USEC-2} ${WATCHDOG_PID-3}"
    with contextlib.closing(manager.socket):
        process = await start("record", feed, "--db", str(db), "--retries", "0", "--json", "-q", env=environment)
        assert (await finish(process))[0] == 0
        assert "WATCHDOG=1" not in manager.heard  # it is asked of another process
        assert manager.heard[0] == "READY=1"
    assert query(db, "SELECT v0, v1, v2 FROM ticks") == [(1, 2, 3)]


def test_a_manager_that_has_gone_or_cannot_be_is_no_trouble() -> None:
    for name in ("/nowhere/at/all", "@nobody-listens-here", "vsock:2:1234", ""):
        manager = ServiceManager({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "many"})
        manager.ready()
        manager.status("x")
        assert manager.watchdog == 0
        manager.close()
        manager.stopping()


async def test_a_writing_that_stands_still_is_not_said_to_be_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.02)
    clock = Clock()
    async with TickServer().running() as server, recording(server.url, tmp_path / "x.db") as run:
        health = Health(run, clock=clock)
        await until(lambda: run.recording().rows)
        assert health.moves()
        clock.later = STUCK_SECONDS + 1
        assert not health.moves()
        clock.later = 0
        async with locked(tmp_path / "x.db"):
            await until(lambda: run.recording().state == "failing")
            assert run.sink is not None
            tried_at = run.sink.tried_at
            await until(lambda: run.sink is not None and run.sink.tried_at > tried_at)
            assert health.moves()  # attempts end, if badly: a restart would only lose what waits
            assert run.sink.written_at < tried_at


async def test_what_is_wrong_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.02)
    clock, server = Clock(), TickServer()
    async with server.running() as up:
        stack = contextlib.AsyncExitStack()
        run = await stack.enter_async_context(recording(up.url, tmp_path / "x.db"))
        health = Health(run, 60.0, clock)
        await until(lambda: run.recording().rows > 5)
        health.look()
        assert health.reasons() == []
        line = Service(run, ServiceManager({}), health).line()
        assert re.fullmatch(r"\d+ rows, [\d.,]+ ticks/s, 1 of 1 feeds live", line)
        async with locked(tmp_path / "x.db"):
            await until(lambda: run.recording().state == "failing" and run.recording().pending)
            (reason,) = health.reasons()
            assert re.fullmatch(r"recording: locked by another program; [\d,]+ ticks wait, 0 lost", reason)
        await until(lambda: run.recording().state == "recording" and not run.recording().pending)
        assert health.reasons() == []
        clock.later = UNWRITTEN_SECONDS + 1
        waiting = re.compile(r"recording: nothing written for 1\d s; [\d,]+ ticks wait")
        await until(lambda: any(waiting.fullmatch(reason) for reason in health.reasons()))
        clock.later = 0
    async with stack:  # the server is down
        (feed,) = run.session.feeds.values()
        await until(lambda: feed.state in (FeedState.RETRYING, FeedState.CONNECTING) and not run.recording().pending)
        health.look()
        clock.later = 30
        assert health.reasons() == []
        clock.later = 61
        (reason,) = health.reasons()
        assert re.match(r"127\.0\.0\.1:\d+: down for 61 s: ", reason)
        assert reason in Service(run, ServiceManager({}), health).line()
        health.look()
        clock.later = 90
        assert "down for 9" in health.reasons()[0]
