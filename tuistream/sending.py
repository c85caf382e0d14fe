"""Sending numbers from any program to a hub that runs elsewhere, with the standard library only."""

from __future__ import annotations

import atexit
import json
import math
import os
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace  # noqa: TID251
from typing import Any, Final, SupportsFloat, TypeAlias
from urllib.parse import urlsplit

from tuistream.core.errors import HubUnreachable, SettingsError
from tuistream.core.text import redact_url

Value: TypeAlias = SupportsFloat | Mapping[str, SupportsFloat] | Sequence[SupportsFloat] | str

HUB_PORT: Final = 8010
HUB_VARIABLE: Final = "TUISTREAM_HUB"
PASSWORD_VARIABLE: Final = "TUISTREAM_PASSWORD"  # noqa: S105
QUEUE_BYTES: Final = 4 << 20  # that wait to be written; older ones are dropped for newer ones
WRITE_BYTES: Final = 64 << 10  # of messages that are written at once
CONNECT_SECONDS: Final = 5.0
RETRY_SECONDS: Final = 1.0  # from an attempt to connect that failed to the next one
STALLED_SECONDS: Final = 30.0  # a hub that takes nothing for so long is given up, and connected to anew
EXIT_SECONDS: Final = 1.0  # in which what waits is still written when the program ends
MAX_SENDERS: Final = 64  # hubs that one process sends to


@dataclass(frozen=True, slots=True)
class Address:
    """Where a hub takes messages over TCP."""

    host: str
    port: int = HUB_PORT
    tls: bool = False
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """What "host", "host:port", "tcp://host:port" or "tls://:password@host:port" means. Raises SettingsError."""
    url = text if "://" in text else f"tcp://{text}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.scheme not in ("tcp", "tls") or parts.path.strip("/") or port == 0:
        raise SettingsError(
            f"{redact_url(url)!r}: a hub's address is HOST, HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT"
        )
    return Address(host, port or HUB_PORT, parts.scheme == "tls", parts.password or "")


