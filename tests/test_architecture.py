"""The rules of the house that a linter of imports cannot see."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from tuistream.cli import COMMANDS

MODULES = """
import sys
from tuistream.cli import run
code = run(sys.argv[1:])
print(" ".join(sorted(sys.modules)), file=sys.stderr)
sys.exit(code)
"""


def modules_of(*arguments: str) -> tuple[int, set[str]]:
    done = subprocess.run([sys.executable, "-c", MODULES, *arguments], capture_output=True, text=True, timeout=60)
    return done.returncode, set(done.stderr.splitlines()[-1].split())


def test_a_recorder_never_imports_the_screen() -> None:
    code, modules = modules_of("record", "ws://127.0.0.1:9", "--retries", "0", "-q", "--db", "/dev/null/x.db")
    assert code == 1
    assert "tuistream.wiring" in modules
    assert not {
        name for name in modules if name.partition(".")[0] in ("textual", "textual_plotext", "plotext", "rich")
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ("--version",),
        ("--help",),
        ("watch", "--help"),
        ("record", "--help"),
        ("record", "nothing://x"),
        ("ws://127.0.0.1:9", "--budget", "fast"),
        ("ws://127.0.0.1:9", "--averages", "1"),
    ],
)
def test_words_come_before_weight(arguments: tuple[str, ...]) -> None:
    _, modules = modules_of(*arguments)
    assert not {"textual", "websockets", "aiosqlite", "sqlite3", "plotext", "numpy"} & modules
    if "--help" in arguments or "--version" in arguments:
        assert not {"asyncio", "msgspec", "ssl"} & modules


def test_help_says_of_each_command_what_its_own_help_begins_with() -> None:
    for name, words in COMMANDS.items():
        own = importlib.import_module(f"tuistream.cli.{name}").command.help
        assert own.replace("\n", " ").startswith(words.removesuffix(".")), name
