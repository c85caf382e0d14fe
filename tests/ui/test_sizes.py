"""Every size works, from a corner of a terminal to a wall."""

from __future__ import annotations

import numpy as np
import pytest

from tests.ui.conftest import SECOND, Monitor

WAVE = [61_800 + 40 * float(np.sin(n / 9)) for n in range(300)]
SIZES = [(20, 5), (40, 10), (60, 20), (80, 24), (100, 30), (200, 50)]
MORE = [(240, 60), (21, 6), (30, 8), (59, 20), (79, 24), (99, 30), (400, 12), (24, 90), (5, 2), (1, 1), (120, 36)]


def six_streams(monitor: Monitor) -> None:
    for name in ("BTCUSDT", "ETHUSDT", "SOLUSDT", "a stream whose name is very long indeed and goes on", "x", ""):
        monitor.feed_ticks(name, WAVE, fields=("price",))


@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_a_size_works_with_everything_open(monitor: Monitor, width: int, height: int) -> None:
    six_streams(monitor)
    monitor.demo = "your own feed:  tuistream ws://HOST:PORT/PATH"
    async with monitor.running(width, height):
        assert monitor.panel.region.width >= min(width, 36)
        assert "61,8" in monitor.title
        await monitor.press("e", "slash", "x", "enter", "tab", "m", "plus", "left", "c", "question_mark")
        assert monitor.app.is_running


async def test_all_sizes_one_after_the_other(monitor: Monitor) -> None:
    six_streams(monitor)
    async with monitor.running() as pilot:
        for width, height in MORE:
            await pilot.resize_terminal(width, height)
            await monitor.settle(SECOND)
        assert len(monitor.grid.shown) == 3
        assert "BTCUSDT" in monitor.text("#watch-list")


async def test_as_many_panels_as_fit(monitor: Monitor) -> None:
    async with monitor.running(200, 50) as pilot:
        for streams in (1, 2, 4):
            for number in range(streams):
                monitor.feed_ticks(f"S{number}", WAVE)
            await monitor.settle(SECOND)
            await monitor.settle()
            assert len(monitor.grid.shown) == streams
            assert sum(panel.region.area for panel in monitor.grid.shown) == monitor.grid.region.area
        six_streams(monitor)
        for width, height, panels in ((120, 36, 3), (80, 24, 2), (60, 20, 1), (40, 10, 1)):
            await pilot.resize_terminal(width, height)
            await monitor.settle(SECOND)
            shown = monitor.grid.shown
            assert len(shown) == panels
            if width < 80:
                assert all(panel.size.width == width for panel in shown)


async def test_a_narrow_terminal_has_tabs_and_a_small_one_only_panel_and_status(monitor: Monitor) -> None:
    six_streams(monitor)
    async with monitor.running(80, 24) as pilot:
        assert "1 BTCUSDT 61,8" in monitor.text("#tabs")
        assert not monitor.watch_list.region
        assert await pilot.click("#tabs", offset=(30, 0))
        await monitor.settle()
        assert monitor.grid.current == 1
        await monitor.press("slash", *"btcusdt", "enter")
        await monitor.settle()
        assert monitor.text("#tabs").startswith(" 'btcusdt' 1 of 6  1 BTCUSDT 61,8")
        await monitor.press("slash", "z", "enter")
        await monitor.settle()
        assert "0 of 6" in monitor.text("#tabs")
        await pilot.resize_terminal(59, 20)
        await monitor.settle()
        shown = {widget.id or type(widget).__name__ for widget in monitor.app.screen.children if widget.region}
        assert shown == {"status", "panes"}
        assert len(monitor.grid.shown) == 1


async def test_numbers_are_never_cut(monitor: Monitor) -> None:
    monitor.feed_ticks("BTCUSDT", [61_837.63, 61_850.03])
    async with monitor.running(120, 36) as pilot:
        for width in range(20, 121, 11):
            await pilot.resize_terminal(width, 24)
            await monitor.settle()
            for word in monitor.title.split():
                if word.startswith("61"):
                    assert word == "61,850.03"


async def test_ascii_everywhere(monitor: Monitor) -> None:
    six_streams(monitor)
    monitor.options["glyphs"] = "ascii"
    monitor.session.interrupt(monitor.feed, "lost")
    async with monitor.running():
        await monitor.press("e", "tab")
        text = monitor.app.export_screenshot()
        body = text[text.index("</style>") :]
        assert {char for char in body if ord(char) > 126 and char != "\xa0"} == set()
