"""The time axis: round local times that stay where they are, columns on the clock."""

from __future__ import annotations

from datetime import datetime, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from tuistream.charts.time_axis import DAY, HOUR, SECOND, time_ticks

BERLIN, KOLKATA, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata"), ZoneInfo("America/New_York")
ZONES = st.sampled_from([BERLIN, KOLKATA, NEW_YORK, ZoneInfo("UTC"), ZoneInfo("Australia/Lord_Howe")])


def ns(text: str, timezone: tzinfo = BERLIN) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=timezone).timestamp()) * SECOND


def labels(since: str, to: str, count: int, timezone: tzinfo = BERLIN) -> list[str]:
    return [label for _t, label in time_ticks(ns(since, timezone), ns(to, timezone), count, timezone)]


def test_round_local_times() -> None:
    assert labels("2026-11-20T13:50:03", "2026-11-20T14:03:27", 5) == ["13:55", "14:00"]
    assert labels("2026-11-20T13:50:03", "2026-11-20T13:51:03", 4) == [
        "13:50:15",
        "13:50:30",
        "13:50:45",
        "13:51:00",
    ]
    # India is five and a half hours ahead of UTC; its hours are round all the same.
    assert labels("2026-11-20T13:10:00", "2026-11-20T16:10:00", 3, KOLKATA) == ["14:00", "15:00", "16:00"]


def test_the_date_where_the_day_changes() -> None:
    assert labels("2026-11-20T23:40", "2026-11-21T00:25", 4) == ["23:45", "21 Nov", "00:15"]
    assert labels("2026-10-30T13:00", "2026-11-01T13:00", 5) == ["31 Oct", "12:00", "1 Nov", "12:00"]


def test_days_months_and_years() -> None:
    assert labels("2026-11-14", "2026-11-18", 5) == ["14 Nov", "15 Nov", "16 Nov", "17 Nov", "18 Nov"]
    assert labels("2026-10-01", "2026-11-20", 8) == [
        "5 Oct",
        "12 Oct",
        "19 Oct",
        "26 Oct",
        "2 Nov",
        "9 Nov",
        "16 Nov",
    ]
    assert labels("2025-10-02", "2026-11-20", 6) == ["2026", "Apr", "Jul", "Oct"]
    assert labels("1990-10-01", "2026-11-20", 6) == ["2000", "2010", "2020"]


def test_below_a_second() -> None:
    t = ns("2026-11-20T13:50:03")
    assert [label for _t, label in time_ticks(t, t + 30_000_000, 4, BERLIN)] == [
        "13:50:03",
        ":03.01",
        ":03.02",
        ":03.03",
    ]
    assert [label for _t, label in time_ticks(t + 1, t + 4_000, 5, BERLIN)] == [
        ":03.000001",
        ":03.000002",
        ":03.000003",
        ":03.000004",
    ]


def test_clocks_put_forward_and_back() -> None:
    assert labels("2026-03-29T00:10", "2026-03-29T05:10", 6) == ["01:00", "03:00", "04:00", "05:00"]
    back = time_ticks(ns("2026-10-25T00:10"), ns("2026-10-25T04:10"), 6, BERLIN)
    assert [label for _t, label in back] == ["01:00", "02:00", "02:00", "03:00", "04:00"]
    assert {b[0] - a[0] for a, b in pairwise(back)} == {HOUR}
    # A day of 25 hours: midnights stay midnights.
    midnights = time_ticks(ns("2026-10-24T12:00"), ns("2026-10-27T12:00"), 4, BERLIN)
    assert [label for _t, label in midnights] == ["25 Oct", "26 Oct", "27 Oct"]
    assert [b[0] - a[0] for a, b in pairwise(midnights)] == [25 * HOUR, DAY]


def test_the_machine_s_own_time_zone() -> None:
    t = ns("2026-11-20T13:50:03")
    shown = time_ticks(t, t + 4 * DAY, 5)
    assert shown
    for moment, label in shown:
        local = datetime.fromtimestamp(moment / SECOND).astimezone()
        assert (local.hour, local.minute) == (0, 0)
        assert label == f"{local.day} {local:%b}"


def test_no_ticks_where_there_is_no_time() -> None:
    assert time_ticks(5, 5, 4) == []
    assert time_ticks(0, DAY, 0) == []


@given(st.integers(0, 4_000_000_000), st.integers(1, 10 * 86_400), st.integers(1, 12), st.integers(0, 86_400), ZONES)
def test_ticks_do_not_depend_on_where_the_window_begins(
    start: int, seconds: int, count: int, shift: int, zone: tzinfo
) -> None:
    t0, span = start * SECOND, seconds * SECOND
    by = shift * SECOND % span
    first = time_ticks(t0, t0 + span, count, zone)
    second = time_ticks(t0 + by, t0 + by + span, count, zone)
    overlap = range(t0 + by, t0 + span + 1)
    assert [tick for tick in first if tick[0] in overlap] == [tick for tick in second if tick[0] in overlap]
    assert len(first) <= 2 * count + 2
    assert all(t0 <= t <= t0 + span for t, _label in first)
    assert [t for t, _label in first] == sorted({t for t, _label in first})


@given(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(0, 1 << 63), st.integers(-1, 300), ZONES)
def test_no_time_makes_it_fail(t0: int, span: int, count: int, zone: tzinfo) -> None:
    assert len(time_ticks(t0, t0 + span, count, zone)) <= 2 * max(count, 0) + 2
