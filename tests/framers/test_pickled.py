"""Pickled strings read by their opcodes: what Python pickles comes out, and nothing that would run is looked at."""

from __future__ import annotations

import os
import pickle
import pickletools
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.decoders import hub_captures
from tuistream.framers.length_prefix import LengthPrefixFramer
from tuistream.framers.pickled import NoString, string_of
from tuistream.framers.pickled_objects import PickledObjectFramer

PROTOCOLS = range(6)


@given(st.text(), st.sampled_from(PROTOCOLS))
def test_a_string_of_any_protocol(text: str, protocol: int) -> None:
    assert string_of(pickle.dumps(text, protocol)) == text.encode("utf-8", "surrogatepass")


@given(st.binary(), st.sampled_from(range(3, 6)))
def test_bytes(data: bytes, protocol: int) -> None:
    assert string_of(pickle.dumps(data, protocol)) == data


@pytest.mark.parametrize("size", [0, 255, 256, 70_000])
def test_each_length_has_its_opcode(size: int) -> None:
    for protocol in PROTOCOLS:
        assert string_of(pickle.dumps("é" * size, protocol)) == ("é" * size).encode()
    assert string_of(pickle.dumps(bytearray(b"x" * size), 5)) == b"x" * size


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"S'it\\'s'\np0\n.", b"it's"),
        (b'S"\\x41\\n"\n.', b"A\n"),
        (b"U\x03abcq\x00.", b"abc"),
        (b"T\x03\0\0\0abc.", b"abc"),
        (b"V\\u00e9\np0\n.", "é".encode()),
        (b"\x8d\x01" + b"\0" * 7 + b"x.", b"x"),
        (b"\x8e\x01" + b"\0" * 7 + b"x.", b"x"),
    ],
)
def test_opcodes_of_old_pythons(data: bytes, text: bytes) -> None:
    assert string_of(data) == text


class _Runs:
    """Pickles to a call, as an attacker's object does."""

    def __init__(self, call: Callable[..., object], *arguments: object) -> None:
        self._reduced = (call, arguments)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self._reduced


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("call", [os.system, eval, print])
def test_a_pickle_that_would_run_code_is_refused_by_the_name_of_its_opcode(
    protocol: int, call: Callable[..., object]
) -> None:
    with pytest.raises(NoString, match="GLOBAL"):
        string_of(pickle.dumps(_Runs(call, "1"), protocol))


@pytest.mark.parametrize("value", [1, None, 1.5, ["a"], {"a": 1}, ("a", "b"), {"a"}, True, 1 << 80])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_no_string_is_refused(value: object, protocol: int) -> None:
    with pytest.raises(NoString):
        string_of(pickle.dumps(value, protocol))


def test_every_opcode_of_python_is_known() -> None:
    for opcode in pickletools.opcodes:
        code = opcode.code.encode("latin-1")
        try:
            string_of(code + b"\0" * 20)
        except NoString as error:
            assert f"no opcode is 0x{code.hex()}" not in str(error), opcode.name  # noqa: PT017


@given(st.binary(max_size=60))
def test_any_bytes_are_a_string_or_refused(data: bytes) -> None:
    try:
        string_of(data)
    except NoString as error:
        assert str(error).isprintable()  # noqa: PT017


@pytest.mark.parametrize(
    "data",
    [b"", b".", b"X\xff\xff\xff\xffabc.", b"Vabc", b"\x80\x09X\0\0\0\0.", b"X\x01\0\0\0a.more", b"S'a\n.", b"Va\n"],
)
def test_broken_ones(data: bytes) -> None:
    with pytest.raises(NoString):
        string_of(data)


def framed(*frames: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(frame)) + frame for frame in frames)


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=6), st.data())
def test_frames_are_the_same_wherever_reads_fall(frames: list[bytes], data: st.DataObject) -> None:
    framer = LengthPrefixFramer()
    wire = framed(*frames)
    found: list[bytes] = []
    while wire:
        size = data.draw(st.integers(1, len(wire)))
        found += framer.feed(wire[:size])
        wire = wire[size:]
    assert found == frames
    assert framer.held == 0
    assert framer.take_refused() == []


def test_a_frame_over_the_limit_is_passed_over_and_nothing_of_it_kept() -> None:
    framer = LengthPrefixFramer(limit=10)
    wire = framed(b"a" * 10, b"b" * 11, b"", b"c")
    assert [frame for byte in wire for frame in framer.feed(bytes([byte]))] == [b"a" * 10, b"c"]
    over, empty = framer.take_refused()
    assert "11 bytes is over the limit of 10 (--max-large)" in over[1]
    assert "no bytes" in empty[1]
    framer.feed(framed(b"abc")[:-1])
    assert framer.held == 2
    framer.end()
    assert "cut short" in framer.take_refused()[0][1]


def test_large_messages_pickled_or_plain_and_real_ones() -> None:
    framer = PickledObjectFramer()
    wire = framed(pickle.dumps('{"id":1}', 0), pickle.dumps(b'{"id":2}', 4), b'{"id":3}', pickle.dumps(print))
    assert framer.feed(wire) == [b'{"id":1}', b'{"id":2}', b'{"id":3}']
    ((_, why),) = framer.take_refused()
    assert "STACK_GLOBAL" in why
    framer = PickledObjectFramer()
    texts = [text for part in hub_captures.pictures() for text in framer.feed(part)]
    assert [text[:16] for text in texts] == [b'{"id":696969969,', b'{"id":69696969, ']


def test_objects_without_lengths_are_taken_too() -> None:
    framer = PickledObjectFramer()
    assert framer.feed(b'{"id":1}{"id"') == [b'{"id":1}']
    assert framer.held == 5
    assert framer.feed(b":2}") == [b'{"id":2}']
