from datetime import UTC

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuistream.charts.kinds import candles
from tuistream.charts.kinds.contract import DrawStyle, Points, Size, Ticks
from tuistream.charts.panel import DOWN, INKS, UP

SECOND = 1_000_000_000
START = 1_795_172_400 * SECOND
STYLE = DrawStyle(timezone=UTC)


def ticks(values: list[float], step: int = SECOND, span: int = 60, gaps: tuple[tuple[int, int], ...] = ()) -> Ticks:
    t = START + step * np.arange(len(values), dtype=np.int64)
    return Ticks(t, {"price": np.array(values, float)}, ("price",), START, START + span * SECOND, gaps)


def rows(content: Ticks, width: int, height: int, style: DrawStyle = STYLE) -> list[str]:
    frame = candles.draw(content, Size(width, height), style)
    assert (frame.width, frame.height) == (width, height)
    return ["".join(text for text, _ink in frame.runs(y)) for y in range(height)]


def test_a_rise_and_a_fall() -> None:
    content = ticks([*np.linspace(10, 20, 30), *np.linspace(20, 12, 30)])
    frame = candles.draw(content, Size(60, 12), DrawStyle(timezone=UTC, cell=30 * SECOND))
    inked = {int(ink) for ink in frame.ink[:10, :40].ravel() if ink >= 0}
    assert inked == {UP, DOWN}
    assert frame.ink[5, 10] in (UP, -1)
    text = "\n".join("".join(text for text, _ in frame.runs(y)) for y in range(12))
    assert "█" in text
    assert "◂ 12" in text


def test_what_is_under_the_cursor() -> None:
    content = ticks([10, 12, 9, 11, *([11.5] * 56)])
    style = DrawStyle(timezone=UTC, cell=5 * SECOND)
    assert candles.read_out(content, Size(60, 12), style, 1, 5) == (
        "11:00:00 5 s  open 10.0 high 12.0 low 9.0 close 11.5  5 ticks"
    )
    assert candles.read_out(content, Size(60, 12), style, 59, 5) == ""
    assert candles.read_out(ticks([1.0, 2.0]), Size(60, 12), STYLE, 30, 5).endswith("no value")


def test_a_candle_whose_beginning_is_not_there_is_left_out() -> None:
    content = ticks([float(value) for value in range(60)])
    late = Ticks(content.t, content.columns, ("price",), START + 7 * SECOND, START + 60 * SECOND)
    first = candles.read_out(late, Size(60, 12), DrawStyle(timezone=UTC, cell=5 * SECOND), 0, 5)
    assert first == "11:00:10 5 s  open 10 high 14 low 10 close 14  5 ticks" or first.endswith("no value")


def test_without_colour_a_rise_looks_unlike_a_fall() -> None:
    for style in (DrawStyle(colours=0, timezone=UTC), DrawStyle(glyphs="ascii", timezone=UTC)):
        up, down = rows(ticks([1.0, 2.0]), 40, 12, style), rows(ticks([2.0, 1.0]), 40, 12, style)
        assert {char for row in up for char in row[:25]} != {char for row in down for char in row[:25]}


def test_a_gap_shows() -> None:
    content = ticks([10.0] * 20, gaps=((START + 20 * SECOND, START + 40 * SECOND),))
    assert any("no data 20 s" in row for row in rows(content, 80, 12))


def test_an_empty_window_says_so() -> None:
    assert any("no value" in row for row in rows(ticks([]), 40, 9))
    assert any("no value" in row for row in rows(ticks([float("nan")] * 9), 40, 9))


def test_it_fits_time_only() -> None:
    assert candles.fits(ticks([1.0]))
    assert not candles.fits(Points(np.zeros(2), {}))
    wave = ticks([1.0])
    assert not candles.fits(Ticks(wave.t, wave.columns, wave.shown, wave.t0, wave.t1, axis="x"))


@settings(max_examples=60)
@given(
    st.lists(st.floats(width=64), max_size=30),
    st.integers(1, 90),
    st.integers(1, 24),
    st.sampled_from(["braille", "blocks", "ascii"]),
    st.booleans(),
    st.sampled_from([1, SECOND // 3, 3_600 * SECOND]),
)
def test_any_float_at_any_size(
    values: list[float], width: int, height: int, glyphs: str, log: bool, step: int
) -> None:
    content = ticks(values, step, span=max(1, 30 * step // SECOND))
    style = DrawStyle(glyphs=glyphs, log=log, timezone=UTC)
    frame = candles.draw(content, Size(width, height), style)
    assert frame.chars.shape == (height, width)
    assert frame.ink.max(initial=-1) < len(INKS)
    if glyphs == "ascii":
        assert frame.chars.max(initial=0) < 128
    candles.read_out(content, Size(width, height), style, width // 2, height // 2)


@pytest.mark.parametrize("size", [(20, 5), (80, 24), (200, 50)])
def test_as_many_candles_as_there_is_room_for(size: tuple[int, int]) -> None:
    values = [float(value) for value in np.cumsum(np.random.default_rng(4).normal(size=900))]
    text = rows(ticks(values, span=900), *size)
    assert sum(char in "╷╻╵│╽╹╿┃" for row in text[: size[1] - 2] for char in row) >= 3


def test_a_wide_body_is_not_torn_from_its_wicks() -> None:
    values = [float(value) for value in np.cumsum(np.random.default_rng(5).normal(size=60))]
    content = ticks(values)
    frame = candles.draw(content, Size(120, 23), DrawStyle(timezone=UTC, cell=10 * SECOND))
    plot = frame.chars[:21, :100]
    centres = [x for x in range(100) if (plot[:, x] == ord("│")).any()]
    assert len(centres) >= 3
    for x in centres:
        rows = np.flatnonzero(plot[:, x] != 0x20)
        assert len(rows) == rows[-1] - rows[0] + 1
        assert not set("▄▀") & {chr(plot[y, x]) for y in rows[1:-1]}
