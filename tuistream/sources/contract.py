"""What a source is, and what is known of a feed before it starts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import msgspec

from tuistream.core.text import redact_url, without
from tuistream.decoders.contract import DecoderOptions
from tuistream.sources.hub.options import HubOptions

if TYPE_CHECKING:
    from tuistream.core.frames import Read
    from tuistream.core.status import FeedStatus
    from tuistream.decoders.wire.report import StreamReport

MAX_FRAME = 16 << 20
COALESCE = 5_000_000


class Target(msgspec.Struct, frozen=True):
    """What a source makes of what the user typed. name: what to call the feed, by itself. url: in full, checked.

    send: what to send on every connect. attempts: how many connections are allowed in how many seconds, or None.
    secrets: parts of the URL that are never shown.
    """

    url: str
    name: str
    decoder: str = "auto"
    send: tuple[str, ...] = ()
    attempts: tuple[int, float] | None = None
    secrets: tuple[str, ...] = ()


class FeedSettings(msgspec.Struct, frozen=True):
    """One feed: where it is, what to say to it, and how to read it. `name` is unique in a run."""

    name: str
    url: str
    decoder: str = "auto"
    decoding: DecoderOptions = msgspec.field(default_factory=DecoderOptions)
    send: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    subprotocols: tuple[str, ...] = ()
    ca_file: str = ""
    compress: bool = False
    max_frame: int = MAX_FRAME
    coalesce: int = COALESCE  # ns
    gather: int = 0  # ns for which what came may wait to be looked at, where nobody watches
    attempts: tuple[int, float] | None = None
    secrets: tuple[str, ...] = ()
    descriptor: int = 0  # of standard input, where that is the source
    hub: HubOptions = msgspec.field(default_factory=HubOptions)  # of a listener

    @property
    def shown_url(self) -> str:
        return without(redact_url(self.url), list(self.secrets))


class Connection(Protocol):
    """An open connection. `read` waits for frames and returns all that have come; SourceDown at the end."""

    async def read(self) -> Sequence[bytes]: ...
    def rest(self) -> Sequence[bytes]:
        """What has come and was not read, at the end."""

    async def send(self, message: str) -> None: ...


@runtime_checkable
class TimedConnection(Protocol):
    """A connection that knows when each of its reads was, and may hand over several at once. `reads` is as `read`."""

    async def reads(self) -> list[Read]: ...
    def rest_reads(self) -> list[Read]:
        """As `rest`."""


class Source(Protocol):
    """Makes connections to one producer. Entering, reading and sending raise SourceDown."""

    def connect(self) -> AbstractAsyncContextManager[Connection]: ...


class Runner(Protocol):
    """Runs a feed: a `Feed` with its source, or a listener that many senders connect to.

    `run` returns when the feed has ended for good; what it tells is in `status`. `suspend` stops it in good order
    until `resume`.
    """

    @property
    def status(self) -> FeedStatus: ...
    def found(self) -> list[StreamReport]: ...
    async def run(self) -> None: ...
    async def suspend(self) -> None: ...
    def resume(self) -> None: ...
