"""The hub's large messages: each behind its length, as a pickled string or as plain JSON."""

from __future__ import annotations

from tuistream.framers.contract import SAMPLE, Refused
from tuistream.framers.length_prefix import LIMIT, LengthPrefixFramer
from tuistream.framers.objects import ObjectFramer
from tuistream.framers.pickled import NoString, string_of


class PickledObjectFramer:
    """Cuts a byte stream into JSON texts of at most `limit` bytes.

    A stream that begins with a brace is taken as objects without lengths: as a length that would be over 2 GB.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._framer: LengthPrefixFramer | ObjectFramer | None = None
        self._refused: list[Refused] = []

    @property
    def held(self) -> int:
        """Bytes that wait for the rest of their message."""
        return self._framer.held if self._framer is not None else 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The messages that end in `chunk`, oldest first."""
        if self._framer is None:
            if not chunk:
                return []
            plain = chunk[:1] == b"{"
            self._framer = ObjectFramer(self._limit) if plain else LengthPrefixFramer(self._limit)
        frames = self._framer.feed(chunk)
        self._refused += self._framer.take_refused()
        return frames if isinstance(self._framer, ObjectFramer) else self._texts(frames)

    def end(self) -> list[bytes]:
        """No messages: one that has not ended is refused."""
        if self._framer is not None:
            self._framer.end()
            self._refused += self._framer.take_refused()
        self._framer = None
        return []

    def take_refused(self) -> list[Refused]:
        refused, self._refused = self._refused, []
        return refused

    def _texts(self, frames: list[bytes]) -> list[bytes]:
        texts = []
        for frame in frames:
            if frame.lstrip()[:1] in (b"{", b"["):
                texts.append(frame)
                continue
            try:
                texts.append(string_of(frame))
            except NoString as error:
                self._refused.append((frame[:SAMPLE], str(error)))
        return texts
