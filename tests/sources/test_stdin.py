"""Standard input, as a pipe, a file and a device."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from tests.sources.feeding import fed
from tuistream.core.status import FeedState


async def test_a_pipe_is_read_as_it_comes_and_its_end_is_the_feeds() -> None:
    read, write = os.pipe()
    async with fed("-", descriptor=read) as feed:
        os.write(write, b"x,y\n1,2\n3,")
        await feed.ticks(1)
        os.write(write, b"4\n")
        await feed.ticks(2)
        os.write(write, b"5,6")
        os.close(write)
        assert await feed.ended() is FeedState.CLOSED
        assert feed.values() == [[1, 2], [3, 4], [5, 6]]
        assert feed.status.reason == "end of input"
    assert os.get_blocking(read)
    os.close(read)


async def test_a_file_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "numbers"
    path.write_text("".join(f"{n}\n" for n in range(200_000)))
    with path.open("rb") as file:
        async with fed("-", descriptor=file.fileno()) as feed:
            assert await feed.ended() is FeedState.CLOSED
            assert feed.status.ticks == 200_000
            assert feed.column == list(range(100_000, 200_000))


async def test_an_empty_device_ends_at_once() -> None:
    with Path("/dev/null").open("rb") as file:
        async with fed("-", descriptor=file.fileno()) as feed:
            assert await feed.ended() is FeedState.CLOSED
            assert feed.status.connections == 1


async def test_none_at_all_is_an_error() -> None:
    read, write = os.pipe()
    os.close(read)
    os.close(write)
    async with fed("-", descriptor=read) as feed:
        assert await feed.ended() is FeedState.FAILED
        assert feed.status.reason == "standard input: Bad file descriptor"


async def test_what_was_half_read_when_suspended_is_finished_afterwards() -> None:
    read, write = os.pipe()
    async with fed("-", descriptor=read) as feed:
        os.write(write, b"1,2\n3,")
        await feed.ticks(1)
        await feed.feed.suspend()
        assert feed.status.state is FeedState.SUSPENDED
        os.write(write, b"4\n")
        await asyncio.sleep(0.05)
        assert feed.status.ticks == 1
        feed.feed.resume()
        await feed.ticks(2)
        assert feed.values() == [[1, 2], [3, 4]]
        os.close(write)
        await feed.ended()
    os.close(read)
