from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuistream.store.location import default_path, file_name

DAY = 1_795_219_200_000_000_000  # 2026-11-21 00:00:00 UTC


def test_named_after_the_feed_and_the_utc_day(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_path("binance:btcusdt@trade", DAY).name == "binance-btcusdt@trade-2026-11-21.db"
    assert default_path("kraken:BTC/USD", DAY - 1).name == "kraken-BTC-USD-2026-11-20.db"
    assert default_path("x", DAY).parent.name == "tuistream"


@given(st.text())
def test_any_feed_gives_one_safe_name(feed: str) -> None:
    name = file_name(feed)
    assert 1 <= len(name) <= 80
    assert name.isascii()
    assert name.isprintable()
    assert not set(name) & set('/\\:*?"<>| ')
    assert not name.startswith((".", "-"))


def test_one_that_is_rotated_is_named_after_the_feed_alone() -> None:
    assert default_path("kraken:BTC/USD", None).name == "kraken-BTC-USD.db"
