"""Messages whose digits stand in the same places, decoded as a matrix of bytes: the ticks of the general way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.decoders.recorded import NOW, total
from tests.decoders.test_bulk import S, assert_same, bits, decoded, run_of, small_reads_too
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


@given(st.data(), st.integers(1, 60))
def test_any_streams_of_two_forms_of_one_length(data: st.DataObject, symbols: int) -> None:
    """What one grid leaves, be it a form or a label that it does not know, is for the next or the general way."""
    form = '{{"symbol":"{}{}{}","side":"{}","price":{}.5}}'
    random_ = data.draw(st.randoms(use_true_random=False))
    reads = []
    for _ in range(data.draw(st.integers(2, 8))):
        sides = data.draw(st.sampled_from(("B", "S", "BS", "BSX")))
        names = [random_.randrange(symbols) for _ in range(data.draw(st.integers(0, 120)))]
        reads.append(
            [
                form.format(*"ABCDEFGH"[n % 8], n // 8 % 8, n % 7, random_.choice(sides), 100 + i).encode()
                for i, n in enumerate(names)
            ]
        )
    assert_same(reads)


def test_what_is_left_stays_in_the_order_in_which_it_came() -> None:
    form = '{{"symbol":"{}","side":"{}","price":{}}}'
    first = [[form.format("AAA", side, 1_000 + n).encode() for n in range(100)] for side in "BBSS"]
    mixed = [
        form.format("AAA", "S", 1_000 + n) if n % 2 == 0 else form.format(f"X{n:02}"[-3:], "B", 9_000 + n)
        for n in range(200)
    ]
    assert_same([*first, [text.encode() for text in mixed]])


@pytest.mark.parametrize(
    ("plain", "odd"),
    [
        ('{{"price":1.{},"symbol":"AAAAAAAAAAAAA"}}', '{{"price":1.{},"symbol":"A","price":"2"}}'),
        ('{{"price":1.{},"sensor":77777777777}}', '{{"price":1.{},"sensor":7,"price":2}}'),
    ],
)
def test_a_label_that_holds_a_key_which_is_there_already(plain: str, odd: str) -> None:
    frames, others = ([form.format(n % 10).encode() for n in range(40)] for form in (plain, odd))
    assert len(frames[0]) == len(others[0])
    assert_same([frames, frames, *[frames + others] * 3])


@pytest.mark.parametrize("more", [b"x" * 2_000, b',"price":3}' + b" " * 2_000, b" " * 2_000])
def test_a_very_long_message_that_begins_like_others(more: bytes) -> None:
    plain = [b'{"price":1.%d,"q":7}' % (n % 10) for n in range(40)]
    assert_same([plain, plain, [*plain, plain[0] + more]])


def test_a_time_that_cannot_be_yet_when_the_first_read_came() -> None:
    ahead = NOW // 10**9 + 86_400
    frames = [f'{{"price":1.5,"time":{ahead}.5}}'.encode()] * 40
    early, late = decoders.create("auto", "f", DecoderOptions()), decoders.create("auto", "f", DecoderOptions())
    recvs = [NOW] * 20 + [NOW + 10**9] * 20
    for _ in range(4):
        got = decoded(early, run_of(frames), recvs)
        wanted = total(late.decode([frame], recv) for frame, recv in zip(frames, recvs, strict=True))
        assert (bits(got.batches), got.bad_times) == (bits(wanted.batches), wanted.bad_times)
        assert got.bad_times == 20


def test_labels_whose_codes_are_alike() -> None:
    labels = Labels(9)
    labels._weights[:] = 0
    known = [np.frombuffer(name, np.uint8) for name in (b"abcdefghi", b"abcdefghj", b"bbcdefghi")]
    assert labels.find(np.stack(known)).tolist() == [NEW, NEW, NEW]
    assert [labels.add(label) for label in known] == [True, False, False]
    assert len(labels) == 1
    assert labels.find(np.stack(known)).tolist() == [0, NEW, NEW]


@given(st.data(), st.integers(1, 20))
def test_labels_are_found_as_they_were_added(data: st.DataObject, width: int) -> None:
    names = data.draw(st.lists(st.binary(min_size=width, max_size=width), unique=True, min_size=1, max_size=9))
    labels, known = Labels(width), data.draw(st.integers(0, len(names)))
    for name in names[:known]:
        assert labels.add(np.frombuffer(name, np.uint8))
        assert not labels.add(np.frombuffer(name, np.uint8))
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
