"""`listen+ws://`: anyone sends messages over WebSocket, on any path; nothing is sent back."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Any, Final, cast

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State

from tuistream.core.status import FeedState, FeedStatus
from tuistream.decoders.hub import Cause
from tuistream.framers.websocket_clients import ClientFrameSlicer
from tuistream.sources.contract import FeedSettings, Target
from tuistream.sources.hub import listening
from tuistream.sources.hub.auth import Admission
from tuistream.sources.hub.byte_stream import SLICE
from tuistream.sources.hub.intake import Intake, Sender, room

try:
    from websockets.speedups import apply_mask
except ImportError:  # where nothing was compiled
    from websockets.utils import apply_mask

OPEN_SECONDS: Final = 10.0  # for the opening handshake
CLOSE_SECONDS: Final = 1.0
READ_BUFFER: Final = 1 << 18  # bytes of messages that wait to be taken, past which no more is read of a connection


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
            create_connection=cast("type[ServerConnection]", partial(_Collector, self)),
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
        assert isinstance(connection, _Collector)
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

    async def _read(self, connection: _Collector, sender: Sender) -> None:
        """Until ConnectionClosed is raised."""
        listener = self.listener
        while True:
            messages = await connection.take()
            for start in range(0, len(messages), SLICE):
                if start:
                    await asyncio.sleep(0)
                if listener.status.state is FeedState.SUSPENDED:
                    await self._reading.wait()
                listener.take(sender, messages[start : start + SLICE])
                if not listener.intake.has_room:
                    await room(listener.intake)
            if (wait := listener.spend(sender, len(messages))) > 0:
                await asyncio.sleep(wait)


class _Collector(ServerConnection):
    """Takes the messages of a whole read at once, where the stock connection parses and queues frame by frame.

    What is no plain message goes through the stock parser, in its place among the rest.
    """

    def __init__(self, runner: WebSocketRunner, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._runner = runner
        self._slicer = ClientFrameSlicer(runner.listener.limits.frame, apply_mask)
        self._messages: list[bytes] = []  # that nobody has taken yet
        self._size = 0  # bytes of them
        self._fragments: bytearray | None = None
        self._reader: asyncio.Future[None] | None = None
        self._held = 0

    def data_received(self, data: bytes) -> None:
        try:
            self._look(data)
        except Exception as error:
            self._runner.fail(error)
            raise

    def _look(self, data: bytes) -> None:
        for part in self._slicer.feed(data):
            if isinstance(part, bytes):
                super().data_received(part)
            elif self.protocol.state in (State.CONNECTING, State.OPEN):
                self._messages += part
                self._size += sum(map(len, part))
        self._count_held()
        if self._size > READ_BUFFER:
            self.transport.pause_reading()
        if self._messages:
            self._wake()

    def _count_held(self) -> None:
        before, self._held = self._held, self._slicer.held
        if self._held != before:
            address, port = self.remote_address[:2]
            if not self._runner.listener.hold(f"{address} port {port}", self._held - before):
                self.transport.abort()

    def process_event(self, event: Any) -> None:
        if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            self._collect(event)
        else:
            super().process_event(event)

    def _collect(self, frame: Frame) -> None:
        fragments = bytearray() if self._fragments is None else self._fragments
        fragments += frame.data
        self._fragments = None if frame.fin else fragments
        if frame.fin:
            self._messages.append(bytes(fragments))
            self._size += len(fragments)

    def connection_lost(self, exc: Exception | None) -> None:
        self._runner.listener.counters.pending -= self._held
        self._held = 0
        super().connection_lost(exc)
        self._wake()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def take(self) -> list[bytes]:
        """What has come since the last time; waits for something. Raises ConnectionClosed at the end."""
        while not self._messages:
            if self.connection_lost_waiter.done():
                await self.recv()  # which raises it
            self._reader = self.loop.create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        messages, self._messages = self._messages, []
        if self._size > READ_BUFFER and not self.connection_lost_waiter.done():
            self.transport.resume_reading()
        self._size = 0
        return messages
