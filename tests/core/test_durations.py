"""Durations as people type and read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuistream.core.durations import LONGEST, UNITS, format_duration, parse_duration
from tuistream.core.errors import SettingsError

S = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("250ms", S // 4),
        ("90", 90 * S),
        ("0.5", S // 2),
        ("10m", 600 * S),
        ("1h30m", 5_400 * S),
        ("1.5h", 5_400 * S),
        ("1d", 86_400 * S),
        ("1d2h3m4s5ms6us", 93_784 * S + 5_006_000),
        (" 8s ", 8 * S),
        ("0", 0),
        ("0.1s", S // 10),
    ],
)
def test_reads_what_people_type(text: str, ns: int) -> None:
    assert parse_duration(text) == ns


@pytest.mark.parametrize("text", ["", " ", "ten", "-1s", "1x", "1m1h", "1s1s", "1 m", "s", "1e3", "nan", "٣s", "1.s"])
def test_refuses_what_is_no_duration(text: str) -> None:
    with pytest.raises(SettingsError, match=r"--for .*a duration such as 90, 250ms"):
        parse_duration(text, "--for")


def test_refuses_what_no_clock_can_count() -> None:
    assert parse_duration("106751d") < LONGEST
    with pytest.raises(SettingsError, match="106751 days"):
        parse_duration("106752d")


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0 s"),
        (S - 1, "999 ms"),
        (8 * S, "8 s"),
        (60 * S - 1, "59 s"),
        (65 * S, "1 m 05 s"),
        (250 * S, "4 m 10 s"),
        (7_380 * S, "2 h 03 m"),
        (76 * 3_600 * S, "3 d 4 h"),
        (-8 * S, "-8 s"),
    ],
)
def test_writes_the_two_largest_units(ns: int, text: str) -> None:
    assert format_duration(ns) == text


@given(st.lists(st.integers(0, 999), min_size=len(UNITS), max_size=len(UNITS)))
def test_a_duration_is_the_sum_of_its_parts(counts: list[int]) -> None:
    text = "".join(f"{count}{unit}" for count, unit in zip(counts, UNITS, strict=True))
    assert parse_duration(text) == sum(count * UNITS[unit] for count, unit in zip(counts, UNITS, strict=True))


@given(st.integers(0, LONGEST))
def test_what_is_written_can_be_read_and_is_never_more(ns: int) -> None:
    written = format_duration(ns)
    assert parse_duration(written.replace(" ", "")) <= ns
    assert len(written) <= len("106751 d 23 h")
