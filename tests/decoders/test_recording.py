"""The wire form of a recording: what is encoded comes back, and nothing else is taken."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tuistream.core.batch import Batch, IdRule, Stream, ids_array
from tuistream.core.errors import SettingsError
from tuistream.core.status import Event
from tuistream.decoders import auto, create
from tuistream.decoders.contract import Decoded, DecoderOptions
from tuistream.decoders.recording import MAX_FIELDS, Decoder, gap_message, ticks_message

NOW = 1_795_000_000_000_000_000
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
STREAM = Stream("kraken", "BTC/USD", "trade", ("price", "qty"), IdRule.UNIQUE, found="kraken")


def ticks(stream: Stream = STREAM, count: int = 2, ids: Any = None) -> Batch:
    t = np.arange(count) + NOW
    return Batch(stream, t, t + 7, np.arange(count * len(stream.fields), dtype=float).reshape(count, -1), ids)


def decode(*frames: bytes, decoder: Decoder | None = None) -> Decoded:
    return (decoder or Decoder("ours", DecoderOptions())).decode(frames, 5)


@given(
    t=arrays.arrays(np.int64, st.integers(1, 20), elements=INT64),
    numbers=st.data(),
    named=st.sampled_from([("price",), ("a", "b c", "π"), ("x.y", "t", "recv", "id")]),
    ids=st.sampled_from(["none", "integers", "any"]),
    timed=st.booleans(),
)
def test_every_ns_id_and_field_comes_back(
    t: Any, numbers: st.DataObject, named: tuple[str, ...], ids: str, timed: bool
) -> None:
    count = len(t)
    v = numbers.draw(arrays.arrays(np.float64, (count, len(named)), elements=st.floats(width=64)))
    recv = numbers.draw(arrays.arrays(np.int64, count, elements=INT64))
    of = {"none": st.none(), "integers": INT64, "any": INT64 | st.text(max_size=9) | st.none()}[ids]
    drawn = None if ids == "none" else ids_array(numbers.draw(st.lists(of, min_size=count, max_size=count)))
    axis = named[-1] if len(named) > 1 else ""
    stream = Stream("ours", "BTC/USD", "trade", named, IdRule.CONSECUTIVE, timed, "kraken", axis)
    sent = Batch(stream, t, recv, v, drawn)
    out = decode(ticks_message(sent))
    (batch,) = out.batches
    assert (out.data, out.relayed) == (1, True)
    assert batch.stream == stream
    np.testing.assert_array_equal(batch.t, t)
    np.testing.assert_array_equal(batch.recv, recv)
    np.testing.assert_array_equal(batch.v, v)
    zeros = v == 0
    np.testing.assert_array_equal(np.signbit(batch.v[zeros]), np.signbit(v[zeros]))
    assert (None if batch.ids is None else batch.ids.tolist()) == (None if drawn is None else drawn.tolist())


def test_a_message_is_plain_json_that_says_everything_by_itself() -> None:
    v = np.array([[1.5, np.nan], [np.inf, -0.0]])
    message = json.loads(ticks_message(Batch(STREAM, np.array([NOW, NOW + 1]), np.array([NOW, NOW]), v)))
    assert message == {
        "tuistream": "ticks",
        "feed": "kraken",
        "stream": "BTC/USD",
        "kind": "trade",
        "ids": "unique",
        "found": "kraken",
        "t": [NOW, NOW + 1],
        "recv": [NOW, NOW],
        "fields": {"price": [1.5, "Infinity"], "qty": [None, -0.0]},
    }


def test_messages_of_one_stream_are_one_batch_and_fields_may_come_later() -> None:
    wider = Stream("kraken", "BTC/USD", "trade", ("price", "qty", "side"), IdRule.UNIQUE, found="kraken")
    other = Stream("kraken", "ETH/USD", "trade", ("price",))
    frames = [
        ticks_message(ticks(ids=ids_array([1, 2]))),
        ticks_message(ticks(other)),
        ticks_message(ticks(wider, ids=ids_array(["x", None]))),
        ticks_message(ticks()),
    ]
    decoder = Decoder("ours", DecoderOptions())
    first, second = decode(*frames, decoder=decoder).batches
    assert first.stream.fields == ("price", "qty", "side")
    np.testing.assert_array_equal(first.v[:, 2], [np.nan, np.nan, 2, 5, np.nan, np.nan])
    assert first.ids is not None
    assert first.ids.tolist() == [1, 2, "x", None, None, None]
    assert (second.stream.name, len(second), second.ids) == ("ETH/USD", 2, None)
    assert [(each.name, each.ticks, each.fields[0].path) for each in decoder.describe()] == [
        ("BTC/USD", 6, "fields.price"),
        ("ETH/USD", 2, "fields.price"),
    ]


def test_streams_of_two_feeds_that_have_one_name_stay_apart() -> None:
    frames = [ticks_message(ticks(Stream(feed, "BTC", "trade", ("price",)))) for feed in ("a", "b", "a")]
    first, second = decode(*frames).batches
    assert [(batch.stream.feed, batch.stream.name, len(batch)) for batch in (first, second)] == [
        ("ours", "BTC", 4),
        ("ours", "BTC (b)", 2),
    ]


def test_gaps_that_ids_do_not_tell_are_told() -> None:
    details: dict[str, int | float | str | None] = {"from": NOW, "to": NOW + 9, "reason": "out\x1b[2Jage"}
    gap = Event(NOW + 9, "kraken", "gap", "BTC/USD: outage", STREAM.key, details)
    out = decode(gap_message(gap), ticks_message(ticks()), gap_message(gap))
    (told,) = out.gaps  # one of a stream that is known
    assert (told.feed, told.stream, told.t) == ("ours", ("ours", "BTC/USD", "trade"), NOW + 9)
    assert told.details == {"from": NOW, "to": NOW + 9, "reason": "out·[2Jage"}
    consecutive = Stream("kraken", "BTC/USD", "trade", ("price",), IdRule.CONSECUTIVE)
    of_ids = Event(NOW, "kraken", "gap", "", STREAM.key, details | {"first_id": 3, "last_id": 4})
    assert decode(ticks_message(ticks(consecutive)), gap_message(of_ids)).gaps == []


def changed(**changes: Any) -> bytes:
    return json.dumps(json.loads(ticks_message(ticks(ids=ids_array([1, 2])))) | changes).encode()


@pytest.mark.parametrize(
    "frame",
    [
        changed(t=[1]),
        changed(t=[], recv=[], id=[], fields={"price": []}),
        changed(fields={}),
        changed(fields={"price": [1.0]}),
        changed(fields={"price": ["1", 2]}),
        changed(fields={"price": [[1], 2]}),
        changed(id=[1]),
        changed(t=[1 << 64, 2]),
        changed(t=[1.5, 2]),
        changed(ids="mine"),
        changed(stream=3),
        changed(fields={f"f{i}": [1, 2] for i in range(MAX_FIELDS + 1)}),
        b'{"tuistream": "gap", "feed": "", "stream": "", "kind": "", "t": 1, "text": 5, "details": {}}',
        b'{"tuistream": "ticks", "t": [1',
    ],
)
def test_what_is_not_as_it_should_be_is_malformed(frame: bytes) -> None:
    out = decode(frame)
    assert len(out.malformed) == 1
    assert not out.batches
    assert out.malformed[0][1].isprintable()


def test_other_json_is_counted_as_other() -> None:
    out = decode(b'{"price": 1}', b"[1]", b'{"tuistream": "news"}')
    assert (out.other, out.malformed, out.batches) == (3, [], [])


def test_text_that_would_move_the_cursor_is_made_harmless() -> None:
    stream = Stream("a", "B\x1b[2J", "\r", ("p\n",), found="\x07")
    (batch,) = decode(ticks_message(ticks(stream))).batches
    assert all(text.isprintable() for text in (batch.stream.name, batch.stream.kind, *batch.stream.fields))
    assert batch.stream.found == "·"


def test_auto_hands_over_with_the_first_message() -> None:
    decoder = auto.Decoder("ours", DecoderOptions())
    out = decoder.decode([ticks_message(ticks())], 5)
    assert decoder.chosen == "recording"
    assert out.batches[0].recv.tolist() == [NOW + 7, NOW + 8]
    assert out.relayed
    assert create("recording", "ours", DecoderOptions()).chosen == "recording"
    with pytest.raises(SettingsError, match="knows its fields"):
        Decoder("ours", DecoderOptions(key="x"))
