"""The program as its users run it: a process of its own, against a real server."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

PATIENCE = 30.0  # seconds after which a condition that did not come is a failure


class TickServer:
    """Sends numbered ticks to whoever connects, at `rate` a second, until told otherwise."""

    def __init__(self, rate: float = 200.0, count: int | None = None, code: int = 1000) -> None:
        self.rate = rate
        self.count = count
        self.code = code
        self.port = 0
        self.sent = 0
        self.connections = 0

    async def handle(self, connection: ServerConnection) -> None:
        self.connections += 1
        sent = 0
        while self.count is None or sent < self.count:
            await connection.send(json.dumps({"time": time.time(), "price": f"{100 + self.sent % 7}.50"}))
            self.sent += 1
            sent += 1
            await asyncio.sleep(1 / self.rate if self.rate else 0)
        await connection.close(self.code)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[TickServer]:
        async with serve(self.handle, "127.0.0.1", self.port, close_timeout=0.1) as server:
            self.port = server.sockets[0].getsockname()[1]
            yield self


async def start(*arguments: str, **options: Any) -> asyncio.subprocess.Process:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TUISTREAM")}
    pipes: dict[str, Any] = {
        "stdout": asyncio.subprocess.PIPE,
        "stderr": asyncio.subprocess.PIPE,
        "env": environment,
    } | options
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "tuistream", *arguments, **pipes)


async def finish(process: asyncio.subprocess.Process) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, JSON lines of standard output, standard error."""
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode is not None
    return process.returncode, [json.loads(line) for line in (out or b"").splitlines()], (err or b"").decode()


async def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        await asyncio.sleep(0.02)


def query(db: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a read-only query; none where the file or table is not there yet."""
    try:
        connection = sqlite3.connect(f"file:{db}?mode=ro", uri=True)
    except sqlite3.OperationalError:
        return []
    try:
        return connection.execute(sql).fetchall()
    except sqlite3.OperationalError:
        return []
    finally:
        connection.close()


def rows(db: Path) -> int:
    found = query(db, "SELECT COUNT(*) FROM ticks")
    return int(found[0][0]) if found else 0
