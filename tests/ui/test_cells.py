"""Candles and heat maps in panels; the cursor that reads them out; the strip that says where a window lies."""

from __future__ import annotations

import numpy as np

from tests.ui.conftest import SECOND, Monitor
from tuistream.core.batch import Batch, Stream
from tuistream.core.look import Look

HEAT = Stream("binance", "1", "heatmap", ("row", "col"), timed=False)


def cells(monitor: Monitor, *places: tuple[float, float], grid: tuple[int, int] = (4, 3)) -> None:
    t = monitor.now - np.arange(len(places) - 1, -1, -1)
    monitor.session.ingest(monitor.feed, [Batch(HEAT, t, t, np.array(places, float))])
    monitor.session.take_looks({HEAT.key: Look("heatmap", "Heat", grid=grid)})


async def test_a_senders_heat_map_counts_the_cells_that_come(monitor: Monitor) -> None:
    cells(monitor, (0, 0), (0, 0), (2, 3))
    async with monitor.running():
        assert "4 x 3  3 counted" in monitor.plot
        assert "heat-map" in monitor.edge
        cells(monitor, (0, 0), (9, 9))
        await monitor.settle(SECOND)
        assert "4 x 3  4 counted  1 outside" in monitor.plot
        await monitor.press("space")
        cells(monitor, (1, 1))
        await monitor.settle(SECOND)
        assert "4 counted" in monitor.plot


async def test_what_has_left_memory_stays_counted(monitor: Monitor) -> None:
    monitor.session.window = 4
    async with monitor.running():
        for _ in range(6):
            cells(monitor, (0, 0), (1, 1))
            await monitor.settle(SECOND)
        assert "12 counted" in monitor.plot


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
