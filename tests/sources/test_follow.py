"""A recording that another connection writes is followed: every tick once, no lock, and what is said of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.store.recorded import T0, TRADES, put, query, record, ticks
from tuistream.cli.watch import _recordings
from tuistream.config import FeedOptions, Settings, feed_settings
from tuistream.core.errors import RecordingError
from tuistream.core.outbox import Outbox
from tuistream.core.status import Event, FeedState
from tuistream.sinks.sqlite import SqliteSink
from tuistream.sources.follow import files_in, url_of
from tuistream.store.segments import segment_path
from tuistream.wiring import Run, running

GAP = Event(T0, "feed", "gap", "gap", TRADES.key, {"from": T0 + 5, "to": T0 + 7, "reason": "test"})


def following(*files: Path) -> Settings:
    return Settings(feeds=feed_settings([url_of(files)], FeedOptions()))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


def values(run: Run) -> list[float]:
    state = run.session.streams.get(TRADES.key)
    return state.series.column("price").tolist() if state is not None else []


async def test_each_tick_comes_once_while_another_writes_and_the_end_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await record(path, [ticks(count=1_500), GAP])
    outbox = Outbox("test")
    sink = SqliteSink(path, outbox)
    await sink.open()
    writing = asyncio.create_task(sink.run())
    async with running(following(path), recording_needed=False) as run:
        for first in range(1_500, 3_000, 10):
            put(outbox, [ticks(first=first, count=10)])
            await asyncio.sleep(0.001)
        await until(lambda: 2_999 in values(run))
        # The newest thousand of those that were there, then all others.
        assert values(run) == [*range(int(values(run)[0]), 3_000)]
        status = run.feeds[0].status
        assert (status.state, status.reason.split()[0]) == (FeedState.LIVE, "pid")
        put(outbox, [GAP])
        await until(lambda: status.gaps == 1)
        # Nothing is held that would keep the log from being written back.
        assert query(path, "PRAGMA wal_checkpoint(TRUNCATE)") == [(0, 0, 0)]
        sink.stop()
        await writing
        await sink.close()
        await until(lambda: status.state is FeedState.CLOSED)
        assert status.reason.startswith("ended 20")


async def test_the_streams_of_a_recording_at_rest_are_there_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await record(path, [ticks(count=3)])
    async with running(following(path), recording_needed=False) as run:
        await until(lambda: len(values(run)) == 3)
        state = run.session.streams[TRADES.key]
        assert state.recalled
        assert state.last == 2.0
        assert run.session.feed_of(state.stream) is run.feeds[0].status


async def test_new_segments_and_recordings_are_followed(tmp_path: Path) -> None:
    base = tmp_path / "a.db"
    await record(base, [ticks(count=2)])
    async with running(following(base), recording_needed=False) as run:
        await until(lambda: len(values(run)) == 2)
        await record(tmp_path / "new.db", [ticks(first=2, count=2)])
        (tmp_path / "new.db").rename(segment_path(base, T0))
        await until(lambda: values(run) == [0, 1, 2, 3])


async def test_a_recording_that_is_removed_is_said_and_one_in_its_place_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await record(path, [ticks(count=2)])
    async with running(following(path), recording_needed=False) as run:
        await until(lambda: len(values(run)) == 2)
        path.unlink()
        status = run.feeds[0].status
        await until(lambda: status.state is FeedState.RETRYING)
        assert "no such file" in status.reason.lower()
        await record(path, [ticks(first=2, count=2)])
        await until(lambda: values(run) == [0, 1, 2, 3])


async def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="no such file"):
        async with running(following(tmp_path / "a.db"), recording_needed=False):
            pass


def test_files_are_told_from_urls(tmp_path: Path) -> None:
    path = tmp_path / "a file&more+.db"
    path.touch()
    assert files_in(url_of([path, path])) == [path, path]
    assert _recordings((str(path),)) == [path]
    assert _recordings(("missing.db",)) == [Path("missing.db")]
    assert not _recordings(("missing",))
    assert not _recordings(("kraken:BTC/USD",))
    assert not _recordings((str(path), "ws://localhost"))
    assert not _recordings(())
