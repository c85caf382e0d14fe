"""The axes that plotext draws: this fails where plotext's private names, or its characters, are others than ours."""

from __future__ import annotations

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
