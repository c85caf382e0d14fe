"""The way from one screen to another, in an emulated terminal."""

from __future__ import annotations

import numpy as np
import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import get_character_cell_size
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

from tuistream.ui.cell_codes import is_narrow
from tuistream.ui.inks import MOST_STYLES, Inks
from tuistream.ui.shadow import Shadow

WIDTH, HEIGHT = 20, 4
STYLES = [
    None,
    Style.parse("#112233"),
    Style.parse("bold #112233 on #445566"),
    Style.parse("on #445566"),
    Style.parse("dim bold"),
    Style.parse("reverse underline"),
    Style.parse("red on default"),
    Style.parse("italic strike bold"),
]
texts = st.text("ab 1⣿█│▲", max_size=WIDTH)
rows = st.lists(st.tuples(texts, st.sampled_from(STYLES)), max_size=5)
places = st.tuples(st.integers(-1, HEIGHT), st.integers(-1, WIDTH))
changes = st.lists(st.tuples(places, rows), max_size=8)


def seen(screen: pyte.Screen) -> list[list[tuple[object, ...]]]:
    """What shows of each cell: of a blank its ground and its lines."""
    found = []
    for y in range(HEIGHT):
        cells = [screen.buffer[y][x] for x in range(WIDTH)]
        found.append([c[:1] + (c[2:3] if c.data == " " and not (c[5] or c[6] or c[7]) else c[1:]) for c in cells])
    return found


@settings(max_examples=150)
@given(st.lists(changes, max_size=6), st.one_of(st.none(), st.integers(200, 400)))
def test_what_is_wanted_is_shown(
    frames: list[list[tuple[tuple[int, int], list[tuple[str, Style | None]]]]], allowance: int | None
) -> None:
    shadow, screen, whole = Shadow(), pyte.Screen(WIDTH, HEIGHT), Shadow()
    stream = pyte.Stream(screen)
    for one in (shadow, whole):
        one.resize(WIDTH, HEIGHT)
        one.put([(y, 0, [Segment(" " * WIDTH)]) for y in range(HEIGHT)])
    for frame in frames:
        for (y, x), row in frame:
            for one in (shadow, whole):
                one.put([(y, x, [Segment(text, style) for text, style in row])])
        while shadow.pending:
            text = shadow.take(allowance)
            assert text
            assert allowance is None or len(text.encode()) <= allowance
            stream.feed(text)
        assert shadow.take() == ""
        fresh = pyte.Screen(WIDTH, HEIGHT)
        whole.forget()
        pyte.Stream(fresh).feed(whole.take())
        assert seen(screen) == seen(fresh)


def test_only_what_changed_is_sent() -> None:
    shadow = Shadow()
    shadow.resize(WIDTH, HEIGHT)
    shadow.put([(1, 0, [Segment("price 61,837.63", STYLES[1])])])
    assert shadow.take() == "\x1b[2;1H\x1b[38;2;17;34;51mprice 61,837.63\x1b[m"
    shadow.put([(1, 0, [Segment("price 61,838.64", STYLES[1])])])
    assert shadow.take() == "\x1b[2;12H\x1b[38;2;17;34;51m8.64\x1b[m"
    assert not shadow.pending


def test_no_control_character_gets_through() -> None:
    shadow = Shadow()
    shadow.resize(WIDTH, HEIGHT)
    shadow.put([(0, 0, [Segment("a\x1b]0;x\x07\x9bb\x7f")])])
    assert shadow.take() == "\x1b[1;1Ha]0;xb\x1b[m"


def test_after_a_character_of_doubtful_width_the_cursor_is_placed_anew() -> None:
    shadow = Shadow()
    shadow.resize(WIDTH, HEIGHT)
    shadow.put([(0, 0, [Segment("日本e\u0301x")])])
    assert shadow.take() == "\x1b[1;1H日\x1b[1;3H本\x1b[1;5He\u0301\x1b[1;6Hx\x1b[m"
    shadow.put([(0, 0, [Segment("日木e\u0301x")])])
    assert shadow.take() == "\x1b[1;3H木\x1b[m"


@pytest.mark.parametrize("system", ColorSystem)
def test_colours_are_those_that_the_terminal_has(system: ColorSystem) -> None:
    inks = Inks(system)
    step = inks.step(-1, inks.number(Style.parse("#ff0000")))
    assert (system is ColorSystem.TRUECOLOR) == ("38;2;255;0;0" in step)


def test_very_many_styles_are_numbered_anew() -> None:
    inks = Inks()
    assert not inks.full
    for number in range(MOST_STYLES):
        inks.number(Style(color=f"rgb({number % 256},{number // 256},0)"))
    assert inks.full


def test_narrow_characters_have_one_cell() -> None:
    shadow = Shadow()
    for code in range(0x3010):
        narrow = is_narrow(chr(code))
        assert narrow == bool(shadow.are_narrow(np.array([code]))[0])
        assert not narrow or get_character_cell_size(chr(code)) == 1
    assert is_narrow("─ 59,940.5 ▲ ⣿")
    assert not is_narrow("a\n")
    assert not is_narrow("日")
