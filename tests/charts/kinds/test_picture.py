"""Pictures in cells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuistream.charts.kinds import kind, picture
from tuistream.charts.kinds.contract import TRUECOLOUR, DrawStyle, Raster, Size
from tuistream.core.palettes import colours_of

GLYPHS = ("braille", "blocks", "ascii")


def gradient(width: int, height: int) -> Raster:
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack((x * 255 // max(1, width - 1), y * 255 // max(1, height - 1), (x * y) % 256), axis=-1)
    return Raster(pixels.astype(np.uint8))


@settings(max_examples=80, deadline=None)
@given(
    st.tuples(st.integers(0, 90), st.integers(0, 90)),
    st.tuples(st.integers(0, 60), st.integers(0, 30)),
    st.sampled_from(GLYPHS),
    st.sampled_from((0, 16, 256, TRUECOLOUR)),
    st.integers(-3, 40),
    st.tuples(st.integers(-20, 20), st.integers(-20, 20)),
)
def test_any_picture_is_drawn_at_any_size(
    pixels: tuple[int, int], size: tuple[int, int], glyphs: str, colours: int, zoom: int, pan: tuple[int, int]
) -> None:
    style = DrawStyle(glyphs, colours, zoom=zoom, pan=pan)
    frame = kind("picture").draw(gradient(*pixels), Size(*size), style)
    assert frame.chars.shape == size[::-1]
    if frame.fg is not None and frame.bg is not None:
        assert frame.fg.shape == frame.bg.shape == frame.chars.shape
        assert colours
    for row in range(size[1]):
        for column in range(size[0]):
            picture.read_out(gradient(*pixels), Size(*size), style, column, row)


def test_a_pixel_of_the_screen_is_the_mean_of_those_it_stands_for() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    means = np.rint(pixels[:39].reshape(13, 3, 20, 3, 3).mean(axis=(1, 3)))
    tall = picture.scaled(pixels, picture.Crop(0, 0, 60, 39, 0, 0, 20, 7), 20, 13)
    assert np.array_equal(np.rint(tall), means)


def test_the_first_pixels_are_above_the_second_ones() -> None:
    pixels = np.zeros((2, 1, 3), np.uint8)
    pixels[0], pixels[1] = (255, 0, 0), (0, 0, 255)
    frame = picture.draw(Raster(pixels), Size(1, 1), DrawStyle())
    assert frame.fg is not None
    assert frame.bg is not None
    assert (int(frame.fg[0, 0]), int(frame.bg[0, 0])) == (0xFF0000, 0x0000FF)


def test_it_is_as_large_as_there_is_room_and_in_the_middle() -> None:
    crop = picture.crop_of(gradient(100, 50).pixels, Size(40, 20), DrawStyle())
    assert (crop.column, crop.row, crop.columns, crop.rows) == (0, 5, 40, 10)
    nearer = picture.crop_of(gradient(100, 50).pixels, Size(40, 20), DrawStyle(zoom=4))
    assert (nearer.columns, nearer.rows) == (40, 20)
    assert nearer.width < 50
    aside = picture.crop_of(gradient(100, 50).pixels, Size(40, 20), DrawStyle(zoom=4, pan=(99, 99)))
    assert (aside.x + aside.width, aside.y + aside.height) == pytest.approx((100, 50))


@pytest.mark.parametrize("count", [16, 256])
def test_few_colours_are_mixed_to_the_mean(count: int) -> None:
    grey = Raster(np.full((80, 80, 3), 100, np.uint8))
    frame = picture.draw(grey, Size(40, 20), DrawStyle(colours=count))
    assert frame.fg is not None
    assert frame.bg is not None
    both = np.stack((frame.fg, frame.bg))
    assert set(both.ravel().tolist()) <= set(colours_of(np.arange(count, dtype=np.int32), count).tolist())
    assert np.mean(both >> 8 & 255) == pytest.approx(100, abs=30)


def test_without_colours_brightness_is_told_by_dots() -> None:
    for grey, dots in ((0, 0.0), (64, 0.25), (128, 0.5), (255, 1.0)):
        frame = picture.draw(Raster(np.full((8, 8, 3), grey, np.uint8)), Size(40, 20), DrawStyle(colours=0))
        set_dots = np.bitwise_count(frame.chars & 0xFF) * (frame.chars >= 0x2800)
        assert frame.fg is None
        assert set_dots.sum() / (8 * 40 * 20) == pytest.approx(dots, abs=0.07)


def test_a_cell_tells_its_pixel() -> None:
    red = Raster(np.full((10, 10, 3), (200, 16, 0), np.uint8))
    assert picture.read_out(red, Size(10, 5), DrawStyle(), 3, 2) == "x 3  y 5  #c81000"
    assert picture.read_out(red, Size(40, 5), DrawStyle(), 0, 2) == ""
