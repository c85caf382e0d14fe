"""`listen+http://`: anyone sends messages by POST, on any path. Needs aiohttp (the extra `hub`)."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from tuistream.core.errors import SettingsError
from tuistream.core.status import FeedStatus
from tuistream.sources.contract import FeedSettings, Target
from tuistream.sources.hub import listening
from tuistream.sources.hub.intake import Intake

SHUTDOWN_SECONDS: Final = 2.0  # for requests that are being answered when the listener ends


def parse(target: str) -> Target:
    """`listen+http://[PASSWORD@][HOST][:PORT]`. Raises SettingsError."""
    return listening.parse(target, "http")


def listener(intake: Intake, status: FeedStatus, settings: FeedSettings) -> HttpRunner:
    return HttpRunner(intake, status, settings)


class HttpRunner(listening.ListenerRunner):
    """Raises SettingsError where aiohttp is not installed."""

    way = "http"

    def __init__(self, intake: Intake, status: FeedStatus, settings: FeedSettings) -> None:
        super().__init__(intake, status, settings)
        try:
            from tuistream.sources.hub.http import HttpHub
        except ModuleNotFoundError as error:
            if error.name != "aiohttp":
                raise
            raise SettingsError("listen+http: aiohttp is not installed; pip install 'tuistream[hub]'") from error
        self._hub = HttpHub(self.listener)

    @asynccontextmanager
    async def serving(self, bound: socket.socket, tls: ssl.SSLContext | None) -> AsyncIterator[None]:
        from tuistream.sources.hub.http import HttpServer

        http = HttpServer(self._hub, self.fail)
        server = await asyncio.get_running_loop().create_server(
            http,
            sock=bound,
            ssl=tls,
            backlog=listening.BACKLOG,
            ssl_handshake_timeout=listening.HANDSHAKE_SECONDS if tls else None,
        )
        try:
            yield
        finally:
            server.close()
            http.pre_shutdown()
            await http.shutdown(SHUTDOWN_SECONDS)
            await server.wait_closed()

    def hold(self) -> None:
        self._hub.reading.clear()

    def proceed(self) -> None:
        self._hub.reading.set()
