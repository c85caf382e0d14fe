"""The README's shell lines about recordings, run as they are printed, on small recordings of these names."""

from __future__ import annotations

import asyncio
import gzip
import importlib.util
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.store.recorded import record
from tuistream.core.batch import Batch, IdRule, Stream
from tuistream.core.status import Event

README = Path(__file__).parent.parent / "README.md"
ON_A_SCREEN = "tuistream replay "
FOR_MONTHS = "tuistream deploy "  # have tests of their own
HOUR = 3_600 * 10**9

PRINTS_ROWS = """#!{python}
# What the shell of SQLite prints, where that is not installed.
import sqlite3, sys
assert sys.argv[1] == "-readonly"
connection = sqlite3.connect(f"file:{{sys.argv[2]}}?mode=ro", uri=True)
print(*("|".join(map(str, row)) for row in connection.execute(sys.argv[3])), sep="\\n")
connection.close()
"""


def lines() -> list[str]:
    section = README.read_text(encoding="utf-8").partition("\n## Recording\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```sh\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    found = [line for block in blocks for line in re.split(r"\n(?! )", block.strip())]
    return [line for line in found if not line.startswith((ON_A_SCREEN, FOR_MONTHS))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """btc.db with two days of ticks to now, and the other files that the lines name; tuistream is on its PATH."""
    folder = tmp_path_factory.mktemp("readme")
    asyncio.run(_recordings(folder))
    with closing(sqlite3.connect(folder / "stock.db")) as stock, stock:
        stock.execute("CREATE TABLE trades(time float, price float)")
        stock.executemany("INSERT INTO trades VALUES (?, ?)", [(1795172027.06 + i, "144.89") for i in range(50)])
    (folder / "sensors.csv").write_text("timestamp,value\n2013-12-02 21:15:00,73.96\n2013-12-02 21:20:00,74.93\n")
    with gzip.open(folder / "capture.gz", "wt") as capture:
        capture.writelines(f'{time.time_ns() + i} {{"symbol":"A","price":{i}}}\n' for i in range(30))
    programs = folder / "bin"
    programs.mkdir()
    (programs / "tuistream").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tuistream "$@"\n')
    if shutil.which("sqlite3") is None:
        (programs / "sqlite3").write_text(PRINTS_ROWS.format(python=sys.executable))
    for program in programs.iterdir():
        program.chmod(0o755)
    return folder


async def _recordings(folder: Path) -> None:
    now = time.time_ns()
    batches: list[Batch | Event] = []
    for name in ("BTCUSDT", "ETHUSDT", "BTC/USD"):
        stream = Stream("binance", name, "trade", ("price", "qty"), ids=IdRule.CONSECUTIVE)
        t = np.arange(now - 48 * HOUR, now, 60 * 10**9, dtype=np.int64)
        v = np.random.default_rng(1).normal(100, 1, (len(t), 2))
        batches.append(Batch(stream, t, t + 1_000_000, v, np.arange(len(t), dtype=np.int64)))
        details: dict[str, int | float | str | None] = {"from": now - HOUR, "to": now, "reason": "outage"}
        batches.append(Event(now, "binance", "gap", "", stream.key, details))
    await record(folder / "btc.db", batches)
    microphone = Stream("mic", "mic", "", ("v",))
    t = now + np.arange(8_192, dtype=np.int64) * 125_000
    tone = np.sin(2e-9 * np.pi * 440 * (t - now))[:, None]
    await record(folder / "mic.db", [Batch(microphone, t, t, tone)])
    await record(folder / "day1.db", batches[:1])
    await record(folder / "day2.db", batches[2:3])


@pytest.mark.parametrize("line", lines())
def test_a_line_does_what_it_says(folder: Path, line: str) -> None:
    if ".png" in line and importlib.util.find_spec("PIL") is None:
        pytest.skip("Pillow is not installed")
    there = {path.name for path in folder.iterdir()}
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(README.parent)}
    done = subprocess.run(["/bin/sh", "-c", line], cwd=folder, env=environment, capture_output=True, timeout=50)
    assert done.returncode == 0, done.stderr.decode()
    made = re.findall(r"(?:-o|--db|>) (\S+)", line)
    assert {path.name for path in folder.iterdir()} - there == set(made)
    assert all((folder / name).stat().st_size for name in made)
    if not made:
        assert len(done.stdout.splitlines()) > 1


def test_what_the_lines_made(folder: Path) -> None:
    """The last of this file: what the lines before it left is what their comments say."""
    csv = (folder / "btc.csv").read_text().splitlines()
    assert len(csv) == 1 + 3 * 48 * 60
    counts = {}
    for name in ("both.db", "again.db", "prices.db", "sensors.db", "capture.db"):
        with closing(sqlite3.connect(folder / name)) as connection:
            counts[name] = connection.execute("SELECT count(*) FROM ticks").fetchone()[0]
    assert counts == {
        "both.db": 2 * 48 * 60, "again.db": 3 * 48 * 60, "prices.db": 50, "sensors.db": 2, "capture.db": 30,
    }  # fmt: skip
