"""What is shown of a recording that is replayed, and what the keys do to it."""

from __future__ import annotations

import math
from typing import Final, Protocol


class Playback(Protocol):
    """A recording that is replayed: `sources.replay.Replay`. Times are ns since 1970 UTC.

    recorded: a recording is made of it, so that it goes forward only. position: now by the recorder's clock. moment:
    the same as the axes have it.
    """

    @property
    def speed(self) -> float: ...
    @property
    def paused(self) -> bool: ...
    @property
    def ended(self) -> bool: ...
    @property
    def recorded(self) -> bool: ...
    def position(self) -> int: ...
    def moment(self) -> int: ...
    def toggle(self) -> None: ...
    def set_speed(self, steps: int) -> bool: ...
    def step(self, steps: int) -> bool: ...
    def go(self, t: int) -> None: ...


FORWARD_ONLY: Final = "this replay is recorded, and goes forward only"


def speed_text(speed: float) -> str:
    return "max" if speed == math.inf else f"{speed:g}x"


def playback_word(playback: Playback) -> tuple[str, str]:
    """What the replay does, and the ink for it: "replay 10x", "replay paused", "replay ended"."""
    if playback.ended:
        return "replay ended", "dim"
    if playback.paused:
        return "replay paused", "accent"
    return f"replay {speed_text(playback.speed)}", "up"


def toggled(playback: Playback) -> str:
    """Play or pause; what the user is told."""
    if playback.ended:
        return "the recording has ended; g goes to a time, , a tick back"
    playback.toggle()
    return "replay paused; , and . go tick by tick" if playback.paused else f"replay {speed_text(playback.speed)}"


def stepped(playback: Playback, steps: int) -> str:
    """Go a tick back (-1) or on (1); what the user is told."""
    if steps < 0 and playback.recorded:
        return FORWARD_ONLY
    if playback.step(steps):
        return "a tick on" if steps > 0 else "a tick back"
    return "this is the last tick" if steps > 0 else "no tick before this is kept; g goes to a time"


def sped(playback: Playback, steps: int) -> str:
    """Go slower (-1) or faster (1); what the user is told."""
    if not playback.set_speed(steps):
        return "this is the fastest" if steps > 0 else "this is the slowest"
    return f"replay {speed_text(playback.speed)}{', paused' if playback.paused else ''}"
