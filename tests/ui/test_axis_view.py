"""Views along an axis that is not time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tuistream.core.batch import Times
from tuistream.ui.axis_view import AUTO_TICKS, LEAST, MOST, UNIT, auto_span, column_width, span_text
from tuistream.ui.chart import axis_ticks
from tuistream.ui.view import AXIS_RANGES, RANGES, View, of_ticks

FARTHEST = 9 * 10**18
places = st.lists(st.integers(-FARTHEST, FARTHEST), min_size=1, max_size=60).map(
    lambda values: np.array(sorted(values), dtype=np.int64)
)
columns = st.integers(2, 400)
MANTISSAS = {1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80}


@given(places, columns, st.sampled_from(AXIS_RANGES), st.integers(-70, 70), st.booleans())
def test_a_window_holds_what_was_asked_for_within_int64(
    t: Times, columns: int, chosen: object, steps: int, paged: bool
) -> None:
    view = View(AXIS_RANGES[AXIS_RANGES.index(chosen)], axis=True)
    edge = int(t[-1])
    view = view.zoomed(steps, view.base(t, edge, None))
    span = view.span(view.base(t, edge, None))
    window = view.window(t, edge, columns, None, paged=paged)
    assert LEAST <= span <= MOST
    assert window.t1 - window.t0 == columns * window.width >= span
    if abs(edge) < FARTHEST - MOST and columns > 3:
        assert window.t0 <= edge <= window.t1
    assert -(1 << 63) <= window.t0 < window.t1 < 1 << 63
    ticks = axis_ticks(window.t0, window.t1, 6)
    assert all(-(1 << 63) <= place < 1 << 63 for place, _label in ticks)


@given(st.integers(1, MOST), columns)
def test_columns_have_round_widths_that_hold_the_span(span: int, columns: int) -> None:
    width = column_width(span, columns)
    assert width * columns >= span
    assert (width - 1) * columns < 1.7 * span + columns  # at the most 5 where 3 would do
    while width % 100 == 0:
        width //= 10
    assert width in MANTISSAS or width // 10 in MANTISSAS


def test_the_range_auto_is_a_round_number_that_holds_the_newest_ticks() -> None:
    t = np.arange(10_000, dtype=np.int64) * UNIT // 10
    assert auto_span(t, int(t[-1])) == 50 * UNIT
    assert AUTO_TICKS == 500
    view = View(axis=True)
    still = view.window(t[:100], int(t[99]), 100)
    assert still.t0 == 0
    assert view.window(t[:101], int(t[100]), 100) == still or view.base(t[:101], int(t[100]), None) == 10 * UNIT


def test_spans_are_in_units() -> None:
    assert [span_text(span) for span in (60 * UNIT, UNIT // 4, 1_500 * UNIT, 1_000)] == [
        "60",
        "0.25",
        "1,500",
        "1e-06",
    ]
    assert [each.name for each in AXIS_RANGES] == [
        *("auto", "50 ticks", "1", "10", "60", "100", "600", "1,000", "10,000", "all")
    ]
    assert View(AXIS_RANGES[4], zoom=1, axis=True).title(60 * UNIT) == "30"


def test_what_a_sender_wants_to_be_seen_is_among_the_ranges() -> None:
    assert View().ranges == RANGES
    assert View(points=50).ranges == RANGES
    assert View(points=20).ranges == (RANGES[0], of_ticks(20), *RANGES[1:])
    view = View(of_ticks(20), points=20)
    assert view.ranged(1).range.name == "50 ticks"
    assert view.ranged(-1).range.name == "auto"
    assert view.ranged(1).ranged(-1) == view
