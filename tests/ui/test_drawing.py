"""A panel that goes on from what it showed shows what it would show if it were drawn anew."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tests.ui.conftest import SECOND, Monitor
from tuistream.charts.panel import Frame
from tuistream.core.batch import Batch
from tuistream.core.session import Session
from tuistream.ui.stream_plot import StreamPlot


class Shows:
    """Counts the drawings of a plot that went on from the one before, and those that did not."""

    def __init__(self, plot: StreamPlot, patch: pytest.MonkeyPatch) -> None:
        self.on = self.anew = 0
        show = plot.show

        def counted(*args: object, **options: object) -> None:
            before = plot._live
            show(*args, **options)  # type: ignore[arg-type]
            if before is not None and before is plot._live:
                self.on += 1
            else:
                self.anew += 1

        patch.setattr(plot, "show", counted)


def anew(monitor: Monitor) -> Frame:
    """The panel as it is drawn without anything that it knows of the last drawing."""
    panel = monitor.panel
    panel._plot._live = None
    panel.redraw_all()
    assert panel._plot.frame is not None
    return panel._plot.frame


@pytest.mark.parametrize(
    ("seed", "window", "keys"),
    [
        (1, 400, ()),
        (2, 4_000, ("equals_sign",)),
        (3, 4_000, ("equals_sign", "equals_sign")),
        (4, 4_000, ("equals_sign", "a", "a")),
        (5, 100_000, ("left_square_bracket",)),
        (6, 4_000, ("equals_sign", "v", "left", "up")),
        (7, 4_000, ("equals_sign", "y")),
    ],
)
async def test_a_panel_that_goes_on_equals_one_drawn_anew(
    seed: int, window: int, keys: tuple[str, ...], monitor: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    monitor.session = Session(window=window, clock=lambda: monitor.now)
    monitor.feed = monitor.add_feed("binance")
    price = 60_000.0
    state = monitor.feed_ticks("BTCUSDT", [(price, price + 1)] * 3, fields=("price", "mean"), step=SECOND // 10)
    async with monitor.running(120, 30):
        await monitor.press(*keys)
        plot = monitor.panel._plot
        shows = Shows(plot, monkeypatch)
        for _ in range(150):
            passed = rng.choice((1, 1, 1, 4, 10, 10, 40)) * SECOND // 10
            monitor.now += passed
            count = rng.choice((1, 5, 5, 30))
            price += 20 * (rng.random() < 0.02) * rng.choice((-1, 1))
            values = price + np.round(np.array([rng.gauss(0, 0.5) for _ in range(count)]), 2)
            rows = np.column_stack((values, values + 1))
            if rng.random() < 0.02:
                rows[rng.randrange(count), 0] = np.nan
            late = SECOND if rng.random() < 0.04 else 0
            t = monitor.now - late - np.sort([rng.randrange(passed) for _ in range(count)]).astype(np.int64)[::-1]
            monitor.session.ingest(monitor.feed, [Batch(state.stream, t, np.full(count, monitor.now), rows)])
            if rng.random() < 0.01:
                monitor.session.interrupt(monitor.feed, "closed")
            monitor.app.beat(everything=True)
            shown = plot.frame
            assert shown is not None
            chars, ink = shown.chars.copy(), shown.ink.copy()
            if rng.random() < 0.3:
                wanted = anew(monitor)
                assert (chars == wanted.chars).all(), (chars != wanted.chars).nonzero()
                assert (ink == wanted.ink).all()
        assert shows.on
        assert shows.anew


async def test_a_lower_edge_changes_at_once_and_then_a_few_times_a_second(monitor: Monitor) -> None:
    state = monitor.feed_ticks("BTCUSDT", [1.5, 2.5])
    async with monitor.running(120, 30):
        shown = []
        monitor.now += SECOND
        for number in range(10, 30):
            monitor.now += SECOND // 20
            monitor.feed_ticks("BTCUSDT", [number + 0.5])
            state.recalled = number % 2 == 0
            before = monitor.edge
            monitor.app.beat()
            shown.append(monitor.edge != before)
            assert f" {number}.5 " in monitor.title
            assert f"{number}.5" in monitor.plot  # its tag
        assert shown == [at % 5 == 0 for at in range(20)]
        state.recalled = True
        monitor.app.beat(everything=True)
        assert "as of" in monitor.edge
