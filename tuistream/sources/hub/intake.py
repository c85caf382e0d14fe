"""What the listeners of a run take in: decoded by one decoder, so that a stream is one whichever way it comes."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from tuistream.core.session import Session
from tuistream.core.status import SAMPLE_BYTES, SAMPLES_KEPT, Event, FeedState, FeedStatus
from tuistream.core.text import printable, without
from tuistream.decoders.contract import Decoded, DecoderOptions
from tuistream.decoders.hub import Cause, Decoder, Refused
from tuistream.decoders.wire.report import StreamReport
from tuistream.sources.hub.auth import Admission, Auth
from tuistream.sources.hub.limits import NAMES, Allowance, HubLimits
from tuistream.sources.hub.options import HubOptions

FEED: Final = "hub"  # of which all streams of the listeners are, and the name of their decoder
TOLD_BURST: Final = 20  # refusals that the event log tells of one listener at once
TOLD_SECONDS: Final = 5.0  # after which it tells another
REFUSED_KEPT: Final = 100  # refusals of one call that an Outcome holds
_CRYPT = re.compile(r'("api_crypt"\s*:\s*)("(?:[^"\\]|\\.)*"?|[^,}\s]*)')

Way = Literal["tcp", "frames", "http", "ws"]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a listener listens: a numeric host and a port that is never 0. password: one is asked for."""

    way: Way
    host: str
    port: int
    tls: bool = False
    password: bool = False

    @property
    def place(self) -> str:
        """As "127.0.0.1:8010" or "[::1]:8010"."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of some messages. refused: the first of those that were, by their position; refusals: how many."""

    accepted: int
    refused: tuple[Refused, ...] = ()
    refusals: int = 0


@dataclass(slots=True, eq=False)
class Sender:
    """A connection or, over HTTP, a request. name: to tell of. trusted: its messages need no password (any more).

    close: how to end it where others need its place; None where it cannot be.
    """

    name: str
    trusted: bool
    allowance: Allowance
    close: Callable[[], None] | None = None
    active: float = 0.0  # monotonic seconds


@dataclass(slots=True)
class Counters:
    """Of one listener, from its start. refused: messages, or connections, by the cause; connected: in all.

    slowed: times that a sender had to wait since it was over its rate. evicted: silent connections that gave way.
    """

    accepted: int = 0
    refused: Counter[Cause] = field(default_factory=Counter)
    connected: int = 0
    slowed: int = 0
    evicted: int = 0
    pending: int = 0  # bytes of messages that have begun and not ended


class Intake:
    """All listeners of a run: their streams, their decoder, and whether there is room for more."""

    def __init__(self, session: Session, limits: HubLimits, wanted: DecoderOptions | None = None) -> None:
        self.session = session
        self.listeners: list[Listener] = []
        self._changed = asyncio.Event()
        self.decoder = Decoder(FEED, wanted or DecoderOptions(), max_streams=limits.streams, max_name=limits.name)

    @property
    def addresses(self) -> list[Address]:
        """Of the listeners that are up."""
        return [listener.address for listener in self.listeners if listener.address is not None]

    def listener(self, way: Way, status: FeedStatus, options: HubOptions) -> Listener:
        """A listener that is to be; `up` says that it is. Raises SettingsError."""
        made = Listener(self, way, status, options)
        self.listeners.append(made)
        return made

    def how_to_send(self) -> tuple[str, ...]:
        """Lines for who has yet to send something: where to, and commands that do it."""
        from tuistream.sources.hub.snippets import one_each  # which knows of addresses

        places = (f"{address.way} {address.place}" for address in self.addresses)
        return f"anyone may send:  {'   '.join(places)}", *(each.text for each in one_each(self.addresses))

    async def until_up(self) -> None:
        """Return once every listener listens, or has ended."""
        while any(listener.address is None and not listener.status.ended for listener in self.listeners):
            self._changed.clear()
            await self._changed.wait()

    def changed(self) -> None:
        """A listener is up, or down."""
        self._changed.set()

    def found(self) -> list[StreamReport]:
        return self.decoder.describe()

    @property
    def has_room(self) -> bool:
        """Whether every sink can take more. Where not, nothing is read until `session.room()` returns."""
        return not any(outbox.full for outbox in self.session.outboxes)


