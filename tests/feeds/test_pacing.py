"""When ticks and frames are due, on clocks that the test turns."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuistream.feeds.files import FrameBlock
from tuistream.feeds.pacing import CATCH_UP_NS, FlatOutTicks, SteadyTicks, Timeline

S = 1_000_000_000
WALL = 1_795_172_027 * S


def block(*times: int, opens: bool = False) -> FrameBlock:
    return FrameBlock(opens, list(times), ["x"] * len(times))


@given(st.floats(0.5, 50_000), st.integers(0, 1_000))
def test_the_rate_is_held_on_average_whatever_the_wakes(rate: float, seed: int) -> None:
    ticks, random_wakes, now, made = SteadyTicks(rate), random.Random(seed), 77, 0
    for _ in range(300):
        made += len(ticks.due(now, WALL + now, 1_000_000))
        now += random_wakes.randrange(1, S // 10)
    made += len(ticks.due(now, WALL + now, 1_000_000))
    assert made == pytest.approx((now - 77) / 1e9 * rate + 1, abs=1)


def test_each_step_has_the_time_at_which_it_fell_due() -> None:
    ticks = SteadyTicks(20)
    times = [ticks.due(now, WALL + now, 100) for now in (1_000, 1_000 + S // 2, 1_000 + S)]
    expected = WALL + 1_000 + np.arange(21) * (S // 20)
    np.testing.assert_array_equal(np.concatenate(times), expected)


def test_what_is_due_comes_in_pieces_of_at_most_so_many() -> None:
    ticks = SteadyTicks(1_000)
    ticks.due(0, WALL, 10)
    got = [len(ticks.due(S // 10, WALL + S // 10, 40)) for _ in range(4)]
    assert got == [40, 40, 20, 0]


def test_a_suspension_makes_no_burst_and_the_wall_clock_is_followed() -> None:
    ticks = SteadyTicks(50_000)
    ticks.due(0, WALL, 10)
    asleep = 3_600 * S
    times = ticks.due(asleep, WALL + asleep, 1_000_000)
    assert times.tolist() == [WALL + asleep]
    assert len(ticks.due(asleep + S, WALL + asleep + S, 1_000_000)) == 50_000
    set_forward = ticks.due(asleep + S + S // 100, WALL + asleep + 60 * S, 1_000_000)
    assert set_forward[-1] == pytest.approx(WALL + asleep + 60 * S, abs=S // 100)


def test_a_stall_that_is_short_is_caught_up_with() -> None:
    ticks = SteadyTicks(100)
    ticks.due(0, WALL, 1_000)
    assert len(ticks.due(CATCH_UP_NS - 1, WALL, 1_000)) == 199


def test_waits_are_until_the_next_step_and_long_enough_for_a_block() -> None:
    slow, fast = SteadyTicks(2), SteadyTicks(50_000)
    assert slow.wait(0) == 0
    for ticks in (slow, fast):
        ticks.due(0, WALL, 10)
    assert slow.wait(0) == S // 2
    assert fast.wait(0) == 4_000_000
    assert fast.wait(S // 1_000) == 4_000_000
    assert fast.wait(S) == 0


@given(st.lists(st.tuples(st.integers(-S, 10 * S), st.integers(1, 3_000)), min_size=1, max_size=20))
def test_flat_out_times_never_run_ahead_of_the_clock(blocks: list[tuple[int, int]]) -> None:
    ticks, wall = FlatOutTicks(), WALL
    for step, count in blocks:
        before, wall = wall, wall + step
        times = ticks.times(wall, count)
        assert len(times) == count
        assert times[-1] == wall
        assert np.all(np.diff(times) >= 0)
        if step >= 0:
            assert times[0] >= before or before == WALL


@given(st.lists(st.integers(0, 5 * S), min_size=2, max_size=50), st.sampled_from([0.5, 1.0, 20.0]))
def test_the_recorded_pace_is_kept_at_its_speed(times: list[int], speed: float) -> None:
    times.sort()
    timeline = Timeline(speed)
    due = timeline.due(block(*times[:1], opens=True)) + timeline.due(block(*times[1:]))
    assert due == [int((t - times[0]) / speed) for t in times]


def test_between_files_and_where_a_clock_was_set_the_wait_is_bounded() -> None:
    timeline = Timeline()
    assert timeline.due(block(10 * S, 11 * S, opens=True)) == [0, S]
    assert timeline.due(block(1_000 * S, 1_002 * S, opens=True)) == [2 * S, 4 * S]
    assert timeline.due(block(5 * S, 6 * S, opens=True)) == [4 * S, 5 * S]
    assert timeline.due(block(9 * S, 2 * S, 3 * S)) == [8 * S, 8 * S, 9 * S]


def test_a_clock_that_jitters_does_not_slow_a_replay() -> None:
    times = [i * S // 10 + (S // 20 if i % 2 else 0) for i in range(100)]
    jittered = [t - S // 5 if i % 3 == 2 else t for i, t in enumerate(times)]
    due = Timeline().due(block(*jittered, opens=True))
    assert due[-1] == max(jittered)
    assert all(a <= b for a, b in pairwise(due))


def test_a_rate_replaces_the_recorded_pace() -> None:
    timeline = Timeline(rate=4)
    assert timeline.due(block(5, 900 * S, opens=True)) + timeline.due(block(3)) == [0, S // 4, S // 2]
    assert Timeline(rate=0).due(block(5, 900 * S)) == [0, 0]
