import time
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuistream.core.errors import SettingsError
from tuistream.core.moments import parse_moment

S = 1_000_000_000
BERLIN = ZoneInfo("Europe/Berlin")
NOW = 1_795_276_800 * S  # 2026-11-21 16:00 UTC, 17:00 in Berlin


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * S


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("now", NOW),
        ("14:30", at("2026-11-21T13:30:00Z")),
        (" 9:00 ", at("2026-11-21T08:00:00Z")),
        ("00:00:07.000000001", at("2026-11-20T23:00:07Z") + 1),
        ("-10m", NOW - 600 * S),
        ("- 10m", NOW - 600 * S),
        ("+1h30m", NOW + 5_400 * S),
        ("-0.5", NOW - S // 2),  # plain seconds, as of durations
        ("yesterday 9:00", at("2026-11-20T08:00:00Z")),
        ("Yesterday", at("2026-11-19T23:00:00Z")),
        ("today  23:59:59", at("2026-11-21T22:59:59Z")),
        ("2026-07-01", at("2026-06-30T22:00:00Z")),
        ("2026-07-01 12:00", at("2026-07-01T10:00:00Z")),
        ("2026-07-01T12:00:00,25", at("2026-07-01T10:00:00Z") + S // 4),
        ("2026-07-01T12:00:00.123456789Z", at("2026-07-01T12:00:00Z") + 123_456_789),
        ("2026-07-01t12:00z", at("2026-07-01T12:00:00Z")),
        ("2026-07-01T12:00:00-05:30", at("2026-07-01T17:30:00Z")),
        ("2026-07-01T12:00 +0200", at("2026-07-01T10:00:00Z")),
    ],
)
def test_what_people_type(typed: str, wanted: int) -> None:
    assert parse_moment(typed, NOW, BERLIN) == wanted


def test_base_is_where_clocks_and_distances_start_from() -> None:
    base = at("2020-02-29T22:30:00Z")
    assert parse_moment("-10m", NOW, UTC, base) == base - 600 * S
    assert parse_moment("9:00", NOW, UTC, base) == at("2020-02-29T09:00:00Z")
    assert parse_moment("9:00", NOW, timezone(timedelta(hours=2)), base) == at("2020-03-01T07:00:00Z")
    assert parse_moment("now", NOW, UTC, base) == NOW
    assert parse_moment("yesterday 9:00", NOW, UTC, base) == at("2026-11-20T09:00:00Z")


@pytest.mark.parametrize(
    "typed",
    [
        "", "soon", "25:00", "12:60", "14", "14:3", "2026-13-01", "2026-02-30 12:00", "1969-12-31T23:59Z", "-",
        "9999-12-31", "0001-01-01", "-60y", "yesterday9:00", "yesterday 9", "²:00", "2026-07-01T12:00+99:00",
    ],
)  # fmt: skip
def test_what_is_no_time_is_said_to_be_none(typed: str) -> None:
    with pytest.raises(SettingsError, match=r"--since .*: a time is wanted: \"14:30\", \"-10m\""):
        parse_moment(typed, NOW, UTC, option="--since")


@given(t=st.integers(0, 4_000_000_000 * S), zone=st.sampled_from([UTC, BERLIN, timezone(timedelta(hours=-9.5))]))
def test_iso_comes_back(t: int, zone: tzinfo) -> None:
    local = datetime.fromtimestamp(t // S, UTC).astimezone(zone)
    typed = f"{local:%Y-%m-%dT%H:%M:%S}.{t % S:09}{local:%z}"
    assert parse_moment(typed, NOW, None) == t


def test_no_zone_is_that_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert parse_moment("2026-07-01 12:00", NOW, None) == at("2026-07-01T16:00:00Z")
        assert parse_moment("14:30", NOW, None) == at("2026-11-21T19:30:00Z")
    finally:
        monkeypatch.undo()
        time.tzset()
