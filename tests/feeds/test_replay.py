"""Replays of files, over real connections."""

from __future__ import annotations

import asyncio
import gzip
import os
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from tests.feeds.serving import PATIENCE, everything, running, some, until
from tuistream.feeds.files import FrameFiles, Payload
from tuistream.feeds.replay import Replay

EXCERPTS = Path(__file__).parent.parent / "data" / "feeds"
BINANCE = EXCERPTS / "binance_spot.txt"
DATA = os.environ.get("TUISTREAM_DATA", "")


def files(*paths: Path) -> FrameFiles:
    return FrameFiles(paths, print)


def payloads(*paths: Path) -> list[Payload]:
    return [payload for block in files(*paths).blocks() for payload in block.payloads]


async def test_each_client_gets_all_frames_in_order_from_the_first() -> None:
    paths = sorted(path for path in EXCERPTS.iterdir() if path.suffix != ".md")
    expected = payloads(*paths)
    async with running(Replay(files(*paths), rate=0)) as up:
        first, second = await asyncio.gather(everything(up.url), everything(up.url, compression="deflate"))
        assert first == second == (expected, 1000)
        await asyncio.wait_for(up.finished, PATIENCE)
        assert await everything(up.url) == (expected, 1000)


async def test_a_fast_replay_of_a_slow_recording(tmp_path: Path) -> None:
    path = tmp_path / "slow"
    path.write_text("\n".join(f"{10 * i}: {i}" for i in range(100)))
    loop = asyncio.get_running_loop()
    async with running(Replay(files(path), speed=5_000)) as up:
        started = loop.time()
        frames, code = await everything(up.url)
        assert loop.time() - started >= 990 / 5_000
        assert (frames, code) == ([str(i) for i in range(100)], 1000)


async def test_a_rate_paces_it(tmp_path: Path) -> None:
    path = tmp_path / "slow"
    path.write_text("\n".join(f"{100 * i}: {i}" for i in range(41)))
    loop = asyncio.get_running_loop()
    async with running(Replay(files(path), rate=200)) as up:
        started = loop.time()
        frames, _ = await everything(up.url)
        assert loop.time() - started >= 0.19
        assert len(frames) == 41


async def test_a_loop_starts_over_and_the_limit_counts_frames() -> None:
    expected = payloads(BINANCE)
    async with running(Replay(files(BINANCE), rate=0, limit=150, loop=True)) as up:
        frames, code = await everything(up.url)
        assert (frames, code) == ((expected * 3)[:150], 1000)
    async with running(Replay(files(BINANCE), rate=0, limit=7)) as up:
        assert await everything(up.url) == (expected[:7], 1000)


async def test_a_loop_over_nothing_ends(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    async with running(Replay(files(tmp_path / "empty"), loop=True)) as up:
        assert await everything(up.url) == ([], 1000)


async def test_one_that_leaves_in_a_long_pause_is_seen_to_leave(tmp_path: Path) -> None:
    path = tmp_path / "pause"
    path.write_text("0: a\n100000: b\n")
    async with running(Replay(files(path))) as up:
        async with connect(up.url) as leaving:
            assert await some(leaving, 1) == ["a"]
        await until(lambda: not up.server._clients)
        assert not up.finished.done()


@pytest.mark.skipif(not DATA, reason="TUISTREAM_DATA is not set")
async def test_a_whole_recording_arrives_whole() -> None:
    paths = sorted(Path(DATA).glob("binance/*.gz"))
    lines = [line for path in paths for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
    async with running(Replay(files(*paths), rate=0)) as up:
        frames, code = await everything(up.url)
        assert code == 1000
        assert frames == [line.partition(" ")[2] for line in lines]
        assert len(frames) == 99_574
