"""Bitstamp: version 2 of its WebSocket API.

Source: bitstamp.net/websocket/v2.
"""

from __future__ import annotations

import json
import re
from operator import attrgetter
from typing import Any, ClassVar

import msgspec

from tuistream.core.batch import IdRule
from tuistream.decoders.contract import Decoded, Endpoint
from tuistream.decoders.wire.columns import Number, Positions, Ticks, Told, Whole
from tuistream.decoders.wire.numbers import NAN
from tuistream.decoders.wire.short_names import parts_of
from tuistream.decoders.wire.typed import Table, Typed, passed_over
from tuistream.decoders.wire.venue import Kind, Message, Outcome, VenueDecoder, notice

URL = "wss://ws.bitstamp.net"
HEARTBEAT = (30.0, '{"event":"bts:heartbeat"}')
TRADES = "live_trades_"

# The numbers are there as floats too, which have lost digits. Ids rise, but not by one.
_TRADE = Kind(
    "trade",
    {"price": "price_str", "qty": "amount_str", "side": "type"},
    "microtimestamp",
    "id",
    IdRule.UNIQUE,
)
_SIDES = {0: 1.0, 1: -1.0}  # the taker's
_TRADES = Ticks(_TRADE, {"type": _SIDES})
_CHANNEL = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*(?:-[a-z]+)?", re.ASCII)


class _Data(msgspec.Struct, gc=False):
    price_str: Number
    amount_str: Number
    type: Whole
    microtimestamp: str
    id: Whole


class _Message(msgspec.Struct, tag_field="event", gc=False):
    channel: str


class _Trade(_Message, tag="trade", kw_only=True):
    data: _Data


class Decoder(VenueDecoder):
    """Bitstamp's frames. A stream is named by its pair, such as "btcusd"."""

    name: ClassVar[str] = "bitstamp"
    name_key: ClassVar[str] = "channel"

    def heartbeat(self) -> tuple[float, str]:
        return HEARTBEAT

    def _make_typed(self) -> Typed:
        others = passed_over(_Message, "data order_created order_changed order_deleted")
        left = [
            msgspec.defstruct("_Control", [], bases=(_Message,), tag=f"bts:{event}", gc=False)
            for event in ("heartbeat", "subscription_succeeded", "error", "request_reconnect")
        ]
        table: Table = {_Trade: _TRADES, **dict.fromkeys(others)}
        return Typed(self._rows, self.name_key, [*table, *left], table, told=_told)

    def _message(self, message: object, recv: int, out: Decoded) -> Outcome:
        if type(message) is not dict:
            return Outcome.OTHER
        event = message.get("event")
        if event == "trade":
            trade: Message = message["data"]
            side = trade["type"]
            trade["type"] = _SIDES.get(side, NAN) if type(side) is int else NAN
            self._stage_trade(_TRADE, message["channel"].removeprefix(TRADES), trade, recv)
        elif type(event) is str and event.startswith("bts:"):
            if event == "bts:request_reconnect":
                out.reconnect = True
                notice(out, "bitstamp: the server asks for a reconnect")
            elif event == "bts:error":
                notice(out, f"bitstamp: {message['data']['message']}")
            return Outcome.CONTROL
        return Outcome.OTHER

    def _is_ours(self, message: object) -> bool:
        if type(message) is not dict:
            return False
        event = message["event"]
        if event == "trade":
            return message["channel"].startswith(TRADES) and "microtimestamp" in message["data"]
        return type(event) is str and event.startswith("bts:") and "channel" in message


def _told(_ticks: Ticks, messages: list[Any], at: Positions) -> Told:
    """Trades, named by the channels of their messages."""
    channels = list(map(attrgetter("channel"), messages))
    return Told(list(map(attrgetter("data"), messages)), at, [each.removeprefix(TRADES) for each in channels])


def endpoint(what: str) -> Endpoint:
    """`btcusd,ethusd`: the trades of these pairs; or channels in full, such as `live_trades_btcusd`."""
    parts = parts_of(what.lower(), _CHANNEL, "bitstamp", "pair", "btcusd,ethusd")
    channels = [part if "_" in part else TRADES + part for part in parts]
    send = (json.dumps({"event": "bts:subscribe", "data": {"channel": channel}}) for channel in channels)
    return Endpoint(URL, tuple(send))
