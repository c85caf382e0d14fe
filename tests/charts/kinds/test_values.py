"""Kinds that show numbers: what is drawn is what came."""

from __future__ import annotations

import re
from datetime import UTC

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from tuistream.charts.kinds import (
    bars,
    bubble,
    disc,
    doughnut,
    histogram,
    horizontal_bars,
    number,
    pie,
    polar_area,
    radar,
    sparkline,
    step,
    table,
)
from tuistream.charts.kinds.contract import DrawStyle, Size, Ticks, Values
from tuistream.charts.panel import DOWN, FLAT, UP, Frame

SECOND = 1_000_000_000
START = 1_795_172_400 * SECOND  # 2026-11-20 11:00:00 UTC
STYLE = DrawStyle(timezone=UTC)


def ticks(*rows: tuple[float, ...], names: tuple[str, ...] = ("a", "b", "c", "d")) -> Ticks:
    v = np.array(rows, np.float64)
    t = START + SECOND * np.arange(len(v), dtype=np.int64)
    columns = {name: v[:, at].copy() for at, name in zip(range(v.shape[1]), names, strict=False)}
    return Ticks(t, columns, tuple(columns), START, START + SECOND * len(v))


def text(frame: Frame) -> list[str]:
    return ["".join(part for part, _ink in frame.runs(y)) for y in range(frame.height)]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=200), st.integers(20, 120))
def test_a_histogram_is_numpys(values: list[float], width: int) -> None:
    found = histogram.counted(ticks(*((value,) for value in values)), Size(width, 20))
    assert found is not None
    counts, _edges = np.histogram(values, found.edges)
    assert found.counts.tolist() == counts.tolist()
    assert int(found.counts.sum()) == len(values)


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_histogram_of_the_largest_number_there_is(sign: int) -> None:
    largest = sign * float(np.finfo(np.float64).max)
    found = histogram.counted(ticks((largest,), (largest,)), Size(40, 20))
    assert found is not None
    assert found.counts.tolist() == [2]


def test_a_histogram_says_what_a_bar_holds() -> None:
    content = ticks(*((float(value),) for value in [1, 1, 1, 2, 9, 10]))
    assert histogram.read_out(content, Size(60, 12), STYLE, 0, 5) == "a 1.00 to 3.25  4 ticks"


def test_bars_are_as_high_as_their_values() -> None:
    frame = bars.draw(ticks((10.0, 20.0), (40.0, 30.0)), Size(60, 14), STYLE)
    columns = np.isin(frame.chars, [ord(sign) for sign in bars.EIGHTHS]).sum(axis=0)
    heights = [int(columns[frame.ink[11] == ink].max()) for ink in (0, 1)]
    assert heights[0] > heights[1] > 0
    assert bars.read_out(ticks((10.0, 20.0), (40.0, 30.0)), Size(60, 14), STYLE, 0, 5) == "11:00:00  a 10"


def test_bars_below_zero_hang() -> None:
    rows = text(bars.draw(ticks((5.0,), (-5.0,)), Size(40, 12), STYLE))
    upper, lower = rows[1], rows[8]
    assert upper.index("█") < lower.index("█")


def test_a_tables_moves_are_signs_where_there_are_no_colours() -> None:
    content = ticks((1.0,), (2.0,), (2.0,), (1.5,))
    for glyphs, up, down in ("braille", "▲", "▼"), ("ascii", "^", "v"):
        rows = [row.rstrip() for row in text(table.draw(content, Size(40, 6), DrawStyle(glyphs, 0, timezone=UTC)))]
        assert [row[-1] for row in rows[1:5]] == ["0", up, "0", down]
    assert "▲" not in "".join(text(table.draw(content, Size(40, 6), STYLE)))


