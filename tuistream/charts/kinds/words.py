"""What kinds say of values and times."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np

from tuistream.charts.kinds.contract import DrawStyle, Ticks
from tuistream.charts.kinds.plot import BILLIONTHS
from tuistream.charts.numbers import digits_for, format_value
from tuistream.core.batch import Values
from tuistream.core.text import printable

NAME_LENGTH = 40
SECOND = 1_000_000_000
DAY = 86_400 * SECOND
TIME_FROM = 11  # where the time of day begins in a time with its date


def time_text(t: int, style: DrawStyle, span: int = DAY + 1) -> str:
    """A local time to the millisecond, of ns since 1970 UTC; "" for one that no calendar has.

    span: of the window, ns; up to a day neither the date is said nor milliseconds that are none.
    """
    try:
        local = datetime.fromtimestamp(t // SECOND, UTC).astimezone(style.timezone)
    except (ValueError, OverflowError, OSError):
        return ""
    text = f"{local:%Y-%m-%d %H:%M:%S}.{t % SECOND // 1_000_000:03d}"
    return text if span > DAY else text[TIME_FROM:].removesuffix(".000")


def when(content: Ticks, index: int, style: DrawStyle) -> str:
    """The time of a tick, or its place."""
    t = int(content.t[index])
    return (
        f"{name_text(content.axis)} {t / BILLIONTHS:g}"
        if content.axis
        else time_text(t, style, content.t1 - content.t0)
    )


def name_text(name: str) -> str:
    return printable(name, NAME_LENGTH)


def value_text(value: float, values: Values, style: DrawStyle, *, main: bool = False) -> str:
    """A value with the digits that its array needs, or, of the main field, those of the style."""
    digits = style.digits if main and style.digits is not None else digits_for(np.atleast_1d(values))
    text = format_value(value, digits)
    return f"{text} {printable(style.unit, NAME_LENGTH)}" if style.unit and value == value else text


def named_values(content: Ticks, index: int, names: Iterable[str], style: DrawStyle) -> str:
    """The values of a tick, each with its name."""
    texts = []
    for number, name in enumerate(names):
        values = content.columns[name]
        texts.append(f"{name_text(name)} {value_text(float(values[index]), values, style, main=number == 0)}")
    return "  ".join(texts)
