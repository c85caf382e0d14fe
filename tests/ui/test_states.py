"""The screen always says what is going on."""

from __future__ import annotations

import numpy as np
import pytest

from tests.ui.conftest import SECOND, START, Monitor
from tuistream.core.errors import SettingsError
from tuistream.core.status import FeedState, RecordingStatus
from tuistream.ui.app import TuistreamApp
from tuistream.ui.ink_colours import WORDS
from tuistream.ui.options import ViewOptions
from tuistream.ui.status_line import lag_text


async def test_a_feed_without_ticks(monitor: Monitor) -> None:
    feed = monitor.feed
    feed.since, feed.retry_at = START - 12 * SECOND, START + 3 * SECOND
    async with monitor.running():
        for state, words, panel in (
            (FeedState.CONNECTING, "◌ binance connecting", "connecting to wss://binance.example/ws"),
            (FeedState.WAITING, "◌ binance waiting for the first tick", "waiting for the first tick"),
            (FeedState.RETRYING, "↻ binance retry in 3 s", "no connection to wss://binance.example/ws"),
            (FeedState.FAILED, "✕ binance failed", "binance failed: HTTP 401"),
            (FeedState.CLOSED, "■ binance closed", "binance has closed"),
            (FeedState.STALE, "◐ binance stale 12 s", "waiting for the first tick"),
        ):
            feed.state = state
            feed.reason = "HTTP 401" if state in (FeedState.FAILED, FeedState.RETRYING) else ""
            await monitor.settle()
            assert words in monitor.status
            assert panel in monitor.plot
            assert feed.reason in monitor.status


async def test_frames_without_numbers_are_shown_with_a_sample(monitor: Monitor) -> None:
    monitor.feed.state = FeedState.WAITING
    monitor.feed.unread = '{"hello": "world"}'
    async with monitor.running():
        assert "no numeric field found" in monitor.plot
        assert '{"hello": "world"}' in monitor.plot
        assert "--fields" in monitor.plot


async def test_what_is_recorded_where(monitor: Monitor) -> None:
    recording = RecordingStatus("recording", "/data/btc.db", rows=1_240_000, bytes=58_000_000)
    failing = RecordingStatus("failing", "/data/btc.db", "disk full", pending=12)
    async with monitor.running(160, 40):
        for status, words in (
            (recording, "rec   btc.db   1.24 M rows"),
            (failing, "recording failing"),
            (failing, "disk full"),
            (RecordingStatus("locked", "/data/btc.db", "recorded by pid 4711"), "recorded by pid 4711"),
            (RecordingStatus("off"), "not recording"),
        ):
            monitor.recording = status
            await monitor.settle()
            assert words in monitor.status


