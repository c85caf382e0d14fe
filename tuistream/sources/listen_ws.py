"""`listen+ws://`: anyone sends messages over WebSocket, on any path; nothing is sent back."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response

from tuistream.core.status import FeedState, FeedStatus
from tuistream.decoders.hub import Cause
from tuistream.sources.contract import FeedSettings, Target
from tuistream.sources.hub import listening
from tuistream.sources.hub.auth import Admission
from tuistream.sources.hub.intake import Intake, Sender, room

OPEN_SECONDS: Final = 10.0  # for the opening handshake
CLOSE_SECONDS: Final = 1.0


def parse(target: str) -> Target:
    """`listen+ws://[PASSWORD@][HOST][:PORT]`. Raises SettingsError."""
    return listening.parse(target, "ws")


def listener(intake: Intake, status: FeedStatus, settings: FeedSettings) -> WebSocketRunner:
    return WebSocketRunner(intake, status, settings)


class WebSocketRunner(listening.ListenerRunner):
    way = "ws"

    def __init__(self, intake: Intake, status: FeedStatus, settings: FeedSettings) -> None:
        super().__init__(intake, status, settings)
        self._reading = asyncio.Event()
        self._reading.set()

    @asynccontextmanager
    async def serving(self, bound: socket.socket, tls: ssl.SSLContext | None) -> AsyncIterator[None]:
        server = await serve(
            self._handle,
            sock=bound,
            ssl=tls,
            process_request=self._check,
            max_size=self.listener.limits.frame,
            compression=None,
            open_timeout=OPEN_SECONDS,
            close_timeout=CLOSE_SECONDS,
            ping_interval=None,  # the system asks silent ones whether they are there; a suspended program cannot
            logger=logging.Logger("listen", logging.CRITICAL),  # that a port scanner came is no news
        )
        try:
            yield
        finally:
            server.close(code=CloseCode.GOING_AWAY)
            await server.wait_closed()

    def hold(self) -> None:
        self._reading.clear()

    def proceed(self) -> None:
        self._reading.set()

    def _check(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse a web page from elsewhere, and a wrong login, before there is a connection."""
        listener = self.listener
        address, port = connection.remote_address[:2]
        name = f"{address} port {port}"
        origins, logins = request.headers.get_all("Origin"), request.headers.get_all("Authorization")
        if not all(listener.auth.allows_origin(origin) for origin in origins):
            listener.refuse(name, Cause.ORIGIN, f"a web page of {origins[0]}; --no-auth or a password allows it")
            return connection.respond(HTTPStatus.FORBIDDEN, "this origin may not send here\n")
        asked = listener.auth.admission(address) is Admission.PASSWORD
        if asked and logins and not listener.auth.matches_header(logins[0]):
            listener.refuse(name, Cause.PASSWORD, "a wrong password in Authorization")
            return connection.respond(HTTPStatus.UNAUTHORIZED, "wrong password\n")
        return None

    async def _handle(self, connection: ServerConnection) -> None:
        address, port = connection.remote_address[:2]
        sender = self.listener.admit(address, port, connection.transport.abort)
        if sender is None:
            await connection.close(CloseCode.TRY_AGAIN_LATER, "refused")
            return
        assert connection.request is not None
        for login in connection.request.headers.get_all("Authorization")[:1]:
            self.listener.log_in(sender, login)
        try:
            await self._read(connection, sender)
        except ConnectionClosed as closed:
            if closed.sent is not None and closed.sent.code == CloseCode.MESSAGE_TOO_BIG:
                self.listener.refuse(sender, Cause.TOO_BIG, f"a message {self.listener.over_limit('frame')}")
        except Exception as error:
            self.fail(error)
            raise
        finally:
            self.listener.release(sender)

    async def _read(self, connection: ServerConnection, sender: Sender) -> None:
        """Until ConnectionClosed is raised."""
        listener = self.listener
        while True:
            frame = await connection.recv(decode=False)
            if listener.status.state is FeedState.SUSPENDED:
                await self._reading.wait()
            listener.take(sender, [frame])
            if not listener.intake.has_room:
                await room(listener.intake)
            if (wait := listener.spend(sender, 1)) > 0:
                await asyncio.sleep(wait)
