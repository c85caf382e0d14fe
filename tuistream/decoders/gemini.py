"""Gemini: its WebSocket API, and version 2 of its market data, which is archived and still there.

Source: github.com/gemini/developer-platform, specs/asyncapi/websocket.yaml; docs.gemini.com/websocket-api,
marketdata v2.
"""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar

import msgspec
from msgspec import UNSET

from tuistream.core.batch import IdRule
from tuistream.decoders.contract import Decoded, Endpoint
from tuistream.decoders.wire.columns import Absent, Flag, Number, Skipped, Ticks, Whole
from tuistream.decoders.wire.numbers import NAN
from tuistream.decoders.wire.short_names import parts_of
from tuistream.decoders.wire.typed import Table, Typed
from tuistream.decoders.wire.venue import Kind, Message, Outcome, VenueDecoder, notice

URL = "wss://ws.gemini.com"
HEARTBEAT = (30.0, '{"id":"ping","method":"ping"}')
BEATING_V2 = 15.0  # seconds: there a heartbeat comes every five

_TRADE = Kind("trade", {"price": "p", "qty": "q", "side": "m"}, "E", "t", IdRule.UNIQUE)
_QUOTE = Kind("bookTicker", {"bid": "b", "bid_qty": "B", "ask": "a", "ask_qty": "A"}, "E", "u", IdRule.UNIQUE)
_TRADE_V2 = Kind(
    "trade", {"price": "price", "qty": "quantity", "side": "side"}, "timestamp", "event_id", IdRule.UNIQUE
)
_MAKER_BOUGHT = {True: -1.0, False: 1.0}
_SIDES_V2 = {"buy": 1.0, "sell": -1.0}
_PART = re.compile(r"[A-Za-z0-9]+(?:@[A-Za-z0-9]+)*", re.ASCII)


class _Event(msgspec.Struct, gc=False):
    """A trade, quotes or an update of the book, which only the latter says of itself."""

    s: str
    E: Whole
    e: str | msgspec.UnsetType = UNSET
    t: Whole | msgspec.UnsetType = UNSET
    p: Number | msgspec.UnsetType = UNSET
    q: Number | msgspec.UnsetType = UNSET
    m: Flag | msgspec.UnsetType = UNSET
    u: Whole | msgspec.UnsetType = UNSET
    b: Number | Skipped | msgspec.UnsetType = UNSET
    B: Number | msgspec.UnsetType = UNSET
    a: Number | Skipped | msgspec.UnsetType = UNSET
    A: Number | msgspec.UnsetType = UNSET
    status: Absent = UNSET
    type: Absent = UNSET


class Decoder(VenueDecoder):
    """Gemini's frames. `m` says that the buyer was the maker."""

    name: ClassVar[str] = "gemini"
    name_key: ClassVar[str] = "s"

    def heartbeat(self) -> tuple[float, str]:
        return HEARTBEAT

    def _make_typed(self) -> Typed:
        table: Table = {"trade": Ticks(_TRADE, {"m": _MAKER_BOUGHT}), "quote": Ticks(_QUOTE), "book": None}
        return Typed(self._rows, self.name_key, [_Event], table, keys=_kinds)

    def _message(self, message: object, recv: int, out: Decoded) -> Outcome:
        if type(message) is not dict:
            return Outcome.OTHER
        if "status" in message:
            error = message.get("error")
            if type(error) is dict:
                notice(out, f"gemini: {error.get('msg')} (code {error.get('code')})")
            return Outcome.CONTROL
        if "type" in message:
            return self._version_2(message, recv, out)
        if "e" in message:
            return Outcome.OTHER
        if "t" in message:
            maker_bought = message["m"]
            message["m"] = _MAKER_BOUGHT.get(maker_bought, NAN) if type(maker_bought) is bool else NAN
            self._stage_trade(_TRADE, message["s"], message, recv)
        elif "u" in message:
            self._stage(_QUOTE, message["s"], message, recv)
        return Outcome.OTHER

    def _version_2(self, message: Message, recv: int, out: Decoded) -> Outcome:
        which = message["type"]
        if which == "heartbeat":
            self.stale_after = BEATING_V2
            return Outcome.CONTROL
        # The first update of a book brings the last trades, which may be of days ago: they keep their own times.
        for trade in [message] if which == "trade" else message.get("trades") or ():
            trade["side"] = _SIDES_V2.get(trade["side"], NAN)
            self._stage_trade(_TRADE_V2, trade["symbol"], trade, recv)
        if which == "error" or message.get("result") == "error":
            notice(out, f"gemini: {message.get('message') or message.get('reason')}")
            return Outcome.CONTROL
        return Outcome.OTHER

    def _is_ours(self, message: object) -> bool:
        if type(message) is not dict:
            return False
        which = message.get("type")
        if which == "trade":
            return message.keys() >= {"symbol", "event_id", "timestamp", "price", "quantity", "side"}
        if which == "l2_updates":
            return type(message["symbol"]) is str and type(message["changes"]) is list
        if "e" in message or type(message.get("E")) is not int or message["E"] < 10**17:
            return False
        return message.keys() >= {"s", "t", "p", "q", "m"} or message.keys() >= {"s", "u", "b", "B", "a", "A"}


def _kinds(messages: list[Any]) -> list[str]:
    return [
        "book" if each.e is not UNSET else "trade" if each.t is not UNSET else "quote" if each.u is not UNSET else ""
        for each in messages
    ]


def endpoint(what: str) -> Endpoint:
    """`btcusd,ethusd@bookTicker`: streams of symbols; a symbol alone means its trades."""
    parts = parts_of(what, _PART, "gemini", "symbol", "btcusd,ethusd@bookTicker")
    params = [part if "@" in part else f"{part.lower()}@trade" for part in parts]
    return Endpoint(URL, (json.dumps({"id": "1", "method": "subscribe", "params": params}),))
