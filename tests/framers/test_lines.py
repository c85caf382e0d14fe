"""Lines, server-sent events, and objects or lines: the same frames wherever reads fall."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.framers.test_objects import cut
from tuistream.framers.contract import Framer
from tuistream.framers.lines import LineFramer
from tuistream.framers.sse import EventFramer
from tuistream.framers.text import DocumentFramer, TextFramer

LIMIT = 20
places = st.lists(st.integers(0, 10_000), max_size=8)
scraps = st.lists(
    st.sampled_from(
        [b"\n", b"\r", b"\r\n", b"data:", b"data: ", b"id: 7", b": c", b"1,2", b"x" * 9, b"{", b'{"a":1}']
    ),
    max_size=25,
).map(b"".join)


def framed(framer: Framer, chunks: Iterable[bytes]) -> tuple[list[bytes], int]:
    frames = [frame for chunk in chunks for frame in framer.feed(chunk)] + framer.end()
    return frames, len(framer.take_refused())


@pytest.mark.parametrize("kind", [LineFramer, EventFramer, TextFramer, DocumentFramer])
@given(scraps, places)
@example(b"x" * 20 + b"\r\n1", [20, 21])
@example(b"\r" * 3, [1, 2])
@example(b"\xef\xbb\xbf \n{}{}", [1, 2, 3, 4])
@example(b" [1,\n2]\n[3]", [1, 2, 3, 4])
def test_cutting_the_wire_anywhere_gives_the_same(
    kind: type[LineFramer | EventFramer | TextFramer | DocumentFramer], wire: bytes, places: Sequence[int]
) -> None:
    whole = framed(kind(LIMIT), [wire])
    assert framed(kind(LIMIT), cut(wire, places)) == whole
    assert framed(kind(LIMIT), [bytes([byte]) for byte in wire]) == whole


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), min_size=1)), places)
def test_lines_come_out_as_they_went_in(texts: list[str], places: Sequence[int]) -> None:
    lines = [text.encode() for text in texts]
    for end in (b"\n", b"\r\n"):
        assert framed(LineFramer(), cut(end.join(lines), places)) == (lines, 0)
        assert framed(LineFramer(), cut(b"".join(line + end for line in lines), places)) == (lines, 0)


def test_a_line_over_the_limit_is_refused_once_and_the_next_is_taken() -> None:
    for size in (1, 7, 1_000):
        wire = b"1\n" + b"x" * 21 + b"\n2\n" + b"y" * 500 + b"\n3"
        framer = LineFramer(LIMIT)
        chunks = [wire[at : at + size] for at in range(0, len(wire), size)]
        frames = [frame for chunk in chunks for frame in framer.feed(chunk)] + framer.end()
        assert frames == [b"1", b"2", b"3"]
        assert [why for _, why in framer.take_refused()] == ["a line is over the limit of 20 bytes (--max-frame)"] * 2


@pytest.mark.parametrize(
    ("stream", "frames"),
    [
        (b"data: a\n\ndata:b\n\n", [b"a", b"b"]),
        (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
        (b"\xef\xbb\xbfdata: a\r\ndata: b\r\n\r\n", [b"a\nb"]),
        (b": hello\nevent: price\ndata: 1\n\n: bye\n\n", [b"1"]),
        (b"data\n\ndata\ndata\n\nother: x\n\n", [b"\n"]),
        (b"data: not dispatched\n", []),
    ],
)
def test_events_are_as_the_standard_says(stream: bytes, frames: list[bytes]) -> None:
    assert framed(EventFramer(), [stream]) == (frames, 0)


def test_id_and_retry_of_an_event_stream_are_kept() -> None:
    framer = EventFramer()
    framer.feed(b"id: 5\nretry: 1500\ndata: 1\n\nid: 6\ndata: 2\n")
    assert (framer.last_id, framer.retry) == ("5", 1500)
    framer.feed(b"\n")
    framer.feed(b"id\nretry: soon\n\n")
    assert (framer.last_id, framer.retry) == ("", 1500)


def test_an_event_over_the_limit_is_refused_once() -> None:
    stream = b"data: " + b"x" * 30 + b"\ndata: more\n\ndata: 1\n\n" + b"data: 12345678901\n" * 3 + b"\ndata: 2\n\n"
    assert framed(EventFramer(LIMIT), [stream]) == ([b"1", b"2"], 2)


@pytest.mark.parametrize(
    ("stream", "frames"),
    [
        (b'\xef\xbb\xbf \r\n{"a":1}{"a":\n2}', [b'{"a":1}', b'{"a":\n2}']),
        (b"1,2\n{not an object\n", [b"1,2", b"{not an object"]),
        (b'a":1}{"a":2}{"a":3}', [b'{"a":2}', b'{"a":3}']),
        (b"[1,2]\n[3,4]\n", [b"[1,2]", b"[3,4]"]),
        (b"42", [b"42"]),
        (b"", []),
    ],
)
def test_its_beginning_tells_objects_from_lines(stream: bytes, frames: list[bytes]) -> None:
    assert framed(TextFramer(), [stream])[0] == frames
    assert framed(TextFramer(), [bytes([byte]) for byte in stream])[0] == frames


@pytest.mark.parametrize(
    ("document", "frames"),
    [
        (b'\n[{"a": 1},\n {"a": 2}]\n', [b'[{"a": 1},\n {"a": 2}]\n']),
        (b"[1,2]\n[3,4]\n", [b"[1,2]", b"[3,4]"]),
        (b'{"a":\n1}', [b'{"a":\n1}']),
        (b"x,y\n1,2\n", [b"x,y", b"1,2"]),
        (b" \n", []),
    ],
)
def test_an_array_is_one_document(document: bytes, frames: list[bytes]) -> None:
    assert framed(DocumentFramer(), [document]) == (frames, 0)


def test_a_document_over_the_limit_is_refused() -> None:
    assert framed(DocumentFramer(LIMIT), [b"[" + b"1," * 20 + b"1]"]) == ([], 1)
