from __future__ import annotations

import json
from typing import Any

import pytest

from tests.decoders.recorded import NOW, by_stream, counted, decode_each, excerpt
from tuistream.core.batch import IdRule
from tuistream.decoders.coinbase import Decoder
from tuistream.decoders.contract import Decoded, DecoderOptions
from tuistream.decoders.wire.venue import BEATING, QUIET

MATCH = {"type": "match", "trade_id": 20, "maker_order_id": "a", "taker_order_id": "b", "side": "sell",
         "size": "0.04", "price": "14.7775", "product_id": "BAND-GBP", "sequence": 1,
         "time": "2021-04-17T16:43:30.244075Z"}  # fmt: skip


def decoder() -> Decoder:
    return Decoder("f", DecoderOptions())


def decode(*messages: Any, using: Decoder | None = None) -> Decoded:
    out = (using or decoder()).decode([json.dumps(each).encode() for each in messages], NOW)
    assert counted(out) == len(messages)
    return out


def advanced(channel: str, *events: Any, number: int = 0) -> dict[str, Any]:
    return {
        "channel": channel,
        "timestamp": "2026-08-09T21:05:48.251397169Z",
        "sequence_num": number,
        "events": events,
    }


def test_real_frames() -> None:
    out = decode_each(decoder(), excerpt("coinbase"))
    assert (out.malformed, out.control, out.bad_times, out.notices) == ([], 3, 0, [])
    found = by_stream(out.batches)
    assert found["f", "BAND-GBP", "trade"][0] == (
        1_618_677_810_244_075_000, {"price": 14.7775, "qty": 0.04, "side": 1.0}, 881613,
    )  # fmt: skip
    t, ticker, tick_id = found["f", "BAND-GBP", "ticker"][0]
    assert (t, tick_id) == (1_618_677_810_244_075_000, 881613)
    assert (ticker["bid"], ticker["ask"], ticker["side"], ticker["qty"]) == (14.755, 14.806, 1.0, 0.04)


def test_the_side_of_one_trade_is_the_same_in_both_channels() -> None:
    """The trade's is the maker's, the ticker's the taker's: the recording has both of each trade."""
    found = by_stream(decode_each(decoder(), excerpt("coinbase")).batches)
    sides: dict[tuple[str, object], set[float]] = {}
    for (_, name, _), ticks in found.items():
        for _, values, tick_id in ticks:
            sides.setdefault((name, tick_id), set()).add(values["side"])
    assert all(len(each) == 1 for each in sides.values())


def test_last_match_is_of_the_same_stream_and_ids_promise_as_documented() -> None:
    ticker = {**MATCH, "type": "ticker", "side": "buy", "last_size": "1", "best_bid": "1", "best_ask": "2"}
    out = decode({**MATCH, "type": "last_match", "trade_id": 19}, MATCH, ticker)
    assert [(batch.stream.kind, len(batch), batch.stream.ids) for batch in out.batches] == [
        ("trade", 2, IdRule.CONSECUTIVE),
        ("ticker", 1, IdRule.UNIQUE),
    ]


def test_advanced_trades_are_turned_round() -> None:
    trades = [
        {"product_id": "BTC-USD", "trade_id": str(n), "price": "1", "size": "2", "time": f"2026-08-09T21:05:4{n}.5Z",
         "side": "SELL"}
        for n in (9, 8, 7)
    ]  # fmt: skip
    out = decode(advanced("market_trades", {"type": "snapshot", "trades": trades}))
    (batch,) = out.batches
    assert batch.stream.key == ("f", "BTC-USD", "trade")
    assert batch.ids is not None
    assert batch.ids.tolist() == [7, 8, 9]
    assert sorted(batch.t.tolist()) == batch.t.tolist()
    assert batch.v[0].tolist() == [1.0, 2.0, 1.0]
    assert batch.stream.ids is IdRule.CONSECUTIVE


def test_advanced_tickers_have_the_time_of_the_envelope() -> None:
    ticker = {"type": "ticker", "product_id": "BTC-USD", "price": "65083.67", "best_bid": "1", "best_ask": "2"}
    out = decode(advanced("ticker", {"type": "update", "tickers": [ticker]}))
    (batch,) = out.batches
    assert batch.t.tolist() == [1_786_309_548_251_397_169]
    assert batch.stream.timed
    assert batch.stream.fields == ("price", "bid", "ask")


def test_control_and_the_rest() -> None:
    out = decode(
        {"type": "subscriptions", "channels": []},
        advanced("subscriptions", {"subscriptions": {}}),
        advanced(
            "heartbeats", {"current_time": "2026-08-09 21:05:48.85 +0000 UTC", "heartbeat_counter": 1}, number=1
        ),
        advanced("l2_data", {"type": "update", "updates": []}, number=2),
        {"type": "l2update", "product_id": "A", "changes": [], "time": ""},
        {"type": "received"},
        {"type": "error", "message": "Failed to subscribe", "reason": "no such product"},
    )
    assert (out.control, out.other) == (4, 3)
    assert out.notices == ["coinbase: Failed to subscribe no such product"]


def test_a_missing_message_is_told_by_its_number() -> None:
    using = decoder()
    out = decode(advanced("x", number=4), advanced("x", number=5), advanced("x", number=8), using=using)
    assert out.notices == ["coinbase: 2 messages are missing before sequence_num 8"]
    using.opened()
    assert decode(advanced("x", number=0), using=using).notices == []


def test_a_heartbeat_tells_of_trades_that_were_left_out() -> None:
    beat = {"type": "heartbeat", "sequence": 90, "last_trade_id": 22, "product_id": "BAND-GBP", "time": "2021"}
    using = decoder()
    assert using.stale_after == QUIET
    assert decode(MATCH, beat, using=using).notices == []
    assert using.stale_after == BEATING
    assert decode(beat, using=using).notices == ["coinbase: BAND-GBP trades 21 to 22 were left out"]
    assert decode(beat, beat, using=using).notices == []
    late = decoder()
    assert decode(MATCH, beat, {**MATCH, "trade_id": 22}, beat, using=late).notices == []


@pytest.mark.parametrize("changes", [{"price": "NaN"}, {"product_id": 5}, {"price": None}, {"product_id": ""}])
def test_a_broken_match_is_malformed(changes: dict[str, Any]) -> None:
    assert len(decode({**MATCH, **changes}).malformed) == 1
