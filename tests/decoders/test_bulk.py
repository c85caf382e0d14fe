"""Reads that are decoded as a whole give what their frames give one by one, whatever is among them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decoders.fuzz import Frames, faults_of
from tests.decoders.recorded import DATA, NOW, excerpt, frames_of, total
from tuistream import decoders
from tuistream.core import frames as core
from tuistream.core.batch import Batch
from tuistream.decoders.contract import Decoded, Decoder, DecoderOfMany, DecoderOptions
from tuistream.decoders.wire import grid
from tuistream.decoders.wire.bulk import MAX_TEMPLATES, WORTH_IT
from tuistream.decoders.wire.skeleton import VARYING
from tuistream.decoders.wire.time_columns import EXACT_DECIMALS, from_decimals, from_floats, from_integers
from tuistream.decoders.wire.timestamps import to_ns

S = NOW // 10**9
Read = Sequence[bytes]

SEEDS: dict[str, tuple[bytes, ...]] = {
    "gbm": (b'{"time": 1795172027.0605018, "price": "144.89"}',),
    "symbols": tuple(
        b'{"time": 1795172027.06, "price": "144.89", "symbol": "%s"}' % name for name in (b"AA", b"BB", b"C1", b"C2")
    ),
    "names": tuple(
        b'{"exchange":"%s","pair":"%s","time":1795172027060,"price":144.89}' % name
        for name in ((b"OKX", b"BTC-USDT"), (b"OKX", b"ETH-USDT"), (b"MEX", b"BTC-USDT"), (b"O1X", b"BTC2USDT"))
    ),
    "sensor": (b'{"ts":1795172027060,"sensor":7,"values":{"temp":-3.5,"hum":41.0},"ok":true}',),
    "ids": (b'{"symbol":"BTC-USD","id":"1234567","price":"0.5","qty":12,"ts":"1795172027060"}',),
    "iso": (b'{"device":"d-1","time":"2026-11-20T10:00:00.123456Z","value":1.5}',),
    "untimed": (b'{"level": 5, "note": "a 1"}', b'{"level": 5, "note": "b"}'),
    "grows": (b'{"s":"A","price":1.5,"ts":1795172027060}', b'{"s":"A","price":1.5,"q":2,"ts":1795172027060}'),
    "exponents": (b'{"time": 1795172027.5, "x": 1.5e-07, "y": "1E5"}',),
}


@pytest.fixture(autouse=True, scope="module")
def small_reads_too() -> Iterator[None]:
    """Grids are for large reads; here they serve small ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grid, "WORTH_IT", 6)
        yield


