"""`python -m tests.bench.captured [--speed X] [--seconds S] FILE...`: raw captured frames in the monitor, recorded.

A feed for each file, played in a loop, on a screen of 200 x 50. Says what that takes and what was recorded;
exit code 1 where nothing did.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path

from tests.bench.console import Console, resident_mb, served

WARM = 5.0  # seconds from the start until it is measured


def measure(files: list[Path], speed: str, seconds: float) -> bool:
    """Whether ticks were recorded."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as servers:
        db = Path(folder, "captured.db")
        urls = [servers.enter_context(served(str(file), "--speed", speed, "--loop")) for file in files]
        with Console(sys.executable, "-m", "tuistream", "watch", *urls, "--db", str(db)) as console:
            console.watch(WARM)
            began, cpu = time.perf_counter(), console.cpu()
            console.watch(seconds)
            passed, used = time.perf_counter() - began, console.cpu() - cpu
            sent, memory = console.bytes_between(began, began + passed), resident_mb(console.process.pid)
            console.type("q")
            console.end()
        with closing(sqlite3.connect(db)) as recording:
            rows, first, last = recording.execute("SELECT count(*), min(recv), max(recv) FROM ticks").fetchone()
    print(f"{100 * used / passed:.1f} % of a core, {sent / passed / 1e3:.1f} kB/s to the terminal, {memory:.0f} MB")
    if rows:
        print(f"{rows:,} ticks recorded, {1e9 * rows / max(1, last - first):,.0f} a second")
    return bool(rows)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.captured")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--speed", default="20")
    parser.add_argument("--seconds", type=float, default=25.0)
    given = parser.parse_args()
    return 0 if measure(given.files, given.speed, given.seconds) else 1


if __name__ == "__main__":
    sys.exit(main())
