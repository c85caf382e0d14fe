from __future__ import annotations

import json
from typing import Any

import pytest

from tests.decoders.recorded import NOW, by_stream, counted, decode_each, excerpt, kinds
from tuistream.core.batch import IdRule
from tuistream.decoders.binance import Decoder
from tuistream.decoders.contract import Decoded, DecoderOptions

T = 1_723_161_255_342
TRADE = {"e": "trade", "E": T + 1, "s": "BTCUSDT", "t": 3735683259, "p": "61837.63", "q": "0.02", "T": T, "m": True}
BOOK = {"u": 50093239212, "s": "BTCUSDT", "b": "61837.63", "B": "3.788", "a": "61837.64", "A": "1.547"}
DAY = {"E": T, "s": "BNBBTC", "c": "0.0025", "o": "0.0010", "h": "0.0025", "l": "0.0010", "v": "10000", "q": "18"}
BAR = {"t": T, "T": T + 59_999, "s": "BNBBTC", "i": "1m", "f": 100, "L": 200, "o": "1", "c": "2", "h": "3",
       "l": "0.5", "v": "1000", "n": 100, "x": True, "q": "1"}  # fmt: skip


def decoder() -> Decoder:
    return Decoder("f", DecoderOptions())


def decode(*messages: Any, using: Decoder | None = None) -> Decoded:
    frames = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in messages]
    out = (using or decoder()).decode(frames, NOW)
    assert counted(out) == len(frames)
    return out


def ticks(*messages: Any) -> dict[tuple[str, str], list[Any]]:
    return {key[1:]: found for key, found in by_stream(decode(*messages).batches).items()}


def test_real_spot_frames() -> None:
    frames = excerpt("binance_spot")
    out = decode_each(decoder(), frames)
    assert (out.malformed, out.control, out.bad_times) == ([], 0, 0)
    found = by_stream(out.batches)
    assert set(kinds(out.batches)) == {("BTCUSDT", "trade"), ("BTCUSDT", "bookTicker")}
    trade = found["f", "BTCUSDT", "trade"][0]
    assert trade == (T * 10**6, {"price": 61837.63, "qty": 0.02, "side": -1.0}, 3735683259)
    quote = found["f", "BTCUSDT", "bookTicker"][0]
    assert quote[1] == {"bid": 61837.63, "bid_qty": 3.78826, "ask": 61837.64, "ask_qty": 1.54698}
    assert {batch.stream.timed for batch in out.batches if batch.stream.kind == "bookTicker"} == {False}


def test_real_futures_frames() -> None:
    out = decode_each(decoder(), excerpt("binance_futures"))
    assert out.malformed == []
    assert set(kinds(out.batches)) == {
        ("SUSHIUSDT", "bookTicker"),
        ("CTKUSDT", "aggTrade"),
        ("SUSHIUSDT", "kline_1m"),
    }
    found = by_stream(out.batches)
    assert found["f", "SUSHIUSDT", "bookTicker"][0][::2] == (1_626_992_741_012_000_000, 600859600576)
    t, bar, tick_id = found["f", "SUSHIUSDT", "kline_1m"][0]
    assert (t, bar["open"], bar["close"], bar["trades"], tick_id) == (
        1_626_992_759_999_000_000,
        7.608,
        7.617,
        113,
        None,
    )
    assert found["f", "CTKUSDT", "aggTrade"][0] == (
        1_626_992_741_421_000_000, {"price": 1.011, "qty": 10, "side": 1}, 16599292,
    )  # fmt: skip


@pytest.mark.parametrize("combined", [True, False])
def test_side_is_the_takers(combined: bool) -> None:
    messages: list[Any] = [TRADE, {**TRADE, "t": 3735683260, "m": False}]
    if combined:
        messages = [{"stream": "btcusdt@trade", "data": each} for each in messages]
    ((sold, bought),) = ticks(*messages).values()
    assert (sold[1]["side"], bought[1]["side"]) == (-1.0, 1.0)


def test_trades_go_the_short_way_and_the_long_with_one_result() -> None:
    compact = [json.dumps({**TRADE, "t": n}, separators=(",", ":")).encode() for n in range(5)]
    wide = [json.dumps({**TRADE, "t": n}, indent=1).encode() for n in range(5)]
    assert ticks(*compact) == ticks(*wide)


def test_ids_promise_what_the_venue_promises() -> None:
    out = decode(TRADE, BOOK, {**TRADE, "e": "aggTrade", "a": 5, "f": 1, "l": 2}, {**DAY, "e": "24hrMiniTicker"})
    rules = {batch.stream.kind: batch.stream.ids for batch in out.batches}
    assert rules == {
        "trade": IdRule.CONSECUTIVE,
        "bookTicker": IdRule.UNIQUE,
        "aggTrade": IdRule.CONSECUTIVE,
        "miniTicker": IdRule.OPAQUE,
    }


