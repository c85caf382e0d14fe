"""The bounds of the hub: one table for the command line, the configuration file and the URLs of listeners."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from tuistream.core.durations import parse_duration
from tuistream.core.errors import SettingsError
from tuistream.core.sizes import parse_size
from tuistream.core.text import printable


class HubLimits(msgspec.Struct, frozen=True):
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


class Limit(msgspec.Struct, frozen=True):
    """How users say a field of HubLimits. key: in files and URLs. words: what it bounds. most: where there is one."""

    field: str
    key: str
    kind: Literal["size", "count", "time"]
    words: str
    most: int | None = None

    @property
    def option(self) -> str:
        return f"--{self.key.replace('_', '-')}"

    @property
    def default(self) -> str:
        """As users would write it."""
        value = getattr(HubLimits(), self.field)
        return {"size": f"{int(value) >> 20}MiB", "count": f"{value}", "time": f"{value:g}s"}[self.kind]

    def parse(self, text: str, where: str) -> int | float:
        """The value in bytes, in seconds, or as it is. where: what the user calls it. Raises SettingsError."""
        if self.kind == "time":
            return parse_duration(text, where) / 1e9
        if self.kind == "size":
            value, wanted = parse_size(text, where), "a size from 1 byte"
        else:
            digits = text.strip().replace("_", "")
            value = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else 0
            wanted = "a whole number from 1"
        if value < 1 or (self.most is not None and value > self.most):
            most = f" to {self.most:,}" if self.most is not None else " up"
            raise SettingsError(f"{where} {printable(text, 40)!r}: {wanted}{most} is wanted")
        return value


LIMITS: Final = (
    Limit("frame", "max_frame", "size", "Longest message."),
    Limit("large", "max_large", "size", "Longest one over frames."),
    Limit("pending", "max_pending", "size", "Of messages half sent."),
    Limit("connections", "max_connections", "count", "Of each port."),
    Limit("rate", "max_rate", "count", "Messages/s of a sender."),
    Limit("streams", "max_streams", "count", "In all.", 10_000),
    Limit("name", "max_name", "count", "Characters of a name.", 80),
    Limit("idle", "idle", "time", "Silence that loses a place where all are taken."),
)
NAMES: Final = {limit.field: limit.option for limit in LIMITS}  # as refusals tell them


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
