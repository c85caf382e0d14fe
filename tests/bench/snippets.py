"""Each command that `tuistream listen` prints, or shows on the screen, run by a shell as it stands there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request

from tests.bench.listening import Listening
from tests.bench.table import Row
from tests.cli.running import PATIENCE

HEADS = ("program", "wanted", "in the hub", "what was pasted")
COLUMNS = 80  # so narrow that commands take several rows
BEGIN = ("curl", "python3", "node", "echo")
LISTEN = ("listen", "--headless", "--no-record", "--tcp", "0", "--frames", "0", "--http", "0", "--ws", "0")
# Before its version 22 node hides WebSocket behind an option, which is not needed for what is printed first.
ENVIRONMENT = os.environ | {"NODE_OPTIONS": "--no-warnings"}
_STREAMS = re.compile(r"^tuistream_streams (\d+)$", re.MULTILINE)


def streams(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as answer:
        match = _STREAMS.search(answer.read().decode())
    assert match is not None
    return int(match[1])


def pasted(where: str, command: str, port: int, number: int) -> Row:
    """Run a command; it is to make stream `number`."""
    program = command.split("|")[-1].split()[0]
    what, told = f"{program}, {where}", command.strip().replace("\n", "⏎")
    if shutil.which(program) is None:
        return Row(what, "a stream", "not run: not installed", told)
    begun = time.perf_counter()
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=PATIENCE, env=ENVIRONMENT)
    while done.returncode == 0 and streams(port) < number and time.perf_counter() < begun + PATIENCE:
        time.sleep(0.01)
    seconds = time.perf_counter() - begun
    answer = f", answered {done.stdout.strip()}" if done.stdout.strip() else ""
    wrong = "" if streams(port) == number else f"exit code {done.returncode}: {(done.stdout + done.stderr).strip()}"
    return Row(what, "a stream", f"there after {seconds:.2f} s{answer}", told, wrong)


def all_pasted(where: str, commands: list[str], port: int) -> list[Row]:
    table: list[Row] = []
    for command in commands:
        made = sum("not run" not in row.got for row in table)
        table.append(pasted(where, command, port, made + 1))
    return table


def printed() -> list[Row]:
    command = (sys.executable, "-m", "tuistream", *LISTEN)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as hub:
        assert hub.stdout is not None
        try:
            places = hub.stdout.readline()
            match = re.search(r"http 127\.0\.0\.1:(\d+)", places)
            assert match is not None, places
            commands = [hub.stdout.readline().strip() for _ in range(places.count("127.0.0.1"))]
            return all_pasted("printed", commands, int(match[1]))
        finally:
            hub.terminate()


def on_the_screen() -> list[Row]:
    with Listening(columns=COLUMNS) as listening:
        blocks = re.split(r"\n\s*\n", listening.text)
        commands = [block for block in blocks if block.split()[:1] and block.split()[0] in BEGIN]
        return all_pasted(f"on a screen of {COLUMNS}", commands, listening.ports["http"])


def rows(short: bool = False) -> list[Row]:
    """short: the same, as it takes a few seconds."""
    return [*printed(), *on_the_screen()]
