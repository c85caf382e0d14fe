"""The screen while a recording is replayed: its clock, its keys, and what it says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from tests.cli.running import until
from tests.store.recorded import record
from tests.ui.conftest import SECOND, Monitor
from tuistream.core.batch import Batch, Stream
from tuistream.core.outbox import Outbox
from tuistream.core.status import Event, FeedStatus
from tuistream.sources.recording import selection_of
from tuistream.sources.replay import Replay
from tuistream.ui.help import HelpScreen
from tuistream.ui.line import Line

DAY = int(datetime(2026, 3, 1, 14, 0, tzinfo=UTC).timestamp()) * SECOND
STREAM = Stream("kraken", "BTC", "trade", ("price",))


async def recorded(path: Path) -> Path:
    """A tick a second from 14:00:00 to 14:03:19, but for half a minute from 14:01 on."""
    seconds = np.array([s for s in range(200) if not 60 <= s < 90])
    t = DAY + seconds * SECOND
    gap: dict[str, int | float | str | None] = {"from": int(t[59]), "to": int(t[60]), "reason": "outage"}
    await record(
        path,
        [
            Batch(STREAM, t, t, (100.0 + seconds)[:, None]),
            Event(int(t[60]), "kraken", "gap", "BTC: outage, 31 s", STREAM.key, gap),
        ],
    )
    return path


@asynccontextmanager
async def shown(monitor: Monitor, path: Path, speed: float, width: int = 120) -> AsyncIterator[Replay]:
    monitor.session.feeds.clear()
    status = monitor.session.add_feed(FeedStatus("day.db"))
    replay = Replay(monitor.session, status, selection_of([path], {}, 0), speed)
    replay.stays = True
    monitor.options["playback"] = replay
    playing = asyncio.create_task(replay.run())
    try:
        async with monitor.running(width, 30):
            await until(lambda: bool(monitor.session.streams))
            await monitor.settle()
            yield replay
    finally:
        playing.cancel()
        await asyncio.wait([playing])


async def test_the_clock_is_the_recordings_and_space_stops_it(monitor: Monitor, tmp_path: Path) -> None:
    async with shown(monitor, await recorded(tmp_path / "day.db"), 0.1) as replay:
        assert "replay 0.1x 14:00:0" in monitor.status
        assert "2026-03-01" in monitor.status
        assert "day.db" in monitor.status
        assert "not recording" not in monitor.status
        assert "replay 0.1x" in monitor.edge
        await monitor.press("space")
        assert "replay paused" in monitor.status
        assert replay.paused
        await monitor.settle(9 * SECOND)
        assert "replay paused 14:00:0" in monitor.status
        assert "replay paused" in monitor.edge
        assert "14:00:0" in monitor.plot
        await monitor.press("space")
        assert not replay.paused


async def test_ticks_are_stepped_on_and_back(monitor: Monitor, tmp_path: Path) -> None:
    async with shown(monitor, await recorded(tmp_path / "day.db"), 0.1):
        await monitor.press("full_stop")
        assert "a tick on" in monitor.status
        first = monitor.title
        await monitor.press("full_stop", "full_stop")
        assert monitor.title != first
        await monitor.press("comma", "comma")
        assert "a tick back" in monitor.status
        assert monitor.title == first
        for _ in range(3):
            await monitor.press("comma")
        assert "no tick before this is kept" in monitor.status


async def test_speeds_are_told_and_end_with_as_fast_as_can_be(monitor: Monitor, tmp_path: Path) -> None:
    async with shown(monitor, await recorded(tmp_path / "day.db"), 0.1) as replay:
        await monitor.press("less_than_sign")
        assert "this is the slowest" in monitor.status
        await monitor.press("space", "greater_than_sign")
        assert "replay 0.2x, paused" in monitor.status
        while replay.set_speed(1):
            pass
        await monitor.press("greater_than_sign")
        assert "this is the fastest" in monitor.status
        await monitor.press("space")
        await until(lambda: replay.ended)
        await monitor.settle(9 * SECOND)
        assert "replay ended 14:03:19" in monitor.status
        assert "1 gap" in monitor.status
        assert "replay ended" in monitor.edge
        await monitor.press("space")
        assert "the recording has ended" in monitor.status


async def test_g_goes_to_a_time(monitor: Monitor, tmp_path: Path) -> None:
    async with shown(monitor, await recorded(tmp_path / "day.db"), 0.1) as replay:
        await monitor.press("space", "g", *"14:02", "enter")
        assert "goes to 2026-03-01 14:02:00" in monitor.status
        await until(lambda: replay.position() == DAY + 120 * SECOND)
        await monitor.settle(9 * SECOND)
        assert "replay paused 14:02:00" in monitor.status
        assert "219" in monitor.title
        assert monitor.has_focus(monitor.panel)
        await monitor.press("g", *"-1m30s", "enter")
        await until(lambda: replay.position() == DAY + 30 * SECOND)
        await monitor.press("g", *"soon", "enter")
        assert "a time is wanted" in monitor.status
        await monitor.press("g", "1", "escape")
        assert replay.position() == DAY + 30 * SECOND
        assert monitor.has_focus(monitor.panel)


async def test_a_replay_that_is_recorded_goes_forward_only(monitor: Monitor, tmp_path: Path) -> None:
    async with shown(monitor, await recorded(tmp_path / "day.db"), 0.1):
        monitor.session.outboxes.append(Outbox("test"))
        for key in ("comma", "g"):
            await monitor.press(key)
            assert "goes forward only" in monitor.status
        await monitor.press("full_stop")
        assert "a tick on" in monitor.status


def help_rows(monitor: Monitor) -> str:
    assert isinstance(monitor.app.screen, HelpScreen)
    return "\n".join(row.text for row in monitor.app.screen.query(Line).filter(".help-row"))


async def test_help_and_footer_have_the_keys_where_they_apply(monitor: Monitor, tmp_path: Path) -> None:
    async with shown(monitor, await recorded(tmp_path / "day.db"), 0.1):
        assert ", . tick  < > speed  g go to" in monitor.text("#footer")
        await monitor.press("question_mark")
        rows = help_rows(monitor)
        assert "play and pause the recording" in rows
        assert "a tick back" in rows
        assert "pause the view" not in rows


async def test_in_the_live_monitor_g_moves_the_view(monitor: Monitor) -> None:
    monitor.feed_ticks("BTC", [float(i) for i in range(600)])
    async with monitor.running(120, 30):
        await monitor.press("comma")
        assert "for a recording that is replayed" in monitor.status
        assert ", ." not in monitor.text("#footer")
        await monitor.press("g", *"10:55", "enter")
        assert "behind 4 m" in monitor.edge
        assert "10:55:00" in monitor.plot
        await monitor.press("g", *"-1s", "enter")
        assert "behind" in monitor.edge
        await monitor.press("g", *"+1m", "enter")
        assert "live" in monitor.edge
        await monitor.press("g", *"9:00", "enter")
        assert "older than what is in memory" in monitor.status
        await monitor.press("question_mark")
        rows = help_rows(monitor)
        assert "go to a time" in rows
        assert "a tick back" not in rows
