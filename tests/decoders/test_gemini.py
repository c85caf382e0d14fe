from __future__ import annotations

import json
from typing import Any

import pytest

from tests.decoders.recorded import NOW, by_stream, decode_each, excerpt
from tests.decoders.venues import decode
from tuistream import decoders
from tuistream.core.batch import IdRule
from tuistream.core.errors import SettingsError
from tuistream.decoders.contract import DecoderOptions
from tuistream.decoders.gemini import Decoder

T = 1_786_313_194_672_123_457  # ns, which no float holds
TRADE = {"E": T, "s": "btcusd", "t": 2840141017904555, "p": "65206.29", "q": "0.00007667", "m": True}
QUOTE = {"u": 5, "E": T, "s": "btcusd", "b": "65206.28", "B": "1", "a": "65206.30", "A": "0.5"}


def decoder() -> Decoder:
    return Decoder("f", DecoderOptions())


def test_real_frames_of_version_2() -> None:
    using = decoder()
    out = decode_each(using, excerpt("gemini"))
    assert (out.malformed, out.control, out.notices) == ([], 2, [])
    found = by_stream(out.batches)
    assert found["f", "ANKRUSD", "trade"] == [
        (1_624_493_670_759_000_000, {"price": 0.07946, "qty": 1020.482111, "side": 1.0}, 45465818387)
    ]
    assert using.stale_after < using.quiet


def test_nanoseconds_are_kept() -> None:
    out = decode(decoder(), TRADE, {**TRADE, "t": 2840141017904556, "m": False})
    (batch,) = out.batches
    assert batch.t.tolist() == [T, T]
    assert batch.v[:, 2].tolist() == [-1.0, 1.0]
    assert batch.stream.key == ("f", "btcusd", "trade")
    assert batch.stream.ids is IdRule.UNIQUE


def test_a_side_of_the_book_may_be_empty() -> None:
    out = decode(decoder(), QUOTE, {**QUOTE, "a": "", "A": ""})
    assert [row for _, row, _ in by_stream(out.batches)["f", "btcusd", "bookTicker"]] == [
        {"bid": 65206.28, "bid_qty": 1.0, "ask": 65206.3, "ask_qty": 0.5},
        {"bid": 65206.28, "bid_qty": 1.0},
    ]


def test_books_and_answers() -> None:
    out = decode(
        decoder(),
        {"e": "depthUpdate", "E": T, "s": "btcusd", "U": 1, "u": 2, "b": [["1", "2"]], "a": []},
        {"id": "1", "status": 200, "result": None},
        {"id": "1", "status": 400, "error": {"code": -1002, "msg": "bad symbol"}},
    )
    assert (out.other, out.control, out.notices) == (1, 2, ["gemini: bad symbol (code -1002)"])
    assert json.loads(decoder().heartbeat()[1])["method"] == "ping"


def test_the_first_update_of_a_book_brings_old_trades_with_their_own_times() -> None:
    trade = {"type": "trade", "symbol": "BTCUSD", "event_id": 7, "timestamp": 1786313194672, "price": "65206.29",
             "quantity": "1", "side": "sell"}  # fmt: skip
    update = {"type": "l2_updates", "symbol": "BTCUSD", "changes": [["buy", "1", "2"]],
              "trades": [{**trade, "event_id": 5, "timestamp": 1785621994672}, trade]}  # fmt: skip
    (batch,) = decode(decoder(), update).batches
    assert batch.t.tolist() == [1_785_621_994_672_000_000, 1_786_313_194_672_000_000]


@pytest.mark.parametrize("changes", [{"p": ""}, {"p": None}, {"s": ""}, {"p": "NaN"}])
def test_a_broken_trade_is_malformed(changes: dict[str, Any]) -> None:
    assert len(decode(decoder(), {**TRADE, **changes}).malformed) == 1


@pytest.mark.parametrize(
    ("message", "venue"),
    [
        (TRADE, "gemini"),
        (QUOTE, "gemini"),
        ({**TRADE, "e": "trade", "T": T // 10**6, "E": T // 10**6}, "binance"),
        ({key: value for key, value in QUOTE.items() if key != "E"}, "binance"),
        ({"type": "heartbeat", "timestamp": 1624493666869}, "auto"),
    ],
)
def test_it_is_told_from_binance(message: dict[str, Any], venue: str) -> None:
    using = decoders.create("auto", "f", DecoderOptions())
    using.decode([json.dumps(message).encode()], NOW)
    assert using.chosen == venue


def test_short_names() -> None:
    endpoint = decoders.endpoint("gemini", "BTCUSD,ethusd@bookTicker")
    assert endpoint.url == "wss://ws.gemini.com"
    assert json.loads(endpoint.send[0])["params"] == ["btcusd@trade", "ethusd@bookTicker"]
    with pytest.raises(SettingsError):
        decoders.endpoint("gemini", "btc-usd")
