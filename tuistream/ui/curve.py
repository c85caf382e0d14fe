"""A spectrum, or any other arrays that replace those before, as y over x. Nothing here draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from tuistream.core.batch import Values
from tuistream.core.board import Item

MOST_POINTS: Final = 100_000


class Curve(NamedTuple):
    """x: float64[n], rising; y: float64[n], NaN where it is no number. n at least 2."""

    x: Values
    y: Values


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
