"""A session that the test feeds, on a clock that the test turns, and the app that shows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any

import numpy as np
import pytest
from textual import events
from textual.pilot import Pilot
from textual.widget import Widget

from tuistream.core.batch import Batch, Stream
from tuistream.core.session import Session, StreamState
from tuistream.core.status import FeedState, FeedStatus, RecordingStatus
from tuistream.store.asking import HistoryReader
from tuistream.ui.app import TuistreamApp
from tuistream.ui.grid import Grid
from tuistream.ui.options import ViewOptions
from tuistream.ui.panel import Panel
from tuistream.ui.watch_list import WatchList

SECOND = 1_000_000_000
PERIOD = 0.002  # seconds between two drawings of the screen, so that tests need not wait long
CHARACTERS = {"slash": "/", "left_square_bracket": "[", "right_square_bracket": "]"}
START = 1_795_172_400 * SECOND  # 2026-11-20 11:00:00 UTC


class Monitor:
    """The app under test, with its session, clock and recording status."""

    def __init__(self) -> None:
        self.now = START
        self.session = Session(clock=lambda: self.now)
        self.feed = self.add_feed("binance")
        self.recording = RecordingStatus("off")
        self.demo = ""
        self.options: dict[str, Any] = {}
        self.reader: HistoryReader | None = None
        self.app: TuistreamApp

    def add_feed(self, name: str, state: FeedState = FeedState.LIVE) -> FeedStatus:
        return self.session.add_feed(FeedStatus(name, f"wss://{name}.example/ws", state=state))

    def feed_ticks(
        self,
        name: str,
        values: Sequence[float] | Sequence[Sequence[float]],
        *,
        fields: tuple[str, ...] = ("price",),
        kind: str = "trade",
        feed: FeedStatus | None = None,
        step: int = SECOND,
        end: int | None = None,
    ) -> StreamState:
        """Ticks `step` ns apart, the newest of them at `end` (now, where it is not given)."""
        of = feed or self.feed
        rows = np.array(values, dtype=np.float64).reshape(len(values), -1)
        known = self.session.streams.get((of.name, name, kind))
        stream = known.stream if known else Stream(of.name, name, kind, fields)
        last = self.now if end is None else end
        t = last - step * np.arange(len(rows) - 1, -1, -1, dtype=np.int64)
        of.last_recv = self.now
        self.session.ingest(of, [Batch(stream, t, np.full(len(rows), self.now), rows)])
        return self.session.streams[stream.key]

    @asynccontextmanager
    async def running(self, width: int = 100, height: int = 30) -> AsyncIterator[Pilot[int]]:
        options: dict[str, Any] = {
            "fps": 1,
            "timezone": UTC,
            "clock": lambda: self.now,
            "glyphs": "braille",
        } | self.options
        view = ViewOptions(**options)
        self.app = TuistreamApp(self.session, view, lambda: self.recording, demo=self.demo, reader=self.reader)
        async with self.app.run_test(size=(width, height)) as pilot:
            await self.settle()
            yield pilot

    async def settle(self, passed: int = 0) -> None:
        """Let `passed` ns go by, and everything be drawn."""
        self.now += passed
        await self.quiet()
        self.app.beat(everything=True)
        await self.quiet()

    async def press(self, *keys: str) -> None:
        for key in keys:
            self.app.post_message(events.Key(key, key if len(key) == 1 else CHARACTERS.get(key)))
            await self.quiet()
        self.app.beat(everything=True)
        await self.quiet()

    async def quiet(self) -> None:
        """Return once no message waits, nothing is read, and the screen has had time to lay out and to draw."""
        calm = 0
        while calm < 2 and self.app.is_running:
            await asyncio.sleep(1.5 * PERIOD)
            pumps = (self.app, *self.app.screen.walk_children(Widget, with_self=True))
            reading = any(chart.past.reading for chart in self.grid._charts.values())
            calm = 0 if reading or any(pump.message_queue_size for pump in pumps) else calm + 1

    @property
    def grid(self) -> Grid:
        return self.app.query_one(Grid)

    @property
    def panel(self) -> Panel:
        return self.grid.panel

    @property
    def watch_list(self) -> WatchList:
        return self.app.query_one(WatchList)

    def text(self, selector: str) -> str:
        """What the first widget that `selector` finds shows."""
        return rendered(self.app.query(selector).first(Widget))

    @property
    def status(self) -> str:
        return self.text("#status")

    @property
    def title(self) -> str:
        """The upper edge of the current panel."""
        return rendered(self.panel.query(".top").first(Widget))

    @property
    def edge(self) -> str:
        """The lower edge of the current panel."""
        return rendered(self.panel.query(".bottom").first(Widget))

    @property
    def plot(self) -> str:
        return rendered(self.panel.query("StreamPlot").first(Widget))

    def has_focus(self, widget: Widget) -> bool:
        return self.app.focused is widget

    @property
    def screen(self) -> str:
        """All that the terminal shows."""
        widgets = self.app.screen.walk_children(Widget)
        shown = [widget for widget in widgets if widget.region and not widget.children]
        return "\n".join(rendered(widget) for widget in shown)


def rendered(widget: Widget) -> str:
    return "\n".join(widget.render_line(y).text for y in range(widget.size.height))


@pytest.fixture
def monitor(monkeypatch: pytest.MonkeyPatch) -> Monitor:
    monkeypatch.setattr("textual.screen.UPDATE_PERIOD", PERIOD)
    return Monitor()
