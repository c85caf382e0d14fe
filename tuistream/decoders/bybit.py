"""Bybit: version 5 of its public WebSocket API.

Source: github.com/bybit-exchange/docs, docs/v5/websocket (connect, public/trade, public/ticker, public/kline).
"""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar

import msgspec
from msgspec import UNSET

from tuistream.core.batch import IdRule
from tuistream.core.text import printable
from tuistream.decoders.contract import Decoded, DecoderOptions, Endpoint
from tuistream.decoders.wire.columns import Absent, Ticks, Whole, row_type
from tuistream.decoders.wire.numbers import NAN
from tuistream.decoders.wire.rows import MAX_STREAMS
from tuistream.decoders.wire.short_names import parts_of, place_of
from tuistream.decoders.wire.timestamps import to_ns
from tuistream.decoders.wire.typed import Table, Typed
from tuistream.decoders.wire.venue import Kind, Message, Outcome, VenueDecoder, notice

URL = "wss://stream.bybit.com/v5/public/"
CATEGORIES = ("spot", "linear", "inverse", "option")
ATTEMPTS = (500, 300.0)  # connections per domain in 5 minutes
TOPICS = 10  # of one request for spot
HEARTBEAT = (20.0, '{"op":"ping"}')

_TRADE = Kind("trade", {"price": "p", "qty": "v", "side": "S"}, "T", "i", IdRule.UNIQUE)
_TICKER = Kind(
    "ticker",
    {},
    optional={
        "price": "lastPrice",
        "bid": "bid1Price",
        "bid_qty": "bid1Size",
        "ask": "ask1Price",
        "ask_qty": "ask1Size",
        "mark": "markPrice",
        "index": "indexPrice",
        "funding": "fundingRate",
        "open_interest": "openInterest",
        "high_24h": "highPrice24h",
        "low_24h": "lowPrice24h",
        "volume_24h": "volume24h",
        "turnover_24h": "turnover24h",
    },
)
_BAR = {"open": "open", "high": "high", "low": "low", "close": "close", "volume": "volume", "turnover": "turnover"}
_SIDES = {"Buy": 1.0, "Sell": -1.0}  # the taker's
_TRADES = Ticks(_TRADE, {"S": _SIDES}, rows="data")
_TOPIC = re.compile(r"(?:[a-zA-Z]+(?:\.\w+)?\.)?[A-Z0-9][A-Z0-9-]*", re.ASCII)
_OURS = re.compile(r"(publicTrade|tickers|kline\.\w+|orderbook\.\d+|allLiquidation)\.[\w-]+", re.ASCII)


_Row = row_type(_TRADE, s=str, T=Whole, S=str, i=str)


class _Object(msgspec.Struct, gc=False):
    pass


class _Message(msgspec.Struct, gc=False):
    topic: str
    data: list[_Row] | _Object  # type: ignore[valid-type]
    op: Absent = UNSET
    success: Absent = UNSET


class Decoder(VenueDecoder):
    """Bybit's frames. Tickers that tell only what changed are completed by what was told before."""

    name: ClassVar[str] = "bybit"
    name_key: ClassVar[str] = "s"

    def __init__(self, feed: str, options: DecoderOptions) -> None:
        super().__init__(feed, options)
        self._tickers: dict[str, Message] = {}  # as they stand, by their topics

    def opened(self) -> None:
        super().opened()
        self._tickers.clear()

    def heartbeat(self) -> tuple[float, str]:
        return HEARTBEAT

    def _make_typed(self) -> Typed:
        table: Table = {"publicTrade": _TRADES, "orderbook": None}
        return Typed(self._rows, self.name_key, [_Message], table, keys=_kinds)

    def _message(self, message: object, recv: int, out: Decoded) -> Outcome:
        if type(message) is not dict:
            return Outcome.OTHER
        if "op" in message or "success" in message:
            _complaint(message, out)
            return Outcome.CONTROL
        topic = message.get("topic")
        if type(topic) is not str:
            return Outcome.OTHER
        which, _, rest = topic.partition(".")
        if which == "publicTrade":
            for trade in message["data"]:
                self._trade(trade, recv)
        elif which == "tickers":
            self._ticker(topic, message, recv)
        elif which == "kline":
            interval, _, symbol = rest.partition(".")
            for bar in message["data"]:
                if bar["confirm"] is True:  # one that still forms comes again and again
                    self._stage(Kind(f"kline_{printable(interval, 8)}", _BAR, "end"), symbol, bar, recv)
        return Outcome.OTHER

    def _trade(self, trade: Message, recv: int) -> None:
        trade["S"] = _SIDES.get(trade["S"], NAN)
        self._stage_trade(_TRADE, trade["s"], trade, recv)

    def _ticker(self, topic: str, message: Message, recv: int) -> None:
        told: Message = message["data"]
        name = told["symbol"]
        changed: Message = {key: told[key] for key in _TICKER.optional.values() if key in told}
        if message.get("type") == "delta":
            changed = {**self._tickers.get(topic, {}), **changed}
        if changed:
            self._stage(_TICKER, name, changed, recv, to_ns(message["ts"], recv))
        if topic in self._tickers or len(self._tickers) < MAX_STREAMS:
            self._tickers[topic] = changed

    def _is_ours(self, message: object) -> bool:
        if type(message) is not dict or type(message.get("ts")) is not int or "data" not in message:
            return False
        return _OURS.fullmatch(message["topic"]) is not None and message.get("type") in ("snapshot", "delta")


def _kinds(messages: list[Any]) -> list[str]:
    """What stands before the first point of the topics; "" for trades that are no list."""
    kinds = (each.topic.partition(".")[0] for each in messages)
    return [
        kind if kind != "publicTrade" or type(each.data) is list else ""
        for kind, each in zip(kinds, messages, strict=True)
    ]


def _complaint(message: Message, out: Decoded) -> None:
    if message.get("success") is False:
        notice(out, f"bybit: {message.get('ret_msg') or 'refused'}")
    data = message.get("data")
    failed = data.get("failTopics") if type(data) is dict else None
    if failed:
        notice(out, f"bybit: no such topics: {failed}")


def endpoint(what: str) -> Endpoint:
    """`BTCUSDT,tickers.BTCUSDT` of spot, `linear/BTCUSDT` of another category; a symbol alone means its trades."""
    category, rest = place_of(what, CATEGORIES, "bybit")
    parts = parts_of(rest, _TOPIC, "bybit", "topic", "BTCUSDT,linear/tickers.BTCUSDT")
    topics = [part if "." in part else f"publicTrade.{part}" for part in parts]
    requests = (topics[at : at + TOPICS] for at in range(0, len(topics), TOPICS))
    send = tuple(json.dumps({"op": "subscribe", "args": request}) for request in requests)
    return Endpoint(URL + category, send, ATTEMPTS)