numbers = st.one_of(
    st.integers(-(10**3), 10**6).map(str),
    st.floats(-1e6, 1e6).map(repr),
    st.decimals(-1000, 1000, places=2).map(str),
    st.sampled_from(
        ["-0", "-0.0", "0", "0.0", "1e999", "NaN", "007", "5.", ".5", "-", "", "9" * 25, "0." + "1" * 420]
    ),
)
moments = st.one_of(
    st.integers(S - 10**4, S + 10**4).map(str),
    st.floats(S - 1e4, S + 1e4).map(repr),
    st.integers(NOW // 10**6 - 10**6, NOW // 10**6).map(str),
    st.sampled_from(["0", str(S + 10**6), "315532800.5"]),
)
SWAPS: tuple[tuple[bytes, bytes], ...] = (
    (b'"price"', b'"prise"'),
    (b'"price"', b'"pri1ce"'),
    (b'"price"', b'"pric\\u0065"'),
    (b"}", b',"price":2}'),
    (b"}", b',"a":null}'),
    (b"}", b" }"),
    (b"}", b"}\n"),
    (b"}", b'},{"a":1}'),
    (b"}", b"}\0{}"),
    (b"}", b""),
    (b"{", b"[{"),
    (b"{", b"\xef\xbb\xbf{"),
    (b"{", b" {"),
    (b"{", b"5{"),
    (b"true", b"false"),
    (b'":', b'" :'),
    (b'": "', b'": "x'),
    (b'": "', b'": "\\"'),
    (b'": "', b'": "\xff'),
    (b"AA", b"A9A"),
    (b"Z", b"+02:00"),
)
digits = st.tuples(st.just(b""), st.integers(0, 80), st.sampled_from((b"0", b"7", b"-", b".", b"-1")))


@st.composite
def frame_like(draw: st.DrawFn, seeds: tuple[bytes, ...], wild: bool) -> bytes:
    """A seed with other numbers in it, and, where `wild`, with something that does not belong there."""
    frame = draw(st.sampled_from(seeds))
    message = frame.decode()
    for text in set(_numbers(message)):
        if len(text) >= 9:
            message = message.replace(text, draw(moments) if wild else _jittered(text, draw(st.integers(0, 10**6))))
        else:
            message = message.replace(text, draw(numbers) if wild else str(draw(st.integers(1, 99))))
    frame = message.encode()
    if wild and draw(st.booleans()):
        old, new = draw(st.sampled_from(SWAPS))
        frame = frame.replace(old, new, 1)
    if wild and draw(st.booleans()):
        _, at, text2 = draw(digits)
        frame = frame[:at] + text2 + frame[at + draw(st.integers(0, 1)) :]
    return frame


def _numbers(message: str) -> list[str]:
    return [
        part
        for part in "".join(c if c in "-.0123456789e" else " " for c in message).split()
        if part[-1] in "0123456789"
    ]


def _jittered(text: str, by: int) -> str:
    return text[:-6] + f"{by:06}" if "." not in text else f"{text.partition('.')[0]}.{by}"


def bits(batches: Sequence[Batch]) -> dict[object, list[object]]:
    """Every tick of every stream, bit for bit, whatever the batches that they came in."""
    ticks: dict[object, list[object]] = {}
    for batch in batches:
        ids = [None] * len(batch) if batch.ids is None else batch.ids.tolist()
        for t, recv, row, tick_id in zip(batch.t.tolist(), batch.recv.tolist(), batch.v, ids, strict=True):
            there = [
                (field, x.tobytes()) for field, x in zip(batch.stream.fields, row, strict=True) if not np.isnan(x)
            ]
            ticks.setdefault(batch.stream.key, []).append((t, recv, there, tick_id))
    return ticks


def assert_same(reads: Sequence[Read], name: str = "auto", recv: int = NOW) -> Decoded:
    """Decode `reads`, in lists and as stretches of chunks, of one moment and of several, and their frames each as a
    read of its own.
    """
    _assert_same(reads, name, recv, step=1_000)
    _assert_same([run_of(read) for read in reads], name, recv)
    return _assert_same(reads, name, recv)


def run_of(frames: Read) -> core.Frames:
    """The same messages as a connection gives them."""
    data, heads, starts = b"#", [], []
    for frame in frames:
        header = 2 if len(frame) < 126 else 4
        heads.append(len(data))
        starts.append(len(data) + header)
        data += b"\x81" * header + frame
    ends = [*heads[1:], len(data)] if heads else []
    return core.Frames(data, *(np.array(each, dtype=np.int64) for each in (heads, starts, ends)))


def decoded(decoder: Decoder, frames: Read, recvs: list[int]) -> Decoded:
    """What a feed decodes of reads that it has together."""
    if isinstance(decoder, DecoderOfMany) and recvs:
        found = decoder.decode_many(frames, np.array(recvs, np.int64))
        if found is not None:
            return found
    reads = core.Read(recvs[-1], frames, recvs=np.array(recvs, np.int64)).apart() if recvs else ()
    return total(decoder.decode(read.frames, read.recv) for read in reads)


def _assert_same(reads: Sequence[Read], name: str, recv: int, step: int = 0) -> Decoded:
    """step: ns from three frames to the next three."""
    options = DecoderOptions()
    together, alone = decoders.create(name, "f", options), decoders.create(name, "f", options)
    whole = []
    for read in reads:
        recvs = [recv + step * (at // 3) for at in range(len(read))]
        got = decoded(together, read, recvs) if step else together.decode(read, recv)
        wanted = total(alone.decode([frame], moment) for frame, moment in zip(read, recvs, strict=True))
        whole.append(got)
        assert bits(got.batches) == bits(wanted.batches)
        keys = [batch.stream.key for batch in got.batches]
        assert (list(dict.fromkeys(keys)) if step else keys) == list(bits(wanted.batches))
        assert (got.data, got.control, got.other) == (wanted.data, wanted.control, wanted.other)
        assert got.malformed == wanted.malformed
        assert (got.bad_times, got.replies, got.notices) == (wanted.bad_times, wanted.replies, wanted.notices)
        assert [fault for batch in got.batches for fault in faults_of(batch)] == []
    assert repr(together.describe()) == repr(alone.describe())  # as NaN is not itself
    return total(whole)


def usual(name: str, count: int, seed: int = 1) -> list[bytes]:
    """Frames of a feed that sends nothing odd."""
    random_ = random.Random(seed)
    frames = []
    for _ in range(count):
        frame = random_.choice(SEEDS[name]).decode()
        for text in set(_numbers(frame)):
            new = _jittered(text, random_.randrange(10**6)) if len(text) >= 9 else str(random_.randrange(1, 99))
            frame = frame.replace(text, new)
        frames.append(frame.encode())
    return frames


@pytest.mark.parametrize("name", SEEDS)
def test_a_plain_feed(name: str) -> None:
    frames = usual(name, 400)
    whole = assert_same(
        [frames[:20], frames[20:60], *(frames[at : at + 85] for at in range(60, 400, 85)), frames[:17]]
    )
    assert whole.data == 417


@pytest.mark.parametrize("name", SEEDS)
@settings(max_examples=35)
@given(data=st.data())
def test_near_misses(name: str, data: st.DataObject) -> None:
    seeds = SEEDS[name]
    plain, wild = frame_like(seeds, False), frame_like(seeds, True)
    many = 24 * len(seeds)
    reads = [usual(name, many), usual(name, many, seed=2)]
    for _ in range(data.draw(st.integers(1, 3))):
        read = data.draw(st.lists(st.one_of(plain, plain, wild), min_size=0, max_size=6))
        read += usual(name, data.draw(st.integers(0, many)), seed=data.draw(st.integers(0, 99)))
        data.draw(st.randoms(use_true_random=False)).shuffle(read)
        reads.append(read)
    assert_same(reads)


@pytest.mark.parametrize("name", SEEDS)
@settings(max_examples=35)
@given(data=st.data())
def test_digits_and_signs_anywhere(name: str, data: st.DataObject) -> None:
    """What these change, the skeleton does not show."""
    many = 24 * len(SEEDS[name])
    read = usual(name, many, seed=3)
    for at in data.draw(st.lists(st.integers(0, many - 1), min_size=1, max_size=3)):
        frame = read[at]
        for _ in range(data.draw(st.integers(1, 3))):
            where = data.draw(st.integers(0, len(frame)))
            if data.draw(st.booleans()):
                frame = frame[:where] + data.draw(st.sampled_from((b"0", b"1", b"-", b"-0"))) + frame[where:]
            elif frame[where : where + 1] in tuple(b"%c" % char for char in VARYING):
                frame = frame[:where] + frame[where + 1 :]
        read[at] = frame
    assert_same([usual(name, many), usual(name, many, seed=2), read, usual(name, many, seed=4)])


ODD_ONES = {
    "a key with a digit more": (b'{"s":"A","price":1.5,"n":%d}', b'{"s":"A","price":1.5,"n7":1}'),
    "a field with a digit more": (b'{"s":"A","price":1.5,"qty":%d}', b'{"s":"A","price":1.5,"qt7y":1}'),
    "keys in another order": (b'{"v1":%d,"v2":2,"s":"A"}', b'{"v2":1,"v1":2,"s":"A"}'),
    "a name with a digit more": (b'{"s":"A","price":%d}', b'{"s":"A1","price":1}'),
    "a name with another digit": (b'{"s":"A1","price":%d}', b'{"s":"A2","price":1}'),
    "a name that is another number": (b'{"sensor":7,"price":%d.5}', b'{"sensor":8,"price":1.5}'),
    "a string that is minus zero": (b'{"s":"A","price":"%d"}', b'{"s":"A","price":"-0"}'),
    "a number that is minus zero": (b'{"s":"A","price":%d}', b'{"s":"A","price":-0}'),
    "a float that is minus zero": (b'{"s":"A","price":%d.0}', b'{"s":"A","price":-0.0}'),
    "a fraction without a digit": (b'{"s":"A","price":"%d.5"}', b'{"s":"A","price":".5"}'),
    "no number": (b'{"s":"A","price":"%d"}', b'{"s":"A","price":"-"}'),
    "an empty number": (b'{"s":"A","price":"%d"}', b'{"s":"A","price":""}'),
    "leading zeros": (b'{"s":"A","price":"%d"}', b'{"s":"A","price":"007"}'),
    "leading zeros of an id": (b'{"s":"A","price":%d.5,"id":"1234567"}', b'{"s":"A","price":1.5,"id":"0034567"}'),
    "an id past 64 bits": (b'{"s":"A","price":%d.5,"id":1234567}', b'{"s":"A","price":1.5,"id":' + b"9" * 30 + b"}"),
    "a number past all floats": (b'{"s":"A","price":%d}', b'{"s":"A","price":' + b"9" * 400 + b"}"),
    "a string past all floats": (b'{"s":"A","price":"%d"}', b'{"s":"A","price":"' + b"9" * 400 + b'"}'),
    "a time of long ago": (b'{"ts":17951720270%02d,"price":1.5}', b'{"ts":7,"price":1.5}'),
    "a time in another unit": (b'{"ts":17951720270%02d,"price":1.5}', b'{"ts":1795172027,"price":1.5}'),
    "a float time that is negative": (b'{"ts":17951720%02d.5,"price":1.5}', b'{"ts":-1795172027.5,"price":1.5}'),
    "a trade that is none": (
        b'{"e":"trade","E":1,"s":"A","t":%d,"p":"1.5","q":"2.5","T":1795172027060,"m":true,"X":"MARKET"}',
        b'{"e":"trade","E":1,"s":"A","t":5,"p":"0.0","q":"0.0","T":1795172027060,"m":true,"X":"MARKET1"}',
    ),
}


@pytest.mark.parametrize(("usual_one", "odd"), ODD_ONES.values(), ids=ODD_ONES)
def test_one_odd_frame_of_the_same_skeleton(usual_one: bytes, odd: bytes) -> None:
    plain = [usual_one % n for n in range(10, 30)]
    for at in (0, 7, 19):
        assert_same([plain, plain, [*plain[:at], odd, *plain[at:]], plain])


def test_frames_that_are_messages_only_together() -> None:
    plain = [b'{"a":%d,"b":2}' % n for n in range(10, 30)]
    assert_same([plain, plain, [*plain, b'{"a":1', b'"b":2}', *plain]])
    assert_same([plain, plain, [*plain, b'{"a":1,"b":2},{"a":1', b'"b":2}', *plain]])
    assert_same([plain, plain, [*plain, b'{"a":1,"b":2}\0{"a":1,"b":2}', *plain]])


@pytest.mark.parametrize("name", decoders.known())
@settings(max_examples=8)
@given(st.randoms(use_true_random=False), st.integers(0, 30))
def test_any_frames_cut_anywhere(name: str, cuts: random.Random, seed: int) -> None:
    supply = iter(Frames(seed))
    frames = [next(supply) for _ in range(20)] + [frame for _, frame in excerpt("binance_spot")] * 2
    cuts.shuffle(frames)
    reads = []
    while frames:
        size = cuts.randrange(1, 60)
        reads.append(frames[:size])
        frames = frames[size:]
    assert_same(reads, name)


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=6),
    st.floats().map(str),
    st.integers().map(str),
)
objects = st.recursive(
    st.dictionaries(
        st.sampled_from(["price", "time", "symbol", "id", "a", "v0", "v1", "e", "x-y"]), scalars, max_size=5
    ),
    lambda inner: st.dictionaries(st.sampled_from(["data", "b", "k"]), st.one_of(inner, scalars), max_size=3),
    max_leaves=4,
)


@given(st.lists(objects, min_size=1, max_size=4), st.lists(st.integers(0, 3), min_size=30, max_size=60))
def test_any_objects_again_and_again(kinds: list[object], order: list[int]) -> None:
    frames = [json.dumps(kinds[which % len(kinds)]).encode() for which in order]
    assert_same([frames[:10], frames[10:20], frames[20:], frames])


@given(st.lists(st.floats(2**30, 2**32, exclude_max=True), min_size=1, max_size=20))
def test_float_seconds_are_the_decimals_that_repr_writes(seconds: list[float]) -> None:
    recv = 2**32 * 10**9
    assert from_floats(np.array(seconds), recv) is not None
    assert from_floats(np.array(seconds), recv).tolist() == [to_ns(each, recv) for each in seconds]  # type: ignore[union-attr]


@given(st.integers(2**30, 2**32 - 1), st.lists(st.integers(0, 10**9 - 1), min_size=1, max_size=20), st.integers(0, 9))
def test_decimal_seconds_are_kept_to_the_digit(whole: int, fractions: list[int], places: int) -> None:
    recv = 2**32 * 10**9
    seconds = [float(f"{whole}.{f'{fraction:09}'[:places] or 0}") for fraction in fractions]
    t = from_floats(np.array(seconds), recv)
    assert t is not None
    assert t.tolist() == [to_ns(each, recv) for each in seconds]


@given(st.lists(st.integers(0, 2**32 * 10**6), min_size=1, max_size=20), st.integers(0, EXACT_DECIMALS))
def test_decimal_seconds_as_integers_are_those_of_their_floats(values: list[int], decimals: int) -> None:
    t = from_decimals(np.array(values), decimals, NOW)
    if t is not None:
        seconds = [float(f"{value // 10**decimals}.{value % 10**decimals:0{decimals}}") for value in values]
        assert t.tolist() == [to_ns(each, NOW) for each in seconds]
    inside = [each for each in values if 2**30 * 10**decimals <= each <= NOW // 10 ** (9 - decimals)]
    assert (t is not None) or len(inside) < len(values)


@given(st.lists(st.integers(2**30 * 10**6, S * 10**6), min_size=1, max_size=20), st.integers(0, EXACT_DECIMALS))
def test_micros_of_any_time_are_exact(micros: list[int], decimals: int) -> None:
    values = [each // 10 ** (6 - decimals) for each in micros]
    t = from_decimals(np.array(values), decimals, NOW)
    assert t is not None
    floats = [float(f"{value // 10**decimals}.{value % 10**decimals:0{decimals}}") for value in values]
    assert t.tolist() == [to_ns(each, NOW) for each in floats]
    assert t.tolist() == [value * 10 ** (9 - decimals) for value in values]


def test_ties_of_the_seventh_decimal() -> None:
    seconds = [2**30 + k / 256 for k in range(256)] + [2**31 + k / 2**21 for k in range(1, 2**12, 2)]
    t = from_floats(np.array(seconds), 2**32 * 10**9)
    assert t is not None
    assert t.tolist() == [to_ns(each, 2**32 * 10**9) for each in seconds]


@pytest.mark.parametrize("odd", [0.0, 1e-9, -1.0, S + 10**6, 4e8, 1e300])
def test_one_time_that_cannot_be_leaves_all_to_the_general_way(odd: float) -> None:
    assert from_floats(np.array([S + 0.5, odd]), NOW) is None


@given(
    st.lists(st.integers(S * 10**3 - 10**9, S * 10**3), min_size=1, max_size=9), st.sampled_from((1, 10**3, 10**6))
)
def test_integer_times_of_any_unit(ms: list[int], unit: int) -> None:
    values = [each * unit for each in ms]
    t = from_integers(np.array(values), NOW)
    assert t is not None
    assert t.tolist() == [to_ns(each, NOW) for each in values]


@pytest.mark.parametrize("name", decoders.known())
@pytest.mark.parametrize(
    "frame",
    [
        b'{"e":[],"s":"A","p":"1","q":"2","t":1,"T":1795172027060,"m":true}',
        b'{"e":"trade","s":["A"],"p":"1","q":"2","t":1,"T":1795172027060,"m":true}',
        b'{"symbol":["A",1],"price":[1,2],"time":[1795172027.5]}',
        b'{"stream":"a","data":{"e":{},"s":"A"}}',
        b'{"stream":"a","data":[1]}',
        b'{"price":{},"time":{"price":1}}',
    ],
)
def test_values_that_are_not_what_their_keys_say(name: str, frame: bytes) -> None:
    good = b'{"e":"trade","E":1795172027061,"s":"A","t":%d,"p":"1.5","q":"2","T":1795172027060,"m":true}'
    reads = [[*[good % n for n in range(20)], *[frame] * 20]] * 3
    assert_same(reads, name)


def test_very_many_skeletons_are_forgotten() -> None:
    decoder = decoders.create("auto", "f", DecoderOptions(key="s"))
    for number in range(MAX_TEMPLATES + 50):
        name = "".join(chr(97 + int(digit)) for digit in str(number))
        read = [b'{"s":"%s","v":%d.5}' % (name.encode(), n) for n in range(WORTH_IT)]
        for _ in range(2):
            (batch,) = decoder.decode(read, NOW).batches
            assert batch.v[:, 0].tolist() == [n + 0.5 for n in range(WORTH_IT)]
            assert batch.stream.name == name


@pytest.mark.skipif(DATA is None, reason="TUISTREAM_DATA names no folder")
@pytest.mark.parametrize("size", [50, 700])
def test_a_whole_binance_file(size: int) -> None:
    assert DATA is not None
    frames = [frame for _, frame in frames_of(DATA / "binance" / "spot_btcusdt_20240808.gz")][:20_000]
    assert_same([frames[at : at + size] for at in range(0, len(frames), size)])
