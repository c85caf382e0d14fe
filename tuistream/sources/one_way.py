"""Connections that are only read."""

from __future__ import annotations

from collections.abc import Sequence

from tuistream.core.frames import Read


class OneWay:
    """What is read, and never written to."""

    async def reads(self) -> list[Read]:
        raise NotImplementedError

    def rest_reads(self) -> list[Read]:
        return []

    async def read(self) -> Sequence[bytes]:
        return [frame for read in await self.reads() for frame in read.frames]

    def rest(self) -> Sequence[bytes]:
        return ()

    async def send(self, message: str) -> None:
        """Nothing can be sent."""
