"""Plotly figures: what there is to draw of them, in both encodings of arrays, and in panels of a real app."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ui.conftest import Monitor
from tests.ui.test_boards import drawn, show
from tuistream.charts.kinds import figure as kind
from tuistream.charts.kinds.contract import DrawStyle, Figure, Matrix, Size, Values
from tuistream.ui.figures import POINTS_MOST, figure_of
from tuistream.ui.stream_plot import StreamPlot

MINUTE = 60_000_000_000
NINE = 1_625_197_500_000_000_000  # 2021-07-02 09:15 at +05:30
Y = [100.0, 101.5, 99.0, 102.25, 103.0]


def encoded(values: list[float], dtype: str = "f8", shape: str = "") -> dict[str, Any]:
    data = np.array(values, dtype=f"<{dtype}").tobytes()
    return {"dtype": dtype, "bdata": base64.b64encode(data).decode(), **({"shape": shape} if shape else {})}


def stock(y: object = None) -> dict[str, Any]:
    """As real-time-plot sends it."""
    x = [f"2021-07-02T09:{15 + minute}:00+05:30" for minute in range(len(Y))]
    line = {"fill": "tozeroy", "line": {"color": "lime"}, "mode": "lines", "type": "scatter"}
    buttons = [
        {"count": 2, "label": "2m", "step": "minute", "stepmode": "backward"},
        {"count": 1, "label": "HTD", "step": "hour", "stepmode": "todate"},
        {"step": "all"},
    ]
    axis = {"rangeslider": {"visible": True}, "rangeselector": {"buttons": buttons}}
    layout = {"yaxis": {"range": [90, 110], "title": {"text": "Stock Price"}}, "xaxis": axis}
    return {"data": [{**line, "x": x, "y": Y if y is None else y}], "layout": layout}


def figure(*traces: dict[str, Any], **layout: object) -> Figure:
    found = figure_of({"data": list(traces), "layout": layout}, NINE)
    assert found is not None
    return found


def texts(content: Figure, size: Size, style: DrawStyle | None = None) -> list[str]:
    frame = kind.draw(content, size, style or DrawStyle())
    return [row.astype("<u2").tobytes().decode("utf-16-le") for row in frame.chars]


@pytest.mark.parametrize("y", [Y, encoded(Y), encoded(Y, "f4")])
def test_both_encodings_of_arrays(y: object) -> None:
    found = figure_of(stock(y), NINE)
    assert found is not None
    (trace,) = found.traces
    assert trace.y.tolist() == Y
    assert trace.x.tolist() == [NINE + MINUTE * step for step in range(5)]
    assert (trace.colour, trace.fill, trace.points) == ("#00ff00", True, False)
    assert (found.title, found.y_range, found.slider) == ("Stock Price", (90.0, 110.0), True)
    last = NINE + 4 * MINUTE
    assert found.ranges == (("2m", last - 2 * MINUTE), ("HTD", last // (60 * MINUTE) * 60 * MINUTE), ("all", None))


def test_it_is_drawn_with_title_area_range_and_overview() -> None:
    found = figure_of(stock(), NINE)
    assert found is not None
    rows = texts(found, Size(80, 24))
    assert rows[0].startswith("Stock Price")
    assert any("110" in row for row in rows)
    assert "━" * 70 in rows[-3]
    near = texts(found, Size(80, 24), DrawStyle(zoom=3))
    assert "─" in near[-3]
    assert "━" in near[-3]
    assert kind.read_out(found, Size(80, 24), DrawStyle(), 0, 5).endswith("  100")


def test_several_traces_over_numbers_have_their_names() -> None:
    found = figure(
        {"name": "a", "x": [0.5, 1.0, 2.0], "y": [1, 2, 3]},
        {"name": "b", "mode": "markers", "x": [0.0, 1.0], "y": [3, 1]},
        title="Two",
    )
    assert not found.timed
    assert [trace.points for trace in found.traces] == [False, True]
    rows = texts(found, Size(60, 12))
    assert rows[0].split() == ["Two", "a", "b"]
    words = kind.read_out(found, Size(60, 12), DrawStyle(), 0, 5).split("  ")
    assert words[0].startswith("x 0.0")
    assert words[1:] == ["a 1", "b 3"]


def test_other_traces_are_what_is_nearest_with_a_word() -> None:
    bars = figure({"type": "bar", "name": "n", "x": ["p", "q"], "y": [1, 2]}, {"type": "table"})
    assert isinstance(bars.nearest, Values)
    assert (bars.kind, bars.nearest.labels, bars.nearest.v.tolist()) == ("bars", ("p", "q"), [[1.0, 2.0]])
    assert bars.words == "not shown: 1 table"
    lying = figure({"type": "bar", "orientation": "h", "y": ["p", "q"], "x": [1, 2]})
    assert lying.kind == "horizontal-bars"
    pie = figure({"type": "pie", "labels": ["p", "q"], "values": encoded([3, 4], "i4"), "hole": 0.4})
    assert pie.kind == "doughnut"
    box = figure({"type": "box", "y": [1, 2, 3]})
    assert box.words == "box as bars"
    heat = figure({"type": "heatmap", "z": [[1, 2], [3, None]]})
    assert isinstance(heat.nearest, Matrix)
    assert heat.nearest.v[0, 0] == 3
    assert np.isnan(heat.nearest.v[0, 1])
    shaped = figure({"type": "heatmap", "z": encoded([1, 2, 3, 4, 5, 6], "f8", "2, 3")})
    assert isinstance(shaped.nearest, Matrix)
    assert shaped.nearest.v.tolist() == [[4, 5, 6], [1, 2, 3]]
    both = figure({"y": [1, 2]}, {"type": "indicator"})
    assert len(both.traces) == 1
    assert both.words == "not shown: 1 indicator"


def test_a_long_trace_is_drawn_from_its_newest_points() -> None:
    long = figure({"x": list(range(POINTS_MOST + 5)), "y": list(range(POINTS_MOST + 5))})
    assert long.words == f"the newest {POINTS_MOST:,} of {POINTS_MOST + 5:,} points"
    assert len(long.traces[0].x) == POINTS_MOST
    assert long.traces[0].y[-1] == POINTS_MOST + 4
    assert long.traces[0].x[0] / long.parts == 5


def test_what_is_no_figure_is_none() -> None:
    assert figure_of({"data": 3}, NINE) is None
    assert figure().traces == ()
    assert "without traces" in "".join(texts(figure(), Size(40, 6)))


json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats()
    | st.sampled_from(("a", "scatter", "bar", "f8", "1,2")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ("x", "y", "z", "type", "dtype", "bdata", "shape", "text", "values", "title", "line", "mode")
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(("x", "y", "z", "type", "values", "name", "mode", "orientation")), json)
    ),
    st.dictionaries(st.sampled_from(("title", "xaxis", "yaxis")), json),
    st.tuples(st.integers(0, 70), st.integers(0, 25)),
    st.integers(-2, 40),
    st.integers(-99, 99),
)
def test_any_figure_is_drawn_at_any_size(
    traces: list[dict[str, Any]], layout: dict[str, Any], size: tuple[int, int], zoom: int, pan: int
) -> None:
    found = figure_of({"data": traces, "layout": layout}, NINE)
    assert found is not None
    style = DrawStyle(zoom=zoom, pan=(pan, 0))
    assert kind.draw(found, Size(*size), style).chars.shape == size[::-1]
    kind.read_out(found, Size(*size), style, size[0] // 2, size[1] // 2)


async def test_a_figure_has_its_panel_and_the_ranges_of_its_sender(monitor: Monitor) -> None:
    show(monitor, "figure", stock(), name="ril.ns", replaces=True)
    async with monitor.running(100, 40):
        await drawn(monitor)
        home = monitor.text("StreamPlot")
        assert "Stock Price" in home
        assert "━" * 40 in home
        await monitor.press("1", "left_square_bracket")
        await monitor.press("left_square_bracket")
        await drawn(monitor)
        assert "range 2m" in monitor.screen
        assert monitor.text("StreamPlot") != home
        await monitor.press("0")
        await drawn(monitor)
        assert monitor.text("StreamPlot") == home
        await monitor.press("c")
        await drawn(monitor)
        assert "1 trace  scatter" in monitor.text("BoardView")


async def test_a_figure_of_another_day_says_which(monitor: Monitor) -> None:
    axis = ["2021-07-02T09:15:00+05:30", "2021-07-02T15:15:00+05:30"]
    show(monitor, "figure", {"data": [{"x": axis, "y": [1, 2]}], "layout": {"title": "old"}}, replaces=True)
    async with monitor.running(100, 30):
        await drawn(monitor)
        assert "old  2 Jul 2021" in monitor.screen
        now = [f"2026-11-20T{hour}:00:00Z" for hour in ("09", "10")]
        show(monitor, "figure", {"data": [{"x": now, "y": [1, 2]}], "layout": {"title": "new"}}, replaces=True)
        await drawn(monitor)
        assert "new" in monitor.screen
        assert "2026" not in monitor.screen


async def test_without_colours_a_senders_colours_are_none(monitor: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    trace = {"x": [1, 2, 3], "y": [1, 3, 2], "line": {"color": "#ff0000"}}
    for variables, wanted in ({}, ("#ff0000",)), ({"NO_COLOR": "1"}, ()):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        show(monitor, "figure", {"data": [trace], "layout": {}}, replaces=True)
        async with monitor.running(100, 30):
            await drawn(monitor)
            assert monitor.app.query(StreamPlot).first()._colours == wanted
