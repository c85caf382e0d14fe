"""Pictures in pixels: what a terminal has of them, cell by cell, whatever happens around them."""

from __future__ import annotations

import asyncio
import io
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

if sys.platform == "win32":
    pytest.skip("Windows has Textual's own way to the terminal", allow_module_level=True)

from PIL import Image
from textual.widget import Widget

from tests.charts.graphics.reading import Pixels
from tests.ui.conftest import PERIOD, SECOND
from tests.ui.painted import SEEN, Emulated, PaintedMonitor, cells, difference
from tests.ui.test_boards import show
from tuistream.charts.graphics import kitty
from tuistream.charts.kinds.canvas import blank
from tuistream.charts.kinds.contract import Size as FrameSize
from tuistream.charts.kinds.picture import Crop
from tuistream.ui.app import TuistreamApp
from tuistream.ui.graphics import Graphics, View
from tuistream.ui.shadow import Shadow
from tuistream.ui.sights import Picture, Sight
from tuistream.ui.terminal_answers import Abilities

KITTY = Abilities(True, "kitty(0.35.2)", False, (10, 20))
SIXEL = Abilities(False, "foot(1.19.0)", True, (8, 18))
WEZTERM = Abilities(True, "WezTerm 20240203", False, (10, 20))
TERMINALS = [KITTY, SIXEL]
KEYS = [
    *"acymwtfeo+-0",
    "tab",
    "space",
    "left",
    "down",
    "pageup",
    "question_mark",
    *["escape"] * 4,
    "ctrl+p",
    "v",
    "H",
    "x",
]
SIZES = [(100, 30), (140, 40), (80, 24), (60, 20), (40, 10), (20, 5)]


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> PaintedMonitor:
    monkeypatch.setattr("textual.screen.UPDATE_PERIOD", PERIOD)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    return PaintedMonitor()


def image(seed: int, width: int = 96, height: int = 60) -> Pixels:
    """A gradient, so that it differs from cell to cell and from seed to seed."""
    y, x = np.mgrid[:height, :width]
    chance = np.random.default_rng(seed)
    waves = [127 + 120 * np.sin(x / chance.uniform(3, 30) + y / chance.uniform(3, 30)) for _ in range(3)]
    return np.stack(waves, axis=-1).astype(np.uint8)


def near(pixels: Pixels, wanted: Pixels) -> bool:
    """Whether they are the same but for a row or a column at the edges, which half a cell may cut off."""
    height, width = pixels.shape[:2]
    assert abs(height - wanted.shape[0]) <= 1
    assert abs(width - wanted.shape[1]) <= 1
    return bool(np.abs(pixels.astype(int) - wanted[:height, :width]).mean() < 12)


def encoded(pixels: Pixels) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def picture(monitor: PaintedMonitor, name: str, seed: int, width: int = 96, height: int = 60) -> None:
    show(monitor, "image", encoded(image(seed, width, height)), name=name, replaces=True)


@asynccontextmanager
async def showing(monitor: PaintedMonitor, abilities: Abilities, **options: Any) -> AsyncIterator[Emulated]:
    width, height = options.pop("size", (100, 30))
    options.setdefault("pictures", "auto")
    async with monitor.painting(width, height, **options) as driver:
        driver.answer(abilities)
        yield driver


async def pictured(monitor: PaintedMonitor) -> None:
    """Return once all pictures are on the terminal, or will not be: nothing goes on, also after one more beat."""
    app, calm = monitor.app, 0
    async with asyncio.timeout(50):
        while calm < 2:
            await monitor.sent()
            busy = [view.encoding or view.coming is not None for view in app.graphics._views.values()]
            busy += [shown.busy or shown.of is not shown.wanted for shown in app.pictures._found.values()]
            calm = 0 if any(busy) or app._pending else calm + 1


def in_pixels(driver: Emulated) -> int:
    """In how many cells parts of pictures are seen."""
    return sum(str(cell[0]).startswith((kitty.PLACEHOLDER, SEEN)) for row in cells(driver.screen) for cell in row)


