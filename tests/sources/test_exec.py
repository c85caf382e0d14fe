"""Commands: what they say, how they end, and that nothing of them stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.running import start, until
from tests.sources.feeding import fed
from tuistream import sources
from tuistream.config import FeedOptions
from tuistream.core.errors import SettingsError
from tuistream.core.status import FeedState


def alive(pid: int) -> bool:
    """A zombie is not, where that can be told; the process may be gone at any moment."""
    try:
        os.kill(pid, 0)
        return (
            not Path("/proc").exists() or Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        )
    except (ProcessLookupError, FileNotFoundError):
        return False


async def test_a_command_is_run_by_the_shell_and_its_end_is_told() -> None:
    async with fed('exec:A=7; printf "x,y\\n$A,2\\n" | cat', retries=0) as feed:
        assert await feed.ended() is FeedState.CLOSED
        assert feed.values() == [[7, 2]]
        assert feed.status.reason == "ended"


async def test_its_standard_error_goes_to_the_event_log() -> None:
    async with fed("exec:echo 1; echo 'it is \033[31mhot' >&2; exit 3", retries=0) as feed:
        assert await feed.ended() is FeedState.FAILED
        assert feed.status.reason == "ended with exit code 3: it is ·[31mhot"
        assert "notice: it is ·[31mhot" in feed.told
        assert feed.column == [1]


async def test_a_command_that_is_not_there_is_not_tried_again() -> None:
    async with fed("exec:no-such-command-at-all") as feed:
        assert await feed.ended() is FeedState.FAILED
        assert feed.status.reason.startswith("ended with exit code 127: ")
        assert "not found" in feed.status.reason


async def test_it_is_started_again() -> None:
    async with fed("exec:echo 5; exit 1") as feed:
        await feed.ticks(3)
        assert feed.status.connections >= 3
        assert feed.status.gaps >= 2


@pytest.mark.parametrize("stop", ["end", "suspend"])
async def test_the_whole_group_ends_with_the_feed(tmp_path: Path, stop: str) -> None:
    pids = tmp_path / "pids"
    deaf = "sh -c 'trap \"\" TERM; echo $$ >> PIDS; while :; do sleep 0.1; done' & "
    command = f"exec:{deaf}sleep 1000 & echo $! >> PIDS; echo $$ >> PIDS; while :; do echo 1; sleep 0.05; done"
    async with fed(command.replace("PIDS", str(pids))) as feed:
        await feed.ticks(1)
        await until(lambda: pids.exists() and len(pids.read_text().split()) == 3)
        if stop == "suspend":
            await feed.feed.suspend()
            await until(lambda: not any(alive(int(pid)) for pid in pids.read_text().split()))
    found = [int(pid) for pid in pids.read_text().split()]
    await until(lambda: not any(map(alive, found)))


async def test_the_whole_group_ends_with_a_program_that_was_killed(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    # Neither writes, so that the end of their output is nothing that they would notice.
    line = f"exec:echo 1; sleep 1000 & echo $! >> {pids}; echo $$ >> {pids}; trap '' TERM HUP; sleep 1000"
    program = await start("record", line, "--db", str(tmp_path / "x.db"))
    await until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    found = [int(pid) for pid in pids.read_text().split()]
    assert all(map(alive, found))
    program.kill()
    await until(lambda: not any(map(alive, found)))
    await program.wait()


async def test_what_is_to_be_sent_goes_to_its_input() -> None:
    async with fed("exec:read line; echo $line", retries=0, options=FeedOptions(send=("4.5",))) as feed:
        await feed.ended()
        assert feed.column == [4.5]


def test_a_command_is_wanted() -> None:
    with pytest.raises(SettingsError, match="a command is missing"):
        sources.parse("exec: ")
    assert sources.parse("exec:/usr/bin/vmstat -n 1").name == "vmstat"
