"""JavaScript literals: read as JavaScript reads them, and nothing else."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuistream.decoders.chart_hub.literal import MAX_DEPTH, NoLiteral, parse


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{ at: {lat: 41.4, lng: -2.1}, data: [1,2,] }", {"at": {"lat": 41.4, "lng": -2.1}, "data": [1, 2]}),
        ("""{'a\\'b': "c\\"d", $e_1: .5, 2: 5., "x": 0x1F, }""", {"a'b": 'c"d', "$e_1": 0.5, "2": 5.0, "x": 31}),
        ("[true, false, null, undefined] // end", [True, False, None, None]),
        ("/* a */ {a /* b */ : /* c */ 1}", {"a": 1}),
        (r"'\u0041\x42\u{1F600}\n'", "AB😀\n"),
        ("{a: 1, a: 2}", {"a": 2}),
        ("-1e3", -1000.0),
    ],
)  # fmt: skip
def test_what_a_literal_means(text: str, value: object) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "{a: }", "{a 1}", "[1 2]", "[1", "'abc", "alert(1)", "new Date()", "{a: fetch('/')}", "1 + 1",
        "{a: 1} {b: 2}", "`x`", "{[a]: 1}", "/re/", "[" * 100, "{a:" * 100, "NaN", "/* open", "{a: 1;}",
    ],
)  # fmt: skip
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(NoLiteral):
        parse(text)


def test_depth_and_size_are_bounded() -> None:
    assert parse("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    with pytest.raises(NoLiteral, match="deep"):
        parse("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2))
    with pytest.raises(NoLiteral, match="over 100,000"):
        parse("[" + "1," * 100_001 + "]")


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(-(10**15), 10**15), st.text(max_size=10)),
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)),
        max_leaves=20,
    )
)
def test_json_is_a_literal(value: Any) -> None:
    assert parse(json.dumps(value)) == value


@given(st.text(alphabet="{}[]:,'\"\\/*ab01.-eux \n", max_size=40))
def test_any_text_is_a_value_or_refused(text: str) -> None:
    with contextlib.suppress(NoLiteral):
        parse(text)
