"""The screen as a process in a real terminal: it shows, it records, it ends and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.running import PATIENCE, rows
from tests.cli.terminal import Terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is needed")


@contextmanager
def served(*arguments: str) -> Iterator[str]:
    """`tuistream serve` on a free port; its URL."""
    command = [sys.executable, "-m", "tuistream", "serve", *arguments, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().split()[1]
        finally:
            server.terminate()


def children_of(pid: int) -> list[int]:
    out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False).stdout
    return [int(word) for word in out.split()]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_demo_shows_itself_and_q_ends_it() -> None:
    with Terminal() as terminal:
        text = terminal.until(lambda text: "DEMO" in text and "live" in text and re.search("[\u2801-\u28ff]", text))
        assert "tuistream ws://" in text
        (child,) = children_of(terminal.pid)
        terminal.type("q")
        assert terminal.end() == 0
        assert not alive(child)


def test_the_demos_server_dies_with_its_parent_however_that_ends() -> None:
    with Terminal() as terminal:
        terminal.until(lambda text: "live" in text)
        (child,) = children_of(terminal.pid)
        os.kill(terminal.pid, signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE
        while alive(child):
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.mark.parametrize("key", ["q", "\x03"])
def test_what_is_watched_is_recorded(tmp_path: Path, key: str) -> None:
    db = tmp_path / "x.db"
    with served("gbm", "--rate", "100") as url, Terminal(url, "--db", str(db)) as terminal:
        terminal.until(lambda text: "live" in text and "x.db" in text)
        terminal.until(lambda _: rows(db) > 50)
        terminal.type(key)
        assert terminal.end() == 0
        stored = rows(db)
    assert stored > 50
    assert not list(tmp_path.glob("x.db-*"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_end_it_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    db = tmp_path / "x.db"
    with served("gbm", "--rate", "100") as url, Terminal(url, "--db", str(db)) as terminal:
        terminal.until(lambda text: "live" in text and rows(db) > 20)
        os.kill(terminal.pid, number)
        assert terminal.end() == 0
    assert not list(tmp_path.glob("x.db-*"))
    assert b"\x1b[?1049l" in terminal.raw  # the terminal is as it was


def test_a_file_that_another_process_records_is_only_watched(tmp_path: Path) -> None:
    db = str(tmp_path / "x.db")
    with served("gbm") as url, Terminal(url, "--db", db) as first:
        first.until(lambda _: rows(Path(db)) > 5)
        with Terminal(url, "--db", db) as second:
            second.until(lambda text: f"recorded by pid {first.pid}" in text and "live" in text)
            second.type("q")
            assert second.end() == 0


def test_with_no_terminal_it_says_what_to_do() -> None:
    command = [sys.executable, "-m", "tuistream", "ws://127.0.0.1:9"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1
    assert "tuistream record" in done.stderr
    assert "Traceback" not in done.stderr


def test_hostile_text_never_reaches_the_terminal(tmp_path: Path) -> None:
    frames = tmp_path / "hostile.txt"
    hostile = r'{"time": %d, "symbol": "\u001b]0;owned\u0007\u202e[red]x[/]\u001b[2J", "price": %d}'
    lines = [f"{1_795_172_027 + i}.5: " + hostile % (1_795_172_027 + i, i) for i in range(50)]
    frames.write_text("\n".join(lines) + "\n")
    with served(str(frames), "--rate", "50", "--loop") as url, Terminal(url, "--no-record") as terminal:
        terminal.until(lambda text: "[red]x[/]" in text)
        terminal.type("e")
        terminal.until(lambda text: "connected" in text)
        terminal.type("q")
        assert terminal.end() == 0
    assert b"owned\x07" not in terminal.raw
    assert "\u202e".encode() not in terminal.raw


@pytest.mark.parametrize(("budget", "word"), [("fast", "a size such as"), ("10", "at least 1,000 bytes a second")])
def test_a_budget_that_cannot_be_is_refused(budget: str, word: str) -> None:
    command = [sys.executable, "-m", "tuistream", "--budget", budget]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode != 0
    assert "--budget" in done.stderr
    assert word in done.stderr


def test_a_budget_holds_at_the_terminal() -> None:
    with (
        served("gbm", "--rate", "200", "--symbols", "4") as url,
        Terminal(url, "--no-record", "--budget", "6kB/s", "--fps", "30", columns=160, lines=48) as terminal,
    ):
        terminal.until(lambda text: "live" in text and "kB/s" in text)
        began = time.monotonic()
        while time.monotonic() < began + 1.5:  # the first screen
            terminal.pump()
        taken: list[tuple[float, int]] = []
        while time.monotonic() < began + 4.5:
            before = len(terminal.raw)
            terminal.pump()
            taken.append((time.monotonic(), len(terminal.raw) - before))
            if len(taken) % 10 == 0:
                terminal.type("t")
        # A reader that comes late may find two seconds' bytes in one, but no more than were allowed in all.
        assert 3_000 < sum(count for _at, count in taken) <= 6_000 * 3 + 1_500
        terminal.type("q")
        assert terminal.end() == 0


@pytest.mark.parametrize("key", ["q", ""])
def test_a_terminal_that_does_not_read_does_not_keep_it(tmp_path: Path, key: str) -> None:
    db = tmp_path / "x.db"
    with (
        served("gbm", "--rate", "200", "--symbols", "4") as url,
        Terminal(url, "--db", str(db), "--fps", "60", columns=200, lines=50) as terminal,
    ):
        terminal.until(lambda text: "live" in text and "x.db" in text)
        stored = rows(db)
        deadline = time.monotonic() + PATIENCE
        while rows(db) < stored + 1_000:  # it records on, while nobody reads what it draws
            assert time.monotonic() < deadline
            time.sleep(0.05)
        if key:
            terminal.type(key)
        else:
            os.kill(terminal.pid, signal.SIGTERM)
        while (ended := os.waitpid(terminal.pid, os.WNOHANG))[0] == 0:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        terminal.status = os.waitstatus_to_exitcode(ended[1])
    assert terminal.status == 0
    assert not list(tmp_path.glob("x.db-*"))
