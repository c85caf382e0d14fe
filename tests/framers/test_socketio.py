"""Socket.IO packets: captured ones, those of the specification, and what a channel makes of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from socketio.packet import Packet as LibraryPacket

from tuistream.framers.socketio import BadPacket, Channel, Packet, ack_packet, event_packet, parse, said

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
namespaces = st.sampled_from(["/", "/test", "/a/b"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("text", "packet"),
    [
        ("0", Packet("0", "/", "", "")),
        ('0{"sid":"a"}', Packet("0", "/", "", '{"sid":"a"}')),
        ("0/test,", Packet("0", "/test", "", "")),
        ("0/test", Packet("0", "/test", "", "")),
        ("0/admin?token=1234&uid=abcd,", Packet("0", "/admin", "", "")),
        ("1/admin,", Packet("1", "/admin", "", "")),
        ('2["foo"]', Packet("2", "/", "", '["foo"]')),
        ('2/admin,12["bar"]', Packet("2", "/admin", "12", '["bar"]')),
        ('3/admin,13["bar"]', Packet("3", "/admin", "13", '["bar"]')),
        ('51-["baz",{"_placeholder":true,"num":0}]',
         Packet("5", "/", "", '["baz",{"_placeholder":true,"num":0}]', 1)),
        ('61-/admin,456[{"_placeholder":true,"num":0}]',
         Packet("6", "/admin", "456", '[{"_placeholder":true,"num":0}]', 1)),
        ('2["a/b,c"]', Packet("2", "/", "", '["a/b,c"]')),
    ],
)  # fmt: skip
def test_the_packets_of_the_specification(text: str, packet: Packet) -> None:
    assert parse(text) == packet


@pytest.mark.parametrize("text", ["", "7", "x", '59999-["a"]', "9[]"])
def test_what_is_no_packet(text: str) -> None:
    with pytest.raises(BadPacket):
        parse(text)


@given(namespaces, names, st.lists(values, max_size=3))
def test_an_event_comes_as_it_was_sent(namespace: str, name: str, arguments: list[Any]) -> None:
    channel = Channel(namespace)
    event = channel.take(event_packet(namespace, name, arguments))
    assert event is not None
    assert json.loads(event) == [name, *arguments]
    # And python-socketio writes what we read.
    written = LibraryPacket(data=[name, *arguments], namespace=namespace).encode()
    event = channel.take(written)
    assert event is not None
    assert json.loads(event) == [name, *arguments]


@given(st.text(max_size=60) | st.binary(max_size=20))
def test_any_message_is_taken_or_refused(message: str | bytes) -> None:
    channel = Channel("/test", ["a"])
    try:
        event = channel.take(message)
    except BadPacket:
        return
    assert event is None or event.startswith(b"[") or not event.startswith(b"2/test")


def test_of_an_event_that_is_not_wanted_the_name_is_handed_on() -> None:
    channel = Channel("/", ["sin_wave", "größe"])
    assert channel.take('2["sin_wave",{"x":1}]') == b'["sin_wave",{"x":1}]'
    assert channel.take('2["sin_wave_fft",{"x":[1,2]}]') == b'["sin_wave_fft"]'
    assert channel.take('2["gr\\u00f6\\u00dfe",1]') == b'["gr\\u00f6\\u00dfe",1]'
    assert channel.take('2["größe",1]') == '["größe",1]'.encode()


def test_only_our_namespace_speaks() -> None:
    channel = Channel("/test")
    assert channel.take('2["other",1]') is None
    assert channel.take('2/tests,["other",1]') is None
    assert channel.take('2/test,["ours",1]') == b'["ours",1]'


def test_joining() -> None:
    five = Channel("/test")
    five.take('0/test,{"sid":"SR6pD2gBuu9mtIQOAAAD"}')
    assert (five.connected, five.unnamed) == (True, False)
    four = Channel("/test")
    four.take("0")
    assert (four.connected, four.unnamed) == (False, True)
    four.take("0/test")
    assert four.connected
    four.take("1/test,")
    assert four.left


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ('{"message":"Invalid namespace"}', "Invalid namespace"),
        ('"Unable to connect"', "Unable to connect"),
        ('{"message":"","data":"why"}', "why"),
        ("", "no reason given"),
        ("{}", "no reason given"),
        ("[" * 5_000, "[" * 199 + "…"),
        ('"\\u001b[31mred"', "·[31mred"),
    ],
)
def test_what_a_refusal_says(data: str, text: str) -> None:
    assert said(data) == text
    channel = Channel("/")
    channel.take(f"4{data}")
    assert channel.refused == text


def test_binary_arguments_are_left_out_with_their_bytes() -> None:
    channel = Channel("/")
    assert channel.take('52-["pic",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]') is not None
    assert channel.take(b"\x89PNG") is None
    assert channel.take(b"\x89PNG") is None
    with pytest.raises(BadPacket):
        channel.take(b"\x89PNG")


def test_an_acknowledgement_that_is_wanted_is_owed() -> None:
    channel = Channel("/test")
    assert channel.take('2/test,17["ask",1]') == b'["ask",1]'
    assert [ack_packet("/test", ack) for ack in channel.acks] == ["3/test,17[]"]
