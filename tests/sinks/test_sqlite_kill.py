"""What a recording is after its writer was killed with no warning."""

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.store.recorded import query, record, ticks
from tuistream.store.inspect import inspect
from tuistream.store.lock import lock_path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")

ROOT = Path(__file__).parents[2]
KILLS = 5


def start(path: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.sinks.endless_writer", str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def rows_told(line: str) -> int:
    word, _, number = line.partition(" ")
    return int(number) if word == "rows" and line.endswith("\n") else 0


async def test_a_killed_writer_loses_at_most_what_it_had_not_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    chance = random.Random(20261121)
    acknowledged = 0
    for _ in range(KILLS):
        with start(path) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline().startswith("first")
            lines = [writer.stdout.readline() for _ in range(chance.randint(0, 12))]
            writer.send_signal(signal.SIGKILL)
            lines += writer.stdout.readlines()
        acknowledged += max(map(rows_told, lines), default=0)
        assert query(path, "PRAGMA integrity_check") == [("ok",)]
        ((rows,),) = query(path, "SELECT count(*) FROM ticks")
        assert rows >= acknowledged
        acknowledged = rows
        check_whole(path)
        contents = inspect(path)
        assert contents.rows == rows
        assert contents.writer is None
        assert contents.sessions[-1].end == "unclean"
    last = await record(path, [])
    assert last.unclean == inspect(path).sessions[-2].alive
    assert not lock_path(path).exists()


def check_whole(path: Path) -> None:
    """No id of the consecutive stream is missing or twice, and the blocks are those of the ticks."""
    ((count, low, high),) = query(path, "SELECT count(*), min(id), max(id) FROM ticks WHERE stream = 1")
    if count:
        assert (low, high) == (0, count - 1)
        assert query(path, "SELECT count(DISTINCT id) FROM ticks WHERE stream = 1") == [(count,)]
    of_blocks = "SELECT stream, sum(r1 - r0 + 1), min(t0), max(t1) FROM blocks GROUP BY stream"
    assert query(path, of_blocks) == query(path, "SELECT stream, count(*), min(t), max(t) FROM ticks GROUP BY stream")
    assert query(path, "SELECT sum(rows) FROM sessions") == query(path, "SELECT count(*) FROM ticks")


async def test_a_writer_killed_while_it_makes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with start(path) as writer:
        while not path.exists():
            assert writer.poll() is None
        writer.send_signal(signal.SIGKILL)
    await record(path, [ticks(count=10)])
    assert query(path, "PRAGMA integrity_check") == [("ok",)]
    check_whole(path)
