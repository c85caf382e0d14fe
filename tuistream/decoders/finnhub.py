"""Finnhub: trades of its WebSocket API.

Source: finnhub.io/docs/api/websocket-trades.
"""

from __future__ import annotations

import json
import re
from operator import attrgetter, itemgetter
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec
from msgspec import UNSET, UnsetType

from tuistream.decoders.contract import Decoded, Endpoint
from tuistream.decoders.wire.columns import Ticks, Whole, row_type
from tuistream.decoders.wire.numbers import to_float
from tuistream.decoders.wire.short_names import key_of, parts_of
from tuistream.decoders.wire.typed import Table, Typed
from tuistream.decoders.wire.venue import Kind, Message, Outcome, VenueDecoder, notice

URL = "wss://ws.finnhub.io?token="
KEY = "FINNHUB_API_KEY"

_TRADE = Kind("trade", {"price": "p", "qty": "v"}, "t")
_PRICE = Kind("price", {"price": "p"}, "t")  # a trade without a volume is none: only the price has changed
_SYMBOL = re.compile(r"[A-Za-z0-9.^=_:/ -]+", re.ASCII)
_Row = row_type(_TRADE, s=str, t=Whole)


class _Message(msgspec.Struct, gc=False):
    type: str
    data: list[_Row] | UnsetType = UNSET  # type: ignore[valid-type]


class Decoder(VenueDecoder):
    """Finnhub's frames. The trades of one message come in any order, and are put in that of their times."""

    name: ClassVar[str] = "finnhub"
    name_key: ClassVar[str] = "s"

    def _make_typed(self) -> Typed:
        table: Table = {True: Ticks(_TRADE), False: Ticks(_PRICE)}
        return Typed(
            self._rows, self.name_key, [_Message], table, keys=_have_volume, lists=_in_order, fits=_are_trades
        )

    def _message(self, message: object, recv: int, out: Decoded) -> Outcome:
        if type(message) is not dict:
            return Outcome.OTHER
        which = message.get("type")
        if which == "trade":
            for trade in sorted(message["data"], key=itemgetter("t")):
                kind = _PRICE if to_float(trade["v"]) == 0.0 else _TRADE
                self._stage_trade(kind, trade["s"], trade, recv)
        elif which == "error":
            notice(out, f"finnhub: {message.get('msg')}")
        return Outcome.CONTROL if which in ("ping", "error") else Outcome.OTHER

    def _is_ours(self, message: object) -> bool:
        if type(message) is not dict or message.get("type") != "trade":
            return False
        first: Message = message["data"][0]
        return first.keys() >= {"p", "s", "t", "v"}


def _are_trades(messages: list[Any]) -> bool:
    return {"trade"} == set(map(attrgetter("type"), messages))


def _in_order(messages: list[Any]) -> list[list[Any]]:
    return [sorted(each.data, key=attrgetter("t")) for each in messages]


def _have_volume(rows: list[Any]) -> list[bool]:
    return [each.v != 0.0 for each in rows]


def endpoint(what: str) -> Endpoint:
    """`BINANCE:BTCUSDT,AAPL`: the trades of these symbols."""
    symbols = parts_of(what, _SYMBOL, "finnhub", "symbol", "BINANCE:BTCUSDT,AAPL")
    url = URL + quote(key_of("finnhub", KEY), safe="")
    return Endpoint(url, tuple(json.dumps({"type": "subscribe", "symbol": symbol}) for symbol in symbols))
