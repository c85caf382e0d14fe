"""The view model's laws."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tuistream.core.batch import Times
from tuistream.ui.view import (
    ALL,
    AUTO,
    DAY,
    HOUR,
    MAX_SPAN,
    MIN_SPAN,
    MINUTE,
    RANGES,
    SECOND,
    TICKS,
    TICKS_SHOWN,
    TODAY,
    Range,
    View,
    column_width,
    midnight,
    newest_edge,
    short_duration,
)

T0 = 1_795_000_000 * SECOND

ranges = st.sampled_from(RANGES)
columns = st.integers(2, 500)


@st.composite
def ticks(draw: st.DrawFn) -> Times:
    steps = draw(st.lists(st.integers(0, 90 * SECOND), min_size=1, max_size=120))
    return T0 + np.cumsum(np.array(steps, dtype=np.int64))


@given(ranges, ticks(), st.integers(0, HOUR), columns, st.integers(-6, 6))
def test_a_range_shows_at_least_its_span_from_a_time_that_columns_share(
    chosen: object, t: Times, passed: int, columns: int, steps: int
) -> None:
    assert chosen in RANGES
    edge = int(t[-1]) + passed
    view = View(RANGES[RANGES.index(chosen)])
    view = view.zoomed(steps, view.base(t, edge, UTC))
    window = view.window(t, edge, columns, UTC)
    if edge - t[0] < MINUTE and chosen is AUTO and not view.zoom:
        assert window.t0 <= t[0] <= edge <= window.t1
    else:
        assert window.t0 <= edge - view.span(view.base(t, edge, UTC))
        assert edge <= window.t1 < edge + window.width
    assert window.t1 - window.t0 == columns * window.width >= window.span
    assert window.t0 % window.width == 0


@given(st.integers(MIN_SPAN, MAX_SPAN), columns)
def test_columns_are_no_wider_than_they_must_be(span: int, columns: int) -> None:
    width = column_width(span, columns)
    assert width * columns >= span
    assert width <= 10_000 or width * columns <= 2.5 * span + columns * DAY
    if width < DAY:
        assert DAY % width == 0
    if width >= 3 * SECOND:
        assert width % SECOND == 0


@given(ranges, ticks(), st.integers(-12, 12), st.booleans())
def test_zooming_in_and_out_again_returns(chosen: object, t: Times, steps: int, panned: bool) -> None:
    edge = int(t[-1]) + SECOND
    view = View(RANGES[RANGES.index(chosen)])
    if panned:
        window = view.window(t, edge, 100, UTC)
        view = view.panned(-7 * window.width, window, view.base(t, edge, UTC), edge)
    base = view.base(t, edge, UTC)
    zoomed = view.zoomed(steps, base)
    assume(zoomed is not view)
    assert zoomed.zoomed(-steps, base) == view


@given(ranges, ticks(), st.integers(1, 300), columns, st.integers(0, 10 * MINUTE))
def test_panning_moves_by_whole_columns_and_following_returns(
    chosen: object, t: Times, steps: int, columns: int, later: int
) -> None:
    edge = int(t[-1]) + SECOND
    view = View(RANGES[RANGES.index(chosen)])
    before = view.window(t, edge, columns, UTC)
    panned = view.panned(-steps * before.width, before, view.base(t, edge, UTC), edge)
    after = panned.window(t, edge + later, columns, UTC)
    assert not panned.following
    end = -(-edge // before.width) * before.width
    assert (after.width, after.t1) == (before.width, end - steps * before.width)
    assert panned.followed() == view


@given(ranges, ticks(), st.integers(0, 50), st.integers(0, 50))
def test_panning_forward_to_the_edge_follows_again(chosen: object, t: Times, back: int, more: int) -> None:
    edge = int(t[-1]) + SECOND
    view = View(RANGES[RANGES.index(chosen)])
    window = view.window(t, edge, 80, UTC)
    base = view.base(t, edge, UTC)
    panned = view.panned(-back * window.width, window, base, edge)
    window = panned.window(t, edge, 80, UTC)
    assert panned.panned((back + more + 1) * window.width, window, base, edge).following


@given(ranges, ticks(), st.integers(1, 200), st.integers(-4, 4), columns)
def test_nothing_beyond_the_edge_is_asked_for(chosen: object, t: Times, back: int, zoom: int, columns: int) -> None:
    edge = int(t[-1])
    view = View(RANGES[RANGES.index(chosen)])
    window = view.window(t, edge, columns, UTC)
    panned = view.panned(-back * window.width, window, view.base(t, edge, UTC), edge)
    zoomed = panned.zoomed(zoom, panned.base(t, edge, UTC))
    assert zoomed.window(t, edge, columns, UTC).end <= edge


@given(ranges, ticks(), columns, st.integers(0, 200))
def test_paged_it_stands_still_until_it_is_full_and_jumps_by_an_eighth(
    chosen: object, t: Times, columns: int, step: int
) -> None:
    view, edge = View(RANGES[RANGES.index(chosen)]), int(t[-1])
    view = View(view.range, 0, None, 0) if view.range.span else View(RANGES[4])
    before = view.window(t, edge, columns, UTC, paged=True)
    after = view.window(t, edge + step * before.width, columns, UTC, paged=True)
    assert before.width == after.width
    assert before.t0 <= edge - before.span
    assert edge <= before.t1
    page = max(1, columns // 8) * before.width
    assert (after.t0 - before.t0) % page == 0
    assert (after.t0 == before.t0) == (edge + step * before.width <= before.t1)


@given(ranges, ticks(), columns, st.integers(0, 4 * SECOND), st.integers(0, 200))
def test_a_window_stands_still_as_long_as_is_wanted_or_slides_by_one_column(
    chosen: object, t: Times, columns: int, still: int, step: int
) -> None:
    view, edge = View(RANGES[RANGES.index(chosen)]), int(t[-1])
    view = View(view.range, 0, None, 0) if view.range.span else View(RANGES[4])
    before = view.window(t, edge, columns, UTC, still=still)
    after = view.window(t, edge + step * before.width, columns, UTC, still=still)
    assert before.t0 <= edge - before.span
    assert edge <= before.t1
    alone = view.window(t, edge, columns, UTC).width
    jump = -(-still // alone) * before.width if still <= columns // 8 * alone else before.width
    assert (after.t0 - before.t0) % max(jump, before.width) == 0
    assert (after.t0 == before.t0) == (edge + step * before.width <= before.t1)
    assert before.t1 - edge < max(jump, before.width)


def test_a_fast_window_stands_still_for_some_frames_and_a_slow_one_slides_by_a_column() -> None:
    t = T0 + np.arange(2_000, dtype=np.int64) * SECOND // 2
    starts = {
        span: [
            View(Range("", span)).window(t, T0 + 900 * SECOND + n * SECOND // 10, 100, UTC, still=SECOND * 4 // 10).t0
            for n in range(40)
        ]
        for span in (2 * SECOND, 10 * SECOND, 5 * MINUTE)
    }
    assert [len(set(each)) for each in starts.values()] == [40, 9, 2]


def test_auto_stands_still_while_it_fills() -> None:
    t = T0 + np.arange(120, dtype=np.int64) * SECOND // 2
    windows = {(w.t0, w.t1) for n in range(1, 120) for w in [View(AUTO).window(t[:n], int(t[n - 1]), 100)]}
    assert len(windows) == 7
    assert all(t0 <= T0 < t0 + SECOND for t0, _t1 in windows)
    assert View(AUTO).window(t[20:60], int(t[59]), 100, whole=False).span == int(t[59] - t[20])


def test_auto_is_all_there_is_and_then_a_minute() -> None:
    t = T0 + np.arange(200, dtype=np.int64) * SECOND
    assert View(AUTO).window(t[:21], int(t[20]), 100).span == 20 * SECOND
    assert View(AUTO).window(t, int(t[-1]), 100).span == MINUTE
    assert View(AUTO).window(t[:1], T0, 100).span == 5 * SECOND
    assert View(AUTO).window(t[:0], T0, 100).span == MINUTE


def test_fifty_ticks_and_all() -> None:
    t = T0 + np.arange(200, dtype=np.int64) * SECOND
    edge = int(t[-1])
    assert View(TICKS).window(t, edge, 100).span == (TICKS_SHOWN - 1) * SECOND
    assert View(TICKS).window(t[:10], int(t[9]), 100).span == 9 * SECOND
    assert View(ALL).window(t, edge, 100).span == 199 * SECOND


def test_today_begins_at_the_local_midnight_also_where_clocks_change() -> None:
    rome = ZoneInfo("Europe/Rome")
    noon = int(datetime(2026, 10, 25, 12, tzinfo=rome).timestamp()) * SECOND
    assert midnight(noon, rome) == int(datetime(2026, 10, 25, tzinfo=rome).timestamp()) * SECOND
    assert View(TODAY).window(np.array([noon - HOUR]), noon, 100, rome).span == 13 * HOUR


@pytest.mark.parametrize(("ended", "edge"), [(False, T0 + 5 * SECOND), (True, T0)])
def test_the_edge_goes_on_with_the_clock_of_the_producer_until_its_feed_ends(ended: bool, edge: int) -> None:
    received = T0 + 1_000 * DAY
    assert newest_edge(np.array([T0]), received, received + 5 * SECOND, ended) == edge


def test_ranges_have_two_ends() -> None:
    first, last = View(RANGES[0]), View(RANGES[-1])
    assert first.ranged(-1) is first
    assert last.ranged(1) is last
    zoomed = first.zoomed(2, MINUTE)
    assert zoomed.ranged(-1) == first
    names = []
    view = first
    for _ in RANGES:
        names.append(view.range.name)
        view = view.ranged(1)
    assert names == ["auto", "50 ticks", "1m", "5m", "15m", "45m", "1h", "3h", "today", "1d", "all"]


def test_the_title_names_the_range_or_the_span_it_was_zoomed_to() -> None:
    view = View(RANGES[4])
    assert view.title(15 * MINUTE) == "15m"
    assert view.zoomed(1, 15 * MINUTE).title(15 * MINUTE) == "7m30s"
    spans = (MIN_SPAN, 999_499_999, 999_500_000, 7_500_000_000, 1_875_000_000, 59_949_999_999, 59_950_000_000)
    assert [short_duration(span) for span in spans] == ["10ms", "999ms", "1s", "7.5s", "1.88s", "59.9s", "1m"]
    long = (5 * MINUTE + 37_500_000_000, HOUR + 30 * MINUTE + 29 * SECOND, DAY - 1, 2 * DAY + 31 * MINUTE)
    assert [short_duration(span) for span in long] == ["5m38s", "1h30m", "1d", "2d1h"]


@given(st.integers(1, 59 * SECOND), st.integers(0, 10**9), st.integers(5, 500))
def test_auto_of_a_stream_that_memory_holds_less_than_a_minute_of_lies_in_memory(
    held: int, start: int, columns: int
) -> None:
    t = np.array([T0 + start, T0 + start + held], dtype=np.int64)
    window = View().window(t, int(t[-1]), columns, UTC, whole=False, oldest=T0 - 3_600 * SECOND)
    assert window.t1 >= t[-1]
    if held >= columns * 10_000 and held >= SECOND:
        assert window.t0 >= t[0]
        assert window.t1 - window.t0 >= held / 3
