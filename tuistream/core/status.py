"""What is going on with each feed: states and counters, polled by whoever shows them."""

from __future__ import annotations

from collections import deque
from enum import StrEnum

import msgspec

from tuistream.core.batch import StreamKey

SAMPLES_KEPT = 5
SAMPLE_BYTES = 200


class FeedState(StrEnum):
    CONNECTING = "connecting"
    WAITING = "waiting"  # connected; no tick yet
    LIVE = "live"
    STALE = "stale"  # connected, and silent for longer than its feed may be
    RETRYING = "retry"
    SUSPENDED = "suspended"  # with the program: closed, to be connected again when it goes on
    CLOSED = "closed"  # ended as it should
    FAILED = "failed"  # ended, and will not be tried again


class FeedStatus(msgspec.Struct):
    """One feed. Times are ns since 1970 UTC; `url` and `reason` hold no secrets and no control characters."""

    name: str
    url: str = ""
    decoder: str = ""
    state: FeedState = FeedState.CONNECTING
    since: int = 0
    reason: str = ""
    retry_at: int = 0
    connections: int = 0
    frames: int = 0
    bytes: int = 0
    ticks: int = 0  # decoded, and not seen before
    repeats: int = 0  # decoded, and dropped because their id had come before
    malformed: int = 0  # frames refused
    control: int = 0  # acks, heartbeats, greetings
    other: int = 0  # well-formed frames that hold no tick (order books, unknown channels)
    bad_times: int = 0  # ticks whose event time cannot be; kept with their receive time
    refused_ticks: int = 0  # ticks of streams beyond the limit on streams
    items: int = 0  # texts, pictures and the like that were kept for a look
    refused_items: int = 0  # those of streams beyond the limit
    accepted: int = 0  # messages that a listener took; those that it refused are `malformed`
    gaps: int = 0
    relayed: bool = False  # the ticks carry the receive time of a recorder before us
    last_recv: int = 0
    lag: int | None = None  # ns from event to receipt of the newest tick that has an event time
    stale_after: float = 10.0  # seconds of silence
    samples: deque[tuple[str, str]] = msgspec.field(default_factory=lambda: deque(maxlen=SAMPLES_KEPT))
    unread: str = ""  # a sample of a frame in which no number was found

    @property
    def reconnects(self) -> int:
        return max(0, self.connections - 1)

    @property
    def listens(self) -> bool:
        """Whether many senders connect to it, rather than it to one producer."""
        return self.url.startswith("listen+")

    @property
    def follows(self) -> bool:
        """Whether it is a recording that another process writes."""
        return self.url.startswith("follow:")

    @property
    def ended(self) -> bool:
        return self.state in (FeedState.CLOSED, FeedState.FAILED)


class Event(msgspec.Struct, frozen=True):
    """Something that happened to a feed or a stream: a row of the recording and a line of the event log.

    kind: open, close, retry, gap, restart, stale, lost, notice, suspended, …
    `stream` is None where the whole feed is meant. A gap's details hold `from` and `to` (ns, event time) and
    `reason`; `first_id`, `last_id` and `missing` where ids tell.
    """

    t: int
    feed: str
    kind: str
    text: str
    stream: StreamKey | None = None
    details: dict[str, int | float | str | None] = msgspec.field(default_factory=dict)


class Rate:
    """How fast a counter rises, over the last few seconds."""

    def __init__(self, span: float = 3.0) -> None:
        self._span = int(span * 1e9)
        self._seen: deque[tuple[int, int]] = deque()

    def update(self, now: int, total: int) -> float:
        """Note that the counter stands at `total` at `now` (ns); its rise a second since `span` ago.

        A counter that fell, or a clock, is measured anew.
        """
        seen = self._seen
        if seen and (now < seen[-1][0] or total < seen[-1][1]):
            seen.clear()
        if not seen or now > seen[-1][0]:
            seen.append((now, total))
        while len(seen) > 2 and seen[1][0] <= now - self._span:
            seen.popleft()
        passed = seen[-1][0] - seen[0][0]
        return (seen[-1][1] - seen[0][1]) * 1e9 / passed if passed > 0 else 0.0


class RecordingStatus(msgspec.Struct, frozen=True):
    """What is recorded where, as it stands now.

    state: "recording", "failing" (`reason` says why; ticks are kept until it works again), "locked" (another
    process records into the file; `reason` names it) or "off".
    """

    state: str
    path: str = ""
    reason: str = ""
    rows: int = 0  # committed by this run
    gaps: int = 0  # gap rows committed by this run
    bytes: int = 0  # size of the file
    pending: int = 0  # ticks that wait to be written
    lost: int = 0  # ticks that found no room while writing failed
    items: int = 0  # texts, pictures and the like committed by this run
    lost_items: int = 0  # those that found no room
