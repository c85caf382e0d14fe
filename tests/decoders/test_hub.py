"""The hub's messages: every type of programs' senders, and what is refused with its reason."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.decoders import hub_captures
from tuistream.core.batch import Batch
from tuistream.decoders.contract import Decoded, DecoderOptions
from tuistream.decoders.hub import Cause, Decoder
from tuistream.framers.length_prefix import LengthPrefixFramer
from tuistream.framers.pickled import string_of

NOW = 1_795_000_000_000_000_000


def decoder(**limits: Any) -> Decoder:
    return Decoder("hub", DecoderOptions(), **limits)


def decode(*messages: Any, by: Decoder | None = None) -> Decoded:
    frames = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in messages]
    return (by or decoder()).decode(frames, NOW)


def rows(batch: Batch) -> list[list[float]]:
    values: list[list[float]] = batch.v.tolist()
    return values


def refusal(message: Any, by: Decoder | None = None) -> tuple[Cause, str]:
    served = by or decoder()
    out = decode(message, by=served)
    ((_, reason),) = out.malformed
    (refused,) = served.refused
    assert (out.data, refused.reason) == (0, reason)
    return refused.cause, reason


def test_real_senders_of_one_id_are_told_apart_by_their_types() -> None:
    out = decode(*hub_captures.tcp())
    assert (out.data, out.malformed) == (len(hub_captures.tcp()), [])
    streams = {batch.stream.key: batch for batch in out.batches}
    assert list(streams) == [("hub", "80085", "line"), ("hub", "80085", "heatmap"), ("hub", "1337", "line")]
    assert rows(streams["hub", "80085", "line"])[:2] == [[37.1], [14.819]]
    assert rows(streams["hub", "80085", "heatmap"])[0] == [95.0, 36.0]
    assert streams["hub", "80085", "heatmap"].stream.fields == ("row", "col")
    assert streams["hub", "1337", "line"].stream.fields == ("apple", "amazon")
    assert rows(streams["hub", "1337", "line"])[0] == [170.99, 130.7]
    assert out.items[0].stream.key == ("hub", "80085", "text")
    assert (out.items[0].kind, out.items[0].value) == ("text", "hbaauxnobnrgjrmdeyhdhalzppmqohx")
    look = out.looks["hub", "1337", "line"]
    assert (look.title, look.unit, look.points) == ("Stock Share Prices Example", "Share Price ($)", 20)
    assert look.colours == ("#3e95cd", "#e8c3b9")
    assert out.looks["hub", "80085", "heatmap"].grid == (192, 108)


def test_real_messages_over_http() -> None:
    out = decode(*hub_captures.http_bodies())
    assert (out.data, out.malformed) == (3, [])
    a_map, video = out.items
    assert a_map.value == {
        "center": {"lat": 41.40338, "lng": 2.17403},
        "zoom": 4.0,
        "data": [{"lat": 41.40334, "lng": 2.17404}, {"lat": 41.40335, "lng": 2.17407}],
    }
    assert (video.kind, video.value, video.replaces) == ("video", "udp://127.0.0.1:1337", True)
    assert rows(out.batches[0]) == [[74.061]]


def test_a_marker_keeps_its_name_and_colour_and_nothing_else() -> None:
    places = [{"lat": 1, "lng": 2, "name": "n" * 100, "color": "red", "href": "x", "title": {"a": 1}}]
    (item,) = decode({"id": 1, "type": "map", "value": {"data": places}}).items
    assert item.value == {"data": [{"lat": 1.0, "lng": 2.0, "name": "n" * 60, "color": "red"}]}


def test_of_very_many_markers_the_first_are_kept_and_the_others_counted() -> None:
    (item,) = decode({"id": 1, "type": "map", "value": {"data": [{"lat": 1, "lng": 2}] * 10_007}}).items
    assert isinstance(item.value, dict)
    assert len(item.value["data"]) == 10_000
    assert item.value["beyond"] == 7


def test_real_pictures_as_they_were_pickled() -> None:
    frames = LengthPrefixFramer().feed(b"".join(hub_captures.pictures()))
    out = decode(*map(string_of, frames))
    assert [(item.kind, item.replaces, item.stream.name) for item in out.items] == [
        ("image", True, "696969969"),
        ("image", True, "69696969"),
    ]
    assert str(out.items[0].value).startswith("data:image/png;base64,iVBORw0KGgo")


def test_a_plotly_figure_is_one_and_not_the_numbers_in_it() -> None:
    figure = {"data": [{"type": "bar", "y": [1, 2]}], "layout": {"width": 500}}
    out = decode(figure, {"id": 7, **figure})
    assert (out.data, out.batches, out.malformed) == (2, [], [])
    assert [(item.stream.key, item.kind) for item in out.items] == [
        (("hub", "", "figure"), "figure"),
        (("hub", "7", "figure"), "figure"),
    ]
    assert all(item.replaces and isinstance(item.value, dict) for item in out.items)
    assert refusal({"id": [], **figure})[0] is Cause.FIELD
    full = decoder(max_streams=1)
    decode({"id": 1, "value": 2}, by=full)
    assert refusal(figure, full)[0] is Cause.STREAMS


@pytest.mark.parametrize("kind", ["line", "bar", "horizontalBar", "pie", "doughnut", "radar", "polarArea"])
def test_a_number_for_each_name_of_the_legend(kind: str) -> None:
    out = decode({"id": "a", "type": kind, "value": [1, "2.5"], "legend": ["x", "y"]})
    assert out.batches[0].stream.key == ("hub", "a", kind)
    assert out.batches[0].stream.fields == ("x", "y")
    assert rows(out.batches[0]) == [[1.0, 2.5]]


def test_defaults_are_the_old_hubs() -> None:
    out = decode({"id": 7, "value": [1]})
    assert out.batches[0].stream.key == ("hub", "7", "line")
    assert out.batches[0].stream.fields == ("data",)
    look = out.looks["hub", "7", "line"]
    assert (look.kind, look.points, look.fill) == ("line", 20, False)
    assert decode({"id": 7, "value": [1, 1], "type": "heatmap"}).looks["hub", "7", "heatmap"].grid == (100, 200)


@pytest.mark.parametrize(
    ("told", "ns"),
    [
        ({"time": 1_794_999_999.25}, 1_794_999_999_250_000_000),
        ({"timestamp": 1_794_999_999_250}, 1_794_999_999_250_000_000),
        ({"ts": "1794999999250000000"}, 1_794_999_999_250_000_000),
        ({"t": "2026-11-18T11:06:39.25Z"}, 1_794_999_999_250_000_000),
        ({"time": "2026-11-18 12:06:39+01:00", "t": 5}, 1_794_999_999_000_000_000),
        ({"time": None, "ts": 1_794_999_999}, 1_794_999_999_000_000_000),
    ],
)
def test_a_message_may_tell_its_time(told: dict[str, Any], ns: int) -> None:
    served = decoder()
    out = decode({"id": 1, "value": 5} | told, by=served)
    (batch,) = out.batches
    assert (batch.t.tolist(), batch.recv.tolist(), batch.stream.timed) == ([ns], [NOW], True)
    assert out.bad_times == 0
    (report,) = served.describe()
    assert (report.time, bool(report.unit)) == (next(name for name, each in told.items() if each), True)
    (batch,) = decode({"id": 1, "value": 6}, by=served).batches
    assert (batch.t.tolist(), batch.stream.timed) == ([NOW], True)
    (text,) = decode({"id": 1, "type": "text", "value": "x"} | told).items
    assert (text.t, text.recv, text.stream.timed) == (ns, NOW, True)


def test_a_time_that_cannot_be_is_counted_and_the_receive_time_stands() -> None:
    served = decoder()
    times: list[object] = ["soon", 3, NOW * 2, [], True]
    messages = [{"id": 1, "value": 5, "time": told} for told in times]
    out = decode(*messages, {"id": 1, "value": 5, "t": 3}, by=served)
    (batch,) = out.batches
    assert (out.bad_times, batch.t.tolist(), batch.stream.timed) == (5, [NOW] * 6, False)


def test_the_option_names_the_field_of_the_time() -> None:
    served = Decoder("hub", DecoderOptions(time_field="at"))
    (batch,) = decode({"id": 1, "value": 5, "time": 1, "at": 1_794_999_999}, by=served).batches
    assert batch.t.tolist() == [1_794_999_999_000_000_000]


def test_messages_with_a_time_are_read_as_soon_as_others() -> None:
    """What a message describes is looked at once, not with each new time."""
    served = decoder()
    out = decode(*({"id": 1, "value": n, "name": "a", "time": NOW + n} for n in range(3)), by=served)
    assert out.batches[0].t.tolist() == [NOW, NOW + 1, NOW + 2]
    (chart,) = served._charts.values()
    said = chart.said
    decode({"id": 1, "value": 1, "name": "a", "time": NOW + 9}, by=served)
    assert chart.said is said


def test_a_number_alone_and_one_as_text() -> None:
    served = decoder()
    assert rows(decode({"id": 1, "value": 5}, {"id": "1", "value": "6.5"}, by=served).batches[0]) == [[5.0], [6.5]]


def test_a_legend_that_grows_adds_fields_and_one_in_another_order_finds_them() -> None:
    served = decoder()
    decode({"id": 1, "value": [1], "legend": ["a"]}, by=served)
    out = decode(
        {"id": 1, "value": [1, 2], "legend": ["a", "b"]},
        {"id": 1, "value": [3, 4], "legend": ["b", "a"]},
        {"id": 1, "value": [5], "legend": "b"},
        by=served,
    )
    assert out.batches[0].stream.fields == ("a", "b")
    assert rows(out.batches[0])[:2] == [[1.0, 2.0], [4.0, 3.0]]
    assert math.isnan(rows(out.batches[0])[2][0])
    assert rows(out.batches[0])[2][1] == 5.0


def test_bubbles_are_ticks_with_x_y_and_r() -> None:
    out = decode({"id": 1, "type": "bubble", "value": [{"x": 1, "y": 2, "r": 3}, {"x": 4, "y": 5}]})
    assert out.batches[0].stream.fields == ("x", "y", "r")
    assert rows(out.batches[0])[0] == [1.0, 2.0, 3.0]
    assert math.isnan(rows(out.batches[0])[1][2])


def test_an_object_of_numbers_and_a_list_of_such() -> None:
    out = decode({"id": "cpu", "value": {"user": 1, "system": {"irq": 2}, "host": "a"}})
    assert out.batches[0].stream.fields == ("user", "system.irq")
    out = decode({"id": "cpu", "value": [{"user": 1}, {"user": 2, "idle": 3}]})
    assert rows(out.batches[0])[1] == [2.0, 3.0]


def test_any_other_object_with_numbers_is_found_out() -> None:
    out = decode({"cpu": 42}, {"cpu": 43, "api_crypt": "secret"}, [{"id": 1, "value": 2}, {"id": 1, "value": 3}])
    assert out.data == 3
    assert rows(out.batches[0]) == [[42.0], [43.0]]
    assert rows(out.batches[1]) == [[2.0], [3.0]]


@pytest.mark.parametrize(
    ("message", "names"),
    [
        ({"id": [1], "value": 1}, ["id", "a number or a name"]),
        ({"id": "", "value": 1}, ["id"]),
        ({"id": True, "value": 1}, ["id true"]),
        ({"id": 1, "type": "line"}, ["value", "missing"]),
        ({"id": 1, "value": 1, "type": "scatter"}, ["type scatter", "polarArea"]),
        ({"id": 1, "value": "many"}, ["value many", "a number"]),
        ({"id": 1, "value": [1, [2]]}, ["value", "a list"]),
        ({"id": 1, "value": [True]}, ["value true"]),
        ({"id": 1, "value": 1, "borderColor": "burnt"}, ["borderColor burnt", "#3e95cd"]),
        ({"id": 1, "value": 1, "backgroundColor": ["red", 7]}, ["backgroundColor 7"]),
        ({"id": 1, "value": 1, "fill": "perhaps"}, ["fill perhaps", "true or false"]),
        ({"id": 1, "value": 1, "active_points": 0}, ["active_points 0", "from 1 to 1,000,000"]),
        ({"id": 1, "value": 1, "width": "wide"}, ["width wide"]),
        ({"id": 1, "value": 1, "name": {}}, ["name", "text"]),
        ({"id": 1, "value": 1, "label": [[]]}, ["label", "text"]),
        ({"id": 1, "value": 1, "legend": [{}]}, ["legend"]),
        ({"id": 1, "value": [1], "type": "heatmap"}, ["value", "[row, column]"]),
        ({"id": 1, "value": 7, "type": "bubble"}, ["value 7", "x, y and r"]),
        ({"id": 1, "value": {}, "type": "text"}, ["value", "text"]),
        ({"id": 1, "value": "fetch('/')", "type": "map"}, ["value", "map"]),
        ({"id": 1, "value": {"center": {"lat": 91, "lng": 0}}, "type": "map"}, ["center"]),
    ],
)
def test_a_bad_field_is_refused_with_its_name_and_what_is_wanted(message: Any, names: list[str]) -> None:
    cause, reason = refusal(message)
    assert cause is Cause.FIELD
    assert all(name in reason for name in names), reason


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 500])
def test_what_is_no_finite_number_is_no_value(number: str) -> None:
    assert refusal(b'{"id": 1, "value": [%b]}' % number.encode())[0] is Cause.EMPTY
    out = decode(b'{"id": 1, "legend": ["a", "b"], "value": [%b, 2]}' % number.encode())
    assert math.isnan(rows(out.batches[0])[0][0])
    assert rows(out.batches[0])[0][1] == 2.0
    assert refusal(b'{"cpu": %b}' % number.encode())[0] is Cause.EMPTY


def test_the_largest_finite_number_is_kept_and_of_two_equal_keys_the_last_counts() -> None:
    assert rows(decode({"id": 1, "value": 1e308}).batches[0]) == [[1e308]]
    out = decode(b'{"id": 1, "value": 1, "id": 2, "value": 5}')
    assert (out.batches[0].stream.name, rows(out.batches[0])) == ("2", [[5.0]])


@pytest.mark.parametrize("depth", [50, 2_000, 100_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    nested = b'{"a":' * depth + b"1" + b"}" * depth
    cause, _ = refusal(b'{"id": 1, "value": %b}' % nested)
    assert cause in (Cause.FIELD, Cause.MALFORMED)


def test_names_and_streams_have_limits() -> None:
    served = decoder(max_streams=2, max_name=10)
    assert decode({"id": "a", "value": 1}, {"id": "a", "type": "text", "value": "x"}, by=served).data == 2
    cause, reason = refusal({"id": "b", "value": 1}, by=served)
    assert (cause, "--max-streams" in reason) == (Cause.STREAMS, True)
    assert refusal({"temperature": 1}, by=served)[0] is Cause.STREAMS
    assert decode({"id": "a", "value": 2}, by=served).data == 1
    cause, reason = refusal({"id": "x" * 11, "value": 1}, by=served)
    assert (cause, "11 characters" in reason) == (Cause.NAME, True)
    assert refusal({"id": "a", "value": 1, "legend": "y" * 11}, by=served)[0] is Cause.NAME
    assert refusal({"id": 1, "value": list(range(65)), "legend": ["a"]}, by=decoder())[0] is Cause.FIELD


def test_no_control_character_gets_into_a_name_a_title_or_a_reason() -> None:
    hostile = "\x1b[31m\u202e[bold]'; DROP TABLE ticks; --../../etc"
    out = decode(
        {"id": hostile[:70], "value": [1], "legend": [hostile], "name": hostile, "label": hostile},
    )
    (batch,) = out.batches
    look = out.looks[batch.stream.key]
    for text in (batch.stream.name, *batch.stream.fields, look.title, look.unit):
        assert text.isprintable()
    assert refusal({"id": 1, "value": hostile})[1].isprintable()


def test_the_password_of_one_message_lets_in_those_after_it() -> None:
    served = decoder()
    frames = [b'{"id":1,"value":1%b}' % part for part in (b"", b',"api_crypt":"b"', b',"api_crypt":"a"', b"")]
    out = served.decode(frames, NOW, check=lambda given: given == "a")
    assert [(refused.at, refused.cause) for refused in served.refused] == [(0, Cause.PASSWORD), (1, Cause.PASSWORD)]
    assert (out.data, served.password_came) == (2, True)


@given(st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=4), max_size=8))
def test_every_number_comes_out_as_it_went_in(values: list[list[float]]) -> None:
    out = decode(*({"id": len(each), "value": each} for each in values))
    told = {batch.stream.name: rows(batch) for batch in out.batches}
    wanted: dict[str, list[list[float]]] = {}
    for each in values:
        wanted.setdefault(str(len(each)), []).append(each)
    assert told == wanted


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=4)),
    max_leaves=8,
)
FIELDS = [
    "id",
    "value",
    "type",
    "label",
    "legend",
    "name",
    "width",
    "fill",
    "active_points",
    "borderColor",
    "api_crypt",
]


@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=6), max_size=6))
def test_anything_is_taken_or_refused_and_never_raises(messages: list[dict[str, Any]]) -> None:
    served = decoder()
    out = decode(*messages, by=served)
    assert out.data + len(out.malformed) == len(messages)
    assert len(served.refused) == len(out.malformed)
    assert all(reason.isprintable() for _, reason in out.malformed)
