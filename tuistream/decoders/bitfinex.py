"""Bitfinex: version 2 of its public WebSocket API. Data are arrays, and what they are of was said before, once.

Source: docs.bitfinex.com, docs/ws-general and docs/ws-public (trades, ticker).
"""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar

from tuistream.core.batch import IdRule
from tuistream.core.errors import SettingsError
from tuistream.decoders.contract import Decoded, DecoderOptions, Endpoint
from tuistream.decoders.wire.json_text import Malformed
from tuistream.decoders.wire.numbers import NAN, to_float
from tuistream.decoders.wire.rows import MAX_STREAMS
from tuistream.decoders.wire.short_names import parts_of
from tuistream.decoders.wire.venue import Kind, Message, Outcome, VenueDecoder, notice

URL = "wss://api-pub.bitfinex.com/ws/2"
ATTEMPTS = (20, 60.0)  # connections in a minute
MAX_CHANNELS = 25  # of one connection
NUMBERED = 65_536  # the flag by which every array ends with a number that rises by one
RECONNECT, MAINTENANCE, MAINTAINED = 20_051, 20_060, 20_061  # codes of "info"

_TRADE = Kind("trade", {"price": "price", "qty": "qty", "side": "side"}, "time", "id", IdRule.UNIQUE)
_TICKER = Kind(
    "ticker",
    {"price": "last", "bid": "bid", "bid_qty": "bid_qty", "ask": "ask", "ask_qty": "ask_qty"},
    optional={"change": "change", "change_rel": "change_rel", "volume": "volume", "high": "high", "low": "low"},
)
# In their order; more may follow one day.
_TICKER_PARTS = ("bid", "bid_qty", "ask", "ask_qty", "change", "change_rel", "last", "volume", "high", "low")
_EVENTS = {
    "info": {"version", "serverId"},
    "subscribed": {"channel", "chanId"},
    "conf": {"flags", "status"},
}
_PART = re.compile(r"(?:ticker:)?t?[A-Z0-9]+(?::[A-Z0-9]+)?", re.ASCII)


class Decoder(VenueDecoder):
    """Bitfinex's frames. A trade comes twice, as "te" at once and as "tu" a little later: the first is taken."""

    name: ClassVar[str] = "bitfinex"
    name_key: ClassVar[str] = "pair"
    quiet: ClassVar[float] = 40.0  # each channel beats every 15 seconds

    def __init__(self, feed: str, options: DecoderOptions) -> None:
        super().__init__(feed, options)
        self._channels: dict[int, tuple[str, str]] = {}  # of this connection, by their numbers: channel and pair
        self._numbered = False
        self._next: int | None = None

    def opened(self) -> None:
        super().opened()
        self._channels.clear()
        self._numbered = False
        self._next = None

    def _message(self, message: object, recv: int, out: Decoded) -> Outcome:
        if type(message) is dict:
            return self._event(message, out)
        if type(message) is not list or len(message) < 2 or type(message[0]) is not int:
            return Outcome.OTHER
        self._check_number(message[-1], out)
        what = message[1]
        if what == "hb":
            return Outcome.CONTROL
        channel, pair = self._channels.get(message[0], ("", ""))
        if channel == "trades":
            if what == "te":
                self._trade(pair, message[2], recv)
            elif type(what) is list:  # the last ones, newest first
                for trade in sorted(what, key=lambda trade: int(trade[0])):
                    self._trade(pair, trade, recv)
        elif channel == "ticker":
            self._stage(_TICKER, pair, dict(zip(_TICKER_PARTS, what, strict=False)), recv)
        return Outcome.OTHER

    def _trade(self, pair: str, trade: list[Any], recv: int) -> None:
        tick_id, time, amount, price, *_ = trade
        signed = to_float(amount)
        if signed != signed:
            raise Malformed("a trade without a finite amount")
        side = 1.0 if signed > 0 else -1.0 if signed < 0 else NAN
        self._stage_trade(
            _TRADE, pair, {"id": tick_id, "time": time, "qty": abs(signed), "side": side, "price": price}, recv
        )

    def _event(self, message: Message, out: Decoded) -> Outcome:
        which = message.get("event")
        if which == "subscribed" and len(self._channels) < MAX_STREAMS:
            pair = message.get("pair") or message.get("symbol") or message.get("key")
            self._channels[int(message["chanId"])] = (str(message["channel"]), str(pair))
        elif which == "unsubscribed":
            self._channels.pop(int(message["chanId"]), None)
        elif which == "conf":
            self._numbered = bool(int(message.get("flags") or 0) & NUMBERED)
        elif which == "error":
            notice(out, f"bitfinex: {message.get('msg')} (code {message.get('code')})")
        elif which == "info":
            self._info(message, out)
        return Outcome.OTHER if which is None else Outcome.CONTROL

    def _info(self, message: Message, out: Decoded) -> None:
        code = message.get("code")
        platform = message.get("platform")
        if code in (RECONNECT, MAINTAINED):
            out.reconnect = True
        if type(code) is int:
            notice(out, f"bitfinex: {message.get('msg')} (code {code})")
        elif type(platform) is dict and platform.get("status") == 0:
            notice(out, "bitfinex: the platform is in maintenance")

    def _check_number(self, number: object, out: Decoded) -> None:
        """Messages of one connection are numbered through, whatever their channel."""
        if not self._numbered or type(number) is not int:
            return
        wanted, self._next = self._next, number + 1
        if wanted is not None and number > wanted:
            notice(out, f"bitfinex: {number - wanted:,} messages are missing before number {number}")

    def _is_ours(self, message: object) -> bool:
        if type(message) is not dict:
            return False
        event = message.get("event")
        return type(event) is str and event in _EVENTS and message.keys() >= _EVENTS[event]


def endpoint(what: str) -> Endpoint:
    """`BTCUSD,ticker:ETHUSD`: the trades of a pair, or its ticker."""
    parts = parts_of(what, _PART, "bitfinex", "pair", "BTCUSD,ticker:ETHUSD")
    if len(parts) > MAX_CHANNELS:
        raise SettingsError(f"bitfinex: {len(parts)} channels; one connection carries {MAX_CHANNELS}")
    send = [{"event": "conf", "flags": NUMBERED}]
    for part in parts:
        wants_ticker = part.startswith("ticker:")
        pair = part.removeprefix("ticker:")
        symbol = pair if pair.startswith("t") else f"t{pair}"
        send.append({"event": "subscribe", "channel": "ticker" if wants_ticker else "trades", "symbol": symbol})
    return Endpoint(URL, tuple(map(json.dumps, send)), ATTEMPTS)
