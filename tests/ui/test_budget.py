"""The ceiling on bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tuistream.ui.budget import LEAST, Budget

SECOND = 1_000_000_000
START = 1_000 * SECOND


@given(st.integers(1, 200_000), st.lists(st.tuples(st.integers(0, SECOND), st.integers(1, 50_000)), max_size=60))
def test_no_second_has_more_than_the_ceiling(rate: int, wishes: list[tuple[int, int]]) -> None:
    budget, now = Budget(rate, START), START + 2 * SECOND
    budget.allowance(now)
    sent: list[tuple[int, int]] = []
    for passed, wanted in wishes:
        now += passed
        count = min(wanted, max(0, budget.allowance(now)))
        budget.spend(count)
        sent.append((now, count))
    for at, _count in sent:
        assert sum(count for t, count in sent if at <= t < at + SECOND) <= max(rate, LEAST) + 1


@given(st.integers(1_000, 200_000), st.integers(1, 100_000))
def test_after_the_wait_it_may_be_sent(rate: int, count: int) -> None:
    budget, now = Budget(rate, START), START + 5 * SECOND
    budget.spend(budget.allowance(now))
    now += int(budget.wait(count) * SECOND) + 1_000_000
    assert budget.allowance(now) >= min(count, rate * 0.25) - 1
    assert budget.wait(count) <= 0.001


def test_the_first_screen_may_be_larger() -> None:
    budget = Budget(10_000, START)
    assert budget.allowance(START + SECOND // 2) > 20_000
    assert budget.allowance(START + 3 * SECOND) == 2_500
