"""The screen in a real terminal with a real shell: Ctrl+Z, signals, `fg`, `bg`, and a terminal that goes away."""

from __future__ import annotations

import os
import re
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal is needed", allow_module_level=True)

from tests.cli.running import PATIENCE, query, rows
from tests.cli.terminal import Terminal
from tests.cli.test_watch import alive, children_of, served
from tests.test_suspend import is_stopped
from tests.ui.painted import Cells, cells, difference

PROMPT = "READY>"
COLUMNS = 160  # so that what the shell says of a job has one line
GAPS = "SELECT feed, stream, reason FROM gaps"


class Shell(Terminal):
    """bash, with jobs, in a terminal."""

    PROGRAM: ClassVar[tuple[str, ...]] = ("/bin/bash", "--norc", "--noprofile", "-i")

    def __init__(self) -> None:
        super().__init__(columns=COLUMNS, PS1=PROMPT + " ", HISTFILE="/dev/null")
        self.until(lambda text: PROMPT in text)

    def run(self, *arguments: str, wrapper: str = "") -> None:
        """Type the command line of `tuistream` with these arguments."""
        command = shlex.join([sys.executable, "-m", "tuistream", *arguments])
        self.type(f"{wrapper} {shlex.quote(command)}\n" if wrapper else f"{command}\n")

    @property
    def job(self) -> int:
        """The pid of the program, or of the wrapper around it."""
        (child,) = children_of(self.pid)
        return child

    def look(self, condition: Callable[[], object]) -> None:
        """Wait for something outside, while the terminal is read."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"it did not come about:\n{self.text}"
            self.pump()

    def stopped(self) -> str:
        """Wait until the shell says that the job has stopped; what stands above that."""
        return self.until(lambda text: re.search(r"Stopped[^>]*\n" + PROMPT, text)).partition("Stopped")[0]

    def until_still(self) -> Cells:
        """Wait until nothing changes for some drawings; all but the status line, in which a clock is."""
        before: Cells = []
        alike = 0
        while alike < 6:
            self.pump(0.1)
            now = cells(self.screen)[1:]
            alike = alike + 1 if now == before else 0
            before = now
        return before

    def until_again(self, seen: Cells) -> None:
        """Wait until the screen shows what it has shown."""
        deadline = time.monotonic() + PATIENCE
        while found := difference(cells(self.screen)[1:], seen):
            assert time.monotonic() < deadline, f"{found}\n{self.text}"
            self.pump()


def more_than(db: Path, stored: int) -> bool:
    return rows(db) > stored


@contextmanager
def watching(db: Path, *options: str) -> Iterator[Shell]:
    """A shell in which `tuistream` watches a feed of two streams and records it."""
    with served("gbm", "--rate", "50", "--symbols", "2") as url, Shell() as shell:
        shell.run(url, "--db", str(db), *options)
        shell.until(lambda text: "live" in text and "x.db" in text)
        shell.look(lambda: rows(db) > 20)
        yield shell


@pytest.mark.parametrize("how", ["key", "signal"])
def test_it_stops_in_good_order_and_comes_back_whole(tmp_path: Path, how: str) -> None:
    db = tmp_path / "x.db"
    with watching(db) as shell:
        shell.type(" ")  # what is shown stands still, so that the same must be there afterwards
        shell.until(lambda text: "paused" in text)
        seen = shell.until_still()
        before = len(shell.raw)
        pid = shell.job
        if how == "key":
            shell.type("\x1a")
        else:
            os.kill(pid, signal.SIGTSTP)
        said = shell.stopped()
        (told,) = re.findall(r"suspended; recording into x.db has stopped, with (\S+) rows written; fg goes on", said)
        assert is_stopped(pid)
        assert rows(db) == int(told.replace(",", ""))
        left = shell.raw[before:]
        assert left.index(b"\x1b[?1049l") < left.index(b"suspended; recording")  # in the normal screen
        shell.type("stty -a; jobs\n")  # the terminal is the shell's: it echoes, and in lines
        shell.until(lambda text: re.search(r" icanon\b", text) and re.search(r" echo\b", text))
        stored = rows(db)
        shell.type("fg\n")
        shell.look(lambda: len(query(db, GAPS)) == 2)
        shell.until_again(seen)
        shell.type(" e")
        shell.until(lambda text: re.search(r"suspended +for ", text) and text.count(": suspended, ") == 2)
        shell.look(lambda: rows(db) > stored)
        shell.type("q")
        shell.until(lambda text: text.rstrip().endswith(PROMPT))
    feed = query(db, "SELECT DISTINCT feed FROM streams")[0][0]
    assert sorted(query(db, GAPS)) == [(feed, "GBM1", "suspended"), (feed, "GBM2", "suspended")]
    assert not list(tmp_path.glob("x.db-*"))


def test_bg_stops_it_again_and_so_does_each_key(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    with watching(db) as shell:
        pid = shell.job
        for _ in range(2):
            shell.type("\x1a")
            shell.stopped()
            shell.type("clear; bg; wait\n")  # a screen of its own needs the terminal
            shell.until(lambda text: PROMPT in text and "bg; wait" not in text.rpartition(PROMPT)[2])
            shell.look(lambda: is_stopped(pid))
            stored = rows(db)
            shell.type("fg\n")
            shell.until(lambda text: "live" in text and "watch" in text)
            shell.look(partial(more_than, db, stored))
        shell.type("q")
        shell.until(lambda text: text.rstrip().endswith(PROMPT))
    assert len(query(db, GAPS)) == 4


def test_a_stop_that_nobody_told_of_leaves_no_trace(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    with watching(db) as shell:
        shell.type(" ")
        shell.until(lambda text: "paused" in text)
        seen = shell.until_still()
        pid = shell.job
        os.kill(pid, signal.SIGSTOP)
        shell.until(lambda text: PROMPT in text)
        shell.type("stty sane; clear\n")
        shell.until(lambda text: text.strip() == PROMPT)
        before = len(shell.raw)
        shell.type("bg; wait\n")  # the terminal is the shell's, so it stops again
        shell.until(lambda text: text.count(PROMPT) == 2)
        shell.look(partial(is_stopped, pid))
        assert b"\x1b[?7h" not in shell.raw[before:]  # nothing was written on the shell
        stored = rows(db)
        shell.type("fg\n")
        shell.look(lambda: rows(db) > stored)
        shell.until(lambda text: "paused" in text)
        shell.until_again(seen)
        entered = shell.raw.count(b"\x1b[?1049h")
        os.kill(pid, signal.SIGCONT)  # for nothing
        shell.look(lambda: shell.raw.count(b"\x1b[?1049h") > entered)
        shell.until_again(seen)
        shell.type("q")
        shell.until(lambda text: text.rstrip().endswith(PROMPT))
        shell.type("stty -a\n")
        shell.until(lambda text: re.search(r" icanon\b", text) and re.search(r" echo\b", text))
    assert query(db, GAPS) == []


def test_the_demo_in_a_script_stops_with_all_that_belongs_to_it() -> None:
    with Shell() as shell:
        shell.run(wrapper="PYTHONUNBUFFERED=1 sh -c")
        shell.until(lambda text: "live" in text)
        shell.type("\x1a")
        assert "recording into demo.db has stopped" in shell.stopped()
        script = shell.job
        for pid in (script, *children_of(script)):
            shell.look(partial(is_stopped, pid))
        shell.type("fg\n")
        shell.until(lambda text: "live" in text and "DEMO" in text)
        shell.type("q")
        shell.until(lambda text: text.rstrip().endswith(PROMPT))


def test_where_no_shell_is_the_key_says_so(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    with served("gbm") as url, Terminal(url, "--db", str(db)) as terminal:
        terminal.until(lambda text: "live" in text)
        terminal.type("\x1a")
        terminal.until(lambda text: "cannot suspend: no shell" in text)
        stored = rows(db)
        deadline = time.monotonic() + PATIENCE
        while rows(db) <= stored:
            assert time.monotonic() < deadline
            terminal.pump()
        os.kill(terminal.pid, signal.SIGTSTP)  # who sends this can send a SIGCONT as well
        terminal.until(lambda text: "suspended; recording" in text)
        while not is_stopped(terminal.pid):
            assert time.monotonic() < deadline
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.until(lambda text: "live" in text and "watch" in text)
        terminal.type("q")
        assert terminal.end() == 0
    assert [reason for _, _, reason in query(db, GAPS)] == ["suspended"]


def test_a_terminal_that_goes_while_it_is_stopped_ends_it(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    with watching(db) as shell:
        pid = shell.job
        shell.type("\x1a")
        shell.stopped()
        shell.hang_up()
        deadline = time.monotonic() + PATIENCE
        while alive(pid):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert not list(tmp_path.glob("x.db-*"))
    assert query(db, "SELECT COUNT(*) FROM sessions WHERE ended IS NULL") == [(0,)]


@pytest.mark.parametrize("keys", ["", " ?"], ids=["drawing", "paused, with the help open"])
def test_a_terminal_that_goes_under_nohup_ends_it_as_well(tmp_path: Path, keys: str) -> None:
    """No SIGHUP comes then: writing fails, or nothing is written at all."""
    db, code = tmp_path / "x.db", tmp_path / "code"
    with served("gbm", "--rate", "50") as url, Shell() as shell:
        program = shlex.join([sys.executable, "-m", "tuistream", url, "--db", str(db)])
        script = f"trap '' HUP; {program}; echo $? > {shlex.quote(str(code))}"
        shell.type(f"exec sh -c {shlex.quote(script)}\n")
        shell.until(lambda text: "live" in text and "x.db" in text)
        shell.look(lambda: rows(db) > 20)
        if keys:
            shell.type(keys)
            shell.until(lambda text: "all keys" in text)
        shell.hang_up()
        deadline = time.monotonic() + PATIENCE
        while not code.exists() or not code.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert code.read_text() == "0\n"
    assert not list(tmp_path.glob("x.db-*"))
