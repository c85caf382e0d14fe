from __future__ import annotations

import json
from typing import Any

import pytest

from tests.decoders.recorded import DATA, NOW, by_stream, decode_each, excerpt, frames_of, kinds
from tests.decoders.venues import decode
from tuistream import decoders
from tuistream.core.batch import IdRule
from tuistream.core.errors import SettingsError
from tuistream.decoders.bitfinex import Decoder
from tuistream.decoders.contract import DecoderOptions

SUBSCRIBED = {"event": "subscribed", "channel": "trades", "chanId": 17470, "symbol": "tBTCUSD", "pair": "BTCUSD"}
TE = [17470, "te", [401597395, 1574694478808, 0.005, 7245.3]]


def decoder() -> Decoder:
    return Decoder("f", DecoderOptions())


def test_real_frames() -> None:
    using = decoder()
    out = decode_each(using, excerpt("bitfinex"))
    assert (out.malformed, out.notices, out.data) == ([], [], 2)
    found = by_stream(out.batches)
    values = found["f", "BFTUSD", "ticker"][0][1]
    assert (values["price"], values["bid"], values["ask_qty"], values["low"]) == (
        0.076989, 0.068965, 48578.50804052, 0.068961,
    )  # fmt: skip
    assert not out.batches[0].stream.timed


@pytest.mark.skipif(DATA is None, reason="TUISTREAM_DATA names no folder")
def test_numbers_of_a_whole_recording_have_no_hole() -> None:
    assert DATA is not None
    out = decode_each(decoder(), frames_of(DATA / "captures" / "BITFINEX.ws.11.0.gz"))
    assert (out.malformed, out.notices, out.bad_times) == ([], [], 0)
    assert {kind for _, kind in kinds(out.batches)} == {"ticker", "trade"}
    assert out.control > 20


def test_a_trade_that_comes_twice_is_one_tick() -> None:
    out = decode(decoder(), SUBSCRIBED, TE, [17470, "tu", TE[2]])
    (batch,) = out.batches
    assert (len(batch), out.other, batch.stream.ids) == (1, 1, IdRule.UNIQUE)
    assert by_stream([batch])["f", "BTCUSD", "trade"] == [
        (1_574_694_478_808_000_000, {"price": 7245.3, "qty": 0.005, "side": 1.0}, 401597395)
    ]


def test_the_sign_of_the_amount_is_the_side() -> None:
    out = decode(decoder(), SUBSCRIBED, [17470, "te", [1, 1574694478808, -2, 7245.3]])
    assert out.batches[0].v.tolist() == [[7245.3, 2.0, -1.0]]


def test_a_snapshot_is_turned_round() -> None:
    rows = [[401597393 - n, 1574694475039 - n, 0.005, 7244.9] for n in range(3)]
    out = decode(decoder(), SUBSCRIBED, [17470, rows], TE)
    (batch,) = out.batches
    assert batch.ids is not None
    assert batch.ids.tolist() == [401597391, 401597392, 401597393, 401597395]


def test_numbers_of_channels_are_those_of_the_connection() -> None:
    using = decoder()
    decode(using, SUBSCRIBED)
    using.opened()
    out = decode(using, TE)
    assert (out.batches, out.other) == ([], 1)


def test_a_missing_message_is_told_by_its_number() -> None:
    conf = {"event": "conf", "status": "OK", "flags": 65536}
    out = decode(decoder(), conf, SUBSCRIBED, [*TE, 7], [17470, "hb", 8], [17470, "hb", 12])
    assert (out.control, out.notices) == (4, ["bitfinex: 3 messages are missing before number 12"])
    assert decode(decoder(), SUBSCRIBED, [*TE, 7], [17470, "hb", 12]).notices == []


def test_what_it_says() -> None:
    quiet = decode(decoder(), {"event": "info", "version": 2, "serverId": "x", "platform": {"status": 1}})
    assert (quiet.control, quiet.notices, quiet.reconnect) == (1, [], False)
    closed = decode(decoder(), {"event": "info", "version": 2, "serverId": "x", "platform": {"status": 0}})
    assert closed.notices == ["bitfinex: the platform is in maintenance"]
    again = decode(decoder(), {"event": "info", "code": 20051, "msg": "Stop"})
    assert (again.reconnect, again.notices) == (True, ["bitfinex: Stop (code 20051)"])
    pause = decode(decoder(), {"event": "info", "code": 20060, "msg": "Entering maintenance"})
    assert (pause.reconnect, len(pause.notices)) == (False, 1)
    error = decode(decoder(), {"event": "error", "msg": "symbol: invalid", "code": 10300})
    assert (error.control, error.notices) == (1, ["bitfinex: symbol: invalid (code 10300)"])


@pytest.mark.parametrize(
    "broken",
    [
        [17470, "te", [1, 1574694478808, 1.0, None]],
        [17470, "te", [1, 1574694478808, "x", 5]],
        [17470, "te", [1]],
        [17470, "te"],
        [17470, [[1, 2, 3, 4], 5]],
        {"event": "subscribed", "channel": "trades", "chanId": "x"},
    ],
)
def test_broken_messages_are_malformed_as_a_whole(broken: Any) -> None:
    out = decode(decoder(), SUBSCRIBED, broken)
    assert (out.batches, len(out.malformed)) == ([], 1)


def test_it_is_known_by_its_greeting() -> None:
    using = decoders.create("auto", "f", DecoderOptions())
    frames = [frame for _, frame in excerpt("bitfinex")]
    using.decode(frames[:1], NOW)
    assert using.chosen == "bitfinex"


def test_short_names() -> None:
    endpoint = decoders.endpoint("bitfinex", "BTCUSD,ticker:tETHUSD,TESTBTC:TESTUSD")
    assert [json.loads(message) for message in endpoint.send] == [
        {"event": "conf", "flags": 65536},
        {"event": "subscribe", "channel": "trades", "symbol": "tBTCUSD"},
        {"event": "subscribe", "channel": "ticker", "symbol": "tETHUSD"},
        {"event": "subscribe", "channel": "trades", "symbol": "tTESTBTC:TESTUSD"},
    ]


@pytest.mark.parametrize("what", ["", "btcusd", ",".join(f"A{n}USD" for n in range(26)), 'A"'])
def test_what_leads_nowhere_is_refused(what: str) -> None:
    with pytest.raises(SettingsError):
        decoders.endpoint("bitfinex", what)
