"""Names tell streams apart, in as few words as do it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tuistream.ui.streams import labels

words = st.sampled_from(["", "a", "b", "trade", "x y"])


def test_labels() -> None:
    keys = [
        ("binance", "BTC", "trade"),
        ("binance", "BTC", "bookTicker"),
        ("binance", "ETH", "trade"),
        ("kraken", "ETH", "trade"),
        ("local", "", "temperature"),
    ]
    assert list(labels(keys).values()) == ["BTC", "BTC bookTicker", "ETH binance", "ETH kraken", "temperature"]


@given(st.lists(st.tuples(words, words, words), unique=True, max_size=8))
def test_every_stream_has_a_name(keys: list[tuple[str, str, str]]) -> None:
    found = labels(keys)
    assert list(found) == keys
    assert all(found.values())
