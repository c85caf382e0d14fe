"""Whole recordings and their excerpts, through the decoder that callers make by default."""

from __future__ import annotations

import numpy as np
import pytest

from tests.decoders.recorded import DATA, EXCERPTS, by_stream, counted, decode_each, excerpt, frames_of, kinds, total
from tuistream import decoders
from tuistream.core.batch import IdRule
from tuistream.decoders.contract import Decoder, DecoderOptions

needs_data = pytest.mark.skipif(DATA is None, reason="TUISTREAM_DATA names no folder")
CAPTURES = sorted((DATA / "captures").glob("*.gz")) if DATA else []


def auto(options: DecoderOptions | None = None) -> Decoder:
    return decoders.create("auto", "feed", options or DecoderOptions())


ALONE = DecoderOptions(id="no such thing")  # so that it does not hand over to a venue's decoder


@needs_data
def test_binance_files_are_decoded_whole() -> None:
    assert DATA is not None
    decoder = auto()
    parts = []
    for name in ("20240808", "20240809"):
        frames = list(frames_of(DATA / "binance" / f"spot_btcusdt_{name}.gz"))
        for start in range(0, len(frames), 50):
            read = frames[start : start + 50]
            parts.append(decoder.decode([frame for _, frame in read], read[0][0]))
    whole = total(parts)
    trades = [batch for batch in whole.batches if batch.stream.kind == "trade"]
    assert kinds(whole.batches) == {("BTCUSDT", "trade"): 19_904, ("BTCUSDT", "bookTicker"): 73_174}
    assert (whole.data, whole.other, whole.control, whole.malformed) == (19_904 + 73_174, 6_496, 0, [])
    assert whole.bad_times == 0
    ids = np.concatenate([batch.ids for batch in trades if batch.ids is not None])
    assert ids.dtype == np.int64
    assert (np.diff(ids) == 1).all()
    assert trades[0].stream.ids is IdRule.CONSECUTIVE
    assert trades[0].stream.fields == ("price", "qty", "side")
    sides = np.concatenate([batch.v[:, 2] for batch in trades])
    assert set(sides.tolist()) == {1.0, -1.0}


STREAMS = {
    "BINANCE_FUTURES": (
        "binance",
        12,
        {("CTKUSDT", "aggTrade"), ("SUSHIUSDT", "bookTicker"), ("SUSHIUSDT", "kline_1m")},
    ),
    "BITFINEX": ("bitfinex", 14, {("BFTUSD", "ticker"), ("BFTUSD", "trade")}),
    "BITSTAMP": ("bitstamp", 1, {("ethusd", "trade")}),
    "BYBIT": ("auto", 2, {("BTCUSD", "trade"), ("EOSUSD", "trade")}),
    "COINBASE": ("coinbase", 20, {("BAND-GBP", "trade"), ("BAND-GBP", "ticker")}),
    "GEMINI": ("gemini", 10, {("ANKRUSD", "trade"), ("BTCGBP", "trade")}),
    "HUOBI": ("auto", 10, {("market.trioeth.trade.detail", "")}),
    "KRAKEN.ws.48": ("kraken", 2, {("XMR/USD", "trade"), ("SC/EUR", "trade")}),
    "KRAKEN.ws.49": ("kraken", 10, {("XMR/USD", "ticker")}),
    "KRAKEN.ws.50": ("kraken", 0, set()),
    "OKX": ("okx", 6, {("BTC-USDT", "trade"), ("BTC-USDT", "ticker")}),
    "UPBIT": ("auto", 8, {("KRW-LAMB", "trade"), ("KRW-LAMB", "orderbook")}),
}


@needs_data
@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
def test_captures_hold_no_malformed_frame(path) -> None:  # type: ignore[no-untyped-def]
    serving, count, some = next(known for name, known in STREAMS.items() if path.name.startswith(name))
    frames = list(frames_of(path))
    decoder = auto()
    whole = decode_each(decoder, frames)
    assert whole.malformed == []
    assert whole.bad_times == 0
    assert counted(whole) == len(frames) > 30
    assert getattr(decoder, "chosen", "") == serving
    found = kinds(whole.batches)
    assert len(found) == count
    assert some <= set(found)
    assert all(batch.stream.timed for batch in whole.batches if batch.stream.kind != "ticker")


@needs_data
@pytest.mark.parametrize(
    "path", [p for p in CAPTURES if p.name[:4] in ("BINA", "COIN", "KRAK")], ids=lambda p: p.name
)
def test_captures_of_known_venues_are_understood_in_general_too(path) -> None:  # type: ignore[no-untyped-def]
    """With the options empty but for what the venue's decoder would do anyway, auto serves itself."""
    decoder = decoders.create("auto", "feed", DecoderOptions(key="symbol"))
    whole = decode_each(decoder, frames_of(path))
    assert whole.malformed == []
    assert getattr(decoder, "chosen", "") == "auto"


@pytest.mark.parametrize("path", sorted(EXCERPTS.glob("*.txt")), ids=lambda path: path.stem)
def test_excerpts_hold_no_malformed_frame(path) -> None:  # type: ignore[no-untyped-def]
    frames = list(frames_of(path))
    whole = decode_each(auto(), frames)
    assert whole.malformed == []
    assert counted(whole) == len(frames) > 0


def test_okx_trades_by_themselves() -> None:
    streams = by_stream(decode_each(auto(ALONE), excerpt("okx")).batches)
    t, values, _ = streams["feed", "BTC-USD-220527", "trades"][0]
    assert t == 1_652_459_199_958_000_000
    assert values == {"px": 30218.8, "sz": 1.0}


def test_bitstamp_trades_by_themselves() -> None:
    streams = by_stream(decode_each(auto(ALONE), excerpt("bitstamp")).batches)
    ticks = streams["feed", "live_trades_ethusd", "trade"]
    assert ticks[0][:2] == (1_641_343_699_596_000_000, {"amount": 0.0792, "price": 3805.44, "type": 0.0})


def test_huobi_frames_are_inflated_and_its_pings_answered() -> None:
    whole = decode_each(auto(), excerpt("huobi"))
    assert [reply[:9] for reply in whole.replies] == ['{"pong": '] * len(whole.replies)
    assert whole.replies
    ticks = by_stream(whole.batches)["feed", "market.trioeth.trade.detail", ""]
    assert ticks == [(1_618_678_027_940_000_000, {"amount": 20995.88, "price": 9.2e-07}, 100_045_088_885)]


def test_upbit_trades_by_themselves() -> None:
    streams = by_stream(decode_each(auto(), excerpt("upbit")).batches)
    t, values, tick_id = streams["feed", "KRW-LAMB", "trade"][0]
    assert (t, tick_id) == (1_618_678_262_712_000_000, 1_618_678_262_000_003)
    assert values == {"tp": 127.0, "tv": 46.48838371, "pcp": 123.0, "cp": 4.0}
