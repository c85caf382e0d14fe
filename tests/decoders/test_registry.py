from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, cast

import pytest

from tests.decoders.recorded import EXCERPTS, NOW, frames_of
from tests.decoders.venues import OTHER, USUAL, message
from tuistream import decoders
from tuistream.core.errors import SettingsError
from tuistream.decoders.contract import DecoderOptions
from tuistream.decoders.wire.json_text import Malformed, loads
from tuistream.decoders.wire.marks import may_be

if TYPE_CHECKING:
    from tuistream.decoders.wire.venue import VenueDecoder


def test_decoders_are_known_by_their_files() -> None:
    assert {"auto", "binance", "coinbase", "kraken"} <= set(decoders.known())
    assert {"binance", "coinbase", "kraken"} <= set(decoders.venues()) < set(decoders.known())
    for name in decoders.known():
        decoder = decoders.create(name, "feed", DecoderOptions())
        assert decoder.name == name
        assert decoder.stale_after > 0
        assert decoder.decode([], 0).batches == []
        decoder.opened()
        seconds, message = decoder.heartbeat() or (1.0, "x")
        assert seconds > 0
        assert message


@pytest.mark.parametrize("name", ["nobody", "contract", "wire", "../auto", "os"])
def test_an_unknown_name_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(SettingsError, match=r"auto, binance, .*coinbase, .*kraken"):
        decoders.create(name, "feed", DecoderOptions())


def test_a_venue_takes_no_options() -> None:
    with pytest.raises(SettingsError, match="--decoder auto"):
        decoders.create("binance", "feed", DecoderOptions(fields=("p",)))


def test_only_the_decoder_that_is_wanted_is_imported() -> None:
    code = (
        "import sys; from tuistream import decoders; from tuistream.decoders.contract import DecoderOptions;"
        "decoders.create('kraken', 'f', DecoderOptions()); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    modules = set(done.stdout.split())
    assert "tuistream.decoders.kraken" in modules
    assert not {"tuistream.decoders.binance", "tuistream.decoders.auto", "asyncio", "socket"} & modules


@pytest.mark.parametrize(
    ("what", "streams"),
    [
        ("btcusdt@trade,btcusdt@bookTicker", "btcusdt@trade/btcusdt@bookTicker"),
        ("BTCUSDT@Trade, ethusdt@BOOKTICKER", "btcusdt@trade/ethusdt@bookTicker"),
        ("btcusdt", "btcusdt@trade"),
        ("btcusdt@kline_1m@+08:00", "btcusdt@kline_1m@+08:00"),
        ("!miniTicker@arr", "!miniTicker@arr"),
        ("btcusdt@depth20@100ms", "btcusdt@depth20@100ms"),
    ],
)
def test_binance_streams(what: str, streams: str) -> None:
    endpoint = decoders.endpoint("binance", what)
    assert endpoint.url == f"wss://stream.binance.com:9443/stream?streams={streams}"
    assert endpoint.send == ()
    assert endpoint.attempts == (300, 300.0)


def test_coinbase_products() -> None:
    endpoint = decoders.endpoint("coinbase", "BTC-USD,eth-usd")
    assert endpoint.url == "wss://ws-feed.exchange.coinbase.com"
    assert [json.loads(message) for message in endpoint.send] == [
        {"type": "subscribe", "product_ids": ["BTC-USD", "ETH-USD"], "channels": ["matches", "heartbeat"]}
    ]


def test_kraken_pairs() -> None:
    endpoint = decoders.endpoint("kraken", "BTC/USD")
    assert endpoint.url == "wss://ws.kraken.com/v2"
    assert [json.loads(message) for message in endpoint.send] == [
        {"method": "subscribe", "params": {"channel": "trade", "symbol": ["BTC/USD"], "snapshot": True}}
    ]


@pytest.mark.parametrize(
    ("venue", "base_url", "url"),
    [
        ("binance", "ws://127.0.0.1:81", "ws://127.0.0.1:81/stream?streams=btcusdt@trade"),
        ("binance", "ws://127.0.0.1:81/proxy/", "ws://127.0.0.1:81/proxy/stream?streams=btcusdt@trade"),
        ("kraken", "wss://host", "wss://host/v2"),
        ("coinbase", "ws://[::1]:9", "ws://[::1]:9"),
    ],
)
def test_a_base_url_takes_the_place_of_the_host(venue: str, base_url: str, url: str) -> None:
    what = {"binance": "btcusdt@trade", "kraken": "BTC/USD", "coinbase": "BTC-USD"}[venue]
    assert decoders.endpoint(venue, what, base_url).url == url


@pytest.mark.parametrize(
    ("venue", "what", "base_url"),
    [
        ("binance", "", None),
        ("binance", "btc/usdt", None),
        ("binance", "a@b?c=d", None),
        ("binance", ",".join(f"s{n}" for n in range(1_025)), None),
        ("coinbase", "", None),
        ("coinbase", "BTCUSD", None),
        ("coinbase", 'BTC-USD"', None),
        ("kraken", " , ", None),
        ("kraken", "XBTUSD", None),
        ("kraken", "BTC/USD", "http://host"),
        ("kraken", "BTC/USD", "host:80"),
        ("kraken", "BTC/USD", "ws://host:port"),
        ("auto", "x", None),
        ("nobody", "x", None),
    ],
)
def test_what_leads_nowhere_is_refused(venue: str, what: str, base_url: str | None) -> None:
    with pytest.raises(SettingsError):
        decoders.endpoint(venue, what, base_url)


@pytest.mark.parametrize("name", USUAL)
def test_what_a_venue_knows_as_its_own_bears_its_marks(name: str) -> None:
    venue = name.partition("/")[0]
    decoder = cast("VenueDecoder", decoders.create(venue, "feed", DecoderOptions()))
    recorded = [frame for path in EXCERPTS.glob("*.txt") for _, frame in frames_of(path)]
    frames = [*(message(each, 7) for each in USUAL[name]), *(each.encode() for each in OTHER[name]), *recorded]
    own = [frame for frame in frames if decoder.understands(_message(frame))]
    assert own
    assert [frame for frame in own if not may_be(venue, frame)] == []


def test_a_plain_feed_imports_no_venue() -> None:
    frame = b'{"time": 1795172027.0605018, "price": "144.89", "symbol": "GBM1"}'
    assert [name for name in decoders.venues() if may_be(name, frame)] == []
    code = (
        "import sys; from tuistream import decoders; from tuistream.decoders.contract import DecoderOptions;"
        f"decoders.create('auto', 'f', DecoderOptions()).decode([{frame!r}], {NOW}); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert not {f"tuistream.decoders.{name}" for name in decoders.venues()} & set(done.stdout.split())


def _message(frame: bytes) -> object:
    try:
        return loads(frame)
    except Malformed:
        return None
