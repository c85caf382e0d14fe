"""A window read from a recording draws what all ticks of the recording would draw."""

from __future__ import annotations

import itertools
import sqlite3
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.store.recorded import T0, TRADES, ticks
from tests.store.rolled import write
from tuistream.charts.polyline import Line
from tuistream.charts.raster import Viewport, rasterise
from tuistream.core.batch import Batch
from tuistream.core.errors import Interrupted, RecordingError
from tuistream.core.session import Gap
from tuistream.core.status import Event
from tuistream.store import windows
from tuistream.store.history import History, Wanted

SECOND = 1_000_000_000
STEPS = (SECOND // 2, SECOND, 2 * SECOND, 7_500_000_000, 30 * SECOND, 90 * SECOND)
BEGIN = T0 // (60 * SECOND) * 60 * SECOND


def batch(t: np.ndarray, price: np.ndarray, whole: bool = True) -> Batch:
    t = t.astype(np.int64)
    return Batch(TRADES, t, t + 500, np.stack((price, quantity(price, whole)), axis=1), None)


def quantity(price: np.ndarray, whole: bool) -> np.ndarray:
    """The other field's values. Where not all are there, others are missing than those of `price`."""
    return 100 - price if whole else np.where(np.isnan(price), 20.0, np.where(price < 30, np.nan, 100 - price))


def gap(since: int, to: int) -> Event:
    return Event(to, "feed", "gap", "gap", TRADES.key, {"from": since, "to": to, "reason": "test"})


def drawn(t: np.ndarray, v: np.ndarray, gaps: tuple[Gap, ...], wanted: Wanted, lo: float, hi: float) -> list[str]:
    line = Line(t, v, tuple((each.since, each.to) for each in gaps))
    columns = (wanted.t1 - wanted.t0) // wanted.step
    viewport = Viewport(wanted.t0, wanted.t0 + columns * wanted.step, lo, hi)
    return rasterise([line], viewport, -(-columns // 2), 12).rows()


@st.composite
def recordings(draw: st.DrawFn) -> tuple[list[list[Batch | Event]], list[tuple[int, float]], list[tuple[int, int]]]:
    """Flushes; all their ticks as they came; gaps. Times cluster, come late, and repeat."""
    seconds = draw(st.lists(st.integers(0, 300), min_size=1, max_size=12))
    rows: list[tuple[int, float]] = []
    for second in seconds:
        count = draw(st.integers(1, 12))
        base = BEGIN + second * SECOND
        offsets = draw(st.lists(st.integers(0, 2 * SECOND), min_size=count, max_size=count))
        offsets = offsets if draw(st.booleans()) else sorted(offsets)
        values = draw(
            st.lists(
                st.one_of(st.floats(0, 100), st.sampled_from([50.0, float("nan")])), min_size=count, max_size=count
            )
        )
        rows += [(base + offset // 1000 * 1000, value) for offset, value in zip(offsets, values, strict=True)]
    cuts = sorted(draw(st.sets(st.integers(0, len(rows)), max_size=5)) | {0, len(rows)})
    gaps = [
        (BEGIN + since * SECOND // 4, BEGIN + (since + length) * SECOND // 4)
        for since, length in draw(st.lists(st.tuples(st.integers(0, 1200), st.integers(1, 80)), max_size=3))
    ]
    flushes: list[list[Batch | Event]] = []
    whole = not np.isnan([value for _t, value in rows]).any()
    for first, stop in itertools.pairwise(cuts):
        if stop > first:
            t, v = zip(*rows[first:stop], strict=True)
            flushes.append([batch(np.array(t), np.array(v), whole)])
    flushes[0] += [gap(*each) for each in gaps]
    return flushes, rows, gaps


@settings(max_examples=20, deadline=None, phases=(Phase.explicit, Phase.generate, Phase.shrink))
@given(recordings(), st.booleans(), st.integers(0, 6), st.integers(-20, 40))
def test_any_window_draws_what_all_ticks_would(
    recording: tuple[list[list[Batch | Event]], list[tuple[int, float]], list[tuple[int, int]]],
    rolled: bool,
    split: int,
    place: int,
) -> None:
    flushes, rows, gaps = recording
    whole = all(value == value for _t, value in rows)  # what has no value cuts only what is read together
    split = split if whole else 0
    order = sorted(range(len(rows)), key=lambda row: rows[row][0])
    t = np.array([rows[row][0] for row in order], dtype=np.int64)
    price = np.array([rows[row][1] for row in order])
    fields = {"price": price, "qty": quantity(price, whole)}
    all_gaps = tuple(Gap(since, to, "test") for since, to in sorted(gaps))
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        paths = [Path(folder) / "a.db", Path(folder) / "b.db"]
        parts = [part for part in (flushes[:split], flushes[split:]) if part]
        for path, part in zip(paths, parts, strict=False):
            write(path, part, (0.0, 0.0) if rolled else (1e9, 1e9))
        for raw, at_once, block in ((0, 3, 2), (0, 100_000, 32), (20, 100_000, 32)):
            patch.setattr(windows, "TICKS_AT_ONCE", at_once if whole else 100_000)
            patch.setattr(windows, "BLOCK_TICKS", block)
            with History(lambda: paths[: len(parts)], raw) as history:
                for step in STEPS:
                    t0 = BEGIN + place * step
                    wanted = Wanted(TRADES.key, tuple(fields), t0, t0 + 40 * step + 1, step)
                    window = history.window(wanted)
                    for name, v in fields.items():
                        inside = v[(t >= wanted.t0) & (t < wanted.t1) & np.isfinite(v)]
                        lo, hi = (float(inside.min()) - 1, float(inside.max()) + 1) if len(inside) else (0.0, 1.0)
                        found = window.lines[name]
                        assert (np.diff(found.t) >= 0).all()
                        assert drawn(*found, window.gaps, wanted, lo, hi) == drawn(t, v, all_gaps, wanted, lo, hi)


def test_blocks_within_a_column_draw_what_their_ticks_would(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    chance = np.random.default_rng(1)
    t = T0 + np.arange(2_000) * 1_000_000
    t[100:150] = t[100:150][::-1]  # blocks of 50: one that comes backwards,
    t[249:251] = t[251]  # two in one time, which meet there,
    t[410] = t[700]  # one that reaches over others,
    v = chance.random(2_000)
    v[1_234] = np.nan  # and one with a tick that has no value
    write(path, [[batch(t[first : first + 50], v[first : first + 50], False)] for first in range(0, 2_000, 50)])
    order = np.argsort(t, kind="stable")
    with History(lambda: [path], 0) as history:
        for step in (SECOND // 10, SECOND // 4):
            wanted = Wanted(TRADES.key, ("price",), T0, T0 + 2 * SECOND + 1, step)
            found = history.window(wanted).lines["price"]
            assert drawn(*found, (), wanted, 0.0, 1.0) == drawn(t[order], v[order], (), wanted, 0.0, 1.0)


def test_a_field_that_older_ticks_have_not_is_open_there(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    write(path, [[ticks(count=10)]])
    with History(lambda: [path], 0) as history:
        window = history.window(Wanted(TRADES.key, ("price", "new"), T0, T0 + SECOND, SECOND // 100))
    assert np.isnan(window.lines["new"].v).all()
    assert len(window.lines["new"].t)


def test_raw_windows_have_the_run_up_and_one_tick_beyond(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    write(path, [[ticks(first=first, count=10)] for first in range(0, 100, 10)])
    ms = 1_000_000
    with History(lambda: [path]) as history:
        window = history.window(Wanted(TRADES.key, ("price",), T0 + 50 * ms, T0 + 60 * ms, ms, run_up=14))
        assert history.oldest(TRADES.key) == T0
    assert window.raw
    assert window.lines["price"].v.tolist() == list(range(36, 61))


def test_the_newest_of_each_stream_over_files(tmp_path: Path) -> None:
    paths = [tmp_path / "a.db", tmp_path / "b.db"]
    write(paths[0], [[ticks(count=10)]])
    write(paths[1], [[ticks(first=10, count=3)]])
    with History(lambda: paths) as history:
        (found,) = history.newest(5, lambda _key: True)
        assert not history.newest(5, lambda _key: False)
    assert found.v[:, 0].tolist() == [8, 9, 10, 11, 12]
    assert found.recv == T0 + 12_000_500
    assert found.earlier


def test_new_rows_streams_and_gaps_are_seen_while_others_write(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    write(path, [[ticks(count=5)]])
    wanted = Wanted(TRADES.key, ("price",), T0, T0 + SECOND, SECOND // 100)
    with History(lambda: [path]) as history:
        assert len(history.window(wanted).lines["price"].t) == 5
        # A late tick makes a block that reaches over all others.
        write(path, [[batch(np.array([T0 - 500, T0 + SECOND // 2]), np.array([1.0, 2.0])), gap(T0, T0 + 9)]])
        window = history.window(wanted)
    assert len(window.lines["price"].t) == 7
    assert window.gaps == (Gap(T0, T0 + 9, "test"),)


def test_a_file_that_was_removed_is_told_and_another_in_its_place_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    write(path, [[ticks(count=5)]])
    wanted = Wanted(TRADES.key, ("price",), T0, T0 + SECOND, SECOND // 100)
    with History(lambda: [path]) as history:
        history.window(wanted)
        path.unlink()
        with pytest.raises(RecordingError, match=r"a\.db: No such file"):
            history.window(wanted)
        write(path, [[ticks(count=2)]])
        assert len(history.window(wanted).lines["price"].t) == 2


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    write(path, [[ticks(count=20_000)]])
    pages = path.stat().st_size // 4096
    with path.open("r+b") as file:
        for page in range(pages // 2, pages):
            file.seek(page * 4096)
            file.write(b"\xff" * 4096)
    wanted = Wanted(TRADES.key, ("price",), T0, T0 + 100 * SECOND, SECOND)
    with History(lambda: [path]) as history, pytest.raises(RecordingError, match=r"cannot read .*a\.db"):
        history.window(wanted)


def test_reading_can_be_interrupted_and_goes_on_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    write(path, [[ticks(count=50_000)]])
    wanted = Wanted(TRADES.key, ("price",), T0, T0 + 100 * SECOND, SECOND)
    stopped = threading.Event()
    with History(lambda: [path], 0) as history:

        def interrupt() -> None:
            while not stopped.is_set():
                history.interrupt()

        thread = threading.Thread(target=interrupt)
        thread.start()
        try:
            with pytest.raises(Interrupted):
                for _ in range(100):
                    history.window(wanted)
        finally:
            stopped.set()
            thread.join()
        assert len(history.window(wanted).lines["price"].t)


def test_a_writer_feels_nothing_and_can_write_its_log_back(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    write(path, [[ticks(count=5)]])
    wanted = Wanted(TRADES.key, ("price",), T0, T0 + SECOND, SECOND // 100)
    with History(lambda: [path]) as history:
        history.window(wanted)
        writer = sqlite3.connect(path, isolation_level=None, timeout=0)
        try:
            writer.execute("BEGIN EXCLUSIVE")
            writer.execute("INSERT INTO ticks (stream, t, recv) VALUES (1, 1, 1)")
            history.window(wanted)
            writer.execute("COMMIT")
            ((busy, log, done),) = writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            writer.close()
    assert (busy, log, done) == (0, 0, 0)
