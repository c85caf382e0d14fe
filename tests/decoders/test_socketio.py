"""Socket.IO events, as captured and as others may send them: streams, axes, times, spectra, figures, texts."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decoders.figures import figure_text
from tests.decoders.recorded import NOW, by_stream, counted
from tuistream.core.batch import IdRule
from tuistream.core.session import Session
from tuistream.core.status import FeedStatus
from tuistream.decoders.contract import Decoded, DecoderOptions
from tuistream.decoders.socketio import MAX_EVENTS, Decoder

SINE = (
    b'["sin_wave",{"x":5175.900000001298,"y":-0.9920595207906412}]',
    b'["sin_wave",{"x":5176.000000001299,"y":-0.9745473802776989}]',
    b'["sin_wave",{"x":5176.100000001299,"y":-0.9472978844834851}]',
)
HUB = (
    b'["server",{"id":80085,"time":"2026-11-20 10:31:04","value":[1.5],"type":"line","active_points":20,'
    b'"label":["Random Number"],"legend":["random"],"name":"Random Number Example","width":100,"height":200,'
    b'"backgroundColor":["#3e95cd"],"borderColor":["#3e95cd"],"fill":"False"}]'
)
HOUR = 3_600 * 10**9


def decoder(**options: Any) -> Decoder:
    return Decoder("f", DecoderOptions(**options))


def event(name: str, *arguments: Any) -> bytes:
    return json.dumps([name, *arguments]).encode()


def decode(*frames: bytes, recv: int = NOW, using: Decoder | None = None) -> Decoded:
    out = (using or decoder()).decode(frames, recv)
    assert counted(out) == len(frames)
    assert out.replies == []
    return out


def ticks(*frames: bytes) -> dict[tuple[str, str], list[Any]]:
    """For each stream, by name and kind: time, values and id of each tick."""
    return {(name, kind): found for (_, name, kind), found in by_stream(decode(*frames).batches).items()}


@pytest.fixture
def in_india(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_the_sine_server() -> None:
    (batch,) = decode(*SINE).batches
    assert batch.stream.key == ("f", "", "sin_wave")
    assert batch.stream.fields == ("x", "y")
    assert batch.stream.axis == "x"
    assert not batch.stream.timed
    assert batch.v[:, 0].tolist() == [5175.900000001298, 5176.000000001299, 5176.100000001299]
    assert batch.t.tolist() == [NOW] * 3


def test_a_step_back_of_x_is_a_gap() -> None:
    session, reader = Session(clock=lambda: NOW), decoder()
    status = session.add_feed(FeedStatus("f"))
    for second, x in enumerate((10.0, 10.1, 10.1, 0.0, 0.1)):
        session.ingest(status, reader.decode([event("sin_wave", {"x": x, "y": 1})], NOW + second).batches)
    (state,) = session.streams.values()
    assert state.main == "y"
    assert state.ticks == 5
    assert [kind.text.partition(",")[0] for kind in session.events if kind.kind == "gap"] == ["f: x stepped back"]


@pytest.mark.parametrize(
    ("message", "axis"),
    [
        ({"x": 1, "y": 2}, "x"),
        ({"x": 1, "y1": 2, "y2": 3}, "x"),
        ({"x": 1, "temperature": 2}, "x"),
        ({"x": 1, "y": 2, "z": 3}, ""),
        ({"x": 1, "y": 2, "r": 3}, ""),
        ({"x": 1}, ""),
        ({"y": 1}, ""),
        ({"time": NOW / 1e9, "x": 1, "y": 2}, ""),
    ],
)
def test_which_x_is_an_axis(message: dict[str, float], axis: str) -> None:
    (batch,) = decode(event("e", message)).batches
    assert batch.stream.axis == axis


def test_an_x_that_is_the_time_of_receipt_is_a_time() -> None:
    seconds = NOW / 1e9 - 1
    for x in (seconds, round(seconds * 1e3)):
        (batch,) = decode(event("e", {"x": x, "y": 2})).batches
        assert (batch.stream.fields, batch.stream.axis, batch.stream.timed) == (("y",), "", True)
        assert batch.t.tolist() == [NOW - 10**9]


def test_clock_times_in_utc() -> None:
    """The variant on port 5002: equal x twice is normal."""
    recv = NOW - NOW % (24 * HOUR) + 10 * HOUR + 52 * 60 * 10**9 + 48 * 10**9  # 10:52:48 UTC
    x = "10:52:52.477"
    (batch,) = decode(
        event("sin_wave", {"x": x, "y": 0.0}), event("sin_wave", {"x": x, "y": 29.7}), recv=recv
    ).batches
    assert batch.t.tolist() == [recv + 4_477_000_000] * 2
    assert batch.stream.fields == ("y",)
    assert batch.stream.timed
    assert batch.stream.axis == ""


@pytest.mark.usefixtures("in_india")
@pytest.mark.parametrize("hour", [0, 3, 12, 18, 23])
def test_clock_times_in_local_time(hour: int) -> None:
    midnight = NOW - NOW % (24 * HOUR)
    recv = midnight + hour * HOUR
    local = recv + 5 * HOUR + HOUR // 2
    of_day = local % (24 * HOUR) // 10**9
    text = f"{of_day // 3600:02}:{of_day // 60 % 60:02}:{of_day % 60:02}.250"
    (batch,) = decode(event("sin_wave", {"x": text, "y": 1.0}), recv=recv).batches
    assert batch.t.tolist() == [recv + 250_000_000]


@pytest.mark.usefixtures("in_india")
def test_a_clock_stays_in_its_zone() -> None:
    reader = decoder()
    midnight = NOW - NOW % (24 * HOUR)
    found = []
    for recv in (midnight - 10**9, midnight + 10**9):
        text = time.strftime("%H:%M:%S", time.gmtime(recv // 10**9))
        found += decode(event("e", {"x": text, "y": 1}), recv=recv, using=reader).batches[0].t.tolist()
    assert found == [midnight - 10**9, midnight + 10**9]


def test_a_spectrum_replaces_the_one_before() -> None:
    x, y = [float(i) for i in range(125)], [math.sin(i) for i in range(125)]
    out = decode(event("sin_wave_fft", {"x": x, "y": y}), SINE[0])
    (item,) = out.items
    assert (item.kind, item.replaces, item.value) == ("spectrum", True, {"x": x, "y": y})
    assert item.stream.key == ("f", "", "sin_wave_fft")
    assert (item.t, item.recv) == (NOW, NOW)
    assert [batch.stream.kind for batch in out.batches] == ["sin_wave"]
    assert out.data == 2


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ({"x": [1, 2], "y": [3, 4]}, {"x": [1, 2], "y": [3, 4]}),
        ({"name": "left", "bins": list(range(9))}, {"bins": list(range(9))}),
        (list(range(17)), {"y": list(range(17))}),
    ],
)
def test_what_is_a_spectrum(argument: Any, value: Any) -> None:
    out = decode(event("e", argument))
    assert [item.value for item in out.items] == [value]
    assert not out.batches


@pytest.mark.parametrize(
    "argument",
    [
        {"values": [1, 2, 3]},
        {"bid": [1, 2], "ask": [3, 4]},
        {"v": 1, "history": list(range(9))},
        [{"x": 1, "y": 2}, {"x": 2, "y": 3}],
        [1, 2, 3],
    ],
)
def test_what_is_none(argument: Any) -> None:
    out = decode(event("e", argument))
    assert not out.items
    assert out.batches


@pytest.mark.parametrize(
    ("arguments", "name", "values"),
    [
        ([5.5], "", {"value": 5.5}),
        (["5.5"], "", {"value": 5.5}),
        (["BTC", 42], "BTC", {"v1": 42.0}),
        ([1, 2], "", {"v0": 1.0, "v1": 2.0}),
        ([{"price": 1}, {"qty": 2}], "", {"price": 1.0, "qty": 2.0}),
        (["BTC", {"price": 1}], "BTC", {"price": 1.0}),
        ([{"symbol": "A", "price": "1"}], "A", {"price": 1.0}),
        ([json.dumps({"symbol": "A", "price": "1"})], "A", {"price": 1.0}),
        ([{"image": {"_placeholder": True, "num": 0}, "v": 1}], "", {"v": 1.0}),
    ],
)
def test_arguments_of_other_forms(arguments: list[Any], name: str, values: dict[str, float]) -> None:
    assert ticks(event("e", *arguments)) == {(name, "e"): [(NOW, values, None)]}


def test_each_event_is_a_kind_and_a_kind_within_it_too() -> None:
    found = ticks(
        event("quote", {"symbol": "A", "bid": 1}),
        event("trade", {"symbol": "A", "price": 1}),
        event("feed", {"type": "trade", "symbol": "A", "price": 1}),
        event("message", {"v": 1}),
        event("status", {"v": 1.5}),
    )
    assert set(found) == {("A", "quote"), ("A", "trade"), ("A", "feed trade"), ("", "message"), ("", "status")}


def test_texts_are_shown() -> None:
    out = decode(event("log", "it rains"), event("log", "ping"), event("log", "a", "b"))
    assert [(item.kind, item.value, item.replaces) for item in out.items] == [
        ("text", "it rains", False), ("text", "ping", False), ("text", "a b", False),
    ]  # fmt: skip
    assert out.data == 3


def test_what_holds_nothing_is_counted() -> None:
    out = decode(event("e"), event("e", None), event("e", True), event("pic", {"_placeholder": True, "num": 0}))
    assert (out.other, out.data) == (4, 0)
    assert not decode(*SINE[:1], using=decoder(fields=("z",))).batches


@pytest.mark.parametrize("frame", [b"", b"x", b"{}", b"[]", b"[1]", b'["e",', b'["e"]]', b"\xff", b"[" * 9_000])
def test_what_is_no_event_is_refused_with_a_reason(frame: bytes) -> None:
    out = decode(frame, SINE[0])
    assert [refused for refused, _ in out.malformed] == [frame]
    assert all(why for _, why in out.malformed)
    assert out.data == 1


def test_python_servers_send_nan() -> None:
    out = decode(SINE[0], b'["sin_wave",{"x":5176.0,"y":NaN}]', b'["sin_wave",{"x":5176.1,"y":1e400}]')
    assert out.data == 3
    (batch,) = out.batches
    assert [math.isnan(value) for value in batch.v[:, 1]] == [False, True, True]


def test_the_hub_of_charts() -> None:
    assert b'"time"' in HUB
    out = decode(HUB)
    (batch,) = out.batches
    assert (batch.stream.name, batch.stream.kind) == ("80085", "line")
    assert (batch.stream.timed, batch.t.tolist()) == (False, [NOW])  # its time is the hub's local one, in seconds
    assert batch.v.tolist() == [[1.5]]
    assert out.looks[batch.stream.key].title == "Random Number Example"


@pytest.mark.parametrize(("version", "points"), [(5, 206), (7, 201)])
def test_a_real_figure_is_recorded_once(version: int, points: int) -> None:
    text = figure_text(version).decode()
    reader = decoder()
    first = decode(event("graph_plot", text), using=reader)
    (item,), (batch,) = first.items, first.batches
    assert (item.kind, item.replaces, item.value) == ("figure", True, json.loads(text))
    assert batch.stream.key == ("f", "", "graph_plot")
    assert (len(batch), batch.stream.fields, batch.stream.ids) == (points, ("y",), IdRule.UNIQUE)
    look = first.looks[batch.stream.key]
    assert (look.title, look.fill, look.colours) == (
        "Stock Price (₹)",
        True,
        ("#ff0000" if version == 5 else "#00ff00",),
    )

    again = decode(event("graph_plot", text), using=reader)
    assert (len(again.items), again.batches, again.looks) == (1, [], {})

    figure = json.loads(text)
    figure["data"][0]["x"] = [*figure["data"][0]["x"][2:], "2021-07-02T14:15:00+05:30", "2021-07-02T14:16:00+05:30"]
    figure["data"][0]["y"] = [*range(points - 2), 7.5, 8.5]
    (batch,) = decode(event("graph_plot", json.dumps(figure)), using=reader).batches
    assert batch.v.tolist() == [[7.5], [8.5]]
    assert reader.stale_after > 61
    (report,) = reader.describe()
    assert (report.time, report.ticks) == ("data.0.x", points + 2)


def test_a_figure_that_a_recording_has_already_is_dropped_as_repeats() -> None:
    """After a restart of the program or the connection, the same figure comes again."""
    session = Session(clock=lambda: NOW)
    status = session.add_feed(FeedStatus("f"))
    for reader in (decoder(), decoder()):
        session.interrupt(status, "outage")
        session.ingest(status, reader.decode([event("graph_plot", figure_text(5).decode())], NOW).batches)
    assert (status.ticks, status.repeats) == (206, 206)


def test_traces_against_an_x_begin_anew_when_it_steps_back() -> None:
    reader = decoder()

    def taken(*x: float) -> list[list[float]]:
        figure = {"data": [{"x": list(x), "y": list(x), "name": "a"}], "layout": {}}
        return [row for batch in decode(event("e", figure), using=reader).batches for row in batch.v.tolist()]

    assert taken(1, 2) == [[1, 1], [2, 2]]
    assert taken(1, 2, 3) == [[3, 3]]
    assert taken(0, 1) == [[0, 0], [1, 1]]


def test_names_of_events_have_a_bound_and_are_harmless() -> None:
    reader = decoder()
    out = decode(*(event(f"e{i}", 1) for i in range(MAX_EVENTS + 5)), using=reader)
    assert (len(out.batches), out.other) == (MAX_EVENTS, 5)
    (batch,) = decode(event("\x1b[2J\u202e[red]", 1)).batches
    assert batch.stream.kind.isprintable()


def test_many_frames_of_a_read_are_read_as_single_ones_are() -> None:
    frames = [event("sin_wave", {"x": i / 10, "y": math.sin(i)}) for i in range(500)]
    together, single = decoder(), decoder()
    # The second read is taken as a whole.
    rows = [row for _ in range(2) for row in together.decode(frames, NOW).batches[0].v.tolist()]
    assert rows == [single.decode([frame], NOW).batches[0].v.tolist()[0] for _ in range(2) for frame in frames]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=12)
        | st.dictionaries(st.sampled_from(["x", "y", "data", "layout", "id", "type", "value", "time"]), inner)
    ),
    max_leaves=20,
)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(["a", "server"]), st.lists(values, max_size=3)), max_size=6))
def test_any_event_is_counted_once(events: list[tuple[str, list[Any]]]) -> None:
    decode(*(event(name, *arguments) for name, arguments in events))


@given(st.lists(st.binary(max_size=60) | st.binary(max_size=40).map(lambda data: b'["a",' + data + b"]"), max_size=4))
def test_any_bytes_are_counted_once(frames: list[bytes]) -> None:
    decode(*frames)
