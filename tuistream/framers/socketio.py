"""Socket.IO packets, of revisions 4 (Socket.IO 2) and 5 (Socket.IO 3 and later): events out of messages. No I/O.

Format: https://github.com/socketio/socket.io-protocol#packet-encoding.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from tuistream.core.text import printable

CONNECT, DISCONNECT, EVENT, ACK, REFUSED, BINARY_EVENT, BINARY_ACK = "0123456"
MAX_ATTACHMENTS: Final = 1_000  # of one event; one that announces more is no packet
_HEAD = re.compile(r"([0-6])(?:(\d{1,10})-)?(?:(/[^,]{0,1000})(?:,|$))?(\d{0,20})", re.ASCII)
_SAID = ("message", "error", "description", "reason")


class BadPacket(Exception):
    """A message that is no Socket.IO packet; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Packet:
    """type: a digit. data: JSON text, "" for none. id: that of the acknowledgement wanted, "" for none.

    attachments: how many binary messages follow that belong to it.
    """

    type: str
    namespace: str
    id: str
    data: str
    attachments: int = 0


def parse(message: str) -> Packet:
    """The packet of a text message. Raises BadPacket."""
    match = _HEAD.match(message)
    if match is None:
        raise BadPacket(f"no Socket.IO packet, {len(message):,} characters")
    kind, attachments, namespace, ack = match.groups()
    count = int(attachments or 0)
    if count > MAX_ATTACHMENTS:
        raise BadPacket(f"a packet with {count:,} attachments, more than {MAX_ATTACHMENTS:,}")
    return Packet(kind, (namespace or "/").partition("?")[0], ack, message[match.end() :], count)


def event_packet(namespace: str, name: str, arguments: Sequence[Any]) -> str:
    """The text of an event, in ASCII."""
    return f"{EVENT}{_prefix(namespace)}{json.dumps([name, *arguments], separators=(',', ':'))}"


def connect_packet(namespace: str) -> str:
    """The text with which a client joins a namespace, in revision 4."""
    return f"{CONNECT}{_prefix(namespace)}"


def disconnect_packet(namespace: str) -> str:
    """The text with which a client leaves a namespace."""
    return f"{DISCONNECT}{_prefix(namespace)}"


def ack_packet(namespace: str, ack: str) -> str:
    """The text that acknowledges the event with the id `ack`."""
    return f"{ACK}{_prefix(namespace)}{ack}[]"


def _prefix(namespace: str) -> str:
    return "" if namespace == "/" else f"{namespace},"


class Channel:
    """What one namespace says: its events, and how it stands with it. Feed it each Engine.IO message.

    events: the names that are wanted; all if there are none. Of one that is not, the name alone is handed on.
    connected: we were let in. unnamed: we were let in without a session id, as revision 4 does. refused: why we were
    not, "" if it did not happen. left: the server has sent us away. acks: acknowledgements that are owed.
    """

    def __init__(self, namespace: str, events: Collection[str] = ()) -> None:
        self.namespace = namespace
        self._plain = f"{EVENT}{_prefix(namespace)}["
        self._wanted = tuple(json.dumps(name) for name in events)
        self._wanted += tuple(json.dumps(name, ensure_ascii=False) for name in events if not name.isascii())
        self._attached = 0  # binary messages that belong to the last event
        self.connected = False
        self.unnamed = False
        self.refused = ""
        self.left = False
        self.acks: list[str] = []

    def take(self, message: str | bytes) -> bytes | None:
        """The event in a message, as the JSON text of its name and arguments; None if there is none.

        Binary arguments are left out: in their place stands {"_placeholder": true, "num": n}. Raises BadPacket.
        """
        if isinstance(message, bytes):
            if not self._attached:
                raise BadPacket(f"a binary message that belongs to no event, {len(message):,} bytes")
            self._attached -= 1
            return None
        if message.startswith(self._plain):
            return self._event(message[len(self._plain) - 1 :])
        packet = parse(message)
        self._attached = packet.attachments
        if packet.namespace != self.namespace:
            # Revision 4 lets everybody into "/" first, and has no id for it.
            self.unnamed = self.unnamed or (packet.type == CONNECT and not packet.data)
            return None
        if packet.type in (EVENT, BINARY_EVENT):
            if packet.id:
                self.acks.append(packet.id)
            return self._event(packet.data)
        self._note(packet)
        return None

    def _note(self, packet: Packet) -> None:
        if packet.type == CONNECT:
            self.connected = True
            self.unnamed = self.unnamed or '"sid"' not in packet.data
        elif packet.type == REFUSED:
            self.refused = said(packet.data)
        elif packet.type == DISCONNECT:
            self.left = True

    def _event(self, text: str) -> bytes:
        if self._wanted and not text.startswith(tuple(f"[{name}" for name in self._wanted)):
            text = _name_alone(text)
        return text.encode("utf-8", "surrogatepass")


def _name_alone(text: str) -> str:
    match = re.match(r'\["(?:[^"\\]|\\.){0,200}"', text)
    return f"{match[0]}]" if match else text


def said(data: str) -> str:
    """What a refusal, JSON text or not, says to a human."""
    try:
        value = msgspec.json.decode(data)
    except (msgspec.MsgspecError, RecursionError):
        value = data
    if isinstance(value, dict):
        inner = value.get("data")
        value = next((value[key] for key in _SAID if value.get(key)), inner if isinstance(inner, str) else "")
    return printable(str(value).strip()) if value else "no reason given"
