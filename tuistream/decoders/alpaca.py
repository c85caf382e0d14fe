"""Alpaca: its stream of stocks. Every frame is an array.

Source: docs.alpaca.markets, streaming-market-data and real-time-stock-pricing-data.
"""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar

import msgspec

from tuistream.core.errors import SettingsError
from tuistream.decoders.contract import Decoded, Endpoint
from tuistream.decoders.wire.columns import Ticks, Whole, row_type
from tuistream.decoders.wire.short_names import key_of, parts_of, place_of
from tuistream.decoders.wire.typed import Table, Typed, list_of, passed_over
from tuistream.decoders.wire.venue import Kind, Message, Outcome, VenueDecoder, notice

URL = "wss://stream.data.alpaca.markets/v2/"
FEEDS = ("iex", "sip", "delayed_sip", "test")
KEY, SECRET = "APCA_API_KEY_ID", "APCA_API_SECRET_KEY"

# Ids are of one exchange and tape, and say nothing by themselves.
_TRADE = Kind("trade", {"price": "p", "qty": "s"}, "t", "i")
_QUOTE = Kind("quote", {"bid": "bp", "bid_qty": "bs", "ask": "ap", "ask_qty": "as"}, "t")
_BAR = {"open": "o", "high": "h", "low": "l", "close": "c", "volume": "v"}
_MORE = {"trades": "n", "vwap": "vw"}
_KINDS = {
    "t": _TRADE,
    "q": _QUOTE,
    "b": Kind("bar", _BAR, "t", optional=_MORE),
    "d": Kind("dailyBar", _BAR, "t", optional=_MORE),
    "u": Kind("updatedBar", _BAR, "t", optional=_MORE),
}
_CONTROL = ("success", "subscription", "error")
_CHANNELS = ("trades", "quotes", "bars", "dailyBars", "updatedBars")
_PART = re.compile(r"(?:[A-Za-z]+:)?(?:[A-Z0-9./]+|\*)", re.ASCII)


class _Other(msgspec.Struct, tag_field="T", gc=False):
    """A correction, a cancellation, a status, or the band of a price."""


class Decoder(VenueDecoder):
    """Alpaca's frames."""

    name: ClassVar[str] = "alpaca"
    name_key: ClassVar[str] = "S"

    def _make_typed(self) -> Typed:
        types = {row_type(kind, tag=("T", tag), S=str, t=str, i=Whole): kind for tag, kind in _KINDS.items()}
        table: Table = {
            **{each: Ticks(kind) for each, kind in types.items()},
            **dict.fromkeys(passed_over(_Other, "c x l s")),
        }
        left = passed_over(_Other, " ".join(_CONTROL))
        messages = list_of([*table, *left])
        return Typed(self._rows, self.name_key, [messages], table, lists=list)

    def _message(self, message: object, recv: int, out: Decoded) -> Outcome:
        outcome = Outcome.OTHER
        messages: list[Any] = message if type(message) is list else [message] if type(message) is dict else []
        for each in messages:
            which = each["T"]
            if which in _CONTROL:
                self._control(which, each, out)
                outcome = Outcome.CONTROL
            elif which == "t":
                self._stage_trade(_TRADE, each["S"], each, recv)
            elif which in _KINDS:
                self._stage(_KINDS[which], each["S"], each, recv)
        return outcome

    def _control(self, which: str, each: Message, out: Decoded) -> None:
        if which == "error":
            notice(out, f"alpaca: {each.get('msg')} (code {each.get('code')})")
        elif which == "success" and each.get("msg") == "authenticated":
            self._let_in(out)

    def _is_ours(self, message: object) -> bool:
        if type(message) is not list:
            return False
        first = message[0]
        if first["T"] in _CONTROL:
            return "msg" in first or "trades" in first
        return first["T"] in _KINDS and type(first["S"]) is str and type(first["t"]) is str


def endpoint(what: str) -> Endpoint:
    """`AAPL,quotes:AMD` of IEX, `sip/AAPL` of another feed; a symbol alone means its trades, `*` means all."""
    feed, rest = place_of(what, FEEDS, "alpaca")
    subscribe: dict[str, Any] = {"action": "subscribe"}
    for part in parts_of(rest, _PART, "alpaca", "symbol", "AAPL,quotes:AMD"):
        channel, _, symbol = part.rpartition(":")
        if channel not in ("", *_CHANNELS):
            raise SettingsError(f"alpaca: there are no {channel}; before the colon is one of {', '.join(_CHANNELS)}")
        subscribe.setdefault(channel or "trades", []).append(symbol)
    key, secret = key_of("alpaca", KEY), key_of("alpaca", SECRET)
    login = json.dumps({"action": "auth", "key": key, "secret": secret})
    return Endpoint(URL + feed, (login,), None, (json.dumps(subscribe),), (key, secret))
