"""`python -m tests.bench.soak [RATE [SECONDS]]`: the monitor under a steady load, recording; its memory as time goes.

20,000 ticks/s for an hour unless told otherwise, in four streams. A line every so often; exit code 1 where a tick
sent is not in the file. No section of the bench, as it takes its time.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.console import Console, resident_mb, served
from tests.bench.screen import first_braille

PANELS = 4
RATE, SECONDS = 20_000, 3_600
LINES = 12
SETTLE = 1.0  # seconds after which a recording that goes on has grown


def soak(rate: int, seconds: int) -> bool:
    """Whether all that was sent was recorded."""
    sent = rate * seconds
    arguments = ("gbm", "--symbols", str(PANELS), "--rate", str(rate / PANELS), "--limit", str(sent))
    with tempfile.TemporaryDirectory() as folder, served(*arguments) as url:
        db = Path(folder, "soak.db")
        with Console(sys.executable, "-m", "tuistream", "watch", url, "--db", str(db), "--retries", "0") as console:
            console.until(lambda: first_braille(console) is not None)
            began, cpu = time.perf_counter(), console.cpu()
            print(f"{'seconds':>8} {'MB':>7} {'% CPU':>7} {'kB/s':>7} {'rows':>13} {'MB file':>9}")
            for line in range(1, LINES + 1):
                console.chunks.clear()
                before = time.perf_counter()
                console.watch(max(0.0, began + line * seconds / LINES - time.perf_counter()))
                passed, used = time.perf_counter() - began, console.cpu()
                written = console.bytes_between(before, time.perf_counter()) / 1e3 / (time.perf_counter() - before)
                memory = resident_mb(console.process.pid)
                size = sum(file.stat().st_size for file in Path(folder).glob("soak.db*")) / 1e6
                load = 100 * (used - cpu) / (seconds / LINES)
                print(
                    f"{passed:8.0f} {memory:7.1f} {load:7.1f} {written:7.1f} {_rows(db):13,} {size:9.1f}", flush=True
                )
                cpu = used
            before_last = -1
            while before_last < (rows := _rows(db)) < sent:
                before_last = rows
                console.watch(SETTLE)
            console.type("q")
            console.end()
        rows = _rows(db)
        print(f"{rows:,} of {sent:,} ticks recorded{'' if rows == sent else ': FAILED'}")
        return rows == sent


def _rows(db: Path) -> int:
    with sqlite3.connect(f"file:{db}?mode=ro", uri=True) as connection:
        (count,) = connection.execute("SELECT COALESCE(MAX(rowid), 0) FROM ticks").fetchone()
    connection.close()
    return int(count)


if __name__ == "__main__":
    sys.exit(not soak(*(int(word) for word in sys.argv[1:]), *(RATE, SECONDS)[len(sys.argv) - 1 :]))
