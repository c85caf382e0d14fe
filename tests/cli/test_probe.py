"""`tuistream probe`, `info`, `completion` and the exit codes, as processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import TickServer, finish, start
from tuistream.cli import COMMANDS


async def test_probe_tells_what_it_found() -> None:
    async with TickServer().running() as server:
        process = await start("probe", server.url, "--for", "1s")
        out, _ = await process.communicate()
    text = out.decode()
    assert process.returncode == 0
    assert "price = 10" in text
    assert "time, s" in text


async def test_probe_as_json() -> None:
    async with TickServer(rate=0, count=30).running() as server:
        code, (facts,), _ = await finish(await start("probe", server.url, "--json"))
    assert code == 0
    assert facts["ticks"] == 30
    (stream,) = facts["streams"]
    assert [field["name"] for field in stream["fields"]] == ["price"]
    assert (stream["time"], stream["unit"]) == ("time", "s")


async def test_probe_of_nothing_is_a_failure() -> None:
    process = await start("probe", "ws://127.0.0.1:9", "--for", "1s")
    out, _ = await process.communicate()
    assert process.returncode == 1
    assert b"not connected" in out


async def test_info_of_what_was_recorded(tmp_path: Path) -> None:
    db = str(tmp_path / "x.db")
    async with TickServer(rate=0, count=30).running() as server:
        await finish(await start("record", server.url, "--db", db, "--retries", "0", "-q"))
    process = await start("info", db, "--json")
    out, _ = await process.communicate()
    facts = json.loads(out)
    assert process.returncode == 0
    assert facts["rows"] == 30


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--version",), 0, "tuistream"),
        (("--help",), 0, "Examples"),
        *(((command, "--help"), 0, "Example") for command in COMMANDS),
        (("info", "/nowhere/x.db"), 1, "x.db"),
        (("info",), 2, "FILE"),
        (("completion", "bash"), 0, "_TUISTREAM_COMPLETE"),
        (("completion", "tcsh"), 2, "bash"),
        (("record", "--nonsense"), 2, "nonsense"),
    ],
)
async def test_exit_codes_and_words(arguments: tuple[str, ...], code: int, words: str) -> None:
    process = await start(*arguments)
    out, err = await process.communicate()
    assert process.returncode == code
    assert words in (out + err).decode()
