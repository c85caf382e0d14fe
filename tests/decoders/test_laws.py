"""What holds for any frames at all."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decoders.fuzz import Frames, faults_of, run
from tests.decoders.recorded import NOW, by_stream, counted, excerpt, total
from tuistream import decoders
from tuistream.decoders.contract import Decoded, DecoderOptions
from tuistream.decoders.wire.numbers import is_number, to_float

NAMES = decoders.known()
keys = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["price", "qty", "symbol", "time", "ts", "id", "e", "type", "data", "stream", "T", "t", "p", "q"]
    ),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.floats().map(str),
    st.integers().map(str),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(keys, inner, max_size=6)),
    max_leaves=25,
)


def ticks_of(out: Decoded) -> str:
    return repr(by_stream(out.batches))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20)
@given(st.lists(values, max_size=6))
def test_any_json_is_counted_once(name: str, messages: list[Any]) -> None:
    frames = [json.dumps(each).encode() for each in messages]
    out = decoders.create(name, "f", DecoderOptions()).decode(frames, NOW)
    assert counted(out) == len(frames)
    assert [fault for batch in out.batches for fault in faults_of(batch)] == []


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20)
@given(st.lists(st.one_of(st.binary(max_size=60), st.text(max_size=40).map(str.encode)), max_size=6))
def test_any_bytes_are_counted_once(name: str, frames: list[bytes]) -> None:
    out = decoders.create(name, "f", DecoderOptions()).decode(frames, NOW)
    assert counted(out) == len(frames)


@pytest.mark.parametrize("name", [*NAMES, "told"])
@settings(max_examples=12)
@given(st.randoms(use_true_random=False), st.integers(0, 50))
def test_cutting_into_reads_changes_no_tick(name: str, cuts: random.Random, seed: int) -> None:
    options = DecoderOptions(key="symbol") if name == "told" else DecoderOptions()
    venue = "auto" if name == "told" else name
    supply = iter(Frames(seed))
    frames = [next(supply) for _ in range(30)] + [frame for _, frame in excerpt("binance_spot")]
    whole = decoders.create(venue, "f", options).decode(frames, NOW)
    decoder, parts = decoders.create(venue, "f", options), []
    while frames:
        size = cuts.randrange(1, 9)
        parts.append(decoder.decode(frames[:size], NOW))
        frames = frames[size:]
    cut = total(parts)
    assert ticks_of(cut) == ticks_of(whole)
    assert (cut.data, cut.control, cut.other) == (whole.data, whole.control, whole.other)
    assert cut.malformed == whole.malformed
    assert cut.bad_times == whole.bad_times


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_decimal_strings_are_parsed_as_float_does(number: float) -> None:
    assert is_number(str(number))
    assert to_float(str(number)) == number
    assert to_float(number) == number


@pytest.mark.parametrize("text", ["1_000", "0x10", " 1", "nan", "Infinity", "1e", "", "1,5", "१२", "+", ".", "1e999"])
def test_what_is_no_decimal_is_no_number(text: str) -> None:
    assert not is_number(text) or text == "1e999"
    assert text == " 1" or to_float(text) != to_float(text)


def test_a_short_run_of_the_fuzz() -> None:
    tally = run(20_000, seed=1)
    assert tally.faults == []
    assert tally.frames == 20_000
    assert min(tally.data, tally.control, tally.other, tally.malformed) > 100
