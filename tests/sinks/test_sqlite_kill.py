"""What a recording is after its writer was killed with no warning; `python -m tests.bench.kill` does it 200 times."""

import random
import signal
import sys
from pathlib import Path

import pytest

from tests.sinks.endless_writer import PHASES
from tests.sinks.killing import check, check_whole, kill, start
from tests.store.recorded import query, record
from tuistream.store.inspect import inspect
from tuistream.store.lock import lock_path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")

KILLS = {"load": 2}  # 1 of the other phases


@pytest.mark.parametrize("phase", PHASES)
async def test_a_killed_writer_loses_at_most_what_it_had_not_acknowledged(tmp_path: Path, phase: str) -> None:
    path = tmp_path / "a.db"
    chance = random.Random(20261121)
    rows = 0
    for _ in range(KILLS.get(phase, 1)):
        killed = kill(path, phase, chance)
        rows = check(path, rows + killed.acknowledged, killed)
    last = await record(path, [])
    runs = inspect(path).sessions
    assert last.unclean == (runs[-2].alive if len(runs) > 1 and runs[-2].end == "unclean" else None)
    assert not lock_path(path).exists()


async def test_a_writer_killed_while_it_makes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with start(path, "load") as writer:
        while not path.exists():
            assert writer.poll() is None
        writer.send_signal(signal.SIGKILL)
    await record(path, [])
    assert query(path, "PRAGMA integrity_check") == [("ok",)]
    check_whole(path)
