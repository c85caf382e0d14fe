"""Kraken: version 2 of its WebSocket API, and version 1, whose data are arrays.

Source: docs.kraken.com/api/docs/websocket-v2 (trade, ticker, heartbeat, status) and docs.kraken.com/api/docs/
websocket-v1 (trade, ticker, spread).
"""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar

import msgspec
from msgspec import UNSET

from tuistream.core.batch import IdRule
from tuistream.core.errors import SettingsError
from tuistream.core.text import printable
from tuistream.decoders.contract import Decoded, Endpoint
from tuistream.decoders.wire.columns import Absent, Maybe, Number, Ticks, Whole
from tuistream.decoders.wire.json_text import Malformed
from tuistream.decoders.wire.numbers import NAN, to_float
from tuistream.decoders.wire.rows import label
from tuistream.decoders.wire.typed import Table, Typed, passed_over
from tuistream.decoders.wire.venue import BEATING, Kind, Message, Outcome, VenueDecoder, notice

URL = "wss://ws.kraken.com/v2"
ATTEMPTS = (150, 600.0)  # connections per IP in 10 minutes

_TRADE = Kind("trade", {"price": "price", "qty": "qty", "side": "side"}, "timestamp", "trade_id", IdRule.CONSECUTIVE)
_TICKER_KEYS = {"price": "last", "bid": "bid", "bid_qty": "bid_qty", "ask": "ask", "ask_qty": "ask_qty"}
_TICKER_OPTIONAL = {
    name: name for name in ("volume", "vwap", "low", "high", "change", "change_pct", "volume_usd", "trades", "open")
}
_TICKER = Kind("ticker", _TICKER_KEYS, "", optional=_TICKER_OPTIONAL)
_TICKER_TIMED = Kind("ticker", _TICKER_KEYS, "timestamp", optional=_TICKER_OPTIONAL)
# Version 1 gives no ids.
_TRADE_V1 = Kind("trade", {"price": "price", "qty": "qty", "side": "side"}, "time")
_SPREAD_V1 = Kind("spread", {"bid": "bid", "ask": "ask", "bid_qty": "bid_qty", "ask_qty": "ask_qty"}, "time")
# Field of a v1 ticker: key and position; of pairs (today, 24 hours) the second.
_TICKER_V1 = {
    "last": ("c", 0),
    "bid": ("b", 0),
    "bid_qty": ("b", 2),
    "ask": ("a", 0),
    "ask_qty": ("a", 2),
    "volume": ("v", 1),
    "vwap": ("p", 1),
    "trades": ("t", 1),
    "low": ("l", 1),
    "high": ("h", 1),
    "open": ("o", 1),
}
_SIDES = {"buy": 1.0, "sell": -1.0, "b": 1.0, "s": -1.0}  # the taker's
# The keys by which a message of version 2 is known, in its first row.
_CHANNELS = {
    "trade": {"side", "price", "qty", "ord_type", "trade_id", "timestamp"},
    "ticker": {"bid", "bid_qty", "ask", "ask_qty", "last"},
    "book": {"bids", "asks", "checksum"},
    "ohlc": {"open", "high", "low", "close", "interval_begin"},
}
_CHANNEL_V1 = re.compile(r"trade|ticker|spread|(?:book|ohlc)-\d+", re.ASCII)
_PAIR = re.compile(r"[A-Z0-9.]+/[A-Z0-9.]+", re.ASCII)


_TRADES = Ticks(_TRADE, words={"side": {"buy": 1.0, "sell": -1.0}}, rows="data", order="id")
_TICKERS = Ticks(_TICKER_TIMED, rows="data")


class _Trade(msgspec.Struct, gc=False):
    symbol: str
    side: str
    price: Number
    qty: Number
    trade_id: Whole
    timestamp: str


class _Ticker(msgspec.Struct, gc=False):
    symbol: str
    last: Number
    bid: Number
    bid_qty: Number
    ask: Number
    ask_qty: Number
    timestamp: str
    volume: Maybe = UNSET
    vwap: Maybe = UNSET
    low: Maybe = UNSET
    high: Maybe = UNSET
    change: Maybe = UNSET
    change_pct: Maybe = UNSET
    volume_usd: Maybe = UNSET
    trades: Maybe = UNSET
    open: Maybe = UNSET


class _Message(msgspec.Struct, tag_field="channel", gc=False):
    # With these it would be something else.
    event: Absent = UNSET
    method: Absent = UNSET
    error: Absent = UNSET


class _Trades(_Message, tag="trade", kw_only=True):
    data: list[_Trade]


class _Tickers(_Message, tag="ticker", kw_only=True):
    data: list[_Ticker]


