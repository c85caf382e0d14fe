"""Programs that `screen` measures, each a process in a pseudo-terminal of its own, all with the same data.

`python -m tests.bench.apps NAME RATE SECONDS RESULT`: four panels of a stream and its moving average over the last
minute, `RATE` ticks/s each, drawn 10 times a second. Writes what `SECONDS` of that cost into the file RESULT (JSON).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from textual.app import App, ComposeResult
from textual_plotext import PlotextPlot

from tuistream.core.batch import Batch, Stream
from tuistream.core.session import Session, StreamState
from tuistream.core.status import FeedState, FeedStatus, RecordingStatus
from tuistream.ui.app import TuistreamApp
from tuistream.ui.options import ViewOptions
from tuistream.ui.panel import Panel

NAMES = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT")
MINUTE = 60
AVERAGE = 15
DECIMATED = 200  # points: about two for each column of a panel, as braille has
PERIOD = 0.1  # seconds between frames
WARM_FRAMES = 2
AHEAD = 10  # seconds of prices that are drawn at a time

Points = NDArray[np.float64]


class Cost(NamedTuple):
    """began, ended: by time.perf_counter(), which is one clock for all processes. cpu: seconds, all threads."""

    frames: float
    cpu: float
    began: float
    ended: float


class Walk:
    """A session with a minute of four random walks in it, which go on as time does."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.session = Session(window=int(rate * (MINUTE + 5)) + 1_000, memory=4 << 30)
        self._feed = self.session.add_feed(FeedStatus("bench", state=FeedState.LIVE))
        self._random = np.random.default_rng(1)
        self._prices = {name: np.full(1, 60_000.0) for name in NAMES}  # those to come, after the last that has
        self._until = time.time_ns() - MINUTE * 1_000_000_000
        self.advance()

    def advance(self) -> None:
        """Ticks up to now."""
        now = time.time_ns()
        count = int((now - self._until) * self.rate / 1e9)
        if not count:
            return
        t = self._until + np.arange(1, count + 1, dtype=np.int64) * int(1e9 / self.rate)
        self._until = int(t[-1])
        self._feed.last_recv = now
        for name in NAMES:
            prices = self._next(name, count)
            batch = Batch(Stream("bench", name, "", ("price",)), t, np.full(count, now), prices[:, None])
            self.session.ingest(self._feed, [batch])

    def _next(self, name: str, count: int) -> Points:
        """The next prices; drawn many at a time, as what that takes is not what is measured."""
        known = self._prices[name]
        if len(known) <= count:
            steps = np.cumsum(self._random.normal(size=max(count, int(AHEAD * self.rate))))
            known = np.concatenate((known, np.round(known[-1] + steps, 2)))
        self._prices[name] = known[count:]
        return known[1 : count + 1]

    def last_minute(self, state: StreamState) -> tuple[Points, Points, Points]:
        """Seconds before now, price, moving average."""
        rows = state.series.between(self._until - MINUTE * 1_000_000_000, self._until)
        price = state.series.column("price")[rows]
        sums = np.cumsum(np.concatenate((np.zeros(AVERAGE), price)))
        average = (sums[AVERAGE:] - sums[:-AVERAGE]) / np.minimum(np.arange(1, len(price) + 1), AVERAGE)
        return (state.series.t[rows] - self._until) / 1e9, price, average


class Stock(App[None]):
    """Four widgets that are given their whole window anew, 10 times a second at most."""

    CSS = "Screen { layout: grid; grid-size: 2 2; }"

    def __init__(
        self, walk: Walk, make: Callable[[], Any], fill: Callable[[Any, Points, Points, Points], None]
    ) -> None:
        super().__init__()
        self.walk = walk
        self._make, self._fill = make, fill
        self._panels: list[Any] = []

    def compose(self) -> ComposeResult:
        self._panels = [self._make() for _ in NAMES]
        yield from self._panels

    def on_mount(self) -> None:
        self._draw()
        self.set_interval(PERIOD, self._draw)

    def _draw(self) -> None:
        self.walk.advance()
        for panel, state in zip(self._panels, self.walk.session.streams.values(), strict=True):
            self._fill(panel, *self.walk.last_minute(state))

    def frames(self) -> float:
        return float(self._panels[0].drawn) if self._panels else 0.0


