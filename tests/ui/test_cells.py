"""Candles and heat maps in panels; the cursor that reads them out; the strip that says where a window lies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from textual import events

from tests.ui.conftest import SECOND, Monitor, rendered
from tuistream.charts.cursor import with_cursor
from tuistream.charts.kinds.canvas import blank, write
from tuistream.charts.kinds.contract import Size
from tuistream.charts.panel import LABEL
from tuistream.core.batch import Batch, Stream
from tuistream.core.board import Item
from tuistream.core.look import Look
from tuistream.ui.overview import Overview, sampled, strip
from tuistream.ui.view import Window

HEAT = Stream("binance", "1", "heatmap", ("row", "col"), timed=False)


def cells(monitor: Monitor, *places: tuple[float, float], grid: tuple[int, int] = (4, 3)) -> None:
    t = monitor.now - np.arange(len(places) - 1, -1, -1)
    monitor.session.ingest(monitor.feed, [Batch(HEAT, t, t, np.array(places, float))])
    monitor.session.take_looks({HEAT.key: Look("heatmap", "Heat", grid=grid)})


async def test_a_senders_heat_map_counts_the_cells_that_come(monitor: Monitor) -> None:
    cells(monitor, (0, 0), (0, 0), (3, 2))
    async with monitor.running():
        assert "4 x 3  3 counted" in monitor.plot
        assert "heatmap" in monitor.edge
        cells(monitor, (0, 0), (9, 9))
        await monitor.settle(SECOND)
        assert "4 x 3  4 counted  1 outside" in monitor.plot
        await monitor.press("space")
        cells(monitor, (1, 1))
        await monitor.settle(SECOND)
        assert "4 counted" in monitor.plot


async def test_the_first_number_is_along_the_width_as_real_senders_have_it(monitor: Monitor) -> None:
    cells(monitor, (184, 63), (72, 97), (184, 63), grid=(192, 108))
    async with monitor.running():
        assert "192 x 108  3 counted" in monitor.plot
        assert "outside" not in monitor.plot


async def test_what_has_left_memory_stays_counted(monitor: Monitor) -> None:
    monitor.session.window = 4
    async with monitor.running():
        for _ in range(6):
            cells(monitor, (0, 0), (1, 1))
            await monitor.settle(SECOND)
        assert "12 counted" in monitor.plot
        assert not monitor.panel.query_one(Overview).display


async def test_a_stream_as_candles(monitor: Monitor) -> None:
    monitor.feed_ticks("BTC", [*range(30), *range(30, 0, -1)])
    async with monitor.running():
        while "candles" not in monitor.edge:
            await monitor.press("c")
        assert any(char in monitor.plot for char in "┃╽╿█")
        await monitor.press("L")
        assert "log" in monitor.edge


async def test_another_kind_is_drawn_where_the_chosen_one_does_not_fit(monitor: Monitor) -> None:
    monitor.feed_ticks("BTC", [1.0, 2.0])
    async with monitor.running():
        chart = monitor.panel.chart
        assert chart is not None
        chart.choices = type(chart.choices)(kind="heat-map")
        await monitor.settle(SECOND)
        assert monitor.plot.strip()


async def test_the_cursor_reads_out_lines(monitor: Monitor) -> None:
    monitor.feed_ticks("BTC", [float(value) for value in range(300)])
    async with monitor.running():
        await monitor.press("v")
        assert monitor.panel.told.startswith("10:59:")
        assert "price 2" in monitor.edge
        assert "┼" in monitor.plot
        before = monitor.panel.told
        await monitor.press("left", "left", "left", "left")
        assert monitor.panel.told < before
        await monitor.press("shift+right")
        assert monitor.panel.told > before
        assert monitor.panel.chart is not None
        assert monitor.panel.chart.view.following
        monitor.feed_ticks("BTC", [7.0], end=monitor.now + SECOND)
        await monitor.settle(SECOND)
        assert "┼" in monitor.plot
        await monitor.press("escape")
        assert not monitor.panel.told
        assert "┼" not in monitor.plot
        assert "live" in monitor.edge
        await monitor.press("left")
        assert not monitor.panel.chart.view.following


async def test_the_cursor_beyond_the_line_says_what_it_reads(monitor: Monitor) -> None:
    monitor.feed_ticks("BTC", [3.0] * 20)
    async with monitor.running():
        await monitor.settle(20 * SECOND)
        await monitor.press("v")
        assert monitor.panel.told.startswith("last 11:00:00")
        await monitor.press(*["shift+left"] * 4)
        assert monitor.panel.told.startswith("10:59:4")
        await monitor.press("right_square_bracket", "right_square_bracket", "right_square_bracket")
        assert "range 5m" in monitor.status
        assert monitor.panel.told.startswith("first 10:59:41")


async def test_the_cursor_in_a_gap_says_why_nothing_is_there(monitor: Monitor) -> None:
    monitor.feed_ticks("BTC", [1.0] * 20, end=monitor.now - 30 * SECOND)
    monitor.session.interrupt(monitor.feed, "connection lost")
    monitor.feed_ticks("BTC", [2.0] * 10)
    async with monitor.running():
        await monitor.press("v")
        seen = set()
        for _ in range(60):
            await monitor.press("left")
            seen.add(monitor.panel.told)
        assert any("no data 21 s: connection lost" in told for told in seen)


async def test_the_cursor_reads_out_kinds_also_while_paused(monitor: Monitor) -> None:
    monitor.feed_ticks("BTC", [float(value) for value in range(60)])
    async with monitor.running():
        while "candles" not in monitor.edge:
            await monitor.press("c")
        await monitor.press("space", "v", "left", "left")
        assert "open " in monitor.panel.told
        assert "close " in monitor.edge
        told = monitor.panel.told
        monitor.feed_ticks("BTC", [1e6] * 30, end=monitor.now + 30 * SECOND)
        await monitor.press("left", "right")
        assert monitor.panel.told == told


async def test_the_mouse_moves_the_cursor(monitor: Monitor) -> None:
    cells(monitor, (0, 0), (0, 0), (3, 2))
    async with monitor.running() as pilot:
        await monitor.press("v")
        region = monitor.panel.query_one("StreamPlot").content_region
        await pilot.hover(offset=(region.x, region.y))
        await monitor.quiet()
        assert monitor.panel.told == "row 0  column 0  2"
        await pilot.click(offset=(region.x + 1, region.y + 1))
        await monitor.quiet()
        assert monitor.panel.told == "row 0  column 0  2"


async def test_a_log_of_texts_has_no_cursor(monitor: Monitor) -> None:
    stream = Stream("binance", "1", "text", ())
    monitor.session.show(monitor.feed, [Item(stream, monitor.now, monitor.now, "text", "hello", 5)])
    async with monitor.running():
        await monitor.settle()
        await monitor.press("v")
        assert "no cursor" in monitor.status
        assert not monitor.panel.told


@given(st.integers(-2, 30), st.integers(-2, 12), st.sampled_from(["braille", "blocks", "ascii"]), st.booleans())
def test_the_cursor_hides_nothing(column: int, row: int, glyphs: str, tall: bool) -> None:
    frame = blank(Size(24, 8))
    write(frame, 3, 4, "words", LABEL)
    shown = with_cursor(frame, column, row, glyphs, tall=tall)
    assert (shown.chars[3, 4:9] == frame.chars[3, 4:9]).all()
    inside = 0 <= column < 24 and 0 <= row < 8
    assert bool((shown.chars != frame.chars).any()) == inside
    assert (frame.chars != 0x20).sum() == 5


async def test_a_strip_says_where_the_window_lies(monitor: Monitor) -> None:
    monitor.feed_ticks("BTC", [float(value % 90) for value in range(600)])
    async with monitor.running():
        strip = monitor.panel.query_one(Overview)
        await monitor.settle()
        row = rendered(strip)
        assert row.rstrip().endswith("]")
        assert 4 <= row.index("]") - row.index("[") <= 12
        assert row.count("█") >= 5
        await monitor.press("left", "left", "left", "left", "left", "left")
        assert rendered(strip).index("]") < row.index("]")
        before = monitor.panel.chart
        assert before is not None
        strip.on_mouse_down(events.MouseDown(strip, 0, 0, 0, 0, 1, False, False, False))
        await monitor.settle()
        assert rendered(strip).index("[") == 0
        await monitor.press("f", *["right_square_bracket"] * 10)
        assert " all " in monitor.title
        row = rendered(strip).rstrip()
        assert (row[0], row[-1], len(row)) == ("[", "]", strip.size.width)


async def test_what_shows_the_newest_tick_alone_has_no_strip(monitor: Monitor) -> None:
    monitor.feed_ticks("BTC", [float(value) for value in range(600)])
    async with monitor.running():
        strip, chart = monitor.panel.query_one(Overview), monitor.panel.chart
        assert strip.display
        assert chart is not None
        chart.choices = replace(chart.choices, kind="radar")
        await monitor.settle()
        assert not strip.display


async def test_a_small_panel_has_no_strip(monitor: Monitor) -> None:
    monitor.feed_ticks("BTC", [float(value) for value in range(600)])
    async with monitor.running(80, 16):
        assert not monitor.panel.query_one(Overview).display


@given(
    st.lists(st.integers(0, 1_000), max_size=30).map(sorted),
    st.integers(0, 900),
    st.integers(1, 1_000),
    st.integers(1, 40),
)
def test_each_column_of_the_strip_has_its_last_value(times: list[int], first: int, span: int, width: int) -> None:
    t = np.array(times, np.int64)
    v = np.arange(len(t), dtype=np.float64)
    found = sampled(t, v, first, first + span, width)
    for column in range(width):
        ends = [int(first + span * (column + one) / width) for one in (0, 1)]
        inside = [value for at, value in zip(times, v.tolist(), strict=True) if ends[0] < at <= ends[1]]
        if column == 0:
            inside = [value for at, value in zip(times, v.tolist(), strict=True) if first <= at <= ends[1]]
        assert (found[column] == inside[-1]) if inside else np.isnan(found[column])
    text = strip(found, first, first + span, Window(first, first + span // 2, 1, 1, 1), "braille", unread=True)
    assert sum(len(part) for part, _ink in text) == width


async def test_candles_are_as_long_as_chosen_and_spectra_have_a_window(monitor: Monitor) -> None:
    monitor.feed_ticks("BTC", [float(value % 7) for value in range(300)])
    async with monitor.running():
        await monitor.press("i")
        assert "only candles" in monitor.status
        while "candles" not in monitor.edge:
            await monitor.press("c")
        await monitor.press("I")
        assert "candles: 1d" in monitor.status
        await monitor.press("i", "i", "i", "i", "i", "v")
        assert "candles: 10s" in monitor.status or "cursor" in monitor.status
        assert " 10 s  open" in monitor.panel.told
        await monitor.press("escape")
        while "spectrum" not in monitor.edge:
            await monitor.press("c")
        assert "Hann " in monitor.plot
        await monitor.press("i")
        assert "Hamming" in monitor.plot


OF_TICKS = (
    "step",
    "scatter",
    "bars",
    "horizontal-bars",
    "candles",
    "histogram",
    "spectrum",
    "bubble",
    "pie",
    "radar",
)


@pytest.mark.parametrize("kind", [*OF_TICKS, "doughnut", "polar-area", "number", "sparkline", "table"])
async def test_the_cursor_says_something_in_every_kind(kind: str, monitor: Monitor) -> None:
    rows = [[n % 7 + 1.0, n % 5 + 2.0, n % 3 + 3.0] for n in range(300)]
    monitor.feed_ticks("a", rows, fields=("x", "y", "r"))
    async with monitor.running(100, 30):
        chart = monitor.panel.chart
        assert chart is not None
        chart.choices = replace(chart.choices, kind=kind)
        await monitor.press("v")
        told = set()
        for column in range(4, 60, 12):
            for row in range(1, 24, 5):
                monitor.panel._put_cursor((column, row))
                told.add(monitor.panel.told)
        told.discard("")
        assert told
        assert all(any(char.isdigit() for char in words) for words in told)
        assert all(words.isprintable() for words in told)


async def test_the_cursor_stays_inside_a_chart_that_becomes_smaller(monitor: Monitor) -> None:
    monitor.feed_ticks("BTC", [100.0 + at for at in range(60)])
    async with monitor.running(120, 30) as pilot:
        await monitor.press("v", *["right"] * 80)
        panel = monitor.panel
        assert panel._plot.cursor is not None
        assert panel._plot.cursor[0] == panel.canvas()[0] - 1
        await pilot.resize_terminal(50, 20)
        await monitor.settle()
        columns, rows = panel.canvas()
        assert panel._plot.cursor[0] == columns - 1
        assert panel._plot.cursor[1] < rows
        assert "price" in monitor.edge