class Listener:
    """One way in: who is connected, what came, what was refused and why."""

    def __init__(self, intake: Intake, way: Way, status: FeedStatus, options: HubOptions) -> None:
        self.intake = intake
        self.way = way
        self.status = status
        self.options = options
        self.limits = options.limits
        self.places = options.limits.connections  # fewer where the system lets us open no more files
        self.auth = Auth(options)
        self.counters = Counters()
        self.address: Address | None = None
        self._senders: OrderedDict[Sender, None] = OrderedDict()  # the longest silent first
        self._session = intake.session
        self._secrets = [options.password] if options.password else []
        self._told_left, self._told_at, self._untold = float(TOLD_BURST), 0.0, 0

    @property
    def senders(self) -> int:
        """How many are connected."""
        return len(self._senders)

    def up(self, host: str, port: int) -> None:
        """It listens, at a numeric host and a port."""
        tls = bool(self.options.tls_cert)
        self.address = Address(self.way, host, port, tls, self.auth.needs_password)
        self.status.connections += 1
        self.set_state(FeedState.WAITING)
        self.note("open", f"listening on {self.address.place}")
        self.intake.changed()

    def down(self, reason: str) -> None:
        """It listens no more."""
        self.address = None
        self.set_state(FeedState.CLOSED, reason)
        self.intake.changed()

    def set_state(self, state: FeedState, reason: str = "") -> None:
        self._session.set_state(self.status, state, reason)

    def admit(self, address: str, port: int, close: Callable[[], None] | None = None) -> Sender | None:
        """A sender at a numeric address, whom `release` lets go; None where it is refused, which is counted.

        Where there are as many as may be, one that has been silent for `limits.idle` gives way.
        """
        name = f"{address} port {port}"
        admission = self.auth.admission(address)
        if admission is Admission.REFUSED:
            self.refuse(name, Cause.ADDRESS, "not in a network of --allow")
            return None
        now = time.monotonic()
        if len(self._senders) >= self.places and not self._make_place(now):
            why = f" ({NAMES['connections']})" if self.places == self.limits.connections else ", all that may be"
            self.refuse(name, Cause.CONNECTIONS, f"{self.places:,} connections are open{why}")
            return None
        sender = Sender(name, admission is Admission.TRUSTED, Allowance(self.limits.rate), close, now)
        self._senders[sender] = None
        self.counters.connected += 1
        return sender

    def release(self, sender: Sender) -> None:
        self._senders.pop(sender, None)

    def log_in(self, sender: Sender, authorization: str) -> bool:
        """Take a password that came as an Authorization header; whether the sender is trusted now."""
        sender.trusted = sender.trusted or self.auth.matches_header(authorization)
        return sender.trusted

    def spend(self, sender: Sender, count: int) -> float:
        """Note that `count` messages came; for how many seconds no more should be read of this sender."""
        now = time.monotonic()
        sender.active = now
        if sender in self._senders:  # else it has just given way to another
            self._senders.move_to_end(sender)
        wait = sender.allowance.spend(count, now)
        self.counters.slowed += wait > 0
        return wait

    def take(self, sender: Sender, frames: Sequence[bytes], recv: int | None = None) -> Outcome:
        """Decode messages (a JSON object each) and hand them over. recv: ns since 1970 UTC, now if None.

        A sender that is not trusted becomes so with its first message whose `api_crypt` is the password; those
        before it are refused.
        """
        status = self.status
        recv = self._session.clock() if recv is None else recv
        status.frames += len(frames)
        status.bytes += sum(map(len, frames))
        status.last_recv = recv
        decoder = self.intake.decoder
        decoded = decoder.decode(frames, recv, None if sender.trusted else self.auth.matches)
        sender.trusted = sender.trusted or decoder.password_came
        if decoded.looks:
            self._session.take_looks(decoded.looks)
        self._session.ingest(status, decoded.batches)
        if decoded.items:
            self._session.show(status, decoded.items)
        if (decoded.batches or decoded.items) and status.state is not FeedState.LIVE:
            self.set_state(FeedState.LIVE)
        return self._outcome(sender, frames, decoded, decoder.refused)

    def refuse(self, sender: Sender | str, cause: Cause, reason: str, frame: bytes = b"", count: int = 1) -> None:
        """Count `count` messages (or a connection) that were refused before they were decoded, and tell it."""
        name = sender if isinstance(sender, str) else sender.name
        self.counters.refused[cause] += count
        self.status.malformed += count
        self.status.samples.append((self._shown(frame), self._shown(reason)))
        self._tell(f"{name}: {reason}", count)

    def refuse_all(self, sender: Sender, refused: Sequence[tuple[bytes, str]]) -> None:
        """As `refuse`, for what a framer refused: how each begins, and why."""
        for frame, why in refused[:SAMPLES_KEPT]:
            self.refuse(sender, cause_of(why), why, frame)
        rest = Counter(cause_of(why) for _, why in refused[SAMPLES_KEPT:])
        self.counters.refused.update(rest)
        self.status.malformed += rest.total()
        self._untold += rest.total()

    def hold(self, sender: Sender | str, more: int) -> bool:
        """Count `more` bytes of a message that has begun and not ended; whether all of them are within the limit."""
        counters, limit = self.counters, self.limits.pending
        counters.pending += more
        if more <= 0 or counters.pending <= limit:
            return True
        reason = f"messages that have not ended hold {counters.pending:,} bytes, over the limit of {limit:,}"
        self.refuse(sender, Cause.PENDING, f"{reason} ({NAMES['pending']})")
        return False

    def over_limit(self, name: Literal["frame", "large"]) -> str:
        """As "over the limit of 1,048,576 bytes (--max-frame)"."""
        return f"over the limit of {getattr(self.limits, name):,} bytes ({NAMES[name]})"

    def note(self, kind: str, text: str) -> None:
        self._session.note(Event(self._session.clock(), self.status.name, kind, without(text, self._secrets)))

    def _make_place(self, now: float) -> bool:
        oldest = next(iter(self._senders), None)
        if oldest is None or oldest.close is None or now - oldest.active < self.limits.idle:
            return False
        self.release(oldest)
        self.counters.evicted += 1
        oldest.close()
        return True

    def _outcome(
        self, sender: Sender, frames: Sequence[bytes], decoded: Decoded, refused: Sequence[Refused]
    ) -> Outcome:
        status, counters = self.status, self.counters
        status.decoder = self.intake.decoder.chosen
        status.bad_times += decoded.bad_times
        status.malformed += len(refused)
        accepted = len(frames) - len(refused)
        counters.accepted += accepted
        status.accepted += accepted
        for each in refused:
            counters.refused[each.cause] += 1
        for each in refused[-SAMPLES_KEPT:]:
            status.samples.append((self._shown(frames[each.at]), self._shown(each.reason)))
        for each in refused[:TOLD_BURST]:
            self._tell(f"{sender.name}: {each.reason}", 1)
        self._untold += max(0, len(refused) - TOLD_BURST)
        return Outcome(accepted, tuple(refused[:REFUSED_KEPT]), len(refused))

    def _tell(self, text: str, count: int) -> None:
        """Put a refusal into the event log, unless too many are there already; those are told as a number."""
        now = time.monotonic()
        self._told_left = min(TOLD_BURST, self._told_left + (now - self._told_at) / TOLD_SECONDS)
        self._told_at = now
        if self._told_left < 1:
            self._untold += count
            return
        self._told_left -= 1
        more = f" ({self._untold:,} more refused before it)" if self._untold else ""
        self._untold = 0
        self.note("refused", printable(text, SAMPLE_BYTES * 2) + more)

    def _shown(self, text: bytes | str) -> str:
        """`text` in a line, cut, without passwords, right or wrong."""
        told = text[: SAMPLE_BYTES * 4].decode(errors="replace") if isinstance(text, bytes) else text
        return printable(without(_CRYPT.sub(r"\1…", told), self._secrets), SAMPLE_BYTES)


def cause_of(why: str) -> Cause:
    """Of a framer's refusal."""
    if "over the limit" in why:
        return Cause.TOO_BIG
    return Cause.PICKLE if why.startswith("a pickle") else Cause.MALFORMED


async def room(intake: Intake) -> None:
    """Return once every sink can take more."""
    while not intake.has_room:
        await intake.session.room()
        await asyncio.sleep(0)
