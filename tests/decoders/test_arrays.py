"""Matrices and curves in messages: what is one, what is none, what is too large."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuistream.core.board import Item
from tuistream.decoders.auto import Decoder
from tuistream.decoders.contract import Decoded, DecoderOptions
from tuistream.decoders.discovery.arrays import CELLS_MOST, POINTS_MOST, arrays_in
from tuistream.decoders.hub import Decoder as HubDecoder
from tuistream.decoders.socketio import Decoder as SocketIoDecoder

RECV = 1_795_172_400_000_000_000
SMALL = [[1, 2, 3, 4, 5], [6, 7.5, 8, None, 10]]
LONG = [0.5 * n for n in range(100)]


def decoded(*messages: Any, decoder: Any = None) -> Decoded:
    of = decoder or Decoder("feed", DecoderOptions())
    found: Decoded = of.decode([json.dumps(message).encode() for message in messages], RECV)
    return found


def only(*messages: Any, decoder: Any = None) -> Item:
    (item,) = decoded(*messages, decoder=decoder).items
    return item


@pytest.mark.parametrize(
    ("message", "name", "kind", "value"),
    [
        (SMALL, "", "matrix", {"z": SMALL}),
        ({"matrix": [[1, 2], [3, 4]]}, "", "matrix", {"z": [[1, 2], [3, 4]]}),
        ({"sensor": "cam", "frame7": SMALL}, "cam", "frame7", {"z": SMALL}),
        ({"id": "cam", "data": SMALL}, "cam", "matrix", {"z": SMALL}),
        ({"id": "cam", "data": {"pixels": SMALL}}, "cam", "pixels", {"z": SMALL}),
        (
            {"z": [[1, 2], [3, 4]], "x": ["a", "b"], "y": [10, 20], "name": "m"},
            "m",
            "z",
            {"z": [[1, 2], [3, 4]], "x": ["a", "b"], "y": ["10", "20"]},
        ),
    ],
)
def test_rows_of_numbers_are_a_matrix(message: Any, name: str, kind: str, value: Any) -> None:
    item = only(message)
    assert (item.stream.name, item.stream.kind, item.kind, item.value) == (name, kind, "matrix", value)
    assert item.replaces
    assert not item.stream.fields
    assert (item.t, item.recv) == (RECV, RECV)


@pytest.mark.parametrize(
    ("message", "kind", "value"),
    [
        (LONG, "", {"y": LONG}),
        ({"spectrum": LONG}, "spectrum", {"y": LONG, "y_name": "spectrum"}),
        ({"x": LONG, "y": LONG[::-1]}, "", {"x": LONG, "y": LONG[::-1]}),
        ({"power": LONG, "freq": LONG}, "power", {"x": LONG, "x_name": "freq", "y": LONG, "y_name": "power"}),
    ],
)
def test_more_numbers_than_a_tick_has_are_a_curve(message: Any, kind: str, value: Any) -> None:
    item = only(message)
    assert (item.stream.kind, item.kind, item.value) == (kind, "spectrum", value)


def test_the_time_of_the_message_is_the_items() -> None:
    item = only({"ts": RECV // 1_000_000 - 5_000, "spectrum": LONG})
    assert (item.t, item.recv, item.stream.timed) == (RECV - 5_000_000_000, RECV, True)


def test_a_matrix_beside_ticks_is_taken_too() -> None:
    out = decoded({"device": "cam", "temp": 21.5, "thermal": [[1, 2], [3, 4]]})
    assert [batch.stream.fields for batch in out.batches] == [("temp",)]
    assert [item.kind for item in out.items] == ["matrix"]
    assert (out.data, out.other) == (1, 0)


@pytest.mark.parametrize(
    "message",
    [
        {"bids": [[1, 2, 3, 4, 5]] * 3, "asks": [[1, 2, 3, 4, 5]] * 3},  # a book
        {"levels": [[61_000.5, 0.5], [61_001, 0.1]]},
        {"rows": [["61837.6", "0.5", "1", "2", "3"]] * 3},
        [[1, 2, 3, 4, 5], [1, 2, 3, 4]],  # ragged
        [[1, 2, 3, 4, True], [1, 2, 3, 4, 5]],
        [[None] * 5, [None] * 5],
        [[[1, 2, 3, 4, 5]] * 5] * 5,
        {"matrix": [[1], [2]]},
        {"matrix": [[], []]},
        {"matrix": []},
        {"words": ["a"] * 100},
        [],
        {},
    ],
)
def test_what_is_neither(message: Any) -> None:
    out = decoded(message)
    assert not out.items
    assert (out.data, len(out.malformed)) == (0, 0)


def test_rows_with_times_are_still_ticks() -> None:
    t = RECV // 1_000_000_000
    out = decoded([[t, 1.0, 2.0, 3.0, 4.0], [t + 1, 1.5, 2.5, 3.5, 4.5]])
    assert not out.items
    assert sum(len(batch.t) for batch in out.batches) == 2


def test_what_is_too_large_is_counted_and_said() -> None:
    side = int(CELLS_MOST**0.5) + 1
    out = decoded([[0] * side] * side, {"spectrum": [1] * (POINTS_MOST + 1)}, {"t": 1, "matrix": [[1] * side] * side})
    assert not out.items
    reasons = [reason for _frame, reason in out.malformed]
    assert reasons[:2] == [
        f"a matrix of {side:,} x {side:,} is over the limit of {CELLS_MOST:,} cells",
        f"a list of {POINTS_MOST + 1:,} numbers is over the limit of {POINTS_MOST:,}",
    ]
    assert len(reasons) + len(out.notices) == 3
    assert out.data + out.other + len(out.malformed) == 3


def test_each_frame_is_counted_once_and_items_of_the_first_frames_stay() -> None:
    decoder = Decoder("feed", DecoderOptions())
    out = decoded(SMALL, {"temp": 1.5}, LONG, {"ack": True}, decoder=decoder)
    assert [item.kind for item in out.items] == ["matrix", "spectrum"]
    assert out.data + out.other + out.control == 4


def test_the_hub_takes_them_by_their_id() -> None:
    hub = HubDecoder("hub", DecoderOptions())
    item = only({"id": "cam", "type": "heatmap", "value": SMALL, "name": "Camera"}, decoder=hub)
    assert (item.stream.name, item.stream.kind, item.kind) == ("cam", "matrix", "matrix")
    assert only({"id": 7, "value": [[1, 2], [3, 4]]}, decoder=hub).value == {"z": [[1, 2], [3, 4]]}
    assert only({"id": 8, "value": LONG}, decoder=hub).kind == "spectrum"
    points = decoded({"id": "h", "type": "heatmap", "value": [[1, 2], [3, 4]]}, decoder=hub)
    assert (len(points.items), sum(len(batch.t) for batch in points.batches)) == (0, 2)
    assert decoded({"id": "b", "type": "bar", "value": SMALL}, decoder=hub).malformed
    side = int(CELLS_MOST**0.5) + 1
    refused = decoded({"id": "big", "value": [[0] * side] * side}, decoder=hub).malformed
    assert "over the limit" in refused[0][1]


def test_the_hub_says_how_it_is_called() -> None:
    out = decoded({"id": "cam", "value": SMALL, "name": "Camera"}, decoder=HubDecoder("hub", DecoderOptions()))
    assert [look.title for look in out.looks.values()] == ["Camera"]


def test_an_event_of_socket_io() -> None:
    out = decoded(["thermal", {"matrix": SMALL}], decoder=SocketIoDecoder("feed", DecoderOptions()))
    assert [item.kind for item in out.items] == ["matrix"]


keys = st.sampled_from(["matrix", "x", "y", "z", "f", "t", "id"])
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3)),
    lambda inner: st.lists(inner, max_size=12) | st.dictionaries(keys, inner),
    max_leaves=40,
)


@given(values, st.booleans())
def test_nothing_breaks_it(value: Any, beside_ticks: bool) -> None:
    found = arrays_in(value, beside_ticks=beside_ticks)
    if found is not None and found.kind == "matrix":
        assert len({len(row) for row in found.value["z"]}) == 1
