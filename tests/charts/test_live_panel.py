"""A panel that grows shows what it would show if it were composed anew."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from tuistream.charts.live_end import Points
from tuistream.charts.live_panel import LivePanel
from tuistream.charts.panel import Axes, Frame, Gap, Tag, compose, layout_for
from tuistream.charts.polyline import Line
from tuistream.charts.raster import Viewport
from tuistream.core.batch import Times, Values

S = 1_000_000_000
VIEW = Viewport(0, 60 * S, -10.0, 10.0)
TICKS = [(-5.0, "-5.0"), (0.0, "0.0"), (5.0, "5.0")]

values = st.one_of(
    st.floats(-12, 12),
    st.sampled_from([-10.0, 10.0, 0.0, 1e12, -1e300, float("nan"), float("inf")]),
    st.integers(-40, 40).map(lambda quarter: quarter / 4),
)
steps = st.sampled_from([0, 1, S // 1_000, S // 10, S // 5, S, 3 * S, 20 * S])
points = st.lists(st.tuples(steps, values, values), min_size=1, max_size=40)


def tag_of(column: Values) -> Tag:
    value = float(column[-1])
    return Tag(value, f"{value:.1f}", "up" if value > 0 else "down")


def composed(
    columns: list[Values],
    t: Times,
    size: tuple[int, int],
    glyphs: str,
    gaps: tuple[Gap, ...] = (),
    view: Viewport = VIEW,
) -> LivePanel:
    layout = layout_for(*size, 6)
    lines = [Line(t, column, gaps, style) for style, column in zip((0, 4), columns, strict=True)]
    tag = tag_of(columns[0])
    frame = compose(layout, Axes(), glyphs, lines, view, TICKS, times_of(view), tag, gaps)
    return LivePanel(frame, layout, glyphs, lines, view, TICKS, tag, gaps)


def times_of(view: Viewport) -> list[tuple[int, str]]:
    every = 20 * S
    return [(t, f"{t // S}s") for t in range(-(-view.t0 // every) * every, view.t1, every)]


def points_of(columns: list[Values], t: Times, first: int, stop: int) -> list[Points]:
    part = slice(first, stop)
    return [Points(t[part], v[part], v[part].min(initial=np.inf), v[part].max(initial=-np.inf)) for v in columns]


def difference(one: Frame, other: Frame) -> set[tuple[int, int]]:
    rows, columns = np.nonzero((one.chars != other.chars) | (one.ink != other.ink))
    return set(zip(rows.tolist(), columns.tolist(), strict=True))


@given(
    points,
    st.lists(st.integers(1, 40), max_size=6),
    st.sampled_from([(72, 12), (30, 8), (20, 5), (160, 40)]),
    st.sampled_from(["braille", "blocks", "ascii"]),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=2),
)
@example([(S, 1.0, 2.0)] * 30, [3, 4, 5, 6, 20], (72, 12), "braille", [])
@example([(S, 9.0, -9.0), (S, -9.0, 9.0)] * 15, [2, 9, 10, 20], (30, 8), "ascii", [(1, 3)])
def test_growing_equals_drawing_anew(
    drawn: list[tuple[int, float, float]],
    cuts: list[int],
    size: tuple[int, int],
    glyphs: str,
    gaps: list[tuple[int, int]],
) -> None:
    t = np.cumsum([step for step, _, _ in drawn]).astype(np.int64)
    both = [np.array(column) for column in list(zip(*drawn, strict=True))[1:]]
    bands = tuple((since * S, (since + length) * S) for since, length in gaps)
    ends = sorted({*(cut for cut in cuts if cut < len(t)), len(t)})
    panel = composed([column[: ends[0]] for column in both], t[: ends[0]], size, glyphs, bands)
    for before, end in pairwise(ends):
        new = points_of(both, t, before, end)
        as_it_was = panel.frame.chars.copy(), panel.frame.ink.copy()
        anew = composed([column[:end] for column in both], t[:end], size, glyphs, bands)
        places = panel.grow(new, tag_of(both[0][:end]))
        if places is None:
            assert difference(panel.frame, Frame(*as_it_was)) == set()
            panel = anew
        else:
            assert difference(panel.frame, anew.frame) == set()
            assert difference(panel.frame, Frame(*as_it_was)) <= set(places)


def test_a_line_that_goes_on_inside_the_window_grows() -> None:
    t = np.arange(400, dtype=np.int64) * (S // 10)
    wave = 9 * np.sin(t / S)
    panel = composed([wave[:100], wave[:100] / 2], t[:100], (72, 12), "braille", ((S, 2 * S),))
    for end in range(101, 400):
        new = [Points(t[end - 1 : end], v[end - 1 : end], v[end - 1], v[end - 1]) for v in (wave, wave / 2)]
        places = panel.grow(new, tag_of(wave[:end]))
        assert places is not None or f"{wave[end - 1]:.1f}".find(".") != f"{wave[end - 2]:.1f}".find(".")
        anew = composed([wave[:end], wave[:end] / 2], t[:end], (72, 12), "braille", ((S, 2 * S),))
        if places is None:
            panel = anew
        assert difference(panel.frame, anew.frame) == set()


@given(
    points,
    st.lists(st.integers(1, 40), max_size=6),
    st.sampled_from([(72, 12), (30, 8), (20, 5), (160, 40)]),
    st.sampled_from(["braille", "blocks", "ascii"]),
    st.sampled_from([S, S // 4, 3 * S, S + 1, S - 1]),
    st.integers(0, 3),
)
@example([(S, 1.0, 2.0), (S // 5, 3.0, -2.0)] * 20, [3, 9, 20, 21, 30], (30, 8), "braille", S, 0)
@example([(S, 1.0, 2.0)] * 40, [30, 33, 36], (30, 8), "braille", S, 2)
@example([(S, 1.0, 2.0), (S, 8.0, -7.0)] * 20, [30, 31, 32, 33], (30, 8), "braille", S, 0)
def test_sliding_equals_drawing_anew(
    drawn: list[tuple[int, float, float]],
    cuts: list[int],
    size: tuple[int, int],
    glyphs: str,
    width: int,
    ahead: int,
) -> None:
    t = np.cumsum([step for step, _, _ in drawn]).astype(np.int64)
    both = [np.array(column) for column in list(zip(*drawn, strict=True))[1:]]
    layout = layout_for(*size, 6)

    def window(end: int) -> Viewport:
        t1 = -(-int(t[end - 1]) // width) * width + ahead * width
        return Viewport(t1 - layout.columns * width, t1, VIEW.lo, VIEW.hi)

    ends = sorted({*(cut for cut in cuts if cut < len(t)), len(t)})
    panel = composed([column[: ends[0]] for column in both], t[: ends[0]], size, glyphs, view=window(ends[0]))
    for before, end in pairwise(ends):
        view, tag = window(end), tag_of(both[0][:end])
        anew = composed([column[:end] for column in both], t[:end], size, glyphs, view=view)
        new = points_of(both, t, before, end)
        if panel.slide(layout, Axes(), new, view, TICKS, times_of(view), tag):
            assert difference(panel.frame, anew.frame) == set()
        else:
            panel = anew


def test_a_line_slides_on_and_on() -> None:
    t = np.arange(400, dtype=np.int64) * (S // 10) + 7
    wave = 9 * np.sin(t / S)
    both = [wave, wave / 2]
    layout = layout_for(72, 12, 6)
    width = S // 4
    axes = Axes()

    def window(end: int) -> Viewport:
        t1 = (int(t[end - 1]) // width + 1) * width
        return Viewport(t1 - layout.columns * width, t1, VIEW.lo, VIEW.hi)

    panel = composed([v[:100] for v in both], t[:100], (72, 12), "braille", view=window(100))
    for end in range(101, 400):
        view = window(end)
        tag = tag_of(wave[:end])
        assert panel.slide(layout, axes, points_of(both, t, end - 1, end), view, TICKS, times_of(view), tag)
        anew = composed([v[:end] for v in both], t[:end], (72, 12), "braille", view=view)
        assert difference(panel.frame, anew.frame) == set()


def test_a_panel_with_a_gap_does_not_slide() -> None:
    t = np.arange(100, dtype=np.int64) * (S // 2)
    layout = layout_for(69, 12, 6)
    panel = composed([np.sin(t)] * 2, t, (69, 12), "braille", ((S, 2 * S),))
    later = Viewport(S, 61 * S, VIEW.lo, VIEW.hi)
    assert not panel.slide(
        layout, Axes(), points_of([np.sin(t)] * 2, t, 100, 100), later, TICKS, [], tag_of(np.sin(t))
    )
    panel = composed([np.sin(t)] * 2, t, (69, 12), "braille")
    assert panel.slide(layout, Axes(), points_of([np.sin(t)] * 2, t, 100, 100), later, TICKS, [], tag_of(np.sin(t)))
