from __future__ import annotations

import json
from typing import Any

import pytest

from tests.decoders.recorded import NOW, by_stream, counted, decode_each, excerpt
from tuistream.core.batch import IdRule
from tuistream.decoders.contract import Decoded, DecoderOptions
from tuistream.decoders.kraken import Decoder
from tuistream.decoders.wire.venue import BEATING

TRADE = {"symbol": "MATIC/USD", "side": "buy", "price": 0.5147, "qty": 6423.46326, "ord_type": "limit",
         "trade_id": 4665846, "timestamp": "2023-09-25T07:48:36.925533Z"}  # fmt: skip
TICKER = {"symbol": "ALGO/USD", "bid": 0.10025, "bid_qty": 740.0, "ask": 0.10035, "ask_qty": 740.0, "last": 0.10035,
          "volume": 997038.98, "vwap": 0.10148, "low": 0.09979, "high": 0.10285, "change": -0.00017}  # fmt: skip


def decoder() -> Decoder:
    return Decoder("f", DecoderOptions())


def decode(*messages: Any, using: Decoder | None = None) -> Decoded:
    out = (using or decoder()).decode([json.dumps(each).encode() for each in messages], NOW)
    assert counted(out) == len(messages)
    return out


def test_real_frames_of_version_1() -> None:
    trades = decode_each(decoder(), excerpt("kraken_48"))
    found = by_stream(trades.batches)
    assert found["f", "XMR/USD", "trade"][0] == (
        1_618_678_142_557_535_000, {"price": 354.11, "qty": 0.89594024, "side": -1.0}, None,
    )  # fmt: skip
    tickers = decode_each(decoder(), excerpt("kraken_49"))
    t, ticker, _ = by_stream(tickers.batches)["f", "WAVES/EUR", "ticker"][0]
    assert t == tickers.batches[0].recv[0]
    assert (ticker["price"], ticker["bid"], ticker["ask_qty"], ticker["trades"]) == (
        13.2539,
        13.2329,
        35.72892241,
        1353,
    )
    books = decode_each(decoder(), excerpt("kraken_50"))
    assert (books.batches, books.malformed) == ([], [])
    assert books.other > 0


def test_trades_of_version_2() -> None:
    snapshot = [{**TRADE, "trade_id": n} for n in (3, 2, 1)]
    out = decode(
        {"channel": "trade", "type": "snapshot", "data": snapshot},
        {"channel": "trade", "type": "update", "data": [{**TRADE, "trade_id": 4, "side": "sell"}]},
    )
    (batch,) = out.batches
    assert batch.ids is not None
    assert batch.ids.tolist() == [1, 2, 3, 4]
    assert batch.v[:, 2].tolist() == [1.0, 1.0, 1.0, -1.0]
    assert batch.v[0].tolist() == [0.5147, 6423.46326, 1.0]
    assert batch.stream.ids is IdRule.CONSECUTIVE
    assert batch.t[0] == 1_695_628_116_925_533_000


@pytest.mark.parametrize("timed", [True, False])
def test_tickers_of_version_2(timed: bool) -> None:
    ticker = {**TICKER, "timestamp": "2023-09-25T09:04:31.742599Z"} if timed else TICKER
    out = decode({"channel": "ticker", "type": "snapshot", "data": [ticker]})
    (batch,) = out.batches
    assert batch.stream.timed is timed
    assert batch.t.tolist() == [1_695_632_671_742_599_000 if timed else NOW]
    assert batch.stream.fields[:5] == ("price", "bid", "bid_qty", "ask", "ask_qty")


def test_control() -> None:
    status = {"api_version": "v2", "connection_id": 2**63 + 5, "system": "online", "version": "2.0"}
    out = decode(
        {"channel": "status", "type": "update", "data": [status]},
        {"connectionID": 17843232920108168701, "event": "systemStatus", "status": "online", "version": "1.8.3"},
        {"method": "subscribe", "result": {"channel": "trade", "symbol": "A/B"}, "success": True, "time_in": ""},
        {"method": "pong", "req_id": 101},
        {"channel": "heartbeat"},
    )
    assert (out.control, out.notices) == (5, [])


def test_complaints() -> None:
    out = decode(
        {"error": "Currency pair not supported", "method": "subscribe", "success": False, "symbol": "X/Y"},
        {"errorMessage": "Subscription depth not supported", "event": "subscriptionStatus", "status": "error"},
        {"channel": "status", "type": "update", "data": [{"system": "maintenance"}]},
        {"method": "subscribe", "success": True, "result": {"warnings": ["timestamp is deprecated"]}},
    )
    assert out.control == 4
    assert out.notices == [
        "kraken: Currency pair not supported X/Y",
        "kraken: Subscription depth not supported",
        "kraken: the system is maintenance",
        "kraken: timestamp is deprecated",
    ]


def test_silence_is_stale_once_heartbeats_have_come() -> None:
    using = decoder()
    assert using.stale_after == using.quiet
    decode({"channel": "heartbeat"}, using=using)
    assert using.stale_after == BEATING
    using.opened()
    assert using.stale_after == using.quiet


def test_the_spread_of_version_1() -> None:
    spread = [0, ["5698.40000", "5700.00000", "1542057299.545897", "1.01234567", "0.98765432"], "spread", "XBT/USD"]
    assert by_stream(decode(spread).batches)["f", "XBT/USD", "spread"] == [
        (
            1_542_057_299_545_897_000,
            {"bid": 5698.4, "ask": 5700.0, "bid_qty": 1.01234567, "ask_qty": 0.98765432},
            None,
        )
    ]


@pytest.mark.parametrize(
    "message",
    [
        {"channel": "trade", "data": [{**TRADE, "trade_id": "x"}]},
        {"channel": "trade", "data": [{**TRADE, "price": None}]},
        {"channel": "trade", "data": [TRADE, {}]},
        {"channel": "trade", "data": 5},
        {"channel": "trade"},
        {"channel": "ticker", "data": [{**TICKER, "symbol": 7}]},
        [1, [["354.11"]], "trade", "XMR/USD"],
        [1, {"a": []}, "ticker", "XMR/USD"],
        [1, [["nan", "1", "1618678142.5", "s", "l", ""]], "trade", "XMR/USD"],
    ],
)
def test_broken_messages_are_malformed_as_a_whole(message: Any) -> None:
    out = decode(message)
    assert (out.batches, len(out.malformed)) == ([], 1)
