"""JSON objects out of a byte stream: whole, in order, wherever reads fall, whatever stands between them."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tuistream.framers.objects import ObjectFramer

LIMIT, DEPTH = 300, 7

texts = st.text(alphabet=st.sampled_from('ab{}[]",:\\ \n\té☃\x00'), max_size=12) | st.text(max_size=5)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)
objects = st.dictionaries(texts, values, max_size=4)
encoded = st.builds(
    lambda value, indent, ascii_only: json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode(),
    objects,
    st.sampled_from([None, None, 1]),
    st.booleans(),
)
between = st.sampled_from([b"", b"\n", b"\r\n", b" ", b", ", b"\x1e", b"\x00"])
# What is no JSON, and looks much like it.
scraps = st.lists(
    st.sampled_from([b"{", b"}", b'"', b"\\", b":", b",", b"[", b"]", b"a", b" ", b"\n", b'{"', b'"}', b'{"a":1}']),
    max_size=30,
).map(b"".join)


def cut(wire: bytes, places: Iterable[int]) -> list[bytes]:
    cuts = sorted({place % (len(wire) + 1) for place in places})
    return [wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire)], strict=True)]


def framed(chunks: Iterable[bytes], limit: int = 1 << 20, depth: int = 256) -> tuple[list[bytes], list[str]]:
    framer = ObjectFramer(limit, depth)
    frames = [frame for chunk in chunks for frame in framer.feed(chunk)] + framer.end()
    return frames, [why for _, why in framer.take_refused()]


@given(st.lists(st.tuples(encoded, between), max_size=6), st.lists(st.integers(0, 10_000), max_size=8))
def test_objects_come_out_as_they_went_in(sent: list[tuple[bytes, bytes]], places: list[int]) -> None:
    wire = b"".join(part for pair in sent for part in pair)
    assert framed(cut(wire, places)) == ([frame for frame, _ in sent], [])


@given(st.lists(scraps | encoded, max_size=5), st.lists(st.integers(0, 10_000), max_size=8))
@example([b'{"a":"{', b'{"b":1}'], [3])
@example([b"{ ", b'{"a":1}'], [1])
@example([b"{ ", b"x}"], [1, 2])
@example([b'{"a":1{"b":2}}'], [5])
@example([b'{"a":"\\', b'\n"}{}'], [7])
def test_cutting_the_wire_anywhere_gives_the_same(parts: list[bytes], places: list[int]) -> None:
    wire = b"".join(parts)
    whole = framed([wire], LIMIT, DEPTH)
    assert framed(cut(wire, places), LIMIT, DEPTH) == whole
    assert framed((bytes([byte]) for byte in wire), LIMIT, DEPTH) == whole


@pytest.mark.parametrize(
    ("wire", "frames", "refused"),
    [
        (b'{"a":1}{"a":2}', [b'{"a":1}', b'{"a":2}'], 0),
        (b'hello {"a":1} and \n more {"a":2}', [b'{"a":1}', b'{"a":2}'], 2),
        (b'{"a":1}}}}}{"a":2}', [b'{"a":1}', b'{"a":2}'], 1),
        (b'{"a":[1,2\n{"a":2}', [b'{"a":2}'], 1),
        (b'{"a":"unterminated\n{"a":2}', [b'{"a":2}'], 1),
        (b'xx{"a":1{"b":"\n}{"a":2}', [b'{"a":2}'], 1),
        (b'{a: 1}{"a":2}', [b'{"a":2}'], 1),
        (b'{"a":{"b":"}{"},"c":[{"d":{}}]}', [b'{"a":{"b":"}{"},"c":[{"d":{}}]}'], 0),
        (b'{"a":"\\"}{"}{}', [b'{"a":"\\"}{"}', b"{}"], 0),
        (b'{"a":1', [], 1),
        (b"", [], 0),
    ],
)
def test_what_is_no_object_is_skipped_to_the_next_one(wire: bytes, frames: list[bytes], refused: int) -> None:
    found, why = framed([wire])
    assert found == frames
    assert len(why) == refused


def test_an_object_over_the_limit_is_passed_over_and_counted_once() -> None:
    huge = b'{"a":"' + b"{}" * 200 + b'","b":{"c":1}}'
    wire = b'{"a":1}' + huge + huge + b'{"a":2}'
    for chunks in ([wire], cut(wire, range(0, len(wire), 7))):
        frames, why = framed(chunks, LIMIT)
        assert frames == [b'{"a":1}', b'{"a":2}']
        assert why == ["an object is over the limit of 300 bytes (--max-frame)"] * 2


def test_the_limit_is_exact() -> None:
    at_limit = b'{"a":"' + b"x" * (LIMIT - 8) + b'"}'
    over = b'{"a":"' + b"x" * (LIMIT - 7) + b'"}'
    for chunks in ([at_limit + over], cut(at_limit + over, range(0, 2 * LIMIT, 11))):
        frames, why = framed(chunks, LIMIT)
        assert (frames, len(why)) == ([at_limit], 1)


def test_an_object_nested_too_deep_is_passed_over() -> None:
    deep = b'{"a":' * 500 + b"1" + b"}" * 500
    for size in (1, 13, 10_000):
        wire = deep + b'{"b":1}'
        frames, why = framed(wire[at : at + size] for at in range(0, len(wire), size))
        assert frames == [b'{"b":1}']
        assert why == ["nested deeper than 256 objects"]


def test_what_is_held_is_bounded() -> None:
    framer = ObjectFramer(limit=1_000)
    assert framer.feed(b'{"a":"') == []
    for _ in range(1_000):
        assert framer.feed(b"x" * 1_000) == []
    assert len(framer._held) == 0
    assert len(framer.take_refused()) == 1
    assert framer.feed(b'"}{"b":1}') == [b'{"b":1}']
