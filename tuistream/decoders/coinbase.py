"""Coinbase: the Exchange feed, and Advanced Trade.

Source: docs.cdp.coinbase.com, exchange/websocket-feed/channels and
coinbase-app/advanced-trade-apis/websocket/websocket-channels.
"""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar

from tuistream.core.batch import IdRule
from tuistream.core.errors import SettingsError
from tuistream.core.text import printable
from tuistream.decoders.contract import Decoded, DecoderOptions, Endpoint
from tuistream.decoders.wire.json_text import Malformed
from tuistream.decoders.wire.numbers import NAN, to_float, to_id
from tuistream.decoders.wire.timestamps import to_ns
from tuistream.decoders.wire.venue import BEATING, Kind, Message, Outcome, VenueDecoder, notice

URL = "wss://ws-feed.exchange.coinbase.com"
ATTEMPTS = (8, 1.0)  # connections per IP in a second
MAX_PRODUCTS = 10_000  # whose last trade is remembered

_TRADE = Kind(
    "trade", {"price": "price", "qty": "size", "side": "side"}, "time", "trade_id", IdRule.CONSECUTIVE
)  # of both feeds
_TICKER = Kind(
    "ticker",
    {"price": "price"},
    "time",
    "trade_id",
    IdRule.UNIQUE,  # trades that come at once are one ticker, so that ids are passed over
    {
        "qty": "last_size",
        "side": "side",
        "bid": "best_bid",
        "bid_qty": "best_bid_size",
        "ask": "best_ask",
        "ask_qty": "best_ask_size",
        "open_24h": "open_24h",
        "high_24h": "high_24h",
        "low_24h": "low_24h",
        "volume_24h": "volume_24h",
        "volume_30d": "volume_30d",
    },
)
_TICKER_ADVANCED = Kind(
    "ticker",
    {"price": "price"},
    optional={
        "bid": "best_bid",
        "bid_qty": "best_bid_quantity",
        "ask": "best_ask",
        "ask_qty": "best_ask_quantity",
        "high_24h": "high_24_h",
        "low_24h": "low_24_h",
        "volume_24h": "volume_24_h",
        "high_52w": "high_52_w",
        "low_52w": "low_52_w",
        "change_24h_pct": "price_percent_chg_24_h",
    },
)
_MAKER_SOLD = {"sell": 1.0, "buy": -1.0}  # the side of trades is the maker's, in both feeds
_TAKER_BOUGHT = {"buy": 1.0, "sell": -1.0}  # that of the Exchange's ticker is the taker's
# The keys by which a message is known to be the Exchange's, besides "type".
_MATCH = {"trade_id", "maker_order_id", "side", "size", "price", "product_id", "sequence", "time"}
_EXCHANGE = {
    "match": _MATCH,
    "last_match": _MATCH,
    "ticker": {"sequence", "product_id", "price", "volume_24h", "best_bid", "best_ask"},
    "heartbeat": {"sequence", "last_trade_id", "product_id", "time"},
    "l2update": {"product_id", "changes", "time"},
    "snapshot": {"product_id", "asks", "bids"},
    "subscriptions": {"channels"},
}
_PRODUCT = re.compile(r"[A-Z0-9.]+(?:-[A-Z0-9.]+)+", re.ASCII)