def test_no_number_and_no_time_is_cut_in_a_narrow_panel() -> None:
    content = ticks((1234.5, 99.25), (1234.75, 98.5), names=("bid", "ask"))
    style = DrawStyle(timezone=UTC, unit="EUR")
    for width in range(20, 60):
        rows = "\n".join(text(sparkline.draw(content, Size(width, 5), style)))
        assert "1,234.75" in rows
        assert "98.50" in rows
        lying = "\n".join(text(horizontal_bars.draw(content, Size(width, 5), style)))
        assert ("11:00:01 bid" in lying) or not re.search(r"\d\d:", lying)
        assert "ask" in lying


def test_bars_without_colours_are_told_apart() -> None:
    for glyphs, signs in ("braille", "█▓▒░"), ("ascii", "#=+o"):
        rows = text(bars.draw(ticks((9.0, 9.0, 9.0, 9.0)), Size(60, 12), DrawStyle(glyphs, 0, timezone=UTC)))
        assert all(sign in rows[8] for sign in signs)


def test_lying_bars_have_their_names_and_numbers() -> None:
    rows = text(horizontal_bars.draw(Values(("one", "two"), ("",), np.array([[1.0, 2.0]])), Size(40, 5), STYLE))
    assert rows[0].startswith("one █")
    assert rows[0].endswith("1")
    assert abs(rows[3].count("█") - 2 * rows[0].count("█")) <= 1


def test_lying_bars_are_thick_where_there_is_room() -> None:
    content = Values(("one", "two", "six"), ("",), np.array([[1.0, 2.0, 6.0]]))
    for height, thick in (3, 1), (5, 1), (8, 2), (40, horizontal_bars.THICKEST):
        frame = horizontal_bars.draw(content, Size(40, height), STYLE)
        filled = [y for y, row in enumerate(text(frame)) if "█" in row]
        step = thick + (height > 3)
        assert filled == [at * step + y for at in range(3) for y in range(thick)]
        said = [horizontal_bars.read_out(content, Size(40, height), STYLE, 20, y) for y in range(height)]
        assert [y for y, words in enumerate(said) if words] == filled
        assert said[filled[-1]] == "six  6"


def test_words_beside_a_disc_stand_in_columns_and_numbers_are_never_cut() -> None:
    content = ticks((1.5, 22.25, 300.0), names=("a", "longer", "the longest of them"))
    style = DrawStyle(timezone=UTC, unit="kg")
    for width in range(30, 130):
        rows = [row.rstrip() for row in text(pie.draw(content, Size(width, 20), style))]
        words = [next(row for row in rows if number in row) for number in ("1.50", "22.25", "300.00")]
        if width >= 80:
            assert words[0].endswith("  1.50 kg   0.5 %")
            assert len(set(map(len, words))) == 1


@pytest.mark.parametrize("hole", [0.0, doughnut.HOLE])
def test_slices_are_as_large_as_their_shares(hole: float) -> None:
    content = ticks((1.0, 2.0, 1.0))
    frame = disc.sliced(content, Size(120, 40), STYLE, hole)
    dots = [
        int(np.bitwise_count(frame.chars[(frame.ink == ink) & (frame.chars >= 0x2800)] & 0xFF).sum())
        for ink in range(3)
    ]
    assert_allclose(np.array(dots) / sum(dots), [0.25, 0.5, 0.25], atol=0.02)
    assert any("2 b  2  50.0 %" in row for row in text(frame))


def test_a_slice_is_read_out() -> None:
    content = ticks((1.0, 3.0))
    said = {pie.read_out(content, Size(80, 20), STYLE, column, row) for column in range(80) for row in range(20)}
    assert said == {"", "a  1  25.0 %", "b  3  75.0 %"}
    assert {pie.read_out(content, Size(24, 5), STYLE, 9, row) for row in range(5)} == {"", "a  1", "b  3"}


def test_what_is_not_above_zero_has_no_slice() -> None:
    assert any("no value above zero" in row for row in text(pie.draw(ticks((-1.0, 0.0)), Size(60, 12), STYLE)))
    assert "100.0 %" in " ".join(text(pie.draw(ticks((-1.0, 3.0)), Size(60, 12), STYLE)))


