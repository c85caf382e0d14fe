"""Data from a pipe while the keys come from the terminal."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.cli.running import PATIENCE, finish, rows, start
from tests.cli.terminal import Terminal

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal is needed", allow_module_level=True)

TUISTREAM = f"{shlex.quote(sys.executable)} -m tuistream"


class Shell(Terminal):
    """A command line in a terminal."""

    PROGRAM: ClassVar[Sequence[str]] = ("/bin/sh", "-c")


def is_drawn(text: str) -> bool:
    return re.search("[\u2801-\u28ff]", text) is not None


def test_what_is_piped_in_is_drawn_keys_work_and_the_screen_outlives_its_end() -> None:
    with Shell(f"printf '1\\n5\\n2\\n8\\n' | {TUISTREAM} --no-record") as terminal:
        terminal.until(lambda text: is_drawn(text) and "closed" in text)
        terminal.type("?")
        terminal.until(lambda text: "leave what is open" in text)
        terminal.type("\x1b")
        terminal.until(lambda text: "leave what is open" not in text)
        terminal.type("q")
        assert terminal.end() == 0


def test_it_paints_where_its_output_is_piped_and_knows_the_size() -> None:
    with Shell(f"printf '1\\n5\\n' | {TUISTREAM} - --no-record | cat", columns=110, lines=30) as terminal:
        text = terminal.until(is_drawn)
        assert max(map(len, text.splitlines())) > 100
        terminal.type("q")
        assert terminal.end() == 0


def test_an_empty_device_as_input_leaves_the_keys_to_the_terminal() -> None:
    with Shell(f"{TUISTREAM} 'exec:echo 1; sleep 100' --no-record </dev/null") as terminal:
        terminal.until(lambda text: "live" in text)
        terminal.type("q")
        assert terminal.end() == 0


def test_a_file_as_input_is_read(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("load,heat\n1,2\n3,4\n")
    with Shell(f"{TUISTREAM} - --no-record < {path}") as terminal:
        terminal.until(lambda text: "load" in text and "closed" in text)
        terminal.type("q")
        assert terminal.end() == 0


def test_the_terminal_itself_is_no_feed() -> None:
    with Terminal("-") as terminal:
        assert terminal.end() == 2
        assert "pipe something into it" in terminal.text


def test_without_a_terminal_it_says_what_to_use() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tuistream", "-"],
        input="1\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        start_new_session=True,
    )
    assert done.returncode == 1
    assert done.stderr == "tuistream: a terminal is needed to watch; without one, use: tuistream record -\n"


def test_it_is_read_once_only() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tuistream", "record", "-", "-"],
        input="1\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 2
    assert "once only" in done.stderr


async def piped(data: bytes, *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    read, write = os.pipe()
    process = await start(*arguments, stdin=read)
    os.close(read)
    await asyncio.to_thread(os.write, write, data)
    os.close(write)
    return await finish(process)


async def test_record_takes_all_that_is_piped_in(tmp_path: Path) -> None:
    db = tmp_path / "r.db"
    data = b"x,y\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(2_000))
    code, lines, err = await piped(data, "record", "-", "--db", str(db), "--json", "-q")
    assert (code, err) == (0, "")
    assert lines[-1]["rows"] == 2_000
    assert rows(db) == 2_000


async def test_probe_tells_what_is_piped_in() -> None:
    code, (facts,), _ = await piped(b"time;Druck\n2026-11-20 10:00:00;1.013,25\n", "probe", "-", "--json")
    assert (code, facts["decoder"], facts["state"], facts["reason"]) == (0, "lines", "closed", "end of input")
    (stream,) = facts["streams"]
    assert stream["fields"] == [{"name": "Druck", "path": "Druck", "sample": 1013.25}]
    assert (stream["time"], stream["unit"]) == ("time", "ISO 8601")


async def test_a_command_that_is_recorded_leaves_nothing_behind(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    command = f"exec:echo $$ > {pid_file}; while :; do echo 7; sleep 0.02; done"
    process = await start("record", command, "--db", str(tmp_path / "e.db"), "--limit", "5", "--json", "-q")
    code, lines, _ = await finish(process)
    assert (code, lines[-1]["rows"]) == (0, 5)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)
