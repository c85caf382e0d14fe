"""Coinbase: the Exchange feed, and Advanced Trade.

Source: docs.cdp.coinbase.com, exchange/websocket-feed/channels and
coinbase-app/advanced-trade-apis/websocket/websocket-channels.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, ClassVar

import msgspec
import numpy as np
from msgspec import UNSET

from tuistream.core.batch import IdRule, Times
from tuistream.core.errors import SettingsError
from tuistream.core.text import printable
from tuistream.decoders.contract import Decoded, DecoderOptions, Endpoint
from tuistream.decoders.wire.columns import Absent, Maybe, Number, Positions, Skipped, Ticks, Told, Whole
from tuistream.decoders.wire.json_text import Malformed
from tuistream.decoders.wire.numbers import NAN, to_float, to_id
from tuistream.decoders.wire.rows import StreamRows
from tuistream.decoders.wire.timestamps import to_ns
from tuistream.decoders.wire.typed import Done, Table, Typed, flattened, passed_over
from tuistream.decoders.wire.venue import BEATING, Kind, Message, Outcome, VenueDecoder, notice

URL = "wss://ws-feed.exchange.coinbase.com"
ATTEMPTS = (8, 1.0)  # connections per IP in a second

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
# The side of trades is the maker's, in both feeds; in capitals in one.
_MAKER_SOLD = {"sell": 1.0, "buy": -1.0, "SELL": 1.0, "BUY": -1.0}
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
_TRADES = Ticks(_TRADE, words={"side": _MAKER_SOLD})
_TICKERS = Ticks(_TICKER, words={"side": _TAKER_BOUGHT})
_ADVANCED_TRADES = Ticks(_TRADE, words={"side": _MAKER_SOLD}, order="id")
_ADVANCED_TICKERS = Ticks(_TICKER_ADVANCED)
_PRODUCT = re.compile(r"[A-Z0-9.]+(?:-[A-Z0-9.]+)+", re.ASCII)


class _Exchange(msgspec.Struct, tag_field="type", gc=False):
    events: Absent = UNSET  # with which it would be of the other feed


class _Match(_Exchange, tag="match", kw_only=True):
    product_id: str
    trade_id: Whole
    side: str
    price: Number
    size: Number
    time: str


class _LastMatch(_Match, tag="last_match"):
    pass


class _Ticker(_Exchange, tag="ticker", kw_only=True):
    product_id: str
    trade_id: Whole
    side: str
    price: Number
    time: str
    last_size: Maybe = UNSET
    best_bid: Maybe = UNSET
    best_bid_size: Maybe = UNSET
    best_ask: Maybe = UNSET
    best_ask_size: Maybe = UNSET
    open_24h: Maybe = UNSET
    high_24h: Maybe = UNSET
    low_24h: Maybe = UNSET
    volume_24h: Maybe = UNSET
    volume_30d: Maybe = UNSET


class _AdvancedTicker(msgspec.Struct, gc=False):
    product_id: str
    price: Number
    best_bid: Maybe = UNSET
    best_bid_quantity: Maybe = UNSET
    best_ask: Maybe = UNSET
    best_ask_quantity: Maybe = UNSET
    high_24_h: Maybe = UNSET
    low_24_h: Maybe = UNSET
    high_52_w: Maybe = UNSET
    low_52_w: Maybe = UNSET
    volume_24_h: Maybe = UNSET
    price_percent_chg_24_h: Maybe = UNSET


class _Numbered(msgspec.Struct, tag_field="channel", gc=False):
    sequence_num: Whole
    events: Skipped


class _Trade(msgspec.Struct, gc=False):
    product_id: str
    trade_id: Whole
    side: str
    price: Number
    size: Number
    time: str


class _Trades(msgspec.Struct, gc=False):
    trades: list[_Trade]


class _Tickers(msgspec.Struct, gc=False):
    tickers: list[_AdvancedTicker]


class _MarketTrades(_Numbered, tag="market_trades", kw_only=True):
    events: list[_Trades]  # type: ignore[assignment]


class _TickerChannel(_Numbered, tag="ticker", kw_only=True):
    timestamp: str
    events: list[_Tickers]  # type: ignore[assignment]


class _TickerBatch(_TickerChannel, tag="ticker_batch"):
    pass


class Decoder(VenueDecoder):
    """Frames of both feeds. Batches that come newest first are turned round."""

    name: ClassVar[str] = "coinbase"
    name_key: ClassVar[str] = "product_id"

    def __init__(self, feed: str, options: DecoderOptions) -> None:
        super().__init__(feed, options)
        self._last_trades: dict[str, int] = {}  # of the streams that there are
        self._behind: dict[str, int] = {}  # trades that heartbeats told of before we had them
        self._next_sequence: int | None = None
        self._typed_advanced: Typed | None = None
        self._noted = 0  # trades of this read that were taken together and are in `_last_trades`

    def opened(self) -> None:
        super().opened()
        self._last_trades.clear()
        self._behind.clear()
        self._next_sequence = None

    def _together(self, frames: Sequence[bytes], recv: int | Times, done: Done) -> None:
        self._noted = 0
        if not frames[0].startswith(b'{"channel":'):
            super()._together(frames, recv, done)
            return
        self._typed_advanced = self._typed_advanced or self._make_typed_advanced()
        self._typed_advanced.take(frames, np.arange(len(frames)), recv, done)

    def _make_typed(self) -> Typed:
        books = passed_over(_Exchange, "l2update snapshot received open done change activate")
        others = passed_over(_Exchange, "heartbeat subscriptions status error")
        table: Table = {_Match: _TRADES, _LastMatch: _TRADES, _Ticker: _TICKERS, **dict.fromkeys(books)}
        return Typed(self._rows, self.name_key, [_Match, _LastMatch, _Ticker, *books, *others], table)

    def _make_typed_advanced(self) -> Typed:
        books = passed_over(_Numbered, "l2_data candles")
        others = passed_over(_Numbered, "heartbeats subscriptions status")
        tickers = dict.fromkeys((_TickerChannel, _TickerBatch), _ADVANCED_TICKERS)
        table: Table = {_MarketTrades: _ADVANCED_TRADES, **tickers, **dict.fromkeys(books)}
        types = [_MarketTrades, *tickers, *books, *others]
        return Typed(self._rows, self.name_key, types, table, told=_told, fits=self._is_whole)

    def _is_whole(self, messages: list[Any]) -> bool:
        """Whether no message is missing before these or among them."""
        numbers = list(map(attrgetter("sequence_num"), messages))
        if set(map(type, numbers)) != {int} or self._next_sequence not in (None, numbers[0]):
            return False
        return numbers == list(range(numbers[0], numbers[0] + len(numbers)))

    def _reached(self, frame: int, done: Done) -> None:
        first = done.messages[0] if done.messages else None
        if isinstance(first, _Numbered):
            assert type(first.sequence_num) is int  # as `_is_whole` saw
            self._next_sequence = first.sequence_num + frame
        for taken in done.taken:
            if taken.ticks is _TRADES and taken.ids is not None:
                stop = int(np.searchsorted(taken.at[taken.rows], frame))
                rows = taken.rows[self._noted : stop]
                names = map(taken.names.__getitem__, rows.tolist())
                ids = taken.ids[rows].tolist()
                if taken.ids.dtype == np.int64:
                    self._last_trades.update(zip(names, ids, strict=True))
                else:
                    self._last_trades.update(
                        (name, each) for name, each in zip(names, ids, strict=True) if type(each) is int
                    )
                self._noted = stop

    def _message(self, message: object, recv: int, out: Decoded) -> Outcome:
        if type(message) is not dict:
            return Outcome.OTHER
        if "channel" in message and "events" in message:
            return self._advanced(message, recv, out)
        which = message.get("type")
        if which in ("match", "last_match"):
            trade_id = to_id(message.get("trade_id"))
            if self._trade(message, recv) and type(trade_id) is int:
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

    def _trade(self, trade: Message, recv: int) -> StreamRows | None:
        trade["side"] = _MAKER_SOLD.get(str(trade["side"]).lower(), NAN)
        if to_float(trade["price"]) != to_float(trade["price"]):
            raise Malformed("a trade without a finite price")
        return self._stage(_TRADE, trade["product_id"], trade, recv)

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


def _told(ticks: Ticks, messages: list[Any], at: Positions) -> Told:
    """Ticks of events of messages; tickers have the time of their message."""
    events = flattened(messages, np.arange(len(messages)), attrgetter("events"))
    told = flattened(events.rows, np.arange(len(events.rows)), attrgetter("trades" if ticks.order else "tickers"))
    told.part = told.at
    message = events.at[told.part]
    told.at = at[message]
    if not ticks.order:
        told.times = [messages[i].timestamp for i in message.tolist()]
    return told


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
