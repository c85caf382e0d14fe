"""Repeats are dropped, holes are named, restarts are kept: however the ids are cut into batches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tuistream.core.batch import Batch, IdRule, Stream, ids_array
from tuistream.core.continuity import REPEATS_KNOWN, Continuity, Hole

STREAM = Stream("feed", "A", "trade", ("price",), IdRule.CONSECUTIVE)


def batch(ids: list[int | str | None], times: list[int] | None = None) -> Batch:
    t = np.array(times if times is not None else [i * 10 if isinstance(i, int) else 0 for i in ids], dtype=np.int64)
    return Batch(STREAM, t, t, np.zeros((len(ids), 1)), ids_array(ids))


@given(missing=st.sets(st.integers(2, 98)), cuts=st.lists(st.integers(1, 30), min_size=1, max_size=30))
def test_every_hole_is_found_once(missing: set[int], cuts: list[int]) -> None:
    ids = [i for i in range(1, 100) if i not in missing]
    continuity = Continuity(IdRule.CONSECUTIVE)
    found: set[int] = set()
    kept = at = turn = 0
    while at < len(ids):
        part = ids[at : at + cuts[turn % len(cuts)]]
        at, turn = at + len(part), turn + 1
        checked = continuity.check(batch(list(part)))
        kept += len(checked.batch)
        for hole in checked.holes:
            found |= set(range(hole.first, hole.last + 1))
    assert found == missing
    assert kept == len(ids)


@pytest.mark.parametrize("rule", [IdRule.CONSECUTIVE, IdRule.UNIQUE])
def test_what_a_reconnect_repeats_is_dropped(rule: IdRule) -> None:
    continuity = Continuity(rule)
    continuity.check(batch(list(range(1, 501))))
    checked = continuity.check(batch(list(range(451, 511))), reconnected=True)
    assert checked.repeats == 50
    assert checked.batch.ids is not None
    assert checked.batch.ids.tolist() == list(range(501, 511))
    assert not checked.holes
    assert not checked.restarts


def test_hole_after_repeats_has_its_row() -> None:
    continuity = Continuity(IdRule.CONSECUTIVE)
    continuity.check(batch([1, 2, 3]))
    checked = continuity.check(batch([2, 3, 7, 8]), reconnected=True)
    assert checked.holes == [Hole(4, 6, 0)]
    assert len(checked.batch) == 2


def test_a_step_further_back_is_a_restart_and_kept() -> None:
    continuity = Continuity(IdRule.CONSECUTIVE)
    continuity.check(batch(list(range(5_000, 8_000))))
    checked = continuity.check(batch(list(range(5_000, 5_100))), reconnected=True)
    assert checked.restarts == [0]
    assert len(checked.batch) == 100
    assert not checked.holes
    assert not continuity.check(batch([5_100])).holes


def test_a_counter_that_starts_anew_is_a_restart_even_when_it_is_low() -> None:
    continuity = Continuity(IdRule.CONSECUTIVE)
    continuity.check(batch([1, 2, 3]))
    checked = continuity.check(batch([1, 2], [100, 110]), reconnected=True)
    assert checked.restarts == [0]
    assert len(checked.batch) == 2


def test_late_tick_is_kept() -> None:
    continuity = Continuity(IdRule.CONSECUTIVE)
    continuity.check(batch([1, 2, 4]))
    checked = continuity.check(batch([3, 5]))
    assert len(checked.batch) == 2
    assert not checked.holes
    assert not checked.restarts


def test_memory_of_ids_is_bounded() -> None:
    continuity = Continuity(IdRule.CONSECUTIVE)
    for i in range(10_000):
        continuity.check(batch([i]))
    assert len(continuity._memory()) <= REPEATS_KNOWN


def test_what_an_earlier_run_recorded_is_known() -> None:
    continuity = Continuity(IdRule.CONSECUTIVE, (ids_array([7, 8, 9]), np.array([70, 80, 90])))
    checked = continuity.check(batch([8, 9, 12]), reconnected=True)
    assert checked.repeats == 2
    assert checked.holes == [Hole(10, 11, 0)]


def test_text_ids_are_known_too() -> None:
    continuity = Continuity(IdRule.UNIQUE)
    continuity.check(batch(["a", "b", None]))
    checked = continuity.check(batch(["b", "c", None]), reconnected=True)
    assert checked.repeats == 1
    assert len(checked.batch) == 2


def test_where_there_is_no_event_time_the_id_alone_tells_a_repeat() -> None:
    quotes = replace(STREAM, ids=IdRule.UNIQUE, timed=False)
    continuity = Continuity(IdRule.UNIQUE)
    continuity.check(replace(batch([5, 9, 12], [1, 2, 3]), stream=quotes))
    checked = continuity.check(replace(batch([9, 12, 20], [100, 101, 102]), stream=quotes), reconnected=True)
    assert checked.repeats == 2
    assert not checked.restarts
    late = continuity.check(replace(batch([15], [103]), stream=quotes), reconnected=True)
    assert len(late.batch) == 1
    assert not late.restarts


def test_after_a_reconnect_an_id_below_all_known_is_a_restart() -> None:
    continuity = Continuity(IdRule.CONSECUTIVE)
    continuity.check(batch(list(range(1_500, 1_505))))
    checked = continuity.check(batch(list(range(1_000, 1_005))), reconnected=True)
    assert checked.restarts == [0]
    assert len(checked.batch) == 5
    assert not continuity.check(batch([1_005])).holes


def test_a_snapshot_that_reaches_back_further_than_we_knew_leaves_no_hole() -> None:
    continuity = Continuity(IdRule.CONSECUTIVE)
    continuity.check(batch([60, 61, 62]))
    checked = continuity.check(batch(list(range(50, 66))), reconnected=True)
    assert checked.repeats == 3
    assert not checked.holes
    assert checked.batch.ids is not None
    assert checked.batch.ids.tolist() == [*range(50, 60), 63, 64, 65]


def test_within_a_connection_a_loop_is_a_restart_and_the_same_tick_twice_a_repeat() -> None:
    continuity = Continuity(IdRule.CONSECUTIVE)
    continuity.check(batch([1, 2, 3]))
    again = continuity.check(batch([3]))
    assert again.repeats == 1
    looped = continuity.check(batch([1, 2, 3, 1, 2, 3]))
    assert len(looped.batch) == 6
    assert looped.restarts == [0, 3]
