"""What the screen shows of ticks that have left memory, read back from the recording."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from tests.store.rolled import write
from tests.ui.conftest import SECOND, START, Monitor
from tuistream.charts.kinds.contract import Ticks
from tuistream.charts.ohlc import WIDTHS, candles_of, width_for
from tuistream.charts.raster import rasterise
from tuistream.core.batch import Batch, Stream
from tuistream.core.session import Session, StreamState
from tuistream.core.status import Event, FeedStatus
from tuistream.store.asking import HistoryReader
from tuistream.store.history import History, Wanted
from tuistream.store.segments import files_of, segment_path
from tuistream.store.thinning import thin
from tuistream.ui.chart import Chart
from tuistream.ui.content import of_chart, part_words
from tuistream.ui.stream_plot import StreamPlot
from tuistream.ui.view import HOUR, MINUTE, Range, View

BTC = Stream("binance", "BTC", "trade", ("price", "qty"))
COLUMNS, ROWS = 100, 20


def walk(count: int, end: int = START, step: int = SECOND) -> Batch:
    """A random walk of `count` ticks about `step` ns apart, a tenth of them at the time of the one before."""
    chance = np.random.default_rng(count)
    steps = chance.integers(1, 2 * step, count) * (chance.random(count) > 0.1)
    t = end - np.append(np.cumsum(steps[:0:-1])[::-1], 0)
    v = 100 + np.cumsum(chance.normal(size=(count, 2)), axis=0)
    return Batch(BTC, t.astype(np.int64), t + 1_000, v)


def gap(since: int, to: int) -> Event:
    return Event(to, "binance", "gap", "gap", BTC.key, {"from": since, "to": to, "reason": "test"})


@pytest.fixture
def readers() -> Iterator[Callable[[Path, int], HistoryReader]]:
    made = []

    def make(path: Path, raw: int = 30_000) -> HistoryReader:
        made.append(HistoryReader(lambda: History(lambda: [path], raw)))
        return made[-1]

    yield make
    for reader in made:
        reader.close()


def state_of(batch: Batch, window: int) -> StreamState:
    session = Session(window=window)
    feed = session.add_feed(FeedStatus("binance"))
    for start in range(0, len(batch), 50):
        session.ingest(feed, [batch.take(slice(start, start + 50))])
    return session.streams[BTC.key]


async def recalled(chart: Chart, view: View, edge: int, dots: int = 2) -> list[tuple[str, list[str]]]:
    """The name and the drawing of each line, once all is read; again where the window depends on what was read."""
    series = chart.state.series
    while True:
        window = view.window(series.t, edge, COLUMNS, oldest=chart.past.first)
        came = asyncio.Event()
        version = chart.past.version
        chart.recall(window, window.width // dots, came.set)
        if not chart.past.reading:
            break
        await asyncio.wait_for(came.wait(), 10)
        assert chart.past.version == version + 1
    drawing = chart.drawing(window, COLUMNS, ROWS, edge, None)
    names = [name for name, _ink in drawing.legend]
    cells = [rasterise([line], drawing.viewport, COLUMNS, ROWS).rows() for line in drawing.lines]
    return list(zip(names, cells, strict=True))


VIEWS = (
    View(Range("all")),
    View(Range("1h", HOUR)),
    View(Range("1m", MINUTE), centre=START - 20 * MINUTE, held=MINUTE),
    View(Range("45m", 45 * MINUTE), centre=START - 40 * MINUTE, held=45 * MINUTE),
    View(Range("3h", 3 * HOUR)),
)


@pytest.mark.parametrize("raw", [30_000, 100])
async def test_lines_of_memory_and_recording_are_those_of_all_ticks(
    raw: int, tmp_path: Path, readers: Callable[[Path, int], HistoryReader]
) -> None:
    batch = walk(5_000)
    path = tmp_path / "a.db"
    gaps = [gap(int(batch.t[1_000]), int(batch.t[1_001])), gap(int(batch.t[3_000]) + 1, int(batch.t[3_000]) + 2)]
    # The newest ticks are not written yet.
    write(path, [gaps, *([batch.take(slice(start, start + 100))] for start in range(0, 4_900, 100))])
    everything = state_of(batch, 100_000)
    everything.gaps.extend(state_gap for state_gap in (History(lambda: [path])).window(all_of(batch)).gaps)
    reader = readers(path, raw)
    names = set()
    for view in VIEWS:
        some = Chart(state_of(batch, 500), (15,), None, reader)
        whole = Chart(everything, (15,))
        found, expected = await recalled(some, view, START), await recalled(whole, view, START)
        assert found[0] == expected[0]
        names.add(found[1][0])
        if found[1][0] == "sma 15":
            assert found[1] == expected[1]
    assert ("≈ sma 15" in names) == (raw == 100)


@pytest.mark.parametrize("raw", [30_000, 100])
async def test_candles_of_memory_and_recording_are_those_of_all_ticks(
    raw: int, tmp_path: Path, readers: Callable[[Path, int], HistoryReader]
) -> None:
    batch = walk(5_000)
    path = tmp_path / "a.db"
    write(path, [[batch.take(slice(start, start + 100))] for start in range(0, 4_900, 100)])
    chart = Chart(state_of(batch, 500), (), None, readers(path, raw))
    series = chart.state.series
    view = View(Range("1h", HOUR))
    await recalled(chart, view, START)
    window = view.window(series.t, START, COLUMNS, oldest=chart.past.first)
    content = of_chart(chart, window, START)
    assert isinstance(content, Ticks)
    assert content.every == (raw == 30_000)
    assert len(content.t) > len(series)
    width = 5 * window.width
    found = candles_of(content.t, content.columns["price"], width)
    first = -(-window.t0 // width) * width
    inside = batch.t >= first
    wanted = candles_of(batch.t[inside], batch.v[inside, 0], width)
    found = found.since(int(np.searchsorted(found.t, first)))
    for name in ("t", "open", "high", "low", "close"):
        assert np.array_equal(getattr(found, name), getattr(wanted, name))


@pytest.mark.parametrize("candle", WIDTHS)
async def test_candles_of_any_length_are_those_of_all_ticks(
    candle: int, tmp_path: Path, readers: Callable[[Path, int], HistoryReader]
) -> None:
    batch = walk(3_000, step=2 * SECOND)
    write(tmp_path / "a.db", [[batch.take(slice(start, start + 100))] for start in range(0, 2_900, 100)])
    chart = Chart(state_of(batch, 300), (), None, readers(tmp_path / "a.db", 100))
    chart.choices = replace(chart.choices, kind="candles", candle=candle)
    for view in (View(Range("all")), View(Range("15m", 15 * MINUTE), centre=START - HOUR, held=15 * MINUTE)):
        await recalled(chart, view, START, dots=1)
        window = view.window(chart.state.series.t, START, COLUMNS, oldest=chart.past.first)
        content = of_chart(chart, window, START)
        assert isinstance(content, Ticks)
        assert not content.every
        width = max(candle, width_for(window.t1 - window.t0, COLUMNS, 1))
        inside = (batch.t >= content.t[0]) & (batch.t <= content.t[-1])
        found = candles_of(content.t, content.columns["price"], width)
        wanted = candles_of(batch.t[inside], batch.v[inside, 0], width)
        assert len(found.t) > 1 or candle > HOUR
        for name in ("t", "open", "high", "low", "close"):
            assert np.array_equal(getattr(found, name), getattr(wanted, name))


@pytest.mark.parametrize("kind", ["histogram", "spectrum"])
@pytest.mark.parametrize("raw", [30_000, 100])
async def test_what_counts_ticks_counts_those_in_memory_where_there_are_too_many(
    kind: str, raw: int, tmp_path: Path, readers: Callable[[Path, int], HistoryReader]
) -> None:
    batch = walk(3_000)
    write(tmp_path / "a.db", [[batch.take(slice(start, start + 100))] for start in range(0, 2_900, 100)])
    chart = Chart(state_of(batch, 300), (), None, readers(tmp_path / "a.db", raw))
    chart.choices = replace(chart.choices, kind=kind)
    series = chart.state.series
    view = View(Range("1h", HOUR))
    await recalled(chart, view, START)
    window = view.window(series.t, START, COLUMNS, oldest=chart.past.first)
    content = of_chart(chart, window, START)
    assert isinstance(content, Ticks)
    inside = batch.t >= (series.t[0] if raw == 100 else window.t0)
    known = content.t >= window.t0
    assert np.array_equal(content.columns["price"][known], batch.v[inside, 0])
    assert content.every
    assert part_words(chart, window) == ("of the ticks in memory" if raw == 100 else "")
    back = View(Range("1m", 5 * MINUTE), centre=START - 40 * MINUTE, held=5 * MINUTE)
    await recalled(chart, back, START)
    window = back.window(series.t, START, COLUMNS, oldest=chart.past.first)
    content = of_chart(chart, window, START)
    assert isinstance(content, Ticks)
    assert part_words(chart, window) == ""
    assert content.every == (raw == 30_000)  # points of the recording, which are not counted


def all_of(batch: Batch) -> Wanted:
    return Wanted(BTC.key, ("price",), int(batch.t[0]), int(batch.t[-1]) + 1, SECOND)


async def test_keys_go_back_to_the_oldest_recorded_tick(
    monitor: Monitor, tmp_path: Path, readers: Callable[[Path], HistoryReader]
) -> None:
    batch = walk(2_000)
    write(tmp_path / "a.db", [[batch]])
    monitor.session.window = 100
    monitor.session.ingest(monitor.feed, [batch])
    monitor.reader = readers(tmp_path / "a.db")
    async with monitor.running():
        await monitor.press("home")
        assert "behind 29 m" in monitor.edge
        assert "⠉" in monitor.plot or "⠒" in monitor.plot or "⡇" in monitor.plot
        await monitor.press("left")
        assert "nothing older is recorded" in monitor.status
        await monitor.press("f", "right_square_bracket")
        for _ in range(9):
            await monitor.press("right_square_bracket")
        assert " all " in monitor.title
        edge = monitor.grid.panel.query_one(StreamPlot).canvas_size[0]
        filled = {x for line in monitor.plot.splitlines()[:20] for x, char in enumerate(line[:edge]) if char != " "}
        assert len(filled) > edge // 2  # a twentieth of it is in memory
        await monitor.press("minus")
        assert "all that is recorded is shown" in monitor.status


async def test_minutes_that_stand_for_removed_ticks_are_shown_and_said_to_be_so(
    monitor: Monitor, tmp_path: Path
) -> None:
    batch = walk(2_000)
    old = segment_path(tmp_path / "a.db", START - HOUR)
    write(old, [[batch.take(slice(0, 1_500))]])
    new = segment_path(tmp_path / "a.db", START - 10 * MINUTE)
    write(new, [[batch.take(slice(1_500, None))]])
    thin([old], START)
    monitor.session.window = 100
    monitor.session.ingest(monitor.feed, [batch])
    monitor.reader = HistoryReader(lambda: History(lambda: files_of([tmp_path / "a.db"])))
    try:
        async with monitor.running():
            await monitor.settle()
            assert "by the minute" not in monitor.edge
            await monitor.press("home")
            assert "in part by the minute" in monitor.edge
            assert "⡇" in monitor.plot or "⢸" in monitor.plot or "⠒" in monitor.plot
            await monitor.press("v")
            assert "≈ " in monitor.screen
            await monitor.press("v", "f")
            assert "by the minute" not in monitor.edge
    finally:
        monitor.reader.close()


async def test_a_recording_that_cannot_be_read_is_said_and_live_goes_on(
    monitor: Monitor, tmp_path: Path, readers: Callable[[Path], HistoryReader]
) -> None:
    batch = walk(2_000)
    monitor.session.window = 100
    monitor.session.ingest(monitor.feed, [batch])
    monitor.reader = readers(tmp_path / "removed.db")
    async with monitor.running():
        await monitor.settle()
        assert "live" in monitor.edge  # memory has all of it
        await monitor.press("right_square_bracket", "right_square_bracket", "right_square_bracket")
        assert "no history: removed.db: no such file" in monitor.edge
        monitor.feed_ticks("BTC", [[1234.5, 1]], end=monitor.now)
        await monitor.settle(SECOND)
        assert "1,234.5" in monitor.title


async def test_of_each_asker_only_the_newest_question_is_answered(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    write(path, [[walk(20)]])
    go_on = threading.Event()

    def files() -> list[Path]:
        go_on.wait(10)
        return [path]

    reader = HistoryReader(lambda: History(files))
    answers: list[object] = []
    done = asyncio.Event()
    wanted = Wanted(BTC.key, ("price",), START - HOUR, START, SECOND)
    try:
        for number in range(50):
            reader.ask("panel", wanted._replace(run_up=number), lambda answer, number=number: answers.append(number))  # type: ignore[misc]
        reader.ask("other", wanted, lambda _answer: done.set())
        go_on.set()
        await asyncio.wait_for(done.wait(), 10)
    finally:
        reader.close()
    assert answers == [49]


async def test_a_stream_that_was_recorded_earlier_shows_its_last_window_until_a_tick_comes(
    monitor: Monitor, tmp_path: Path, readers: Callable[[Path], HistoryReader]
) -> None:
    batch = walk(3_000, START - 2 * HOUR, SECOND // 20)
    write(tmp_path / "a.db", [[batch]])
    monitor.reader = readers(tmp_path / "a.db")
    for newest in await monitor.reader.newest(200, lambda _key: True):
        monitor.session.recall(newest.stream, newest.t, newest.v, newest.recv)
    async with monitor.running():
        await monitor.settle(SECOND)
        assert "as of 09:00:00" in monitor.edge
        columns = monitor.grid.panel.query_one(StreamPlot).canvas_size[0]
        drawn = {x for line in monitor.plot.splitlines()[:20] for x, char in enumerate(line[:columns]) if char != " "}
        assert len(drawn) > columns - 8  # a minute, of which memory has a sixth
        monitor.feed_ticks("BTC", [[1234.5, 1]], end=monitor.now)
        await monitor.settle(SECOND)
        assert "as of" not in monitor.edge
        assert "1,234.5" in monitor.title
