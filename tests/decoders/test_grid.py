"""Messages whose digits stand in the same places, decoded as a matrix of bytes: the ticks of the general way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.decoders.recorded import NOW, total
from tests.decoders.test_bulk import S, assert_same, run_of, small_reads_too
from tuistream import decoders
from tuistream.core.batch import Stream
from tuistream.decoders.contract import DecoderOptions
from tuistream.decoders.wire import grid
from tuistream.decoders.wire.labels import NEW, Labels
from tuistream.decoders.wire.rows import Layout, Progress, StreamRows
from tuistream.decoders.wire.skeleton import Reading

__all__ = ["small_reads_too"]  # for all tests here too


def frame_after_frame(count: int, form: str) -> list[bytes]:
    return [form.format(S + i, 10 + i % 80).encode() for i in range(count)]


def test_messages_whose_digits_stand_in_the_same_places_become_no_objects() -> None:
    decoder = decoders.create("auto", "f", DecoderOptions())
    frames = frame_after_frame(60, '{{"time": {}.125, "price": "{}.50"}}')
    for _ in range(4):
        read = run_of(frames)
        out = decoder.decode(read, NOW)
        assert total([out]).data == 60
    assert read._all is None  # nobody asked for one


@pytest.mark.parametrize(
    "names",
    [
        ("BTCUSDT", "ETHUSDT", "SOLUSDT"),
        ("s1", "s2"),
        ("é/1", "é/2"),
        ('a\\"b', "a\\/b"),
        ("a rather long name",) * 2,
    ],
)
def test_streams_whose_names_are_of_one_length_become_no_objects_either(names: tuple[str, ...]) -> None:
    decoder = decoders.create("auto", "f", DecoderOptions())
    form = '{{"time": {}.125, "symbol": "%s", "price": "{}.50"}}'
    frames = [frame_after_frame(60, form % names[i % len(names)])[i] for i in range(60)]
    for _ in range(5):
        read = run_of(frames)
        out = decoder.decode(read, NOW)
        assert total([out]).data == 60
        assert {batch.stream.name for batch in out.batches} == {name.replace("\\", "") for name in names}
    assert read._all is None
    later = frame_after_frame(60, form % names[0][::-1])
    assert_same([frames] * 4 + [[*frames, *later[:20]], later, frames, later[:20]])


def test_labels_whose_codes_are_alike() -> None:
    labels = Labels(9)
    labels._weights[:] = 0
    known = [np.frombuffer(name, np.uint8) for name in (b"abcdefghi", b"abcdefghj", b"bbcdefghi")]
    assert labels.find(np.stack(known)).tolist() == [NEW, NEW, NEW]
    for label in known[:2]:
        labels.add(label)
    found = labels.find(np.stack(known)).tolist()
    assert found[0] in (0, NEW)
    assert found[1] in (1, NEW)
    assert found[2] == NEW


@given(st.data(), st.integers(1, 20))
def test_labels_are_found_as_they_were_added(data: st.DataObject, width: int) -> None:
    names = data.draw(st.lists(st.binary(min_size=width, max_size=width), unique=True, min_size=1, max_size=9))
    labels, known = Labels(width), data.draw(st.integers(0, len(names)))
    for name in names[:known]:
        labels.add(np.frombuffer(name, np.uint8))
    order = data.draw(st.lists(st.integers(0, len(names) - 1), min_size=1, max_size=30))
    found = labels.find(np.stack([np.frombuffer(names[i], np.uint8) for i in order]))
    assert found.tolist() == [i if i < known else NEW for i in order]


@pytest.mark.parametrize(
    "odd",
    [
        b'{"time": 1795172027.125, "price": "03.50", "n": 12}',  # no leading zero matters in a string
        b'{"time": 1795172027.125, "price": "13.50", "n": 02}',  # but makes a JSON number none
        b'{"time": 0795172027.125, "price": "13.50", "n": 12}',
        b'{"time": 9795172027.125, "price": "13.50", "n": 12}',  # a time that cannot be
        b'{"time": 1795172027.125, "price": "1350.", "n": 12}',
        b'{"time": 1795172027.125, "price": "-3.50", "n": 12}',
        b'{"time": 1795172027.125, "price": "13:50", "n": 12}',
        b'{"time": 1795172027.125, "price": "1/.50", "n": 12}',
        b'{"time": 1795172027.125, "price": "13.50", "m": 12}',
        b'{"time": 1795172027.125, "price": "13.50"  , "n":2}',
        b'{"time": 1795172027e125, "price": "13.50", "n": 12}',
    ],
)
def test_a_message_of_the_same_length_that_is_another(odd: bytes) -> None:
    plain = frame_after_frame(40, '{{"time": {}.125, "price": "{}.50", "n": 12}}')
    assert_same([plain, plain, plain, [*plain[:7], odd, *plain[7:]], plain])


@pytest.mark.parametrize(
    ("form", "odd"),
    [
        ('{{"t": {}.125, "x": {}.5, "n": 1e100}}', b'{"t": 1795172027.125, "x": 13.5, "n": 1e999}'),
        ('{{"t": {}.125, "x": "{}.5", "id": "123"}}', b'{"t": 1795172027.125, "x": "13.5", "id": "023"}'),
        ('{{"t": {}.125, "x": -{}.5}}', b'{"t": 1795172027.125, "x": -00.5}'),
        ('{{"t": {}.125, "x": "-{}.5"}}', b'{"t": 1795172027.125, "x": "-00.0"}'),
        ('{{"t": {}.125, "x": "{}e5"}}', b'{"t": 1795172027.125, "x": "13e9"}'),
        ('{{"t": {}.125, "x": {}E5}}', b'{"t": 1795172027.125, "x": 13E9}'),
        ('{{"t": {}.125, "x": "{}.50000000000000001"}}', b'{"t": 1795172027.125, "x": "13.50000000000000009"}'),
        ('{{"t": {}.125, "x": {}0000000000000000000}}', b'{"t": 1795172027.125, "x": 130000000000000000009}'),
        ('{{"at": "2026-11-20T10:00:{1}Z", "x": {0}}}', b'{"at": "2026-11-20T10:00:99Z", "x": 1795172027}'),
        ('{{"at": "{0}", "x": {1}.5}}', b'{"at": "0795172027", "x": 13.5}'),
        ('{{"x1": {}, "y": {}}}', b'{"x2": 1795172027, "y": 13}'),
        ('{{"s": "é{1} {0}", "y": {1}}}', '{"s": "é10 1795172027", "y": 01}'.encode()),
        ('{{"a": {{"x": {0}, "y": {1}}}, "l": [1, 2]}}', b'{"a": {"x": 1795172027, "y": 13}, "l": [1, 7]}'),
    ],
)
def test_numbers_of_every_kind(form: str, odd: bytes) -> None:
    plain = [frame for frame in frame_after_frame(60, form) if len(frame) == len(odd)]
    assert len(plain) > 40
    assert_same([plain, plain, plain, [*plain[:7], odd, *plain[7:]], plain])


@given(
    st.lists(st.tuples(st.integers(0, 10**9 - 1), st.integers(0, 10**9 - 1)), min_size=10, max_size=30),
    st.integers(1, 9),
    st.sampled_from(['{{"ts": {}, "x": {}}}', '{{"x": "{1}", "ts": {0}}}', '{{"ts": {}, "x": {}, "id": "{}"}}']),
)
@example([(83_925_063, 251_610_956)] * 20, 9, '{{"ts": {}, "x": {}}}')
def test_every_digit_of_a_number_counts(values: list[tuple[int, int]], decimals: int, form: str) -> None:
    """Bit for bit, also where the digits are more than a float holds."""
    texts = [f"{whole}.{fraction % 10**decimals:0{decimals}}" for whole, fraction in values]
    read = [form.format(S * 1000 + i, text, 100 + i).encode() for i, text in enumerate(texts)]
    assert_same([read] * 5)


def test_grids_that_take_little_are_given_up() -> None:
    """What they leave costs more than without them."""
    rows = StreamRows(Stream("f", "", "", ("x",)), Layout(), Progress())
    grids = grid.Grids()
    grids.learn(b'{"x": 1.5}', Reading(rows, ((("x",), 0),)))
    odd = b'{"x": 15.}'
    other, same = run_of([odd] * 20), run_of([b'{"x": 2.5}'] * 20)
    for _ in range(grid.MAX_MISSES):
        assert grids.worth_it
        blocks, left, new = grids.take(same, NOW)
        assert (len(left), new) == (0, [])
        assert [(each, block.v[:, 0].tolist()) for each, block in blocks] == [(rows, [2.5] * 20)]
    for tried in range(grid.MAX_REFUSED + grid.MAX_MISSES):
        assert grids.worth_it
        blocks, left, new = grids.take(other, NOW)
        assert (blocks, len(left), new) == ([], 20, [0] if tried < grid.MAX_REFUSED else [])
        if new:
            grids.learn(odd, None)
    assert not grids.worth_it
