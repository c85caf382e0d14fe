"""The bounds of the hub, each with its name on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NAMES: Final = {
    "frame": "--max-frame",
    "large": "--max-large",
    "connections": "--max-connections",
    "rate": "--max-rate",
    "streams": "--max-streams",
    "name": "--max-name",
    "pending": "--max-pending",
    "idle": "--idle",
}


@dataclass(frozen=True, slots=True)
class HubLimits:
    """What a listener takes at most. What is over is refused and counted, never kept.

    frame: bytes of a message over TCP, HTTP and WebSocket. large: of one over frames. connections: of one listener at
    a time. rate: messages a second of one sender; a connection is read more slowly, an HTTP request is refused.
    streams: of all listeners of a run. name: characters of an id or of a legend's name. pending: bytes of messages
    that have begun and not ended, of one listener. idle: seconds after which a silent connection gives way to a new
    one where there are `connections` already.
    """

    frame: int = 1 << 20
    large: int = 64 << 20
    connections: int = 5_000
    rate: int = 200_000
    streams: int = 1_000
    name: int = 80
    pending: int = 512 << 20
    idle: float = 60.0


class Allowance:
    """How many messages a sender has left: `rate` a second, of which one second's may be saved up."""

    __slots__ = ("_at", "_left", "rate")

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._left = float(rate)
        self._at = 0.0

    def spend(self, count: int, now: float) -> float:
        """Note that `count` messages came at `now` (monotonic seconds); for how many seconds none more should."""
        if self._at:
            self._left = min(float(self.rate), self._left + (now - self._at) * self.rate)
        self._at = now
        self._left -= count
        return max(0.0, -self._left / self.rate)
