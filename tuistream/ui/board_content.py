"""What items of boards hold, as arrays to be drawn. Nothing here draws, and nothing that an item names is opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from tuistream.charts.kinds.contract import MARKERS_MOST, Content, Markers, Matrix, Points
from tuistream.core.board import Item
from tuistream.core.colours import css_colour
from tuistream.core.text import printable
from tuistream.ui.curve import curve_of

LABEL_LENGTH: Final = 60
LABELS: Final = ("name", "label", "title")
COLOURS: Final = ("color", "colour")


def of_item(item: Item) -> Content | None:
    """What an item holds; None where rows of text say it."""
    if item.kind == "map" and isinstance(item.value, Mapping):
        return _markers(item.value)
    if item.kind == "figure" and isinstance(item.value, Mapping):
        from tuistream.ui.figures import figure_of

        return figure_of(item.value, item.recv)
    if item.kind == "matrix" and isinstance(item.value, Mapping):
        return _matrix(item.value)
    curve = curve_of(item)
    if curve is None or not isinstance(item.value, Mapping):
        return None
    x, y = (printable(str(item.value.get(f"{axis}_name", axis)), LABEL_LENGTH) for axis in "xy")
    return Points(curve.x, {y: curve.y}, x)


def _matrix(value: Mapping[str, object]) -> Matrix | None:
    """As `decoders.discovery.arrays` gives a matrix: rows of numbers or None, and labels."""
    rows = value.get("z")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) for row in rows):
        return None
    try:
        v = np.array(rows, np.float64)
    except OverflowError:  # an integer that no float can hold
        v = np.array([[_number(cell) for cell in row] for row in rows], np.float64)
    except (TypeError, ValueError):
        return None
    return Matrix(v, _labels(value.get("y")), _labels(value.get("x"))) if v.ndim == 2 and v.size else None


def _labels(told: object) -> tuple[str, ...]:
    return tuple(printable(str(each), LABEL_LENGTH) for each in told) if isinstance(told, list) else ()


def _markers(value: Mapping[str, object]) -> Markers:
    """As the decoder of the hub gives a map: its markers, its centre and its zoom."""
    listed = value.get("data")
    places = [each for each in listed[:MARKERS_MOST] if isinstance(each, Mapping)] if isinstance(listed, list) else []
    centre, zoom = value.get("center"), value.get("zoom")
    lon, lat = (np.array([_number(each.get(name)) for each in places], np.float64) for name in ("lng", "lat"))
    colours = [_colour(each) for each in places]
    known_centre = (_number(centre.get("lng")), _number(centre.get("lat"))) if isinstance(centre, Mapping) else None
    return Markers(
        lon,
        lat,
        tuple(_label(each) for each in places),
        colours=np.array(colours, np.int32) if any(colour >= 0 for colour in colours) else None,
        centre=known_centre if known_centre is not None and np.isfinite(known_centre).all() else None,
        zoom=float(zoom) if isinstance(zoom, (int, float)) else None,
        beyond=(max(0, len(listed) - MARKERS_MOST) if isinstance(listed, list) else 0)
        + (beyond if isinstance(beyond := value.get("beyond"), int) else 0),
    )


def _label(place: Mapping[str, object]) -> str:
    return next((printable(str(place[name])[:LABEL_LENGTH], LABEL_LENGTH) for name in LABELS if name in place), "")


def _colour(place: Mapping[str, object]) -> int:
    said = next((css_colour(each) for name in COLOURS if isinstance(each := place.get(name), str)), None)
    return -1 if said is None else int(said[1:], 16)


def _number(value: object) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return float("nan")
    try:
        return float(value)
    except OverflowError:
        return float("nan")
