"""Nothing that a sender writes becomes markup, an escape sequence or a hidden sign."""

from __future__ import annotations

import unicodedata

from tests.ui.conftest import SECOND, Monitor
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


async def test_names_are_shown_as_they_are_or_not_at_all(monitor: Monitor) -> None:
    monitor.session.feeds = {}
    for number, name in enumerate(NAMES):
        feed = monitor.add_feed(name, FeedState.STALE)
        feed.reason = name
        fields = (name or "v", f"w{name}")
        monitor.feed_ticks(name, [[1.0, 1.1], [2.0, 2.1]], kind=f"{name}{number}", fields=fields, feed=feed)
        monitor.session.note(Event(monitor.now, name, name, name * 50))
    async with monitor.running(200, 60):
        await monitor.press("e", "slash", "z", "escape")
        seen = monitor.screen
        for page in range(3):
            assert harmless(monitor.screen)
            seen += monitor.screen
            await monitor.press("1", *["pagedown"] * page)
        await monitor.press("m", "n", "question_mark")
        assert harmless(monitor.screen)
        assert "\x1b" not in monitor.app.export_screenshot()
    for shown in ("[red]x[/]", "[bold][@click=app.exit]quit", "·[31mred·]0;title·", "abc·gnp.exe·", "zero·width·"):
        assert shown in seen


async def test_names_on_narrow_screens(monitor: Monitor) -> None:
    for number, name in enumerate(NAMES):
        monitor.feed_ticks(name, [1.0, 2.0], kind=f"{number}", fields=("price",))
    async with monitor.running(80, 24):
        for digit in "123456789":
            await monitor.press(digit)
            assert harmless(monitor.screen)


async def test_reasons_and_samples_in_an_empty_panel(monitor: Monitor) -> None:
    async with monitor.running(100, 60):
        for name in NAMES:
            monitor.session.feeds = {}
            for state in (FeedState.FAILED, FeedState.RETRYING, FeedState.CLOSED, FeedState.WAITING):
                feed = monitor.add_feed(f"{state}{name}", state)
                feed.url = feed.reason = name
                feed.unread = name * 30
            await monitor.settle(SECOND)
            assert harmless(monitor.screen)
            if name.startswith("[red]"):
                assert name in monitor.plot


async def test_a_filter_that_looks_like_markup(monitor: Monitor) -> None:
    monitor.feed_ticks("[red]", [1.0, 2.0])
    async with monitor.running():
        await monitor.press("slash", "left_square_bracket", "slash", "right_square_bracket", "enter")
        assert "no stream has '[/]' in its name" in monitor.text("#watch-list")
