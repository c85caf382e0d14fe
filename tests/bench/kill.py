"""`python -m tests.bench.kill [--times N] [--seed N]`: a recorder is killed (SIGKILL) at random moments.

Each kill goes on in the recording that the last one left, ten in a row. After each, every file is checked whole
(`tuistream verify`; blocks and sessions against ticks, ids without a hole or a repeat), and what `info` says against
the file.
Exit code 1 where a check failed.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import traceback
from pathlib import Path

from tests.sinks.endless_writer import PHASES
from tests.sinks.killing import check, kill
from tuistream.store.segments import files_of

IN_A_ROW = 10


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.bench.kill")
    arguments.add_argument("--times", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=20261121)
    given = arguments.parse_args()
    chance = random.Random(given.seed)
    heads = ("killed during", "kills", "inside it", "files checked", "rows acknowledged", "rows found", "failed")
    print("  ".join(f"{head:>17}" for head in heads))
    failed = 0
    for index, phase in enumerate(PHASES):
        times = given.times // len(PHASES) + (index < given.times % len(PHASES))
        failed += _row(phase, times, chance)
    return 1 if failed else 0


def _row(phase: str, times: int, chance: random.Random) -> int:
    inside = files = acknowledged = found = failed = done = 0
    while done < times:
        with tempfile.TemporaryDirectory(prefix="tuistream-kill-") as folder:
            path, rows = Path(folder, "a.db"), 0
            if phase == "open":  # there is something to be opened
                rows = check(path, 0, kill(path, "load", chance))
            for _ in range(min(IN_A_ROW, times - done)):
                done += 1
                killed = kill(path, phase, chance)
                inside += killed.inside
                acknowledged += killed.acknowledged
                try:
                    rows = check(path, rows + killed.acknowledged, killed)
                    files += len(files_of([path]))
                except AssertionError:
                    traceback.print_exc()
                    failed += 1
                    break
            found += rows
    cells = (phase, *(f"{number:,}" for number in (times, inside, files, acknowledged, found, failed)))
    print("  ".join(f"{cell:>17}" for cell in cells), flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
