"""A recording as a feed: the same ticks, gaps and events again, at any pace, from any place."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.running import until
from tests.store.recorded import T0, TRADES, query, record, ticks
from tuistream.config import FeedOptions, Settings, feed_settings
from tuistream.core.batch import Batch, IdRule, Stream
from tuistream.core.errors import RecordingError, SettingsError
from tuistream.core.session import Session, StreamState
from tuistream.core.status import Event, FeedState, FeedStatus
from tuistream.sources import recorded, recording, replay
from tuistream.sources.replay import Replay
from tuistream.store.playback import Selection
from tuistream.wiring import running

S = 1_000_000_000
MS = 1_000_000
BOOK = Stream("other", "BTCUSDT", "book", ("bid", "ask", "depth"), timed=False, found="test")
ALONG = Stream("feed", "run", "line", ("x", "y"), found="test", axis="x")
WORDS = Stream("feed", "words", "event", ("n",), ids=IdRule.UNIQUE, found="by hand")


def gap(since: int, to: int, reason: str = "outage") -> Event:
    details: dict[str, int | float | str | None] = {"from": since, "to": to, "reason": reason, "missing": 3}
    return Event(to, "feed", "gap", f"BTCUSDT: {reason}", TRADES.key, details)


def seconds(stream: Stream, times: list[float]) -> Batch:
    """Ticks received so many seconds after T0; the value of each is that."""
    recv = T0 + (np.array(times) * S).astype(np.int64)
    values = np.repeat(np.array(times)[:, None], len(stream.fields), axis=1)
    return Batch(stream, recv - 100 * MS, recv, values)


async def various(path: Path) -> None:
    """A recording with what a recording can have."""
    book = Batch(
        BOOK, np.array([T0, T0 - 5]), np.array([T0, T0 + 1]), np.array([[np.nan, 1.5, -0.0], [2, 3, np.inf]])
    )
    holes = ticks(count=40, ids=[*range(30), *range(50, 60)])
    words = ticks(WORDS, 6, ids=["a", None, "a", 7, 7, "b\n"])
    await record(path, [Event(T0 - 1, "feed", "open", "connected"), holes, gap(T0 + 29 * MS, T0 + 30 * MS)])
    x = np.array([0.0, 1.0, 2.0, 0.0, 1.0])  # steps back, which is a gap
    run = Batch(ALONG, T0 + np.arange(5), T0 + np.arange(5), np.column_stack([x, x * x]))
    back: dict[str, int | float | str | None] = {"from": T0 + 2, "to": T0 + 3, "reason": "x stepped back"}
    await record(path, [run, Event(T0 + 3, "feed", "gap", "run: x stepped back", ALONG.key, back)])
    await record(path, [book, words, ticks(count=5), Event(T0, "feed", "restart", "ids start anew", TRADES.key)])


@asynccontextmanager
async def playing(
    path: Path, speed: float = math.inf, *, paused: bool = False, **options: Any
) -> AsyncIterator[tuple[Replay, Session]]:
    """A replay that stays at the end, as on the screen."""
    session = Session()
    status = session.add_feed(FeedStatus("replay"))
    played = Replay(session, status, recording.selection_of([path], options, T0), speed)
    played.stays, played.paused = True, paused
    task = asyncio.create_task(played.run())
    try:
        yield played, session
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled() or task.exception() is None


def only(session: Session) -> StreamState:
    (state,) = session.streams.values()
    return state


def shown(session: Session) -> list[float]:
    return [] if not session.streams else only(session).series.column("price").tolist()


async def test_a_recording_of_a_replay_is_the_recording(tmp_path: Path) -> None:
    path, again = tmp_path / "a.db", tmp_path / "b.db"
    await various(path)
    feeds = feed_settings([f"replay:{path}?speed=max"], FeedOptions())
    async with running(Settings(feeds, db=again), recording_needed=True) as run:
        await asyncio.wait_for(run.ended.wait(), 30)
        assert run.session.gaps == 2
    columns = "s.feed, s.name, s.kind, s.fields, s.ids, s.timed, s.found, s.axis, k.t, k.recv, k.id, typeof(k.id)"
    for stream in ("trade", "book", "event", "line"):
        rows = f"""SELECT {columns}, v0, v1, v2 FROM ticks AS k JOIN streams AS s ON s.id = k.stream
            WHERE s.kind = ? ORDER BY k.n"""
        assert query(again, rows, stream) == query(path, rows, stream)
        assert query(again, rows, stream)
    of_gaps = "SELECT feed, stream, kind, t0, t1, reason, missing FROM gaps ORDER BY stream, t0"
    assert query(again, of_gaps) == query(path, of_gaps)
    of_events = "SELECT t, feed, kind, text, details FROM events ORDER BY t, kind"
    assert query(again, of_events) == query(path, of_events)


async def test_since_until_and_streams_choose(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await various(path)
    await record(path, [ticks(count=20, first=100), gap(T0 + 99 * MS, T0 + 100 * MS)])
    iso = "2026-11-18T11:06:40.11Z"  # T0 and 110 ms
    async with playing(path, since=iso, until="+0.005", streams="trade") as (played, session):
        await until(lambda: played.ended)
    (state,) = session.streams.values()
    assert state.stream == TRADES
    assert state.series.column("price").tolist() == [*range(110, 120)]
    assert session.gaps == 0
    async with playing(path, until=iso, streams="BTCUSDT trade") as (played, session):
        await until(lambda: played.ended)
    assert session.gaps == 2
    assert sorted(event.kind for event in session.events) == ["gap", "gap", "restart"]


async def test_ticks_of_all_streams_come_in_the_order_of_receipt_at_their_pace(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    other = Stream("feed", "B", "trade", ("price",))
    mine = Stream("feed", "A", "trade", ("price",))
    await record(path, [seconds(mine, [0, 20, 40, 60]), seconds(other, [10, 30, 50, 10_000])])
    seen: list[float] = []
    async with playing(path, speed=1_000) as (played, session):
        take = session.ingest

        def ingest(feed: FeedStatus, batches: list[Batch], *, again: bool = False) -> None:
            seen.extend(sorted(value for batch in batches for value in batch.v[:, 0].tolist()))
            assert played.position() >= T0 + seen[-1] * S - 61 * S
            take(feed, batches, again=again)

        session.ingest = ingest  # type: ignore[method-assign]
        await until(lambda: len(seen) == 7)
        assert seen == [0, 10, 20, 30, 40, 50, 60]
        assert played.position() >= T0 + 60 * S
        assert session.clock() < T0 + 10_000 * S
        assert session.feeds["replay"].state is FeedState.LIVE


async def test_what_is_late_is_let_go_and_does_not_bunch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.db"
    await record(path, [seconds(Stream("feed", "A", "trade", ("price",)), [0, 3, 6, 9, 12])])
    clock = [1 << 40]
    monkeypatch.setattr("time.monotonic_ns", lambda: clock[0])
    async with playing(path, speed=1.0) as (played, session):

        async def after(passed: float, wanted: list[int]) -> None:
            clock[0] += int(passed * S)
            played._changed.set()
            await until(lambda: shown(session)[-1:] == wanted[-1:])
            assert shown(session) == wanted

        await after(0, [0])
        await after(3.5, [0, 3])
        assert played.position() == T0 + 3.5 * S
        await after(100, [0, 3, 6])
        assert played.position() == T0 + 6 * S
        await after(3, [0, 3, 6, 9])
        await played.suspend()
        clock[0] += 50 * S
        assert played.position() == T0 + 9 * S
        played.resume()
        clock[0] += S
        assert played.position() == T0 + 10 * S
        await after(2, [0, 3, 6, 9, 12])


async def test_from_as_fast_as_can_be_it_goes_on_at_a_pace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.db"
    await record(path, [seconds(Stream("feed", "A", "trade", ("price",)), [0, 3, 6, 1_000])])
    clock = [1 << 40]
    monkeypatch.setattr("time.monotonic_ns", lambda: clock[0])
    async with playing(path, paused=True) as (played, session):
        for _ in range(2):
            await until(lambda: played.step(1))
        assert played.set_speed(-10)
        assert played.speed == 1
        played.toggle()
        clock[0] += 3 * S
        await until(lambda: shown(session) == [0, 3, 6])
        assert played.position() == T0 + 6 * S


async def test_the_clock_stands_while_another_place_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    for first in range(0, 1_000, 50):
        await record(path, [seconds(Stream("feed", "A", "trade", ("price",)), [first + i for i in range(50)])])
    async with playing(path, speed=0.1) as (played, session):
        await until(lambda: bool(session.streams))
        played.toggle()
        before = played.position()
        played.go(T0 + 900 * S)
        seen = set()
        while played.position() < T0 + 900 * S:
            seen.add(played.position())
            await asyncio.sleep(0)
        assert seen == {before}


async def test_it_is_paused_and_stepped_back_and_on(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    stream = Stream("feed", "A", "trade", ("price",))
    noted = [gap(T0 + 100, T0 + 3 * S - 100 * MS)]
    noted = [Event(each.t, "feed", "gap", "outage", stream.key, each.details) for each in noted]
    await record(path, [seconds(stream, [0, 3, 6, 9, 12]), *noted])
    async with playing(path, speed=1.0) as (played, session):
        await until(lambda: shown(session) == [0])
        played.toggle()
        at = played.position()
        for count in range(2, 6):
            await until(lambda: played.step(1))
            assert shown(session) == [0, 3, 6, 9, 12][:count]
        assert session.gaps == 1
        await until(lambda: played.ended)
        assert played.position() == T0 + 12 * S > at
        for count in range(4, 0, -1):
            assert played.step(-1)
            assert shown(session) == [0, 3, 6, 9, 12][:count]
            assert only(session).high == only(session).last == shown(session)[-1]
            assert played.position() == T0 + (count - 1) * 3 * S
        assert not played.step(-1)
        assert not only(session).gaps
        assert played.step(1)
        assert [(each.since, each.to) for each in only(session).gaps] == [(T0 + 100, T0 + 3 * S - 100 * MS)]
        assert session.gaps == 1
        assert [event.kind for event in session.events] == ["gap"]
        played.toggle()
        assert played.set_speed(10)
        assert played.speed == math.inf
        await until(lambda: played.ended)
        assert shown(session) == [0, 3, 6, 9, 12]


async def test_it_goes_to_a_time_and_shows_what_was_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (recorded, replay):
        monkeypatch.setattr(module, "PAST_ROWS", 30)
    path = tmp_path / "a.db"
    stream = Stream("feed", "A", "trade", ("price",))
    for first in range(0, 1_000, 10):
        await record(path, [seconds(stream, [first + i for i in range(10)])])
    async with playing(path, speed=0.1) as (played, session):
        played.toggle()
        for goal in (500, 20, 990, 0):
            played.go(T0 + goal * S)
            await until(lambda goal=goal: bool(shown(session)) and shown(session)[-1] == goal)  # type: ignore[misc]
            values = shown(session)
            assert values == [float(i) for i in range(int(values[0]), goal + 1)]
            assert len(values) >= min(goal, 30)
            assert len(values) <= 60
        played.go(T0 + 5_000 * S)
        await until(lambda: played.ended)
        assert shown(session)[-1] == 999
        assert played.step(-1)
        played.go(T0 - 5_000 * S)
        await until(lambda: shown(session) == [])
        assert played.step(1)
        assert shown(session) == [0]


async def test_in_a_silence_the_clock_stands_where_one_went(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    stream = Stream("feed", "A", "trade", ("price",))
    await record(path, [seconds(stream, [0, 1, 3_600])])
    async with playing(path, speed=0.1) as (played, session):
        played.toggle()
        played.go(T0 + 1_800 * S)
        await until(lambda: shown(session) == [0, 1])
        assert played.position() == played.moment() == T0 + 1_800 * S


async def test_event_times_of_another_day_are_what_the_clock_shows(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    stream = Stream("feed", "A", "trade", ("price",))
    old = seconds(stream, [0, 1])
    await record(path, [Batch(stream, old.t - 900 * 86_400 * S, old.recv, old.v)])
    async with playing(path) as (played, _session):
        await until(lambda: played.ended)
        assert played.position() == T0 + S
        assert played.moment() == T0 + S - 100 * MS - 900 * 86_400 * S


def test_speeds_go_from_a_tenth_to_as_fast_as_can_be(tmp_path: Path) -> None:
    session = Session()
    played = Replay(session, FeedStatus("r"), Selection(()), 3.0)
    assert played.set_speed(1)
    assert played.speed == 5
    played.speed = 3.0
    assert played.set_speed(-1)
    assert played.speed == 2
    while played.set_speed(-1):
        pass
    assert played.speed == 0.1
    while played.set_speed(1):
        pass
    assert played.speed == math.inf


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("replay:", "replay:FILE is wanted"),
        ("replay:a.db?speed=0.01", "--speed '0.01': 0.1 to 1,000, or max, is wanted"),
        ("replay:a.db?speed=fast", "--speed 'fast': 0.1 to 1,000"),
        ("replay:a.db?sped=1", "'sped' is none of speed, since, until, streams, file"),
    ],
)
def test_a_target_that_cannot_be_is_refused(target: str, error: str) -> None:
    with pytest.raises(SettingsError, match=error):
        recording.parse(target)


def test_a_replay_stands_alone() -> None:
    with pytest.raises(SettingsError, match=r"replay:a\.db: a replay stands alone"):
        feed_settings(["ws://localhost", "replay:a.db"], FeedOptions())


async def test_what_cannot_be_replayed_is_said_before_anything_starts(tmp_path: Path) -> None:
    path = tmp_path / "what? a%20 name.db"
    await record(path, [ticks(count=3)])
    files = [path, tmp_path / "b&c.db"]
    assert recording._parts(recording.url_of(files, {"since": "-10m", "until": "", "streams": "A,B"})) == (
        files,
        {"since": "-10m", "streams": "A,B"},
    )
    assert recording._parts(f"replay:{path}") == ([path], {})
    assert recording.selection_of([path], {"since": "-0.001"}, 0).since == T0 + MS
    with pytest.raises(SettingsError, match="--streams 'X' is not in the recording; in it are BTCUSDT trade"):
        recording.selection_of([path], {"streams": "X"}, 0)
    with pytest.raises(SettingsError, match="--until: it is not after --since"):
        recording.selection_of([path], {"since": "-1s", "until": "-2s"}, 0)
    with pytest.raises(RecordingError, match="no such file"):
        recording.selection_of([tmp_path / "none.db"], {}, 0)


async def test_a_file_that_breaks_off_fails_the_feed(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await record(path, [ticks(count=9)])
    async with playing(path) as (played, _session):
        played.selection = recording.selection_of([path], {}, 0)
        await until(lambda: played.ended)
        path.unlink()
        played.go(T0)
        await until(lambda: played.status.state is FeedState.FAILED)
        assert "no such file" in played.status.reason
