"""OKX: version 5 of its public WebSocket API.

Source: okx.com/docs-v5 (trades, tickers, candlesticks, order book, notification).
"""

from __future__ import annotations

import json
import re
from operator import attrgetter
from typing import Any, ClassVar

import msgspec
from msgspec import UNSET

from tuistream.core.batch import IdRule
from tuistream.core.errors import SettingsError
from tuistream.decoders.contract import Decoded, Endpoint
from tuistream.decoders.wire.columns import Absent, Ticks, row_type
from tuistream.decoders.wire.json_text import Malformed
from tuistream.decoders.wire.numbers import NAN
from tuistream.decoders.wire.short_names import parts_of
from tuistream.decoders.wire.timestamps import AHEAD, to_ns
from tuistream.decoders.wire.typed import Table, Typed
from tuistream.decoders.wire.venue import Kind, Message, Outcome, VenueDecoder, notice

URL = "wss://ws.okx.com:8443/ws/v5/"
ATTEMPTS = (3, 1.0)  # connections per IP in a second
HEARTBEAT = (25.0, "ping")  # the connection is cut after 30 s without a message
ABOUT_TO_CLOSE = "64008"

_TRADE = Kind(
    "trade",
    {"price": "px", "qty": "sz", "side": "side"},
    "ts",
    "tradeId",
    IdRule.UNIQUE,  # trades of one taker come as one, with the id of the last
    {"trades": "count"},
)
_TICKER = Kind(
    "ticker",
    {"price": "last"},
    "ts",
    optional={
        "qty": "lastSz",
        "bid": "bidPx",
        "bid_qty": "bidSz",
        "ask": "askPx",
        "ask_qty": "askSz",
        "open_24h": "open24h",
        "high_24h": "high24h",
        "low_24h": "low24h",
        "volume_24h": "vol24h",
        "volume_ccy_24h": "volCcy24h",
    },
)
_QUOTE = Kind(
    "bbo", {"bid": "bid", "bid_qty": "bid_qty", "ask": "ask", "ask_qty": "ask_qty"}, "ts", "id", IdRule.UNIQUE
)
_BAR = {
    "open": "open",
    "high": "high",
    "low": "low",
    "close": "close",
    "volume": "volume",
    "volume_ccy": "volume_ccy",
}
_SIDES = {"buy": 1.0, "sell": -1.0}  # the taker's
_UNITS = {"s": 10**9, "m": 60 * 10**9, "H": 3_600 * 10**9, "D": 86_400 * 10**9, "W": 7 * 86_400 * 10**9}
_TRADE_CHANNELS = ("trades", "trades-all")
_CANDLE = re.compile(r"candle(\d{1,3})([smHDWMy])(?:utc)?", re.ASCII)
_PART = re.compile(r"(?:[a-z][\w-]*:)?[A-Z0-9]+(?:-[A-Z0-9_]+)*", re.ASCII)
_EVENTS = ("subscribe", "unsubscribe", "error", "notice", "channel-conn-count")


_Row = row_type(_TRADE, _TICKER, instId=str, ts=str, tradeId=str, side=str)


class _Arg(msgspec.Struct, gc=False):
    channel: str


class _Message(msgspec.Struct, gc=False):
    arg: _Arg
    data: list[_Row]  # type: ignore[valid-type]
    event: Absent = UNSET


class Decoder(VenueDecoder):
    """OKX's frames, in which every value is a string."""

    name: ClassVar[str] = "okx"
    name_key: ClassVar[str] = "instId"
    texts: ClassVar[frozenset[bytes]] = frozenset((b"pong",))

    def heartbeat(self) -> tuple[float, str]:
        return HEARTBEAT

    def _make_typed(self) -> Typed:
        books = ("books", "books5", "books50-l2-tbt", "books-l2-tbt", "books-elp")
        trades = Ticks(_TRADE, {"side": _SIDES}, rows="data")
        table: Table = {
            **dict.fromkeys(_TRADE_CHANNELS, trades),
            "tickers": Ticks(_TICKER, rows="data"),
            **dict.fromkeys(books),
        }
        channel = attrgetter("arg.channel")
        return Typed(self._rows, self.name_key, [_Message], table, keys=lambda messages: map(channel, messages))

    def _message(self, message: object, recv: int, out: Decoded) -> Outcome:
        if type(message) is not dict:
            return Outcome.OTHER
        if "event" in message:
            _event(message, out)
            return Outcome.CONTROL
        if "arg" not in message or "data" not in message:
            return Outcome.OTHER
        channel = message["arg"]["channel"]
        candle = _CANDLE.fullmatch(channel)
        for each in message["data"]:
            if channel in _TRADE_CHANNELS:
                each["side"] = _SIDES.get(each["side"], NAN)
                self._stage_trade(_TRADE, each["instId"], each, recv)
            elif channel == "tickers":
                self._stage(_TICKER, each["instId"], each, recv)
            elif channel == "bbo-tbt":
                self._quote(message["arg"]["instId"], each, recv)
            elif candle:
                self._bar(candle, message["arg"]["instId"], each, recv)
        return Outcome.OTHER

    def _quote(self, name: str, each: Message, recv: int) -> None:
        bid, ask = (each[side][0][:2] if each[side] else (None, None) for side in ("bids", "asks"))
        quotes = {"bid": bid[0], "bid_qty": bid[1], "ask": ask[0], "ask_qty": ask[1]}
        self._stage(_QUOTE, name, {**quotes, "ts": each["ts"], "id": each.get("seqId")}, recv)

    def _bar(self, candle: re.Match[str], name: str, bar: list[Any], recv: int) -> None:
        """A bar that is final, at the time of its end; one of months, whose lengths differ, at that of its start."""
        if bar[8] != "1":
            return
        begin = to_ns(bar[0], recv)
        if begin is None:
            raise Malformed("a bar without a time")
        end = begin + int(candle[1]) * _UNITS.get(candle[2], 0)
        self._stage(Kind(candle[0], _BAR), name, dict(zip(_BAR, bar[1:7], strict=True)), recv, min(end, recv + AHEAD))

    def _is_ours(self, message: object) -> bool:
        if type(message) is not dict:
            return False
        arg = message["arg"]
        if message.get("event") in _EVENTS:
            return "instId" in arg and "channel" in arg
        return type(arg["channel"]) is str and type(arg["instId"]) is str and type(message["data"]) is list


def _event(message: Message, out: Decoded) -> None:
    if message["event"] in ("error", "notice"):
        notice(out, f"okx: {message.get('msg')} (code {message.get('code')})")
    if message["event"] == "notice" and message.get("code") == ABOUT_TO_CLOSE:
        out.reconnect = True


def endpoint(what: str) -> Endpoint:
    """`BTC-USDT,tickers:BTC-USDT`: channels of instruments; an instrument alone means its trades."""
    parts = parts_of(what, _PART, "okx", "instrument", "BTC-USDT,tickers:ETH-USDT")
    named = [part.partition(":") if ":" in part else ("trades", ":", part) for part in parts]
    places = {_place(channel) for channel, _, _ in named}
    if len(places) > 1:
        raise SettingsError("okx: candles and trades-all come from another address than the rest; start them apart")
    args = [{"channel": channel, "instId": instrument} for channel, _, instrument in named]
    return Endpoint(URL + places.pop(), (json.dumps({"op": "subscribe", "args": args}),), ATTEMPTS)


def _place(channel: str) -> str:
    return "business" if channel.startswith("candle") or channel == "trades-all" else "public"
