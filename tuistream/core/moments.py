"""Points in time as people type them. No clock: callers say what time it is, and where."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

from tuistream.core.durations import LONGEST, UNITS, parse_duration
from tuistream.core.errors import SettingsError

FORMS = '"14:30", "-10m", "+10m", "yesterday 9:00", "now" or ISO 8601 such as 2026-11-21T14:30:00Z'
_CLOCK = r"(?P<clock>\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)"
_OF_DAY = re.compile(rf"(?:(?P<day>today|yesterday)\b ?)?{_CLOCK}?", re.ASCII | re.IGNORECASE)
_ISO = re.compile(
    rf"(?P<date>\d{{4}}-\d{{2}}-\d{{2}})(?:[T ]{_CLOCK})? ?(?P<zone>Z|[+-]\d{{2}}:?\d{{2}})?",
    re.ASCII | re.IGNORECASE,
)


def parse_moment(text: str, now: int, timezone: tzinfo | None, base: int | None = None, *, option: str = "") -> int:
    """Nanoseconds since 1970 UTC of "14:30", "-10m", "yesterday 9:00", "2026-11-21 14:30:05.25", "now" …

    What names no zone is of `timezone`; None is that of the machine. A time without a day is of the day in which
    `base` lies, and "-10m" and "+10m" count from `base` (ns, such as where a replay is), or `now` where that is None.
    "today" and "yesterday" go by `now`. Raises SettingsError, which says what is allowed, and names `option`.
    """
    typed = " ".join(text.split())
    from_here = now if base is None else base
    try:
        moment = _moment(typed, now, from_here, timezone)
    except (ValueError, OverflowError, OSError):
        moment = None
    if moment is None or not 0 <= moment <= LONGEST:
        raise SettingsError(f"{option} {text!r}: a time is wanted: {FORMS}".strip())
    return moment


def _moment(typed: str, now: int, from_here: int, zone: tzinfo | None) -> int | None:
    if typed.lower() == "now":
        return now
    if typed[:1] in ("-", "+"):
        return from_here + (-1 if typed[0] == "-" else 1) * _duration(typed[1:])
    if typed and (match := _OF_DAY.fullmatch(typed)):
        named = match["day"]
        day = _local(now if named else from_here, zone).date()
        if named and named.lower() == "yesterday":
            day -= timedelta(days=1)
        return _at(day, match["clock"], zone)
    if match := _ISO.fullmatch(typed):
        return _at(date.fromisoformat(match["date"]), match["clock"], _zone(match["zone"]) or zone)
    return None


def _duration(typed: str) -> int:
    try:
        return parse_duration(typed)
    except SettingsError as error:  # said in the words of a time
        raise ValueError from error


def _local(t: int, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(t // UNITS["s"], UTC).astimezone(zone)


def _at(day: date, clock: str | None, zone: tzinfo | None) -> int:
    """ns since 1970 UTC at a clock's time of a day; its midnight where `clock` is None. ValueError."""
    whole, _, fraction = (clock or "0:00").replace(",", ".").partition(".")
    hour, minute, second = (int(part) for part in f"{whole}:0".split(":")[:3])
    # A zone of None is the machine's: `timestamp` of a time that names none goes by that.
    seconds = datetime.combine(day, time(hour, minute, second), tzinfo=zone).timestamp()
    return int(seconds) * UNITS["s"] + int(fraction.ljust(9, "0") or 0)


def _zone(named: str | None) -> tzinfo | None:
    if named is None or named in "Zz":
        return None if named is None else UTC
    hours, minutes = int(named[1:3]), int(named[-2:])
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if named[0] == "-" else offset)
