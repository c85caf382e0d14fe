"""The axes that plotext draws: this fails where plotext's private names, or its characters, are others than ours."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuistream.charts import frame
from tuistream.charts.frame import time_axis, value_axis


def test_a_value_axis() -> None:
    assert value_axis(5, [(0, " 61,840"), (3, " 61,820")]) == [
        "├ 61,840",
        "│       ",
        "│       ",
        "├ 61,820",
        "│       ",
    ]
    assert value_axis(2, []) == ["│", "│"]
    assert value_axis(1, [(0, " 5")]) == ["├ 5"]


def test_every_row_can_have_a_tick() -> None:
    for rows in range(1, 60):
        texts = value_axis(rows, [(row, f" {row}") for row in range(rows)])
        assert [text.rstrip() for text in texts] == [f"├ {row}" for row in range(rows)]


def test_a_time_axis() -> None:
    assert time_axis(40, [(5, "13:50"), (20, "13:53"), (36, "13:56")]) == (
        "─────┬──────────────┬───────────────┬───",
        "   13:50          13:53           13:56 ",
    )
    assert time_axis(3, []) == ("───", "   ")
    assert time_axis(1, [(0, "1")]) == ("┬", "1")


def test_a_tick_is_where_it_was_said_to_be() -> None:
    for columns in (12, 77, 200):
        for column in range(columns):
            line, labels = time_axis(columns, [(column, "13:50")])
            assert line.index("┬") == column
            assert labels.strip() in "13:50"
            if 2 <= column < columns - 2:
                assert labels.index("13:50") == column - 2
            assert len(line) == len(labels) == columns


labels = st.text("0123456789:-. ", min_size=1, max_size=12).filter(lambda text: text == text.strip())


@given(st.integers(0, 30), st.lists(st.tuples(st.integers(0, 20), labels), max_size=8), st.integers(0, 20))
def test_labels_stand_where_plotext_itself_writes_them(first: int, wanted: list[tuple[int, str]], more: int) -> None:
    apart = 3 * max((len(label) for _step, label in wanted), default=0) // 2 + 1  # as panels have them
    steps = [0] + [apart + step for step, _label in wanted]
    ticks = [(first + sum(steps[: n + 1]), label) for n, (_step, label) in enumerate(wanted)]
    cells = first + sum(steps) + 1 + more
    shown = value_axis(cells, ticks), time_axis(cells, ticks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frame, "_stand_ins", lambda _ticks: [label for _cell, label in ticks])
        patch.setattr(frame, "_value_pattern", frame._value_pattern.__wrapped__)
        patch.setattr(frame, "_time_pattern", frame._time_pattern.__wrapped__)
        assert shown == (value_axis(cells, ticks), time_axis(cells, ticks))


def test_plotext_draws_a_pattern_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = 0
    built = frame._built

    def counted(figure: Any) -> Any:
        nonlocal drawn
        drawn += 1
        return built(figure)

    monkeypatch.setattr(frame, "_built", counted)
    before = time_axis(41, [(5, "13:50"), (20, "13:53")]), value_axis(7, [(0, "61.1"), (3, "61.0")])
    after = time_axis(41, [(5, "21:17"), (20, "21:20")]), value_axis(7, [(0, "99.9"), (3, "99.8")])
    assert drawn == 2
    assert before != after