def alike(cell: tuple[object, ...], wanted: tuple[object, ...]) -> bool:
    """Whether a half block is the one that is wanted, in the fewer colours that these have."""
    if wanted[0] != "▀" or cell[0] not in ("▀", " "):
        return False
    pairs = zip((cell[-1 if len(cell) == 2 else 1], cell[-1 if len(cell) == 2 else 2]), wanted[1:3], strict=True)
    both = [[bytes.fromhex(str(colour)) for colour in pair] for pair in pairs]
    return all(abs(one - other) <= 4 for pair in both for one, other in zip(*pair, strict=True))


def assert_whole(monitor: PaintedMonitor, driver: Emulated, what: str = "") -> None:
    """What is no picture is as a full repaint would have it, and where a picture is, there is one."""
    wanted, shown = monitor.expected(), cells(driver.screen)
    for row, wanted_row in zip(shown, wanted, strict=True):
        for x, cell in enumerate(row):
            text = str(cell[0])
            if text.startswith(kitty.PLACEHOLDER):
                number = int(str(cell[1]), 16)
                columns, rows = driver.kitty.placed[number]
                assert kitty.MARKS.index(text[1]) < rows, what
                assert kitty.MARKS.index(text[2]) < columns, what
            in_picture = text.startswith((kitty.PLACEHOLDER, SEEN))
            assert not in_picture or wanted_row[x][0] in ("▀", " "), what
            if in_picture or alike(cell, wanted_row[x]):
                row[x] = wanted_row[x]
    found = difference(shown, wanted)
    assert not found, f"after {what}\n{found}"


async def until_whole(monitor: PaintedMonitor, driver: Emulated, what: str) -> None:
    for patience in range(100):  # the palette looks for its commands in its own time
        await pictured(monitor)
        try:
            assert_whole(monitor, driver, what)
        except AssertionError:
            if patience == 99:
                raise
            await asyncio.sleep(patience / 1_000)
        else:
            return


async def test_kitty_has_the_picture_once_and_cells_that_show_it(painted: PaintedMonitor) -> None:
    picture(painted, "1", 1)
    async with showing(painted, KITTY) as driver:
        await pictured(painted)
        ((number, pixels),) = driver.kitty.images.items()
        assert near(pixels, image(1))
        columns, rows = driver.kitty.placed[number]
        assert in_pixels(driver) == columns * rows > 500
        found = {str(cell[0]) for row in cells(driver.screen) for cell in row if cell[1] == f"{number:06x}"}
        assert found == {kitty.cell(row, column) for row in range(rows) for column in range(columns)}
        assert_whole(painted, driver)
        assert "pixels" in painted.edge
        sent, written = driver.kitty.sent, driver.bytes_written
        await painted.settle()
        await pictured(painted)
        assert (driver.kitty.sent, driver.bytes_written) == (sent, written)


