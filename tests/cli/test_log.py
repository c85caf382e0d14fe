"""What a recorder says on standard error, in both forms."""

from __future__ import annotations

import asyncio
import json
import os
import re
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.cli.running import TickServer, finish, start
from tuistream.cli.log import Level, Log
from tuistream.cli.output import Lines
from tuistream.core.status import Event

NOW = 1_790_000_000_123_456_789


def said(path: Path, form: str, event: Event) -> str:
    with path.open("w") as file:
        lines = Lines(file)
        Log(lines, form, lambda: NOW).event(event)
        lines.close(10)
    return path.read_text()


@given(text=st.text(), name=st.text())
def test_whatever_is_said_is_one_line_without_control_characters(text: str, name: str) -> None:
    event = Event(1, name, "notice", text, (name, name, "trade"), {"reason": text, "missing": 2})
    with tempfile.TemporaryDirectory() as folder:
        for form in ("text", "json"):
            line = said(Path(folder, "log"), form, event)
            assert line.endswith("\n")
            assert line[:-1].isprintable()
    assert line.isascii()
    told = json.loads(line)
    assert told["time"] == "2026-09-21T14:13:20.123Z"
    assert (told["level"], told["event"], told["kind"]) == ("notice", "notice", "trade")
    assert told["details"]["missing"] == 2


def test_a_text_says_when_who_and_what(tmp_path: Path) -> None:
    line = said(tmp_path / "log", "text", Event(1, "kraken", "retry", "connection refused"))
    assert re.fullmatch(r"2026-09-2\d \d\d:\d\d:20  kraken  retry: connection refused\n", line)


async def test_every_line_of_a_run_is_an_object(tmp_path: Path) -> None:
    async with TickServer(rate=0, count=20, code=1011).running() as server:
        url = server.url.replace("ws://", "ws://me:hunter2@") + "/?token=s3cret"
        process = await start("record", url, "--db", str(tmp_path / "x.db"), "--retries", "0", "--log-format", "json")
        code, _, err = await finish(process)
    told = [json.loads(line) for line in err.splitlines()]
    assert code == 1
    assert [line["event"] for line in told] == ["start", "open", "close", "ended", "end", "failed"]
    assert {"time", "level", "text"} <= set.intersection(*(set(line) for line in told))
    assert (told[2]["level"], told[-1]["level"]) == ("warning", "error")
    assert told[-2]["rows"] == 20
    assert not {"hunter2", "s3cret"} & set(re.findall(r"\w+", err))


async def test_a_failure_to_begin_is_an_object_too() -> None:
    process = await start("record", "ws://127.0.0.1:9", "--db", "/dev/null/x.db", "--log-format", "json")
    code, _, err = await finish(process)
    assert code == 1
    (told,) = [json.loads(line) for line in err.splitlines()]
    assert (told["level"], told["event"]) == ("error", "failed")
    assert "/dev/null/x.db" in told["text"]


async def test_lines_for_the_journal_begin_with_their_priority(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    async with TickServer(rate=0, count=20, code=1011).running() as server:
        with path.open("wb") as file:
            found = os.fstat(file.fileno())
            arguments = ("record", server.url, "--db", str(tmp_path / "x.db"), "--retries", "0")
            for named in (f"{found.st_dev}:{found.st_ino}", "1:1"):
                process = await start(*arguments, stderr=file, env=os.environ | {"JOURNAL_STREAM": named})
                assert await asyncio.wait_for(process.wait(), 30) == 1
    lines = path.read_text().splitlines()
    with_priority = [line for line in lines if re.match(r"<[3-6]>\S", line)]
    assert with_priority == lines[: len(lines) // 2]
    assert with_priority[0].startswith(f"<{Level.INFO}>recording into")
    assert with_priority[-1].startswith(f"<{Level.ERROR}>tuistream: ")