def test_microseconds() -> None:
    assert next(iter(ticks({**TRADE, "T": T * 1000 + 7}).values()))[0][0] == T * 10**6 + 7_000


def test_tickers_and_bars() -> None:
    ticker = {**DAY, "e": "24hrTicker", "p": "0.0015", "P": "250", "w": "0.0018", "Q": "10", "b": "0.0024", "B": "10",
              "a": "0.0026", "A": "100", "O": 0, "C": T, "F": 0, "L": 18150, "n": 18151}  # fmt: skip
    found = ticks(
        {"stream": "!miniTicker@arr", "data": [{**DAY, "e": "24hrMiniTicker"}]},
        ticker,
        {"e": "avgPrice", "E": T, "s": "BTCUSDT", "i": "5m", "w": "25776.86", "T": T - 1},
        {"e": "kline", "E": T, "s": "BNBBTC", "k": BAR},
        {"e": "kline", "E": T, "s": "BNBBTC", "k": {**BAR, "x": False}},
    )
    assert found["BNBBTC", "miniTicker"][0][1]["price"] == 0.0025
    assert found["BNBBTC", "ticker"][0][1]["ask_qty"] == 100
    assert found["BTCUSDT", "avgPrice"] == [((T - 1) * 10**6, {"price": 25776.86}, None)]
    ((t, bar, _),) = found["BNBBTC", "kline_1m"]
    assert (t, bar["high"], bar["close"]) == ((T + 59_999) * 10**6, 3.0, 2.0)


def test_depth_is_other_and_answers_are_control() -> None:
    out = decode(
        {"e": "depthUpdate", "E": T, "s": "A", "U": 1, "u": 2, "b": [["1", "2"]], "a": []},
        {"stream": "a@depth5", "data": {"lastUpdateId": 160, "bids": [["1", "2"]], "asks": []}},
        {"lastUpdateId": 160, "bids": [], "asks": []},
        {"e": "executionReport", "E": T},
        {"result": None, "id": 1},
        {"result": ["btcusdt@aggTrade"], "id": 3},
    )
    assert (out.other, out.control, out.batches) == (4, 2, [])


@pytest.mark.parametrize(
    "error",
    [
        {"code": 2, "msg": "Invalid request: unknown variant"},
        {"code": 0, "msg": "Unknown property", "id": 5},
        {"error": {"code": 3, "msg": "Invalid JSON"}, "id": 1},
    ],
)
def test_errors_are_told(error: dict[str, Any]) -> None:
    out = decode(error)
    assert out.control == 1
    assert len(out.notices) == 1


@pytest.mark.parametrize("combined", [True, False])
def test_a_shutdown_asks_for_a_reconnect(combined: bool) -> None:
    event: dict[str, Any] = {"e": "serverShutdown", "E": T}
    out = decode({"stream": "!serverShutdown", "data": event} if combined else event)
    assert out.reconnect
    assert out.control == 1


def test_what_is_no_trade_of_the_market_keeps_its_number() -> None:
    trades = [{**TRADE, "t": n, "X": "MARKET"} for n in (1, 3)]
    trades.insert(1, {**TRADE, "t": 2, "X": "NA", "p": "0", "q": "0"})
    ((first, second, third),) = ticks(*trades).values()
    assert [first[2], second[2], third[2]] == [1, 2, 3]
    assert "price" not in second[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"p": "NaN"}, {"p": "x"}, {"p": None}, {"s": 5}, {"s": ""}, {"m": [1]}, {"p": "1e999"}, {"p": {}},
        {"s": None},
    ],
)  # fmt: skip
def test_a_broken_trade_is_malformed_whatever_came_before(changes: dict[str, Any]) -> None:
    good = {"stream": "a@trade", "data": TRADE}
    broken: dict[str, Any] = {"stream": "a@trade", "data": {**TRADE, **changes}}
    out = decode(good, broken, good)
    if changes == {"m": [1]}:
        assert out.data == 3
    else:
        assert (out.data, len(out.malformed)) == (2, 1)


def test_an_event_without_its_keys_is_malformed_as_a_whole() -> None:
    out = decode([TRADE, {"e": "trade", "s": "A"}])
    assert (out.batches, len(out.malformed)) == ([], 1)


def test_a_time_that_cannot_be_is_counted() -> None:
    out = decode(TRADE, {**TRADE, "T": 5, "t": 3735683260})
    assert (out.data, out.bad_times) == (2, 1)
    assert out.batches[0].t.tolist() == [T * 10**6, NOW]
    compact = json.dumps({**TRADE, "T": 5}, separators=(",", ":")).encode()
    assert decode(compact, compact).bad_times == 2