class Decoder(VenueDecoder):
    """Kraken's frames of both versions."""

    name: ClassVar[str] = "kraken"
    name_key: ClassVar[str] = "symbol"
    quiet: ClassVar[float] = 10.0  # it beats by itself when nothing else is sent

    def _make_typed(self) -> Typed:
        books = passed_over(_Message, "book ohlc level3 instrument")
        others = passed_over(_Message, "heartbeat status")
        table: Table = {_Trades: _TRADES, _Tickers: _TICKERS, **dict.fromkeys(books)}
        return Typed(self._rows, self.name_key, [*table, *others], table)

    def _message(self, message: object, recv: int, out: Decoded) -> Outcome:
        if type(message) is list:
            return self._array(message, recv)
        if type(message) is not dict:
            return Outcome.OTHER
        channel = message.get("channel")
        if channel == "heartbeat" or message.get("event") == "heartbeat":
            self.stale_after = BEATING
            return Outcome.CONTROL
        if channel == "trade":
            # A snapshot's order is not documented; ids of one book rise.
            for trade in sorted(message["data"], key=lambda trade: int(trade["trade_id"])):
                self._trade(_TRADE, trade["symbol"], trade, recv)
        elif channel == "ticker":
            for ticker in message["data"]:
                self._ticker(ticker, recv)
        elif channel == "status" or "method" in message or "event" in message or "error" in message:
            _complaint(message, out)
            return Outcome.CONTROL
        return Outcome.OTHER

    def _trade(self, kind: Kind, name: str, trade: Message, recv: int) -> None:
        trade["side"] = _SIDES.get(trade["side"], NAN)
        if to_float(trade["price"]) != to_float(trade["price"]):
            raise Malformed("a trade without a finite price")
        self._stage(kind, name, trade, recv)

    def _ticker(self, ticker: Message, recv: int) -> None:
        known = self._rows.streams.get((label(ticker["symbol"]), _TICKER.kind))
        timed = "timestamp" in ticker if known is None else known.stream.timed
        self._stage(_TICKER_TIMED if timed else _TICKER, ticker["symbol"], ticker, recv)

    def _array(self, message: list[Any], recv: int) -> Outcome:
        """Version 1: channel number, one payload or two, channel, pair."""
        if len(message) < 4 or type(message[-2]) is not str:
            return Outcome.OTHER
        payload, channel, pair = message[1], message[-2], message[-1]
        if channel == "trade":
            for price, qty, time, side, *_ in payload:
                self._trade(_TRADE_V1, pair, {"price": price, "qty": qty, "time": time, "side": side}, recv)
        elif channel == "spread":
            bid, ask, time, bid_qty, ask_qty = payload
            quotes = {"bid": bid, "ask": ask, "time": time, "bid_qty": bid_qty, "ask_qty": ask_qty}
            self._stage(_SPREAD_V1, pair, quotes, recv)
        elif channel == "ticker":
            values = {name: payload[key][at] for name, (key, at) in _TICKER_V1.items() if key in payload}
            self._stage(_TICKER, pair, values, recv)
        return Outcome.OTHER

    def _is_ours(self, message: object) -> bool:
        if type(message) is list:
            channel = message[-2]
            named = type(channel) is str and _CHANNEL_V1.fullmatch(channel) is not None
            return named and type(message[0]) is int and "/" in message[-1]
        if type(message) is not dict:
            return False
        if message.get("event") in ("systemStatus", "subscriptionStatus"):
            return "connectionID" in message or "channelName" in message
        channel, data = message.get("channel"), message.get("data")
        if type(data) is not list or message.get("type") not in ("snapshot", "update"):
            return False
        if channel == "status":
            return bool(data[0].get("api_version") == "v2")
        return channel in _CHANNELS and "/" in data[0]["symbol"] and data[0].keys() >= _CHANNELS[channel]


def _complaint(message: Message, out: Decoded) -> None:
    """A refused request, a warning, or a system that is not online, as a notice."""
    error = message.get("error") or message.get("errorMessage")
    if error:
        notice(out, f"kraken: {error} {message.get('symbol') or message.get('pair') or ''}".rstrip())
    result = message.get("result")
    if type(result) is dict:
        for warning in result.get("warnings") or ():
            notice(out, f"kraken: {warning}")
    if message.get("event") == "systemStatus":
        states = [message.get("status")]
    elif message.get("channel") == "status":
        states = [each.get("system") for each in message["data"]]
    else:
        states = []
    for state in states:
        if type(state) is str and state != "online":
            notice(out, f"kraken: the system is {state}")


def endpoint(what: str) -> Endpoint:
    """`BTC/USD,ETH/USD`: the trades of these pairs, the last 50 of each first."""
    pairs = [part.strip().upper() for part in what.split(",") if part.strip()]
    if not pairs:
        raise SettingsError("kraken: which pairs? such as kraken:BTC/USD,ETH/USD")
    for pair in pairs:
        if _PAIR.fullmatch(pair) is None:
            raise SettingsError(f"kraken: {printable(pair)!r} is no pair; one is such as BTC/USD")
    subscribe = {"method": "subscribe", "params": {"channel": "trade", "symbol": pairs, "snapshot": True}}
    return Endpoint(URL, (json.dumps(subscribe),), ATTEMPTS)
