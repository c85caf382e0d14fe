from __future__ import annotations

import json
from typing import Any

import pytest

from tests.decoders.recorded import NOW, by_stream
from tests.decoders.venues import decode
from tuistream import decoders
from tuistream.core.batch import IdRule
from tuistream.core.errors import SettingsError
from tuistream.decoders.contract import DecoderOptions
from tuistream.decoders.polygon import KEY, Decoder

T = 1748476801234
TRADE = {"ev": "T", "sym": "AAPL", "x": 4, "i": "12345", "z": 3, "p": 192.31, "s": 100, "c": [12], "t": T, "q": 7}
BAR = {"ev": "AM", "sym": "AAPL", "v": 4110, "av": 9470157, "op": 0.4372, "vw": 0.4488, "o": 0.4488, "c": 0.4486,
       "h": 0.4489, "l": 0.4486, "a": 0.4352, "z": 685, "s": T - 60_000, "e": T}  # fmt: skip


def decoder(*after_login: str) -> Decoder:
    return Decoder("f", DecoderOptions(after_login=after_login))


def status(which: str, message: str = "") -> list[dict[str, str]]:
    return [{"ev": "status", "status": which, "message": message}]


def test_trades_and_bars_of_one_frame() -> None:
    out = decode(decoder(), [TRADE, BAR, {**TRADE, "q": 12}])
    found = by_stream(out.batches)
    assert found["f", "AAPL", "trade"] == [
        (T * 10**6, {"price": 192.31, "qty": 100.0}, 7),
        (T * 10**6, {"price": 192.31, "qty": 100.0}, 12),
    ]
    ((t, bar, _),) = found["f", "AAPL", "bar_1m"]
    assert (t, bar["close"], bar["vwap"]) == (T * 10**6, 0.4486, 0.4488)
    assert {batch.stream.kind: batch.stream.ids for batch in out.batches} == {
        "trade": IdRule.UNIQUE,
        "bar_1m": IdRule.OPAQUE,
    }


def test_a_late_bar_is_kept() -> None:
    late = {**BAR, "e": T - 900_000}
    (batch,) = decode(decoder(), [BAR], [late]).batches
    assert batch.t.tolist() == [T * 10**6, (T - 900_000) * 10**6]


def test_crypto_is_named_by_its_pair() -> None:
    trade = {
        "ev": "XT",
        "pair": "BTC-USD",
        "p": 33021.9,
        "t": T,
        "s": 0.016,
        "c": [2],
        "i": "142",
        "x": 3,
        "r": T + 6,
    }
    assert by_stream(decode(decoder(), [trade]).batches)["f", "BTC-USD", "trade"] == [
        (T * 10**6, {"price": 33021.9, "qty": 0.016}, 142)
    ]


def test_it_subscribes_when_it_has_been_let_in() -> None:
    using = decoder("subscribe")
    assert decode(using, status("connected", "Connected Successfully")).replies == []
    out = decode(using, status("auth_success", "authenticated"), status("success", "subscribed to: T.AAPL"))
    assert (out.replies, out.control, out.notices) == (["subscribe"], 2, [])


def test_what_it_says() -> None:
    out = decode(
        decoder(), status("auth_failed", "authentication failed"), status("max_connections"), [{"ev": "LULD"}]
    )
    assert (out.control, out.other) == (2, 1)
    assert out.notices == ["polygon: authentication failed", "polygon: max_connections"]


@pytest.mark.parametrize("changes", [{"p": None}, {"p": "x"}, {"sym": ""}, {"sym": 5}])
def test_a_broken_trade_is_malformed_with_its_frame(changes: dict[str, Any]) -> None:
    out = decode(decoder(), [TRADE, {**TRADE, **changes}])
    assert (out.batches, len(out.malformed)) == ([], 1)


@pytest.mark.parametrize("message", [[TRADE], [BAR], status("connected")])
def test_it_is_known_by_its_frames(message: Any) -> None:
    using = decoders.create("auto", "f", DecoderOptions())
    using.decode([json.dumps(message).encode()], NOW)
    assert using.chosen == "polygon"


def test_short_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "s3cret")
    endpoint = decoders.endpoint("polygon", "AAPL,Q.AAPL,A.*,BRK.A")
    assert endpoint.url == "wss://socket.polygon.io/stocks"
    assert [json.loads(message) for message in endpoint.send] == [{"action": "auth", "params": "s3cret"}]
    assert json.loads(endpoint.after_login[0]) == {"action": "subscribe", "params": "T.AAPL,Q.AAPL,A.*,T.BRK.A"}
    assert endpoint.secrets == ("s3cret",)
    crypto = decoders.endpoint("polygon", "crypto/BTC-USD")
    assert (crypto.url[-7:], json.loads(crypto.after_login[0])["params"]) == ("/crypto", "XT.BTC-USD")
    for what in ("", "forex/EUR", "aapl"):
        with pytest.raises(SettingsError):
            decoders.endpoint("polygon", what)
    monkeypatch.delenv(KEY)
    with pytest.raises(SettingsError, match=KEY):
        decoders.endpoint("polygon", "AAPL")
