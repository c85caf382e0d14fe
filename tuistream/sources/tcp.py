"""`tcp://host:port`: a client of a server that sends JSON objects back to back, JSON lines, or CSV."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tuistream.core.errors import SettingsError, SourceDown
from tuistream.core.text import printable, redact_url, secrets_of, without
from tuistream.framers.text import TextFramer
from tuistream.sources.chunks import Chunks
from tuistream.sources.contract import FeedSettings, Target
from tuistream.sources.framed import FramedConnection
from tuistream.sources.reasons import os_reason
from tuistream.sources.urls import checked

OPEN_TIMEOUT = 10.0
SEND_TIMEOUT = 10.0


def parse(target: str) -> Target:
    """A host and a port. Raises SettingsError."""
    url, address, path = checked(target)
    if ":" not in address.rpartition("]")[2]:
        raise SettingsError(f"{redact_url(url)}: a port is missing, as in tcp://{address}:9000")
    if path.strip("/") or "?" in url or "#" in url:
        raise SettingsError(f"{redact_url(url)}: tcp://HOST:PORT is wanted, and nothing behind it")
    return Target(url, printable(address, 60), "lines", secrets=tuple(secrets_of(url)))


def source(settings: FeedSettings) -> TcpSource:
    _, _, address = settings.url.rpartition("//")
    host, _, port = address.rpartition("@")[2].rstrip("/").rpartition(":")
    return TcpSource(host.strip("[]"), int(port), settings)


@dataclass(frozen=True, slots=True)
class TcpSource:
    """Where to connect, and how to read."""

    host: str
    port: int
    settings: FeedSettings

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[FramedConnection]:
        """One connection. Raises SourceDown where it cannot be made."""
        chunks = Chunks(self.settings.coalesce / 1e9, self.settings.gather / 1e9)
        try:
            async with asyncio.timeout(OPEN_TIMEOUT):
                loop = asyncio.get_running_loop()
                transport, _ = await loop.create_connection(lambda: chunks, self.host, self.port)
        except (OSError, TimeoutError, UnicodeError) as error:
            raise down(error, self.settings.secrets) from error
        async with speaking(transport, chunks, self.settings) as connection:
            yield connection


@asynccontextmanager
async def speaking(
    transport: asyncio.Transport, chunks: Chunks, settings: FeedSettings
) -> AsyncIterator[FramedConnection]:
    """A connection on an open transport, which is closed at the end of the block."""

    async def ended(error: Exception | None) -> SourceDown:
        return SourceDown("closed by the producer", normal=True) if error is None else down(error, settings.secrets)

    async def send(message: bytes) -> None:
        if transport.is_closing():
            raise SourceDown("connection lost")
        if transport.get_write_buffer_size() > settings.max_frame:
            raise SourceDown("the producer reads nothing of what is sent to it")
        transport.write(message)

    try:
        yield FramedConnection(chunks, TextFramer(settings.max_frame), ended, send)
    finally:
        transport.abort()


def down(error: Exception, secrets: tuple[str, ...]) -> SourceDown:
    """Why there is no connection, or none any more."""
    if isinstance(error, TimeoutError) and error.errno is None:
        return SourceDown(f"no answer within {OPEN_TIMEOUT:g} s")
    reason = os_reason(error) if isinstance(error, OSError) else str(error)
    return SourceDown(printable(without(reason, list(secrets))))
