from __future__ import annotations

import json

import pytest

from tests.decoders.recorded import NOW, by_stream
from tests.decoders.venues import decode
from tuistream import decoders
from tuistream.core.batch import IdRule
from tuistream.core.errors import SettingsError
from tuistream.core.text import redact_url, secrets_of
from tuistream.decoders.contract import DecoderOptions
from tuistream.decoders.finnhub import KEY, Decoder

TRADE = {"p": 7296.89, "s": "BINANCE:BTCUSDT", "t": 1575526691134, "v": 0.011467, "c": None}


def decoder() -> Decoder:
    return Decoder("f", DecoderOptions())


def test_a_trade() -> None:
    out = decode(decoder(), {"type": "trade", "data": [TRADE]})
    assert out.batches[0].stream.ids is IdRule.OPAQUE
    assert by_stream(out.batches) == {
        ("f", "BINANCE:BTCUSDT", "trade"): [(1575526691134 * 10**6, {"price": 7296.89, "qty": 0.011467}, None)]
    }


def test_the_trades_of_a_message_are_put_in_order() -> None:
    data = [{**TRADE, "t": TRADE["t"] + n, "p": n} for n in (3, 1, 2)]  # type: ignore[operator]
    (batch,) = decode(decoder(), {"type": "trade", "data": data}).batches
    assert batch.v[:, 0].tolist() == [1.0, 2.0, 3.0]


def test_without_a_volume_it_is_a_price_and_no_trade() -> None:
    out = decode(decoder(), {"type": "trade", "data": [TRADE, {**TRADE, "v": 0}]})
    assert [(batch.stream.kind, batch.stream.fields) for batch in out.batches] == [
        ("trade", ("price", "qty")),
        ("price", ("price",)),
    ]


def test_control() -> None:
    out = decode(decoder(), {"type": "ping"}, {"type": "error", "msg": "Subscribing to too many symbols"})
    assert (out.control, out.notices, out.replies) == (2, ["finnhub: Subscribing to too many symbols"], [])
    broken = decode(decoder(), {"type": "trade", "data": [TRADE, {**TRADE, "p": None}]}, {"type": "trade"})
    assert (broken.batches, len(broken.malformed)) == ([], 2)


def test_it_is_known_by_its_frames() -> None:
    using = decoders.create("auto", "f", DecoderOptions())
    using.decode([json.dumps({"type": "trade", "data": [TRADE]}).encode()], NOW)
    assert using.chosen == "finnhub"


def test_the_key_is_in_the_url_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "s3cr&t")
    endpoint = decoders.endpoint("finnhub", "BINANCE:BTCUSDT,AAPL")
    assert endpoint.url == "wss://ws.finnhub.io?token=s3cr%26t"
    assert [json.loads(message)["symbol"] for message in endpoint.send] == ["BINANCE:BTCUSDT", "AAPL"]
    assert "s3cr" not in redact_url(endpoint.url)
    assert secrets_of(endpoint.url) == ["s3cr&t"]


@pytest.mark.parametrize("key", [None, " ", "a\x1bb"])
def test_a_key_is_wanted(monkeypatch: pytest.MonkeyPatch, key: str | None) -> None:
    if key is None:
        monkeypatch.delenv(KEY, raising=False)
    else:
        monkeypatch.setenv(KEY, key)
    with pytest.raises(SettingsError, match=KEY):
        decoders.endpoint("finnhub", "AAPL")
    with pytest.raises(SettingsError, match="symbol"):
        decoders.endpoint("finnhub", "")
