"""Rows of parts: what falls where room is short."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tuistream.ui.line import Group, cut, fitted, padded, spread, width_of


@given(st.text(max_size=30), st.integers(0, 40), st.booleans())
def test_padded_text_has_its_width(text: str, width: int, right: bool) -> None:
    assert cell_len(padded(text, width, right)) == width


@given(st.text(max_size=30), st.integers(0, 40))
def test_cut_text_is_never_wider(text: str, width: int) -> None:
    assert cell_len(cut(text, width)) <= width


def test_the_highest_rank_falls_first() -> None:
    groups = [Group((("abc", ""),)), Group((("def", ""),), 2), Group((("ghi", ""),), 1)]
    assert [group.parts[0][0] for group in fitted(groups, 11, 1)] == ["abc", "def", "ghi"]
    assert [group.parts[0][0] for group in fitted(groups, 10, 1)] == ["abc", "ghi"]
    assert [group.parts[0][0] for group in fitted(groups, 2, 1)] == ["abc"]


def test_right_groups_stand_at_the_right() -> None:
    row = spread([Group((("left", ""),)), Group((("right", ""),), right=True)], 20, (" ", ""), ".")
    assert "".join(text for text, _ink in row) == "left...........right"
    assert width_of(row) == 20
