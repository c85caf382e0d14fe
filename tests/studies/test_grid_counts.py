from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tuistream.studies.grid_counts import MOST_CELLS, GridCounts

place = st.one_of(st.integers(-3, 12).map(float), st.sampled_from([np.nan, np.inf, -np.inf, 1e300]))


@given(st.lists(st.tuples(place, place), max_size=50), st.integers(0, 50))
def test_every_cell_is_counted_and_what_has_none_too(places: list[tuple[float, float]], cut: int) -> None:
    counts = GridCounts(columns=7, rows=9)
    for part in (places[:cut], places[cut:]):
        counts.extend(np.array([row for row, _ in part], float), np.array([column for _, column in part], float))
    inside = Counter((row, column) for row, column in places if 0 <= row < 9 and 0 <= column < 7)
    assert counts.v.shape == (9, 7)
    assert counts.v.sum() + counts.outside == len(places)
    assert all(counts.v[int(row), int(column)] == count for (row, column), count in inside.items())


def test_a_grid_that_is_too_large_is_folded() -> None:
    for columns, rows in ((1_000_000, 1_000_000), (1_000_000, 1), (1, 1_000_000), (512, 513), (1920, 1080)):
        counts = GridCounts(columns, rows)
        assert counts.v.size <= MOST_CELLS
        counts.extend(np.array([0.0, rows - 1, rows]), np.array([0.0, columns - 1, 0]))
        assert counts.v.sum() == 2
        assert counts.outside == 1
        down, across = counts.labels()
        assert [len(down), len(across)] == ([*counts.v.shape] if counts.fold > 1 else [0, 0])
