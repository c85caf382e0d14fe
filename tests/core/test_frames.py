"""Messages as stretches of a chunk: the same as a list of them, whichever way one looks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tuistream.core.frames import Frames, Read, together

messages = st.lists(st.tuples(st.binary(max_size=9), st.sampled_from([2, 4])), max_size=20)


def run_of(messages: list[tuple[bytes, int]], before: bytes) -> Frames:
    data, heads, starts = before, [], []
    for message, header in messages:
        heads.append(len(data))
        starts.append(len(data) + header)
        data += b"#" * header + message
    ends = [*heads[1:], len(data)] if messages else []
    return Frames(data + b"after", *(np.array(each, dtype=np.int64) for each in (heads, starts, ends)))


@given(messages, st.binary(max_size=5), st.integers(-25, 25), st.integers(-25, 25))
def test_it_is_the_list_of_its_messages(
    messages: list[tuple[bytes, int]], before: bytes, start: int, stop: int
) -> None:
    frames, plain = run_of(messages, before), [message for message, _ in messages]
    assert len(frames) == len(plain)
    assert frames.nbytes == sum(map(len, plain))
    assert [frames[at] for at in range(len(frames))] == plain
    assert list(frames[start:stop]) == plain[start:stop]
    assert list(frames[::2]) == plain[::2]
    assert frames.some(np.arange(len(plain))[start:stop]) == plain[start:stop]
    assert list(frames) == plain
    assert frames[start:stop] == plain[start:stop]


@given(messages, st.binary(max_size=5))
def test_its_text_has_separators_in_the_place_of_the_headers(
    messages: list[tuple[bytes, int]], before: bytes
) -> None:
    expected = b"".join(b"," + b" " * (header - 1) + message for message, header in messages)
    assert run_of(messages, before).text(b",", b" ") == expected


Part = tuple[Sequence[bytes], tuple[tuple[bytes, str], ...]]
reads: st.SearchStrategy[list[Part]] = st.lists(
    st.one_of(
        st.lists(st.binary(max_size=3), min_size=1, max_size=4).map(lambda frames: (frames, ())),
        st.just(([], ((b"x", "why"),))),
        st.just((Frames(b"..a", *(np.array([n], np.int64) for n in (0, 2, 3))), ())),
    ),
    max_size=8,
)


@given(reads, st.lists(st.integers(1, 1_000), min_size=8, max_size=8))
def test_reads_together_are_the_same_reads(parts: list[Part], steps: list[int]) -> None:
    times = np.cumsum(steps).tolist()
    alone = [Read(recv, frames, refused) for recv, (frames, refused) in zip(times, parts, strict=False)]
    joined = list(together(alone))
    apart = [one for read in joined for one in read.apart()]
    assert [(read.recv, [*read.frames], read.refused) for read in apart] == [
        (read.recv, [*read.frames], read.refused) for read in alone
    ]
    plain = [isinstance(read.frames, list) and not read.refused for read in alone]
    assert len(joined) == len(alone) - sum(a and b for a, b in pairwise(plain))
    assert all(read.recvs is None or read.recv == read.recvs[-1] for read in joined)
