"""Nothing that a sender writes becomes markup, an escape sequence or a hidden sign."""

from __future__ import annotations

import unicodedata

import pytest

from tests.ui.conftest import Monitor
from tuistream.core.status import Event, FeedState

NAMES = [
    "[red]x[/]",
    "[bold][@click=app.exit]quit[/]",
    "\x1b[31mred\x1b]0;title\x07",
    "abc\u202egnp.exe\u202c",
    "zero\u200bwidth\u2066",
    "tab\tnew\nline\r",
    "$accent {price} %s",
    "日本語のとても長い名前のストリーム",
    "\ud800lone",
    "",
]
BAD = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def harmless(text: str) -> bool:
    return not any(unicodedata.category(char) in BAD for char in text if char != "\n")


@pytest.mark.parametrize("name", NAMES)
async def test_names_are_shown_as_they_are_or_not_at_all(monitor: Monitor, name: str) -> None:
    feed = monitor.add_feed("evil")
    feed.name = name
    feed.reason = name
    feed.state = FeedState.STALE
    monitor.session.feeds = {name: feed, "binance": monitor.feed}
    monitor.feed_ticks(name, [1.0, 2.0, 3.0], kind=name, fields=(name or "v", "w" + name), feed=feed)
    monitor.session.note(Event(monitor.now, name, name, name * 50))
    async with monitor.running(160, 40) as pilot:
        await monitor.press(pilot, "e", "slash", "z", "escape")
        text = monitor.screen
        assert harmless(text)
        if name.startswith("["):
            assert name.split("]")[0] + "]" in text
        picture = monitor.app.export_screenshot()
        assert "\x1b" not in picture
        await monitor.press(pilot, "question_mark", "escape", "m")
        assert harmless(monitor.screen)


@pytest.mark.parametrize("name", NAMES)
async def test_reasons_and_samples_in_an_empty_panel(monitor: Monitor, name: str) -> None:
    for state in FeedState:
        feed = monitor.add_feed(f"{state}{name}", state)
        feed.url = feed.reason = name
        feed.unread = name * 30
    async with monitor.running(100, 60):
        assert harmless(monitor.screen)


async def test_a_filter_that_looks_like_markup(monitor: Monitor) -> None:
    monitor.feed_ticks("[red]", [1.0, 2.0])
    async with monitor.running() as pilot:
        await monitor.press(pilot, "slash", "left_square_bracket", "slash", "right_square_bracket", "enter")
        assert "no stream has '[/]' in its name" in monitor.text("#watch-list")
