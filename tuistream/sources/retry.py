"""When to connect again after a connection was lost. No clock: callers say what time it is."""

from __future__ import annotations

import random
from collections import deque

from tuistream.core.errors import SourceDown

SOON = (0.0, 0.1, 0.2, 0.4, 0.75)  # seconds before the first attempts; the last repeats while `SOON_SPAN` lasts
SOON_SPAN = 15.0
LONGEST = 30.0
LIVED = SOON[-1]  # seconds that a connection must have worked for what comes after it to be an outage of its own
AFTER_NORMAL_CLOSE = 0.5  # the producer said that it is done: it may be about to end
REFUSED_AGAIN = 30.0  # a refusal that will not change, of a feed that has worked


class Retry:
    """The pauses of one feed: at once, then at most 0.8 s apart for 15 s, then doubling, with jitter, up to 30 s.

    A producer that gives something and then ends at once, each time, is no better than one that is not there.

    `limit`: how many failures in a row are tried again; None for no end. `attempts`: at most so many connections
    in so many seconds, whatever else.
    """

    def __init__(
        self,
        limit: int | None = None,
        attempts: tuple[int, float] | None = None,
        jitter: random.Random | None = None,
    ) -> None:
        self._limit = limit
        self._attempts = attempts
        self._jitter = jitter or random.Random()  # noqa: S311
        self._made: deque[float] = deque(maxlen=attempts[0] if attempts else 1)
        self._failures = 0
        self._step = 0
        self._anew = True  # the next failure begins an outage
        self._since = 0.0  # when this outage began
        self._doubling = SOON[-1]
        self._ever_worked = False
        self._not_before = 0.0  # when the producer, which wanted us to stay away, may be asked again

    def begin(self, now: float, worked: bool) -> float:
        """Start anew, whatever failed before. Seconds to wait before the first attempt: what the producer demands.

        `worked`: a connection has given data.
        """
        self._failures = 0
        self._anew = True
        self._ever_worked = self._ever_worked or worked
        return max(self._allowed(0.0, now), self._not_before - now)

    def connecting(self, now: float) -> None:
        """An attempt starts. now: seconds on any clock that does not jump."""
        self._made.append(now)

    def failed(self, down: SourceDown, now: float, worked: bool) -> float | None:
        """Seconds to wait before the next attempt, or None if the feed ends here.

        `worked`: the connection that ended gave data.
        """
        self._not_before = now + (down.retry_after or 0.0)
        if worked:
            self._ever_worked = True
            self._failures = 0
        lasted = now - self._made[-1] if self._made else 0.0
        if self._anew or (worked and lasted >= LIVED):
            self._anew = False
            self._since, self._step, self._doubling = now, 0, SOON[-1]
        self._failures += 1
        if down.over:
            return None
        if self._limit is not None and self._failures > self._limit:
            return None
        if down.final:
            return self._allowed(REFUSED_AGAIN, now) if self._ever_worked else None
        pause = self._pause(now)
        if down.normal:
            pause = max(pause, AFTER_NORMAL_CLOSE)
        return self._allowed(max(pause, down.retry_after or 0.0), now)

    def _pause(self, now: float) -> float:
        if now - self._since < SOON_SPAN:
            pause = SOON[min(self._step, len(SOON) - 1)]
            self._step += 1
            return pause
        self._doubling = min(2 * self._doubling, LONGEST)
        return self._doubling * self._jitter.uniform(0.7, 1.0)

    def _allowed(self, pause: float, now: float) -> float:
        """`pause`, or longer where the venue counts connections."""
        if self._attempts is None:
            return pause
        count, seconds = self._attempts
        if len(self._made) < count:
            return pause
        return max(pause, self._made[0] + seconds - now)
