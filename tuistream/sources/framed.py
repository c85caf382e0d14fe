"""A connection whose bytes a framer cuts: what the sources of byte streams have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from tuistream.core.errors import SourceDown
from tuistream.core.frames import Read
from tuistream.framers.contract import Framer
from tuistream.sources.chunks import Chunk, Chunks

Ended = Callable[[Exception | None], Awaitable[SourceDown]]  # what the end of a connection means
Send = Callable[[bytes], Awaitable[None]]


class FramedConnection:
    """Reads chunks, hands over frames. `send` writes a line; where it is None, nothing is ever sent."""

    def __init__(self, chunks: Chunks, framer: Framer, ended: Ended, send: Send | None = None) -> None:
        self._chunks = chunks
        self._framer = framer
        self._ended = ended
        self._send = send

    async def reads(self) -> list[Read]:
        """What each read since the last call gave, oldest first; waits for one. SourceDown at the end."""
        while True:
            chunks, notices = await self._chunks.take()
            if chunks or notices:
                if reads := self._cut(chunks, notices):
                    return reads
            elif last := self._last():
                return last
            else:
                raise await self._ended(self._chunks.error)

    def rest_reads(self) -> list[Read]:
        """The reads that nobody has taken yet."""
        return self._cut(*self._chunks.rest())

    async def read(self) -> Sequence[bytes]:
        """All frames that have come since the last read, oldest first; waits for one. SourceDown at the end."""
        return [frame for read in await self.reads() for frame in read.frames]

    def rest(self) -> Sequence[bytes]:
        """The frames that have come and were not read yet."""
        return [frame for read in self.rest_reads() for frame in read.frames]

    async def send(self, message: str) -> None:
        if self._send is not None:
            await self._send(message.encode() + b"\n")

    def _cut(self, chunks: Sequence[Chunk], notices: Sequence[str]) -> list[Read]:
        reads = []
        for recv, data in chunks:
            frames, refused = self._framer.feed(data), self._framer.take_refused()
            if frames or refused:
                reads.append(Read(recv, frames, refused))
        if notices:
            reads.append(Read(self._chunks.clock(), (), notices=notices))
        return reads

    def _last(self) -> list[Read]:
        """What the end of the stream ends."""
        frames, refused = self._framer.end(), self._framer.take_refused()
        return [Read(self._chunks.clock(), frames, refused)] if frames or refused else []
