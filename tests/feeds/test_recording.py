"""Recordings served over real connections, and recorded again."""

from __future__ import annotations

import asyncio
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from websockets.asyncio.client import connect

from tests.feeds.serving import PATIENCE, everything, running, some
from tests.store.recorded import T0, TRADES, query, record, ticks
from tuistream.cli.serve import command
from tuistream.config import FeedOptions, Settings, feed_settings
from tuistream.core.batch import Batch, IdRule, Stream
from tuistream.core.errors import SettingsError
from tuistream.core.status import Event
from tuistream.feeds import recording
from tuistream.feeds.recording import RecordedTicks, is_recording
from tuistream.store.playback import Selection
from tuistream.wiring import running as run_of

BOOK = Stream("feed", "BTCUSDT", "book", ("bid", "ask", "depth"), timed=False, found="test")
S = 1_000_000_000


def served(path: Path, speed: float = math.inf, **options: Any) -> RecordedTicks:
    return RecordedTicks(Selection((path,)), speed, **options)


async def various(path: Path) -> None:
    book = Batch(BOOK, np.array([0, T0]), np.array([T0, T0 + 1]), np.array([[np.nan, 1.5, -0.0], [2, 3, np.inf]]))
    words = Stream("feed", "words", "event", ("n",), ids=IdRule.UNIQUE, found="by hand")
    outage: dict[str, int | float | str | None] = {"from": T0 - 9, "to": T0, "reason": "outage"}
    holes: dict[str, int | float | str | None] = {"from": T0, "to": T0, "reason": "ids missing", "first_id": 30}
    gaps = [
        Event(T0, "feed", "gap", "outage", BOOK.key, outage),
        Event(T0, "feed", "gap", "", TRADES.key, holes | {"last_id": 49, "missing": 20}),
    ]
    await record(path, [ticks(count=5_000, ids=[*range(30), *range(50, 5_020)])])
    await record(path, [book, ticks(words, 4, ids=["a", None, "b", 7]), *gaps])


async def recorded(url: str, path: Path) -> None:
    settings = Settings(feed_settings([url], FeedOptions()), db=path, retries=0)
    async with run_of(settings, recording_needed=True) as run:
        await asyncio.wait_for(run.ended.wait(), PATIENCE)


async def test_what_is_served_and_recorded_is_what_was_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "MESSAGE_CELLS", 300)
    path, again = tmp_path / "a.db", tmp_path / "b.db"
    await various(path)
    async with running(served(path)) as up:
        await recorded(up.url, again)
    for kind in ("trade", "book", "event"):
        columns = "s.name, s.fields, s.ids, s.timed, s.found, k.t, k.recv, k.id, typeof(k.id), v0, v1, v2"
        rows = f"SELECT {columns} FROM ticks AS k JOIN streams AS s ON s.id = k.stream WHERE kind = ? ORDER BY n"
        assert query(again, rows, kind) == query(path, rows, kind) != []
    gaps = "SELECT stream, kind, t0, t1, reason, first_id, last_id, missing FROM gaps WHERE reason = ?"
    assert query(again, gaps, "outage") == query(path, gaps, "outage")
    assert query(again, "SELECT first_id, last_id FROM gaps WHERE reason = 'ids missing'") == [(30, 49)]


async def test_it_is_paced_and_each_client_gets_all_of_it(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    times = T0 + np.arange(40) * S
    await record(path, [Batch(BOOK, times, times, np.zeros((40, 3)))])
    loop = asyncio.get_running_loop()
    async with running(served(path, speed=200)) as up:
        started = loop.time()
        first, second = await asyncio.gather(everything(up.url), everything(up.url))
        assert loop.time() - started >= 39 / 200
    for frames, code in (first, second):
        assert [t for frame in frames for t in json.loads(frame)["t"]] == times.tolist()
        assert len(frames) > 3
        assert code == 1000


async def test_it_starts_over_and_ends_with_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await record(path, [ticks(count=30)])
    async with running(served(path, limit=75, loop=True)) as up:
        frames, code = await everything(up.url)
    ids = [tick_id for frame in frames for tick_id in json.loads(frame)["id"]]
    assert ids == [*range(30), *range(30), *range(15)]
    assert code == 1000
    async with running(served(path, loop=True)) as up, connect(up.url) as client:
        assert len(await some(client, 5)) == 5


async def test_a_client_that_leaves_in_a_pause_ends_its_replay(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    times = np.array([T0, T0 + 1_000 * S])
    await record(path, [Batch(BOOK, times, times, np.zeros((2, 3)))])
    async with running(served(path, speed=1)) as up:
        async with connect(up.url) as client:
            await some(client, 1)
        async with connect(up.url) as client:
            await some(client, 1)
        assert not up.finished.done()


async def test_recordings_are_told_from_files_of_frames(tmp_path: Path) -> None:
    path, frames = tmp_path / "a.db", tmp_path / "frames"
    await record(path, [ticks()])
    frames.write_text("1: {}\n")
    (tmp_path / "r.20261121T000000Z.db").write_bytes(path.read_bytes())
    assert is_recording(path)
    assert is_recording(tmp_path / "r.db")
    assert not is_recording(frames)
    assert not is_recording(tmp_path / "none")
    for words, told in (
        ([str(path), str(frames)], "not both at once"),
        ([str(path), "--rate", "5"], "--rate: of a recording 0 only"),
        ([str(path), "--speed", "0"], "--speed 0: from 0.001"),
        ([str(path), "--symbols", "5"], "--symbols: for gbm"),
    ):
        result = CliRunner().invoke(command, words)
        assert isinstance(result.exception, SettingsError)
        assert told in str(result.exception)
