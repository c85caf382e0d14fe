"""`udp://host:port`: datagrams that anyone sends to this address; with --send, a client of a server there."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from msgspec.structs import replace

from tuistream.core.errors import SettingsError, SourceDown
from tuistream.core.frames import Read
from tuistream.core.inbox import Inbox
from tuistream.core.text import printable, redact_url
from tuistream.framers.text import TextFramer
from tuistream.sources.contract import FeedSettings, Target
from tuistream.sources.reasons import os_reason
from tuistream.sources.urls import checked

BEGINS: Final = "udp://"
HOST: Final = "127.0.0.1"  # where none is named
PENDING_BYTES: Final = 4 << 20  # of datagrams that wait to be decoded; what comes then is dropped, and counted
PENDING: Final = 50_000
RECEIVE_BUFFER: Final = 4 << 20  # bytes that the system is asked to keep for us
FORM: Final = "udp://HOST:PORT, or udp://HOST:PORT?allow=NETWORK or ?no-auth"

Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]


def parse(target: str) -> Target:
    """A host, a port, and who may send. Raises SettingsError."""
    rest = target[len(BEGINS) :]
    url, address, path = checked(BEGINS + (f"{HOST}{rest}" if rest.startswith(":") else rest))
    if ":" not in address.rpartition("]")[2]:
        raise SettingsError(f"{redact_url(url)}: a port is missing, as in udp://{address}:8125")
    if path.strip("/") or "#" in url or "@" in url:
        raise SettingsError(f"{redact_url(url)}: {FORM} is wanted")
    _who_may_send(url)
    return Target(url, printable(f"udp {address}", 60), "lines")


def source(settings: FeedSettings) -> Datagrams | Client:
    address = settings.url[len(BEGINS) :].partition("?")[0].rstrip("/")
    host, _, port = address.rpartition(":")
    if settings.send:
        return Client(host.strip("[]"), int(port), settings)
    return Datagrams(host.strip("[]"), int(port), settings, *_who_may_send(settings.url))


def _who_may_send(url: str) -> tuple[Networks, bool]:
    """The networks whose senders are heard, and whether everybody is."""
    networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
    everybody = False
    for name, value in parse_qsl(url.partition("?")[2], keep_blank_values=True):
        if name == "no-auth" and not value:
            everybody = True
        elif name == "allow":
            try:
                networks.append(ipaddress.ip_network(value, strict=False))
            except ValueError:
                raise SettingsError(f"allow={printable(value)}: a network such as 192.168.0.0/16 is wanted") from None
        else:
            raise SettingsError(f"{redact_url(url)}: {FORM} is wanted")
    return tuple(networks), everybody


@dataclass(frozen=True, slots=True)
class Datagrams:
    """A bound socket. Beyond this machine only those senders are heard that the user has named."""

    host: str
    port: int
    settings: FeedSettings
    networks: Networks = ()
    everybody: bool = False

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[DatagramConnection]:
        """Raises SourceDown where the port cannot be had, SettingsError where nobody is said to be allowed."""
        place = await _place(self.host, self.port)
        if not (ipaddress.ip_address(place[1]).is_loopback or self.networks or self.everybody):
            raise SettingsError(
                f"udp://{self.host}:{self.port}: whoever can reach it could send; ?allow=192.168.0.0/16 (a network, "
                "repeatable with &) or ?no-auth says who may"
            )
        async with _open(place, self, bound=True) as connection:
            yield connection

    def hears(self, address: str) -> bool:
        """Whether a sender at `address` (numeric) may send."""
        ip = ipaddress.ip_address(address.partition("%")[0])
        return self.everybody or ip.is_loopback or any(ip in network for network in self.networks)


@dataclass(frozen=True, slots=True)
class Client:
    """A socket that talks to one server, and hears nobody else."""

    host: str
    port: int
    settings: FeedSettings

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[DatagramConnection]:
        """Raises SourceDown where there is no such host."""
        async with _open(await _place(self.host, self.port), self, bound=False) as connection:
            yield connection

    def hears(self, address: str) -> bool:  # noqa: ARG002
        return True  # the socket is connected


Place = tuple[socket.AddressFamily, str, int]


async def _place(host: str, port: int) -> Place:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        reason = os_reason(error) if isinstance(error, OSError) else str(error)
        raise SourceDown(f"{printable(host)}: {printable(reason)}") from error
    family, _, _, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
    return family, str(address[0]), port


@asynccontextmanager
async def _open(place: Place, rules: Datagrams | Client, *, bound: bool) -> AsyncIterator[DatagramConnection]:
    family, host, port = place
    inbox = Inbox(PENDING_BYTES, PENDING)
    opened = socket.socket(family, socket.SOCK_DGRAM)
    try:
        opened.setblocking(False)
        with contextlib.suppress(OSError):  # it gives what it has
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        opened.bind((host, port)) if bound else opened.connect((host, port))
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Receiver(inbox, rules), sock=opened)
    except OSError as error:
        opened.close()
        ours = not bound or error.errno != errno.EADDRNOTAVAIL
        hint = "" if ours else f": {rules.host} is not this machine's; --send TEXT makes us a client of it"
        raise SourceDown(printable(os_reason(error) + hint)) from error
    try:
        yield DatagramConnection(inbox, transport, rules.settings.max_frame)
    finally:
        transport.abort()


class _Receiver(asyncio.DatagramProtocol):
    def __init__(self, inbox: Inbox, rules: Datagrams | Client) -> None:
        self._inbox = inbox
        self._rules = rules

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not self._rules.hears(addr[0]):
            self._inbox.refuse(data, f"from {addr[0]}, who may not send (?allow=NETWORK)")
        elif self._inbox.full:
            self._inbox.refuse(data, "dropped: more comes than is read")
        elif data:
            self._inbox.put(data)

    def error_received(self, exc: Exception) -> None:
        if isinstance(self._rules, Client):
            self._inbox.end(exc)


class DatagramConnection:
    """Each datagram holds whole objects or lines."""

    def __init__(self, inbox: Inbox, transport: asyncio.DatagramTransport, max_frame: int) -> None:
        self._inbox = inbox
        self._transport = transport
        self._max_frame = max_frame

    async def reads(self) -> list[Read]:
        """What has come, oldest first; waits for some. Raises SourceDown where nobody is there to send."""
        while True:
            try:
                taken = await self._inbox.take()
            except OSError as error:
                raise SourceDown(printable(os_reason(error))) from error
            if reads := self._cut(taken):
                return reads

    def rest_reads(self) -> list[Read]:
        return self._cut(self._inbox.rest())

    async def read(self) -> Sequence[bytes]:
        return [frame for read in await self.reads() for frame in read.frames]

    def rest(self) -> Sequence[bytes]:
        return [frame for read in self.rest_reads() for frame in read.frames]

    async def send(self, message: str) -> None:
        if self._transport.get_extra_info("peername") is not None:
            self._transport.sendto(message.encode())

    def _cut(self, reads: Sequence[Read]) -> list[Read]:
        return [self._frames(read) for read in reads]

    def _frames(self, read: Read) -> Read:
        frames: list[bytes] = []
        refused = list(read.refused)
        for datagram in read.frames:
            framer = TextFramer(self._max_frame)
            frames += framer.feed(datagram) + framer.end()
            refused += framer.take_refused()
        return replace(read, frames=frames, refused=refused)
