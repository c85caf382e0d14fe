"""Tiles fill the space without holes, and neighbours lie where the keys say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tuistream.ui.tiles import LEAST_WIDTH, capacity, neighbour, tiles


@given(st.integers(1, 12), st.integers(0, 300), st.integers(0, 100), st.booleans())
def test_tiles_cover_the_space_once(count: int, width: int, height: int, one_column: bool) -> None:
    regions = tiles(count, width, height, one_column)
    assert len(regions) == count
    assert sum(region.area for region in regions) == width * height
    assert all(region.right <= width and region.bottom <= height for region in regions)
    for index, region in enumerate(regions):
        assert not any(region.overlaps(other) for other in regions[index + 1 :])
    if one_column:
        assert all(region.width == width for region in regions)


@given(st.integers(2, 12), st.integers(60, 300), st.integers(20, 100))
def test_every_tile_is_reached_by_the_keys(count: int, width: int, height: int) -> None:
    regions = tiles(count, width, height)
    reached = {0}
    todo = [0]
    while todo:
        here = todo.pop()
        for direction in "hjkl":
            there = neighbour(regions, here, direction)
            if there is not None and there not in reached:
                reached.add(there)
                todo.append(there)
    assert reached == set(range(count))


def test_the_neighbours_of_two_by_two() -> None:
    regions = tiles(4, 140, 44)
    assert [(region.x, region.y) for region in regions] == [(0, 0), (70, 0), (0, 22), (70, 22)]
    assert [neighbour(regions, 0, key) for key in "hjkl"] == [None, 2, None, 1]
    assert [neighbour(regions, 3, key) for key in "hjkl"] == [2, None, 1, None]


def test_one_column_where_the_terminal_is_narrow() -> None:
    assert capacity(79, 36, 79) == 4
    assert capacity(140, 36, 200) == (140 // LEAST_WIDTH) * 4
    assert capacity(20, 4, 20) == 1
