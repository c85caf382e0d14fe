"""Lines as cells: pictures that a human can read, and the laws that hold for any line."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tuistream.charts.polyline import Grid, Line, Spans
from tuistream.charts.raster import Viewport, columns_of, glyph_set, painted, rasterise, rows_of

S = 1_000_000_000
DAY = 86_400 * S
FLOATS = st.floats(width=64)
NEAR = st.floats(-1_000, 1_000)


def line(
    times: Sequence[float], values: Sequence[float], gaps: tuple[tuple[int, int], ...] = (), style: int = 0
) -> Line:
    """A line with times in seconds."""
    t = np.array([round(time * S) for time in times], dtype=np.int64)
    return Line(t, np.array(values, dtype=np.float64), gaps, style)


def picture(
    *lines: Line, view: Viewport, size: tuple[int, int], glyphs: str = "braille", kind: str = "line"
) -> list[str]:
    rows = rasterise(lines, view, *size, glyphs, kind).rows()
    assert all(len(row) == size[0] for row in rows)
    return [row.rstrip() for row in rows]


def dots_of(chars: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """The dots of braille cells, bool[4 h, 2 w]."""
    bits = glyph_set("braille").bits
    patterns = np.where(chars == 0x20, 0, chars & 0xFF)
    height, width = chars.shape
    dots = np.zeros((height * 4, width * 2), np.bool_)
    for row in range(4):
        for column in range(2):
            dots[row::4, column::2] = patterns & int(bits[row, column])
    return dots


PEAK = line([0, 10, 20, 30, 40], [0, 10, 3, 3, 8])
PEAK_VIEW = Viewport(0, 40 * S, 0, 10)


def test_segments_between_points() -> None:
    assert picture(PEAK, view=PEAK_VIEW, size=(40, 6)) == [
        "        ⡠⠊⠑⢄",
        "      ⢀⠜    ⠑⠢⡀                      ⣀⠤⠊",
        "     ⡔⠁       ⠈⠢⢄                ⢀⡠⠔⠊",
        "   ⡠⠊            ⠑⢄⡀          ⢀⠤⠒⠁",
        " ⢀⠜                ⠈⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠁",
        "⡔⠁",
    ]
    assert picture(PEAK, view=PEAK_VIEW, size=(40, 6), glyphs="blocks") == [
        "        ▄▀▀▄",
        "      ▗▞    ▀▚▖                      ▄▄▀",
        "     ▞▘       ▝▚▄                ▗▄▞▀",
        "   ▄▀            ▀▄▖          ▗▄▀▘",
        " ▗▞                ▝▀▀▀▀▀▀▀▀▀▀▘",
        "▞▘",
    ]
    assert picture(PEAK, view=PEAK_VIEW, size=(40, 6), glyphs="ascii") == [
        "        |'|.",
        "      .|    '|                       .-'",
        "     |'       '-.                 .-'",
        "   |'            |.           .-''",
        " .|                ''''''''''''",
        "|'",
    ]


def test_an_area_goes_down_to_the_edge() -> None:
    assert picture(PEAK, view=PEAK_VIEW, size=(40, 6), kind="area") == [
        "        ⡠⠊⠑⢄",
        "      ⢀⠜⢕⢕⢕⢕⠑⠢⡀                      ⣀⠤⠊",
        "     ⡔⠁⢕⢕⢕⢕⢕⢕⢕⠈⠢⢄                ⢀⡠⠔⠊⢕⢕⢕",
        "   ⡠⠊⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⠑⢄⡀          ⢀⠤⠒⠁⢕⢕⢕⢕⢕⢕",
        " ⢀⠜⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⠈⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠁⢕⢕⢕⢕⢕⢕⢕⢕⢕",
        "⡔⠁⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕⢕",
    ]
    assert picture(PEAK, view=PEAK_VIEW, size=(40, 6), kind="area", glyphs="ascii")[3:] == [
        "   |'::::::::::::|.           .-''::::::",
        " .|::::::::::::::::'''''''''''':::::::::",
        "|'::::::::::::::::::::::::::::::::::::::",
    ]


def test_an_area_goes_to_zero_where_zero_is_in_range() -> None:
    wave = line([0, 10, 20, 30, 40], [-4, 4, -4, 4, -4])
    view = Viewport(0, 40 * S, -5, 5)
    assert picture(wave, view=view, size=(40, 5), kind="area", glyphs="blocks") == [
        "        ▗▄▄                 ▗▄▄",
        "      ▄▞▘▒▒▀▄▖            ▄▞▘▒▒▀▄▖",
        "   ▗▄▀▒▒▒▒▒▒▒▝▚▄       ▗▄▀▒▒▒▒▒▒▒▝▚▄",
        "▒▄▞▘            ▀▄▖▒▒▄▞▘            ▀▄▖▒",
        "▛                 ▝▚▛                 ▝▚",
    ]


def test_a_filling_keeps_out_of_what_lies_below_the_edge() -> None:
    below = line([0, 20, 40], [-5, -3, -5])
    cells = rasterise([below], Viewport(0, 40 * S, 1, 10), 20, 4, kind="area")
    assert (cells.ink == -1).all()
    assert not cells.fill.any()


def test_gaps_and_missing_values_leave_the_line_open() -> None:
    seconds = list(range(40))
    whole = Viewport(0, 40 * S, 0, 3)
    broken = line(seconds, [2] * 40, ((10 * S, 14 * S), (13 * S, 15 * S)))
    assert picture(broken, view=whole, size=(40, 3))[1] == "⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠁⠁⠁⠁⠁⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠁"
    for missing in (np.nan, np.inf, -np.inf):
        values = [missing if 10 <= x < 15 else 2 for x in seconds]
        assert picture(line(seconds, values), view=whole, size=(40, 3))[1] == (
            "⠉⠉⠉⠉⠉⠉⠉⠉⠉⠁     ⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠁"
        )


def test_a_gap_is_open_within_one_column_too() -> None:
    step = [0.0, 0.1, 0.2, 0.3], [9.0, 9.0, 1.0, 1.0]
    view = Viewport(0, 10 * S, 0, 10)
    joined = dots_of(rasterise([line(*step)], view, 5, 5).chars)
    opened = dots_of(rasterise([line(*step, ((S // 10, S // 5),))], view, 5, 5).chars)
    assert joined[:, 0].sum() > 10
    assert np.flatnonzero(opened[:, 0]).tolist() == [2, 18]


def test_a_point_alone_is_a_dot() -> None:
    view = Viewport(0, 40 * S, 0, 3)
    assert picture(line([5, 15, 25], [1, np.nan, 2]), view=view, size=(40, 3)) == [
        "",
        "                         ⠁",
        "     ⠁",
    ]
    assert picture(line([40], [0]), view=view, size=(40, 1)) == [" " * 39 + "⢀"]


def test_lines_go_to_the_points_outside() -> None:
    assert picture(line([-100, 100], [-100, 110]), view=Viewport(0, 40 * S, 0, 50), size=(40, 4)) == [
        "                              ⢀⣀⣀⡠⠤⠤⠔⠒⠒⠊",
        "                   ⣀⣀⣀⠤⠤⠤⠒⠒⠊⠉⠉⠁",
        "       ⣀⣀⣀⠤⠤⠤⠒⠒⠒⠉⠉⠉",
        "⠤⠒⠒⠒⠉⠉⠉",
    ]


def test_a_logarithmic_scale_draws_the_logarithms_and_leaves_out_what_is_not_positive() -> None:
    powers = line([0, 17, 40], [0, 2.5, 4])
    growth = line([0, 17, 40], [1, 10**2.5, 10_000])
    with_zeros = line([-2, -1, 0, 17, 40], [0, -5, 1, 10**2.5, 10_000])
    expected = picture(powers, view=Viewport(0, 40 * S, 0, 4), size=(20, 4))
    view = Viewport(0, 40 * S, 1, 10_000, True)
    assert picture(growth, view=view, size=(20, 4)) == expected
    assert picture(with_zeros, view=view, size=(20, 4)) == expected
    assert sum(map(len, expected)) > 20


def test_the_first_line_is_on_top() -> None:
    flat, rising = line([0, 40], [5, 5], style=3), line([0, 40], [0, 10], style=4)
    cells = rasterise([flat, rising], Viewport(0, 40 * S, 0, 10), 20, 4)
    crossing = int(rows_of(Viewport(0, 40 * S, 0, 10), [5], 4)[0])
    assert (cells.ink[crossing] == 3).all()
    assert set(cells.ink[:crossing].ravel().tolist()) == {-1, 4}
    alone = rasterise([flat], Viewport(0, 40 * S, 0, 10), 20, 4)
    both = dots_of(cells.chars)
    assert (both & dots_of(alone.chars) == dots_of(alone.chars)).all()
    assert both.sum() > dots_of(alone.chars).sum()


@pytest.mark.parametrize("count", [4_000, 1_000_000])
@pytest.mark.parametrize("glyphs", ["braille", "blocks", "ascii"])
def test_a_spike_of_one_tick_shows(count: int, glyphs: str) -> None:
    values = np.zeros(count)
    values[count * 2 // 3] = 9.0
    spike = Line(np.arange(count, dtype=np.int64) * (40 * S // count), values)
    rows = picture(spike, view=Viewport(0, 40 * S, 0, 9), size=(60, 3), glyphs=glyphs)
    assert [row.strip() != "" for row in rows] == [True] * 3
    assert len(rows[0].strip()) == 1


def test_nothing_to_draw() -> None:
    empty = line([], [])
    view = Viewport(0, S, 0, 1)
    assert rasterise([empty], view, 3, 2).rows() == ["   ", "   "]
    assert rasterise([], view, 3, 2, kind="area").rows() == ["   ", "   "]
    assert rasterise([empty], view, 0, 2).rows() == ["", ""]
    assert rasterise([PEAK], Viewport(S, S, 0, 1), 3, 1).rows() == ["   "]
    assert rasterise([PEAK], Viewport(0, 40 * S, 5, 5), 10, 1).rows() == ["⠤" * 10]
    with pytest.raises(KeyError):
        rasterise([PEAK], view, 3, 1, "runes")


def test_places_on_the_axes_agree_with_the_lines() -> None:
    view = Viewport(0, 40 * S, 0, 10)
    assert rows_of(view, [10, 7.6, 7.4, 0, -1, 11, np.nan], 4).tolist() == [0, 0, 1, 3, 4, -1, 5]
    assert columns_of(view, [-5, 0, 10 * S, 40 * S - 1, 40 * S, 99 * S], 40).tolist() == [0, 0, 10, 39, 39, 39]
    assert rows_of(Viewport(0, 1, 1, 100, True), [100, 9, 0], 2).tolist()[:2] == [0, 1]


@st.composite
def tick_lines(draw: st.DrawFn, values: st.SearchStrategy[float] = NEAR, least: int = 2) -> Line:
    count = draw(st.integers(least, 40))
    times = sorted(draw(st.lists(st.integers(-20, 120), min_size=count, max_size=count)))
    v = draw(st.lists(values, min_size=count, max_size=count))
    return Line(np.array(times, dtype=np.int64) * S, np.array(v, dtype=np.float64))


@given(tick_lines(), st.integers(1, 30), st.integers(1, 8))
def test_a_continuous_line_has_no_holes_and_shows_every_point(drawn: Line, width: int, height: int) -> None:
    low, high = float(drawn.v.min()) - 1, float(drawn.v.max()) + 1
    dots = dots_of(rasterise([drawn], Viewport(0, 100 * S, low, high), width, height).chars)
    grid = Grid(0, 100 * S, low, high, False, width, 2, height * 4)
    edges = grid.edges()
    inside = (drawn.t >= 0) & (drawn.t <= 100 * S)
    columns = np.minimum(np.searchsorted(edges, drawn.t[inside], side="right") - 1, 2 * width - 1)
    assert dots[grid.rows_of(grid.heights(drawn.v[inside])), columns].all()
    covered = np.flatnonzero(dots.any(axis=0))
    if not len(covered):
        return
    # What is covered is one stretch, of columns that are each one span that touches the next.
    assert covered.tolist() == list(range(covered[0], covered[-1] + 1))
    spans = [(int(rows[0]), int(rows[-1]), len(rows)) for rows in (np.flatnonzero(dots[:, c]) for c in covered)]
    assert all(last - first + 1 == count for first, last, count in spans)
    assert all(b[0] <= a[1] + 1 and a[0] <= b[1] + 1 for a, b in pairwise(spans))


@given(tick_lines(st.one_of(NEAR, st.just(np.nan))), st.integers(1, 20), st.integers(2, 30), st.booleans())
def test_columns_keep_their_cells_when_the_viewport_moves(drawn: Line, shift: int, width: int, area: bool) -> None:
    column = 3_333_333_333
    kind = "area" if area else "line"
    before = Viewport(5 * S, 5 * S + width * column, -1_000, 1_000)
    after = Viewport(before.t0 + shift * column, before.t1 + shift * column, -1_000, 1_000)
    old = rasterise([drawn], before, width, 6, kind=kind)
    new = rasterise([drawn], after, width, 6, kind=kind)
    kept = slice(shift, width - 1)
    moved = slice(0, max(0, width - 1 - shift))
    assert (old.chars[:, kept] == new.chars[:, moved]).all()
    assert (old.ink[:, kept] == new.ink[:, moved]).all()


@given(tick_lines(), st.integers(-20, 120), st.integers(1, 60))
def test_no_dot_inside_a_gap(drawn: Line, since: int, length: int) -> None:
    gap = since * S, (since + length) * S
    outside = (drawn.t <= gap[0]) | (drawn.t >= gap[1])
    kept = Line(drawn.t[outside], drawn.v[outside], (gap,))
    dots = dots_of(rasterise([kept], Viewport(0, 100 * S, -1_000, 1_000), 25, 4).chars)
    edges = Grid(0, 100 * S, 0, 1, False, 25, 2, 1).edges()
    within = (edges[:-1] > gap[0]) & (edges[1:] < gap[1])
    assert not dots[:, within].any()


@given(
    st.lists(st.tuples(st.integers(0, 1 << 62), FLOATS), max_size=20),
    st.lists(st.tuples(st.integers(0, 1 << 62), st.integers(0, 1 << 62)), max_size=3),
    st.tuples(st.integers(0, 1 << 62), st.integers(0, 1 << 62)),
    st.tuples(FLOATS, FLOATS),
    st.booleans(),
    st.sampled_from(["braille", "blocks", "ascii"]),
    st.sampled_from(["line", "area"]),
    st.integers(0, 9),
    st.integers(0, 5),
)
def test_no_number_makes_it_fail(
    points: list[tuple[int, float]],
    gaps: list[tuple[int, int]],
    times: tuple[int, int],
    values: tuple[float, float],
    log: bool,
    glyphs: str,
    kind: str,
    width: int,
    height: int,
) -> None:
    points.sort(key=lambda point: point[0])
    t = np.array([point[0] for point in points], dtype=np.int64)
    v = np.array([point[1] for point in points], dtype=np.float64)
    cells = rasterise([Line(t, v, tuple(gaps))], Viewport(*times, *values, log), width, height, glyphs, kind)
    assert cells.chars.shape == cells.ink.shape == cells.fill.shape == (height, width)
    assert ((cells.chars == 0x20) == (cells.ink < 0)).all()


def test_spans_outside_are_not_painted() -> None:
    grid = Grid(0, 1, 0, 1, False, 2, 1, 3)
    spans = Spans(np.zeros(4, int), np.array([0, 0, 1, 1]), np.array([-9, 5, 1, -4]), np.array([-1, 7, 1, 9]))
    assert painted(spans, 1, grid).tolist() == [[[False, True]] * 3]
