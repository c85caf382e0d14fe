"""What is sent for a picture, of any shape, in any room, for any cell: within its bounds, and the picture."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.charts.graphics.reading import KittyTerminal, sixels_read
from tuistream.charts.graphics import kitty
from tuistream.charts.graphics.sixel import MOST_SIDE
from tuistream.charts.kinds.canvas import blank
from tuistream.charts.kinds.contract import DrawStyle, Size
from tuistream.charts.kinds.picture import crop_of
from tuistream.ui.sights import CELL_BYTES, Bounds, Picture, Sight, encoded

sides = st.one_of(st.integers(1, 60), st.sampled_from([1, 200, 1_200]))
rooms = st.builds(Size, st.integers(1, 60), st.integers(1, 30))
cells = st.tuples(st.integers(2, 24), st.integers(2, 48))
most = st.sampled_from([0, 900, 20_000, 1_500_000])


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(["kitty", "sixel"]), sides, sides, rooms, cells, most, st.integers(0, 8), st.booleans())
def test_it_is_within_its_bounds_or_a_word(
    protocol: str, width: int, height: int, room: Size, cell: tuple[int, int], most: int, zoom: int, moving: bool
) -> None:
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)
    style = DrawStyle(zoom=zoom, pan=(zoom, -1), cell_ratio=cell[1] / cell[0])
    sight = Sight(blank(room), pixels, crop_of(pixels, room, style))
    found = encoded(protocol, sight, Bounds(most, most // 3, cell), moving=moving)
    if isinstance(found, str):
        assert found
    elif protocol == "kitty":
        assert_kitty(found, most)
    else:
        assert_sixels(found, most, cell)


def assert_kitty(found: Picture, most: int) -> None:
    rows, columns = found.size
    assert len(found.data) <= max(most, CELL_BYTES * rows * columns)
    terminal, at = KittyTerminal(), 0
    while at < len(found.data):
        text, at = kitty.chunk(1, columns, rows, found.data, at, kitty.CHUNK)
        terminal.take(text)
    assert terminal.placed == {1: (columns, rows)}


def assert_sixels(found: Picture, most: int, cell: tuple[int, int]) -> None:
    rows, columns = found.size
    assert sum(len(strip.text) for strip in found.strips) <= most
    assert [strip.row for strip in found.strips] == [
        sum(strip.rows for strip in found.strips[:count]) for count in range(len(found.strips))
    ]
    assert sum(strip.rows for strip in found.strips) == rows
    for strip in found.strips:
        assert len(strip.text) <= most // 3
        height, width = sixels_read(strip.text).shape[:2]
        assert width == columns * cell[0] <= MOST_SIDE
        assert strip.rows * cell[1] - 6 < height <= strip.rows * cell[1]
