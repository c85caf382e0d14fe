"""What a framer of a byte stream is: bytes in as they come, whole frames out. No I/O, no clock."""

from __future__ import annotations

from typing import Final, Protocol

SAMPLE: Final = 800  # bytes kept of what is refused, for a look at it

Refused = tuple[bytes, str]  # the beginning of what was not taken, and why


class Framer(Protocol):
    """Cuts a byte stream into frames, the same ones wherever reads fall."""

    def feed(self, chunk: bytes) -> list[bytes]:
        """The frames that end in `chunk`, oldest first; keeps the rest."""

    def end(self) -> list[bytes]:
        """The frames that the end of the stream ends. The framer is as new afterwards."""

    def take_refused(self) -> list[Refused]:
        """What was refused since the last call, oldest first."""
