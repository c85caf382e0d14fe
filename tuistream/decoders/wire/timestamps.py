"""Event times in every spelling that feeds use, as ns since 1970 UTC. No clock: callers say when it was received."""

from __future__ import annotations

import re
from datetime import date

EARLIEST = 631_152_000 * 10**9  # 1990-01-01
AHEAD = 86_400 * 10**9  # a time further ahead of its receipt cannot be
DAY = 86_400 * 10**9
MAX_TEXT = 80

# Seconds, ms, µs and ns of one moment lie a factor 1,000 apart, so that the magnitude tells the unit: from 1973 to
# 5138 a time in seconds has at most 11 digits, one in ms 12 to 14, and so on.
_UNITS: tuple[tuple[int, int, str], ...] = ((10**11, 9, "s"), (10**14, 6, "ms"), (10**17, 3, "µs"), (10**20, 0, "ns"))
_TENS = (1, 10, 100, 10**3, 10**4, 10**5, 10**6, 10**7, 10**8, 10**9)
_EPOCH_DAY = date(1970, 1, 1).toordinal()

_EPOCH = re.compile(r"(\d{1,20})(?:\.(\d*))?", re.ASCII)
_ISO = re.compile(
    r"(\d{4})(?:([-/.])(\d\d)\2(\d\d)|(\d\d)(\d\d)(?=T))"
    r"(?:[Tt ]\s?(\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d{1,40}))?)?"
    r"\s?(?:([Zz]|UTC|GMT)|([+-])(\d\d):?(\d\d)?)?(?: UTC)?(?: m=[+-][\d.]+)?)?",
    re.ASCII,
)
# With dots the day comes first where the year comes last, as in DIN 5008; with slashes nobody can tell.
_DAY_FIRST = re.compile(
    r"(\d\d?)\.(\d\d?)\.(\d{4})(?:(?:[Tt ]|, ?)(\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d{1,40}))?)?)?", re.ASCII
)
_CLOCK = re.compile(r"(\d\d?):(\d\d):(\d\d)(?:[.,](\d{1,40}))?\s?(?:[Zz]|UTC)?", re.ASCII)


def to_ns(value: object, recv: int) -> int | None:
    """ns since 1970 UTC, or None where `value` is no time, or one that cannot be (before 1990, a day after `recv`).

    int, float and numeric strings: s, ms, µs or ns since 1970 by their magnitude, every digit kept; a float as it is
    written in decimal. Other strings: ISO 8601 (any fraction; Z, an offset, or none for UTC; Go's way of writing it
    too), 31.12.2024 with or without a clock time (UTC), and a clock time alone, which is of the day that brings it
    nearest to `recv`.
    """
    if type(value) is float:
        ns = _from_float(value)
    elif type(value) is int:
        ns = _scaled(value, "") if 0 < value < 10**20 else None
    elif type(value) is str:
        ns = _from_text(value, recv)
    else:
        return None
    return ns if ns is not None and EARLIEST <= ns <= recv + AHEAD else None


def iso_ns(text: str, recv: int) -> int | None:
    """As `to_ns`, for what is documented to be ISO 8601."""
    ns = _from_iso(text)
    return ns if ns is not None and EARLIEST <= ns <= recv + AHEAD else None


def unit_of(value: object) -> str:
    """How `value` gives its time: "s", "ms", "µs", "ns", "ISO 8601", "day.month.year", "clock time"; "" for none."""
    if type(value) is str:
        text = value.strip()
        if _EPOCH.fullmatch(text):
            return _unit(int(text.partition(".")[0]))
        if _ISO.fullmatch(text[:MAX_TEXT]):
            return "ISO 8601"
        if _DAY_FIRST.fullmatch(text[:MAX_TEXT]):
            return "day.month.year"
        return "clock time" if _CLOCK.fullmatch(text[:MAX_TEXT]) else ""
    if type(value) is int or (type(value) is float and 0 <= value < 1e20):
        return _unit(int(value))
    return ""


