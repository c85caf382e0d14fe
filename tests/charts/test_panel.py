"""Whole panels as text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tuistream.charts.panel
from tuistream.charts.frame import time_axis
from tuistream.charts.panel import INKS, MARGIN, Axes, Frame, Gap, Tag, compose, layout_for, message_frame
from tuistream.charts.polyline import Line
from tuistream.charts.raster import Viewport
from tuistream.core.batch import Times

S = 1_000_000_000
T = np.arange(61, dtype=np.int64) * S
PRICES = 61_825 + 12 * np.sin(T / S / 7)
VIEW = Viewport(0, 60 * S, 61_808, 61_842)
VALUE_TICKS = [(61_810.0, "61,810"), (61_820.0, "61,820"), (61_830.0, "61,830"), (61_840.0, "61,840")]
TIME_TICKS = [(15 * S, "13:50"), (30 * S, "13:53"), (45 * S, "13:56")]
LAST = Tag(float(PRICES[-1]), "61,834.09", "up")


def panel(
    width: int,
    height: int,
    *,
    glyphs: str = "braille",
    kind: str = "line",
    gaps: tuple[Gap, ...] = (),
    tag: Tag | None = LAST,
    axes: Axes | None = None,
) -> Frame:
    outside = np.ones(len(T), np.bool_)
    for since, to in gaps:
        outside &= np.less_equal(T, since) | np.greater_equal(T, to)
    line = Line(T[outside], PRICES[outside], gaps)
    layout = layout_for(width, height, 9)
    return compose(layout, axes or Axes(), glyphs, [line], VIEW, VALUE_TICKS, TIME_TICKS, tag, gaps, kind)


def text_of(frame: Frame) -> list[str]:
    return ["".join(text for text, _ink in frame.runs(y)) for y in range(frame.height)]


def names(frame: Frame, y: int) -> list[str]:
    return [INKS[ink] for _text, ink in frame.runs(y)]


def test_a_panel() -> None:
    assert text_of(panel(72, 12)) == [
        "                                                            ├ 61,840    ",
        "       ⣀⡤⠤⠖⠢⠤⢄⡀                                    ⣀⡤⠤⠖⠢⠤⢄⡀ │           ",
        "    ⡠⠔⠋⠁      ⠈⠑⠦⡄                              ⡠⠔⠋⠁      ⠈⠑◂ 61,834.09 ",
        "  ⡠⠎⠁            ⠈⠣⡄                         ⢀⡠⠎⠁           ├ 61,830    ",
        "⡔⠊⠁                ⠈⠣⡄                     ⢀⡔⠃              │           ",
        "⠁                    ⠈⠣⣄⡀                ⢀⡔⠃                │           ",
        "                        ⠑⢆⡀            ⢀⡔⠃                  ├ 61,820    ",
        "                          ⠑⠢⣄⡀      ⢀⡠⠖⠃                    │           ",
        "                             ⠉⠓⠒⠦⠔⠒⠊⠁                       │           ",
        "                                                            ├ 61,810    ",
        "───────────────┬──────────────┬──────────────┬──────────────┘           ",
        "             13:50          13:53          13:56                        ",
    ]


def test_a_panel_in_ascii() -> None:
    frame = panel(72, 12, glyphs="ascii", kind="area", gaps=((20 * S, 40 * S),))
    assert text_of(frame) == [
        "                     ///////////////////                    + 61,840    ",
        "       .|----|.      ///////////////////           .|----|. |           ",
        "    .|''::::::'||.   ///////////////////        .|''::::::'|< 61,834.09 ",
        "  ||'::::::::::::'|| ///////////////////     .||':::::::::::+ 61,830    ",
        "||'::::::::::::::::''///////////////////   .||::::::::::::::|           ",
        "'::::::::::::::::::::// no data 20 s /// .||::::::::::::::::|           ",
        ":::::::::::::::::::::///////////////////||::::::::::::::::::+ 61,820    ",
        ":::::::::::::::::::::///////////////////::::::::::::::::::::|           ",
        ":::::::::::::::::::::///////////////////::::::::::::::::::::|           ",
        ":::::::::::::::::::::///////////////////::::::::::::::::::::+ 61,810    ",
        "---------------+--------------+--------------+--------------+           ",
        "             13:50          13:53          13:56                        ",
    ]
    assert all(row.isascii() for row in text_of(frame))


def test_a_small_panel_has_fewer_labels() -> None:
    assert text_of(panel(24, 5)) == [
        "  ⣀⠤⠤⢤⡀            ⢀⡠⠤⠤⣄",
        "⡤⠊⠁   ⠈⠳⡄        ⢀⡔⠉    ",
        "⠁       ⠈⠳⣄    ⣀⡔⠁      ",
        "           ⠙⠒⠒⠊⠁        ",
        "          13:53         ",
    ]
    assert text_of(panel(12, 4)) == [
        " ⡠⢤⡀     ⢀⡤⢤",
        "⡜⠁ ⠹⡄   ⢀⡎  ",
        "⠁   ⠹⡄ ⢀⡎   ",
        "     ⠘⠒⠋    ",
    ]


def test_a_gap_is_a_band_with_its_length_where_there_is_room() -> None:
    rows = text_of(panel(72, 12, gaps=((20 * S, 40 * S), (50 * S, 51 * S))))
    assert rows[5] == "⠁                    ░░ no data 20 s ░░░ ⢀⡔⠃      ░         │           "
    assert rows[0] == "                     ░░░░░░░░░░░░░░░░░░░          ░         ├ 61,840    "
    narrow = text_of(panel(72, 12, gaps=((20 * S, 32 * S),)))
    assert "░ 12 s ░" in narrow[5]


def test_a_gap_that_goes_on_reaches_the_edge() -> None:
    line = Line(T[:31], PRICES[:31])
    frame = compose(layout_for(60, 8, 0), Axes(), "braille", [line], VIEW, [], [], None, [(30 * S, 60 * S)])
    assert all(row[31:36] == "░" * 5 and row[59] == "░" for row in text_of(frame)[:6])


def test_many_gaps_in_one_column() -> None:
    gaps = tuple((k * S // 10, k * S // 10 + S // 20) for k in range(600))
    rows = text_of(panel(72, 12, gaps=gaps))
    assert rows[0].startswith("░" * 60)


def test_the_tag_stands_at_its_value_and_says_when_that_is_outside() -> None:
    frame = panel(72, 12)
    assert names(frame, 2)[-1] == "up"
    assert text_of(frame)[2].rstrip().endswith("◂ 61,834.09")
    above = panel(72, 12, tag=Tag(99_999.0, "99,999.00", "down"))
    assert text_of(above)[0].rstrip().endswith("▴ 99,999.00")
    assert names(above, 0)[-1] == "down"
    below = panel(72, 12, tag=Tag(5.0, "5.00", "sideways"))
    assert text_of(below)[9].rstrip().endswith("▾      5.00")
    assert names(below, 9)[-1] == "flat"
    for nothing in (None, Tag(float("nan"), "-", "flat")):
        assert "◂" not in "".join(text_of(panel(72, 12, tag=nothing)))


def test_an_area_s_filling_has_its_own_ink() -> None:
    frame = panel(72, 12, kind="area")
    assert names(frame, 9) == ["fill", "axis", "label"]
    assert set(names(frame, 4)) == {"price", "fill", "axis"}


def test_labels_are_thinned_by_the_clock_not_by_the_window() -> None:
    ticks = [(k * S, f"13:{k:05}") for k in range(160)]
    seen: dict[str, set[int]] = {}
    for start in range(100):
        view = Viewport(start * S, (start + 60) * S, 0, 1)
        frame = compose(layout_for(60, 8, 0), Axes(), "braille", [], view, [], ticks, None, [])
        for word in text_of(frame)[-1].split():
            seen.setdefault(word, set()).add(start)
    # Each label that is ever shown is shown for as long as it is well inside.
    for word, starts in seen.items():
        at = int(word[3:])
        assert {start for start in range(100) if start + 6 <= at < start + 54} <= starts


def test_a_label_never_leaves_its_tick() -> None:
    offsets = set()
    for start in range(40):
        view = Viewport(start * S, (start + 60) * S, 0, 1)
        frame = compose(layout_for(60, 8, 0), Axes(), "braille", [], view, [], [(60 * S, "13:51:00")], None, [])
        line, labels = text_of(frame)[-2:]
        if "┬" in line:
            offsets.add(line.index("┬") - labels.index("13:51:00"))
    assert len(offsets) == 1


def test_axes_are_drawn_anew_only_when_they_change(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    for name in ("value_axis", "time_axis"):
        real = getattr(tuistream.charts.panel, name)

        def counted(*args: Any, name: str = name, real: Any = real) -> Any:
            drawn.append(name)
            return real(*args)

        monkeypatch.setattr(tuistream.charts.panel, name, counted)
    axes = Axes()
    first = panel(72, 12, axes=axes)
    assert sorted(drawn) == ["time_axis", "value_axis"]
    again = panel(72, 12, axes=axes, tag=LAST._replace(direction="down"))
    assert len(drawn) == 2
    assert text_of(again) == text_of(first)
    panel(72, 13, axes=axes)
    assert sorted(drawn) == ["time_axis", "value_axis", "value_axis"]


def test_changed_rows() -> None:
    before, after = panel(72, 12), panel(72, 12, tag=Tag(61_830.5, "61,830.50", "up"))
    assert after.changed_rows(before).tolist() == [2, 3]
    assert before.changed_rows(panel(72, 12)).tolist() == []
    down = panel(72, 12, tag=LAST._replace(direction="down"))
    assert down.changed_rows(before).tolist() == [2]


def test_a_message_is_wrapped_centred_and_harmless() -> None:
    text = "connecting to\n[red]wss://x\x1b[31m[/red] 価格\n\nwaiting for the first tick that may never come"
    assert text_of(message_frame(text, 30, 8)) == [
        "                              ",
        "        connecting to         ",
        "  [red]wss://x·[31m[/red] ··  ",
        "                              ",
        "  waiting for the first tick  ",
        "     that may never come      ",
        "                              ",
        "                              ",
    ]
    assert text_of(message_frame("wärmer", 8, 1, "ascii")) == [" w?rmer "]
    assert text_of(message_frame("a very long message", 6, 2)) == ["a very", "long m"]


@pytest.mark.parametrize("glyphs", ["braille", "blocks", "ascii"])
def test_every_size_can_be_drawn(glyphs: str) -> None:
    axes = Axes()
    for width in (*range(1, 50), 120):
        for height in range(1, 12):
            layout = layout_for(width, height, 9)
            assert layout.columns + (9 + MARGIN if layout.labels else 0) == width
            frame = panel(width, height, glyphs=glyphs, axes=axes, gaps=((20 * S, 40 * S),))
            assert all(len(row) == width for row in text_of(frame))
            assert frame.ink[frame.chars != 0x20].min(initial=0) >= 0


FLOATS = st.floats(width=64)


@given(
    st.lists(st.tuples(FLOATS, st.text(max_size=12).map(ascii)), max_size=4),
    st.lists(st.tuples(st.integers(0, 1 << 62), st.text(max_size=9).map(ascii)), max_size=4),
    st.one_of(st.none(), st.builds(Tag, FLOATS, st.just("61,834.09"), st.sampled_from(["up", "down", "flat"]))),
    st.lists(st.tuples(st.integers(0, 1 << 62), st.integers(0, 1 << 62)), max_size=4),
    st.tuples(st.integers(0, 1 << 62), st.integers(0, 1 << 62), FLOATS, FLOATS, st.booleans()),
    st.tuples(st.integers(1, 60), st.integers(1, 12)),
)
def test_no_state_makes_it_fail(
    value_ticks: list[tuple[float, str]],
    time_ticks: list[tuple[int, str]],
    tag: Tag | None,
    gaps: list[Gap],
    view: tuple[int, int, float, float, bool],
    size: tuple[int, int],
) -> None:
    t: Times = np.array([view[0]], dtype=np.int64)
    lines = [Line(t, np.array([view[2]]), tuple(gaps))]
    layout = layout_for(*size, 9)
    frame = compose(layout, Axes(), "braille", lines, Viewport(*view), value_ticks, sorted(time_ticks), tag, gaps)
    assert (frame.width, frame.height) == size


@given(
    st.integers(20, 120),
    st.lists(st.integers(14, 40), min_size=1, max_size=6),
    st.lists(st.integers(0, 30), max_size=8),
)
def test_time_labels_wander_as_if_drawn_anew(columns: int, steps: list[int], shifts: list[int]) -> None:
    cells = np.cumsum(steps).tolist()
    kept = Axes()
    for shift in sorted(shifts):
        moved = [(cell - shift, f"13:{i:02}:00") for i, cell in enumerate(cells) if 4 <= cell - shift <= columns - 5]
        view = Viewport(0, columns * S, 0.0, 1.0)
        ticks = [(cell * S, label) for cell, label in moved]
        layout = layout_for(columns, 8, 0)
        frames = [compose(layout, axes, "braille", [], view, [], ticks, None, ()) for axes in (kept, Axes())]
        assert text_of(frames[0]) == text_of(frames[1])
        line, labels = time_axis(columns, moved)
        if moved:
            assert text_of(frames[0])[-2:] == [line, labels]
