"""Files that grow, are rotated, truncated, not there yet."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.sources.feeding import fed
from tuistream import sources
from tuistream.core.errors import SettingsError
from tuistream.core.status import FeedState


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


async def test_it_starts_at_the_end_and_takes_what_is_appended(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("1\n2\n")
    async with fed(f"tail:{path}") as feed:
        await feed.until(lambda: feed.status.state is FeedState.WAITING)
        append(path, "3\n4")
        await feed.ticks(1)
        append(path, ".5\n")
        await feed.ticks(2)
        assert feed.column == [3, 4.5]


async def test_it_starts_at_the_start_if_told_so(tmp_path: Path) -> None:
    path = tmp_path / "a file"
    path.write_text("1\n2\n")
    async with fed(f"tail:{path}?from=start") as feed:
        await feed.ticks(2)
        append(path, "3\n")
        await feed.ticks(3)
        assert feed.column == [1, 2, 3]


async def test_the_names_of_the_columns_are_read_though_it_starts_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("load,temperature\n1,2\n")
    async with fed(f"tail:{path}") as feed:
        await feed.until(lambda: feed.status.frames == 1)
        append(path, "3,4\n")
        await feed.ticks(1)
        (state,) = feed.session.streams.values()
        assert state.stream.fields == ("load", "temperature")
        assert feed.values() == [[3, 4]]


async def test_rotation_and_truncation_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("")
    async with fed(f"tail:{path}") as feed:
        await feed.until(lambda: feed.status.state is FeedState.WAITING)
        append(path, "1\n")
        await feed.ticks(1)
        path.rename(tmp_path / "log.1")
        append(tmp_path / "log.1", "2\n3")  # by a writer that has it open still
        path.write_text("4\n")
        await feed.ticks(4)
        append(path, "5\n6\n")
        await feed.ticks(6)
        os.truncate(path, 0)
        append(path, "7\n")
        await feed.ticks(7)
        assert feed.column == [1, 2, 3, 4, 5, 6, 7]


async def test_a_file_that_is_not_there_yet_is_waited_for_and_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "later"
    async with fed(f"tail:{path}") as feed:
        await feed.until(lambda: "retry: no such file yet" in feed.told)
        await asyncio.sleep(0.3)
        path.write_text("1\n2\n")
        await feed.ticks(2)
        assert feed.column == [1, 2]


async def test_it_goes_on_where_it_was_after_a_suspension(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("")
    async with fed(f"tail:{path}") as feed:
        await feed.until(lambda: feed.status.state is FeedState.WAITING)
        append(path, "1\n2")
        await feed.ticks(1)
        await feed.feed.suspend()
        append(path, ".5\n3\n")
        feed.feed.resume()
        await feed.ticks(3)
        assert feed.column == [1, 2.5, 3]


async def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    async with fed(f"tail:{tmp_path}") as feed:
        assert await feed.ended() is FeedState.FAILED
        assert "no regular file" in feed.status.reason


@pytest.mark.parametrize("target", ["tail:", "tail:?from=start", "tail:x?from=middle"])
def test_targets_that_cannot_be_are_refused(target: str) -> None:
    with pytest.raises(SettingsError):
        sources.parse(target)
