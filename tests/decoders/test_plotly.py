"""Plotly figures: two real ones, and both ways to write an array."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decoders.figures import figure_text
from tests.decoders.recorded import NOW
from tuistream.core.look import Look
from tuistream.decoders.plotly import colour, is_figure, numbers, scatters

FIRST = 1_625_197_500 * 10**9  # 2021-07-02T09:15:00+05:30
MINUTE = 60 * 10**9


@pytest.mark.parametrize(("version", "points", "drawn"), [(5, 206, "#ff0000"), (7, 201, "#00ff00")])
def test_real_figures(version: int, points: int, drawn: str) -> None:
    figure = json.loads(figure_text(version))
    assert is_figure(figure)
    (trace,) = scatters(figure, NOW)
    assert trace.timed
    assert trace.t.tolist() == [FIRST + i * MINUTE for i in range(points)]
    assert len(trace.y) == points
    low, high = figure["layout"]["yaxis"]["range"]
    assert trace.y.min() >= low
    assert trace.y.max() <= high
    assert trace.look == Look(kind="line", title="Stock Price (₹)", colours=(drawn,), fill=True, points=points)


def test_both_ways_to_write_the_real_array_agree() -> None:
    encoded = json.loads(figure_text(7))["data"][0]["y"]
    assert set(encoded) >= {"dtype", "bdata"}
    values = numbers(encoded)
    assert values is not None
    again = numbers(values.tolist())
    assert again is not None
    assert again.tolist() == values.tolist()


@given(st.sampled_from(["f8", "f4", "i1", "i2", "i4", "u1", "u2", "u4"]), st.lists(st.integers(0, 127), max_size=20))
def test_every_type_of_number(dtype: str, values: list[int]) -> None:
    data = base64.b64encode(np.array(values, dtype=f"<{dtype}").tobytes()).decode()
    found = numbers({"dtype": dtype, "bdata": data})
    assert found is not None
    assert found.tolist() == values


@pytest.mark.parametrize(
    "array",
    [
        None,
        7,
        "text",
        {"dtype": "f8"},
        {"dtype": "O", "bdata": "AAAA"},
        {"dtype": "f8,f8", "bdata": "AAAA"},
        {"dtype": ["f8"], "bdata": "AAAA"},
        {"dtype": "f8", "bdata": "AAA="},
        {"dtype": "f8", "bdata": "!"},
        {"dtype": "f8", "bdata": "é"},
        {"dtype": "f8", "bdata": 7},
        {"dtype": "f8", "bdata": "", "shape": "2, 3"},
    ],
)
def test_what_is_no_array(array: Any) -> None:
    assert numbers(array) is None


def test_points_without_a_value_are_left_out_and_the_others_put_in_order() -> None:
    x = [
        "2026-11-20 10:00",
        "2026-11-20 10:02",
        "2026-11-20 10:01",
        "no time",
        "2026-11-20 10:04",
        "2026-11-20 10:05",
    ]
    figure = {"data": [{"x": x, "y": [1, 3, 2, 9, None, "NaN"]}], "layout": {}}
    (trace,) = scatters(figure, NOW)
    assert trace.y.tolist() == [1, 2, 3]
    assert np.diff(trace.t).tolist() == [MINUTE, MINUTE]
    assert trace.look == Look(kind="line", points=3)


def test_an_x_that_is_no_time_or_not_there() -> None:
    figure = {
        "data": [{"y": [5, 6]}, {"x": [3, 1], "y": [5, 6], "name": "b"}, {"type": "bar", "y": [1]}],
        "layout": {},
    }
    first, second = scatters(figure, NOW)
    assert (first.timed, first.x.tolist(), first.y.tolist()) == (False, [0, 1], [5, 6])
    assert (second.name, second.x.tolist(), second.y.tolist()) == ("b", [1, 3], [6, 5])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("lime", "#00ff00"),
        (" Red", "#ff0000"),
        ("#ABC", "#aabbcc"),
        ("#a1B2c3", "#a1b2c3"),
        ("rgb(255, 99, 132)", "#ff6384"),
        ("rgba(0,0,999,0.5)", "#0000ff"),
        ("\x1b[31m", ""),
        ("url(x)", ""),
        (None, ""),
        (["red"], ""),
    ],
)
def test_colours(text: object, found: str) -> None:
    assert colour(text) == found


@pytest.mark.parametrize(
    "value", [None, [], {}, {"data": []}, {"data": {}, "layout": {}}, {"data": [1], "layout": {}}]
)
def test_what_is_no_figure(value: object) -> None:
    assert not is_figure(value)


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=12) | st.sampled_from(["2026-11-20T10:00:00Z", "f8"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["x", "y", "name", "type", "line", "color", "title", "text", "fill",
                                           "dtype", "bdata", "yaxis"]), inner, max_size=4)
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=50)
@given(
    st.lists(st.dictionaries(st.sampled_from(["x", "y", "name", "line", "fill", "type"]), values), max_size=3), values
)
def test_any_figure_is_read_or_left(traces: list[dict[str, Any]], layout: Any) -> None:
    figure = {"data": traces, "layout": layout}
    if is_figure(figure):
        for trace in scatters(figure, NOW):
            assert len(trace.t) == len(trace.x) == len(trace.y)
            assert np.isfinite(trace.y).all()
