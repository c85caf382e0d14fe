"""Laws of the ring: it equals the tail of a list, whatever comes, however it is cut."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tuistream.core.series import Series

ticks = st.lists(st.tuples(st.integers(0, 10_000), st.floats(allow_nan=False, width=32)), max_size=300)


@given(
    ticks=ticks,
    cuts=st.lists(st.integers(1, 60), min_size=1, max_size=50),
    window=st.integers(2, 40),
    sort=st.booleans(),
)
def test_ring_equals_the_tail_of_a_sorted_list(
    ticks: list[tuple[int, float]], cuts: list[int], window: int, sort: bool
) -> None:
    if sort:
        ticks = sorted(ticks, key=lambda tick: tick[0])
    series = Series(("v",), window)
    model: list[tuple[int, float]] = []
    at = turn = 0
    while at < len(ticks):
        part = ticks[at : at + cuts[turn % len(cuts)]]
        at, turn = at + len(part), turn + 1
        before = series.version
        series.extend(np.array([t for t, _ in part], dtype=np.int64), np.array([[v] for _, v in part]))
        assert series.version > before
        model = sorted(model + part, key=lambda tick: tick[0])[-window:]
        assert series.t.tolist() == [t for t, _ in model]
        assert series.column("v").tolist() == [v for _, v in model]
    assert series.total == len(ticks)
    if sort:
        assert series.history == 0


def test_new_field_is_nan_before_it_came() -> None:
    series = Series(("a",), 10)
    series.extend(np.array([1]), np.array([[1.0]]))
    series.add_fields(("a", "b"))
    series.extend(np.array([2]), np.array([[2.0, 3.0]]))
    assert series.column("a").tolist() == [1.0, 2.0]
    assert np.isnan(series.column("b")[0])
    assert series.column("b")[1] == 3.0


def test_between_reaches_one_tick_over_either_edge() -> None:
    series = Series(("a",), 10)
    series.extend(np.arange(10, dtype=np.int64), np.arange(10.0).reshape(-1, 1))
    assert series.between(3, 5) == slice(2, 7)
    assert series.between(-5, 100) == slice(0, 10)


@given(window=st.integers(2, 50), smaller=st.integers(2, 50), count=st.integers(0, 200))
def test_shrink_keeps_the_newest(window: int, smaller: int, count: int) -> None:
    series = Series(("a",), window)
    for i in range(count):
        series.extend(np.array([i]), np.array([[float(i)]]))
    series.shrink(min(window, smaller))
    for i in range(count, count + 5):
        series.extend(np.array([i]), np.array([[float(i)]]))
    expected = list(range(count + 5))[-min(window, smaller) :]
    assert series.t.tolist()[-5:] == expected[-5:]
    assert len(series) <= min(window, smaller)


def test_storage_is_at_most_twice_the_window() -> None:
    series = Series(("a",), 5000)
    for i in range(100):
        t = np.arange(i * 997, (i + 1) * 997, dtype=np.int64)
        series.extend(t, t.astype(float).reshape(-1, 1))
        assert series.nbytes <= 2 * 5000 * 16
    assert len(series) == 5000
