"""Contents as numbers with names: those of the newest tick, or of each of the newest ticks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import numpy as np

from tuistream.charts.kinds.contract import Content, DrawStyle, Ticks, Values
from tuistream.charts.kinds.words import SECOND, name_text
from tuistream.charts.numbers import digits_for, format_value
from tuistream.core.batch import Values as Numbers

MS: Final = 1_000_000
MOST_PARTS: Final = 64  # slices, spokes or bars of one moment that are drawn; what is beyond is counted


def newest_values(content: Content) -> Values:
    """The newest value of each field of ticks, one series; of Values all. One field shown: all."""
    if isinstance(content, Values):
        return content
    assert isinstance(content, Ticks)
    names = content.shown if len(content.shown) > 1 else tuple(content.columns)
    v = np.array([[_last(content.columns[name]) for name in names]], np.float64)
    return Values(names, ("",), v)


def last_ticks(content: Content, most: int, style: DrawStyle, *, fine: bool = True) -> Values:
    """The newest `most` ticks with a time as a label each, and a series for each field shown; of Values all.

    fine: times to the millisecond where ticks are less than a second apart.
    """
    if isinstance(content, Values):
        return content
    assert isinstance(content, Ticks)
    t = content.t[-most:] if most > 0 else content.t[:0]
    fine = fine and bool((np.diff(t) < SECOND).any())
    labels = tuple(_moment(int(each), content.axis, style, fine) for each in t)
    v = np.array([content.columns[name][len(content.t) - len(t) :] for name in content.shown], np.float64)
    return Values(labels, content.shown, v.reshape(len(content.shown), len(t)))


def texts_of(values: Numbers, style: DrawStyle) -> list[str]:
    """Values with the digits that they all need."""
    digits = digits_for(values) if style.digits is None else max(style.digits, digits_for(values))
    return [format_value(value, digits) for value in values.tolist()]


def _last(values: Numbers) -> float:
    known = np.flatnonzero(np.isfinite(values))
    return float(values[known[-1]]) if len(known) else float("nan")


def _moment(t: int, axis: str, style: DrawStyle, fine: bool) -> str:
    """A label for a tick: its local time, or its place."""
    if axis:
        return f"{t / SECOND:g}"
    try:
        local = datetime.fromtimestamp(t // SECOND, UTC).astimezone(style.timezone)
    except (ValueError, OverflowError, OSError):
        return ""
    return f"{local:%H:%M:%S}" + (f".{t % SECOND // MS:03d}" if fine else "")


def label_of(text: str, number: int) -> str:
    """A name in a line, or its number where it has none."""
    return name_text(text).strip() or f"{number + 1}"
