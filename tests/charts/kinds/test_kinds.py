"""What all kinds have in common."""

from __future__ import annotations

import pkgutil
from datetime import UTC

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuistream.charts import kinds
from tuistream.charts.kinds.canvas import Canvas, blank, cut, shown, write
from tuistream.charts.kinds.contract import (
    TRUECOLOUR,
    Content,
    DrawStyle,
    Markers,
    Matrix,
    Points,
    Raster,
    Size,
    Ticks,
    Values,
)
from tuistream.charts.panel import INKS, one_cell


def test_each_file_that_draws_has_a_name_that_people_type() -> None:
    files = {module.name for module in pkgutil.iter_modules(kinds.__path__)}
    drawing = {file.replace("_", "-") for file in files if hasattr(kinds.kind(file.replace("_", "-")), "draw")}
    assert set(kinds.there()) == drawing | set(kinds.LINES)
    for name in drawing:
        assert callable(kinds.kind(name).fits)
        assert callable(kinds.kind(name).read_out)


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


FLOATS = st.one_of(st.floats(width=64), st.sampled_from([0.0, -1.0, 1e308, -1e308, 5e-324, np.nan, np.inf, 3.0]))
PLACES = st.integers(-(1 << 62), 1 << 62)
WORDS = st.text(max_size=30)


@st.composite
def ticks(draw: st.DrawFn) -> Ticks:
    t = np.array(sorted(draw(st.lists(PLACES, max_size=12))), np.int64)
    names = tuple(dict.fromkeys(draw(st.lists(st.one_of(WORDS, st.sampled_from("xyr")), min_size=1, max_size=10))))
    columns = {name: np.array(draw(st.lists(FLOATS, min_size=len(t), max_size=len(t)))) for name in names}
    t0, t1 = sorted(draw(st.tuples(PLACES, PLACES)))
    shown = names[: draw(st.integers(1, len(names)))]
    return Ticks(t, columns, shown, t0, t1, ((t0, t1),), draw(st.sampled_from(["", "x"])))


@st.composite
def values(draw: st.DrawFn) -> Values:
    labels, names = draw(st.lists(WORDS, max_size=9)), draw(st.lists(WORDS, max_size=9))
    count = len(labels) * len(names)
    v = np.array(draw(st.lists(FLOATS, min_size=count, max_size=count)), np.float64)
    return Values(tuple(labels), tuple(names), v.reshape(len(names), len(labels)))


@st.composite
def points(draw: st.DrawFn) -> Points:
    x = np.array(sorted(draw(st.lists(st.floats(allow_nan=False), max_size=12))), np.float64)
    columns = {name: np.array(draw(st.lists(FLOATS, min_size=len(x), max_size=len(x)))) for name in ("y", "z")}
    return Points(x, columns, draw(WORDS))


@st.composite
def matrices(draw: st.DrawFn) -> Matrix:
    h, w = draw(st.integers(0, 7)), draw(st.integers(0, 7))
    v = np.array(draw(st.lists(FLOATS, min_size=h * w, max_size=h * w)), np.float64).reshape(h, w)
    return Matrix(v, counts=draw(st.booleans()), outside=draw(st.integers(0, 9)))


@st.composite
def markers(draw: st.DrawFn) -> Markers:
    count = draw(st.integers(0, 6))
    lists = st.lists(FLOATS, min_size=count, max_size=count).map(lambda v: np.array(v, np.float64))
    labels = draw(st.lists(WORDS, min_size=count, max_size=count))
    return Markers(draw(lists), draw(lists), tuple(labels), centre=draw(st.sampled_from([None, (2.2, 41.4)])))


@st.composite
def rasters(draw: st.DrawFn) -> Content:
    h, w = draw(st.integers(0, 9)), draw(st.integers(0, 9))
    return Raster(np.full((h, w, 3), draw(st.integers(0, 255)), np.uint8))


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    content=st.one_of(ticks(), values(), points(), matrices(), markers(), rasters()),
    width=st.integers(1, 90),
    height=st.integers(1, 30),
    glyphs=st.sampled_from(["braille", "blocks", "ascii"]),
    colours=st.sampled_from([0, 16, 256, TRUECOLOUR]),
    log=st.booleans(),
)
def test_any_content_in_any_size_gives_a_frame_of_that_size(
    content: Content, width: int, height: int, glyphs: str, colours: int, log: bool
) -> None:
    size, style = Size(width, height), DrawStyle(glyphs, colours, log=log, timezone=UTC)
    for name in kinds.fitting(content):
        if name in kinds.LINES:
            continue
        frame = kinds.kind(name).draw(content, size, style)
        assert (frame.width, frame.height) == size, name
        assert frame.ink.min() >= -1, name
        assert frame.ink.max() < len(INKS), name
        assert all(one_cell(chr(code), glyphs) for code in set(frame.chars.flat)), name
        said = kinds.kind(name).read_out(content, size, style, width // 2, height // 2)
        assert "\n" not in said, name
        assert "\x1b" not in said, name