def is_written_time(value: object) -> bool:
    """Whether `value` is a string that can only be meant as a time of day: a clock time, with its date or alone."""
    if type(value) is not str or not 7 <= len(value) <= MAX_TEXT or (":" not in value and "T" not in value):
        return False
    text = value.strip()
    iso, day_first = _ISO.fullmatch(text), _DAY_FIRST.fullmatch(text)
    return bool(iso and iso[7]) or bool(day_first and day_first[4]) or _CLOCK.fullmatch(text) is not None


def is_date(value: object) -> bool:
    """Whether `value` is a string that is a date without a clock time."""
    if type(value) is not str or not 8 <= len(value) <= MAX_TEXT:
        return False
    text = value.strip()
    iso, day_first = _ISO.fullmatch(text), _DAY_FIRST.fullmatch(text)
    return bool(iso and not iso[7]) or bool(day_first and not day_first[4])


def _unit(integer: int) -> str:
    return next((unit for limit, _, unit in _UNITS if 0 < integer < limit), "")


def _scaled(integer: int, fraction: str) -> int:
    for limit, digits, _ in _UNITS:
        if integer < limit:
            if fraction and digits:
                return integer * _TENS[digits] + int(fraction[:digits].ljust(digits, "0"))
            return integer * _TENS[digits]
    return -1


def _from_float(value: float) -> int | None:
    if not 1 <= value < 1e19:
        return None
    if value >= 1e16:  # from here on repr has exponents, and a float no fraction
        return _scaled(int(value), "")
    # The shortest decimal that gives this float is what the sender wrote.
    integer, _, fraction = repr(value).partition(".")
    if value < 1e11:
        return int(integer + (fraction + "00000000")[:9])
    return _scaled(int(integer), fraction)


def _from_text(text: str, recv: int) -> int | None:
    if len(text) > MAX_TEXT:
        return None
    text = text.strip()
    match = _EPOCH.fullmatch(text)
    if match:
        return _scaled(int(match[1]), match[2] or "")
    ns = _from_iso(text)
    if ns is None:
        ns = _from_day_first(text)
    return ns if ns is not None else _from_clock(text, recv)


def _from_iso(text: str) -> int | None:
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    year, _, month, day, month2, day2, hour, minute, second, fraction, _, sign, off_hour, off_minute = match.groups()
    ns = _of(year, month or month2, day or day2, hour, minute, second, fraction)
    if ns is None or not sign:
        return ns
    offset = (int(off_hour) * 3_600 + int(off_minute or 0) * 60) * 10**9
    return ns - offset if sign == "+" else ns + offset


def _from_day_first(text: str) -> int | None:
    match = _DAY_FIRST.fullmatch(text)
    return _of(match[3], match[2], match[1], *match.group(4, 5, 6, 7)) if match else None


def _of(
    year: str, month: str, day: str, hour: str | None, minute: str, second: str | None, fraction: str | None
) -> int | None:
    """ns since 1970 UTC of a date and, where there is an hour, a clock time; None where there is no such."""
    try:
        start = (date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY) * DAY
    except ValueError:
        return None
    if hour is None:
        return start
    seconds = _seconds_of_day(hour, minute, second)
    return None if seconds is None else start + seconds * 10**9 + _fraction_ns(fraction)


def _from_clock(text: str, recv: int) -> int | None:
    match = _CLOCK.fullmatch(text)
    seconds = _seconds_of_day(match[1], match[2], match[3]) if match else None
    if match is None or seconds is None:
        return None
    of_day = seconds * 10**9 + _fraction_ns(match[4])
    ns = recv - recv % DAY + of_day
    if ns - recv > DAY // 2:
        return ns - DAY
    return ns + DAY if recv - ns > DAY // 2 else ns


def _seconds_of_day(hour: str, minute: str, second: str | None) -> int | None:
    h, m, s = int(hour), int(minute), int(second or 0)
    return h * 3_600 + m * 60 + s if h < 24 and m < 60 and s <= 60 else None


def _fraction_ns(fraction: str | None) -> int:
    return int(fraction[:9].ljust(9, "0")) if fraction else 0
