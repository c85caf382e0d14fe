"""Axes drawn by plotext, as text, for canvases that are not plotext's.

plotext 5.3 has no public way to the characters of a figure, so this file uses private names of it: the class
`_figure_class`, its `_set_size`, `_set_sizes` and `_build_matrix`, and of `monitor.matrix` the rows `marker` (the
lowest first) and the ranges `Cols_canvas` and `Rows_canvas`. A test fails when one of them changes.

Ticks are given in cells, so that an axis agrees to the cell with a drawing beside it, on any scale. What plotext
makes of them depends on their places and on how long their labels are: it draws each such pattern once, with
characters that stand for the labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

from plotext import _figure

CellTick = tuple[int, str]
Pattern = tuple[tuple[int, int], ...]  # of ticks: cell, and length of the label

PATTERNS: Final = 256  # that are kept of each axis
_STAND_IN: Final = 0xE000  # for the first label: of a private use area, which no label has


def value_axis(rows: int, ticks: Sequence[CellTick]) -> list[str]:
    """A value axis to be put at the right of a canvas of `rows` rows: each row's text, from the top.

    ticks: (row from the top, label). A text is the axis and what is beside it: "│", or "├" and a label.
    """
    places, labels = _apart(ticks)
    return _with_labels(_value_pattern(rows, places), labels)


def time_axis(columns: int, ticks: Sequence[CellTick]) -> tuple[str, str]:
    """A time axis to be put under a canvas of `columns` columns: the line with its ticks, and the labels below it.

    ticks: (column, label), further apart than one and a half times the longer of two labels. One that does not fit
    into the columns is cut.
    """
    margin = max((len(label) for _column, label in ticks), default=0)
    if not ticks:  # plotext then leaves out the row of labels
        return "─" * columns, " " * columns
    places, labels = _apart(ticks)
    line, below = _with_labels(_time_pattern(columns, margin, places), labels)
    return line[margin : margin + columns], below[margin : margin + columns]


@lru_cache(PATTERNS)
def _value_pattern(rows: int, ticks: Pattern) -> tuple[str, ...]:
    figure = _figure._figure_class()
    width = max((length for _row, length in ticks), default=0)
    canvas = 2
    figure._set_size(canvas + 1 + width, rows)
    figure.xaxes(False, False)
    figure.yaxes(False, True)
    figure.scatter([0], [0], marker=" ", yside="right")
    figure.xlim(0, 1)
    figure.ylim(0, max(1, rows - 1), yside="right")
    figure.xticks([])
    figure.yticks([rows - 1 - row for row, _length in ticks], _stand_ins(ticks), yside="right")
    matrix = _built(figure)
    return tuple("".join(row[matrix.Cols_canvas.stop :]) for row in reversed(matrix.marker))


@lru_cache(PATTERNS)
def _time_pattern(columns: int, margin: int, ticks: Pattern) -> tuple[str, str]:
    """The axis with `margin` columns more at either side."""
    # plotext pushes a label away from a border that is less than its length away; here none is.
    width = columns + 2 * margin
    figure = _figure._figure_class()
    canvas = 1
    figure._set_size(width, canvas + 2)
    figure.xaxes(True, False)
    figure.yaxes(False, False)
    figure.scatter([0], [0], marker=" ")
    figure.xlim(0, max(1, width - 1))
    figure.ylim(0, 1)
    figure.yticks([])
    figure.xticks([column + margin for column, _length in ticks], _stand_ins(ticks))
    matrix = _built(figure)
    return "".join(matrix.marker[1]), "".join(matrix.marker[0])


def _apart(ticks: Sequence[CellTick]) -> tuple[Pattern, list[str]]:
    """The places of labels, and the labels."""
    return tuple((cell, len(label)) for cell, label in ticks), [label for _cell, label in ticks]


def _stand_ins(ticks: Pattern) -> list[str]:
    return [chr(_STAND_IN + number) * length for number, (_cell, length) in enumerate(ticks)]


def _with_labels(rows: Iterable[str], labels: Sequence[str]) -> list[str]:
    """The rows of a pattern with labels in the place of what stands for them, as far as they have room."""
    found = list(rows)
    for number, label in enumerate(labels):
        stand_in = chr(_STAND_IN + number) * len(label)
        found = [row.replace(stand_in, label) for row in found] if stand_in else found
    return found


def _built(figure: Any) -> Any:
    """The matrix of characters of `figure`."""
    figure._set_sizes()
    figure._build_matrix()
    return figure.monitor.matrix
