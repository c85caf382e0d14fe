"""Lines of text: what is a row, what its columns are called, and that rows together are the same as one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuistream.core.batch import Batch
from tuistream.decoders import create
from tuistream.decoders.contract import Decoded, DecoderOptions

RECV = 1_795_172_027_000_000_000
DAY = 1_795_132_800_000_000_000  # 2026-11-20


def decode(*lines: str, options: DecoderOptions | None = None) -> Decoded:
    made = create("lines", "f", options or DecoderOptions())
    return made.decode([line.encode() for line in lines], RECV)


def values(*lines: str, options: DecoderOptions | None = None) -> dict[str, dict[str, list[float]]]:
    """Of each stream its columns."""
    out = decode(*lines, options=options)
    return {
        batch.stream.name: dict(zip(batch.stream.fields, batch.v.T.tolist(), strict=True)) for batch in out.batches
    }


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["42", "43.5", "+7"], {"": {"value": [42, 43.5, 7]}}),
        (["1,2", " 3, 4"], {"": {"v0": [1, 3], "v1": [2, 4]}}),
        (["1\t2", "3\t4"], {"": {"v0": [1, 3], "v1": [2, 4]}}),
        (["1  2", "3 4"], {"": {"v0": [1, 3], "v1": [2, 4]}}),
        (["x,y", "1,2", "3,4"], {"": {"x": [1, 3], "y": [2, 4]}}),
        (["# x y", "1 2"], {"": {"x": [1], "y": [2]}}),
        (["x,y,", "1,2,", "3,4"], {"": {"x": [1], "y": [2]}}),
        (["value", "1", "2"], {"": {"value": [1, 2]}}),
        (["symbol,price", "A,1", "B,2", "A,3"], {"A": {"price": [1, 3]}, "B": {"price": [2]}}),
        (["cpu 42.0", "mem 17"], {"cpu": {"value": [42]}, "mem": {"value": [17]}}),
        (['"name","a, b"', '"say ""x""",7'], {'say "x"': {"a, b": [7]}}),
        (["a;b", "1,5;1.013,25"], {"": {"a": [1.5], "b": [1013.25]}}),
        (["x:1|c", "y:2.5|ms|@0.1|#host:a"], {"x": {"value": [1]}, "y": {"value": [2.5]}}),
        (["level=info rtt=12.3ms n=4"], {"": {"rtt": [12.3], "n": [4]}}),
        (["64 bytes from ::1: icmp_seq=1 ttl=57 time=12.3 ms"], {"": {"ttl": [57], "elapsed": [12.3]}}),
        (["time,x", "0.0,5", "0.1,6"], {"": {"elapsed": [0.0, 0.1], "x": [5, 6]}}),
    ],
)
def test_rows_have_their_columns(lines: list[str], found: dict[str, dict[str, list[float]]]) -> None:
    assert values(*lines) == found


@pytest.mark.parametrize(
    ("lines", "times"),
    [
        (["time,price", "1795172026.5,7"], [RECV - 500_000_000]),
        (["price,when recorded (time)", "7,2026-11-20T23:59:58Z"], [DAY + 86_398 * 10**9]),
        (["2026-11-20 10:00:00 5.1"], [DAY + 36_000 * 10**9]),
        (["2026-11-20 10:00:00,5.1"], [DAY + 36_000 * 10**9]),
        (["1795172026,5"], [RECV - 10**9]),
        (["servers.a.cpu 12.5 1795172026"], [RECV - 10**9]),
        (["10:53:46;1,5"], [RECV - 10**9]),
        (["1,2,1500000000"], [RECV]),
        (
            ["Date;Time;x", "20.11.2026;10:00:00;1,5", "20.11.2026;10:00:01;2"],
            [DAY + n * 10**9 for n in (36_000, 36_001)],
        ),
        (["Date,Time,x", "2026-11-20,9:05,1"], [DAY + 32_700 * 10**9]),
        (["<TIME>,<DATE>,x", "10:00:00,2026.11.20,1"], [DAY + 36_000 * 10**9]),
        (["date time x", "2026-11-20 10:00:00 5.1"], [DAY + 36_000 * 10**9]),
        (["20.11.2026,10:00:00.5,7"], [DAY + 36_000 * 10**9 + 500_000_000]),
        (["20.11.2026 10:00:00 7"], [DAY + 36_000 * 10**9]),
        (["20.11.2026;7,5"], [DAY]),
        (["expiry,time,x", "2026-11-27,10:00:00,1"], [DAY + 36_000 * 10**9]),
        (["1500000000"], [RECV]),
    ],
)
def test_the_time_is_found_by_its_name_or_by_its_looks(lines: list[str], times: list[int]) -> None:
    (batch,) = decode(*lines).batches
    assert batch.t.tolist() == times


def test_a_date_beside_its_time_is_no_column() -> None:
    assert values("Date,Time,x", "20.11.2026,10:00:00,1") == {"": {"x": [1]}}
    (batch,) = decode("Date,Time,x", "20.11.2026,10:00:00,1", options=DecoderOptions(time_field="Date")).batches
    assert batch.t.tolist() == [DAY + 36_000 * 10**9]


def test_a_missing_value_is_none() -> None:
    found = values("x,y", "1,2", "3,", ",4", "nan,5")[""]
    np.testing.assert_array_equal(found["x"], [1, 3, math.nan, math.nan])
    np.testing.assert_array_equal(found["y"], [2, math.nan, 4, 5])


