from __future__ import annotations

import json
from typing import Any

import pytest

from tests.decoders.recorded import NOW, by_stream, decode_each, excerpt
from tests.decoders.venues import decode
from tuistream import decoders
from tuistream.core.batch import IdRule
from tuistream.core.errors import SettingsError
from tuistream.decoders.bybit import Decoder
from tuistream.decoders.contract import DecoderOptions

# As captured on 2026-08-09.
TRADE = {"T": 1786310819680, "s": "BTCUSDT", "S": "Sell", "v": "0.004", "p": "65114.20", "L": "MinusTick",
         "i": "a9188a0a-82bc-50de-be60-03eedbe3cdd7", "BT": False, "RPI": False, "seq": 753843954913}  # fmt: skip


def decoder() -> Decoder:
    return Decoder("f", DecoderOptions())


def trades(*data: Any) -> dict[str, Any]:
    return {"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": 1786310819681, "data": list(data)}


def ticker(kind: str, ts: int, **changed: Any) -> dict[str, Any]:
    data = {"symbol": "BTCUSDT", **changed}
    return {"topic": "tickers.BTCUSDT", "type": kind, "ts": ts, "cs": 1, "data": data}


def test_a_trade() -> None:
    out = decode(decoder(), trades(TRADE))
    (batch,) = out.batches
    assert batch.stream.ids is IdRule.UNIQUE
    assert by_stream(out.batches) == {
        ("f", "BTCUSDT", "trade"): [
            (1786310819680 * 10**6, {"price": 65114.2, "qty": 0.004, "side": -1.0}, TRADE["i"]),
        ]
    }


def test_several_trades_of_a_message_that_is_always_called_a_snapshot() -> None:
    out = decode(decoder(), trades(TRADE, {**TRADE, "i": "b", "S": "Buy"}), trades({**TRADE, "i": "c"}))
    (batch,) = out.batches
    assert batch.v[:, 2].tolist() == [-1.0, 1.0, -1.0]


def test_tickers_that_tell_only_what_changed_are_completed() -> None:
    using = decoder()
    out = decode(
        using,
        ticker("snapshot", 1786310819681, lastPrice="65114.20", bid1Price="65114.10", markPrice="65115"),
        ticker("delta", 1786310819781, bid1Price="65114.00"),
        ticker("delta", 1786310819881, fundingRate="0.0001"),
    )
    assert [(t, row) for t, row, _ in by_stream(out.batches)["f", "BTCUSDT", "ticker"]] == [
        (1786310819681 * 10**6, {"price": 65114.2, "bid": 65114.1, "mark": 65115.0}),
        (1786310819781 * 10**6, {"price": 65114.2, "bid": 65114.0, "mark": 65115.0}),
        (1786310819881 * 10**6, {"price": 65114.2, "bid": 65114.0, "mark": 65115.0, "funding": 0.0001}),
    ]


def test_what_a_ticker_was_before_an_outage_is_not_known_after_it() -> None:
    using = decoder()
    decode(using, ticker("snapshot", 1786310819681, lastPrice="65114.20", bid1Price="65114.10"))
    using.opened()
    out = decode(using, ticker("delta", 1786310819781, bid1Price="65114.00"))
    assert by_stream(out.batches)["f", "BTCUSDT", "ticker"][0][1] == {"bid": 65114.0}


def test_a_delta_without_a_number_that_is_known_is_no_tick() -> None:
    out = decode(decoder(), ticker("delta", 1786310819781, nextFundingTime="1786320000000"))
    assert (out.other, out.batches) == (1, [])


def test_only_final_bars() -> None:
    bar = {"start": 1786310760000, "end": 1786310819999, "interval": "1", "open": "1", "close": "2", "high": "3",
           "low": "0.5", "volume": "4", "turnover": "5", "confirm": False, "timestamp": 1786310819000}  # fmt: skip
    out = decode(
        decoder(),
        {"topic": "kline.1.BTCUSDT", "type": "snapshot", "ts": 1786310819001, "data": [bar]},
        {"topic": "kline.1.BTCUSDT", "type": "snapshot", "ts": 1786310820001, "data": [{**bar, "confirm": True}]},
    )
    ((t, values, _),) = by_stream(out.batches)["f", "BTCUSDT", "kline_1"]
    assert (t, values["close"], out.other) == (1786310819999 * 10**6, 2.0, 1)


def test_ticks_before_the_answer_and_answers_of_every_form() -> None:
    out = decode(
        decoder(),
        ticker("snapshot", 1786310819681, lastPrice="1"),
        {"success": True, "ret_msg": "subscribe", "conn_id": "x", "req_id": "10001", "op": "subscribe"},
        {"success": True, "conn_id": "x", "data": {"failTopics": [], "successTopics": ["a"]}, "type": "COMMAND_RESP"},
        {"success": True, "ret_msg": "pong", "conn_id": "x", "op": "ping"},
        {"args": ["1672916271846"], "op": "pong"},
        {"success": False, "ret_msg": "Invalid topic: x", "conn_id": "x", "op": "subscribe"},
        {"success": True, "conn_id": "x", "data": {"failTopics": ["b"], "successTopics": []}, "type": "COMMAND_RESP"},
    )
    assert (out.data, out.control) == (1, 6)
    assert out.notices == ["bybit: Invalid topic: x", "bybit: no such topics: ['b']"]


def test_it_pings() -> None:
    seconds, message = decoder().heartbeat()
    assert seconds <= 20
    assert json.loads(message) == {"op": "ping"}


@pytest.mark.parametrize("changes", [{"p": "NaN"}, {"p": None}, {"s": ""}, {"s": 5}])
def test_a_broken_trade_is_malformed_with_its_message(changes: dict[str, Any]) -> None:
    out = decode(decoder(), trades(TRADE, {**TRADE, **changes}))
    assert (out.batches, len(out.malformed)) == ([], 1)


def test_frames_of_version_2_are_not_its_own() -> None:
    using = decoders.create("auto", "f", DecoderOptions())
    decode_each(using, excerpt("bybit"))
    assert using.chosen == "auto"
    using = decoders.create("auto", "f", DecoderOptions())
    using.decode([json.dumps(trades(TRADE)).encode()], NOW)
    assert using.chosen == "bybit"


def test_short_names() -> None:
    endpoint = decoders.endpoint("bybit", "BTCUSDT,tickers.ETHUSDT")
    assert endpoint.url == "wss://stream.bybit.com/v5/public/spot"
    assert json.loads(endpoint.send[0]) == {"op": "subscribe", "args": ["publicTrade.BTCUSDT", "tickers.ETHUSDT"]}
    assert decoders.endpoint("bybit", "linear/BTCUSDT").url.endswith("/public/linear")
    many = decoders.endpoint("bybit", ",".join(f"A{n}USDT" for n in range(25)))
    assert [len(json.loads(message)["args"]) for message in many.send] == [10, 10, 5]


@pytest.mark.parametrize("what", ["", "linear/", "margin/BTCUSDT", "btc usdt", 'A"'])
def test_what_leads_nowhere_is_refused(what: str) -> None:
    with pytest.raises(SettingsError):
        decoders.endpoint("bybit", what)