class Decoder(VenueDecoder):
    """Frames of both feeds. Batches that come newest first are turned round."""

    name: ClassVar[str] = "coinbase"
    name_key: ClassVar[str] = "product_id"

    def __init__(self, feed: str, options: DecoderOptions) -> None:
        super().__init__(feed, options)
        self._last_trades: dict[str, int] = {}
        self._behind: dict[str, int] = {}  # trades that heartbeats told of before we had them
        self._next_sequence: int | None = None

    def opened(self) -> None:
        super().opened()
        self._last_trades.clear()
        self._behind.clear()
        self._next_sequence = None

    def _message(self, message: object, recv: int, out: Decoded) -> Outcome:
        if type(message) is not dict:
            return Outcome.OTHER
        if "channel" in message and "events" in message:
            return self._advanced(message, recv, out)
        which = message.get("type")
        if which in ("match", "last_match"):
            self._trade(message, recv)
            trade_id = to_id(message.get("trade_id"))
            if type(trade_id) is int and len(self._last_trades) < MAX_PRODUCTS:
                self._last_trades[message["product_id"]] = trade_id
        elif which == "ticker":
            message["side"] = _TAKER_BOUGHT.get(str(message.get("side")), NAN)
            self._stage(_TICKER, message["product_id"], message, recv)
        elif which == "heartbeat":
            self._heartbeat(message, out)
            return Outcome.CONTROL
        elif which == "error":
            notice(out, f"coinbase: {message.get('message')} {message.get('reason') or ''}".rstrip())
            return Outcome.CONTROL
        elif which in ("subscriptions", "status"):
            return Outcome.CONTROL
        return Outcome.OTHER

    def _trade(self, trade: Message, recv: int) -> None:
        trade["side"] = _MAKER_SOLD.get(str(trade["side"]).lower(), NAN)
        if to_float(trade["price"]) != to_float(trade["price"]):
            raise Malformed("a trade without a finite price")
        self._stage(_TRADE, trade["product_id"], trade, recv)

    def _heartbeat(self, message: Message, out: Decoded) -> None:
        """It comes each second and names the last trade: one that we still lack a second later was left out."""
        self.stale_after = BEATING
        product, told = message["product_id"], to_id(message["last_trade_id"])
        seen = self._last_trades.get(product)
        if type(told) is not int or seen is None:
            return
        awaited = self._behind.pop(product, None)
        if awaited is not None and seen < awaited:
            notice(out, f"coinbase: {product} trades {seen + 1} to {awaited} were left out")
            self._last_trades[product] = awaited
        elif told > seen:
            self._behind[product] = told

    def _advanced(self, message: Message, recv: int, out: Decoded) -> Outcome:
        channel = message["channel"]
        self._check_sequence(message.get("sequence_num"), out)
        if channel == "heartbeats":
            self.stale_after = BEATING
            return Outcome.CONTROL
        if channel == "subscriptions":
            return Outcome.CONTROL
        events: list[Any] = message["events"]
        if channel == "market_trades":
            for event in events:
                # Newest first; by id, since one event may hold several products.
                for trade in sorted(event["trades"], key=lambda trade: int(trade["trade_id"])):
                    self._trade(trade, recv)
        elif channel in ("ticker", "ticker_batch"):
            t = to_ns(message.get("timestamp"), recv)
            for event in events:
                for ticker in event["tickers"]:
                    self._stage(_TICKER_ADVANCED, ticker["product_id"], ticker, recv, t)
        return Outcome.OTHER

    def _check_sequence(self, number: object, out: Decoded) -> None:
        """Messages of one connection are numbered through, whatever their channel."""
        if type(number) is not int:
            return
        wanted, self._next_sequence = self._next_sequence, number + 1
        if wanted is not None and number > wanted:
            notice(out, f"coinbase: {number - wanted:,} messages are missing before sequence_num {number}")

    def _is_ours(self, message: object) -> bool:
        if type(message) is not dict:
            return False
        if type(message.get("events")) is list and type(message.get("sequence_num")) is int:
            return type(message.get("channel")) is str and type(message.get("timestamp")) is str
        which = message.get("type")
        return type(which) is str and which in _EXCHANGE and message.keys() >= _EXCHANGE[which]


def endpoint(what: str) -> Endpoint:
    """`BTC-USD,ETH-USD`: the trades of these products, with heartbeats."""
    products = [part.strip().upper() for part in what.split(",") if part.strip()]
    if not products:
        raise SettingsError("coinbase: which products? such as coinbase:BTC-USD,ETH-USD")
    for product in products:
        if _PRODUCT.fullmatch(product) is None:
            raise SettingsError(f"coinbase: {printable(product)!r} is no product; one is such as BTC-USD")
    subscribe = {"type": "subscribe", "product_ids": products, "channels": ["matches", "heartbeat"]}
    return Endpoint(URL, (json.dumps(subscribe),), ATTEMPTS)
