"""Plotly figures as what there is to draw of them. Nothing here draws.

Format: https://plotly.com/python/reference/.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from tuistream.charts.kinds.contract import Figure, Matrix, Trace, Values
from tuistream.core import batch
from tuistream.core.text import printable
from tuistream.decoders import plotly

LABELS_MOST: Final = 1_000  # bars, slices …
POINTS_MOST: Final = 20_000  # of a trace; the newest are drawn
GRID_MOST: Final = 1_000  # rows and columns of a heat map
NAME_LENGTH: Final = 80
RANGES_MOST: Final = 12
PARTS: Final = 1e9  # of x's unit, where that is no time
FARTHEST: Final = 4e18
STEPS: Final = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "month": 2_629_746, "year": 31_556_952}
LINES: Final = ("scatter", "scattergl")
SECOND: Final = 1_000_000_000
DAY: Final = 86_400 * SECOND


def figure_of(value: Mapping[str, Any], recv: int) -> Figure | None:
    """What a figure is; None for what is none. recv: ns since 1970 UTC."""
    if not plotly.is_figure(dict(value)):
        return None
    listed: list[dict[str, Any]] = value["data"]
    layout: dict[str, Any] = value["layout"]
    newest = [_newest(trace) for trace in listed[: plotly.MAX_TRACES]]
    found = plotly.scatters({"data": newest, "layout": layout}, recv)
    timed = bool(found) and found[0].timed
    alike = [each for each in found if each.timed == timed]
    traces, parts = _traces(alike, listed, timed=timed)
    nearest, kind, taken = (None, "", 0) if traces else _nearest(listed)
    return Figure(
        traces,
        timed,
        parts,
        _title(layout),
        _y_range(layout),
        ranges=_ranges(layout, int(max(trace.x[-1] for trace in traces))) if traces and timed else (),
        slider=_slider(layout),
        nearest=nearest,
        kind=kind,
        past=timed and bool(traces) and recv - max(int(trace.x[-1]) for trace in traces) > DAY,
        words=_words(listed, len(alike) if traces else taken, kind),
    )


def _newest(trace: dict[str, Any]) -> dict[str, Any]:
    """The trace with no more points than are drawn, where they are lists: each of these is read one by one."""
    x, y = trace.get("x"), trace.get("y")
    if not isinstance(y, list) or len(y) <= POINTS_MOST or (x is not None and not isinstance(x, list)):
        return trace
    return {**trace, "y": y[-POINTS_MOST:]} | ({"x": x[len(y) - POINTS_MOST : len(y)]} if x is not None else {})


def _traces(
    found: Sequence[plotly.Trace], listed: list[dict[str, Any]], *, timed: bool
) -> tuple[tuple[Trace, ...], float]:
    farthest = max((float(np.abs(each.x).max()) for each in found if len(each.x) and not timed), default=0.0)
    parts = 1.0 if timed else min(PARTS, FARTHEST / max(1.0, farthest))
    traces = []
    for each in found:
        mode = listed[each.number].get("mode", "lines")
        x = each.t if timed else np.rint(each.x * parts).astype(np.int64)
        colour = each.look.colours[0] if each.look.colours else ""
        name = printable(each.name, NAME_LENGTH)
        if len(x):
            traces.append(Trace(name, x, each.y, colour, mode == "markers", each.look.fill))
    return tuple(traces), parts


def _nearest(listed: list[dict[str, Any]]) -> tuple[Values | Matrix | None, str, int]:
    """What a figure without lines holds, the kind that shows it, and how many of its traces that are."""
    for trace in listed[: plotly.MAX_TRACES]:
        name = str(trace.get("type"))
        same = [each for each in listed[: plotly.MAX_TRACES] if each.get("type") == trace.get("type")]
        if name in ("heatmap", "heatmapgl", "contour", "surface"):
            grid = _grid(trace.get("z"))
            if grid is not None:
                return Matrix(grid, _texts(trace.get("y")), _texts(trace.get("x"))), "heat-map", 1
        elif name in ("pie", "sunburst", "treemap", "funnelarea"):
            values = _values([trace], "labels", "values")
            if values is not None:
                kind = "doughnut" if isinstance(hole := trace.get("hole"), (int, float)) and hole > 0 else "pie"
                return values, kind if name == "pie" else "bars", 1
        else:
            lying = trace.get("orientation") == "h"
            values = _values(same, *(("y", "x") if lying else ("x", "y")))
            if values is not None:
                return values, "horizontal-bars" if lying else "bars", len(same)
    return None, "", 0


def _values(traces: list[dict[str, Any]], labels: str, values: str) -> Values | None:
    """A row of values for each trace, all with the labels of the first one."""
    rows = [plotly.numbers(trace.get(values)) for trace in traces]
    known = [(trace, row) for trace, row in zip(traces, rows, strict=True) if row is not None and len(row)]
    if not known:
        return None
    count = min(LABELS_MOST, max(len(row) for _trace, row in known))
    texts = _texts(known[0][0].get(labels))[:count]
    texts = (*texts, *(str(number + 1) for number in range(len(texts), count)))
    table = np.full((len(known), count), np.nan)
    for number, (_trace, row) in enumerate(known):
        table[number, : min(count, len(row))] = row[:count]
    names = tuple(printable(str(trace.get("name") or ""), NAME_LENGTH) for trace, _row in known)
    return Values(texts, names, table)


def _grid(value: object) -> batch.Values | None:
    if isinstance(value, dict):
        return _shaped(value)
    rows = [plotly.numbers(row) for row in value[:GRID_MOST]] if isinstance(value, list) else []
    known = [row if row is not None else np.empty(0) for row in rows]
    width = min(GRID_MOST, max(map(len, known), default=0))
    if not width:
        return None
    grid = np.full((len(known), width), np.nan)
    for number, row in enumerate(known):
        grid[number, : min(width, len(row))] = row[:width]
    return grid[::-1]  # Plotly has the first row below


def _shaped(value: dict[str, Any]) -> batch.Values | None:
    """An array of two dimensions in Plotly 6's encoding."""
    shape = value.get("shape")
    sides = [int(side) for side in shape.split(",") if side.strip().isdecimal()] if isinstance(shape, str) else []
    flat = plotly.numbers({**value, "shape": ""}) if len(sides) == 2 else None
    if flat is None or sides[0] * sides[1] != len(flat) or not len(flat):
        return None
    return flat.reshape(sides)[:GRID_MOST, :GRID_MOST][::-1]


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        found = plotly.numbers(value)
        value = [] if found is None else [f"{each:g}" for each in found[:LABELS_MOST].tolist()]
    return tuple(printable(str(each)[:NAME_LENGTH], NAME_LENGTH) for each in value[:LABELS_MOST])


