"""What the frames of a venue have in them, so that a venue's file is imported only where they might be its."""

from __future__ import annotations

# A frame that holds none of a venue's marks is not that venue's; one without marks here may be anybody's.
MARKS: dict[str, tuple[bytes, ...]] = {
    "alpaca": (b'"T"',),
    "binance": (b'"e"', b'"u"'),
    "bitfinex": (b'"event"',),
    "bitstamp": (b'"event"',),
    "bybit": (b'"topic"',),
    "coinbase": (b'"type"', b'"sequence_num"'),
    "finnhub": (b'"type"',),
    "gemini": (b'"E"', b'"type"'),
    "kraken": (b'"channel"', b'"event"', b'"trade"', b'"ticker"', b'"spread"', b'"book-', b'"ohlc-'),
    "okx": (b'"arg"',),
    "polygon": (b'"ev"',),
    "recording": (b'"tuistream"',),
}


def may_be(venue: str, frame: bytes) -> bool:
    """Whether `frame` may be the first of this venue's. Escaped keys are nobody's."""
    marks = MARKS.get(venue, ())
    return not marks or any(mark in frame for mark in marks)
