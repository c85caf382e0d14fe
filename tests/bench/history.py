"""`python -m tests.bench.history`: a recording as large as one likes, and how soon any window of it is drawn.

A window is read and drawn as a panel of 200 x 50 does it: asked of the reader's thread, joined, averaged, rasterised.
Beside the time that passes there is the processor's, for a machine that has other work.
On a sample its price line is compared, cell by cell, with what all its ticks draw.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from tuistream.charts.panel import Axes, Frame, compose, layout_for
from tuistream.charts.polyline import Line
from tuistream.charts.raster import rasterise
from tuistream.core.batch import Batch, Stream, Times
from tuistream.core.session import Session, StreamState
from tuistream.core.status import Event
from tuistream.store import catalog
from tuistream.store.append import append
from tuistream.store.asking import HistoryReader
from tuistream.store.flush import prepare
from tuistream.store.history import RECALLED, History
from tuistream.store.opening import open_for_reading, open_for_writing
from tuistream.store.rolling import Rolling
from tuistream.ui.chart import Chart, Drawing
from tuistream.ui.view import SECOND, Range, View

STREAMS = 50
RATE = 10.0  # ticks/s of a stream, about
SLICE = 40 * SECOND  # one flush: 20,000 ticks
START = 1_795_000_000 * SECOND
GAP_EVERY = 500  # slices
WINDOWS = 1_000
SAMPLE = 50  # windows compared with brute force
MOST_COMPARED = 3_000_000  # ticks that brute force is asked to read
SIZE = 200, 48
SHOWN = (0.5, 0.99)


def flushes(ticks: int) -> Iterator[list[Batch | Event]]:
    """Random walks with bursts, in which a minute may have many times the ticks of the next, and with outages."""
    chance = np.random.default_rng(1)
    streams = [Stream("bench", f"S{number:02}", "trade", ("price", "qty")) for number in range(STREAMS)]
    prices = chance.uniform(10, 60_000, STREAMS)
    t, made, number = START, 0, 0
    while made < ticks:
        items: list[Batch | Event] = []
        rates = RATE * np.exp(chance.normal(-0.32, 0.8, STREAMS))
        for place, count in enumerate(np.maximum(1, chance.poisson(rates * (SLICE / SECOND))).tolist()):
            at = t + np.sort(chance.integers(0, SLICE, count))
            steps = chance.normal(0, prices[place] * 2e-5, count)
            price = np.round(np.abs(prices[place] + np.cumsum(steps)), 2)
            prices[place] = price[-1]
            items.append(Batch(streams[place], at, at + 30_000_000, np.stack((price, chance.random(count)), axis=1)))
            made += count
        number += 1
        t += SLICE
        if number % GAP_EVERY == 0:
            until = t + int(chance.integers(60, 900)) * SECOND
            details: dict[str, int | float | str | None] = {"from": t - SECOND, "to": until, "reason": "outage"}
            items += [Event(until, "bench", "gap", "gap", stream.key, dict(details)) for stream in streams]
            t = until
        yield items


def make(path: Path, ticks: int) -> None:
    """Write the recording as a recorder does, but for the pace."""
    connection = open_for_writing(path)
    known, rolling = catalog.load(connection), Rolling.begin()
    for items in flushes(ticks):
        flush = prepare(items, known, START)
        connection.execute("BEGIN IMMEDIATE")
        rolling = append(flush, connection, rolling)
        connection.execute("COMMIT")
        known = flush.catalog
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def views(first: int, last: int, count: int) -> Iterator[View]:
    """Windows of from 1 s to all, as many of each order of magnitude, anywhere."""
    chance = np.random.default_rng(2)
    for _ in range(count):
        span = int(SECOND * ((last - first) / SECOND) ** chance.random())
        centre = int(chance.integers(first, last))
        yield View(Range("bench", span), centre=min(centre, last - span // 2), held=span)


class Bench:
    """One panel that looks at streams of the recording."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.layout = layout_for(*SIZE, 9)
        self._reader = HistoryReader(lambda: History(lambda: [path]))
        self._axes = Axes()
        self.states: list[StreamState] = []

    async def open(self) -> None:
        session = Session()
        for newest in await self._reader.newest(RECALLED, lambda _key: True):
            session.recall(newest.stream, newest.t, newest.v, newest.recv, newest.gaps)
        self.states = list(session.streams.values())

    def close(self) -> None:
        self._reader.close()

    async def draw(self, chart: Chart, view: View) -> tuple[Drawing, float, float]:
        """The drawing of a window, the seconds from the key to the finished cells, and those of the processor."""
        began, busy = time.perf_counter(), time.process_time()
        series = chart.state.series
        columns, rows, edge = self.layout.columns, self.layout.rows, int(series.t[-1])
        window = view.window(series.t, edge, columns, oldest=chart.past.first)
        came = asyncio.Event()
        chart.recall(window, window.width // 2, came.set)
        if chart.past.reading:
            await came.wait()
        drawing = chart.drawing(window, columns, rows, edge, None)
        self._compose(drawing)
        return drawing, time.perf_counter() - began, time.process_time() - busy

    def _compose(self, drawing: Drawing) -> Frame:
        gaps = [(gap.since, gap.to) for gap in drawing.gaps]
        parts = drawing.lines, drawing.viewport, drawing.value_ticks, drawing.time_ticks
        return compose(self.layout, self._axes, "braille", *parts, None, gaps)

    def same(self, chart: Chart, drawing: Drawing) -> bool | None:
        """Whether all ticks draw the same price line; None where there are too many to read."""
        found = _all_ticks(self.path, chart.state.stream.name, drawing.window.t0, drawing.window.t1)
        if found is None:
            return None
        line = drawing.lines[0]
        cells = [
            rasterise([each], drawing.viewport, self.layout.columns, self.layout.rows).chars
            for each in (line, Line(*found, line.gaps))
        ]
        return bool((cells[0] == cells[1]).all())


def _all_ticks(
    path: Path, name: str, t0: int, t1: int
) -> tuple[Times, np.ndarray[tuple[int], np.dtype[np.float64]]] | None:
    """Every tick of a window and a slice around it; None where there are more than `MOST_COMPARED`."""
    connection = open_for_reading(path)
    try:
        where = "FROM blocks AS b JOIN streams AS s ON s.id = b.stream WHERE s.name = ? AND b.t0 <= ? AND b.t1 >= ?"
        asked = (name, t1 + 2 * SLICE, t0 - 2 * SLICE)
        (count,) = connection.execute(f"SELECT sum(r1 - r0 + 1) {where}", asked).fetchone()
        if count is None or count > MOST_COMPARED:
            return None
        sql = f"SELECT k.t, k.v0 FROM (SELECT r0, r1 {where}) AS w CROSS JOIN ticks AS k ON k.n BETWEEN w.r0 AND w.r1"
        rows = np.array(connection.execute(sql, asked).fetchall(), dtype=np.object_)
    finally:
        connection.close()
    t = rows[:, 0].astype(np.int64)
    order = np.argsort(t, kind="stable")
    return t[order], rows[order, 1].astype(np.float64)


async def measure(path: Path, windows: int) -> None:
    bench = Bench(path)
    try:
        await bench.open()
        chance = np.random.default_rng(3)
        began = [Chart(state, (15,), None, bench._reader) for state in bench.states]
        last = int(bench.states[0].series.t[-1])
        taken: list[tuple[int, float, float]] = []
        compared: list[bool] = []
        for number, view in enumerate(views(START, last, windows)):
            chart = began[int(chance.integers(len(began)))]
            chart.rescale()
            drawing, seconds, busy = await bench.draw(chart, view)
            taken.append((drawing.window.span, seconds, busy))
            if number % max(1, windows // SAMPLE) == 0 and (same := bench.same(chart, drawing)) is not None:
                compared.append(same)
        report(taken, compared)
    finally:
        bench.close()


def report(taken: Sequence[tuple[int, float, float]], compared: Sequence[bool]) -> None:
    print(f"{'window':>16} {'drawn':>6} {'p50 ms':>8} {'p99 ms':>8} {'most ms':>8} {'CPU p50':>8} {'CPU p99':>8}")
    spans = np.array([span for span, *_ in taken]) / SECOND
    times = np.array([seconds for _, *seconds in taken]) * 1e3
    steps = (1, 10, 100, 1_000, 10_000, 100_000, np.inf)
    for least, most in pairwise(steps):
        part = times[(spans >= least) & (spans < most)]
        if len(part):
            _row(f"{least:,} to {most:,.0f} s", part)
    _row("all", times)
    print(f"the same cells as all ticks: {sum(compared)} of {len(compared)} windows compared")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << (20 if sys.platform == "darwin" else 10))
    print(f"peak memory of the process that reads: {peak:,.0f} MB")


def _row(name: str, times: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> None:
    """times: ms, [windows, 2], what passed and what the processor did."""
    (p50, busy_p50), (p99, busy_p99) = np.quantile(times, SHOWN, axis=0)
    figures = (p50, p99, times[:, 0].max(), busy_p50, busy_p99)
    print(f"{name:>16} {len(times):>6} " + " ".join(f"{figure:>8.1f}" for figure in figures))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.history")
    parser.add_argument("--ticks", type=int, default=5_000_000)
    parser.add_argument("--windows", type=int, default=WINDOWS)
    parser.add_argument("--dir", type=Path, help="keep the recording here, and use the one that is there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = (given.dir or Path(folder)) / f"history-{given.ticks}.db"
        if not path.exists():
            began = time.perf_counter()
            maker = multiprocessing.get_context("spawn").Process(target=make, args=(path, given.ticks))
            maker.start()
            maker.join()
            seconds = time.perf_counter() - began
            rate = given.ticks / seconds
            print(f"{given.ticks:,} ticks of {STREAMS} streams made in {seconds:,.1f} s, {rate:,.0f} ticks/s")
        size = path.stat().st_size
        print(f"{size / 1e6:,.1f} MB, {size / given.ticks:.1f} bytes a tick")
        asyncio.run(measure(path, given.windows))


if __name__ == "__main__":
    main()
