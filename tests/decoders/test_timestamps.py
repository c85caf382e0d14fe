from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.decoders.recorded import NOW
from tuistream.decoders.wire.timestamps import AHEAD, EARLIEST, to_ns, unit_of

SECOND = 10**9


@pytest.mark.parametrize(
    ("value", "ns", "unit"),
    [
        (1795172027.0605018, 1_795_172_027_060_501_800, "s"),
        (1795172027, 1_795_172_027_000_000_000, "s"),
        ("1618678142.557535", 1_618_678_142_557_535_000, "s"),
        (1795172027060, 1_795_172_027_060_000_000, "ms"),
        (1795172027060.5, 1_795_172_027_060_500_000, "ms"),
        ("1652459199958", 1_652_459_199_958_000_000, "ms"),
        ("1641343699596000", 1_641_343_699_596_000_000, "µs"),
        (1795172027060501.8, 1_795_172_027_060_501_800, "µs"),
        (1619378328806000034, 1_619_378_328_806_000_034, "ns"),
        ("1619378328806000034", 1_619_378_328_806_000_034, "ns"),
        ("2021-04-17T16:43:30.244075Z", 1_618_677_810_244_075_000, "ISO 8601"),
        ("2021-04-17T16:43:30.123456789Z", 1_618_677_810_123_456_789, "ISO 8601"),
        ("2021-04-17T16:43:30.1234567891234Z", 1_618_677_810_123_456_789, "ISO 8601"),
        ("2021-04-17T16:43:30Z", 1_618_677_810_000_000_000, "ISO 8601"),
        ("2021-04-17T16:43:38.50436Z", 1_618_677_818_504_360_000, "ISO 8601"),
        ("2021-04-17 16:43:30", 1_618_677_810_000_000_000, "ISO 8601"),
        ("2021-04-17T22:13:30+05:30", 1_618_677_810_000_000_000, "ISO 8601"),
        ("2021-04-17T14:43:30.5-0200", 1_618_677_810_500_000_000, "ISO 8601"),
        ("2021-04-17T18:43:30+02", 1_618_677_810_000_000_000, "ISO 8601"),
        ("2021-04-17T16:43", 1_618_677_780_000_000_000, "ISO 8601"),
        ("20210417T164330Z", 1_618_677_810_000_000_000, "ISO 8601"),
        ("2021/04/17 16:43:30,25", 1_618_677_810_250_000_000, "ISO 8601"),
        ("2026-08-09 21:05:48.854840045 +0000 UTC m=+41691.260485341", 1_786_309_548_854_840_045, "ISO 8601"),
        ("2021-04-17", 1_618_617_600_000_000_000, "ISO 8601"),
        ("17.04.2021", 1_618_617_600_000_000_000, "day.month.year"),
        ("17.4.2021 16:43", 1_618_677_780_000_000_000, "day.month.year"),
        ("17.04.2021, 16:43:30,25", 1_618_677_810_250_000_000, "day.month.year"),
    ],
)
def test_every_spelling(value: object, ns: int, unit: str) -> None:
    assert to_ns(value, NOW) == ns
    assert unit_of(value) == unit


@pytest.mark.parametrize(
    "value",
    [
        0, -1, 5, 1.5, 631_151_999, 20_240_808, 3_735_683_259, 10**30, 1e300, float("nan"), float("inf"), True, None,
        "", "pong", "10:52", "25:00:00", "10:61:00", "2021-13-01T00:00:00Z", "2021-02-30T00:00:00Z",
        "30.02.2021", "17.04.21", "04/17/2021",
        "1989-12-31T23:59:59Z",
        "2027-01-01T00:00:00Z", "2021-04-17T16:43:30+99:99x", "1" * 100, [], {}, "1970-01-01", "١٦١٨٦٧٨١٤٢",
    ],
)  # fmt: skip
def test_what_is_no_time_or_cannot_be(value: object) -> None:
    assert to_ns(value, NOW) is None


def test_the_bounds_are_sharp() -> None:
    assert to_ns(EARLIEST, NOW) == EARLIEST
    assert to_ns(EARLIEST - 1, NOW) is None
    assert to_ns(NOW + AHEAD, NOW) == NOW + AHEAD
    assert to_ns(NOW + AHEAD + 1, NOW) is None


def test_a_clock_time_is_of_the_nearest_day() -> None:
    midnight = NOW - NOW % (86_400 * SECOND)
    assert to_ns("10:52:52.477", midnight + 39_173 * SECOND) == midnight + 39_172 * SECOND + 477_000_000
    assert to_ns("23:59:59.9", midnight + SECOND) == midnight - 100_000_000
    assert to_ns("00:00:01", midnight - SECOND) == midnight + SECOND
    assert unit_of("10:52:52.477") == "clock time"


@given(st.integers(EARLIEST, NOW), st.sampled_from([(1, 0), (10**3, 3), (10**6, 6), (10**9, 9)]))
def test_integers_and_decimals_keep_every_digit(ns: int, unit: tuple[int, int]) -> None:
    divisor, digits = unit
    whole, rest = divmod(ns, divisor)
    assert to_ns(whole, NOW) in (ns - rest, None)  # None: the part below cut off, it may be before the earliest
    if digits:
        assert to_ns(f"{whole}.{rest:0{digits}}", NOW) == ns


@given(st.floats(EARLIEST / 1e9 + 1, NOW / 1e9))
def test_float_seconds_are_exact_to_what_a_float_holds(seconds: float) -> None:
    ns = to_ns(seconds, NOW)
    assert ns is not None
    assert float(f"{ns // SECOND}.{ns % SECOND:09}") == seconds


@given(
    st.datetimes(datetime(1990, 1, 2), datetime(2026, 11, 1)),  # noqa: DTZ001
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(["T", " "]),
)
def test_iso_with_any_offset_is_what_datetime_says(naive: datetime, minutes: int, between: str) -> None:
    aware = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    since = aware - datetime(1970, 1, 1, tzinfo=UTC)
    assert to_ns(aware.isoformat(between), NOW) == (since // timedelta(microseconds=1)) * 1_000


@given(
    st.one_of(
        st.text(max_size=100), st.floats(), st.integers(), st.from_regex(r"[0-9:.,TZ+ -]{1,40}", fullmatch=True)
    )
)
def test_nothing_raises_and_what_comes_out_can_be(value: object) -> None:
    ns = to_ns(value, NOW)
    unit_of(value)
    assert ns is None or EARLIEST <= ns <= NOW + AHEAD
