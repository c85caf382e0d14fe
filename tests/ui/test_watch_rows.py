"""Which columns the watch list has, and how much room names get."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tuistream.ui.line import cut
from tuistream.ui.watch_rows import LONGEST_NAME, columns_for, told_apart

NARROW, MIDDLE, WIDE = 38, 60, 93  # of 100 and 120 columns, of 200, and with all columns


def test_short_names_leave_room_for_all_that_fits() -> None:
    assert list(columns_for(NARROW, 7, 5)) == ["stream", "last", "chg %", "age"]
    assert list(columns_for(WIDE, 7, 5))[-1] == "last minute"


def test_lesser_columns_make_room_for_longer_names() -> None:
    columns = columns_for(NARROW, 15, 5)
    assert list(columns) == ["stream", "last", "chg %"]
    assert columns["stream"] == 16
    assert columns_for(MIDDLE, 26, 5)["stream"] >= 27
    assert columns_for(WIDE, 40, 5)["stream"] >= LONGEST_NAME


def test_the_change_goes_only_where_names_could_not_be_told_apart() -> None:
    assert "chg %" in columns_for(NARROW, 22, 12)
    assert "chg %" not in columns_for(NARROW, 22, 19)
    assert columns_for(NARROW, 22, 19)["stream"] == 23


@given(st.integers(20, 200), st.integers(0, 60), st.integers(0, 60))
def test_columns_never_need_more_than_there_is(width: int, longest: int, apart: int) -> None:
    columns = columns_for(width, longest, apart)
    assert sum(columns.values()) + 2 <= max(width, 11 + 12 + 2)
    assert min(columns.values()) > 0


@given(st.lists(st.text("ab.", min_size=1, max_size=12), unique=True, min_size=2, max_size=9))
def test_names_cut_to_where_they_are_told_apart_differ(names: list[str]) -> None:
    cells = told_apart(names)
    assert len({cut(name, cells) for name in names}) == len(names)
