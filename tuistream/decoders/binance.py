"""Binance: spot, and USD-M futures, whose frames are alike; raw streams and combined ones.

Source: github.com/binance/binance-spot-api-docs, web-socket-streams.md; developers.binance.com, USDⓈ-M futures,
WebSocket market streams.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import reduce
from operator import itemgetter, or_
from typing import Annotated, Any, ClassVar
from urllib.parse import quote

import msgspec
import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from tuistream.core.batch import IdRule, Times
from tuistream.core.errors import SettingsError
from tuistream.core.frames import Frames
from tuistream.core.text import printable
from tuistream.decoders.contract import Decoded, DecoderOptions, Endpoint
from tuistream.decoders.wire.columns import Absent, Flag, Number, Ticks, Whole
from tuistream.decoders.wire.json_text import Malformed
from tuistream.decoders.wire.numbers import NAN, to_float
from tuistream.decoders.wire.rows import StreamRows
from tuistream.decoders.wire.timestamps import to_ns
from tuistream.decoders.wire.typed import Done, Table, Typed, passed_over
from tuistream.decoders.wire.venue import Kind, Message, Outcome, VenueDecoder, notice

URL = "wss://stream.binance.com:9443/stream?streams="
ATTEMPTS = (300, 300.0)  # connections per IP in 5 minutes
MAX_STREAMS = 1_024  # of one connection

_SHARES = {"price": "p", "qty": "q", "side": "m"}
_BOOK = {"bid": "b", "bid_qty": "B", "ask": "a", "ask_qty": "A"}
_DAY = {"price": "c", "open": "o", "high": "h", "low": "l", "volume": "v", "quote_volume": "q"}
_TICKER = {"qty": "Q", "change": "p", "change_pct": "P", "vwap": "w", "trades": "n"}
_BAR = {"open": "o", "high": "h", "low": "l", "close": "c", "volume": "v", "quote_volume": "q", "trades": "n"}

_TRADE = Kind("trade", _SHARES, "T", "t", IdRule.CONSECUTIVE)
_BOOK_TICKER = Kind("bookTicker", _BOOK, "", "u", IdRule.UNIQUE)  # of spot, which has no time
_BOOK_TICKER_TIMED = Kind("bookTicker", _BOOK, "T", "u", IdRule.UNIQUE)
_KINDS = {
    "trade": _TRADE,
    "aggTrade": Kind("aggTrade", _SHARES, "T", "a", IdRule.CONSECUTIVE),
    "24hrMiniTicker": Kind("miniTicker", _DAY, "E"),
    "24hrTicker": Kind("ticker", _DAY, "E", optional={**_TICKER, **_BOOK}),
    "1hTicker": Kind("ticker_1h", _DAY, "E", optional=_TICKER),
    "4hTicker": Kind("ticker_4h", _DAY, "E", optional=_TICKER),
    "1dTicker": Kind("ticker_1d", _DAY, "E", optional=_TICKER),
    "avgPrice": Kind("avgPrice", {"price": "w"}, "T"),
    "markPriceUpdate": Kind("markPrice", {"price": "p"}, "E", optional={"index": "i", "settle": "P", "funding": "r"}),
}
# The keys by which an event is known to be Binance's, besides "e".
_OURS = {
    "trade": "E s t p q T m",
    "aggTrade": "E s a p q f l T m",
    "kline": "E s k",
    "bookTicker": "u s b B a A T E",
    "depthUpdate": "E s U u b a",
    "24hrMiniTicker": "E s c o h l v q",
    "24hrTicker": "E s p P w c Q o h l v q",
    "markPriceUpdate": "E s p i r T",
    "avgPrice": "E s i w T",
    "serverShutdown": "E",
}
_STREAM_TYPES = {
    name.lower(): name for name in ("trade", "aggTrade", "bookTicker", "miniTicker", "ticker", "avgPrice", "depth")
}
_STREAM = re.compile(r"!?\w+(?:@\w[\w@:+.-]*)?")
Id = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]


class _Event(msgspec.Struct, tag_field="e", gc=False):
    data: Absent = UNSET  # with which it would be a combined message


class _Shares(_Event, tag="trade", kw_only=True):
    s: str
    t: Whole
    p: Number
    q: Number
    T: Whole
    m: Flag
    X: str = "MARKET"


class _AggregatedShares(_Event, tag="aggTrade", kw_only=True):
    s: str
    a: Whole
    p: Number
    q: Number
    T: Whole
    m: Flag
    X: str = "MARKET"


class _TimedQuotes(_Event, tag="bookTicker", kw_only=True):
    u: Whole
    s: str
    b: Number
    B: Number
    a: Number
    A: Number
    T: Whole


class _Quotes(msgspec.Struct, gc=False):
    u: Whole
    s: str
    b: Number
    B: Number
    a: Number
    A: Number
    e: Absent = UNSET
    data: Absent = UNSET


class _Trade(msgspec.Struct, tag_field="e", tag="trade"):
    s: str
    t: Id
    p: str
    q: str
    T: int
    m: bool
    X: str = "MARKET"


class _BookTicker(msgspec.Struct):
    u: Id
    s: str
    b: str
    B: str
    a: str
    A: str
    e: str = "bookTicker"
    T: int = 0


class _Depth(msgspec.Struct, tag_field="e", tag="depthUpdate", forbid_unknown_fields=True):
    """An update of an order book, whose levels are only passed over."""

    b: msgspec.Raw
    a: msgspec.Raw
    E: msgspec.Raw
    s: msgspec.Raw
    U: msgspec.Raw
    u: msgspec.Raw
    T: msgspec.Raw = msgspec.Raw(b"")  # of futures, as is the next
    pu: msgspec.Raw = msgspec.Raw(b"")


class _CombinedDepth(msgspec.Struct, forbid_unknown_fields=True):
    stream: msgspec.Raw
    data: _Depth


class _CombinedTrade(msgspec.Struct):
    data: _Trade


class _CombinedBookTicker(msgspec.Struct):
    data: _BookTicker


_MAKER_BOUGHT = {True: -1.0, False: 1.0}
_EVENTS: Table = {
    _Shares: Ticks(_TRADE, {"m": _MAKER_BOUGHT}, only={"X": "MARKET"}),
    _AggregatedShares: Ticks(_KINDS["aggTrade"], {"m": _MAKER_BOUGHT}, only={"X": "MARKET"}),
    _TimedQuotes: Ticks(_BOOK_TICKER_TIMED),
}
_OTHERS = (
    "kline 24hrMiniTicker 24hrTicker 1hTicker 4hTicker 1dTicker avgPrice referencePrice markPriceUpdate forceOrder "
    "serverShutdown"
)
_QUOTE = ord('"')  # that a bookTicker of spot ends with, but for the brackets
_trade = msgspec.json.Decoder(_Trade).decode
_book_ticker = msgspec.json.Decoder(_BookTicker).decode
_depth = msgspec.json.Decoder(_Depth).decode
_combined_trade = msgspec.json.Decoder(_CombinedTrade).decode
_combined_book_ticker = msgspec.json.Decoder(_CombinedBookTicker).decode
_combined_depth = msgspec.json.Decoder(_CombinedDepth).decode


class Decoder(VenueDecoder):
    """Binance's frames. `side` is +1 where the buyer took: `m` says that the buyer was the maker."""

    name: ClassVar[str] = "binance"
    name_key: ClassVar[str] = "s"

    def __init__(self, feed: str, options: DecoderOptions) -> None:
        super().__init__(feed, options)
        self._trades: dict[str, StreamRows] = {}
        self._books: dict[str, StreamRows] = {}
        self._of_events: dict[bool, Typed] = {}  # by whether messages are combined
        self._of_quotes: dict[bool, Typed] = {}

    def _together(self, frames: Sequence[bytes], recv: int | Times, done: Done) -> None:
        """A bookTicker of spot does not say what it is, so that those and the others are decoded apart."""
        combined = frames[0].startswith(b'{"stream":"')
        if combined not in self._of_events:
            quotes: Table = {_Quotes: Ticks(_BOOK_TICKER)}
            self._of_quotes[combined] = self._make_typed_of(quotes, [], combined)
            books, others = passed_over(_Event, "depthUpdate"), passed_over(_Event, _OTHERS)
            self._of_events[combined] = self._make_typed_of(_EVENTS | dict.fromkeys(books), others, combined)
        like_quotes = _last(frames, 3 if combined else 2) == _QUOTE
        self._of_quotes[combined].take(frames, np.flatnonzero(like_quotes), recv, done)
        self._of_events[combined].take(frames, np.flatnonzero(~like_quotes), recv, done)

    def _make_typed_of(self, table: Table, others: list[Any], combined: bool) -> Typed:
        types = [*table, *others]
        if not combined:
            return Typed(self._rows, self.name_key, types, table)
        fields: list[tuple[str, Any]] = [("stream", msgspec.Raw), ("data", reduce(or_, types))]
        message = msgspec.defstruct("_Combined", fields, gc=False)
        return Typed(self._rows, self.name_key, [message], table, inside="data")

    def _frame(self, frame: bytes, recv: int, out: Decoded) -> Outcome:
        """Trades and bookTickers of streams that are known already go a shorter way with the same result."""
        combined = frame.startswith(b'{"stream":"')
        try:
            if b'"e":"trade"' in frame:
                trade = _combined_trade(frame).data if combined else _trade(frame)
                if self._take_trade(trade, recv):
                    return Outcome.DATA
            elif b'bookTicker"' in frame or frame.startswith(b'{"u":'):
                book = _combined_book_ticker(frame).data if combined else _book_ticker(frame)
                if self._take_book_ticker(book, recv):
                    return Outcome.DATA
            elif b'"e":"depthUpdate"' in frame and frame.isascii():  # what is passed over may be no UTF-8
                (_combined_depth if combined else _depth)(frame)
                return Outcome.OTHER
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass  # it is something else, or broken: the general way tells
        return super()._frame(frame, recv, out)

    def _take_trade(self, trade: _Trade, recv: int) -> bool:
        rows = self._trades.get(trade.s)
        t = to_ns(trade.T, recv)
        price, qty = to_float(trade.p), to_float(trade.q)
        if rows is None or t is None or price != price or trade.X != "MARKET":
            return False
        rows.add(t, [price, qty, -1.0 if trade.m else 1.0], trade.t)
        return True

    def _take_book_ticker(self, book: _BookTicker, recv: int) -> bool:
        rows = self._books.get(book.s)
        if rows is None or book.e != "bookTicker":
            return False
        t: int | None = recv
        if rows.stream.timed:
            t = to_ns(book.T, recv)
        values = [to_float(book.b), to_float(book.B), to_float(book.a), to_float(book.A)]
        if t is None or values[0] != values[0] or values[2] != values[2]:
            return False
        rows.add(t, values, book.u)
        return True

    def _message(self, message: object, recv: int, out: Decoded) -> Outcome:
        if type(message) is list:
            return self._each(message, recv, out)
        if type(message) is not dict:
            return Outcome.OTHER
        if "stream" in message and "data" in message:
            data = message["data"]
            return self._each(data if type(data) is list else [data], recv, out)
        return self._event(message, recv, out)

    def _each(self, events: list[Any], recv: int, out: Decoded) -> Outcome:
        outcomes = {self._event(event, recv, out) for event in events if type(event) is dict}
        return Outcome.CONTROL if Outcome.CONTROL in outcomes else Outcome.OTHER

    def _event(self, event: Message, recv: int, out: Decoded) -> Outcome:
        which = event.get("e")
        if which == "serverShutdown":
            out.reconnect = True
            notice(out, "binance: the server is about to shut down")
            return Outcome.CONTROL
        if which == "kline":
            self._bar(event, recv)
        elif which == "bookTicker" or (which is None and _is_book_ticker(event)):
            self._book(event, recv)
        elif type(which) is str and which in _KINDS:
            self._tick(_KINDS[which], event, recv)
        elif which is None:
            return _control(event, out)
        return Outcome.OTHER

    def _tick(self, kind: Kind, event: Message, recv: int) -> None:
        if "m" in kind.keys.values():
            event["m"] = {True: -1.0, False: 1.0}.get(event["m"], NAN) if type(event["m"]) is bool else NAN
            if event.get("X", "MARKET") != "MARKET" and to_float(event["p"]) == 0.0:
                event["p"] = event["q"] = None  # takes a number of the sequence, but is no trade at a price
            elif to_float(event["p"]) != to_float(event["p"]):
                raise Malformed("a trade without a finite price")
        rows = self._stage(kind, event["s"], event, recv)
        if kind is _TRADE and rows is not None:
            self._trades[event["s"]] = rows

    def _book(self, event: Message, recv: int) -> None:
        known = self._books.get(event["s"])
        timed = "T" in event if known is None else known.stream.timed
        rows = self._stage(_BOOK_TICKER_TIMED if timed else _BOOK_TICKER, event["s"], event, recv)
        if rows is not None:
            self._books[event["s"]] = rows

    def _bar(self, event: Message, recv: int) -> None:
        """A bar that is final, at the time of its end. One that still forms comes again every second or two."""
        bar = event["k"]
        if bar["x"] is True:
            self._stage(Kind(f"kline_{printable(str(bar['i']), 8)}", _BAR, "T"), event["s"], bar, recv)

    def _is_ours(self, message: object) -> bool:
        if type(message) is dict and type(message.get("stream")) is str and "data" in message:
            message = message["data"]
        event = message[0] if type(message) is list else message
        if type(event) is not dict:
            return False
        if "e" in event:
            return event["e"] in _OURS and event.keys() >= set(_OURS[event["e"]].split())
        return "E" not in event and _is_book_ticker(event)


