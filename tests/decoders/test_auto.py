"""What the auto decoder finds with no configuration, and what it does with what it is told."""

from __future__ import annotations

import gzip
import json
from typing import Any

import numpy as np
import pytest

from tests.decoders.recorded import NOW, by_stream, counted
from tuistream.core.batch import IdRule
from tuistream.decoders.auto import Decoder
from tuistream.decoders.contract import MAX_FIELDS, MAX_NAME, Decoded, DecoderOptions
from tuistream.decoders.discovery.reader import MAX_NEW_SHAPES
from tuistream.decoders.wire import rows

MS = NOW // 10**6
T = MS * 10**6


@pytest.fixture(autouse=True)
def one_venue_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some messages here are as another venue sends them, whose decoder would take them."""
    monkeypatch.setattr("tuistream.decoders.auto.venues", lambda: ["binance"])


def decode(*messages: Any, options: DecoderOptions | None = None) -> Decoded:
    """The messages in one read; bytes as they are, all else as JSON."""
    frames = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in messages]
    out = Decoder("f", options or DecoderOptions()).decode(frames, NOW)
    assert counted(out) == len(frames)
    return out


def ticks(*messages: Any, options: DecoderOptions | None = None) -> dict[tuple[str, str], list[Any]]:
    """For each stream, by name and kind: time, values and id of each tick."""
    streams = by_stream(decode(*messages, options=options).batches)
    return {(name, kind): found for (_, name, kind), found in streams.items()}


def test_streaming_plot() -> None:
    """The frames of CJRockball/streaming-plot: float seconds, and a price that is a string."""
    out = decode({"time": 1795172027.0605018, "price": "144.89"})
    (batch,) = out.batches
    assert batch.stream.key == ("f", "", "")
    assert batch.stream.fields == ("price",)
    assert batch.stream.timed
    assert batch.stream.found == "auto: time in s at 'time'"
    assert batch.t.tolist() == [1_795_172_027_060_501_800]
    assert batch.recv.tolist() == [NOW]
    assert batch.v.tolist() == [[144.89]]
    assert batch.ids is None


@pytest.mark.parametrize(
    ("message", "key", "values", "t", "tick_id"),
    [
        ({"value": 5}, ("", ""), {"value": 5.0}, NOW, None),
        (5.5, ("", ""), {"value": 5.5}, NOW, None),
        ("5.5", ("", ""), {"value": 5.5}, NOW, None),
        ([1, 2.5, "3"], ("", ""), {"v0": 1.0, "v1": 2.5, "v2": 3.0}, NOW, None),
        ([MS, 144.89], ("", ""), {"v1": 144.89}, T, None),
        ({"x": 5175.9, "y": -0.99}, ("", ""), {"x": 5175.9, "y": -0.99}, NOW, None),
        ({"a": {"b": 1, "c": {"d": "2"}}, "e": 3}, ("", ""), {"a.b": 1, "a.c.d": 2, "e": 3}, NOW, None),
        ({"x": [1, 2, 3]}, ("", ""), {"x.0": 1.0, "x.1": 2.0, "x.2": 3.0}, NOW, None),
        ({"on": True, "v": 1, "name": "room 1"}, ("room 1", ""), {"v": 1.0}, NOW, None),
        ({"sensor": 7, "ts": MS, "temp": 21.5}, ("7", ""), {"temp": 21.5}, T, None),
        ({"host": "web1", "metric": "cpu", "value": 3}, ("web1/cpu", ""), {"value": 3.0}, NOW, None),
        ({"id": "sensor-7", "value": 3}, ("sensor-7", ""), {"value": 3.0}, NOW, None),
        ({"id": 12345, "value": 3}, ("", ""), {"value": 3.0}, NOW, 12345),
        ({"symbol": "A", "price": 1, "trade_id": "77"}, ("A", ""), {"price": 1.0}, NOW, 77),
        ({"symbol": "A", "price": 1, "id": "a9188a0a-82bc-50de-be60-03eedbe3cdd7"}, ("A", ""), {"price": 1.0}, NOW,
         "a9188a0a-82bc-50de-be60-03eedbe3cdd7"),
        ({"stream": "a@t", "data": {"s": "A", "e": "trade", "p": "1", "E": MS + 5, "T": MS}}, ("A", "trade"),
         {"p": 1.0}, T, None),
        ({"stream": "ab@ticks", "data": {"s": "AB", "p": "1"}}, ("AB", "ticks"), {"p": 1.0}, NOW, None),
        ({"ts": MS + 9, "data": [{"symbol": "A", "ts": MS, "px": "1"}]}, ("A", ""), {"px": 1.0}, T, None),
        ({"ts": MS, "data": [{"symbol": "A", "px": "1"}]}, ("A", ""), {"px": 1.0}, T, None),
        ({"channel": "c", "events": [{"type": "update", "trades": [{"pair": "A", "px": "1", "time": MS}]}]},
         ("A", "c"), {"px": 1.0}, T, None),
        ({"arg": {"channel": "tickers", "instId": "A"}, "data": [{"instId": "A", "last": "1", "ts": str(MS)}]},
         ("A", "tickers"), {"last": 1.0}, T, None),
        ({"jsonrpc": "2.0", "method": "subscription", "params": {"channel": "trades.A.raw", "data": [
            {"instrument_name": "A", "price": 1, "timestamp": MS, "trade_seq": 3}]}}, ("A", "trades.raw"),
         {"price": 1.0}, T, None),
        ([{"T": "t", "i": 96921, "S": "AAPL", "p": 126.55, "s": 1, "t": "2021-02-22T15:51:44.208Z"}], ("AAPL", "t"),
         {"i": 96921.0, "p": 126.55, "s": 1.0}, 1_614_009_104_208_000_000, None),
        ({"x": "10:52:52.477", "y": 29.7}, ("", ""), {"y": 29.7}, 1_795_171_972_477_000_000, None),
        ({"type": "temperature", "value": 20}, ("", "temperature"), {"value": 20.0}, NOW, None),
        (b'\xef\xbb\xbf{"value":1}', ("", ""), {"value": 1.0}, NOW, None),
        (json.dumps({"value": 1, "time": MS}), ("", ""), {"value": 1.0}, T, None),
        (gzip.compress(b'{"value":1}'), ("", ""), {"value": 1.0}, NOW, None),
    ],
)  # fmt: skip
def test_one_message(
    message: Any, key: tuple[str, str], values: dict[str, float], t: int, tick_id: int | str | None
) -> None:
    assert ticks(message) == {key: [(t, values, tick_id)]}


@pytest.mark.parametrize("name", ["time", "ts", "t", "T", "E", "timestamp", "date", "created_at", "eventTime"])
@pytest.mark.parametrize("scale", [10**9, 10**6, 10**3, 1])
def test_times_in_every_unit_under_every_usual_name(name: str, scale: int) -> None:
    ((found,),) = ticks({name: NOW // scale, "v": 1}).values()
    assert found == (NOW // scale * scale, {"v": 1.0}, None)


@pytest.mark.parametrize("counter", ["n", "x", "count", "total", "value"])
def test_a_counter_is_no_time(counter: str) -> None:
    ((found,),) = ticks({counter: 1_700_000_000, "y": 1.0}).values()
    assert found[:2] == (NOW, {counter: 1_700_000_000.0, "y": 1.0})


@pytest.mark.parametrize("time", [0, 5, -3, 631_151_999, NOW // 10**9 + 2 * 86_400, "1989-12-31T00:00:00Z", 1e300])
def test_a_time_that_cannot_be_is_counted_and_its_tick_kept(time: object) -> None:
    out = decode({"time": MS, "price": 1}, {"time": time, "price": 2})
    assert out.bad_times == 1
    (found,) = by_stream(out.batches).values()
    assert found == [(T, {"price": 1.0}, None), (NOW, {"price": 2.0}, None)]


def test_a_time_that_cannot_be_in_the_first_frame_is_no_field() -> None:
    out = decode({"time": 0, "price": 1})
    assert out.bad_times == 1
    assert out.batches[0].stream.fields == ("price",)


def test_ids_survive_past_the_integers_of_floats_and_of_64_bits() -> None:
    ids = [2**53 + 1, 2**63 - 1, 2**63, 100182534526255757567432481, 7]
    out = decode(*[{"id": each, "price": 1} for each in ids])
    (batch,) = out.batches
    assert batch.ids is not None
    assert batch.ids.tolist() == [2**53 + 1, 2**63 - 1, str(2**63), "100182534526255757567432481", 7]
    assert batch.stream.ids is IdRule.OPAQUE
    (batch,) = decode({"id": 2**53 + 1, "v": 1}, {"id": 2**53 + 2, "v": 1}).batches
    assert batch.ids is not None
    assert batch.ids.dtype == np.int64


def test_two_shapes_of_one_symbol_are_two_streams() -> None:
    trade, quote = {"symbol": "A", "price": 1, "qty": 2}, {"symbol": "A", "bid": 1, "ask": 2}
    found = ticks(trade, quote, trade, {**quote, "size": 3})
    assert {key: len(rows) for key, rows in found.items()} == {("A", ""): 2, ("A", "bid+ask"): 2}


def test_fields_that_come_later_are_appended() -> None:
    out = decode({"symbol": "A", "price": 1}, {"symbol": "A", "price": 2, "qty": 3}, {"symbol": "A", "qty": 4})
    (batch,) = out.batches
    assert batch.stream.fields == ("price", "qty")
    np.testing.assert_array_equal(batch.v, [[1, np.nan], [2, 3], [np.nan, 4]])


def test_integers_floats_and_numeric_strings_are_one_stream() -> None:
    (found,) = ticks({"p": 1, "q": "2"}, {"p": 1.5, "q": 2}, {"q": 3, "p": "4"}, {"p": None, "q": 5}).values()
    assert [values for _, values, _ in found] == [{"p": 1, "q": 2}, {"p": 1.5, "q": 2}, {"p": 4, "q": 3}, {"q": 5}]


def test_a_placeholder_becomes_a_field_once_it_holds_a_number() -> None:
    out = decode({"a": 1, "bid": ""}, {"a": 2, "bid": "3.5"}, {"a": 3, "bid": "n/a"})
    (batch,) = out.batches
    np.testing.assert_array_equal(batch.v, [[1, np.nan], [2, 3.5], [3, np.nan]])


def test_rows_of_several_symbols_in_one_frame() -> None:
    rows = [{"symbol": name, "price": price} for name, price in (("A", 1), ("B", 2), ("A", 3))]
    found = ticks({"data": rows})
    assert {key: [values["price"] for _, values, _ in each] for key, each in found.items()} == {
        ("A", ""): [1.0, 3.0],
        ("B", ""): [2.0],
    }


def test_candles_that_are_lists() -> None:
    found = ticks({"arg": {"channel": "candle1m", "instId": "A"}, "data": [[str(MS), "1", "2", "3", "4"]]})
    assert found == {("A", "candle1m"): [(T, {"v1": 1.0, "v2": 2.0, "v3": 3.0, "v4": 4.0}, None)]}


@pytest.mark.parametrize(
    "message",
    [
        {"event": "subscribed", "channel": "trades", "chanId": 19111, "symbol": "tBTCUSD", "len": "100"},
        {"event": "info", "version": 2, "serverId": "x", "platform": {"status": 1}},
        {"event": "conf", "status": "OK", "flags": 65536},
        {"event": "bts:subscription_succeeded", "channel": "live_trades_btcusd", "data": {}},
        {"event": "subscribe", "arg": {"channel": "tickers", "instId": "A"}, "connId": "a4d3ae55"},
        {"success": True, "ret_msg": "", "conn_id": "x", "request": {"op": "subscribe", "args": ["trade.A"]}},
        {"success": True, "ret_msg": "pong", "conn_id": "x", "op": "ping"},
        {"args": ["1672916271846"], "op": "pong"},
        {"result": None, "id": 1},
        {"id": "1", "status": 200, "result": {}},
        {"id": 1, "status": "ok", "subbed": "market.a", "ts": MS},
        {"type": "heartbeat", "timestamp": MS},
        {"type": "ping"},
        {"type": "welcome", "message": "hello"},
        {"ping": MS},
        {"ping": 1_492_420_473_027},
        {"hb": 1},
        {"channel": "heartbeat", "data": [{"n": 3}]},
        [{"T": "success", "msg": "connected"}],
        [{"T": "subscription", "trades": ["AAPL"], "quotes": []}],
        [204928, "hb", 127],
        "pong",
        b"pong",
        b"ping",
    ],
)
def test_control_messages(message: Any) -> None:
    out = decode(message)
    assert (out.control, out.batches, out.notices) == (1, [], [])


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"code": 2, "msg": "Invalid request"}, "Invalid request (code 2)"),
        ({"event": "error", "msg": "unknown pair", "code": 10001}, "unknown pair (code 10001)"),
        (
            {"event": "error", "code": "60012", "msg": "Invalid request", "connId": "x"},
            "Invalid request (code 60012)",
        ),
        ({"event": "bts:error", "channel": "", "data": {"code": None, "message": "Bad string."}}, "Bad string."),
        ({"success": False, "ret_msg": "Invalid topic", "op": "subscribe"}, "Invalid topic"),
        ({"id": "1", "status": 400, "error": {"code": -1002, "msg": "no"}}, "no (code -1002)"),
        ({"type": "error", "message": "rate limit\x1b[31m"}, "rate limit·[31m"),
        ([{"T": "error", "code": 406, "msg": "connection limit exceeded"}], "connection limit exceeded (code 406)"),
        ({"error": "bad token"}, "bad token"),
    ],
)
def test_errors_are_told(message: Any, said: str) -> None:
    out = decode(message)
    assert (out.control, out.notices) == (1, [said])


@pytest.mark.parametrize(
    "message",
    [
        None, True, [], {}, "", "hello world", {"a": "b"}, {"on": True}, {"a": None}, [[]], [["a"]], [None],
        {"data": []},
        {"symbol": "A"}, {"symbol": 5}, {"time": MS}, {"id": 5}, {"id": 5, "symbol": "A", "time": MS},
        {"lastUpdateId": 160, "bids": [["1", "2"]], "asks": [["2", "1"]]},
        {"e": "depthUpdate", "E": MS, "U": 1, "u": 5, "pu": 0, "b": [["1", "2"]], "a": []},
        {"topic": "orderBookL2_25.A", "type": "snapshot", "data": [{"price": "1", "symbol": "A", "id": 1}]},
        {"waveform": [*range(500), "x"]}, [*range(500), None], [17470, [1, 2, 3]], {"price": "n/a"},
    ],
)  # fmt: skip
def test_what_holds_no_number_to_draw_is_other(message: Any) -> None:
    options = DecoderOptions(key="nothing")  # so that no venue takes it
    assert decode(message, options=options).other == 1


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"nonsense", "not JSON: invalid character (byte 4), 8 bytes"),
        (b'{"a":1', "cut short, 6 bytes"),
        (b'{"a":1}{"a":2}', "trailing characters"),
        (b'{"a":\xff\xfe"}', "invalid character (byte 5)"),
        (b'{"a":"\xff"}', "no UTF-8"),
        (b"[" * 10_000, "nested too deep, 10,000 bytes"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested too deep"),
        (b'{"price":NaN}', "no finite number in it, 13 bytes"),
        (b'{"price":Infinity,"qty":-Infinity}', "no finite number"),
        (b'{"price":1e999}', "no finite number"),
        (b'{"price":"1e999"}', "no finite number"),
        (b"NaN", "no finite number"),
        (b'{"price":' + b"9" * 500 + b"}", "no finite number"),
        (b'{"price":' + b"9" * 50_000 + b"}", "no finite number"),
        (gzip.compress(b'{"a":1}')[:-4], "gzip is cut short"),
        (b"\x1f\x8b" + b"x" * 30, "broken gzip"),
        (gzip.compress(gzip.compress(b"1")), "gzip in gzip"),
        (gzip.compress(b" " * (17 << 20)), "inflates to over"),
        (b"1 and 2", "trailing characters"),
    ],
)
def test_malformed_frames_say_why(frame: bytes, reason: str) -> None:
    out = decode(frame)
    assert [(each, reason in why) for each, why in out.malformed] == [(frame, True)], out.malformed[0][1:]


def test_a_value_that_is_not_finite_is_none_of_its_tick() -> None:
    (found,) = ticks(b'{"price":NaN,"qty":2}', b'{"price":1e999,"qty":3}', b'{"price":4,"qty":5}').values()
    assert [values for _, values, _ in found] == [{"qty": 2.0}, {"qty": 3.0}, {"price": 4.0, "qty": 5.0}]


def test_duplicate_keys_are_read_as_the_last() -> None:
    assert ticks(b'{"price":1,"price":2}') == {("", ""): [(NOW, {"price": 2.0}, None)]}


def test_fields_and_names_have_bounds() -> None:
    many = {f"field{n}": n for n in range(200)}
    (batch,) = decode(many).batches
    assert batch.stream.fields == tuple(f"field{n}" for n in range(MAX_FIELDS))
    long = "n" * 500
    (batch,) = decode({"symbol": long, long: 1}).batches
    assert (len(batch.stream.name), len(batch.stream.fields[0])) == (MAX_NAME, MAX_NAME)
    (batch,) = decode({"symbol": "a\x1b[2J", "p\x07": 1}).batches
    assert (batch.stream.name + batch.stream.fields[0]).isprintable()


def test_long_names_that_differ_are_different_streams() -> None:
    found = ticks(*[{"symbol": "n" * 500 + end, "price": 1} for end in "ab"])
    assert len(found) == 2


def test_streams_have_a_bound_and_what_is_beyond_is_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_STREAMS", 10)
    out = decode(*[{"symbol": f"s{n}", "price": 1} for n in range(30)], {"symbol": "s3", "price": 2})
    assert (out.data, out.other, len(out.batches)) == (11, 20, 10)


def test_one_message_cannot_hold_the_program_up_with_shapes() -> None:
    shapes = [{"symbol": "A", f"k{n}": 1} for n in range(MAX_NEW_SHAPES + 50)]
    decoder = Decoder("f", DecoderOptions())
    out = decoder.decode([json.dumps({"data": shapes}).encode(), b'{"symbol":"B","v":1}'], NOW)
    assert out.data == 2
    assert sum(map(len, out.batches)) <= MAX_NEW_SHAPES + 1


def test_what_a_frame_means_does_not_change() -> None:
    decoder = Decoder("f", DecoderOptions())
    first = decoder.decode([b'{"t":1795172027,"v":1}'], NOW)
    later = decoder.decode([b'{"t":12,"v":1}', b'{"t":1795172028,"v":3}'], NOW)
    assert first.batches[0].stream is later.batches[0].stream
    assert later.bad_times == 1


@pytest.mark.parametrize(
    ("options", "message", "key", "values", "t", "tick_id"),
    [
        (DecoderOptions(time_field="b"), {"time": MS, "b": MS + 1, "v": 1}, ("", ""), {"v": 1.0}, T + 10**6, None),
        (DecoderOptions(time_field="meta.at"), {"meta": {"at": MS}, "v": 1}, ("", ""), {"v": 1.0}, T, None),
        (DecoderOptions(fields=("q", "data.p")), {"data": {"p": "1", "q": 2, "r": 3}}, ("", ""), {"q": 2.0, "p": 1.0},
         NOW, None),
        (DecoderOptions(fields=("x.1",)), {"x": [1, 2]}, ("", ""), {"x.1": 2.0}, NOW, None),
        (DecoderOptions(fields=("id",)), {"id": 5, "v": 1}, ("", ""), {"id": 5.0}, NOW, 5),
        (DecoderOptions(key="where"), {"symbol": "A", "where": "B", "v": 1}, ("B", ""), {"v": 1.0}, NOW, None),
        (DecoderOptions(key="n"), {"n": 7, "v": 1}, ("7", ""), {"v": 1.0}, NOW, None),
        (DecoderOptions(id="n"), {"n": 7, "id": 8, "v": 1}, ("", ""), {"v": 1.0}, NOW, 7),
    ],
)  # fmt: skip
def test_options_override(
    options: DecoderOptions, message: Any, key: tuple[str, str], values: Any, t: int, tick_id: int | None
) -> None:
    assert ticks(message, options=options) == {key: [(t, values, tick_id)]}


def test_frames_without_a_field_that_was_asked_for_are_other() -> None:
    out = decode({"a": 1}, {"b": 2}, options=DecoderOptions(fields=("b",)))
    assert (out.data, out.other) == (1, 1)


def test_describe_tells_what_was_found() -> None:
    decoder = Decoder("f", DecoderOptions())
    decoder.decode([b'{"symbol":"A","ts":1795172027060,"trade_id":7,"data":{"p":"1.5"}}'], NOW)
    (report,) = decoder.describe()
    assert (report.name, report.time, report.unit, report.id, report.key) == ("A", "ts", "ms", "trade_id", "symbol")
    assert [(field.name, field.path, field.sample) for field in report.fields] == [("p", "data.p", 1.5)]
    assert (report.id_rule, report.id_sample, report.ticks) == ("opaque", 7, 1)


TRADE = b'{"e":"trade","E":1795172027060,"s":"A","t":1,"p":"1","q":"2","T":1795172027060,"m":true,"M":true}'


def test_hands_over_to_a_venues_decoder() -> None:
    decoder = Decoder("f", DecoderOptions())
    assert (decoder.chosen, decoder.name) == ("auto", "auto")
    out = decoder.decode([b'{"result":null,"id":1}', TRADE, b"nonsense"], NOW)
    assert decoder.chosen == "binance"
    assert (out.control, out.data, len(out.malformed)) == (1, 1, 1)
    assert out.batches[0].stream.fields == ("price", "qty", "side")
    assert decoder.decode([TRADE.replace(b'"t":1', b'"t":2')], NOW).data == 1
    (report,) = decoder.describe()
    assert (report.id_rule, report.id, report.key, report.time, report.unit) == ("consecutive", "t", "s", "T", "ms")


def test_keeps_to_itself_what_has_begun_otherwise_or_was_told_how() -> None:
    decoder = Decoder("f", DecoderOptions())
    decoder.decode([b'{"v":1}'] * 8, NOW)
    decoder.decode([TRADE], NOW)
    assert decoder.chosen == "auto"
    told = Decoder("f", DecoderOptions(key="s"))
    told.decode([TRADE], NOW)
    assert told.chosen == "auto"
