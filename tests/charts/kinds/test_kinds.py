"""What all kinds have in common."""

from __future__ import annotations

import pkgutil

import numpy as np

from tuistream.charts import kinds
from tuistream.charts.kinds.canvas import Canvas, blank, cut, shown, write
from tuistream.charts.kinds.contract import Size

NO_KINDS = {"contract", "canvas", "plot"}


def test_each_file_here_is_a_kind_with_a_name_that_people_type() -> None:
    files = {module.name for module in pkgutil.iter_modules(kinds.__path__)} - NO_KINDS
    assert {name.replace("-", "_") for name in kinds.there()} == files | set(kinds.LINES)
    for file in files:
        one = kinds.kind(file.replace("_", "-"))
        assert callable(one.fits)
        assert callable(one.draw)
        assert callable(one.read_out)


def test_a_text_takes_the_cells_that_there_are() -> None:
    frame = blank(Size(8, 2))
    write(frame, 0, 5, "abcdef", 3)
    write(frame, 1, -2, "abcdef", 4)
    write(frame, 7, 0, "below", 4)
    assert [frame.runs(y)[-1][0].strip() for y in (0, 1)] == ["abc", "cdef"]
    assert shown("a\x1b[31m日", "braille") == "a·[31m·"
    assert cut("a long name", 6, "braille") == "a lon…"


def test_dots_fill_cells_and_the_last_ink_owns_them() -> None:
    frame = blank(Size(4, 2))
    canvas = Canvas(3, 2, "braille")
    canvas.fill(np.ones((canvas.rows, canvas.columns), np.bool_), 1)
    canvas.set(np.array([0, 99]), np.array([0, 0]), 2)
    canvas.put(frame, column=1)
    assert frame.chars[0].tolist() == [0x20, 0x28FF, 0x28FF, 0x28FF]
    assert frame.ink.tolist() == [[-1, 2, 1, 1], [-1, 1, 1, 1]]
