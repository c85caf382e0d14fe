"""Kills a recorder at a random moment, and looks at what it leaves."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.store.recorded import query
from tuistream.store.inspect import inspect
from tuistream.store.segments import files_of
from tuistream.store.verify import verify

ROOT = Path(__file__).parents[2]
LONGEST = {
    "load": 0.3,
    "checkpoint": 0.002,
    "turn": 0.012,
    "close": 0.012,
    "open": 0.02,
}  # s from a begin to the kill
MOST_SKIPPED = {"checkpoint": 60, "turn": 9}  # begins that are let pass, at most


@dataclass(frozen=True, slots=True)
class Killed:
    """acknowledged: rows that this run had been told are written. inside: it was in its phase, by its last line.

    ended: it had come to its own end before.
    """

    acknowledged: int
    inside: bool
    ended: bool


def start(path: Path, phase: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.sinks.endless_writer", str(path), phase]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def kill(path: Path, phase: str, chance: random.Random) -> Killed:
    """Start a recorder, kill it at some moment of the phase, and tell what it had said."""
    sign = "rows" if phase == "load" else "begin"
    skipped = chance.randint(0, MOST_SKIPPED.get(phase, 0))
    said: list[str] = []
    with start(path, phase) as writer:
        try:
            assert writer.stdout is not None
            for line in writer.stdout:
                said.append(line)
                skipped -= line.startswith(sign)
                if skipped < 0:
                    break
            else:
                raise AssertionError(f"the recorder ended by itself: {said[-3:]}")
            time.sleep(chance.uniform(0, LONGEST[phase]))
        finally:
            writer.kill()
        said += writer.stdout.readlines()
    whole = [line for line in said if line.endswith("\n")]
    return Killed(
        acknowledged=max((int(line.split()[1]) for line in whole if line.startswith("rows")), default=0),
        inside=whole.count("begin\n") > whole.count("end\n"),
        ended=writer.returncode == 0,
    )


def check(path: Path, acknowledged: int, killed: Killed) -> int:
    """Whether each file is whole, and nothing that was acknowledged is missing; the rows that there are.

    acknowledged: rows that all runs together had been told are written. Raises AssertionError.
    """
    if not files_there(path):
        assert not acknowledged
        return 0
    assert verify(files_of([path])).problems == []
    low = total = 0
    for file in files_of([path]):
        assert query(file, "PRAGMA integrity_check") == [("ok",)], file
        low = check_whole(file, low)
        total += query(file, "SELECT count(*) FROM ticks")[0][0]
    contents = inspect(path)
    assert contents.rows == total >= acknowledged
    assert contents.writer is None
    if contents.sessions and not killed.ended:
        ((alive, ended),) = [
            query(file, "SELECT alive, ended FROM sessions ORDER BY id DESC LIMIT 1")
            for file in files_of([path])
            if query(file, "SELECT id FROM sessions LIMIT 1")
        ][-1]
        assert (contents.end, contents.last_flush) == ("clean" if ended else "unclean", alive)
    return total


def files_there(path: Path) -> bool:
    return any(path.parent.glob(f"{path.stem}*.db"))


def check_whole(path: Path, low: int = 0) -> int:
    """No id of the consecutive stream is missing or twice, and the blocks are those of the ticks.

    low: the first id that is to be in the file. Returns the one that the next file is to begin with.
    """
    consecutive = "FROM ticks WHERE stream = (SELECT id FROM streams WHERE name = 'BTCUSDT')"
    found = query(path, f"SELECT count(*), min(id), max(id), count(DISTINCT id) {consecutive}")
    ((count, first, last, distinct),) = found
    if count:
        assert (first, last, distinct) == (low, low + count - 1, count), (path, low, found)
    of_blocks = "SELECT stream, sum(r1 - r0 + 1), min(t0), max(t1) FROM blocks GROUP BY stream"
    of_ticks = "SELECT stream, count(*), min(t), max(t) FROM ticks GROUP BY stream"
    assert query(path, of_blocks) == query(path, of_ticks)
    of_sessions = "SELECT coalesce(sum(rows), 0) FROM sessions"
    assert query(path, of_sessions) == query(path, "SELECT count(*) FROM ticks")
    return low + int(count)
