from __future__ import annotations

import json
from typing import Any

import pytest

from tests.decoders.recorded import NOW, by_stream, decode_each, excerpt, kinds
from tests.decoders.venues import decode
from tuistream import decoders
from tuistream.core.batch import IdRule
from tuistream.core.errors import SettingsError
from tuistream.decoders.contract import DecoderOptions
from tuistream.decoders.okx import Decoder

TRADE = {"instId": "BTC-USD-220527", "tradeId": "7849", "px": "30218.8", "sz": "1", "side": "buy",
         "ts": "1652459199958"}  # fmt: skip


def decoder() -> Decoder:
    return Decoder("f", DecoderOptions())


def message(channel: str, *data: Any) -> dict[str, Any]:
    return {"arg": {"channel": channel, "instId": "BTC-USD-220527"}, "data": list(data)}


def test_real_frames() -> None:
    out = decode_each(decoder(), excerpt("okx"))
    assert (out.malformed, out.control, out.bad_times, out.notices) == ([], 6, 0, [])
    found = by_stream(out.batches)
    assert found["f", "BTC-USD-220527", "trade"][0] == (
        1_652_459_199_958_000_000, {"price": 30218.8, "qty": 1.0, "side": 1.0}, 7849,
    )  # fmt: skip
    t, values, _ = found["f", "BTC-USD-220527", "ticker"][0]
    assert (t, values["price"], values["bid"], values["ask_qty"]) == (1_652_459_223_003_000_000, 30218.8, 30210.4, 3)
    assert {kind for _, kind in kinds(out.batches)} == {"trade", "ticker"}
    assert out.other > 0


def test_trades_of_one_taker_are_one_with_the_last_id() -> None:
    out = decode(decoder(), message("trades", {**TRADE, "count": "3", "source": "0", "seqId": 9}))
    (batch,) = out.batches
    assert batch.stream.ids is IdRule.UNIQUE
    assert by_stream([batch])["f", "BTC-USD-220527", "trade"][0][1]["trades"] == 3.0


def test_the_trade_that_is_pushed_on_subscribing_keeps_its_own_time() -> None:
    out = decode(decoder(), message("trades", TRADE))
    assert out.batches[0].t.tolist() == [1_652_459_199_958_000_000]


def test_quotes() -> None:
    book = {"asks": [["30218.9", "1", "0", "2"]], "bids": [], "ts": "1652459199958", "seqId": 123456}
    out = decode(decoder(), message("bbo-tbt", book))
    assert by_stream(out.batches)["f", "BTC-USD-220527", "bbo"] == [
        (1_652_459_199_958_000_000, {"ask": 30218.9, "ask_qty": 1.0}, 123456)
    ]


@pytest.mark.parametrize(
    ("channel", "seconds"), [("candle1m", 60), ("candle4H", 14_400), ("candle1Dutc", 86_400), ("candle1M", 0)]
)
def test_only_final_bars_at_their_ends(channel: str, seconds: int) -> None:
    bar = ["1652459160000", "1", "3", "0.5", "2", "10", "20", "30", "0"]
    out = decode(decoder(), message(channel, bar), message(channel, [*bar[:8], "1"]))
    ((t, values, _),) = by_stream(out.batches)["f", "BTC-USD-220527", channel]
    assert t == 1_652_459_160_000_000_000 + seconds * 10**9
    assert (values["high"], values["close"], values["volume_ccy"]) == (3.0, 2.0, 20.0)


def test_a_text_that_is_no_json_is_an_answer_and_asked_for_in_time() -> None:
    seconds, said = decoder().heartbeat()
    assert (said, seconds < 30) == ("ping", True)
    out = decode(decoder(), b"pong", b"pongo")
    assert (out.control, len(out.malformed)) == (1, 1)


def test_a_notice_asks_for_a_reconnect_and_an_error_does_not() -> None:
    error = decode(decoder(), {"event": "error", "code": "60012", "msg": "Invalid request", "connId": "x"})
    assert (error.control, error.notices, error.reconnect) == (1, ["okx: Invalid request (code 60012)"], False)
    closing = decode(decoder(), {"event": "notice", "code": "64008", "msg": "The connection will soon be closed"})
    assert (closing.control, closing.reconnect) == (1, True)
    count = decode(decoder(), {"event": "channel-conn-count", "channel": "trades", "connCount": "1"})
    assert (count.control, count.notices) == (1, [])


@pytest.mark.parametrize(
    "broken",
    [
        message("trades", TRADE, {**TRADE, "px": ""}),
        message("trades", {}),
        message("trades", [1]),
        message("candle1m", ["x", "1", "3", "0.5", "2", "10", "20", "30", "1"]),
        message("candle1m", []),
        message("bbo-tbt", {"asks": 5, "bids": []}),
        {"arg": 5, "data": []},
    ],
)
def test_broken_messages_are_malformed_as_a_whole(broken: Any) -> None:
    out = decode(decoder(), broken)
    assert (out.batches, len(out.malformed)) == ([], 1)


def test_it_is_known_by_its_first_frame() -> None:
    for _, frame in excerpt("okx"):
        using = decoders.create("auto", "f", DecoderOptions())
        using.decode([frame], NOW)
        assert using.chosen == "okx"


def test_short_names() -> None:
    endpoint = decoders.endpoint("okx", "BTC-USDT,tickers:ETH-USDT")
    assert endpoint.url == "wss://ws.okx.com:8443/ws/v5/public"
    assert json.loads(endpoint.send[0])["args"] == [
        {"channel": "trades", "instId": "BTC-USDT"},
        {"channel": "tickers", "instId": "ETH-USDT"},
    ]
    assert decoders.endpoint("okx", "candle1m:BTC-USDT,trades-all:BTC-USDT").url.endswith("/business")


@pytest.mark.parametrize("what", ["", "btc-usdt", "BTC-USDT,candle1m:BTC-USDT", "trades:", 'A"'])
def test_what_leads_nowhere_is_refused(what: str) -> None:
    with pytest.raises(SettingsError):
        decoders.endpoint("okx", what)
