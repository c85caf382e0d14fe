"""What the terminal shows, cell by cell, is what a full repaint would show, whatever happened before."""

from __future__ import annotations

import asyncio
import random
import sys
from types import SimpleNamespace

import pytest

if sys.platform == "win32":
    pytest.skip("Windows has Textual's own way to the terminal", allow_module_level=True)

from textual import events
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers._writer_thread import WriterThread
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size

from tests.ui.conftest import PERIOD, SECOND
from tests.ui.painted import Emulated, PaintedMonitor, cells, difference
from tuistream.core.batch import Stream
from tuistream.core.board import Item
from tuistream.core.look import Look
from tuistream.ui.app import TuistreamApp

KEYS = [
    *"acyLn0123fmewtjkhl+-[]",
    *("tab", "left", "right", "up", "down", "pageup", "pagedown", "enter", "escape", "space", "question_mark"),
    *("ctrl+p", "slash", "o"),
]
SIZES = [(100, 30), (200, 50), (80, 24), (60, 20), (40, 10), (20, 5), (141, 33)]
HOSTILE = ["BTC", "日本語データ", "e\u0301ne\u0300", "\x1b[31mred", "🚀🚀 moon", "a\tb", "", "[bold]x[/]"]


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> PaintedMonitor:
    monkeypatch.setattr("textual.screen.UPDATE_PERIOD", PERIOD)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    return PaintedMonitor()


