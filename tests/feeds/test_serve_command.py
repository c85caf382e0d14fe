"""`tuistream serve` as its users run it: a process of its own."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from websockets.asyncio.client import connect

from tests.feeds.serving import PATIENCE, everything, some, until, until_closed
from tuistream.cli.serve import command
from tuistream.core.errors import SettingsError

EXCERPTS = Path(__file__).parent.parent / "data" / "feeds"
SERVE = (sys.executable, "-m", "tuistream", "serve")
# Starts a server whose standard input is a pipe that only this process holds, and says who and where it is.
PARENT = """
import subprocess, sys, time
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
print(child.pid, child.stdout.readline(), flush=True)
time.sleep(600)
"""


@asynccontextmanager
async def started(*arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A server on a free port, and its URL."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*SERVE, *arguments, "--port", "0", stdout=pipe, stderr=pipe)
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), PATIENCE)).decode()
        assert re.fullmatch(r"serving ws://127\.0\.0\.1:\d+\n", line)
        yield process, line.split()[1]
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, bytes, bytes]:
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    return process.returncode, out, err


async def test_it_ends_when_a_client_has_everything() -> None:
    async with started("gbm", "--rate", "0", "--limit", "20001", "--symbols", "2") as (process, url):
        frames, code = await everything(url)
        assert (len(frames), code) == (20_001, 1000)
        assert await ended(process) == (0, b"", b"")


async def test_it_replays_files_one_after_the_other(tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    odd.write_text("no frame\n1: x\n")
    async with started(str(EXCERPTS / "kraken_trades.gz"), str(odd), "--rate", "0") as (process, url):
        frames, code = await everything(url)
        assert (len(frames), frames[-1], code) == (50, "x", 1000)
        assert await ended(process) == (
            0,
            b"",
            f"tuistream serve: {odd}: line 1 holds no frame; such lines are skipped\n"
            f"tuistream serve: {odd}: 1 of 2 lines hold no frame\n".encode(),
        )


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
async def test_a_signal_closes_the_clients_and_ends_it(name: str) -> None:
    async with started("sine") as (process, url), connect(url) as client:
        await some(client, 1)
        process.send_signal(getattr(signal, name))
        _, code = await until_closed(client)
        assert code == 1001
        assert await ended(process) == (0, b"", b"")


async def test_a_port_that_is_taken_is_one_line_and_exit_code_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*SERVE, "gbm", "--port", str(port), stdout=pipe, stderr=pipe)
        code, out, err = await ended(process)
    expected = f"cannot listen on 127.0.0.1 port {port}: address already in use; --port 0 takes a free one"
    assert (code, out, err.decode()) == (1, b"", f"tuistream: {expected}\n")


def is_there(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
async def test_the_child_never_outlives_a_parent_that_was_killed() -> None:
    child = (*SERVE, "gbm", "--port", "0", "--with-parent")
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, *child, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    words = (await asyncio.wait_for(parent.stdout.readline(), PATIENCE)).split()
    pid, url = int(words[0]), words[-1].decode()
    port = int(url.rpartition(":")[2])
    try:
        async with connect(url) as client:
            await some(client, 2)
            parent.kill()
            await parent.wait()
            _, code = await until_closed(client)
            assert code == 1001
        await until(lambda: not is_there(port))
        await until(lambda: not is_alive(pid))
    finally:
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has waited for does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/status")
    return not (status.exists() and "State:\tZ" in status.read_text())


async def test_without_that_option_the_end_of_standard_input_means_nothing() -> None:
    process = await asyncio.create_subprocess_exec(
        *SERVE, "noise", "--port", "0", "--limit", "30", "--rate", "100",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    url = (await asyncio.wait_for(process.stdout.readline(), PATIENCE)).split()[1].decode()
    frames, code = await everything(url)
    assert (len(frames), code) == (30, 1000)
    assert (await ended(process))[0] == 0


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["gbmm"], "'gbmm' is neither a feed"),
        (["sine", "--price", "3"], "--price: for gbm only"),
        (["gbm", "--period", "3s"], "--period: for sine, square, sawtooth only"),
        (["gbm", "--loop"], "--loop: for FILE only"),
        ([__file__, "--symbols", "2"], "--symbols: for gbm"),
        ([__file__, "--speed", "2", "--rate", "0"], "--rate and --speed exclude each other"),
        ([__file__, "--speed", "0"], "--speed 0: from 0.001 to 1,000,000; --rate 0 is flat out"),
        ([__file__, "--speed", "nan"], "--speed nan"),
        (["gbm", "--rate", "-1"], "--rate -1: 0 .flat out., or from 0.001"),
        (["gbm", "--rate", "inf"], "--rate inf"),
        (["gbm", "--rate", "nan"], "--rate nan"),
        (["gbm", "--step", "soon"], "--step 'soon': a duration"),
        (["gbm", "--symbols", "3", "--price", "1", "--price", "2"], "--price: once for all or once for each"),
        (["gbm", "--host", "0.0.0.0"], "--host 0.0.0.0: .*--no-auth allows that"),
    ],
)
def test_what_cannot_be_is_refused(arguments: list[str], error: str) -> None:
    result = CliRunner().invoke(command, arguments)
    assert isinstance(result.exception, SettingsError)
    assert re.match(error, str(result.exception))


def test_help_has_an_example_and_hides_what_only_the_demo_uses() -> None:
    result = CliRunner().invoke(command, ["--help"])
    assert result.exit_code == 0
    assert "tuistream serve gbm --symbols 4" in result.output
    assert "--with-parent" not in result.output
