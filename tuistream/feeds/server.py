"""The WebSocket server that sends a feed to whoever connects, on any path."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import os
import re
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Protocol, cast

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.typing import Origin

from tuistream.core.errors import SettingsError, TuistreamError
from tuistream.core.text import printable
from tuistream.feeds.broadcast import TooSlow
from tuistream.feeds.client import CLOSE_SECONDS, Client

DEFAULT_PORT = 8766  # streaming-plot's
MAX_CLIENTS = 200
WRITE_BUFFER = 1 << 18  # bytes that wait for a client's TCP before sending to it waits
SHUTDOWN_SECONDS = 2.0  # for all clients to answer it when the server is told to end

Note = Callable[[str], None]
Origins = Sequence[Origin | re.Pattern[str] | None] | None
# A web page from elsewhere must not read a user's files through their browser. Programs send no origin, or our own.
OWN_ORIGINS: Origins = (None, re.compile(r"https?://(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]+)?"))


class Producer(Protocol):
    """What is sent. `run` works for all clients, until cancelled; `send_all` sends one client everything."""

    async def run(self) -> None: ...
    async def send_all(self, client: Client) -> None: ...


class FeedServer:
    """A server that is up. port: the one that it listens on. url: as ws://127.0.0.1:8766.

    served: how many clients have been sent everything, and stayed until the end of it.
    """

    def __init__(self, producer: Producer, note: Note) -> None:
        self.port = 0
        self.url = ""
        self.served = 0
        self._producer = producer
        self._note = note
        self._clients: set[Client] = set()
        self._connections: set[Client] = set()  # those in their opening handshake too
        self._failure: Exception | None = None
        self._changed = asyncio.Event()

    async def finished(self) -> None:
        """Return once a client has been sent everything and none is connected. Raises what went wrong inside."""
        while self._failure is None and not (self.served and not self._clients):
            self._changed.clear()
            await self._changed.wait()
        if self._failure is not None:
            raise self._failure

    @asynccontextmanager
    async def up(self, address: str, port: int, origins: Origins) -> AsyncIterator[None]:
        """Listen and send for as long as the block lasts. Raises OSError where it cannot listen."""
        server = await serve(
            self._handle,
            address,
            port,
            origins=origins,
            process_request=self._refuse_if_full,
            ping_timeout=None,  # a client that its TCP holds for long answers no ping meanwhile
            close_timeout=CLOSE_SECONDS,
            write_limit=WRITE_BUFFER,
            logger=logging.Logger("serve", logging.CRITICAL),  # that a port scanner came is no news
            create_connection=cast(type[ServerConnection], partial(Client, opened=self._connections)),
        )
        host, self.port = next(iter(server.sockets)).getsockname()[:2]
        self.url = f"ws://[{host}]:{self.port}" if ":" in host else f"ws://{host}:{self.port}"
        producing = asyncio.create_task(self._produce())
        try:
            yield
        finally:
            producing.cancel()
            await asyncio.wait([producing])
            await self._close(server)

    async def _produce(self) -> None:
        try:
            await self._producer.run()
        except Exception as error:
            self._fail(error)
            raise

    async def _handle(self, connection: ServerConnection) -> None:
        assert isinstance(connection, Client)
        self._clients.add(connection)
        try:
            await self._producer.send_all(connection)
            await connection.end()
            self.served += connection.ended_well
        except ConnectionClosed:
            pass  # left early
        except TooSlow as behind:
            host, port = connection.remote_address[:2]
            self._note(f"client {host}, port {port}, is {behind}: closed (1013)")
            await connection.end(CloseCode.TRY_AGAIN_LATER, f"too slow: {behind}")
        except Exception as error:
            self._fail(error)
            raise
        finally:
            self._clients.discard(connection)
            self._changed.set()

    def _fail(self, error: Exception) -> None:
        self._failure = error
        self._changed.set()

    def _refuse_if_full(self, connection: ServerConnection, _request: Request) -> Response | None:
        if len(self._clients) < MAX_CLIENTS:
            return None
        return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, f"{MAX_CLIENTS} clients are connected already\n")

    async def _close(self, server: Server) -> None:
        server.close(code=CloseCode.GOING_AWAY)
        closed = asyncio.ensure_future(server.wait_closed())
        await asyncio.wait([closed], timeout=SHUTDOWN_SECONDS)
        for connection in tuple(self._connections):
            connection.transport.abort()
        await closed


@asynccontextmanager
async def serving(
    producer: Producer,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    note: Note,
    no_auth: bool = False,
) -> AsyncIterator[FeedServer]:
    """A server for as long as the block lasts; at its end the clients are closed with 1001.

    port: 0 takes a free one. no_auth: anyone may read the feed; without it `host` must be a loopback one. note: told
    in one line what a user should know. Raises SettingsError for a host that cannot be, and TuistreamError where the
    port cannot be had.
    """
    address = await _address(host)
    if not no_auth and not ipaddress.ip_address(address.partition("%")[0]).is_loopback:
        raise SettingsError(
            f"--host {printable(host)}: whoever can reach it can read the feed; --no-auth allows that"
        )
    feed = FeedServer(producer, note)
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(feed.up(address, port, None if no_auth else OWN_ORIGINS))
        except OSError as error:
            reason = os.strerror(error.errno).lower() if error.errno else printable(str(error))
            hint = "; --port 0 takes a free one" if error.errno == errno.EADDRINUSE else ""
            raise TuistreamError(f"cannot listen on {printable(host)} port {port}: {reason}{hint}") from error
        yield feed


async def _address(host: str) -> str:
    """The address of a host, an IPv4 one where it has both. Raises SettingsError."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host or "?", None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SettingsError(f"--host {printable(host)!r}: {printable(str(reason))}") from error
    address, *_ = min(found, key=lambda info: info[0] != socket.AF_INET)[4]
    return str(address)
