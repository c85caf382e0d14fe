"""Plotly figures: the points of their scatter traces, and how they want to be shown. Pure.

Format: https://plotly.com/python/reference/. An array is a list, or, from Plotly 6 on, an object such as
`{"dtype": "f8", "bdata": base64}`, little-endian.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tuistream.core.batch import Times, Values
from tuistream.core.look import Look
from tuistream.core.text import printable
from tuistream.decoders.wire.numbers import is_number, to_float
from tuistream.decoders.wire.timestamps import to_ns

MAX_TRACES: Final = 64  # of one figure
MAX_POINTS: Final = 100_000  # of one trace; the newest are taken
MAX_TITLE: Final = 200
_DTYPES = frozenset(("f8", "f4", "i1", "i2", "i4", "i8", "u1", "u1c", "u2", "u4", "u8"))
_SCATTERS = ("scatter", "scattergl")
_HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*(?:,[\s\d.]{1,20})?\)", re.IGNORECASE)
# The sixteen names of HTML 4, and orange: https://www.w3.org/TR/css-color-3/#html4.
_NAMED = {
    "black": "#000000",
    "silver": "#c0c0c0",
    "gray": "#808080",
    "grey": "#808080",
    "white": "#ffffff",
    "maroon": "#800000",
    "red": "#ff0000",
    "purple": "#800080",
    "fuchsia": "#ff00ff",
    "magenta": "#ff00ff",
    "green": "#008000",
    "lime": "#00ff00",
    "olive": "#808000",
    "yellow": "#ffff00",
    "navy": "#000080",
    "blue": "#0000ff",
    "teal": "#008080",
    "aqua": "#00ffff",
    "cyan": "#00ffff",
    "orange": "#ffa500",
}


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """The points of a scatter trace in the order of x; those without a finite y are left out.

    name: "" where it has none. number: its place in the figure. timed: x is a time. t: int64[n], ns since 1970 UTC,
    where it is, else all 0. x: float64[n], where it is not, else all NaN. y: float64[n].
    """

    name: str
    number: int
    timed: bool
    t: Times
    x: Values
    y: Values
    look: Look


def is_figure(value: object) -> bool:
    """Whether a JSON value is a figure: traces and a layout."""
    if not isinstance(value, dict) or not isinstance(value.get("layout"), dict):
        return False
    traces = value.get("data")
    return isinstance(traces, list) and all(isinstance(trace, dict) for trace in traces)


def scatters(figure: dict[str, Any], recv: int) -> list[Trace]:
    """The scatter traces of a figure that can be read. recv: ns since 1970 UTC."""
    found = (
        _trace(figure, number, trace, recv)
        for number, trace in enumerate(figure["data"][:MAX_TRACES])
        if trace.get("type", "scatter") in _SCATTERS
    )
    return [trace for trace in found if trace is not None]


def numbers(array: object) -> Values | None:
    """float64[n], NaN for what is no number; None for what is no array of one dimension."""
    if isinstance(array, list):
        return np.array([to_float(value) for value in array[-MAX_POINTS:]], dtype=np.float64)
    if not isinstance(array, dict):
        return None
    dtype, data, shape = array.get("dtype"), array.get("bdata"), array.get("shape")
    if not isinstance(dtype, str) or dtype not in _DTYPES or not isinstance(data, str):
        return None
    if isinstance(shape, str) and "," in shape:  # of two dimensions or more
        return None
    try:
        content = base64.b64decode(data, validate=True)
        cells = np.frombuffer(content, dtype="u1" if dtype == "u1c" else f"<{dtype}")
    except (binascii.Error, ValueError):
        return None
    values: Values = cells[-MAX_POINTS:].astype(np.float64)
    values[~np.isfinite(values)] = np.nan
    return values


def colour(text: object) -> str:
    """A CSS colour as "#rrggbb"; "" for one that is not known."""
    if not isinstance(text, str):
        return ""
    text = text.strip().lower()
    if _HEX.fullmatch(text):
        return text if len(text) == 7 else "#" + "".join(2 * digit for digit in text[1:])
    if match := _RGB.fullmatch(text):
        return "#" + "".join(f"{min(255, int(part)):02x}" for part in match.groups())
    return _NAMED.get(text, "")


def _trace(figure: dict[str, Any], number: int, trace: dict[str, Any], recv: int) -> Trace | None:
    y = numbers(trace.get("y"))
    if y is None or not len(y):
        return None
    places = trace.get("x")
    texts = places[-MAX_POINTS:] if isinstance(places, list) else []
    timed = any(map(_is_time, texts))
    t = np.zeros(len(y), dtype=np.int64)
    x = np.full(len(y), np.nan)
    if timed:
        t[: len(texts)] = [to_ns(text, recv) or 0 for text in texts[: len(y)]]
    else:
        along = np.arange(len(y), dtype=np.float64) if places is None else numbers(places)
        if along is None:
            return None
        x[: len(along)] = along[: len(y)]
    known = np.flatnonzero(np.isfinite(y) & ((t > 0) if timed else np.isfinite(x)))
    order = known[np.argsort(t[known] if timed else x[known], kind="stable")]
    name = trace.get("name")
    return Trace(
        name if isinstance(name, str) else "",
        number,
        timed,
        t[order],
        x[order],
        y[order],
        _look(figure, trace, len(order)),
    )


def _is_time(value: object) -> bool:
    return isinstance(value, str) and not is_number(value)


def _look(figure: dict[str, Any], trace: dict[str, Any], points: int) -> Look:
    layout = figure["layout"]
    line = trace.get("line")
    drawn = colour(line.get("color")) if isinstance(line, dict) else ""
    return Look(
        kind="line",
        title=_title(layout.get("title")) or _title(_inner(layout.get("yaxis"), "title")),
        colours=(drawn,) if drawn else (),
        fill=trace.get("fill") not in (None, "", "none"),
        points=points,
    )


def _title(value: object) -> str:
    """The text of a title, which is a text or an object that holds one."""
    text = _inner(value, "text") if isinstance(value, dict) else value
    return printable(text, MAX_TITLE) if isinstance(text, str) else ""


def _inner(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None