def _last(frames: Sequence[bytes], behind: int) -> NDArray[np.uint8]:
    """The byte `behind` bytes before the end of each frame; where one has fewer, any."""
    if isinstance(frames, Frames):
        return np.frombuffer(frames.data, dtype=np.uint8)[frames.ends - behind]
    if min(map(len, frames)) < behind:
        return np.zeros(len(frames), dtype=np.uint8)
    return np.fromiter(map(itemgetter(-behind), frames), np.uint8, len(frames))


def _is_book_ticker(event: Message) -> bool:
    quotes = [type(event.get(key)) for key in _BOOK.values()]
    return type(event.get("u")) is int and type(event.get("s")) is str and {str, int, float}.issuperset(quotes)


def _control(event: Message, out: Decoded) -> Outcome:
    """An answer to a request, or an error; depth by REST or in parts has neither."""
    error = event.get("error", event)
    if type(error) is dict and "code" in error and "msg" in error:
        notice(out, f"binance: {error['msg']} (code {error['code']})")
        return Outcome.CONTROL
    return Outcome.CONTROL if "result" in event else Outcome.OTHER


def endpoint(what: str) -> Endpoint:
    """`btcusdt@trade,btcusdt@bookTicker` (any streams of the spot API); a symbol alone means its trades."""
    names = [_stream_name(part.strip()) for part in what.split(",") if part.strip()]
    if not names:
        raise SettingsError("binance: which streams? such as binance:btcusdt@trade,btcusdt@bookTicker")
    if len(names) > MAX_STREAMS:
        raise SettingsError(f"binance: {len(names):,} streams; one connection carries {MAX_STREAMS:,}")
    return Endpoint(URL + "/".join(quote(name, safe="@!+:-") for name in names), (), ATTEMPTS)


def _stream_name(part: str) -> str:
    """The name as Binance wants it: symbols in lower case, the type as documented."""
    if _STREAM.fullmatch(part) is None:
        raise SettingsError(f"binance: {printable(part)!r} is no stream; one is such as btcusdt@trade")
    symbol, _, rest = part.partition("@")
    if part.startswith("!"):
        return part
    return f"{symbol.lower()}@{_STREAM_TYPES.get(rest.lower(), rest) or 'trade'}"
