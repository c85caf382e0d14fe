"""What the terminal shows first is the whole screen, in the right colours."""

from __future__ import annotations

import sys

import pytest

if sys.platform == "win32":
    pytest.skip("Windows has Textual's own way to the terminal", allow_module_level=True)

from textual.screen import Screen

from tests.ui.conftest import PERIOD
from tests.ui.painted import PaintedMonitor, cells, difference
from tuistream.ui.app import FIRST_LOOK
from tuistream.ui.themes import DARK, LIGHT


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> PaintedMonitor:
    monkeypatch.setattr("textual.screen.UPDATE_PERIOD", PERIOD)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    return PaintedMonitor()


async def test_the_first_frame_has_the_chart_of_ticks_that_are_there(painted: PaintedMonitor) -> None:
    painted.feed_ticks("BTC", [100.0, 101.0, 99.5])
    async with painted.painting() as driver:
        first = next(frame for frame in driver.frames if len(frame) > 1_000)
    assert any("\u2800" < char <= "\u28ff" for char in first)
    assert "99.5" in first
    assert "sma 15" in first


async def test_the_first_frame_says_what_is_waited_for(painted: PaintedMonitor) -> None:
    async with painted.painting() as driver:
        first = next(frame for frame in driver.frames if len(frame) > 1_000)
    assert "waiting for the first tick" in first


async def test_a_chart_comes_with_the_first_tick_not_with_the_next_beat(painted: PaintedMonitor) -> None:
    async with painted.painting() as driver:
        for timer in painted.app._timers:
            if timer._interval > FIRST_LOOK:
                timer.pause()
        painted.feed_ticks("BTC", [100.0, 101.0, 99.5])
        while not any("\u2800" < char <= "\u28ff" for char in "".join(driver.screen.display)):
            await painted.quiet()


@pytest.mark.parametrize("theme", [DARK, LIGHT, "dracula"])
async def test_the_start_has_the_colours_that_a_change_of_theme_brings(painted: PaintedMonitor, theme: str) -> None:
    painted.feed_ticks("BTC", [100.0, 101.0, 99.5])
    async with painted.painting(theme=theme) as driver:
        await painted.sent()
        at_start = cells(driver.screen)
        other = LIGHT if theme != LIGHT else DARK
        for name in (other, theme):
            painted.app.theme = name
            await painted.sent()
            same = difference(cells(driver.screen), at_start) == ""
            assert same is (name == theme)


def test_the_private_name_of_the_screen_is_there() -> None:
    assert "_compositor_refresh" in vars(Screen)