def test_spokes_are_as_long_as_their_values() -> None:
    assert_allclose(radar.distances(ticks((1.0, 2.0, 4.0))), [[0.25, 0.5, 1.0]])
    assert_allclose(radar.distances(ticks((-1.0, 1.0, 3.0))), [[0.0, 0.5, 1.0]])


def test_polar_slices_are_as_far_out_as_their_values() -> None:
    frame = polar_area.draw(ticks((4.0, 2.0, 4.0, 2.0)), Size(80, 24), STYLE)
    reach = [int(np.isin(frame.ink, [ink]).any(axis=1).sum()) for ink in (0, 1)]
    assert reach[0] > reach[1]


def test_a_number_is_coloured_by_its_last_move() -> None:
    for rows, ink in (((1.0,), (2.0,)), UP), (((2.0,), (1.0,)), DOWN), (((2.0,), (2.0,)), FLAT):
        frame = number.draw(ticks(*rows), Size(60, 16), STYLE)
        assert ink in frame.ink
        assert not {UP, DOWN, FLAT} - {ink} & set(frame.ink.flat)


def test_a_number_is_as_large_as_there_is_room_for() -> None:
    assert number.large("1.5", Size(12, 3), "ascii", 3) == ["1.5"]
    assert number.large("1", Size(10, 5), "ascii", 5) == ["  ##  ", "####  ", "  ##  ", "  ##  ", "######"]
    assert number.large("7", Size(6, 3), "braille", 3) == ["▀▀█", " ▄▀", " ▀ "]


def test_a_table_has_the_newest_tick_at_its_end() -> None:
    rows = text(table.draw(ticks((1.0, 5.0), (2.0, 4.0), (3.0, 3.0)), Size(40, 3), STYLE))
    assert rows[0].split() == ["a", "b"]
    assert [row.split() for row in rows[1:]] == [["11:00:01", "2", "4"], ["11:00:02", "3", "3"]]


def test_a_sparkline_reaches_from_the_lowest_to_the_highest() -> None:
    assert sparkline.tall(np.array([0.0, 1.0, np.nan, 0.5]), 4, 1, "braille") == ["▁█ ▄"]
    assert sparkline.tall(np.array([0.0, 1.0]), 4, 1, "ascii") == ["__##"]


def test_a_step_holds_until_the_next_value() -> None:
    content = ticks((1.0,), (5.0,), names=("a",))
    t, v = step.stairs(content.t, content.columns["a"])
    assert v.tolist() == [1.0, 1.0, 5.0]
    assert (t - START).tolist() == [0, SECOND, SECOND]
    assert step.read_out(content, Size(60, 12), STYLE, 20, 3).endswith("a 1")


def test_bubbles_are_read_out_where_they_are() -> None:
    content = ticks((0.0, 0.0, 8.0), (10.0, 10.0, 30.0), names=("x", "y", "r"))
    said = {bubble.read_out(content, Size(60, 15), STYLE, column, row) for column in range(60) for row in range(15)}
    assert said == {"", "2026-11-20 11:00:00.000  x 0  y 0  r 8", "2026-11-20 11:00:01.000  x 10  y 10  r 30"}


def test_ticks_of_one_second_are_told_apart() -> None:
    content = ticks((1.0,), (2.0,), (3.0,))
    near = Ticks(START + np.array([0, 1, 2]) * SECOND // 4, content.columns, content.shown, START, START + SECOND)
    rows = text(table.draw(near, Size(40, 4), STYLE))
    assert [row.split()[0] for row in rows[1:]] == ["11:00:00.000", "11:00:00.250", "11:00:00.500"]
    assert text(bars.draw(near, Size(60, 12), STYLE))[-1].split() == ["11:00:00"]
