import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tuistream.charts.kinds import heat_map
from tuistream.charts.kinds.contract import TRUECOLOUR, DrawStyle, Matrix, Size
from tuistream.charts.panel import Frame

DAYS = ("mon", "tue", "wed")


def text(frame: Frame) -> list[str]:
    return ["".join(part for part, _ink in frame.runs(y)) for y in range(frame.height)]


def test_a_cell_has_two_values_one_above_the_other() -> None:
    frame = heat_map.draw(Matrix(np.array([[0.0, 1.0], [2.0, 3.0]])), Size(20, 6), DrawStyle())
    assert frame.fg is not None
    assert frame.bg is not None
    values = np.array([frame.fg[0, 0], frame.fg[0, 10], frame.bg[4, 0], frame.bg[4, 10]])
    assert len(set(values.tolist())) == 4
    light = [sum((value >> shift & 255) for shift in (0, 8, 16)) for value in values.tolist()]
    assert light == sorted(light)


def test_in_few_colours_and_in_ascii_it_is_shades() -> None:
    content = Matrix(np.array([[0.0, 1.0], [2.0, 3.0]]))
    for style, signs in ((DrawStyle(colours=16), "░▒▓█"), (DrawStyle("ascii", colours=TRUECOLOUR), ".:-=+*#%@")):
        frame = heat_map.draw(content, Size(20, 6), style)
        assert frame.fg is None
        assert text(frame)[0].startswith(signs[0])
        assert signs[-1] in text(frame)[5]


def test_labels_the_scale_and_how_much_there_is() -> None:
    content = Matrix(np.arange(6.0).reshape(3, 2), DAYS, ("a", "b"), counts=True, outside=4)
    shown = text(heat_map.draw(content, Size(60, 14), DrawStyle()))
    assert [row[:3] for row in shown if row[:3].strip()] == list(DAYS)
    assert shown[12].split() == ["a", "b"]
    assert "2 x 3  15 counted  4 outside" in shown[13]
    assert {row[-2:].strip() for row in shown[:12] if row[-2:].strip()} >= {"0", "4"}


def test_what_is_under_the_cursor() -> None:
    content = Matrix(np.arange(6.0).reshape(3, 2), DAYS, ("a", "b"))
    size, style = Size(60, 14), DrawStyle(colours=16)
    assert heat_map.read_out(content, size, style, 5, 0) == "mon  a  0"
    assert heat_map.read_out(content, size, style, 5, 9) == "wed  a  4"
    assert heat_map.read_out(content, size, style, 59, 0) == ""
    many = Matrix(np.arange(10_000.0).reshape(100, 100), counts=True)
    assert heat_map.read_out(many, Size(25, 11), style, 0, 0).endswith("at most, of 50")
    assert heat_map.read_out(many, Size(25, 11), style, 0, 0).startswith("rows 0 to 9  columns 0 to 4  904")


def test_the_largest_of_what_shares_a_cell_shows() -> None:
    v = np.zeros((1_000, 1_000))
    v[777, 333] = 9
    frame = heat_map.draw(Matrix(v, counts=True), Size(40, 12), DrawStyle())
    assert frame.fg is not None
    assert (frame.chars[:11, :30] != 0x20).sum() == 1


def test_nothing_counted_says_so() -> None:
    assert any(
        "nothing counted" in row
        for row in text(heat_map.draw(Matrix(np.zeros((2, 2)), counts=True), Size(40, 7), DrawStyle()))
    )
    assert any(
        "no value" in row for row in text(heat_map.draw(Matrix(np.full((2, 2), np.nan)), Size(40, 7), DrawStyle()))
    )


@settings(max_examples=80)
@given(
    arrays(np.float64, st.tuples(st.integers(1, 30), st.integers(1, 30))),
    st.integers(1, 60),
    st.integers(1, 20),
    st.sampled_from(["braille", "blocks", "ascii"]),
    st.sampled_from([0, 16, 256, TRUECOLOUR]),
    st.booleans(),
    st.booleans(),
)
def test_any_float_at_any_size(
    v: np.ndarray, width: int, height: int, glyphs: str, colours: int, log: bool, counts: bool
) -> None:
    content = Matrix(v, tuple("🙂\x1b[31m" for _ in range(v.shape[0])), tuple("x" for _ in range(v.shape[1])), counts)
    style = DrawStyle(glyphs, colours, log=log)
    assert heat_map.fits(content)
    frame = heat_map.draw(content, Size(width, height), style)
    assert frame.chars.shape == (height, width)
    assert not (frame.chars < 0x20).any()
    if glyphs == "ascii":
        assert frame.chars.max() < 128
    for column in (0, width // 2, width - 1):
        heat_map.read_out(content, Size(width, height), style, column, height // 2)


@pytest.mark.parametrize("shape", [(0, 0), (0, 4)])
def test_no_matrix_is_none(shape: tuple[int, int]) -> None:
    assert not heat_map.fits(Matrix(np.empty(shape)))
