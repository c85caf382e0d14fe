"""Bodies of requests become messages, whatever stands in them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuistream.framers.json_body import cut, position

texts = st.text('{}[]",:\\\n a1é', max_size=4)
leaves = st.none() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False) | texts
values = leaves | st.lists(leaves, max_size=2) | st.dictionaries(texts, leaves, max_size=2)
objects = st.dictionaries(texts, values, max_size=3)
few = settings(max_examples=60)


@few
@given(objects, st.sampled_from([None, 2]))
def test_an_object_is_a_message(one: dict[str, Any], indent: int | None) -> None:
    body = json.dumps(one, indent=indent).encode()
    assert cut(body) == [body]


@few
@given(st.lists(objects, min_size=1, max_size=4), st.sampled_from([None, 1]))
def test_an_array_is_a_message_an_element(many: list[dict[str, Any]], indent: int | None) -> None:
    assert [json.loads(each) for each in cut(json.dumps(many, indent=indent).encode())] == many


@few
@given(st.lists(objects, min_size=2, max_size=4), st.sampled_from(["", " ", "\n", "\r\n", "\n\n", ",\n"]))
def test_objects_one_after_another(many: list[dict[str, Any]], between: str) -> None:
    body = between.join(json.dumps(each) for each in many).encode()
    assert [json.loads(each) for each in cut(body)] == many


@few
@given(
    st.lists(objects, min_size=1, max_size=4),
    st.integers(0),
    st.sampled_from([b'{"a":}', b'{"a":1,}', b"{x}", b"7", b"null"]),
)
def test_what_is_malformed_leaves_the_other_elements(many: list[dict[str, Any]], at: int, bad: bytes) -> None:
    texts = [json.dumps(each).encode() for each in many]
    at = 1 + at % len(texts)
    texts.insert(at, bad)
    body = b"[" + b", ".join(texts) + b"]"
    messages = cut(body)
    assert messages == texts
    assert position(body, messages, at) == 1 + sum(len(text) + 2 for text in texts[:at])


@few
@given(st.binary(max_size=200))
def test_whatever_comes_nothing_is_invented(body: bytes) -> None:
    messages = cut(body)
    places = [position(body, messages, at) for at in range(len(messages))]
    assert places == sorted(places)
    assert sum(map(len, messages)) <= len(body)


@few
@given(st.text('{}[]",\\\n 1a', max_size=40))
def test_of_brackets_and_quotes_nothing_is_invented(text: str) -> None:
    body = text.encode()
    messages = cut(body)
    at = 0
    for message in messages:
        at = body.index(message, at) + len(message)


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        (b"", []),
        (b" \r\n ", []),
        (b'\xef\xbb\xbf{"a":1}', [b'{"a":1}']),
        (b"[]", [b"[]"]),
        (b"[1, 2]", [b"[1, 2]"]),
        (b"17", [b"17"]),
        (b'{"a":NaN}', [b'{"a":NaN}']),
        (b'[{"a":NaN},{"b":1}]', [b'{"a":NaN}', b'{"b":1}']),
        (b'{"a":1} rubbish {"a":2}', [b'{"a":1}', b"rubbish", b'{"a":2}']),
        (b'{"a":"}{"}{"b":2}', [b'{"a":"}{"}', b'{"b":2}']),
        (b'[{"a":1},{"b":', [b'{"a":1}', b'{"b":']),
        (b'{"a":1}\n{"b":}\n{"c":3}', [b'{"a":1}', b'{"b":}', b'{"c":3}']),
        (b"a=1&b=2", [b"a=1&b=2"]),
    ],
)
def test_odd_bodies(body: bytes, messages: list[bytes]) -> None:
    assert cut(body) == messages


def test_a_deep_body_is_one_message_to_refuse() -> None:
    body = b'{"a":' * 200_000
    assert cut(body) == [body]