class CountedPlotextPlot(PlotextPlot):
    drawn = 0

    def render(self) -> Any:
        self.drawn += 1
        return super().render()


def plotext_raw(panel: CountedPlotextPlot, t: Points, price: Points, average: Points) -> None:
    panel.plt.clear_data()
    panel.plt.plot(t.tolist(), price.tolist(), marker="braille")
    panel.plt.plot(t.tolist(), average.tolist(), marker="braille")
    panel.refresh()


def plotext_decimated(panel: CountedPlotextPlot, t: Points, price: Points, average: Points) -> None:
    plotext_raw(panel, *decimated(t, price, average))


def decimated(*columns: Points) -> list[Points]:
    """Every n-th point: the cheapest way, which loses the extremes."""
    step = max(1, len(columns[0]) // DECIMATED)
    return [column[::step] for column in columns]


def textual_plot(walk: Walk) -> Stock:
    from textual_plot import HiResMode, PlotWidget

    class CountedPlotWidget(PlotWidget):
        drawn = 0

        def render(self) -> Any:
            self.drawn += 1
            return super().render()

    def fill(panel: CountedPlotWidget, t: Points, price: Points, average: Points) -> None:
        t, price, average = decimated(t, price, average)
        panel.clear()
        panel.plot(t, price, line_style="green", hires_mode=HiResMode.BRAILLE)
        panel.plot(t, average, line_style="yellow", hires_mode=HiResMode.BRAILLE)

    return Stock(walk, CountedPlotWidget, fill)


class Ours:
    """The monitor itself, with or without its list of streams."""

    def __init__(self, walk: Walk, watch_list: bool) -> None:
        self.app = TuistreamApp(walk.session, ViewOptions(averages=(AVERAGE,)), lambda: RecordingStatus("off"))
        self._walk = walk
        self._watch_list = watch_list
        self._panels: list[Panel] = []

    def frames(self) -> float:
        if not self.app.is_running or not self.app.screen_stack:
            return 0.0
        if len(self._panels) < len(NAMES):
            self._panels = list(self.app.query(Panel))
        return sum(panel.drawings for panel in self._panels) / len(NAMES)

    async def feed(self) -> None:
        """Let the walk go on, once a frame as in the others; runs until it is cancelled."""
        while not self.frames():
            await asyncio.sleep(PERIOD)
        while not self._watch_list and not self.app.screen.has_class("-no-list"):
            self.app.action_watch_list()
        self._walk.advance()
        drawn = self.frames()
        while self.frames() == drawn:
            await asyncio.sleep(PERIOD / 20)
        due = time.perf_counter() - PERIOD / 2  # in the middle between frames, so that each has something new
        while True:
            due += PERIOD  # whatever the last one took
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            self._walk.advance()


async def measure(app: App[Any], frames: Callable[[], float], seconds: float) -> Cost:
    """Run `app` until it has drawn for `seconds`, and at least one frame."""
    running = asyncio.create_task(app.run_async())
    while frames() < WARM_FRAMES and not running.done():
        await asyncio.sleep(PERIOD)
    await asyncio.sleep(PERIOD)
    began, cpu, before = time.perf_counter(), time.process_time(), frames()
    await asyncio.wait([running], timeout=seconds)  # looking every now and then would count as drawing
    while not running.done() and frames() < before + 1:
        await asyncio.sleep(PERIOD)
    cost = Cost(frames() - before, time.process_time() - cpu, began, time.perf_counter())
    if running.done():
        raise RuntimeError("the app ended by itself")
    app.exit()
    await running
    return cost


async def cost_of(name: str, rate: float, seconds: float) -> Cost:
    walk = Walk(rate)
    if name in ("ours", "ours-with-list"):
        ours = Ours(walk, name == "ours-with-list")
        feed = asyncio.create_task(ours.feed())
        try:
            return await measure(ours.app, ours.frames, seconds)
        finally:
            feed.cancel()
    if name == "textual-plot":
        stock = textual_plot(walk)
    else:
        stock = Stock(walk, CountedPlotextPlot, plotext_raw if name == "plotext-raw" else plotext_decimated)
    return await measure(stock, stock.frames, seconds)


def main() -> int:
    name, rate, seconds, result = sys.argv[1:]
    Path(result).write_text(json.dumps(asyncio.run(cost_of(name, float(rate), float(seconds)))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
