"""`unix:///path`: as tcp://, over a Unix domain socket (of the stream kind)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tuistream.core.errors import SettingsError
from tuistream.core.text import printable
from tuistream.sources.chunks import Chunks
from tuistream.sources.contract import FeedSettings, Target
from tuistream.sources.framed import FramedConnection
from tuistream.sources.tcp import OPEN_TIMEOUT, down, speaking

BEGINS = "unix://"
MAX_PATH = 107  # bytes; sun_path of unix(7)


def parse(target: str) -> Target:
    """The path of a socket, as it is: nothing in it is quoted. Raises SettingsError."""
    path = target[len(BEGINS) :]
    if not path or "\0" in path:
        raise SettingsError(f"{printable(target)}: a path is missing, as in unix:///run/sensors.sock")
    if len(os.fsencode(path)) > MAX_PATH:
        raise SettingsError(f"{printable(target)}: the path of a socket has at most {MAX_PATH} bytes")
    return Target(BEGINS + path, printable(Path(path).name, 60), "lines")


def source(settings: FeedSettings) -> UnixSource:
    return UnixSource(settings.url[len(BEGINS) :], settings)


@dataclass(frozen=True, slots=True)
class UnixSource:
    """Where to connect, and how to read."""

    path: str
    settings: FeedSettings

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[FramedConnection]:
        """One connection. Raises SourceDown where it cannot be made."""
        chunks = Chunks(self.settings.coalesce / 1e9, self.settings.gather / 1e9)
        try:
            async with asyncio.timeout(OPEN_TIMEOUT):
                loop = asyncio.get_running_loop()
                transport, _ = await loop.create_unix_connection(lambda: chunks, self.path)
        except (OSError, TimeoutError) as error:
            raise down(error, self.settings.secrets) from error
        async with speaking(transport, chunks, self.settings) as connection:
            yield connection
