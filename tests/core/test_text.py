"""Nothing from outside moves a cursor, and no secret is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuistream.core.text import printable, redact_url, secrets_of, without


@given(st.text(max_size=300) | st.binary(max_size=300))
def test_printable_is_one_line_of_glyphs(text: str | bytes) -> None:
    shown = printable(text, 50)
    assert len(shown) <= 50
    assert shown.isprintable()


@pytest.mark.parametrize("bad", ["\x1b[31m", "\x07", "\u202e", "\u200b", "\x9b", "\u2028", "\r", "\x00"])
def test_what_moves_or_hides_is_replaced(bad: str) -> None:
    assert bad not in printable(f"a{bad}b")


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("wss://user:hunter2@example.com/x", "hunter2"),
        ("wss://tok3n@example.com/x", "tok3n"),
        ("wss://ws.finnhub.io?token=abc123", "abc123"),
        ("wss://h/x?apiKey=abc123&symbol=BTC", "abc123"),
        ("wss://h/x?signature=s%2Fecret", "s/ecret"),
    ],
)
def test_secrets_leave_urls_and_texts(url: str, secret: str) -> None:
    assert secret not in redact_url(url)
    assert secret in secrets_of(url)
    assert secret not in without(f"cannot reach {url}: {secret}", secrets_of(url))


def test_what_is_no_secret_stays() -> None:
    assert redact_url("wss://h:99/ws?streams=btcusdt@trade&x=1") == "wss://h:99/ws?streams=btcusdt@trade&x=1"


@pytest.mark.parametrize(
    ("target", "secret"),
    [
        ("exec:curl -H 'Authorization: Bearer abc123' http://h", "abc123"),
        ("exec:psql --password hunter2 -c 'select 1'", "hunter2"),
        ("exec:API_KEY=abc123 ./feed --fast", "abc123"),
        ("exec:curl https://me:hunter2@h/x?token=abc", "hunter2"),
        ('exec:send \'{"token": "abc123"}\'', "abc123"),
    ],
)
def test_secrets_leave_command_lines(target: str, secret: str) -> None:
    assert secret not in redact_url(target)


@pytest.mark.parametrize("target", ["exec:awk '{print $1}' a#b?c d", "tail:/a b?from=start", "-", "python:a.py:f"])
def test_what_is_no_url_stays_as_it_is(target: str) -> None:
    assert redact_url(target) == target
