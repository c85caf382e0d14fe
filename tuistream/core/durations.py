"""Durations as people type and read them."""

from __future__ import annotations

import re
from fractions import Fraction

from tuistream.core.errors import SettingsError

UNITS = {
    "d": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
}
LONGEST = (1 << 63) - 1  # ns, about 292 years
_NUMBER = r"\d{1,20}(?:\.\d{1,20})?"
_PLAIN = re.compile(_NUMBER, re.ASCII)
_WITH_UNITS = re.compile("".join(rf"(?:({_NUMBER}){unit})?" for unit in UNITS), re.ASCII)


def parse_duration(text: str, option: str = "") -> int:
    """Nanoseconds of "250ms", "10m", "1h30m", "1.5h", "1d", or plain seconds "90" or "0.5".

    Units go from the largest to the smallest (d, h, m, s, ms, us), each at most once. Raises SettingsError, which
    names `option` where it is given.
    """
    typed = text.strip()
    if _PLAIN.fullmatch(typed):
        ns = Fraction(typed) * UNITS["s"]
    else:
        match = _WITH_UNITS.fullmatch(typed)
        if not typed or match is None:
            raise SettingsError(
                f"{option} {text!r}: a duration such as 90, 250ms, 10m, 1h30m or 1d is wanted".strip()
            )
        ns = sum(
            (Fraction(n) * unit for n, unit in zip(match.groups(), UNITS.values(), strict=True) if n), Fraction()
        )
    if ns > LONGEST:
        raise SettingsError(f"{option} {text!r}: the longest duration is {LONGEST // UNITS['d']} days".strip())
    return int(ns)


def format_duration(ns: int) -> str:
    """A duration in its two largest units, cut, not rounded: "250 ms", "8 s", "4 m 10 s", "2 h 03 m", "3 d 4 h"."""
    if ns < 0:
        return f"-{format_duration(-ns)}"
    if 0 < ns < UNITS["s"]:
        return f"{ns // UNITS['ms']} ms"
    seconds = ns // UNITS["s"]
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3_600:
        return f"{seconds // 60} m {seconds % 60:02} s"
    if seconds < 86_400:
        return f"{seconds // 3_600} h {seconds % 3_600 // 60:02} m"
    return f"{seconds // 86_400} d {seconds % 86_400 // 3_600} h"
