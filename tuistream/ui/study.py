"""What a user writes for a study as the chart of a panel: `study:fft(price, n=1024, window=hann, units=dB)`."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from tuistream.charts.spectrum import ALONG, LEAST_POINTS, MOST_POINTS, UNITS, WINDOWS, Transform
from tuistream.core.errors import SettingsError
from tuistream.core.text import printable

PREFIX: Final = "study:"
FFT: Final = "fft"
_FORM: Final = re.compile(rf"{PREFIX}\s*(\w+)\s*(?:\((.*)\))?", re.ASCII | re.DOTALL)
_WORDS: Final = {"window": WINDOWS, "units": UNITS, "along": ALONG}


class Fft(NamedTuple):
    """The spectrum of a field's newest `ticks`; of those in the panel's window where that is 0.

    field: "" for the one that the panel draws first.
    """

    field: str = ""
    ticks: int = 0
    transform: Transform = Transform()


def parse_study(text: str, where: str) -> Fft:
    """Raises SettingsError, which begins with `where`."""
    match = _FORM.fullmatch(text.strip())
    if match is None or match[1] != FFT:
        raise SettingsError(f"{where} is no study; there is {PREFIX}{FFT}(FIELD, n=1024, window=hann, units=dB)")
    field, ticks, chosen = "", 0, dict.fromkeys(_WORDS, "")
    for part in (part.strip() for part in (match[2] or "").split(",")):
        name, equals, value = (word.strip() for word in part.partition("="))
        if part and not equals and not field:
            field = part
        elif name == "n":
            ticks = _count(value, where)
        elif name in _WORDS and value in _WORDS[name]:
            chosen[name] = value
        elif name in _WORDS:
            raise SettingsError(f"{where}: {name} is one of {', '.join(_WORDS[name])}")
        elif part:
            told = printable(name, 40)
            raise SettingsError(f"{where}: {told} is none; there are FIELD, n, {', '.join(_WORDS)}")
    window, unit, along = (chosen[name] or words[0] for name, words in _WORDS.items())
    return Fft(field, ticks, Transform(window, unit, along))


def _count(text: str, where: str) -> int:
    count = int(text) if re.fullmatch(r"\d{1,9}", text, re.ASCII) else 0
    if not LEAST_POINTS <= count <= MOST_POINTS:
        raise SettingsError(f"{where}: n is a number of ticks from {LEAST_POINTS} to {MOST_POINTS:,}")
    return count
