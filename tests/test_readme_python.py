"""The Python of the README, run as it stands there but for its addresses."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from websockets.asyncio.server import ServerConnection, serve

README = Path(__file__).parent.parent / "README.md"


def examples() -> dict[str, str]:
    """Each program in the section on Python, by what it uses."""
    section = README.read_text(encoding="utf-8").partition("\n## From Python\n")[2].partition("\n## ")[0]
    programs = re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    return {found: program for program in programs for found in re.findall(r"tuistream\.(send|Hub|Feed)\(", program)}


@asynccontextmanager
async def program(text: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", text, stdout=asyncio.subprocess.PIPE, env=os.environ | environment
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode()


async def test_a_program_sends_to_another_that_is_a_hub() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    here = f"127.0.0.1:{port}"
    async with asyncio.timeout(50), program(examples()["Hub"].replace("8010", str(port))) as hub:
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                break
        async with program(examples()["send"], TUISTREAM_HUB=here) as sender:
            assert await sender.wait() == 0
        assert await line(hub) == "cpu ('value',) [42.]\n"
        assert await line(hub) == "load ('user', 'system') [1. 2.]\n"


async def test_a_program_reads_a_feed() -> None:
    async def tick(connection: ServerConnection) -> None:
        await connection.send('{"symbol": "A", "time": 1700000000, "price": 5}')
        await connection.wait_closed()

    async with asyncio.timeout(50), serve(tick, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with program(examples()["Feed"].replace("localhost:8766", f"127.0.0.1:{port}")) as reader:
            assert await line(reader) == "A 1700000000000000000 [5.]\n"
