"""What the decoder makes of videos that lie, and of none; each in a real process of its own."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from pathlib import Path

import pytest

from tests.cli.running import until
from tests.sources.media.hostile_videos import hostile, jpeg_sizes
from tests.sources.media.videos import encoded, video
from tuistream.core.video import VideoFrame
from tuistream.sources.media import player
from tuistream.sources.media.player import NEEDED, Player, VideoEnded, playing_file


async def played(path: Path) -> tuple[VideoEnded, Player]:
    """How a video ended of which each frame was taken."""
    async with playing_file(str(path)) as running:
        with pytest.raises(VideoEnded) as caught:
            while True:
                frame = await running.next()
                if frame is not None:
                    frame.take(40, 30)
    assert str(caught.value).isprintable()
    return caught.value, running


@pytest.mark.parametrize("name", hostile("/"))
async def test_a_hostile_video_is_refused_in_words(tmp_path: Path, name: str) -> None:
    secret = video(tmp_path, 3)
    data, words, frames = hostile(str(secret))[name]
    path = tmp_path / "hostile"
    path.write_bytes(data)
    ended, running = await played(path)
    assert str(ended) == words
    assert ended.final == (frames == 0)
    decoded = running.video.decoded if running.video is not None else 0
    assert decoded == frames


async def test_a_broken_video_is_shown_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = encoded(10, "matroska", "mpeg4")
    chance = random.Random(7)
    path = tmp_path / "broken"
    counts = []
    for cut in sorted(chance.sample(range(1, len(whole)), 6)):
        path.write_bytes(whole[:cut])
        _ended, running = await played(path)
        counts.append(running.video.decoded if running.video is not None else 0)
    assert counts == sorted(counts)
    for _ in range(6):
        flipped = bytearray(whole)
        for _ in range(30):
            flipped[chance.randrange(len(flipped))] = chance.randrange(256)
        path.write_bytes(flipped)
        await played(path)


async def test_frames_that_are_broken_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "clip.mjpeg"
    path.write_bytes(jpeg_sizes(encoded(10, "mjpeg", "mjpeg"), 16_000, first=8))
    _ended, running = await played(path)
    assert running.video is not None
    assert (running.video.decoded, running.video.broken) == (8, 2)
    assert "2 broken" in running.video.counts


async def test_a_decoder_that_dies_or_hangs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(video(tmp_path, 2_000))
    async with playing_file(path) as running:
        await running.next()
        os.kill(running._process.pid, signal.SIGSEGV)
        with pytest.raises(VideoEnded, match="the decoder ended by signal 11"):
            while True:
                await running.next()
    async with playing_file(path) as running:
        await running.next()
        monkeypatch.setattr(player, "STUCK_SECONDS", 0.05)
        os.kill(running._process.pid, signal.SIGSTOP)
        with pytest.raises(VideoEnded, match=r"no word from the decoder for 0\.05 s"):
            while True:
                await running.next()
    await until(lambda: running._process.poll() is not None)


async def test_a_decoder_ends_with_whoever_wanted_it(tmp_path: Path) -> None:
    async with playing_file(str(video(tmp_path, 2_000))) as running:
        await running.next()
        running._in.close()  # as the end of this process would
        await asyncio.to_thread(running._process.wait, 30)
        assert running._process.returncode == 0


async def test_without_pyav_it_is_said_what_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "there_is_a_decoder", lambda: False)
    with pytest.raises(VideoEnded, match="pip install") as caught:
        async with playing_file(str(video(tmp_path, 1))):
            pass
    assert str(caught.value) == NEEDED


async def test_a_decoder_may_not_be_asked_for_more_than_fits(tmp_path: Path) -> None:
    async with playing_file(str(video(tmp_path, 200))) as running:
        frame = await running.next()
        assert frame is not None
        frame.take(10**9, 0)
        frame = await running.next()
        assert isinstance(frame, VideoFrame)
        assert frame.pixels.shape == (1, 1, 3)