def message_of(id: str | int, value: Value, fields: Mapping[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The hub's message for a value. Raises TypeError for what is no value."""
    message: dict[str, Any] = {"id": id}
    if callable(in_lists := getattr(value, "tolist", None)):  # numpy's numbers and arrays
        value = in_lists()
    if isinstance(value, bytes | bytearray):
        raise TypeError("a value is a number, a text, a mapping of names to numbers, or a sequence of numbers")
    if isinstance(value, str):
        message |= {"value": value, "type": "text"}
    elif isinstance(value, Mapping):
        message |= {"value": [_number(v) for v in value.values()], "legend": [str(name) for name in value]}
    elif isinstance(value, Sequence):
        message |= {"value": [_number(v) for v in value], "legend": [str(at + 1) for at in range(len(value))]}
    else:
        message |= {"value": [_number(value)], "legend": ["value"]}
    return {**message, **fields}


def _number(value: Any) -> float | int | None:
    """A number as JSON has it; None for what it cannot say (NaN, infinities)."""
    if type(value) is int and abs(value) < 1 << 53:
        return value
    number = float(value)
    return number if math.isfinite(number) else None


class _Message:
    """A message on its way. settled: set once it is written, or dropped because of `why`; None if nobody asks."""

    __slots__ = ("data", "settled", "why")

    def __init__(self, data: bytes, *, asked: bool) -> None:
        self.data = data
        self.settled = threading.Event() if asked else None
        self.why = ""


class Sender:
    """One connection to a hub, opened when there is something to send, and kept. Thread-safe.

    A thread of its own connects and writes, so that `send` returns at once. sent: messages written to the
    connection (the hub answers nothing). dropped: messages that were not, as there was no hub or it took too little.
    reason: why the last of those was dropped, "" if none was.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.sent = 0
        self.dropped = 0
        self.reason = ""
        self._start_anew()

    def _start_anew(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[_Message] = deque()
        self._waiting_bytes = 0
        self._writing = 0  # messages that the thread has taken and not settled
        self._thread: threading.Thread | None = None
        self._socket: socket.socket | None = None
        self._hurry = False
        self._closing = False

    def forked(self) -> None:
        """In the child of a fork: what waits is the parent's, and the connection too."""
        if self._socket is not None:
            self._socket.close()
        self.sent, self.dropped, self.reason = 0, 0, ""
        self._start_anew()

    def send(
        self,
        id: str | int,  # noqa: A002
        value: Value,
        /,
        *,
        wait: bool = False,
        timeout: float = CONNECT_SECONDS,
        **fields: Any,
    ) -> None:
        """As `tuistream.send`, to this hub."""
        fields = {"api_crypt": self.address.password} | fields if self.address.password else fields
        text = json.dumps(message_of(id, value, fields), separators=(",", ":"), allow_nan=False)
        message = _Message(text.encode() + b"\n", asked=wait)
        with self._changed:
            self._make_room(len(message.data))
            self._waiting.append(message)
            self._waiting_bytes += len(message.data)
            self._closing = False
            if self._thread is None:
                self._begin()
            if wait:
                self._hurry = True
            self._changed.notify_all()
        if message.settled is None:
            return
        if not message.settled.wait(timeout):
            raise HubUnreachable(f"{self.address}: not sent within {timeout:g} s")
        if message.why:
            raise HubUnreachable(f"{self.address}: {message.why}")

    def flush(self, timeout: float = CONNECT_SECONDS) -> bool:
        """Wait until everything is written or dropped; whether it is, within `timeout` seconds."""
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: not self._waiting and not self._writing, timeout)

    def close(self, timeout: float = CONNECT_SECONDS) -> None:
        """Flush, and end the connection; messages sent afterwards make a new one."""
        self.flush(timeout)
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def _begin(self) -> None:
        self._thread = threading.Thread(target=self._work, name=f"tuistream.send {self.address}", daemon=True)
        self._thread.start()
        # A child made by multiprocessing ends without atexit; its own way out is this one.
        if multiprocessing := sys.modules.get("multiprocessing.util"):
            multiprocessing.Finalize(None, self.flush, (EXIT_SECONDS,), exitpriority=10)

    def _make_room(self, size: int) -> None:
        while self._waiting and self._waiting_bytes + size > QUEUE_BYTES:
            oldest = self._waiting.popleft()
            self._waiting_bytes -= len(oldest.data)
            self._settle([oldest], "the hub takes less than is sent")

    def _settle(self, messages: Collection[_Message], why: str) -> None:
        if why:
            self.dropped += len(messages)
            self.reason = why
        else:
            self.sent += len(messages)
        for message in messages:
            if message.settled is not None:
                message.why = why
                message.settled.set()

    def _work(self) -> None:
        while messages := self._take():
            why = self._connect()
            there = not why
            why = why or self._write(messages)
            with self._changed:
                self._settle(messages, why)
                self._writing = 0
                if not there:
                    # What has waited for a hub that is not there would be old news to one that comes later.
                    self._settle(self._waiting, why)
                    self._waiting.clear()
                    self._waiting_bytes = 0
                    self._hurry = False
                self._changed.notify_all()
                if not there:
                    self._changed.wait_for(lambda: self._hurry, RETRY_SECONDS)

    def _take(self) -> list[_Message]:
        """The oldest messages, as many as are written at once; none when it is time to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            if not self._waiting:
                self._close()
                self._thread = None
                return []
            taken = [self._waiting.popleft()]
            size = len(taken[0].data)
            while self._waiting and size + len(self._waiting[0].data) <= WRITE_BYTES:
                taken.append(self._waiting.popleft())
                size += len(taken[-1].data)
            self._waiting_bytes -= size
            self._writing = len(taken)
            return taken

    def _connect(self) -> str:
        """Have a connection; why there is none, or nothing."""
        if self._socket is not None:
            if _open(self._socket):
                return ""
            self._close()
        try:
            self._socket = _connected(self.address)
        except OSError as error:
            return _reason(error)
        return ""

    def _write(self, messages: Sequence[_Message]) -> str:
        """Write messages; why that did not work, or nothing."""
        assert self._socket is not None
        try:
            self._socket.sendall(b"".join([message.data for message in messages]))
        except OSError as error:
            self._close()
            return _reason(error)
        return ""

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__


def _ssl() -> Any:
    import ssl

    return ssl


def _connected(address: Address) -> socket.socket:
    connection = socket.create_connection((address.host, address.port), CONNECT_SECONDS)
    if address.tls:
        try:
            connection = _ssl().create_default_context().wrap_socket(connection, server_hostname=address.host)
        except OSError:
            connection.close()
            raise
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.settimeout(STALLED_SECONDS)
    return connection


def _open(connection: socket.socket) -> bool:
    """Whether the hub has not closed it: the first write to one that it has would be lost with no error."""
    connection.settimeout(0)
    try:
        return bool(connection.recv(WRITE_BYTES))
    except BlockingIOError:
        return True
    except OSError as error:
        return isinstance(connection, _ssl().SSLSocket) and isinstance(error, _ssl().SSLWantReadError)
    finally:
        connection.settimeout(STALLED_SECONDS)


class Senders:
    """The senders of a process, one an address."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._senders: dict[Address, Sender] = {}
        os.register_at_fork(after_in_child=self._forked)
        atexit.register(self.close)

    def to(self, address: Address) -> Sender:
        with self._lock:
            found = self._senders.get(address)
            if found is None:
                if len(self._senders) >= MAX_SENDERS:
                    raise SettingsError(f"{address}: more than {MAX_SENDERS} hubs to send to")
                found = self._senders[address] = Sender(address)
            return found

    def close(self) -> None:
        """Write what waits, for at most EXIT_SECONDS, and end all connections."""
        end = time.monotonic() + EXIT_SECONDS
        for sender in self._senders.values():
            sender.close(max(0.0, end - time.monotonic()))
        atexit.unregister(self.close)

    def _forked(self) -> None:
        self._lock = threading.Lock()
        for sender in self._senders.values():
            sender.forked()


# One a process, as `send` promises; forked children begin with none of its messages and connections.
SENDERS: Final = Senders()


def sender(address: str | None = None) -> Sender:
    """What `send` uses for an address: it counts what was sent and dropped. Raises SettingsError."""
    where = parse_address(address or os.environ.get(HUB_VARIABLE) or "127.0.0.1")
    if not where.password and (password := os.environ.get(PASSWORD_VARIABLE)):
        where = replace(where, password=password)
    return SENDERS.to(where)


def send(
    id: str | int,  # noqa: A002
    value: Value,
    /,
    *,
    address: str | None = None,
    wait: bool = False,
    timeout: float = CONNECT_SECONDS,
    **fields: Any,
) -> None:
    """Send a value to a hub, which shows it as the stream `id`. Returns at once, whether there is a hub or not.

    value: a number; numbers by their names, or in a sequence (an array): a field each; or a text, a line of a log.
    address: "host:port" or "tcp://host:port", "tls://host:port" for a hub with a certificate; by default what the
    environment variable TUISTREAM_HUB says, else 127.0.0.1:8010. The password of a hub that wants one is in
    TUISTREAM_PASSWORD, or in the address: "tcp://:password@host".
    wait: return when it is written to the connection (a hub answers nothing over TCP), within `timeout` seconds;
    raises HubUnreachable where it cannot be.
    fields: what else the message shall say, as hubs know it: type="bar", name="a title", label="°C".

    One connection is kept for all threads. Messages wait in memory for at most a second where there is no hub, and
    up to QUEUE_BYTES where it is slow, then the oldest are dropped; `sender().dropped` counts them. NaN and infinite
    numbers are sent as null. At the end of the program what waits is written, for at most EXIT_SECONDS. Raises
    SettingsError for an address that cannot be, TypeError and ValueError for what is no value.
    """
    sender(address).send(id, value, wait=wait, timeout=timeout, **fields)