def test_every_line_is_counted_once() -> None:
    out = decode(
        "starting, please wait", "x,y", "1,2", "3", "error 7 happened", "# a comment", "4,5", '{"a":1}', "5,6,7"
    )
    assert (out.data, out.other, len(out.malformed)) == (2, 3, 4)
    assert [why for _, why in out.malformed] == [
        "1 cells, where the header has 2, 1 bytes",
        "neither numbers nor their names, 16 bytes",
        "neither a row nor the names of columns, 7 bytes",
        "3 cells, where the header has 2, 5 bytes",
    ]


def test_a_header_that_comes_again_is_no_row_and_another_one_takes_over() -> None:
    made = create("lines", "f", DecoderOptions())
    out = made.decode([b"x,y", b"1,2", b"x,y", b"3,4", b"x,y,z", b"5,6,7"], RECV)
    (batch,) = out.batches
    assert batch.stream.fields == ("x", "y", "z")
    assert batch.v[:, :2].tolist() == [[1, 2], [3, 4], [5, 6]]
    assert out.other == 3


def test_a_header_between_spaces_may_come_again() -> None:
    out = decode("procs ---memory---", " r  b  free", " 1  0  90", " r  b  free", " 2  1  80", "no such thing")
    (batch,) = out.batches
    assert (batch.stream.fields, batch.v.tolist()) == (("r", "b", "free"), [[1, 0, 90], [2, 1, 80]])
    assert (out.other, len(out.malformed)) == (3, 1)


def test_json_is_handed_to_auto() -> None:
    made = create("lines", "f", DecoderOptions())
    out = made.decode([b"hello, world", b'{"a":1}', b'{"a":2}'], RECV)
    (batch,) = out.batches
    assert (batch.stream.fields, len(batch), made.chosen, out.other) == (("a",), 2, "auto", 1)


@pytest.mark.parametrize("apart", [False, True])
def test_auto_hands_rows_over_with_their_header(apart: bool) -> None:
    made = create("auto", "f", DecoderOptions())
    frames = [b"x,y", b"1,2", b"3,4"]
    reads = [[frame] for frame in frames] if apart else [frames]
    decoded = [made.decode(read, RECV) for read in reads]
    batches = [batch for out in decoded for batch in out.batches]
    assert np.concatenate([batch.v for batch in batches]).tolist() == [[1, 2], [3, 4]]
    assert batches[0].stream.fields == ("x", "y")
    assert made.chosen == "lines"
    assert sum(out.other + out.data + len(out.malformed) for out in decoded) == 3


@pytest.mark.parametrize("frame", [b"pong", b"hello world", b"<html>1,2</html>", b"error 500", b"[1,2"])
def test_auto_keeps_what_is_no_row(frame: bytes) -> None:
    made = create("auto", "f", DecoderOptions())
    made.decode([frame], RECV)
    assert made.chosen == "auto"


def test_what_the_user_says_goes_before_what_is_found() -> None:
    found = values("a,b,c", "x,1,2", "y,3,4", options=DecoderOptions(key="a", fields=("c",)))
    assert found == {"x": {"c": [2]}, "y": {"c": [4]}}


cells = st.sampled_from(
    [
        *("1", "2.5", "-3e2", "", "nan", "x", "1_0", " 7", "1795172027.25", "٣", "A", '"4"', "5,5", "#"),
        *("20.11.2026", "2026-11-20", "9:05:00"),
    ]
)
headers = st.sampled_from([[], ["x,y"], ["time,x"], ["symbol,x"], ["t y"], ["id;x"], ["date,time,x"], ["date time"]])


@given(
    headers,
    st.sampled_from([",", ";", " ", "\t"]),
    st.lists(st.lists(cells, min_size=1, max_size=3), max_size=60),
    st.lists(st.sampled_from([1, 8, 30]), min_size=1),
)
def test_rows_together_are_the_same_as_one_by_one(
    header: list[str], delimiter: str, rows: list[list[str]], sizes: list[int]
) -> None:
    first = f"20.11.2026{delimiter}10:00:00{delimiter}2" if header == ["date,time,x"] else f"1{delimiter}2"
    lines = [line.encode() for line in (*header, first, *(delimiter.join(row) for row in rows))] * 3
    one, many = create("lines", "f", DecoderOptions()), create("lines", "f", DecoderOptions())
    counts = [0, 0]
    singly, together = [], []
    for line in lines:
        out = one.decode([line], RECV)
        counts[0] += out.data
        singly += out.batches
    at = 0
    while at < len(lines):
        size = sizes[at % len(sizes)]
        out = many.decode(lines[at : at + size], RECV)
        counts[1] += out.data
        together += out.batches
        at += size
    assert counts[0] == counts[1]
    assert ticks_of(singly) == ticks_of(together)


def ticks_of(batches: list[Batch]) -> dict[tuple[str, str], list[tuple[int, dict[str, float]]]]:
    found: dict[tuple[str, str], list[tuple[int, dict[str, float]]]] = {}
    for batch in batches:
        for t, row in zip(batch.t.tolist(), batch.v.tolist(), strict=True):
            told = {
                name: value for name, value in zip(batch.stream.fields, row, strict=True) if not math.isnan(value)
            }
            found.setdefault((batch.stream.name, batch.stream.kind), []).append((t, told))
    return found
