"""A spectrum, or any other arrays that replace those before, as one line of its y over its x. Nothing here draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from tuistream.charts.axes import sticky_range, value_ticks
from tuistream.charts.polyline import Line
from tuistream.charts.raster import Viewport
from tuistream.core.batch import Values
from tuistream.core.board import Item
from tuistream.ui.chart import COLUMNS_A_TICK, ROWS_A_TICK

MOST_POINTS: Final = 100_000
SCALE: Final = 1e9  # places are in billionths of x's unit, as those of an axis that is not time
FARTHEST: Final = 4e18  # that a place may be


class Curve(NamedTuple):
    """x: float64[n], rising; y: float64[n], NaN where it is no number. n at least 2."""

    x: Values
    y: Values


class CurveDrawing(NamedTuple):
    """What a plot needs to draw a curve."""

    line: Line
    viewport: Viewport
    value_ticks: list[tuple[float, str]]
    ticks: list[tuple[int, str]]


def curve_of(item: Item) -> Curve | None:
    """The curve that an item holds, x and y or only y; None where it holds none that can be drawn."""
    if item.kind != "spectrum" or not isinstance(item.value, Mapping):
        return None
    y = _numbers(item.value.get("y"))
    x = _numbers(item.value["x"]) if "x" in item.value else np.arange(len(y), dtype=np.float64)
    if len(x) != len(y):
        return None
    known = np.flatnonzero(np.isfinite(x))
    order = known[np.argsort(x[known], kind="stable")]
    if len(order) < 2 or x[order[0]] == x[order[-1]] or not np.isfinite(y).any():
        return None
    return Curve(x[order], y[order])


def drawing_of(
    curve: Curve, columns: int, rows: int, before: tuple[float, float] | None = None
) -> tuple[CurveDrawing, tuple[float, float]]:
    """The drawing for a canvas of that size, and its range of values; before: the one of the curve before it."""
    finite = curve.y[np.isfinite(curve.y)]
    lo, hi = values = sticky_range(before, float(finite.min()), float(finite.max()))
    first, last = float(curve.x[0]), float(curve.x[-1])
    scale = min(SCALE, FARTHEST / max(abs(first), abs(last)))
    places = np.rint(curve.x * scale).astype(np.int64)
    viewport = Viewport(int(places[0]), max(int(places[-1]), int(places[0]) + columns), lo, hi)
    along = value_ticks(first, last, max(1, columns // COLUMNS_A_TICK))
    return (
        CurveDrawing(
            Line(places, curve.y),
            viewport,
            value_ticks(lo, hi, max(2, rows // ROWS_A_TICK + 1)),
            [(round(value * scale), label) for value, label in along],
        ),
        values,
    )


def _numbers(values: object) -> Values:
    """float64[n], NaN for what is no number; empty for what is no list."""
    if isinstance(values, np.ndarray) and values.ndim == 1:
        return values[:MOST_POINTS].astype(np.float64)
    if not isinstance(values, (list, tuple)):
        return np.empty(0)
    return np.array([_number(value) for value in values[:MOST_POINTS]], dtype=np.float64)


def _number(value: object) -> float:
    if not isinstance(value, (int, float, str)):
        return float("nan")
    try:
        return float(value)
    except (ValueError, OverflowError):
        return float("nan")
