"""Cells with colours of their own, as pictures have them: what a terminal shows of them."""

from __future__ import annotations

import numpy as np
import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

from tuistream.core.palettes import SIXTEEN, colours_of, nearest
from tuistream.ui.shadow import HALF, Shadow

WIDTH, HEIGHT = 9, 4
colours = st.one_of(
    st.just(-1), st.sampled_from((0, 0xFFFFFF, 0x102030, 0xFF0000, 0x8899AA)), st.integers(0, 0xFFFFFF)
)
cells = st.tuples(st.sampled_from((HALF, 0x20, ord("a"), 0x28FF)), colours, colours)
screens = st.lists(cells, min_size=WIDTH * HEIGHT, max_size=WIDTH * HEIGHT)


def shadow_of(system: ColorSystem = ColorSystem.TRUECOLOR) -> Shadow:
    shadow = Shadow(system)
    shadow.resize(WIDTH, HEIGHT)
    shadow.put([(y, 0, [Segment(" " * WIDTH)]) for y in range(HEIGHT)])
    return shadow


def put(shadow: Shadow, screen: list[tuple[int, int, int]]) -> None:
    codes, fore, back = (np.array(each, np.int32).reshape(HEIGHT, WIDTH) for each in zip(*screen, strict=True))
    shadow.put_cells(np.arange(HEIGHT), 0, codes, shadow.direct(fore, back))


def coarse(colour: int) -> str:
    """A colour as it is sent: 6 bits of red and blue, 7 of green."""
    if colour < 0:
        return "default"
    red, green, blue = colour >> 18 & 63, colour >> 9 & 127, colour >> 2 & 63
    return f"{red << 2 | red >> 4:02x}{green << 1 | green >> 6:02x}{blue << 2 | blue >> 4:02x}"


@settings(max_examples=80, deadline=None)
@given(
    st.lists(screens, min_size=1, max_size=3), st.integers(0, HEIGHT - 1), st.one_of(st.none(), st.integers(200, 600))
)
def test_words_beside_pictures_stay_as_they_are(
    frames: list[list[tuple[int, int, int]]], row: int, allowance: int | None
) -> None:
    shadow, screen = shadow_of(), pyte.Screen(WIDTH, HEIGHT)
    stream = pyte.Stream(screen)
    for number, frame in enumerate(frames):
        put(shadow, frame)
        shadow.put([(row, 2, [Segment(f"a{number} b", Style.parse("bold #112233"))])])
        while shadow.pending:
            stream.feed(shadow.take(allowance))
    cells = [screen.buffer[row][column] for column in range(WIDTH)]
    assert "".join(cell.data for cell in cells[2:6]) == f"a{len(frames) - 1} b"
    assert [(cells[2].fg, cells[2].bg, cells[2].bold), cells[4].bg] == [("112233", "default", True), "default"]
    for column in (0, 1, 6, 7, 8):
        code, fore, back = frames[-1][row * WIDTH + column]
        assert cells[column].bg == coarse(back)
        assert cells[column].data == " " or (cells[column].fg, cells[column].bold) == (coarse(fore), False)
        assert cells[column].data in (chr(code), " ")


@settings(max_examples=80, deadline=None)
@given(st.lists(screens, min_size=1, max_size=3), st.one_of(st.none(), st.integers(200, 600)))
def test_each_cell_has_its_colours(frames: list[list[tuple[int, int, int]]], allowance: int | None) -> None:
    shadow, screen = shadow_of(), pyte.Screen(WIDTH, HEIGHT)
    stream = pyte.Stream(screen)
    for frame in frames:
        put(shadow, frame)
        while shadow.pending:
            text = shadow.take(allowance)
            assert text
            assert allowance is None or len(text.encode()) <= allowance
            stream.feed(text)
    for place, (code, fore, back) in enumerate(frames[-1]):
        cell = screen.buffer[place // WIDTH][place % WIDTH]
        one_colour = code == HALF and coarse(fore) == coarse(back) and back >= 0
        assert cell.bg == coarse(back)
        assert cell.data == (" " if one_colour else chr(code))
        assert cell.data == " " or cell.fg == coarse(fore)


def test_half_blocks_of_segments_and_of_cells_are_the_same() -> None:
    shadow = shadow_of()
    put(shadow, [(HALF, 0x102030, 0xA0B0C0)] * (WIDTH * HEIGHT))
    shadow.take()
    style = Style.parse("#102030 on #a0b0c0")
    shadow.put([(y, 0, [Segment("▀" * WIDTH, style)]) for y in range(HEIGHT)])
    assert not shadow.pending


def test_many_colours_are_no_styles_to_be_remembered() -> None:
    shadow = shadow_of()
    for red in range(256):
        put(shadow, [(HALF, red << 16 | place, place << 8) for place in range(WIDTH * HEIGHT)])
        shadow.take()
    assert not shadow.full


def test_pictures_leave_half_of_the_budget_and_each_part_has_its_turn() -> None:
    shadow = shadow_of()
    shadow.take()
    drawn = set()
    for frame in range(40):
        put(shadow, [(HALF, frame * 4 << 16, place * 7 << 8) for place in range(WIDTH * HEIGHT)])
        before = shadow.shown.copy()
        assert len(shadow.take(400).encode()) <= 200
        drawn |= set(np.flatnonzero(before != shadow.shown).tolist())
    assert drawn == set(range(WIDTH * HEIGHT))


@pytest.mark.parametrize(
    ("system", "sent"), [(ColorSystem.STANDARD, "\x1b[91;40m"), (ColorSystem.EIGHT_BIT, "\x1b[38;5;196;48;5;16m")]
)
def test_terminals_with_fewer_colours_get_the_nearest(system: ColorSystem, sent: str) -> None:
    shadow = shadow_of(system)
    put(shadow, [(HALF, 0xFF0000, 0x020101)] * (WIDTH * HEIGHT))
    assert sent in shadow.take()


@pytest.mark.parametrize("count", [16, 256])
@given(st.lists(st.integers(0, 0xFFFFFF), min_size=1, max_size=20))
def test_nearest_is_nearest(count: int, wanted: list[int]) -> None:
    def apart(one: int, other: int) -> int:
        return sum(((one >> shift & 255) - (other >> shift & 255)) ** 2 for shift in (0, 8, 16))

    first = 0 if count == 16 else 16  # of the 256, the first ones are each terminal's own
    palette = colours_of(np.arange(first, count, dtype=np.int32), count).tolist()
    found = colours_of(nearest(np.array(wanted, np.int32), count), count).tolist()
    for colour, chosen in zip(wanted, found, strict=True):
        assert apart(colour, chosen) == min(apart(colour, each) for each in palette)
    assert len(SIXTEEN) == 16


def test_a_picture_has_its_share_beside_words_that_change_all_the_time() -> None:
    shadow = shadow_of()
    put(shadow, [(HALF, 0x10101 * place, 0x20202 * place) for place in range(WIDTH * HEIGHT)])
    words = range((HEIGHT - 1) * WIDTH)
    takes = 0
    while shadow.pictures_pending or not takes:
        for place in words:  # more than is let through at once
            style = Style.parse(f"bold #{place:02x}{takes:02x}00 on #00{takes:02x}{place:02x}")
            shadow.put([(*divmod(place, WIDTH), [Segment("x", style)])])
        before = shadow.shown[words].copy()
        assert len(shadow.take(200).encode()) <= 200
        assert (shadow.shown[words] != before).any()
        takes += 1
        assert takes < WIDTH
    assert shadow.behind
