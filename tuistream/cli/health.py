"""Whether a recorder does what it is there for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from tuistream.core.status import FeedState
from tuistream.wiring import Run

DOWN_SECONDS: Final = 60.0  # after which a feed that is not connected counts
UNWRITTEN_SECONDS: Final = 15.0  # that ticks may wait to be written
STUCK_SECONDS: Final = 60.0  # after which an attempt to write that has not ended never will
_UP: Final = (FeedState.WAITING, FeedState.LIVE, FeedState.STALE, FeedState.SUSPENDED, FeedState.CLOSED)


class Health:
    """Says what is wrong with a run. `look` is to be called now and then. clock: monotonic seconds.

    down_after: seconds after which a feed that is not connected is reported. One that is connected and silent is not:
    markets close.
    """

    def __init__(
        self, run: Run, down_after: float = DOWN_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._run = run
        self._down_after = down_after
        self._clock = clock
        self._down_since: dict[str, float] = {}

    def look(self) -> None:
        """Note which feeds are down."""
        now = self._clock()
        for name, feed in self._run.session.feeds.items():
            if feed.state in _UP:
                self._down_since.pop(name, None)
            else:
                self._down_since.setdefault(name, now)

    def reasons(self) -> list[str]:
        """What is wrong, in a line each; nothing where all is well."""
        self.look()
        now = self._clock()
        found: list[str] = []
        for name, feed in self._run.session.feeds.items():
            down = now - self._down_since.get(name, now)
            if feed.state is FeedState.FAILED:
                found.append(f"{name}: ended: {feed.reason}")
            elif down > self._down_after:
                found.append(f"{name}: down for {down:.0f} s: {feed.reason or feed.state}")
        status = self._run.recording()
        if status.state == "failing":
            found.append(f"recording: {status.reason}; {status.pending:,} ticks wait, {status.lost:,} lost")
        elif status.pending and self._run.sink is not None and now - self._run.sink.written_at > UNWRITTEN_SECONDS:
            waited = now - self._run.sink.written_at
            found.append(f"recording: nothing written for {waited:.0f} s; {status.pending:,} ticks wait")
        return found

    def moves(self) -> bool:
        """Whether the writing goes on: each attempt ends, be it well or not. A disk that is full is no standstill."""
        sink = self._run.sink
        return sink is None or not self._run.opened or self._clock() - sink.tried_at < STUCK_SECONDS