async def test_rates_lag_and_trouble_in_the_status_line(monitor: Monitor) -> None:
    monitor.feed.malformed, monitor.feed.gaps = 3, 1
    monitor.feed_ticks("BTC", [1.0])
    async with monitor.running(200, 40):
        for _ in range(4):
            monitor.feed_ticks("BTC", [1.0] * 20, step=SECOND // 20, end=monitor.now - 34_000_000)
            await monitor.settle(SECOND)
        assert "live" in monitor.status
        assert "20 ticks/s" in monitor.status
        assert "lag 34 ms" in monitor.status
        assert "3 malformed" in monitor.status
        assert "1 gap " in monitor.status
        monitor.feed.lag = 900 * 86_400 * SECOND
        await monitor.settle(SECOND)
        assert "lag" not in monitor.status


@pytest.mark.parametrize(
    ("lag", "text"),
    [(34_000_000, "34 ms"), (-1_300_000_000, "-1.3 s"), (2 * SECOND, "2.0 s"), (250 * SECOND, "4 m 10 s")],
)
def test_lags(lag: int, text: str) -> None:
    assert lag_text(lag) == text


async def test_many_feeds_are_counted_and_those_in_trouble_named(monitor: Monitor) -> None:
    for name in ("a", "b", "c"):
        monitor.add_feed(name)
    monitor.add_feed("pump", FeedState.CONNECTING)
    async with monitor.running(160, 40):
        assert "4 of 5 feeds live" in monitor.status
        assert "pump connecting" in monitor.status


async def test_a_message_goes_after_a_few_seconds(monitor: Monitor) -> None:
    async with monitor.running():
        await monitor.press("escape")
        assert "nothing to leave" in monitor.status
        await monitor.settle(5 * SECOND)
        assert "nothing to leave" not in monitor.status


async def test_new_streams_find_a_place_and_those_with_a_price_come_first(monitor: Monitor) -> None:
    async with monitor.running():
        monitor.feed_ticks("pump", [[70.0, 2.0], [71.0, 3.0]], fields=("temp", "bar"), kind="sensor")
        monitor.feed_ticks("BTC", [1.0, 2.0])
        await monitor.settle()
        assert "1 BTC" in monitor.title
        monitor.feed_ticks("ETH", [1.0, 2.0])
        await monitor.settle(60 * SECOND)
        await monitor.settle()
        titles = [monitor.app.query(".top")[index].parts[1][0] for index in range(3)]  # type: ignore[attr-defined]
        assert titles == [" 1 BTC ", " 2 pump ", " 3 ETH "]


async def test_a_silent_stream_slides_away_and_says_so(monitor: Monitor) -> None:
    monitor.feed_ticks("BTC", [100.0 + number % 7 for number in range(100)])
    async with monitor.running():
        before = monitor.plot
        monitor.feed.state, monitor.feed.last_recv = FeedState.STALE, monitor.now
        await monitor.settle(20 * SECOND)
        assert monitor.plot != before
        assert "stale 20 s" in monitor.edge
        assert "◐" in monitor.title
        assert "20 s" in monitor.text("#watch-list")


async def test_an_ended_feed_stands_still(monitor: Monitor) -> None:
    monitor.feed_ticks("BTC", [100.0 + number % 7 for number in range(100)])
    monitor.feed.state = FeedState.CLOSED
    async with monitor.running():
        await monitor.settle()
        before = monitor.plot
        await monitor.settle(60 * SECOND)
        assert monitor.plot == before
        assert "closed" in monitor.edge


async def test_a_replay_of_an_old_day_is_followed(monitor: Monitor) -> None:
    then = START - 800 * 86_400 * SECOND
    for second in range(0, 100, 20):
        monitor.feed_ticks("BTC", [100.0 + second], end=then + second * SECOND)
    async with monitor.running():
        assert "live" in monitor.edge
        monitor.feed_ticks("BTC", [300.0], end=then + 120 * SECOND)
        await monitor.settle(SECOND)
        assert " 300" in monitor.title
        assert "300" in monitor.plot


async def test_bid_and_ask_are_both_drawn_and_quantities_are_not(monitor: Monitor) -> None:
    quotes = [[100.0 + n % 5, 1.0, 101.0 + n % 5, 2.0] for n in range(50)]
    monitor.feed_ticks("BTC", quotes, fields=("bid", "bid_qty", "ask", "ask_qty"), kind="quote")
    async with monitor.running(160, 40):
        assert "bid  ask" in monitor.title
        assert "qty" not in monitor.title


async def test_a_gap_is_a_band_with_its_cause_in_the_events(monitor: Monitor) -> None:
    monitor.feed_ticks("BTC", [100.0 + n % 5 for n in range(30)], end=START - 40 * SECOND)
    monitor.session.interrupt(monitor.feed, "connection lost")
    monitor.feed_ticks("BTC", [100.0 + n % 5 for n in range(10)])
    async with monitor.running(120, 36):
        assert "no data" in monitor.plot
        await monitor.press("e")
        assert "connection lost" in monitor.text("#events")


async def test_the_demo_is_marked(monitor: Monitor) -> None:
    monitor.demo = "your own feed:  tuistream ws://HOST:PORT/PATH"
    async with monitor.running():
        assert " DEMO " in monitor.text("#demo")
        assert "tuistream ws://HOST:PORT/PATH" in monitor.text("#demo")


async def test_nothing_is_drawn_where_nothing_changed(monitor: Monitor) -> None:
    monitor.feed_ticks("BTC", [100.0 + float(np.sin(n)) for n in range(100)])
    monitor.feed.state = FeedState.CLOSED
    async with monitor.running():
        await monitor.settle()
        panel = monitor.panel
        drawn = panel.drawings
        monitor.app.beat()
        monitor.app.beat()
        assert panel.drawings == drawn


def test_an_unknown_theme_is_refused_with_the_known_ones(monitor: Monitor) -> None:
    with pytest.raises(SettingsError, match=r"'pink' is not known; known are .*tuistream-dark"):
        TuistreamApp(monitor.session, ViewOptions(theme="pink"), lambda: monitor.recording)


async def test_other_themes_work(monitor: Monitor) -> None:
    monitor.feed_ticks("BTC", [100.0, 101.0])
    monitor.options["theme"] = "tuistream-light"
    async with monitor.running() as pilot:
        for theme in sorted(monitor.app.available_themes)[::3]:
            monitor.app.theme = theme
            await pilot.pause()
            styles = {ink: monitor.app.inks.style(ink) for ink in WORDS}
            assert all(style.color is not None for ink, style in styles.items() if ink != "edge"), theme
            assert styles["error"].bold
            assert styles["badge"].bgcolor == styles["accent"].color
            assert " 101" in monitor.title


@pytest.mark.parametrize("width", [60, 90, 120])
async def test_the_first_stream_is_drawn_where_the_words_that_waited_for_it_were(
    monitor: Monitor, width: int
) -> None:
    monitor.options["waiting"] = ("echo 1 | nc localhost 8010",)
    async with monitor.running(width, 30):
        assert "waiting for the first message" in monitor.text("BoardView")
        monitor.feed_ticks("a", [1.0, 5.0, 2.0, 4.0])
        await monitor.settle(SECOND)
        await monitor.settle(SECOND)
        assert any("\u2800" < char <= "\u28ff" for char in monitor.plot)
