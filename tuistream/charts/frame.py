"""Axes drawn by plotext, as text, for canvases that are not plotext's.

plotext 5.3 has no public way to the characters of a figure, so this file uses private names of it: the class
`_figure_class`, its `_set_size`, `_set_sizes` and `_build_matrix`, and of `monitor.matrix` the rows `marker` (the
lowest first) and the ranges `Cols_canvas` and `Rows_canvas`. A test fails when one of them changes.

Ticks are given in cells, so that an axis agrees to the cell with a drawing beside it, on any scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plotext import _figure

CellTick = tuple[int, str]


def value_axis(rows: int, ticks: Sequence[CellTick]) -> list[str]:
    """A value axis to be put at the right of a canvas of `rows` rows: each row's text, from the top.

    ticks: (row from the top, label). A text is the axis and what is beside it: "│", or "├" and a label.
    """
    figure = _figure._figure_class()
    width = max((len(label) for _row, label in ticks), default=0)
    canvas = 2
    figure._set_size(canvas + 1 + width, rows)
    figure.xaxes(False, False)
    figure.yaxes(False, True)
    figure.scatter([0], [0], marker=" ", yside="right")
    figure.xlim(0, 1)
    figure.ylim(0, max(1, rows - 1), yside="right")
    figure.xticks([])
    figure.yticks([rows - 1 - row for row, _label in ticks], [label for _row, label in ticks], yside="right")
    matrix = _built(figure)
    return ["".join(row[matrix.Cols_canvas.stop :]) for row in reversed(matrix.marker)]


def time_axis(columns: int, ticks: Sequence[CellTick]) -> tuple[str, str]:
    """A time axis to be put under a canvas of `columns` columns: the line with its ticks, and the labels below it.

    ticks: (column, label). A label that has no room beside another is left out with its tick; one that does not
    fit into the columns is cut.
    """
    # plotext pushes a label away from a border that is less than its length away; here none is.
    margin = max((len(label) for _column, label in ticks), default=0)
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
    figure.xticks([column + margin for column, _label in ticks], [label for _column, label in ticks])
    matrix = _built(figure)
    if not ticks:  # plotext then leaves out the row of labels
        return "─" * columns, " " * columns
    line, labels = ("".join(row[margin : margin + columns]) for row in (matrix.marker[1], matrix.marker[0]))
    return line, labels


def _built(figure: Any) -> Any:
    """The matrix of characters of `figure`."""
    figure._set_sizes()
    figure._build_matrix()
    return figure.monitor.matrix
