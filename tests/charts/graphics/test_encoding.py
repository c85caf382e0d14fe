"""What is sent of a picture is what a terminal reads."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.charts.graphics.reading import KittyTerminal, Pixels, sixels_read
from tuistream.charts.graphics import kitty
from tuistream.charts.graphics.reduced import MOST_PIXELS, Reduced, cut, fitted
from tuistream.charts.graphics.sixel import BAND, sixels, strip_rows
from tuistream.charts.kinds.picture import Crop

PERCENT = 2  # of 255, by which a colour in whole percents may differ from the one that was meant


def noise(seed: int, height: int, width: int, colours: int) -> Pixels:
    chance = np.random.default_rng(seed)
    palette = chance.integers(0, 256, (colours, 3), np.uint8)
    return palette[chance.integers(0, colours, (height, width))]


def crop(width: int, height: int, columns: int, rows: int) -> Crop:
    return Crop(0.0, 0.0, width, height, 0, 0, columns, rows)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 99), st.integers(1, 5), st.integers(1, 90), st.integers(1, 40), st.integers(1, 3))
def test_sixels_are_the_pixels(seed: int, bands: int, width: int, colours: int, strips: int) -> None:
    pixels = noise(seed, bands * strips * BAND, width, colours)
    found = sixels(Reduced(pixels), [bands * BAND] * strips)
    read = np.concatenate([sixels_read(each) for each in found])
    assert np.abs(read.astype(int) - pixels).max() <= PERCENT


def test_many_colours_become_few_near_ones() -> None:
    ramp = np.linspace(0, 255, 300).astype(np.uint8)
    pixels = np.stack(np.broadcast_arrays(ramp[None], ramp[:60, None], ramp[None, ::-1]), axis=-1)
    for colours, apart in ((256, 12), (16, 48)):
        (found,) = sixels(Reduced(pixels, colours), [60])
        read = sixels_read(found)
        assert len(np.unique(read.reshape(-1, 3), axis=0)) <= colours
        assert np.abs(read.astype(int) - pixels).mean() < apart


def test_dithered_colours_are_right_on_the_whole() -> None:
    ramp = np.linspace(0, 255, 300).astype(np.uint8)
    pixels = np.stack(np.broadcast_arrays(ramp[None], ramp[:60, None], ramp[None, ::-1]), axis=-1)
    apart = []
    for dithered in (True, False):
        (found,) = sixels(Reduced(pixels, 16, dithered), [60])
        error = sixels_read(found).astype(float) - pixels
        apart.append(np.abs(error.reshape(10, 6, 50, 6, 3).mean(axis=(1, 3))).mean())
    assert apart[0] < apart[1] / 2


def test_sixels_are_short_where_there_is_little_to_see() -> None:
    plain = np.full((600, 800, 3), 200, np.uint8)
    (found,) = sixels(Reduced(plain), [600])
    assert len(found) < 1_000


@pytest.mark.parametrize(
    ("shape", "heights"), [((12, 5_000), [12]), ((6_000, 6), [6]), ((12, 6), [18]), ((12, 6), [7])]
)
def test_what_cannot_be_sixels_is_refused(shape: tuple[int, int], heights: list[int]) -> None:
    with pytest.raises(ValueError, match="pixels in strips"):
        sixels(Reduced(np.zeros((*shape, 3), np.uint8)), heights)


@given(st.integers(1, 100))
def test_strips_are_whole_bands(cell: int) -> None:
    assert strip_rows(cell) * cell % BAND == 0
    assert all(rows * cell % BAND for rows in range(1, strip_rows(cell)))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 99), st.lists(st.integers(0, 9_000), min_size=1), st.integers(1, 120))
def test_a_picture_in_chunks_of_any_size_is_whole(seed: int, sizes: list[int], side: int) -> None:
    pixels = noise(seed, side, side + 1, 200)
    data = kitty.payload(Reduced(pixels))
    terminal, at, turn = KittyTerminal(), 0, 0
    while at < len(data):
        most = sizes[turn % len(sizes)]
        text, at = kitty.chunk(7, 40, 20, data, at, most)
        assert len(text) <= max(kitty.LEAST_CHUNK, most) + 60
        assert not terminal.take(text)
        turn += 1
    assert not terminal.receiving
    assert (terminal.images[7] == pixels).all()
    assert terminal.placed == {7: (40, 20)}
    assert not terminal.take(kitty.deletion(7))
    assert not terminal.images


def test_a_picture_that_is_broken_off_is_none() -> None:
    terminal = KittyTerminal()
    text, _at = kitty.chunk(7, 4, 2, kitty.payload(Reduced(noise(1, 90, 90, 200))), 0, 100)
    terminal.take(text + kitty.broken_off() + kitty.deletion(7))
    assert (terminal.broken, terminal.images) == (1, {})


def test_marks_are_those_of_the_protocol() -> None:
    """297 of them, all of one kind and in their order; the first and the last ones as its table has them."""
    assert kitty.MOST_CELLS == 297
    assert all(unicodedata.combining(mark) == 230 and not unicodedata.decomposition(mark) for mark in kitty.MARKS)
    assert list(kitty.MARKS) == sorted(set(kitty.MARKS))
    assert (kitty.MARKS[0], kitty.MARKS[1], kitty.MARKS[-1]) == ("\u0305", "\u030d", "\U0001d244")
    assert kitty.cell(1, 0) == "\U0010eeee\u030d\u0305"


@given(st.integers(1, 3_000), st.integers(1, 3_000), st.integers(1, 200), st.integers(1, 60), st.integers(1, 40))
def test_no_more_pixels_than_there_are_and_than_are_let_through(
    width: int, height: int, columns: int, rows: int, cell: int
) -> None:
    wide, high = fitted(crop(width, height, columns, rows), (cell, 2 * cell))
    assert 1 <= wide <= min(width, columns * cell)
    assert 1 <= high <= min(height, 2 * rows * cell)
    assert wide * high <= MOST_PIXELS


def test_what_is_cut_is_what_is_seen() -> None:
    pixels = noise(3, 40, 60, 200)
    assert (cut(pixels, crop(60, 40, 6, 4), 60, 40) == pixels).all()
    part = cut(pixels, Crop(20.0, 10.0, 30.0, 20.0, 0, 0, 3, 2), 30, 20)
    assert (part == pixels[10:30, 20:50]).all()