def _title(layout: dict[str, Any]) -> str:
    own = _text(layout.get("title"))
    axis = layout.get("yaxis")
    of_y = _text(axis.get("title")) if isinstance(axis, dict) else ""
    return own if not of_y or of_y == own else f"{own}  {of_y}".strip()


def _text(title: object) -> str:
    text = title.get("text") if isinstance(title, dict) else title
    return printable(text, plotly.MAX_TITLE) if isinstance(text, str) else ""


def _y_range(layout: dict[str, Any]) -> tuple[float, float] | None:
    axis = layout.get("yaxis")
    ends = (
        plotly.numbers(axis.get("range"))
        if isinstance(axis, dict) and axis.get("type", "linear") == "linear"
        else None
    )
    if ends is None or len(ends) != 2 or not np.isfinite(ends).all() or ends[0] == ends[1]:
        return None
    return float(ends.min()), float(ends.max())


def _slider(layout: dict[str, Any]) -> bool:
    axis = layout.get("xaxis")
    slider = axis.get("rangeslider") if isinstance(axis, dict) else None
    return isinstance(slider, dict) and slider.get("visible", True) is True


def _ranges(layout: dict[str, Any], last: int) -> tuple[tuple[str, int | None], ...]:
    """The first x of what each of the figure's range buttons shows, by its label; None for all of it."""
    axis = layout.get("xaxis")
    selector = axis.get("rangeselector") if isinstance(axis, dict) else None
    buttons = selector.get("buttons") if isinstance(selector, dict) else None
    found: dict[str, int | None] = {}
    for button in buttons[:RANGES_MOST] if isinstance(buttons, list) else ():
        if isinstance(button, dict):
            step, count = str(button.get("step", "month")), button.get("count", 1)
            whole = int(count) if isinstance(count, (int, float)) and 0 < count < 10_000 else 1
            label = printable(str(button.get("label") or (step if step == "all" else f"{whole} {step}")), 20)
            found[label] = _since(last, step, whole, to_date=button.get("stepmode") == "todate")
    return tuple(found.items())


def _since(last: int, step: str, count: int, *, to_date: bool) -> int | None:
    if step not in STEPS:
        return None
    if not to_date:
        return last - count * STEPS[step] * SECOND
    if step in ("month", "year"):
        moment = datetime.fromtimestamp(last // SECOND, UTC)
        first = datetime(moment.year, moment.month if step == "month" else 1, 1, tzinfo=UTC)
        return int(first.timestamp()) * SECOND
    whole = STEPS[step] * SECOND
    return last // whole * whole - (count - 1) * whole


def _words(listed: list[dict[str, Any]], shown: int, kind: str) -> str:
    """What is not shown as it was meant."""
    types = Counter(str(trace.get("type", "scatter")) for trace in listed)
    lines = sum(types[name] for name in LINES)
    if not kind:
        others = Counter({name: count for name, count in types.items() if name not in LINES})
        if shown < lines:
            others["scatter"] = lines - shown
    else:
        first = next(iter(types))
        others = Counter({name: count for name, count in types.items() if name != first})
        if types[first] > shown:
            others[first] = types[first] - shown
    long = max((len(trace["y"]) for trace in listed if isinstance(trace.get("y"), list)), default=0)
    told = [f"the newest {POINTS_MOST:,} of {long:,} points"] if long > POINTS_MOST and not kind else []
    words = [*told, *([f"{first} as {kind}"] if kind and first not in ("bar", "pie", "heatmap") else [])]
    if others:
        listing = ", ".join(f"{count:,} {printable(name, 20)}" for name, count in others.most_common(4))
        words.append(f"not shown: {listing}")
    return "  ".join(words)
