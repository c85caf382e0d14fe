"""Each snippet, run as it is printed, against listeners of all kinds."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from tuistream.config import FeedOptions, Settings, feed_settings
from tuistream.sources.hub.intake import Address, Intake
from tuistream.sources.hub.options import HubOptions
from tuistream.sources.hub.snippets import PLACEHOLDER, Snippet, one_each, snippets
from tuistream.wiring import running

WAYS = ("tcp", "frames", "http", "ws")
PROGRAMS = {"curl": "curl", "Python": "python3", "JavaScript": "node", "netcat": "nc"}


@asynccontextmanager
async def listening(options: HubOptions, host: str = "127.0.0.1") -> AsyncIterator[Intake]:
    feeds = feed_settings([f"listen+{way}://{host}:0" for way in WAYS], FeedOptions())
    feeds = tuple(replace(feed, hub=options) for feed in feeds)
    async with running(Settings(feeds), recording_needed=False) as run:
        async with asyncio.timeout(30):
            while run.intake is None or len(run.intake.addresses) < len(WAYS):
                await asyncio.sleep(0.002)
        yield run.intake


async def shell(text: str) -> str:
    """Run a line as a user does who pasted it; what it wrote."""
    # Before its version 22 node hides WebSocket behind an option.
    environment = os.environ | {"NODE_OPTIONS": "--experimental-websocket --no-warnings"}
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment
    )
    async with asyncio.timeout(30):
        written, _ = await process.communicate()
    assert process.returncode == 0, written
    return written.decode()


async def run_all(intake: Intake, printed: list[Snippet], password: str) -> set[str]:
    """Run each whose program is installed; the streams that they were to make, and have made."""
    programs = [PROGRAMS[each.tool] if "openssl" not in each.text else "openssl" for each in printed]
    there = [each for each, program in zip(printed, programs, strict=True) if shutil.which(program)]
    assert there
    written = await asyncio.gather(*(shell(each.text.replace(PLACEHOLDER, password)) for each in there))
    async with asyncio.timeout(30):
        while intake.session.ticks < len(there):
            assert not any("error" in text for text in written), written
            await asyncio.sleep(0.002)
    return {"frames" if each.way == "frames" else each.tool.lower() for each in there}


@pytest.mark.parametrize("password", ["", "hunter2"])
async def test_each_as_printed(password: str) -> None:
    async with listening(HubOptions(password=password)) as intake:
        printed = snippets(intake.addresses)
        assert {(each.tool, each.way) for each in printed} == {
            ("curl", "http"), ("Python", "tcp"), ("Python", "http"), ("Python", "frames"),
            ("JavaScript", "http"), ("JavaScript", "ws"), ("netcat", "tcp"),
        }  # fmt: skip
        assert not any("hunter2" in each.text for each in printed)
        sent = await run_all(intake, printed, password)
        assert {name for _, name, _ in intake.session.streams} == sent
        assert all(counters.refused.total() == 0 for counters in [each.counters for each in intake.listeners])


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
async def test_each_over_tls(tmp_path: Path) -> None:
    files = ["-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "certificate")]
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    subprocess.run([*command.split(), *files], check=True, capture_output=True)
    options = HubOptions(tls_cert=str(tmp_path / "certificate"), tls_key=str(tmp_path / "key"))
    async with listening(options) as intake:
        await run_all(intake, snippets(intake.addresses), "")


async def test_bound_everywhere_they_name_an_address_that_others_can_reach() -> None:
    async with listening(HubOptions(no_auth=True), "0.0.0.0") as intake:
        (curl, *_) = printed = one_each(intake.addresses)
        assert [each.tool for each in printed] == ["curl", "Python", "JavaScript", "netcat"]
        assert not any("0.0.0.0" in each.text for each in printed)
        await run_all(intake, [curl], "")


def test_only_for_what_is_open_and_ipv6_in_brackets() -> None:
    printed = snippets([Address("ws", "::1", 8040)])
    assert [each.tool for each in printed] == ["JavaScript"]
    assert '"ws://[::1]:8040"' in printed[0].text
    assert snippets([]) == []
