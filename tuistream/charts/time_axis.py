"""The time axis: round local times. Times are ns since 1970 UTC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from math import ceil
from typing import Final

Tick = tuple[int, str]

MICROSECOND: Final = 1_000
MILLISECOND: Final = 1_000_000
SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
MOST_TICKS: Final = 200

_DECIMAL: Final[tuple[int, ...]] = tuple(n * 10**power for power in range(9) for n in (1, 2, 5))
_SECONDS: Final = tuple(n * unit for unit in (SECOND, MINUTE) for n in (1, 2, 5, 10, 15, 30))
_STEPS: Final[tuple[int, ...]] = (
    *(step for step in _DECIMAL if step >= MICROSECOND),
    *_SECONDS,
    *(n * HOUR for n in (1, 2, 3, 6, 12)),
)
_DAY_STEPS: Final = (1, 2, 7, 14)
_MONTH_STEPS: Final[tuple[int, ...]] = (1, 2, 3, 6, *(12 * n * 10**power for power in range(4) for n in (1, 2, 5)))
_FIRST: Final = datetime(1, 1, 2, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 30, tzinfo=UTC)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MONDAY: Final = date(1, 1, 1).toordinal()


def time_ticks(t0: int, t1: int, count: int, timezone: tzinfo | None = None) -> list[Tick]:
    """At most about `count` round local times from t0 to t1, ns, rising, each with its label.

    timezone: None is the machine's own. Ticks and labels depend on the clock and on t1 - t0 only, never on where the
    window begins. A tick that is the first of its day has the date; within a
    second labels are seconds (":03.005"). Where clocks are put back an hour comes twice.
    """
    if t1 <= t0 or count < 1:
        return []
    count = min(count, MOST_TICKS)
    t0, t1 = max(t0, _ns(_FIRST)), min(t1, _ns(_LAST))
    span = t1 - t0
    for step in _STEPS:
        if span <= step * count:
            return [(t, _label(t, step, timezone)) for t in _clock_times(t0, t1, step, timezone)]
    for days in _DAY_STEPS:
        if span <= days * DAY * count:
            return _day_ticks(t0, t1, days, timezone)
    for months in _MONTH_STEPS:
        if span <= months * 30 * DAY * count:
            return _month_ticks(t0, t1, months, timezone)
    return []


def _ns(moment: datetime) -> int:
    microseconds: int = (moment - _EPOCH) // timedelta(microseconds=1)
    return microseconds * MICROSECOND


def _local(t: int, timezone: tzinfo | None) -> datetime:
    return (_EPOCH + timedelta(microseconds=t // MICROSECOND)).astimezone(timezone)


def _offset(t: int, timezone: tzinfo | None) -> int:
    """Local time minus UTC, ns."""
    return (_local(t, timezone).utcoffset() or timedelta()) // timedelta(microseconds=1) * MICROSECOND


def _clock_times(t0: int, t1: int, step: int, timezone: tzinfo | None) -> list[int]:
    """Times at which the local clock shows a multiple of `step`, which is at most half a day."""
    # No window with such a step is long enough for the offset to change twice between two of these moments.
    probes = range(t0, t1, DAY) if t1 - t0 > DAY else (t0,)
    offsets = {_offset(t, timezone) for t in (*probes, t1)}
    if len(offsets) == 1:
        shift = offsets.pop()
        return list(range(-(-(t0 + shift) // step) * step - shift, t1 + 1, step))
    found: set[int] = set()
    for shift in offsets:
        times = range(-(-(t0 + shift) // step) * step - shift, t1 + 1, step)
        found.update(t for t in times if _offset(t, timezone) == shift)
    return sorted(found)


def _label(t: int, step: int, timezone: tzinfo | None) -> str:
    local = _local(t, timezone)
    if local.date() != _local(t - step, timezone).date():
        return _date(local)
    if step >= MINUTE:
        return f"{local:%H:%M}"
    if step >= SECOND:
        return f"{local:%H:%M:%S}"
    if t % SECOND == 0:
        return f"{local:%H:%M:%S}"
    digits = next(n for n in range(1, 10) if step % 10 ** (9 - n) == 0)
    return f"{local::%S}.{t % SECOND:09}"[: 4 + digits]


def _date(day: date) -> str:
    return f"{day.day} {day:%b}"


def _midnight(day: date, timezone: tzinfo | None) -> int:
    """The start of a local day, ns."""
    if timezone is None:
        return _ns(datetime(day.year, day.month, day.day).astimezone())
    return _ns(datetime(day.year, day.month, day.day, tzinfo=timezone).astimezone(UTC))


def _day_ticks(t0: int, t1: int, days: int, timezone: tzinfo | None) -> list[Tick]:
    """Local midnights, every `days` days; weeks begin on Mondays."""
    first = _local(t0, timezone).date().toordinal()
    last = _local(t1, timezone).date().toordinal()
    ordinals = range(first + (_MONDAY - first) % days, last + 1, days)
    ticks = [(_midnight(day, timezone), _date(day)) for day in map(date.fromordinal, ordinals)]
    return [(t, label) for t, label in ticks if t0 <= t <= t1]


def _month_ticks(t0: int, t1: int, months: int, timezone: tzinfo | None) -> list[Tick]:
    def starts() -> Iterator[date]:
        first, last = _local(t0, timezone).date(), _local(t1, timezone).date()
        begin = first.year * 12 + first.month - 1
        for month in range(ceil(begin / months) * months, last.year * 12 + last.month, months):
            yield date(month // 12, month % 12 + 1, 1)

    ticks = [
        (_midnight(day, timezone), f"{day.year}" if day.month == 1 else f"{day:%b}") for day in starts() if day.year
    ]
    return [(t, label) for t, label in ticks if t0 <= t <= t1]
