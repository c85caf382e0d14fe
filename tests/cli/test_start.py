"""The start of the monitor: what it imports before its first chart, what it does about garbage, how it refuses."""

from __future__ import annotations

import gc
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal is needed", allow_module_level=True)

from tests.cli.terminal import Terminal
from tuistream.cli.garbage import collect_from_now_on

BRAILLE = re.compile("[\u2801-\u28ff]")
IMPORTED = re.compile(rb"import time: +\d+ \| +\d+ \| +([\w.]+)")
# Each is slow, and for something that the first chart has no part in.
NOT_AT_THE_START = {
    "aiosqlite",
    "json",
    "markdown_it",
    "numpy.fft",
    "numpy.ma",
    "numpy.polynomial",
    "numpy.random",
    "numpy.testing",
    "pygments",
    "rich.markdown",
    "rich.syntax",
    "rich.traceback",
    "sqlite3",
    "textual.widgets._data_table",
    "textual.widgets._markdown",
    "textual.widgets._text_area",
    "tree_sitter",
    "tuistream.charts.graphics",
    "tuistream.decoders.table",
    "tuistream.sinks",
    "tuistream.sources.media.opening",
    "tuistream.store",
    "tuistream.ui.board_view",
    "tuistream.ui.filter",
    "tuistream.ui.graphics",
    "tuistream.ui.help",
    "tuistream.ui.items",
    "tuistream.ui.moment_input",
    "tuistream.ui.naming",
    "tuistream.ui.openings",
    "tuistream.ui.palette",
    "tuistream.ui.pictures",
    "tuistream.ui.sights",
    "tuistream.ui.wishes",
    "websockets.legacy",
    "websockets.server",
    "websockets.sync",
}


@contextmanager
def served() -> Iterator[str]:
    command = [sys.executable, "-m", "tuistream", "serve", "gbm", "--rate", "100", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().split()[1]
        finally:
            server.terminate()


def test_the_first_chart_waits_for_no_import_that_it_does_not_need() -> None:
    with served() as url, Terminal(url, "--no-record", PYTHONPROFILEIMPORTTIME="1") as terminal:
        terminal.until(BRAILLE.search)
        imported = {name.decode() for name in IMPORTED.findall(terminal.raw)}
        terminal.type("q")
        assert terminal.end() == 0
    assert {"numpy", "textual.screen", "tuistream.ui.panel", "websockets.asyncio.client"} <= imported
    assert sorted(NOT_AT_THE_START & imported) == []


def test_garbage_is_looked_for_again_but_not_among_what_the_start_made() -> None:
    gc.disable()
    try:
        collect_from_now_on()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 1_000
        assert len(gc.get_objects()) < 1_000
    finally:
        gc.unfreeze()
        gc.enable()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("module", [b" textual.geometry\r", b" tuistream.ui.panel\r"])
def test_a_signal_during_the_start_ends_it_in_good_order(tmp_path: Path, module: bytes, number: int) -> None:
    ports = [word for way in ("--tcp", "--frames", "--http", "--ws") for word in (way, "0")]
    given = ("listen", *ports, "--db", str(tmp_path / "a.db"))
    with Terminal(*given, PYTHONPROFILEIMPORTTIME="1") as terminal:
        terminal.until(lambda _text: module in terminal.raw)
        os.kill(terminal.pid, number)
        assert terminal.end() == 0
    assert b"Traceback" not in terminal.raw
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.db"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ws://127.0.0.1:9", "--theme", "pink"), "--theme 'pink' is not known; known are"),
        (("wss://127.0.0.1:9", "--ca-file", "{}"), "--ca-file"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    no_certificate = tmp_path / "x.pem"
    no_certificate.write_text("x")
    given = [argument.format(no_certificate) for argument in arguments]
    with Terminal(*given, "--no-record", columns=200) as terminal:
        assert terminal.end() == 2
    assert words.encode() in terminal.raw
    assert b"Traceback" not in terminal.raw
