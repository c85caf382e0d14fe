"""Each key does what the table says, and says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from textual import events

from tests.ui.conftest import SECOND, Monitor
from tuistream.core.status import Event, RecordingStatus
from tuistream.ui.commands import COMMANDS
from tuistream.ui.help import HelpScreen
from tuistream.ui.themes import DARK, LIGHT

WAVE = [100 + float(np.sin(n / 9)) for n in range(300)]


def three_streams(monitor: Monitor) -> None:
    for factor, name in enumerate(("BTC", "ETH", "SOL"), 1):
        monitor.feed_ticks(name, [factor * value for value in WAVE])


async def test_space_pauses_everything_and_lets_it_go_on(monitor: Monitor) -> None:
    three_streams(monitor)
    async with monitor.running():
        await monitor.press("space")
        assert "paused 11:00:00" in monitor.edge
        before = monitor.title, monitor.plot, monitor.text("#watch-list")
        monitor.feed_ticks("BTC", [150.0, 160.0], end=monitor.now + SECOND)
        await monitor.settle(7 * SECOND)
        assert (monitor.title, monitor.plot, monitor.text("#watch-list")) == before
        assert "11:00:07" in monitor.status
        await monitor.press("minus", "plus")
        assert "160" not in monitor.title + monitor.plot
        await monitor.press("space")
        assert "160.0" in monitor.title
        assert "live" in monitor.edge


@pytest.mark.parametrize(("state", "said"), [("off", "paused"), ("recording", "paused; recording goes on")])
async def test_a_pause_says_that_recording_goes_on_only_where_there_is_one(
    state: str, said: str, monitor: Monitor
) -> None:
    three_streams(monitor)
    monitor.recording = RecordingStatus(state, "a.db")
    async with monitor.running():
        monitor.app.action_pause()
        await monitor.quiet()
        assert monitor.status.strip().startswith(said)
        assert ("goes on" in monitor.status) == (state == "recording")


async def test_plus_minus_and_0_zoom(monitor: Monitor) -> None:
    three_streams(monitor)
    async with monitor.running():
        await monitor.press("plus")
        assert "30s" in monitor.title
        assert "BTC: 30s" in monitor.status
        await monitor.press("minus", "minus")
        assert "2m" in monitor.title
        await monitor.press("0")
        assert "auto" in monitor.title


async def test_left_and_right_pan_and_f_follows(monitor: Monitor) -> None:
    three_streams(monitor)
    async with monitor.running():
        drawn = monitor.plot
        await monitor.press("left")
        assert "behind" in monitor.edge
        assert monitor.plot != drawn
        await monitor.press("right")
        assert "live" in monitor.edge
        await monitor.press("right")
        assert "this is the newest" in monitor.status
        for key in ("f", "end"):
            await monitor.press("left", "left", key)
            assert "live" in monitor.edge


async def test_panning_ends_at_the_oldest_tick(monitor: Monitor) -> None:
    three_streams(monitor)
    async with monitor.running():
        await monitor.press(*["left"] * 30)
        assert "nothing older is in memory" in monitor.status
        assert "behind" in monitor.edge


async def test_brackets_go_through_the_ranges(monitor: Monitor) -> None:
    three_streams(monitor)
    async with monitor.running():
        await monitor.press("left_square_bracket")
        assert "this is the shortest range" in monitor.status
        for name in ("50 ticks", "1m", "5m", "15m", "45m", "1h", "3h", "today", "1d", "all"):
            await monitor.press("right_square_bracket")
            assert f" {name} " in monitor.title
        await monitor.press("left_square_bracket")
        assert " 1d " in monitor.title


async def test_a_goes_through_the_averages(monitor: Monitor) -> None:
    three_streams(monitor)
    monitor.options["averages"] = (15, 50)
    async with monitor.running(120, 36):
        assert "sma 15  sma 50" in monitor.title
        await monitor.press("a")
        assert "ema 15  ema 50" in monitor.title
        await monitor.press("a", "a")
        assert "ma 15" not in monitor.title
        assert "moving averages: off" in monitor.status


async def test_c_y_and_L_change_the_chart(monitor: Monitor) -> None:
    three_streams(monitor)
    async with monitor.running():
        line = monitor.plot
        await monitor.press("c")
        assert "area" in monitor.edge
        assert monitor.plot != line
        await monitor.press("c", "y")
        assert "scale fixed" in monitor.edge
        await monitor.press("y", "L")
        assert "log" in monitor.edge
        assert "scale auto" in monitor.edge


async def test_a_logarithmic_scale_needs_something_above_zero(monitor: Monitor) -> None:
    monitor.feed_ticks("cold", [-5.0, -4.0, -3.0])
    async with monitor.running():
        await monitor.press("L")
        assert "no value shown is above zero" in monitor.status
        assert "log" not in monitor.edge


async def test_a_fixed_scale_stays_and_an_auto_one_does_not(monitor: Monitor) -> None:
    monitor.feed_ticks("BTC", WAVE[:60])
    async with monitor.running():
        await monitor.press("y")
        chart = monitor.panel.chart
        assert chart is not None
        fixed = chart.value_range
        monitor.feed_ticks("BTC", [500.0], end=monitor.now + SECOND)
        await monitor.settle(SECOND)
        assert chart.value_range == fixed
        await monitor.press("y")
        assert chart.value_range is not None
        assert chart.value_range[1] >= 500


async def test_n_goes_through_the_fields(monitor: Monitor) -> None:
    monitor.feed_ticks("BTC", [[100.0, 2.0], [101.0, 3.0]], fields=("price", "qty"))
    async with monitor.running():
        assert "qty" not in monitor.title
        await monitor.press("n")
        assert "qty" in monitor.title
        assert "price" not in monitor.title


@pytest.mark.parametrize("kind", ["line", "candles"])
async def test_another_field_has_its_own_numbers(kind: str, monitor: Monitor) -> None:
    monitor.feed_ticks("BTC", [[60_000.0, 0.000125], [60_001.0, 0.000075]], fields=("price", "qty"))
    async with monitor.running():
        assert " 60,001 ▲ +1 " in monitor.title
        await monitor.press("n")
        assert "━ 0.000075 ━" in monitor.title
        assert "◂ 0.000075" in monitor.plot
        assert monitor.panel._tagged == (0.000075, "down")
        assert monitor.panel.chart is not None
        monitor.panel.chart.choices = replace(monitor.panel.chart.choices, kind=kind)
        await monitor.settle()
        monitor.now += 5 * SECOND
        monitor.feed_ticks("BTC", [[60_002.0, 0.000025], [60_003.0, np.nan]], fields=("price", "qty"))
        await monitor.settle()
        assert "━ 0.000025 ━" in monitor.title
        await monitor.press("space")
        monitor.feed_ticks("BTC", [[60_002.0, 0.5]], fields=("price", "qty"), end=monitor.now + SECOND)
        await monitor.settle(SECOND)
        assert "━ 0.000025 ━" in monitor.title


async def test_a_pause_keeps_the_colour_of_the_last_move(monitor: Monitor) -> None:
    monitor.feed_ticks("BTC", [100.0, 101.0])
    async with monitor.running():
        await monitor.press("d", "space")
        plot = monitor.panel._plot
        assert plot._colours[0] == "up"
        monitor.feed_ticks("BTC", [90.0], end=monitor.now + SECOND)
        await monitor.settle(SECOND)
        assert plot._colours[0] == "up"
        await monitor.press("space")
        assert plot._colours[0] == "down"


async def test_panes_are_reached_by_tab_numbers_and_hjkl(monitor: Monitor) -> None:
    three_streams(monitor)
    async with monitor.running():
        assert monitor.has_focus(monitor.panel)
        assert monitor.grid.current == 0
        await monitor.press("tab")
        assert monitor.grid.current == 1
        await monitor.press("shift+tab", "shift+tab")
        assert monitor.has_focus(monitor.watch_list)
        await monitor.press("3")
        assert monitor.grid.current == 2
        assert monitor.has_focus(monitor.panel)
        await monitor.press("k")
        assert monitor.grid.current == 1
        await monitor.press("h")
        assert monitor.has_focus(monitor.watch_list)
        await monitor.press("h")
        assert "no pane to the left" in monitor.status
        await monitor.press("l")
        assert monitor.has_focus(monitor.panel)
        await monitor.press("9")
        assert "no panel 9" in monitor.status


async def test_the_focused_panel_has_the_heavier_border(monitor: Monitor) -> None:
    three_streams(monitor)
    async with monitor.running():
        assert monitor.title.startswith("┏━ 1 BTC")
        await monitor.press("w", "w", "h")
        assert monitor.title.startswith("╭─ 1 BTC")


@pytest.mark.parametrize("key", ["enter", "m"])
async def test_a_panel_is_maximised_and_back(monitor: Monitor, key: str) -> None:
    three_streams(monitor)
    async with monitor.running():
        assert len(monitor.grid.shown) == 3
        await monitor.press("2", key)
        assert len(monitor.grid.shown) == 1
        assert "2 ETH" in monitor.title
        assert monitor.panel.size.width == 100
        await monitor.press("3")
        assert "3 SOL" in monitor.title
        await monitor.press(key)
        assert len(monitor.grid.shown) == 3
        await monitor.press(key, "escape")
        assert len(monitor.grid.shown) == 3


async def test_the_list_selects_sorts_and_opens(monitor: Monitor) -> None:
    three_streams(monitor)
    async with monitor.running():
        await monitor.press("down")
        assert monitor.has_focus(monitor.watch_list)
        assert "▸ ETH" in monitor.text("#watch-list")
        await monitor.press("enter")
        assert monitor.grid.current == 1
        assert monitor.has_focus(monitor.panel)
        monitor.feed_ticks("SOL", [9_000.0])
        await monitor.press("o", "o")
        assert "streams by change %" in monitor.status
        rows = [line.strip("▸ ").split()[0] for line in monitor.text("#watch-list").splitlines()[1:4]]
        assert rows[0] == "SOL"


async def test_the_filter_is_typed_kept_and_dropped(monitor: Monitor) -> None:
    three_streams(monitor)
    async with monitor.running():
        await monitor.press("slash", "e", "t")
        assert "BTC" not in monitor.text("#watch-list")
        await monitor.press("enter")
        assert monitor.has_focus(monitor.watch_list)
        assert "ETH" in monitor.text("#watch-list")
        await monitor.press("slash", "escape")
        assert "BTC" in monitor.text("#watch-list")
        await monitor.press("slash", "x", "q", "enter")
        assert "no stream has 'xq' in its name" in monitor.text("#watch-list")
        await monitor.press("escape")
        assert "SOL" in monitor.text("#watch-list")


async def test_w_hides_the_watch_list(monitor: Monitor) -> None:
    three_streams(monitor)
    async with monitor.running() as pilot:
        await monitor.press("w")
        assert not monitor.watch_list.region
        assert sum(panel.region.area for panel in monitor.grid.shown) == 100 * 28
        await monitor.press("down")
        assert "the list is not shown" in monitor.status
        await monitor.press("w")
        assert monitor.watch_list.region
        await pilot.resize_terminal(200, 50)
        await monitor.press("w")
        header = monitor.text("#watch-list").splitlines()[0]
        for name in ("stream", "last", "change", "chg %", "low", "high", "ticks/s", "age", "last minute"):
            assert name in header


async def test_e_opens_the_events_and_keys_scroll_them(monitor: Monitor) -> None:
    three_streams(monitor)
    for number in range(40):
        monitor.session.note(Event(monitor.now, "binance", "open", f"event {number}"))
    async with monitor.running():
        await monitor.press("e")
        assert "11:00:00 binance" in monitor.text("#events")
        assert "event 39" in monitor.text("#events")
        await monitor.press("up", "up")
        assert "event 39" not in monitor.text("#events")
        monitor.session.note(Event(monitor.now, "binance", "gap", "event 40"))
        await monitor.settle(SECOND)
        assert "event 40" not in monitor.text("#events")
        await monitor.press("end")
        assert "event 40" in monitor.text("#events")
        await monitor.press("pageup")
        assert "event 40" not in monitor.text("#events")
        await monitor.press("escape")
        assert not monitor.app.query_one("#events").region
        assert monitor.has_focus(monitor.panel)


async def test_pages_of_panels(monitor: Monitor) -> None:
    for number in range(8):
        monitor.feed_ticks(f"S{number}", WAVE)
    async with monitor.running(80, 24):
        room = monitor.grid.capacity
        assert room == 2
        await monitor.press("pagedown")
        assert [panel.number for panel in monitor.grid.shown] == [2, 3]
        await monitor.press("pageup", "pageup")
        assert "this is the first page" in monitor.status
        await monitor.press("8")
        assert "8 S7" in monitor.title


async def test_help_lists_every_key_of_the_table(monitor: Monitor) -> None:
    async with monitor.running(200, 50):
        await monitor.press("question_mark")
        assert isinstance(monitor.app.screen, HelpScreen)
        text = monitor.screen
        for command in COMMANDS:
            if command.group and command.offered(replaying=False):
                assert command.shown in text
                assert command.words in text
        await monitor.press("escape")
        assert not isinstance(monitor.app.screen, HelpScreen)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 36)])
async def test_all_of_the_help_can_be_scrolled_to(monitor: Monitor, size: tuple[int, int]) -> None:
    async with monitor.running(*size):
        await monitor.press("question_mark")
        await monitor.press(*["pagedown"] * 8)
        last = monitor.app.screen.query(".help-row").last()
        assert monitor.app.screen.region.contains_region(last.region)


async def test_t_goes_through_the_themes(monitor: Monitor) -> None:
    three_streams(monitor)
    async with monitor.running():
        assert monitor.app.theme == DARK
        await monitor.press("t")
        assert monitor.app.theme == LIGHT
        assert f"theme {LIGHT}" in monitor.status
        monitor.app.theme = max(name for name in monitor.app.available_themes if name not in (DARK, LIGHT))
        await monitor.press("t")
        assert monitor.app.theme == DARK


async def test_s_puts_a_screenshot_into_the_current_folder(
    monitor: Monitor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    three_streams(monitor)
    async with monitor.running():
        await monitor.press("s")
        path = tmp_path / "tuistream-20261120-110000.svg"
        assert f"screenshot in {path}"[:60] in monitor.status
        assert "BTC" in path.read_text(encoding="utf-8")


async def test_a_screenshot_goes_home_where_the_folder_cannot_be_written(
    monitor: Monitor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, home = tmp_path / "gone", tmp_path / "home"
    gone.mkdir()
    home.mkdir()
    monkeypatch.chdir(gone)
    monkeypatch.setenv("HOME", str(home))
    (gone / "tuistream-20261120-110000.svg").mkdir()  # in the way of the file
    async with monitor.running():
        await monitor.press("s")
        assert [path.name for path in home.iterdir()] == ["tuistream-20261120-110000.svg"]


async def test_ctrl_p_opens_the_palette_over_the_table(monitor: Monitor) -> None:
    three_streams(monitor)
    async with monitor.running() as pilot:
        await pilot.press("ctrl+p", "pagedown", "pagedown", "pageup")
        await pilot.pause()
        await pilot.press(*"area")
        await pilot.pause(0.3)
        await pilot.press("enter")
        await pilot.pause(0.2)
        await monitor.settle()
        assert "area" in monitor.edge


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
async def test_the_program_is_left(monitor: Monitor, key: str) -> None:
    async with monitor.running() as pilot:
        await pilot.press(key)
    assert (monitor.app.return_value, monitor.app.return_code) == (0, 0)


async def test_ctrl_c_quits_from_the_filter_and_the_help_too(monitor: Monitor) -> None:
    async with monitor.running() as pilot:
        await pilot.press("slash", "q", "question_mark", "ctrl+c")
    assert monitor.app.return_value == 0


async def test_escape_with_nothing_open_says_how_to_quit(monitor: Monitor) -> None:
    async with monitor.running():
        await monitor.press("escape")
        assert "q quits" in monitor.status


async def test_keys_before_the_first_tick_say_that_there_is_nothing_yet(monitor: Monitor) -> None:
    async with monitor.running():
        for key in ("plus", "left", "f", "0", "right_square_bracket", "a", "c", "y", "L", "n"):
            await monitor.press(key)
            assert "no tick has come" in monitor.status, key


async def test_the_mouse_focuses_zooms_and_pans(monitor: Monitor) -> None:
    three_streams(monitor)
    async with monitor.running() as pilot:
        second = monitor.grid.shown[1]
        await pilot.click(second, offset=(20, 4))
        assert monitor.has_focus(second)
        x, y = second.region.x + 40, second.region.y + 4
        await pilot.mouse_down(second, offset=(40, 4))
        await pilot.hover(second, offset=(50, 4))
        await pilot.mouse_up(second, offset=(50, 4))
        await monitor.settle()
        assert "behind" in monitor.edge
        for scroll, span in ((events.MouseScrollUp, "30s"), (events.MouseScrollDown, "auto")):
            second.post_message(scroll(second, x, y, 0, 0, 0, False, False, False, x, y))
            await monitor.settle()
            assert f" {span} " in monitor.title