async def test_sixels_are_drawn_where_the_half_blocks_would_be(painted: PaintedMonitor) -> None:
    picture(painted, "1", 1, 192, 120)
    async with showing(painted, SIXEL) as driver:
        await pictured(painted)
        assert in_pixels(driver) > 500
        assert_whole(painted, driver)
        read = np.concatenate(driver.sixels)
        wide, high = read.shape[1], sum(-(-strip.shape[0] // 18) for strip in driver.sixels) * 18
        across = np.arange(wide) * 192 // wide
        down = np.arange(len(read)) * 120 // high
        wanted = image(1, 192, 120)[down][:, across]
        assert np.abs(read.astype(int) - wanted).mean() < 12
        before = len(driver.sixels)
        await painted.settle()
        await pictured(painted)
        assert len(driver.sixels) == before


@pytest.mark.parametrize("abilities", TERMINALS)
async def test_the_next_picture_replaces_it_and_the_last_is_forgotten(
    painted: PaintedMonitor, abilities: Abilities
) -> None:
    picture(painted, "1", 1)
    async with showing(painted, abilities) as driver:
        for seed in range(2, 6):
            await pictured(painted)
            picture(painted, "1", seed)
        await pictured(painted)
        assert_whole(painted, driver)
        assert in_pixels(driver) > 500
        assert len(painted.app.graphics._used) == 1
        assert len(driver.kitty.images) == (abilities is KITTY)
        if abilities is KITTY:
            (pixels,) = driver.kitty.images.values()
            assert near(pixels, image(5))


@pytest.mark.parametrize("abilities", TERMINALS)
async def test_what_lies_over_a_picture_is_seen_and_then_the_picture_again(
    painted: PaintedMonitor, abilities: Abilities
) -> None:
    picture(painted, "1", 1)
    async with showing(painted, abilities) as driver:
        await pictured(painted)
        whole, sent = in_pixels(driver), driver.kitty.sent
        for key in ("question_mark", "ctrl+p"):
            await painted.press(key)
            await until_whole(painted, driver, key)
            assert in_pixels(driver) < whole
            await painted.press("escape")
            await until_whole(painted, driver, "escape")
            assert in_pixels(driver) == whole
        await painted.press("v")
        await until_whole(painted, driver, "a cursor")
        assert in_pixels(driver) == (0 if abilities is SIXEL else in_pixels(driver)) < whole
        await painted.press("escape")
        await until_whole(painted, driver, "no cursor")
        assert in_pixels(driver) == whole
        assert driver.kitty.sent == sent
        driver.garble()
        painted.app.repaint()
        await until_whole(painted, driver, "a repaint")
        assert in_pixels(driver) == whole


@pytest.mark.parametrize("abilities", TERMINALS)
async def test_a_picture_that_goes_is_freed(painted: PaintedMonitor, abilities: Abilities) -> None:
    picture(painted, "1", 1)
    async with showing(painted, abilities) as driver:
        await pictured(painted)
        await painted.press("c")  # rows of text instead
        await pictured(painted)
        assert in_pixels(driver) == 0
        assert not driver.kitty.images
        assert not painted.app.graphics._used
        assert_whole(painted, driver)
        await painted.press("c")
        await pictured(painted)
        assert in_pixels(driver)


@pytest.mark.parametrize(
    ("abilities", "wish"),
    [
        (WEZTERM, "auto"),
        (KITTY, "cells"),
        (SIXEL, "kitty"),
        (Abilities(False, "xterm", True), "sixel"),  # whose cells have no size
    ],
)
async def test_nothing_is_sent_to_a_terminal_that_cannot_or_must_not(
    painted: PaintedMonitor, abilities: Abilities, wish: str
) -> None:
    picture(painted, "1", 1)
    async with showing(painted, abilities, pictures=wish) as driver:
        await pictured(painted)
        assert in_pixels(driver) == 0
        assert not any("\x1b_" in frame or "\x1bP" in frame for frame in driver.frames)
        assert_whole(painted, driver)
        assert painted.app.graphics.leaving() == ""


@pytest.mark.parametrize("setting", ["ascii", "NO_COLOR"])
async def test_without_colours_or_blocks_there_are_none(
    painted: PaintedMonitor, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    picture(painted, "1", 1)
    if setting == "NO_COLOR":
        monkeypatch.setenv("NO_COLOR", "1")
    async with showing(painted, KITTY, glyphs="ascii" if setting == "ascii" else "braille") as driver:
        await pictured(painted)
        assert in_pixels(driver) == 0
        assert not any("\x1b_" in frame for frame in driver.frames)


async def test_a_picture_that_would_take_too_long_stays_in_cells_and_says_so(painted: PaintedMonitor) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (600, 900, 3), np.uint8)
    show(painted, "image", encoded(noise), name="1", replaces=True)
    async with showing(painted, SIXEL, budget=12_000, size=(140, 24)) as driver:
        graphics = painted.app.graphics
        async with asyncio.timeout(50):
            while "in cells: over its share of the budget" not in painted.edge:
                await painted.settle(SECOND)
        assert not driver.sixels
        assert not graphics.pending


async def test_charts_go_on_while_a_picture_is_on_its_way(painted: PaintedMonitor) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (100, 110, 3), np.uint8)
    painted.feed_ticks("BTC", [1.0, 2.0])
    show(painted, "image", encoded(noise), name="1", replaces=True)
    async with showing(painted, KITTY, budget=30_000, size=(120, 30)) as driver:
        await painted.press("y")
        async with asyncio.timeout(50):
            while not painted.app.graphics._sending:
                await painted.settle()
            value = 100
            while painted.app.graphics._sending:
                if any(str(value) in line for line in driver.screen.display):
                    value += 1
                    painted.feed_ticks("BTC", [float(value)])
                await painted.settle(SECOND // 10)
                if value == 100:
                    painted.feed_ticks("BTC", [100.0])
        assert value > 100
        await pictured(painted)
        assert driver.kitty.sent == 1


@pytest.mark.parametrize("rate", [10_000, 100_000])
def test_pictures_have_half_of_the_budget_in_any_second(rate: int) -> None:
    shadow = Shadow()
    graphics = Graphics(rate, lambda work: work.close(), lambda: None)
    graphics.use("kitty", (10, 20))
    frame = blank(FrameSize(40, 20))
    view = View(Sight(frame, image(1), Crop(0.0, 0.0, 96.0, 60.0, 0, 0, 40, 20)))
    graphics._views[Widget()] = view
    view.coming = Picture(view.wanted, 7, data="A" * 10 * rate)
    started = now = time.monotonic_ns()
    sent: list[tuple[int, int]] = []
    while now < started + 8 * SECOND:
        now += SECOND // 50
        sent.append((now, len(graphics.take(shadow, rate // 4, now))))
    for second in range(1, 8):  # but for the first, which may have a first screen
        at = started + second * SECOND
        within = sum(count for when, count in sent if at <= when < at + SECOND)
        assert rate * 0.3 < within <= rate * 0.5


async def test_leaving_frees_what_was_sent_also_in_the_middle(painted: PaintedMonitor) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (100, 110, 3), np.uint8)
    show(painted, "image", encoded(noise), name="1", replaces=True)
    async with showing(painted, KITTY, budget=30_000) as driver:
        graphics = painted.app.graphics
        while not graphics._sending:
            await painted.settle()
        assert driver.kitty.receiving
        terminal = driver.kitty
        terminal.take(graphics.leaving())
        assert terminal._keys == {}
        assert not driver.kitty.images
        painted.app.take_anew()
        await pictured(painted)
        assert len(driver.kitty.images) == 1
        driver.kitty.take(graphics.leaving())
        assert not driver.kitty.images


async def test_a_terminal_that_forgot_all_is_sent_all_again(painted: PaintedMonitor) -> None:
    picture(painted, "1", 1)
    async with showing(painted, KITTY) as driver:
        await pictured(painted)
        driver.kitty.images.clear()
        driver.kitty.placed.clear()
        driver.garble()
        painted.app.take_anew()
        await until_whole(painted, driver, "it was taken anew")
        assert in_pixels(driver) > 500


async def test_a_larger_font_has_sixels_drawn_anew(painted: PaintedMonitor) -> None:
    picture(painted, "1", 1)
    async with showing(painted, SIXEL) as driver:
        await pictured(painted)
        wide = driver.sixels[-1].shape[1]
        driver.answer(SIXEL, (16, 36))
        await until_whole(painted, driver, "a larger font")
        assert driver.sixels[-1].shape[1] == 2 * wide
        assert in_pixels(driver) > 500


@pytest.mark.parametrize(("seed", "budget"), [(0, 0), (1, 60_000), (3, 0)])
async def test_after_any_events_the_screen_is_whole(
    painted: PaintedMonitor, monkeypatch: pytest.MonkeyPatch, seed: int, budget: int
) -> None:
    monkeypatch.setattr(TuistreamApp, "action_leave_program", TuistreamApp.action_theme)
    chance = random.Random(seed)
    picture(painted, "1", seed)
    async with showing(painted, TERMINALS[seed % 2], budget=budget) as driver:
        done: list[str] = []
        seen = 0
        for step in range(24):
            painted.now += chance.randint(0, SECOND)
            what = chance.choices(["key", "ticks", "picture", "resize", "garbled", "anew"], [8, 3, 6, 2, 1, 1])[0]
            match what:
                case "key":
                    what = chance.choice(KEYS)
                    await painted.press(what)
                case "ticks":
                    painted.feed_ticks("BTC", [chance.random() for _ in range(20)])
                case "picture":
                    size = chance.randint(1, 120), chance.randint(1, 120)
                    picture(painted, chance.choice("12"), chance.randint(0, 9), *size)
                case "resize":
                    driver.resize(*chance.choice(SIZES))
                case "garbled":
                    driver.garble()
                    painted.app.repaint()
                case "anew":
                    driver.kitty.take(painted.app.graphics.leaving())
                    driver.garble()
                    painted.app.take_anew()
            done.append(what)
            if step % 4 == 0:
                await until_whole(painted, driver, ", ".join(done))
                seen += in_pixels(driver)
        await until_whole(painted, driver, ", ".join(done))
        assert seen
        assert len(driver.kitty.images) <= 2
        assert driver.kitty.broken <= done.count("anew")
