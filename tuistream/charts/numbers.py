"""Numbers as text for titles and tables. They stand still: values of one magnitude have one width."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from math import floor, inf, isfinite, log10
from typing import Final

import numpy as np

from tuistream.core.batch import Values

NO_VALUE: Final = "-"
SAMPLE: Final = 1_000  # values that `digits_for` looks at, the newest ones
RESOLVED: Final = 13  # digits up to which a smallest step of the values is looked for; a float holds 15
UNRESOLVED: Final = 6  # digits shown of values that have none
MOST_DECIMALS: Final = 16
PLAIN_DECIMALS: Final = 10  # values that need more are written in powers of ten
PLAIN_BELOW: Final = 1e15
BARS: Final = "▁▂▃▄▅▆▇█"
ASCII_BARS: Final = "_.-=+*#"


def digits_for(values: Values) -> int:
    """How many decimals these values have, 0 to 16; those of their newest 1,000 that are finite.

    Prices have a smallest step, and this finds its decimals. Values without one (a sine) get so many that their
    largest shows 6 digits. 0 where there is nothing to look at.
    """
    seen = values[-SAMPLE:]
    seen = np.abs(seen[np.isfinite(seen)])
    largest = float(seen.max(initial=0.0))
    if largest == 0 or largest >= PLAIN_BELOW:
        return 0
    magnitude = floor(log10(largest))
    for decimals in range(min(MOST_DECIMALS, RESOLVED - 1 - magnitude) + 1):
        scaled = seen * 10.0**decimals
        if (np.abs(scaled - np.rint(scaled)) <= 1e-14 * scaled).all():
            return decimals
    return min(MOST_DECIMALS, max(0, UNRESOLVED - 1 - magnitude))


def format_value(value: float, digits: int) -> str:
    """`value` with `digits` decimals and commas between thousands: "61,837.63".

    In powers of ten where `digits` is over 10 or the value is too large to be exact. "-" where there is no value.
    """
    if not isfinite(value):
        return NO_VALUE if value != value else "inf" if value > 0 else "-inf"
    if digits > PLAIN_DECIMALS or abs(value) >= PLAIN_BELOW:
        return f"{value + 0.0:.4e}"
    text = f"{value:,.{max(0, digits)}f}"
    return text[1:] if text[0] == "-" and not any(c in "123456789" for c in text) else text


def format_change(change: float, digits: int) -> str:
    """`change` as `format_value` has it, with its sign: "+12.40", "-9.93", "0.00"."""
    text = format_value(change, digits)
    moved = change > 0 and any(c in "123456789" for c in text)
    return f"+{text}" if moved or change == inf else text


def format_percent(percent: float) -> str:
    """ "+0.02 %", "-0.41 %", "0.00 %"; without decimals from 1,000 on."""
    if not isfinite(percent):
        return NO_VALUE
    return f"{format_change(percent, 2 if abs(percent) < 1_000 else 0)} %"


def compact(count: float) -> str:
    """A count in three digits and its unit: "0", "999", "1.24 k", "58.0 M", "1.20 G". "B" may follow."""
    if not isfinite(count):
        return NO_VALUE
    size = abs(count)
    if size < 999.5:
        return f"{count:.0f}" if size >= 100 or size == int(size) else f"{count:.3g}"
    for unit in ("k", "M", "G", "T", "P"):
        size /= 1_000
        if size < 999.5 or unit == "P":
            break
    decimals = 2 if size < 9.995 else 1 if size < 99.95 else 0
    return f"{'-' if count < 0 else ''}{size:,.{decimals}f} {unit}"


def sparkline(values: Values, width: int, glyphs: str = "braille") -> str:
    """`values` as bars in `width` characters, scaled to their own range; blank where there is no value.

    More values than characters: each character shows the last value of its part. Fewer: blanks come first.
    """
    if width < 1:
        return ""
    if len(values) > width:
        values = values[np.arange(1, width + 1) * len(values) // width - 1]
    bars = ASCII_BARS if glyphs == "ascii" else BARS
    known = values[np.isfinite(values)]
    if not len(known):
        return " " * width
    low, high = float(known.min()), float(known.max())
    extent = high / 2 - low / 2
    text = ""
    for value in values.tolist():
        if not isfinite(value):
            text += " "
        elif extent > 0:
            text += bars[min(len(bars) - 1, int((value / 2 - low / 2) / extent * len(bars)))]
        else:
            text += bars[len(bars) // 2 - 1]
    return text.rjust(width)


def glyphs_for(environ: Mapping[str, str], encoding: str) -> str:
    """What a terminal can show: "braille", "blocks" or "ascii".

    encoding: that of the terminal's output; one that is not UTF-8, or unknown, gets ASCII. The Linux console has a
    few hundred glyphs, none of them braille.
    """
    try:
        name = codecs.lookup(encoding or "ascii").name
    except LookupError:
        return "ascii"
    if not name.startswith("utf"):
        return "ascii"
    return "blocks" if environ.get("TERM") == "linux" else "braille"
