"""Listening at an address: what all listeners do before the first sender comes."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import ssl
import sys
from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager
from typing import Final
from urllib.parse import unquote, urlsplit

from msgspec.structs import replace

from tuistream.core.errors import SettingsError, TuistreamError
from tuistream.core.status import FeedState, FeedStatus
from tuistream.core.text import printable, redact_url
from tuistream.decoders.wire.report import StreamReport
from tuistream.sources.contract import FeedSettings, Target
from tuistream.sources.hub.auth import Auth
from tuistream.sources.hub.intake import Intake, Way
from tuistream.sources.hub.options import HubOptions, with_query

PORTS: Final[dict[Way, int]] = {"tcp": 8010, "frames": 8020, "http": 8030, "ws": 8040}  # the old hub's, but for ws
HOST: Final = "127.0.0.1"
BACKLOG: Final = 1_024  # connections that wait to be accepted
HANDSHAKE_SECONDS: Final = 10.0  # for TLS
FILES_LEFT: Final = 200  # of the files that may be open, for all else than senders
# A connection whose other end has vanished is known after KEEP_IDLE + KEEP_TRIES * KEEP_EVERY seconds of silence.
KEEP_IDLE, KEEP_EVERY, KEEP_TRIES = 60, 15, 4


def parse(target: str, way: Way) -> Target:
    """`listen+WAY://[PASSWORD@][HOST][:PORT][?max_rate=100&…]`, as `with_query` takes it. Raises SettingsError."""
    _, _, password = place_of(target, way)
    with_query(HubOptions(), urlsplit(target).query)
    url = f"listen+{way}://{target.partition('://')[2]}"
    return Target(url, f"hub-{way}", "hub", secrets=(password,) if password else ())


def place_of(target: str, way: Way) -> tuple[str, int, str]:
    """Host, port (0 for a free one) and password of a listener's URL. Raises SettingsError."""
    shown = redact_url(target)
    try:
        parts = urlsplit(target)
        host, port = parts.hostname or HOST, parts.port
        host.encode("idna")
    except ValueError as error:  # UnicodeError, too
        raise SettingsError(f"{shown}: no such address can be: {printable(str(error))}") from None
    if parts.path.strip("/") or parts.fragment or not target.isprintable() or " " in target:
        raise SettingsError(f"{shown}: listen+{way}://HOST:PORT is wanted, and limits behind a ? at most")
    return host, PORTS[way] if port is None else port, unquote(parts.password or parts.username or "")


def options_of(settings: FeedSettings, way: Way) -> HubOptions:
    """What the user said of a listener; what its URL says goes before. Raises SettingsError."""
    options = with_query(settings.hub, urlsplit(settings.url).query)
    _, _, password = place_of(settings.url, way)
    return replace(options, password=password) if password else options


class ListenerRunner(ABC):
    """Runs one listener until it is cancelled. Raises SettingsError and TuistreamError where it cannot listen."""

    way: Way

    def __init__(self, intake: Intake, status: FeedStatus, settings: FeedSettings) -> None:
        self._host, self._port, _ = place_of(settings.url, self.way)
        self.listener = intake.listener(self.way, status, options_of(settings, self.way))
        self._failed: asyncio.Future[None] | None = None

    @property
    def status(self) -> FeedStatus:
        return self.listener.status

    def found(self) -> list[StreamReport]:
        return self.listener.intake.found()

    async def run(self) -> None:
        limits = self.listener.limits
        self.listener.places = min(limits.connections, more_files(limits.connections) - FILES_LEFT)
        tls = tls_context(self.listener.options)
        bound = await bind(self._host, self._port, self.listener.auth)
        self._failed = asyncio.get_running_loop().create_future()
        with contextlib.closing(bound):
            host, port = bound.getsockname()[:2]
            async with self.serving(bound, tls):
                self.listener.up(host, port)
                try:
                    await self._failed
                finally:
                    self.listener.down("closed")

    def fail(self, error: BaseException) -> None:
        """Something is wrong with us, not with a sender: end the program, loudly."""
        if self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)

    async def suspend(self) -> None:
        """Read no more. Connections stay, and what senders send waits in their sockets: nothing is missed."""
        if self.status.ended or self.listener.address is None:
            return
        self.hold()
        self.listener.set_state(FeedState.SUSPENDED)

    def resume(self) -> None:
        if self.status.state is FeedState.SUSPENDED:
            self.listener.set_state(FeedState.LIVE if self.status.ticks else FeedState.WAITING)
            self.proceed()

    @abstractmethod
    def serving(self, bound: socket.socket, tls: ssl.SSLContext | None) -> AbstractAsyncContextManager[None]:
        """Serve senders at a socket that is bound and listens, for as long as the block lasts."""

    @abstractmethod
    def hold(self) -> None:
        """Read nothing of anybody until `proceed`."""

    @abstractmethod
    def proceed(self) -> None: ...


async def bind(host: str, port: int, auth: Auth) -> socket.socket:
    """A socket that listens at `host`, at its IPv4 address where it has both. Raises as `run` does."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SettingsError(f"--host {printable(host)}: {printable(str(reason))}") from error
    family, _, _, _, place = min(found, key=lambda info: info[0] != socket.AF_INET)
    auth.check_bind(str(place[0]))
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _keep_alive(bound)
        bound.setblocking(False)
        bound.bind(place)
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        reason = os.strerror(error.errno).lower() if error.errno else printable(str(error))
        hint = "; port 0 takes a free one" if error.errno == errno.EADDRINUSE else ""
        raise TuistreamError(f"cannot listen on {printable(host)} port {port}: {reason}{hint}") from error
    return bound


def _keep_alive(bound: socket.socket) -> None:
    """Have the system ask silent senders whether they are still there; accepted connections inherit it."""
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", KEEP_IDLE), ("TCP_KEEPINTVL", KEEP_EVERY), ("TCP_KEEPCNT", KEEP_TRIES)):
        if (option := getattr(socket, name, None)) is not None:
            bound.setsockopt(socket.IPPROTO_TCP, option, value)


def more_files(count: int) -> int:
    """Have the system let us open `count` more files than now, as far as it does; how many it lets us open in all."""
    if sys.platform == "win32":
        return count + FILES_LEFT
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = soft + count if hard == resource.RLIM_INFINITY else min(soft + count, hard)
    if soft == resource.RLIM_INFINITY or wanted <= soft:
        return count + FILES_LEFT if soft == resource.RLIM_INFINITY else soft
    with contextlib.suppress(OSError, ValueError):  # macOS has a limit below the one that it tells
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft


def tls_context(options: HubOptions) -> ssl.SSLContext | None:
    """For a server with the user's certificate; None where there is none. Raises SettingsError."""
    if not options.tls_cert:
        if options.tls_key:
            raise SettingsError("--tls-key: --tls-cert is missing")
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(options.tls_cert, options.tls_key or None)
    except (OSError, ssl.SSLError) as error:
        files = " ".join(filter(None, (options.tls_cert, options.tls_key)))
        reason = error.strerror or str(error)
        raise SettingsError(f"--tls-cert {printable(files)}: {printable(reason)}") from error
    return context
