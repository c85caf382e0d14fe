"""What one would write with stock parts: `python -m tests.bench.stock_live URL` shows a feed in a PlotextPlot."""

from __future__ import annotations

import json
import sys

from textual.app import App, ComposeResult
from textual_plotext import PlotextPlot
from websockets.asyncio.client import connect

KEPT = 6_000


class StockLive(App[None]):
    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._plot = PlotextPlot()
        self._prices: list[float] = []

    def compose(self) -> ComposeResult:
        yield self._plot

    def on_mount(self) -> None:
        self.run_worker(self._receive())
        self.set_interval(0.1, self._draw)

    async def _receive(self) -> None:
        async with connect(self._url) as connection:
            async for message in connection:
                self._prices.append(float(json.loads(message)["price"]))
                del self._prices[:-KEPT]
                if len(self._prices) == 2:
                    self._draw()

    def _draw(self) -> None:
        if len(self._prices) > 1:
            self._plot.plt.clear_data()
            self._plot.plt.plot(self._prices, marker="braille")
            self._plot.refresh()


if __name__ == "__main__":
    StockLive(sys.argv[1]).run()
