"""`-`: standard input: JSON objects, JSON lines, numbers, CSV."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tuistream.core.errors import SettingsError, SourceDown
from tuistream.core.text import printable
from tuistream.framers.text import TextFramer
from tuistream.sources.chunks import Chunks, Descriptor
from tuistream.sources.contract import FeedSettings, Target
from tuistream.sources.framed import FramedConnection
from tuistream.sources.reasons import os_reason

NAME = "stdin"


def parse(target: str) -> Target:
    return Target(target, NAME, "lines")


def source(settings: FeedSettings) -> StandardInput:
    if settings.send:
        raise SettingsError("--send: nothing can be sent to standard input")
    return StandardInput(settings)


class StandardInput:
    """Reads a descriptor that is not ours: it stays open, and what was begun to be read when we were suspended is
    finished afterwards. Its end is the feed's.
    """

    def __init__(self, settings: FeedSettings) -> None:
        self._settings = settings
        self._framer = TextFramer(settings.max_frame)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[FramedConnection]:
        """Raises SourceDown where there is no standard input."""
        chunks = Chunks(self._settings.coalesce / 1e9, self._settings.gather / 1e9)
        try:
            os.fstat(self._settings.descriptor)
            descriptor = Descriptor(self._settings.descriptor, chunks)
        except OSError as error:
            raise SourceDown(f"standard input: {printable(os_reason(error))}", over=True) from error
        try:
            yield FramedConnection(chunks, self._framer, _ended)
        finally:
            await descriptor.close()


async def _ended(error: Exception | None) -> SourceDown:
    if error is None:
        return SourceDown("end of input", normal=True, over=True)
    reason = os_reason(error) if isinstance(error, OSError) else str(error)
    return SourceDown(f"standard input: {printable(reason)}", over=True)
