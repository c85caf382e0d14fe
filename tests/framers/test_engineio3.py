"""Engine.IO 3 payloads: those that were captured, and laws of those that were not."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuistream.framers.engineio3 import BadPayload, Packet3, body_of, handshake, packet_of, packets_of

OPENED = (
    b'\x00\t\x08\xff0{"sid":"000e7372ce5c48f48f8474f4f09ff03f","upgrades":[],"pingTimeout":60000,"pingInterval":25000}'
    b"\x00\x02\xff40"
)

texts = st.builds(
    str.__add__, st.sampled_from("0123456"), st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
)
packets = st.lists(st.one_of(texts, st.binary(max_size=30)), max_size=8)


def binary_body(sent: list[Packet3]) -> bytes:
    """As python-engineio 3 writes it."""
    body = b""
    for packet in sent:
        kind, content = (0, packet.encode()) if isinstance(packet, str) else (1, b"\x04" + packet)
        body += bytes([kind, *map(int, str(len(content))), 255]) + content
    return body


def text_body(sent: list[Packet3]) -> bytes:
    """As engine.io 3 for JavaScript writes it: lengths are those of UTF-16 strings."""
    body = ""
    for packet in sent:
        content = packet if isinstance(packet, str) else "b4" + base64.b64encode(packet).decode()
        body += f"{len(content.encode('utf-16-le')) // 2}:{content}"
    return body.encode()


def test_the_captured_handshake() -> None:
    """The chart hub as pinned: python-engineio 3 under Werkzeug, polling only."""
    opened = packets_of(OPENED)
    assert opened[1:] == ["40"]
    said = handshake(opened)
    assert (said.sid, said.upgrades) == ("000e7372ce5c48f48f8474f4f09ff03f", [])
    assert (said.ping_interval, said.ping_timeout) == (25_000, 60_000)


def test_the_captured_post() -> None:
    assert body_of(["40/test,"]) == b"8:40/test,"
    assert packets_of(b"\x00\x07\xff40/test") == ["40/test"]


@given(packets)
def test_what_was_sent_is_read(sent: list[Packet3]) -> None:
    assert packets_of(binary_body(sent)) == sent
    assert packets_of(text_body(sent)) == sent


@given(packets.filter(bool), st.data())
def test_a_body_cut_short_is_refused_or_ends_at_a_packet(sent: list[Packet3], data: st.DataObject) -> None:
    for body in (binary_body(sent), text_body(sent)):
        cut = body[: data.draw(st.integers(0, len(body) - 1))]
        try:
            read = packets_of(cut)
        except BadPayload:
            continue
        assert read == sent[: len(read)]
        assert len(read) < len(sent)


@given(st.binary(max_size=200))
def test_any_bytes_are_packets_or_refused(body: bytes) -> None:
    try:
        read = packets_of(body)
    except BadPayload:
        return
    assert all(packet[0] in "0123456" for packet in read if isinstance(packet, str))


@pytest.mark.parametrize(
    "body",
    [
        b"<html></html>",
        b"\x00\xff",
        b"\x00\x01\x02",
        b"\x00\x03\xff40",
        b"\x02\x02\xff40",
        b"\x00" + b"\x09" * 12 + b"\xff40",
        b"99999999999:40",
        b"5:40",
        b"2:4\xff",
        b"2:x0",
        b"7:b4!!!!!",
        b"\x01\x01\xff\x05",
        b"0:",
    ],
)
def test_what_is_no_payload(body: bytes) -> None:
    with pytest.raises(BadPayload):
        packets_of(body)


@pytest.mark.parametrize(
    "packet",
    [
        "40",
        b"x",
        "0",
        "0[]",
        '0{"upgrades":[]}',
        '0{"sid":7}',
        '0{"sid":"a","pingInterval":-1}',
        '0{"sid":"a","pingTimeout":0}',
    ],
)
def test_what_opens_no_connection(packet: Packet3) -> None:
    with pytest.raises(BadPayload):
        handshake([packet])
    with pytest.raises(BadPayload):
        handshake([])


def test_websocket_messages() -> None:
    assert packet_of("3probe") == "3probe"
    assert packet_of(b"\x04\x01\x02") == b"\x01\x02"
    for bad in ("", "9", b"", b"\x02\x01"):
        with pytest.raises(BadPayload):
            packet_of(bad)
