"""What a terminal answers is taken from among the keys, and nothing else is."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuistream.ui.terminal_answers import WISHES, Abilities, Answers, questions, sane_cell

KITTY = "\x1b_Gi=31;OK\x1b\\\x1bP>|kitty(0.35.2)\x1b\\\x1b[6;20;10t\x1b[?62;c"
FOOT = "\x1bP>|foot(1.19.0)\x1b\\\x1b[6;18;9t\x1b[?62;4;22;28;29c"
WEZTERM = "\x1b_Gi=31;OK\x1b\\\x1bP>|WezTerm 20240203-110809-5046fc22\x1b\\\x1b[6;20;10t\x1b[?65;4;6;18;22c"
KONSOLE = "\x1b_Gi=31;OK\x1b\\\x1bP>|Konsole 24.08.1\x1b\\\x1b[?62;1;4c"
REFUSES = "\x1b_Gi=31;ENOTSUPPORTED:no\x1b\\\x1b[?1;2c"
XTERM = "\x1b[?1;2c"
KEYS = [
    "a",
    "\x1b",
    "\x1b[A",
    "\x1b[1;5C",
    "\x1b[<35;10;5M",
    "é",
    "\x1b[6~",
    "\x1b[?2026;2$y",
    "\x1bOP",
    "\x1b[I",
    "q",
]


@pytest.mark.parametrize(
    ("answers", "found", "protocols"),
    [
        (KITTY, Abilities(True, "kitty(0.35.2)", False, (10, 20)), ("kitty", "kitty", "", "")),
        (KITTY.replace("0.35.2", "0.26.5"), Abilities(True, "kitty(0.26.5)", False, (10, 20)), ("", "kitty", "", "")),
        (FOOT, Abilities(False, "foot(1.19.0)", True, (9, 18)), ("sixel", "", "sixel", "")),
        (
            WEZTERM,
            Abilities(True, "WezTerm 20240203-110809-5046fc22", True, (10, 20)),
            ("sixel", "kitty", "sixel", ""),
        ),
        (KONSOLE, Abilities(True, "Konsole 24.08.1", True), ("", "kitty", "", "")),
        (REFUSES, Abilities(), ("", "", "", "")),
        (XTERM, Abilities(), ("", "", "", "")),
    ],
)
def test_what_terminals_can_do(answers: str, found: Abilities, protocols: tuple[str, ...]) -> None:
    taken = Answers()
    taken.ask()
    assert taken.take(answers) == ""
    assert taken.found == found
    assert taken.complete
    assert tuple(found.protocol(wish, found.cell) for wish in WISHES) == protocols


@given(
    st.lists(st.sampled_from(KEYS), max_size=6),
    st.lists(st.sampled_from(KEYS), max_size=6),
    st.sampled_from([KITTY, FOOT, WEZTERM, REFUSES]),
    st.lists(st.integers(0, 200), max_size=5),
)
def test_keys_stay_as_they_were_wherever_reading_cuts(
    before: list[str], after: list[str], answers: str, cuts: list[int]
) -> None:
    text = "".join(before) + answers + "".join(after)
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    taken = Answers()
    taken.ask()
    passed = "".join(taken.take(text[start:stop]) for start, stop in pairwise(places))
    assert passed + taken.release() == "".join(before) + "".join(after)
    assert taken.complete


def test_a_key_is_held_back_only_until_nothing_follows() -> None:
    taken = Answers()
    assert taken.take("\x1b") == "\x1b"  # nothing was asked
    taken.ask()
    assert taken.take("\x1b") == ""
    assert taken.release() == "\x1b"
    assert taken.take("\x1b_") == ""
    assert taken.take("x") == "\x1b_x"
    taken.take(XTERM)
    assert taken.take("\x1b") == "\x1b"


def test_a_terminal_is_asked_what_it_can_take() -> None:
    for term in ("", "dumb", "linux"):
        assert questions("auto", {"TERM": term}) == ""
    assert questions("cells", {"TERM": "xterm-kitty"}) == ""
    assert questions("auto", {"TERM": "xterm-kitty"}).endswith("\x1b[c")
    for inside in ({"TERM": "tmux-256color"}, {"TERM": "xterm", "TMUX": "/tmp/tmux-0/default,1,0"}):
        assert "\x1b_" not in questions("kitty", inside)
        assert questions("sixel", inside).endswith("\x1b[c")


@given(st.integers(), st.integers())
def test_cells_have_sizes_that_cells_have(width: int, height: int) -> None:
    found = sane_cell(width, height)
    assert found is None or (min(found) >= 2 and max(found) <= 200)
