"""Colours as CSS writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuistream.core.colours import css_colour


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("rgb(255, 99, 132)", "#ff6384"),
        ("rgba(255,99,132,0.2)", "#ff6384"),
        ("rgb(100% 0% 50% / 20%)", "#ff0080"),
        ("RGB(300, -5, 12.4)", "#ff000c"),
        ("#3E95CD", "#3e95cd"),
        ("#3e95cd80", "#3e95cd"),
        ("#abc", "#aabbcc"),
        ("#abcd", "#aabbcc"),
        ("hsl(120, 100%, 50%)", "#00ff00"),
        ("hsla(240deg 100% 50% / 1)", "#0000ff"),
        ("Red", "#ff0000"),
        (" rebeccapurple ", "#663399"),
        ("yellowgreen", "#9acd32"),
        ("aliceblue", "#f0f8ff"),
    ],
)
def test_colours(text: str, colour: str) -> None:
    assert css_colour(text) == colour


@pytest.mark.parametrize(
    "text",
    ["", "#12", "#ggg", "rgb(1,2)", "rgb(a,b,c)", "reddish", "ffe4c4", "\x1b[31m", "rgb(1,2,3", "red blue", "hsl(1)",
     "rgb(" + "1" * 100 + ",1,1)"],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    assert css_colour(text) is None


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_each_way_of_writing_says_the_same(rgb: tuple[int, int, int]) -> None:
    written = "#{:02x}{:02x}{:02x}".format(*rgb)
    assert css_colour(written) == css_colour("rgb({},{},{})".format(*rgb)) == written
