"""How many bytes may be sent now, so that no second has more than the ceiling. Knows no clock: times are given."""

from __future__ import annotations

from typing import Final

BURST_PART: Final = 0.25  # of a second's bytes may be sent at once; the rest of them comes evenly
LEAST: Final = 1_000  # bytes a second; with fewer no screen can be kept
FIRST_SCREEN: Final = 32_000  # bytes that are let through at the start, so that there is something to look at
STARTING_NS: Final = 1_000_000_000


class Budget:
    """A ceiling of `rate` bytes in any second, but for the first screen in the first second.

    A token bucket: it holds at most a quarter of a second's bytes and is filled with three quarters of them a second.
    """

    def __init__(self, rate: int, now: int) -> None:
        """now: ns."""
        self.rate = max(LEAST, rate)
        self._most = self.rate * BURST_PART
        self._fill = self.rate * (1 - BURST_PART) / 1e9
        self._left = max(self._most, FIRST_SCREEN)
        self._at = now
        self._started = now

    def allowance(self, now: int) -> int:
        """Bytes that may be sent at `now`, ns; 0 or less where none may."""
        if self._left < self._most:
            self._left = min(self._most, self._left + max(0, now - self._at) * self._fill)
        elif now - self._started > STARTING_NS:
            self._left = self._most
        self._at = now
        return int(self._left)

    def spend(self, count: int) -> None:
        self._left -= count

    def wait(self, count: int) -> float:
        """Seconds until about `count` bytes, or as many as ever, may be sent."""
        return max(0.0, (min(count, self._most) - self._left) / self._fill / 1e9)
