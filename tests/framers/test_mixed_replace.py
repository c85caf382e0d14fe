"""Motion JPEG over HTTP, cut into its pictures."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuistream.framers.mixed_replace import HEAD_LIMIT, MixedReplaceFramer, boundary_of

bodies = st.lists(
    st.binary(min_size=1, max_size=60).filter(lambda body: b"--x" not in body and body[-1] not in b"-\r\n")
)


def written(parts: list[bytes], *, lengths: bool, dashes: str = "--x", line: bytes = b"\r\n") -> bytes:
    stream = b""
    for part in parts:
        stream += dashes.encode() + line + b"Content-Type: image/jpeg" + line
        stream += b"Content-Length: %d" % len(part) + line if lengths else b""
        stream += line + part + line
    return stream + dashes.encode() + b"--" + line


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(stream), *(place % (len(stream) + 1) for place in places)})
    return [stream[begin:end] for begin, end in pairwise(edges)]


@given(
    bodies,
    st.booleans(),
    st.sampled_from(("--x", "----x")),
    st.sampled_from((b"\r\n", b"\n")),
    st.lists(st.integers(0)),
)
def test_the_same_parts_wherever_reads_fall(
    parts: list[bytes], lengths: bool, dashes: str, line: bytes, places: list[int]
) -> None:
    framer = MixedReplaceFramer(b"x")
    found = [
        part
        for chunk in cut(written(parts, lengths=lengths, dashes=dashes, line=line), places)
        for part in framer.feed(chunk)
    ]
    assert found == parts
    assert framer.take_refused() == []


@given(st.lists(st.binary(max_size=80), max_size=12))
def test_anything_is_taken_within_bounds(chunks: list[bytes]) -> None:
    framer = MixedReplaceFramer(b"x", limit=40)
    for chunk in chunks:
        assert all(0 < len(part) <= 40 for part in framer.feed(chunk))
        assert len(framer._buffer) <= HEAD_LIMIT + 80


@pytest.mark.parametrize("lengths", [True, False])
def test_a_long_part_is_passed_over(lengths: bool) -> None:
    framer = MixedReplaceFramer(b"x", limit=100)
    stream = written([b"a" * 50, b"b" * 5_000, b"c" * 50], lengths=lengths)
    found = [part for begin in range(0, len(stream), 16) for part in framer.feed(stream[begin : begin + 16])]
    assert found == [b"a" * 50, b"c" * 50]
    assert [reason for _part, reason in framer.take_refused()][:1] == ["a part is over the limit of 100 bytes"]


def test_headers_without_end_have_a_bound() -> None:
    framer = MixedReplaceFramer(b"x")
    for _ in range(100):
        assert framer.feed(b"--x" + b"a" * 1_000) == []
    assert len(framer._buffer) <= HEAD_LIMIT + 1_003
    assert framer.take_refused()


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("multipart/x-mixed-replace; boundary=frame", b"frame"),
        ('multipart/x-mixed-replace;boundary="--my boundary"', b"my boundary"),
        ("multipart/x-mixed-replace; boundary=--x; charset=a", b"x"),
        ("multipart/x-mixed-replace", b""),
    ],
)
def test_the_boundary_is_in_the_header(header: str, found: bytes) -> None:
    assert boundary_of(header) == found
