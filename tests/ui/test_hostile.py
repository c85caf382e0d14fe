"""Nothing that a sender writes becomes markup, an escape sequence or a hidden sign."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from tests.ui.conftest import SECOND, Monitor
from tuistream.core.batch import Stream
from tuistream.core.board import Item
from tuistream.core.look import Look
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


HOSTILE = [*NAMES, "\x9b31m", "\x1bP q\x1b\\", "\u2028\u2029", "e\u0301" * 500, "\ufeff\u00ad", "x" * 100_000]


def values(kind: str, text: str) -> Any:
    place = {"lat": text, "lng": 1e308, "name": text, text: text}
    return {
        "map": {"center": place, "zoom": 4, "data": [place, {"lat": float("nan"), "lng": 2}]},
        "figure": {"data": [{"type": text}], "layout": {"title": {"text": text}}},
        "spectrum": {"x": [text, 1, 2], "y": [text, 1e308, -1e308], text: text},
        "image": f"data:image/{text};base64,{text}",
        "other": {text: [text, {text: text}]},
    }.get(kind, text)


KINDS = ["text", "image", "video", "map", "figure", "spectrum", "other"]


@pytest.mark.parametrize("shift", [0, 3])
async def test_texts_pictures_and_the_like_are_only_shown(monitor: Monitor, shift: int) -> None:
    for number, text in enumerate(HOSTILE):
        kind = KINDS[(number + shift) % len(KINDS)]
        stream = Stream("hub", text, f"{kind}{number}", ())
        look = Look(text, text, text, (text, "#\x1b[31m"), points=number)
        item = Item(stream, monitor.now, monitor.now, kind, values(kind, text), 10, kind != "text")
        monitor.session.take_looks({stream.key: look})
        monitor.session.show(monitor.feed, [item])
    async with monitor.running(160, 50):
        for _ in range(3):
            await monitor.settle(SECOND)
            assert harmless(monitor.screen)
            await monitor.press("enter")
            assert harmless(monitor.screen)
            await monitor.press("escape", "pagedown")
        assert "\x1b" not in monitor.app.export_screenshot()


async def test_looks_of_charts_are_only_shown(monitor: Monitor) -> None:
    for number, text in enumerate(HOSTILE):
        state = monitor.feed_ticks(
            f"{number}", [[1.0, 2.0], [2.0, 1.0]], fields=(f"a{text}", f"b{text}"), kind="line"
        )
        look = Look("line", text, text, (text, f"#{text[:6]}", "#00ff00; background: red"), True, 1 + number)
        monitor.session.take_looks({state.stream.key: look})
    async with monitor.running(160, 50):
        for _ in range(2):
            assert harmless(monitor.screen)
            assert "\x1b" not in monitor.app.export_screenshot()
            await monitor.press("pagedown")
