"""Ctrl+Z in the app: what is made ready before the stop, what is said, and a whole screen after it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

if sys.platform == "win32":
    pytest.skip("Windows has no job control", allow_module_level=True)

from tests.ui.conftest import PERIOD, SECOND, Monitor
from tests.ui.painted import Emulated, PaintedMonitor, cells, difference
from tuistream.core import job_control
from tuistream.ui.app import TuistreamApp
from tuistream.ui.options import ViewOptions


class Stopping(Emulated):
    """Where the process would be stopped, the shell writes over the screen."""

    done: list[str]

    def stop(self, line: str, *, whole_job: bool) -> None:
        self.done.append(f"{line}, {'job' if whole_job else 'self'}")
        self.garble()

    def take_terminal(self) -> None:
        self.done.append("taken")
        self.garble()


class StoppingMonitor(PaintedMonitor):
    """done: what happened, in order. ready: set once all is made ready."""

    driver_class = Stopping

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []
        self.ready = asyncio.Event()
        self.ready.set()

    def make_app(self, view: ViewOptions) -> TuistreamApp:
        return TuistreamApp(self.session, view, lambda: self.recording, suspended=self.suspended)

    @asynccontextmanager
    async def suspended(self) -> AsyncIterator[str]:
        self.done.append("makes ready")
        await self.ready.wait()
        try:
            yield "a line"
        finally:
            self.done.append("goes on")


@pytest.fixture
def stopping(monkeypatch: pytest.MonkeyPatch) -> StoppingMonitor:
    monkeypatch.setattr("textual.screen.UPDATE_PERIOD", PERIOD)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setattr(job_control, "why_not", lambda: "")  # whoever runs the tests
    monitor = StoppingMonitor()
    monitor.feed_ticks("BTC", [1.0, 2.0, 3.0])
    return monitor


@asynccontextmanager
async def shown(monitor: StoppingMonitor) -> AsyncIterator[Stopping]:
    async with monitor.painting() as driver:
        assert isinstance(driver, Stopping)
        driver.done = monitor.done
        await monitor.sent()
        yield driver


async def assert_whole(monitor: PaintedMonitor, driver: Emulated) -> None:
    async with asyncio.timeout(20):
        while True:
            await monitor.sent()
            found = difference(cells(driver.screen), monitor.expected())
            if not found:
                return
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("before", [(), ("question_mark",), ("ctrl+p",), ("slash", "b")])
async def test_the_key_works_wherever_one_is_and_the_screen_is_whole_after_it(
    stopping: StoppingMonitor, before: tuple[str, ...]
) -> None:
    async with shown(stopping) as driver:
        await stopping.press(*before, "ctrl+z")
        assert stopping.done == ["makes ready", "a line, job", "goes on"]
        await assert_whole(stopping, driver)
        assert "?" * 50 not in "\n".join(driver.screen.display)


async def test_a_signal_stops_this_process_only(stopping: StoppingMonitor) -> None:
    async with shown(stopping) as driver:
        driver._sigtstp_application()
        await stopping.quiet()
        assert stopping.done == ["makes ready", "a line, self", "goes on"]
        await assert_whole(stopping, driver)


async def test_after_a_stop_that_nobody_told_of_the_screen_is_whole(stopping: StoppingMonitor) -> None:
    async with shown(stopping) as driver:
        driver._sigcont_application()
        await stopping.quiet()
        assert stopping.done == ["taken"]
        await assert_whole(stopping, driver)


async def test_twice_while_it_makes_ready_is_once(stopping: StoppingMonitor) -> None:
    stopping.ready.clear()
    async with shown(stopping):
        await stopping.press("ctrl+z", "ctrl+z")
        assert "suspending" in stopping.status
        stopping.ready.set()
        await stopping.quiet()
        assert stopping.done == ["makes ready", "a line, job", "goes on"]
        await stopping.press("ctrl+z")
        assert stopping.done[3:] == stopping.done[:3]


async def test_quitting_while_it_makes_ready_stops_nothing(stopping: StoppingMonitor) -> None:
    stopping.ready.clear()
    async with shown(stopping):
        await stopping.press("ctrl+z")
        stopping.app.exit(0)
        stopping.ready.set()
    assert not [what for what in stopping.done if "a line" in what]


async def test_with_no_shell_it_says_so_and_goes_on(
    stopping: StoppingMonitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_control, "why_not", lambda: "nobody is there")
    async with shown(stopping):
        await stopping.press("ctrl+z")
        assert "cannot suspend: nobody is there" in stopping.status
    assert stopping.done == []


async def test_with_no_terminal_it_says_so(monitor: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_control, "why_not", lambda: "")
    async with monitor.running():
        await monitor.press("ctrl+z")
        assert "cannot suspend" in monitor.status


async def test_a_paused_view_shows_no_gap_of_later(monitor: Monitor) -> None:
    monitor.feed_ticks("BTC", [1.0, 2.0, 3.0, 2.0], step=SECOND // 2)
    async with monitor.running():
        await monitor.press("space")
        seen = monitor.plot
        monitor.now += SECOND // 4
        monitor.feed_ticks("BTC", [3.0])
        monitor.session.interrupt(monitor.feed, "suspended")
        monitor.now += SECOND // 2
        monitor.feed_ticks("BTC", [2.0])
        await monitor.settle(SECOND)
        assert [gap.reason for state in monitor.session.streams.values() for gap in state.gaps] == ["suspended"]
        assert monitor.plot == seen
        await monitor.press("space")
        assert "░" in monitor.plot


async def test_a_paused_view_shows_no_tick_that_was_under_way(monitor: Monitor) -> None:
    """Its clock may be ahead of the newest tick that has come: the next may lie between."""
    monitor.feed_ticks("BTC", [1.0, 2.0, 3.0, 2.0], step=SECOND // 2)
    under_way = monitor.now + SECOND // 8
    async with monitor.running():
        monitor.now += SECOND // 4
        await monitor.press("space")
        seen = monitor.plot
        monitor.feed_ticks("BTC", [3.0], end=under_way)
        monitor.panel.on_resize()
        await monitor.settle(SECOND)
        assert monitor.plot == seen
        await monitor.press("space")
        assert monitor.plot != seen
