"""What a decoder is: frames in, batches out. No clock, no socket, no state but what the wire itself carries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

import msgspec

if TYPE_CHECKING:
    from tuistream.core.batch import Batch, StreamKey, Times
    from tuistream.core.board import Item
    from tuistream.core.look import Look
    from tuistream.core.status import Event
    from tuistream.decoders.wire.report import StreamReport

MAX_FIELDS = 64
MAX_NAME = 80


class Decoded(msgspec.Struct):
    """What the frames of one read gave. Every frame is counted once: in `data`, `control`, `other` or `malformed`.

    batches: one a stream (oldest tick first within each), streams in the order of their first tick.
    data: frames that held a tick. control: acks, heartbeats, greetings. other: well formed, but without a tick.
    malformed: each refused frame with the reason.
    bad_times: ticks whose event time cannot be (before 1990, or over a day ahead of receipt): kept with `recv`.
    replies: messages that the protocol wants sent now. notices: what the producer said to a human (an error).
    reconnect: the producer asked for it.
    items: what is not numbers, in order; a frame that held only such is `data`, too.
    looks: how the producer wants streams to be shown, where that is new.
    gaps: events `gap` of streams, which the producer tells of. relayed: the receive times are those of a recorder.
    """

    batches: list[Batch] = msgspec.field(default_factory=list)
    data: int = 0
    control: int = 0
    other: int = 0
    malformed: list[tuple[bytes, str]] = msgspec.field(default_factory=list)
    bad_times: int = 0
    replies: list[str] = msgspec.field(default_factory=list)
    notices: list[str] = msgspec.field(default_factory=list)
    reconnect: bool = False
    items: list[Item] = msgspec.field(default_factory=list)
    looks: dict[StreamKey, Look] = msgspec.field(default_factory=dict)
    gaps: list[Event] = msgspec.field(default_factory=list)
    relayed: bool = False


class DecoderOptions(msgspec.Struct, frozen=True):
    """What the user said about the frames (--time-field, --fields, --key, --id); empty where nothing was said.

    after_login: of an `Endpoint`.
    """

    time_field: str = ""
    fields: tuple[str, ...] = ()
    key: str = ""
    id: str = ""
    after_login: tuple[str, ...] = ()


class Decoder(Protocol):
    """Turns the frames of one feed into batches.

    `chosen`: the name of the decoder that serves, where this one hands over to another, else its own.
    """

    name: ClassVar[str]

    @property
    def chosen(self) -> str: ...

    @property
    def stale_after(self) -> float:
        """Seconds of silence after which the feed is stale, given what its protocol promises."""

    def opened(self) -> None:
        """A new connection begins: forget what the last one's frames meant (channel numbers and the like)."""

    def decode(self, frames: Sequence[bytes], recv: int) -> Decoded:
        """Decode the frames of one read, in order. `recv`: ns since 1970 UTC. Never raises for what a frame holds."""

    def heartbeat(self) -> tuple[float, str] | None:
        """Seconds of silence after which to send a message, and the message; None where none is wanted."""

    def describe(self) -> list[StreamReport]:
        """The streams so far, and where in the frames their fields, times and ids were found."""


@runtime_checkable
class DecoderOfMany(Protocol):
    """A decoder to which the frames of several reads may be given at once."""

    def decode_many(self, frames: Sequence[bytes], recvs: Times) -> Decoded | None:
        """As `decode` of each read, in one; None, and nothing done, where they are to be decoded by themselves.

        recvs: int64[frames], rising, ns since 1970 UTC.
        """


class Endpoint(msgspec.Struct, frozen=True):
    """Where a short name such as `kraken:BTC/USD` leads.

    `send`: the messages to send on every connect, in order. `attempts`: how many connections the venue allows in
    how many seconds, or None. `after_login`: the messages to send once the venue has let us in, which its decoder
    gives as replies. `secrets`: what no text may show.
    """

    url: str
    send: tuple[str, ...] = ()
    attempts: tuple[int, float] | None = None
    after_login: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
