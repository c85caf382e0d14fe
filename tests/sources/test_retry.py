"""The pauses between attempts: soon, then longer, never more than a venue allows."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tuistream.core.errors import SourceDown
from tuistream.sources.retry import LONGEST, REFUSED_AGAIN, SOON, Retry

LOST = SourceDown("lost")


def outage(retry: Retry, start: float, until: float) -> list[tuple[float, float]]:
    """Fail from `start` on until `until`: (time of the failure, pause) pairs."""
    now, pauses = start, []
    while now < until:
        pause = retry.failed(LOST, now, worked=now == start)
        assert pause is not None
        pauses.append((now, pause))
        now += pause
        retry.connecting(now)
    return pauses


def test_at_once_then_within_a_second_then_doubling() -> None:
    retry = Retry(jitter=random.Random(1))
    retry.connecting(0.0)
    pauses = outage(retry, 100.0, 400.0)
    assert pauses[0][1] == 0.0
    assert all(pause <= 0.8 for at, pause in pauses if at < 114.9)
    late = [pause for at, pause in pauses if at >= 116]
    assert late[0] <= 3.2
    assert all(LONGEST * 0.7 <= pause <= LONGEST for pause in late[6:])


def test_an_outage_after_a_long_one_starts_at_once_again() -> None:
    retry = Retry()
    retry.connecting(0.0)
    outage(retry, 10.0, 200.0)
    retry.connecting(200.0)
    assert retry.failed(LOST, 300.0, worked=True) == 0.0


def test_a_producer_that_hangs_up_at_once_is_tried_less_and_less_often() -> None:
    retry = Retry()
    now, pauses = 0.0, []
    while now < 300.0:
        retry.connecting(now)
        pause = retry.failed(LOST, now + 0.001, worked=True)
        assert pause is not None
        pauses.append(pause)
        now += 0.001 + pause
    assert pauses[:5] == list(SOON)
    assert len(pauses) < 45
    assert all(LONGEST * 0.7 <= pause <= LONGEST for pause in pauses[-5:])
    retry.connecting(now)
    assert retry.failed(LOST, now + 1.0, worked=True) == 0.0


def test_retries_are_counted_in_a_row() -> None:
    retry = Retry(2)
    assert retry.failed(LOST, 0.0, worked=False) is not None
    assert retry.failed(LOST, 1.0, worked=False) is not None
    assert retry.failed(LOST, 2.0, worked=True) is not None
    assert retry.failed(LOST, 3.0, worked=False) is not None
    assert retry.failed(LOST, 4.0, worked=False) is None
    assert Retry(0).failed(LOST, 0.0, worked=True) is None


def test_a_refusal_ends_a_feed_that_never_worked_and_slows_one_that_did() -> None:
    refused = SourceDown("HTTP 401", final=True)
    assert Retry().failed(refused, 0.0, worked=False) is None
    retry = Retry()
    retry.failed(LOST, 0.0, worked=True)
    assert retry.failed(refused, 1.0, worked=False) == REFUSED_AGAIN


def test_the_producer_may_ask_for_time() -> None:
    assert Retry().failed(SourceDown("HTTP 429", retry_after=40.0), 0.0, worked=False) == 40.0


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_a_venues_limit_on_connections_holds(worked: list[bool]) -> None:
    retry, now, made = Retry(attempts=(5, 60.0)), 0.0, []
    for gave_data in worked:
        retry.connecting(now)
        made.append(now)
        pause = retry.failed(LOST, now, gave_data)
        assert pause is not None
        now += pause
    assert all(later - earlier >= 60.0 - 1e-6 for earlier, later in zip(made, made[5:], strict=False))
