from __future__ import annotations

import json
from typing import Any

import pytest

from tests.decoders.recorded import NOW, by_stream, decode_each, excerpt, kinds
from tests.decoders.venues import decode
from tuistream import decoders
from tuistream.core.batch import IdRule
from tuistream.core.errors import SettingsError
from tuistream.decoders.bitstamp import Decoder
from tuistream.decoders.contract import DecoderOptions

DATA = {"id": 216000477, "timestamp": "1641343699", "amount": 0.0792, "amount_str": "0.07920000", "price": 3805.44,
        "price_str": "3805.44", "type": 0, "microtimestamp": "1641343699596000"}  # fmt: skip


def decoder() -> Decoder:
    return Decoder("f", DecoderOptions())


def trade(**changes: Any) -> dict[str, Any]:
    return {"data": {**DATA, **changes}, "channel": "live_trades_ethusd", "event": "trade"}


def test_real_frames() -> None:
    out = decode_each(decoder(), excerpt("bitstamp"))
    assert (out.malformed, out.control, out.bad_times, out.notices) == ([], 2, 0, [])
    assert set(kinds(out.batches)) == {("ethusd", "trade")}
    first, second, third = by_stream(out.batches)["f", "ethusd", "trade"]
    assert first == (1_641_343_699_596_000_000, {"price": 3805.44, "qty": 0.0792, "side": 1.0}, 216_000_477)
    assert (second[1]["side"], third[1]["qty"]) == (-1.0, 3.2394864)
    assert out.batches[0].stream.ids is IdRule.UNIQUE


def test_the_strings_are_read_and_not_the_floats() -> None:
    out = decode(decoder(), trade(price=1.0, price_str="0.1234567890123456789", amount_str="2"))
    assert out.batches[0].v[0].tolist() == [0.12345678901234568, 2.0, 1.0]


def test_microseconds_are_kept() -> None:
    out = decode(decoder(), trade(microtimestamp="1641343699596123"))
    assert out.batches[0].t.tolist() == [1_641_343_699_596_123_000]


def test_control() -> None:
    out = decode(
        decoder(),
        {"event": "bts:subscription_succeeded", "channel": "live_trades_btcusd", "data": {}},
        {"event": "bts:heartbeat", "channel": "", "data": {"status": "success"}},
        {"event": "bts:error", "channel": "", "data": {"code": None, "message": "Bad subscription string."}},
    )
    assert (out.control, out.notices, out.reconnect) == (3, ["bitstamp: Bad subscription string."], False)
    assert json.loads(decoder().heartbeat()[1]) == {"event": "bts:heartbeat"}


def test_it_may_ask_for_a_reconnect() -> None:
    out = decode(decoder(), {"event": "bts:request_reconnect", "channel": "", "data": ""})
    assert (out.control, out.reconnect) == (1, True)


@pytest.mark.parametrize("changes", [{"price_str": "x"}, {"price_str": None}, {"price_str": "NaN"}])
def test_a_trade_without_a_price_is_malformed(changes: dict[str, Any]) -> None:
    assert len(decode(decoder(), trade(**changes)).malformed) == 1


def test_it_is_known_by_its_frames() -> None:
    using = decoders.create("auto", "f", DecoderOptions())
    using.decode([json.dumps(trade()).encode()], NOW)
    assert using.chosen == "bitstamp"


def test_short_names() -> None:
    endpoint = decoders.endpoint("bitstamp", "BTCUSD,live_trades_ethusd")
    assert endpoint.url == "wss://ws.bitstamp.net"
    assert [json.loads(message)["data"]["channel"] for message in endpoint.send] == [
        "live_trades_btcusd",
        "live_trades_ethusd",
    ]


@pytest.mark.parametrize("what", ["", "btc/usd", 'a"'])
def test_what_leads_nowhere_is_refused(what: str) -> None:
    with pytest.raises(SettingsError):
        decoders.endpoint("bitstamp", what)
