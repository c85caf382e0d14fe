"""When ticks and frames are due. No clock and no sleep: callers say what time it is."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tuistream.feeds.files import FrameBlock

BLOCK_NS = 4_000_000  # what is due within so long goes out together
CATCH_UP_NS = 2_000_000_000  # what is overdue for longer is let go: after a suspension there is no burst
WALL_JUMP_NS = 50_000_000  # a wall clock that is off by more was set, and is followed
LONGEST_PAUSE_NS = 1_000_000_000  # of recorded time, from one file to the next
REORDERED_NS = 1_000_000_000  # of recorded time; a step back by more is a clock that was set
SPACING_NS = 1_000  # at least between ticks that are made flat out, as far as the clock leaves room


class SteadyTicks:
    """Steps at `rate` (over 0) a second, held on average against the monotonic clock. The first is due at once."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._start: int | None = None  # monotonic ns
        self._wall = 0  # wall clock minus monotonic clock, ns
        self._made = 0

    @property
    def begun(self) -> bool:
        return self._start is not None

    def due(self, now: int, wall: int, at_most: int) -> NDArray[np.int64]:
        """The wall-clock times, ns, at which the steps that are due fell due; the oldest `at_most` of them.

        now: monotonic ns. wall: ns since 1970 UTC.
        """
        if self._start is None or now - self._at(self._made) > CATCH_UP_NS:
            self._start, self._made = now, 0
        if self._made == 0 or abs(wall - now - self._wall) > WALL_JUMP_NS:
            self._wall = wall - now
        passed = math.floor((now - self._start) * self._rate / 1e9)
        count = min(max(0, passed + 1 - self._made), at_most)
        steps = np.arange(self._made, self._made + count, dtype=np.float64)
        self._made += count
        return (steps * (1e9 / self._rate)).astype(np.int64) + (self._start + self._wall)

    def wait(self, now: int) -> int:
        """Nanoseconds until there is something worth waking for: 0 where steps are overdue."""
        if self._start is None:
            return 0
        due = self._at(self._made)
        return 0 if due <= now - BLOCK_NS else max(due - now, BLOCK_NS)

    def _at(self, step: int) -> int:
        assert self._start is not None
        return self._start + int(step * (1e9 / self._rate))


class FlatOutTicks:
    """Times for steps that are made as fast as they can be sent: in order, and never ahead of the wall clock."""

    def __init__(self) -> None:
        self._last = 0

    def times(self, wall: int, count: int) -> NDArray[np.int64]:
        """int64[count], ns since 1970 UTC, the last of them `wall`."""
        since = min(max(self._last, wall - count * SPACING_NS), wall)
        self._last = wall
        return since + (wall - since) * np.arange(1, count + 1, dtype=np.int64) // count


class Timeline:
    """When the frames of one replay are due, in ns from its start.

    speed: so many times the recorded pace. rate: instead of that so many frames a second; 0 for flat out.
    The recorded clock may jump: back counts as no time at all, and from file to file at most LONGEST_PAUSE_NS.
    """

    def __init__(self, speed: float = 1.0, rate: float | None = None) -> None:
        self._speed = speed
        self._rate = rate
        self._frames = 0
        self._elapsed = 0  # recorded ns
        self._last: int | None = None

    def due(self, block: FrameBlock) -> list[int]:
        """One for each frame of the next block."""
        if self._rate is not None:
            first, self._frames = self._frames, self._frames + len(block.times)
            if not self._rate:
                return [0] * len(block.times)
            return [int(frame * 1e9 / self._rate) for frame in range(first, self._frames)]
        due = []
        last = block.times[0] if self._last is None else self._last
        elapsed = self._elapsed
        if block.opens:
            last = max(last, block.times[0] - LONGEST_PAUSE_NS)
        for t in block.times:
            if t > last:
                elapsed += t - last
                last = t
            elif last - t > REORDERED_NS:
                last = t
            due.append(int(elapsed / self._speed))
        self._elapsed, self._last = elapsed, last
        return due
