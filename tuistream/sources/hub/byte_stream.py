"""A listener to which senders send bytes that a framer cuts into messages. It answers nothing."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from abc import abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Protocol

from tuistream.decoders.hub import Cause
from tuistream.framers.contract import Framer
from tuistream.sources.hub.intake import Sender, room
from tuistream.sources.hub.listening import HANDSHAKE_SECONDS, ListenerRunner

SLICE: Final = 2_048  # messages that are decoded before others have their turn
# A web page can have a browser send anything to a port of this machine, as long as it is HTTP.
_HTTP = re.compile(rb"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE) [/*h]")


class HoldingFramer(Framer, Protocol):
    """A framer that tells how many bytes wait in it."""

    @property
    def held(self) -> int: ...


class ByteStreamRunner(ListenerRunner):
    """Reads all connections in turn, and none of them while a sink has no room."""

    _held = False  # nothing is read of anybody
    _waiting: asyncio.Task[None] | None = None  # for room
    _connections: set[_Connection]

    @abstractmethod
    def framer(self) -> HoldingFramer:
        """One for a new connection."""

    @asynccontextmanager
    async def serving(self, bound: socket.socket, tls: ssl.SSLContext | None) -> AsyncIterator[None]:
        self._connections = set()
        server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self),
            sock=bound,
            ssl=tls,
            ssl_handshake_timeout=HANDSHAKE_SECONDS if tls else None,
        )
        try:
            yield
        finally:
            server.close()
            if self._waiting is not None:
                self._waiting.cancel()
            for connection in tuple(self._connections):
                connection.abort()
            await server.wait_closed()

    @property
    def held(self) -> bool:
        return self._held

    def hold(self) -> None:
        self._held = True
        for connection in self._connections:
            connection.read_or_pause()

    def proceed(self) -> None:
        if self._waiting is None:
            self._held = False
            for connection in self._connections:
                connection.go_on()

    def opened(self, connection: _Connection) -> None:
        self._connections.add(connection)

    def closed(self, connection: _Connection) -> None:
        self._connections.discard(connection)

    def look_for_room(self) -> None:
        """Read nothing more until every sink can take more, if one cannot."""
        if self._waiting is None and not self.listener.intake.has_room:
            self._waiting = asyncio.get_running_loop().create_task(self._wait_for_room())
            self.hold()

    async def _wait_for_room(self) -> None:
        await room(self.listener.intake)
        self._waiting = None
        if self.listener.status.state != "suspended":
            self.proceed()


class _Connection(asyncio.Protocol):
    """One sender. What it sent and is not decoded yet is at most one read's."""

    def __init__(self, runner: ByteStreamRunner) -> None:
        self._runner = runner
        self._listener = runner.listener
        self._framer = runner.framer()
        self._transport: asyncio.Transport | None = None
        self._sender: Sender | None = None
        self._frames: list[bytes] = []  # to be decoded
        self._over_rate = False
        self._to_work = False  # it will soon decode
        self._begun = False
        self._held = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self._sender = self._listener.admit(peer[0], peer[1], self.abort) if peer else None
        if self._sender is None:
            transport.abort()
            return
        self._runner.opened(self)
        self.read_or_pause()

    def data_received(self, data: bytes) -> None:
        try:
            self._receive(data)
        except Exception as error:
            self._runner.fail(error)
            raise

    def eof_received(self) -> None:
        """The sender has said all; the transport closes once it has been read."""

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._runner.closed(self)
        if self._sender is None:
            return
        while self._frames:
            self._decode()
        self._framer.end()
        self._listener.refuse_all(self._sender, self._framer.take_refused())
        self._listener.counters.pending -= self._held
        self._listener.release(self._sender)
        self._sender = None

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def read_or_pause(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._runner.held or self._over_rate or self._frames:
            transport.pause_reading()
        else:
            transport.resume_reading()

    def go_on(self) -> None:
        """Decode what has come, and read."""
        self._work_soon()
        self.read_or_pause()

    def _receive(self, data: bytes) -> None:
        sender = self._sender
        if sender is None:
            return
        if not self._begun:
            self._begun = True
            if _HTTP.match(data):
                reason = "an HTTP request, as a web page may send it; messages over HTTP have a port of their own"
                self._listener.refuse(sender, Cause.PROTOCOL, reason, data)
                self.abort()
                return
        self._frames += self._framer.feed(data)
        if refused := self._framer.take_refused():
            self._listener.refuse_all(sender, refused)
        self._count_held(sender)
        wait = self._listener.spend(sender, len(self._frames))
        if wait > 0:
            self._over_rate = True
            asyncio.get_running_loop().call_later(wait, self._within_rate)
        self._work()

    def _count_held(self, sender: Sender) -> None:
        before, self._held = self._held, self._framer.held
        if not self._listener.hold(sender, self._held - before):
            self._framer.end()
            self._framer.take_refused()  # it has been told
            self.abort()

    def _within_rate(self) -> None:
        self._over_rate = False
        self.read_or_pause()

    def _work_soon(self) -> None:
        if self._frames and not self._to_work:
            self._to_work = True
            asyncio.get_running_loop().call_soon(self._work)

    def _work(self) -> None:
        """Decode a slice of what has come; the rest after others have had their turn, once there is room."""
        self._to_work = False
        if self._runner.held:
            return
        self._decode()
        self._runner.look_for_room()
        self._work_soon()
        self.read_or_pause()

    def _decode(self) -> None:
        frames = self._frames
        if frames and self._sender is not None:
            self._frames = frames[SLICE:]
            try:
                self._listener.take(self._sender, frames[:SLICE])
            except Exception as error:
                self._runner.fail(error)
                raise
