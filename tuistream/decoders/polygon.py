"""Polygon, which is also called Massive: trades, quotes and aggregates. Every frame is an array.

Source: polygon.io/docs/websocket; github.com/polygon-io/client-python, polygon/websocket/models.
"""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar

import msgspec

from tuistream.core.batch import IdRule
from tuistream.decoders.contract import Decoded, Endpoint
from tuistream.decoders.wire.columns import Ticks, Whole, row_type
from tuistream.decoders.wire.short_names import key_of, parts_of, place_of
from tuistream.decoders.wire.typed import Table, Typed, list_of, passed_over
from tuistream.decoders.wire.venue import Kind, Message, Outcome, VenueDecoder, notice

URL = "wss://socket.polygon.io/"
CLUSTERS = {"stocks": "T", "crypto": "XT", "options": "T"}  # and what a symbol alone means there
KEY = "POLYGON_API_KEY"

_BAR = {"open": "o", "high": "h", "low": "l", "close": "c", "volume": "v"}
_QUOTE = {"bid": "bp", "bid_qty": "bs", "ask": "ap", "ask_qty": "as"}
_SHARES = {"price": "p", "qty": "s"}
# Numbers of a ticker rise, but not by one. Aggregates have the time of their end; late ones are meant.
_KINDS = {
    "T": Kind("trade", _SHARES, "t", "q", IdRule.UNIQUE),
    "Q": Kind("quote", _QUOTE, "t", "q", IdRule.UNIQUE),
    "A": Kind("bar_1s", _BAR, "e", optional={"vwap": "vw"}),
    "AM": Kind("bar_1m", _BAR, "e", optional={"vwap": "vw"}),
    "XT": Kind("trade", _SHARES, "t", "i"),
    "XQ": Kind("quote", _QUOTE, "t"),
    "XA": Kind("bar_1m", _BAR, "e", optional={"vwap": "vw"}),
}
_TRADES = ("T", "XT")
_FAILED = ("auth_failed", "auth_timeout", "max_connections", "error", "force_disconnect")
_PART = re.compile(r"(?:(?:T|Q|A|AM|XT|XQ|XA)\.)?(?:[A-Z0-9][A-Z0-9.:/-]*|\*)", re.ASCII)
_WITH_EVENT = re.compile(r"(?:T|Q|A|AM|XT|XQ|XA)\..+", re.ASCII)


class _Status(msgspec.Struct, tag_field="ev", gc=False):
    pass


class Decoder(VenueDecoder):
    """Polygon's frames. Crypto is named by its pair."""

    name: ClassVar[str] = "polygon"
    name_key: ClassVar[str] = "sym"

    def _make_typed(self) -> Typed:
        table: Table = {
            row_type(kind, tag=("ev", event), t=Whole, e=Whole, q=Whole, i=str, **{_name_key(event): str}): Ticks(
                kind, name=_name_key(event)
            )
            for event, kind in _KINDS.items()
        }
        messages = list_of([*table, *passed_over(_Status, "status")])
        return Typed(self._rows, self.name_key, [messages], table, lists=list)

    def _message(self, message: object, recv: int, out: Decoded) -> Outcome:
        outcome = Outcome.OTHER
        messages: list[Any] = message if type(message) is list else [message] if type(message) is dict else []
        for each in messages:
            event = each["ev"]
            if event == "status":
                self._status(each, out)
                outcome = Outcome.CONTROL
            elif event in _TRADES:
                self._stage_trade(_KINDS[event], each[_name_key(event)], each, recv)
            elif event in _KINDS:
                self._stage(_KINDS[event], each[_name_key(event)], each, recv)
        return outcome

    def _status(self, each: Message, out: Decoded) -> None:
        status = each["status"]
        if status == "auth_success":
            self._let_in(out)
        elif status in _FAILED:
            notice(out, f"polygon: {each.get('message') or status}")

    def _is_ours(self, message: object) -> bool:
        if type(message) is not list:
            return False
        first = message[0]
        event = first["ev"]
        return (event == "status" and "message" in first) or (event in _KINDS and _name_key(event) in first)


def _name_key(event: str) -> str:
    return "pair" if event.startswith("X") else "sym"


def endpoint(what: str) -> Endpoint:
    """`AAPL,Q.AAPL` of stocks, `crypto/BTC-USD` of another cluster; a symbol alone means its trades, `*` all."""
    cluster, rest = place_of(what, tuple(CLUSTERS), "polygon")
    parts = parts_of(rest, _PART, "polygon", "symbol", "AAPL,Q.AAPL")
    params = [part if _WITH_EVENT.fullmatch(part) else f"{CLUSTERS[cluster]}.{part}" for part in parts]
    key = key_of("polygon", KEY)
    login, subscribe = {"action": "auth", "params": key}, {"action": "subscribe", "params": ",".join(params)}
    return Endpoint(URL + cluster, (json.dumps(login),), None, (json.dumps(subscribe),), (key,))