def ticks(monitor: PaintedMonitor, chance: random.Random, count: int = 40) -> None:
    for name in HOSTILE[: chance.randint(1, len(HOSTILE))]:
        values = [100 + 10 * chance.random() + count for count in range(chance.randint(1, count))]
        monitor.feed_ticks(name, values, step=chance.choice([1_000_000, SECOND // 10]))


def items(monitor: PaintedMonitor, chance: random.Random) -> None:
    kind = chance.choice(["text", "video", "map", "spectrum"])
    stream = Stream("hub", chance.choice(["1", "2"]), kind, ())
    value: object = chance.choice(HOSTILE) * chance.randint(1, 40)
    if kind == "spectrum":
        value = {"y": [chance.random() for _ in range(chance.randint(1, 50))]}
    look = Look(chance.choice(["line", "bar"]), chance.choice(HOSTILE), "u", (f"#{chance.randrange(1 << 24):06x}",))
    shown = Item(stream, monitor.now, monitor.now, kind, value, 10, kind != "text")
    looks = {key: look for key in monitor.session.streams if chance.random() < 0.5}
    monitor.session.take_looks(looks)
    monitor.session.show(monitor.feed, [shown])


async def assert_whole(monitor: PaintedMonitor, driver: Emulated, what: str) -> None:
    for patience in range(100):  # the palette looks for its commands in its own time
        await monitor.sent()
        found = difference(cells(driver.screen), monitor.expected())
        if not found:
            return
        await asyncio.sleep(patience / 1_000)
    pytest.fail(f"after {what}\n{found}")


@pytest.mark.parametrize(("seed", "budget"), [(0, 0), (1, 30_000), (2, 0)])
async def test_after_any_events_the_screen_is_whole(
    painted: PaintedMonitor, monkeypatch: pytest.MonkeyPatch, seed: int, budget: int
) -> None:
    monkeypatch.setattr(TuistreamApp, "action_leave_program", TuistreamApp.action_theme)  # the palette has it, too
    chance = random.Random(seed)
    ticks(painted, chance)
    async with painted.painting(*SIZES[seed % len(SIZES)], budget=budget) as driver:
        await assert_whole(painted, driver, "the start")
        done: list[str] = []
        for step in range(50):
            painted.now += chance.randint(0, SECOND)
            what = chance.choices(
                ["key", "ticks", "items", "resize", "garbled", "stop", "keys"], [6, 4, 4, 1, 1, 1, 3]
            )[0]
            match what:
                case "key":
                    what = chance.choice(KEYS)
                    await painted.press(what)
                case "keys":
                    what = " ".join(chance.choices(KEYS, k=5))
                    for key in what.split():
                        await painted.press(key)
                case "ticks":
                    ticks(painted, chance)
                case "items":
                    items(painted, chance)
                case "resize":
                    driver.resize(*chance.choice(SIZES))
                case "garbled":
                    driver.garble()
                    painted.app.repaint()
                case "stop":
                    driver.stopped = not driver.stopped
            done.append(what)
            if not driver.stopped and step % 3 == 0:
                await assert_whole(painted, driver, ", ".join(done))
        driver.stopped = False
        await assert_whole(painted, driver, ", ".join(done))


async def test_a_terminal_that_does_not_read_is_sent_nothing_and_then_the_latest(painted: PaintedMonitor) -> None:
    painted.feed_ticks("BTC", [1.0, 2.0, 3.0])
    async with painted.painting() as driver:
        await painted.sent()
        driver.stopped = True
        before = len(driver.frames)
        for value in range(200):
            painted.feed_ticks("BTC", [float(value)])
            painted.now += SECOND // 10
            painted.app.beat()
            await painted.quiet()
        assert len(driver.frames) == before
        assert painted.app.behind
        drawings = painted.panel.drawings
        await painted.quiet()
        painted.app.beat()
        assert painted.panel.drawings == drawings
        driver.stopped = False
        await assert_whole(painted, driver, "it reads again")
        assert "199" in "\n".join(driver.screen.display)


async def test_what_a_key_does_is_seen_before_the_rest_of_a_frame_that_is_being_drawn(
    painted: PaintedMonitor,
) -> None:
    painted.feed_ticks("BTC", [1.0, 2.0, 3.0])
    async with painted.painting() as driver:
        await painted.sent()
        with painted.app.gathered():
            painted.app.post_message(events.Key("right_square_bracket", None))
            await painted.quiet()
            assert "range 50 ticks" in "\n".join(driver.screen.display)


@pytest.mark.parametrize("size", [(60, 20), (140, 40)])
async def test_nothing_is_painted_while_the_screen_is_laid_out_for_another_size(
    size: tuple[int, int], painted: PaintedMonitor
) -> None:
    painted.feed_ticks("BTC", [1.0, 2.0])
    async with painted.painting() as driver:
        # As Textual has it from a resize until the screen is laid out, 8 ms later.
        painted.app._size = Size(*size)
        painted.app._fit_shadow()
        painted.feed_ticks("BTC", [3.0, 4.0])
        painted.app.beat(everything=True)
        painted.app._size = Size(100, 30)
        driver.resize(*size)
        await painted.settle()
        await assert_whole(painted, driver, "a resize")
        assert " 4 " in painted.title


async def test_what_did_not_change_is_not_sent(painted: PaintedMonitor) -> None:
    painted.feed_ticks("BTC", [1.0, 2.0, 3.0])
    async with painted.painting() as driver:
        await painted.sent()
        before = driver.bytes_written
        painted.app.refresh()
        await painted.quiet()
        assert driver.bytes_written == before
        driver.garble()
        painted.app.repaint()
        await assert_whole(painted, driver, "a repaint")


async def test_a_bug_ends_the_app_without_showing_local_variables(painted: PaintedMonitor) -> None:
    def broken() -> None:
        password = "hunter" + "2"
        raise ZeroDivisionError(len(password))

    painted.feed_ticks("BTC", [1.0, 2.0])
    async with painted.painting(fails=True) as driver:
        await painted.sent()
        assert driver.frames
        painted.app.call_later(broken)
        while painted.app.is_running:
            await asyncio.sleep(0.01)
    assert painted.app.return_code == 1
    assert "ZeroDivisionError" in painted.printed
    assert "hunter2" not in painted.printed


async def test_the_private_names_that_painting_uses_are_there(painted: PaintedMonitor) -> None:
    async with painted.painting():
        names = ("_batch_count", "_running", "_closed", "_sync_available", "_exit_renderables", "_driver")
        for name in (*names, "_close_messages_no_wait", "_check_bindings", "_display", "_fatal_error"):
            assert hasattr(painted.app, name), name
            assert name.startswith(("_display", "_fatal")) or name not in vars(type(painted.app))
        assert {"_display", "_fatal_error", "_print_error_renderables"} <= set(vars(App))
        assert hasattr(painted.app.console, "_color_system")
        threads = ("_run_input_thread", "run_input_thread", "_sigcont_application", "_sigtstp_application")
        for name in (*threads, "close", "write", "process_message"):
            assert name in vars(LinuxDriver), name
        parser = XTermParser(False)
        assert [message.key for message in parser.feed("a")] == ["a"]  # type: ignore[attr-defined]
        assert not list(parser.tick())
        thread = WriterThread(sys.stderr)
        assert thread._queue.maxsize > 4
        assert thread._file is sys.stderr


async def test_without_a_driver_of_ours_textual_sends_the_screen(
    painted: PaintedMonitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, where there is none."""
    monkeypatch.setattr("tuistream.ui.painting.TerminalDriver", None)
    monkeypatch.setattr("tuistream.ui.painting.sys", SimpleNamespace(platform="win32"))
    painted.feed_ticks("BTC", [1.0, 2.0])
    async with painted.running(100, 30):
        assert "BTC" in painted.title
        assert painted.app.bytes_sent == 0
