from __future__ import annotations

import json
from typing import Any

import pytest

from tests.decoders.recorded import NOW, by_stream
from tests.decoders.venues import decode
from tuistream import decoders
from tuistream.config import FeedOptions, feed_settings
from tuistream.core.batch import IdRule
from tuistream.core.errors import SettingsError
from tuistream.decoders.alpaca import KEY, SECRET, Decoder
from tuistream.decoders.contract import DecoderOptions

TRADE = {"T": "t", "i": 96921, "S": "AAPL", "x": "D", "p": 126.55, "s": 1, "t": "2021-02-22T15:51:44.208Z",
         "c": ["@", "I"], "z": "C"}  # fmt: skip
QUOTE = {"T": "q", "S": "AMD", "bx": "U", "bp": 87.66, "bs": 1, "ax": "Q", "ap": 87.68, "as": 4,
         "t": "2021-02-22T15:51:45.335689322Z", "c": ["R"], "z": "C"}  # fmt: skip
BAR = {"T": "b", "S": "SPY", "o": 388.985, "h": 389.13, "l": 388.975, "c": 389.12, "v": 49378, "n": 461,
       "vw": 389.062639, "t": "2021-02-22T19:15:00Z"}  # fmt: skip


def decoder(*after_login: str) -> Decoder:
    return Decoder("f", DecoderOptions(after_login=after_login))


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "PK1")
    monkeypatch.setenv(SECRET, "s3cret")


def test_ticks_of_several_kinds_in_one_frame() -> None:
    out = decode(decoder(), [TRADE, QUOTE, {**TRADE, "i": 5}, BAR])
    assert out.data == 1
    found = by_stream(out.batches)
    assert [tick_id for _, _, tick_id in found["f", "AAPL", "trade"]] == [96921, 5]
    assert found["f", "AMD", "quote"] == [
        (1_614_009_105_335_689_322, {"bid": 87.66, "bid_qty": 1.0, "ask": 87.68, "ask_qty": 4.0}, None)
    ]
    assert found["f", "SPY", "bar"][0][1]["vwap"] == 389.062639


def test_ids_of_several_exchanges_promise_nothing() -> None:
    assert decode(decoder(), [TRADE]).batches[0].stream.ids is IdRule.OPAQUE


@pytest.mark.parametrize(
    ("text", "ns"), [(".208Z", 208_000_000), (".2084Z", 208_400_000), (".335689322Z", 335_689_322), ("Z", 0)]
)
def test_fractions_of_any_length(text: str, ns: int) -> None:
    out = decode(decoder(), [{**TRADE, "t": f"2021-02-22T15:51:44{text}"}])
    assert out.batches[0].t.tolist() == [1_614_009_104_000_000_000 + ns]


def test_updated_bars_are_no_bars_and_corrections_no_trades() -> None:
    out = decode(decoder(), [{**BAR, "T": "u"}, {**BAR, "T": "d"}], [{**TRADE, "T": "x"}], [{"T": "c", "S": "AAPL"}])
    assert [batch.stream.kind for batch in out.batches] == ["updatedBar", "dailyBar"]
    assert out.other == 2


def test_it_subscribes_when_it_has_been_let_in() -> None:
    using = decoder("subscribe")
    assert decode(using, [{"T": "success", "msg": "connected"}]).replies == []
    authenticated = [{"T": "success", "msg": "authenticated"}]
    assert decode(using, authenticated, authenticated).replies == ["subscribe"]
    using.opened()
    assert decode(using, authenticated).replies == ["subscribe"]


def test_what_it_says() -> None:
    out = decode(
        decoder(),
        [{"T": "error", "code": 406, "msg": "connection limit exceeded"}],
        [{"T": "subscription", "trades": ["AAPL"], "quotes": [], "bars": ["*"]}],
        [],
    )
    assert (out.control, out.other) == (2, 1)
    assert out.notices == ["alpaca: connection limit exceeded (code 406)"]


@pytest.mark.parametrize("changes", [{"p": None}, {"p": "x"}, {"S": ""}, {"S": None}])
def test_a_broken_trade_is_malformed_with_its_frame(changes: dict[str, Any]) -> None:
    out = decode(decoder(), [QUOTE, {**TRADE, **changes}])
    assert (out.batches, len(out.malformed)) == ([], 1)


@pytest.mark.parametrize("message", [[TRADE], [QUOTE], [{"T": "success", "msg": "connected"}]])
def test_it_is_known_by_its_frames(message: Any) -> None:
    using = decoders.create("auto", "f", DecoderOptions())
    using.decode([json.dumps(message).encode()], NOW)
    assert using.chosen == "alpaca"


@pytest.mark.usefixtures("keys")
def test_short_names() -> None:
    endpoint = decoders.endpoint("alpaca", "AAPL,quotes:AMD,bars:*,MSFT")
    assert endpoint.url == "wss://stream.data.alpaca.markets/v2/iex"
    assert [json.loads(message) for message in endpoint.send] == [
        {"action": "auth", "key": "PK1", "secret": "s3cret"}
    ]
    assert [json.loads(message) for message in endpoint.after_login] == [
        {"action": "subscribe", "trades": ["AAPL", "MSFT"], "quotes": ["AMD"], "bars": ["*"]}
    ]
    assert decoders.endpoint("alpaca", "test/FAKEPACA").url.endswith("/v2/test")


@pytest.mark.usefixtures("keys")
def test_the_decoder_learns_what_to_subscribe_and_the_feed_what_to_hide() -> None:
    (feed,) = feed_settings(["alpaca:AAPL"], FeedOptions())
    using = decoders.create(feed.decoder, feed.name, feed.decoding)
    out = using.decode([b'[{"T":"success","msg":"authenticated"}]'], NOW)
    assert [json.loads(reply) for reply in out.replies] == [{"action": "subscribe", "trades": ["AAPL"]}]
    assert {"PK1", "s3cret"} <= set(feed.secrets)


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("what", ["", "xyz/AAPL", "news:AAPL", "AA PL"])
def test_what_leads_nowhere_is_refused(what: str) -> None:
    with pytest.raises(SettingsError):
        decoders.endpoint("alpaca", what)


@pytest.mark.parametrize("missing", [KEY, SECRET])
@pytest.mark.usefixtures("keys")
def test_keys_are_wanted(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.delenv(missing)
    with pytest.raises(SettingsError, match=missing):
        decoders.endpoint("alpaca", "AAPL")
