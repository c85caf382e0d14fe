"""Reads of a venue's messages that are decoded together give what their frames give one by one."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decoders.fuzz import Frames
from tests.decoders.recorded import DATA, NOW, excerpt, frames_of
from tests.decoders.test_bulk import assert_same
from tests.decoders.venues import OTHER, USUAL, message
from tuistream import decoders
from tuistream.decoders.contract import DecoderOptions
from tuistream.decoders.wire.typed import WORTH_IT, Lines

MANY = 2 * WORTH_IT
SCALARS: tuple[Any, ...] = (
    None, True, False, 0, -0.0, 5, 5.0, -1, 1.5e300, 1 << 63, 1 << 70, float("nan"), "", "x", "5", "05", "5.0", "-0",
    "-0.0", "0", "nan", "-inf", "1e3", "1e999", "+5", " 5", ".5", "٣", "\ud800", "a\\b", "\x1b[2J", "BUY", "Sell",
    "s", "2026-11-20T10:00:00Z", "2026-11-20T10:00:00.1234567890Z", "2026-11-20 10:00:00", "2030-01-01T00:00:00Z",
    "1970-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-20T24:00:00.5Z", "2026-11-20T10:00:00+02:00", 1795172027,
    1795172027060, 1795172027060123456, "1795172027060", "1795172027.5", [], {}, [1], {"a": 1}, [[]], [{}],
)  # fmt: skip
KEYS = (
    "type",
    "channel",
    "event",
    "events",
    "method",
    "error",
    "data",
    "e",
    "X",
    "T",
    "topic",
    "op",
    "arg",
    "result",
)


def venue(name: str) -> str:
    """The decoder of what `venues.messages` calls so."""
    return name.partition("/")[0]


def usual(name: str, count: int, seed: int = 1) -> list[bytes]:
    """Frames of the venue, none of them odd."""
    pick = random.Random(seed)
    return [message(pick.choice(USUAL[name]), number) for number in range(seed * 1_000, seed * 1_000 + count)]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Where something stands in a message: the object or list, and the key or index."""
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(inner, dict | list):
            yield from places(inner)


@st.composite
def odd(draw: st.DrawFn, name: str) -> bytes:
    """A message of the venue with something in it that does not belong there, or a control message."""
    if draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from(OTHER[name]).map(str.encode))
    changed = copy.deepcopy(json.loads(message(draw(st.sampled_from(USUAL[name])), draw(st.integers(0, 99)))))
    for _ in range(draw(st.integers(1, 2))):
        where, key = draw(st.sampled_from(list(places(changed))))
        how = draw(st.integers(0, 5))
        if how == 0:
            del where[key]
        elif how == 1 and isinstance(where, dict):
            where[draw(st.sampled_from(KEYS))] = copy.deepcopy(draw(st.sampled_from(SCALARS)))
        elif how == 2 and isinstance(where, list):
            where.insert(0, copy.deepcopy(where[key]))
        else:
            where[key] = copy.deepcopy(draw(st.sampled_from(SCALARS)))
        if not changed:
            break
    return json.dumps(changed, separators=(",", ":"), ensure_ascii=draw(st.booleans())).encode("utf-8", "replace")


@pytest.mark.parametrize("name", USUAL)
def test_usual_messages_are_not_looked_at_one_by_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = decoders.create(venue(name), "f", DecoderOptions())
    frames = usual(name, 9 * MANY)
    decoder.decode(frames[:MANY], NOW)
    monkeypatch.setattr(decoder, "_decode_one", lambda *_: pytest.fail("one by one"))
    out = decoder.decode(frames[MANY:], NOW)
    assert out.data + out.other == 8 * MANY
    assert out.data > MANY
    assert sum(map(len, out.batches)) >= out.data


@pytest.mark.parametrize("name", USUAL)
def test_usual_messages(name: str) -> None:
    frames = usual(name, 6 * MANY)
    assert_same([frames[:5], frames[5:40], frames[40 : 3 * MANY], frames[3 * MANY :], frames], venue(name))


@pytest.mark.parametrize("name", USUAL)
@settings(max_examples=12)
@given(data=st.data())
def test_odd_messages_among_usual_ones(name: str, data: st.DataObject) -> None:
    frames = usual(name, 2 * MANY)
    for frame in data.draw(st.lists(odd(name), min_size=1, max_size=4)):
        frames.insert(data.draw(st.integers(0, len(frames))), frame)
    reads = [usual(name, MANY, seed=3)]
    while frames:
        size = data.draw(st.integers(1, 2 * MANY))
        reads.append(frames[:size])
        frames = frames[size:]
    assert_same(reads, venue(name))


@pytest.mark.parametrize("name", USUAL)
@settings(max_examples=6)
@given(cuts=st.randoms(use_true_random=False), seed=st.integers(0, 30))
def test_any_frames_among_usual_ones(name: str, cuts: random.Random, seed: int) -> None:
    supply = iter(Frames(seed))
    frames = usual(name, 2 * MANY)
    for frame in [*(next(supply) for _ in range(8)), *(each.encode() for each in OTHER[name])]:
        frames.insert(cuts.randrange(len(frames)), frame)
    reads = [usual(name, MANY, seed=3)]
    while frames:
        size = cuts.randrange(1, 2 * MANY)
        reads.append(frames[:size])
        frames = frames[size:]
    assert_same(reads, venue(name))


@pytest.mark.parametrize("name", USUAL)
def test_frames_that_are_messages_only_together(name: str) -> None:
    plain = usual(name, MANY)
    whole = plain[0]
    for split in (b"}", b"{", b",", b'"'):
        at = whole.index(split)
        assert_same([plain, [*plain, whole[:at], whole[at:]], [*plain, whole + whole]], venue(name))
        assert_same([plain, [*plain, whole[: at + 1], whole[at + 1 :], whole + b"\n" + whole]], venue(name))


def test_what_does_not_fit_is_tried_less_and_less_often() -> None:
    lines = Lines([dict[str, int]])
    good, bad = [b'{"a":1}'] * 3, [b'{"a":1}', b'{"a":"x"}']
    tried = []
    for _ in range(20):
        before = lines._paused
        assert lines.read(bad) is None
        tried.append(not before)
    assert [at for at, each in enumerate(tried) if each] == [0, 2, 6, 14]
    while lines._paused:
        lines.read(good)
    assert lines.read(good) is not None
    assert lines.read(good) is not None


@pytest.mark.parametrize("name", USUAL)
def test_excerpts(name: str) -> None:
    frames = usual(name, MANY)
    for recording in ("coinbase", "kraken_48", "kraken_49", "bitfinex", "bitstamp", "bybit", "gemini", "okx"):
        assert_same([frames, [frame for _, frame in excerpt(recording)] * 5], venue(name))


@pytest.mark.skipif(DATA is None, reason="TUISTREAM_DATA names no folder")
@pytest.mark.parametrize("name", USUAL)
@pytest.mark.parametrize("size", [37, 400])
def test_whole_captures(name: str, size: int) -> None:
    assert DATA is not None
    for path in (DATA / "captures").glob(f"{venue(name).upper()}*.gz"):
        frames = [frame for _, frame in frames_of(path)][:6_000]
        assert_same([frames[at : at + size] for at in range(0, len(frames), size)], venue(name))
