"""`ws://` and `wss://`: a WebSocket client that hands over all messages of a read at once."""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.client import ClientProtocol
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidProxy,
    InvalidStatus,
    InvalidURI,
    PayloadTooBig,
)
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Subprotocol

from tuistream.core.errors import SettingsError, SourceDown
from tuistream.core.frames import Read
from tuistream.core.text import printable, redact_url, secrets_of, without
from tuistream.framers.websocket import FrameSlicer
from tuistream.sources.contract import COALESCE, MAX_FRAME, FeedSettings, Target
from tuistream.sources.reasons import os_reason
from tuistream.sources.urls import checked

READ_BUFFER = 4 << 20  # bytes of messages that wait for the decoder; above it the socket is not read
READ_SIZE = 1 << 18  # bytes taken from the socket at once
SMALL_READ = 1 << 15  # bytes; a larger read has gathered enough by itself
TOGETHER = 4  # small reads of a fast feed that are looked at together
MUCH = 1 << 17  # bytes that are looked at without waiting for more
OPEN_TIMEOUT = 10.0
CLOSE_TIMEOUT = 1.0
PING_SECONDS = 20.0
FINAL_STATUS = (401, 403, 404)
GOING_TO_STAY_CLOSED = 1008  # policy violation: the producer does not want us


def parse(target: str) -> Target:
    """A WebSocket URL. Raises SettingsError."""
    url, address, path = checked(target)
    if "#" in url:
        raise SettingsError(f"{redact_url(url)}: a WebSocket URL has no #fragment")
    return Target(url, printable(address + path.rstrip("/"), 60), secrets=tuple(secrets_of(url)))


def source(settings: FeedSettings) -> WebSocketSource:
    return WebSocketSource(
        settings.url,
        headers=settings.headers,
        subprotocols=settings.subprotocols,
        ca_file=settings.ca_file,
        compress=settings.compress,
        max_frame=settings.max_frame,
        coalesce=settings.coalesce / 1e9,
        gather=max(settings.gather, TOGETHER * settings.coalesce) / 1e9,
        secrets=settings.secrets,
    )


class WebSocketSource(msgspec.Struct, frozen=True):
    """Where and how to connect. `secrets` never appear in an error's text.

    `coalesce`: seconds for which a fast feed's next read may wait so that it gathers more; 0 for never.
    `gather`: seconds for which what comes soon after a look at what came may wait for the next one, together with
    what comes meanwhile; 0 for never. Each read keeps its time. `clock`: ns since 1970 UTC.
    """

    url: str
    headers: tuple[tuple[str, str], ...] = ()
    subprotocols: tuple[str, ...] = ()
    ca_file: str = ""
    compress: bool = False
    max_frame: int = MAX_FRAME
    coalesce: float = COALESCE / 1e9
    secrets: tuple[str, ...] = ()
    gather: float = TOGETHER * COALESCE / 1e9
    clock: Callable[[], int] = time.time_ns

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[WebSocketConnection]:
        """One connection. Raises SourceDown where it cannot be made; the connection's `read` raises it at the end."""
        options: dict[str, Any] = {"create_connection": self._collector}
        if self.url.startswith("wss:"):
            options["ssl"] = self._tls()
        try:
            connection = await connect(
                self.url,
                additional_headers=list(self.headers),
                subprotocols=[Subprotocol(name) for name in self.subprotocols] or None,
                compression="deflate" if self.compress else None,
                max_size=self.max_frame,
                open_timeout=OPEN_TIMEOUT,
                close_timeout=CLOSE_TIMEOUT,
                ping_interval=PING_SECONDS,
                ping_timeout=PING_SECONDS,
                **options,
            )
        except InvalidURI as error:
            # The original holds the URL, and with it the secrets.
            raise SettingsError(without(f"{error}", list(self.secrets))) from None
        except (InvalidHandshake, OSError, TimeoutError, InvalidProxy, EOFError) as error:
            raise self._refused(error) from error
        assert isinstance(connection, _Collector)
        try:
            yield WebSocketConnection(connection, self)
        finally:
            await connection.close()

    def _collector(self, protocol: ClientProtocol, **options: Any) -> _Collector:
        return _Collector(protocol, self, **options)

    def _tls(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.ca_file or None)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(f"--ca-file {self.ca_file}: {error}") from error

    def _refused(self, error: Exception) -> SourceDown:
        if isinstance(error, InvalidStatus):
            response = error.response
            text = printable(f"refused: HTTP {response.status_code} {response.reason_phrase}".strip())
            final = response.status_code in FINAL_STATUS
            return SourceDown(text, final=final, retry_after=_retry_after(response))
        if isinstance(error, TimeoutError):
            return SourceDown(f"no answer within {OPEN_TIMEOUT:g} s")
        if isinstance(error, ssl.SSLCertVerificationError):
            return SourceDown(f"certificate refused: {error.verify_message}")
        if isinstance(error, OSError):
            return SourceDown(printable(without(os_reason(error), list(self.secrets))))
        return SourceDown(printable(without(f"no WebSocket there: {error}", list(self.secrets))))


class WebSocketConnection:
    """An open connection, to read and to send on."""

    def __init__(self, connection: _Collector, source: WebSocketSource) -> None:
        self._connection = connection
        self._source = source

    async def reads(self) -> list[Read]:
        """What each read since the last call gave, oldest first; waits for one. SourceDown at the end."""
        reads = await self._connection.take()
        if reads:
            return reads
        try:
            await self._connection.recv()
        except ConnectionClosed as closed:
            raise self._ended(closed) from closed
        raise AssertionError("a message went round the collector")

    async def read(self) -> Sequence[bytes]:
        """All messages that have come since the last read, oldest first; waits for one. SourceDown at the end."""
        return _messages(await self.reads())

    def rest_reads(self) -> list[Read]:
        """The reads that nobody has taken yet."""
        return self._connection.rest()

    def rest(self) -> Sequence[bytes]:
        """The messages that have come and were not read yet."""
        return _messages(self.rest_reads())

    async def send(self, message: str) -> None:
        try:
            await self._connection.send(message)
        except ConnectionClosed as closed:
            raise self._ended(closed) from closed

    def _ended(self, closed: ConnectionClosed) -> SourceDown:
        cause = closed.__cause__
        if isinstance(cause, PayloadTooBig):
            size = f"of {cause.size:,} bytes " if cause.size else ""
            limit = f"the limit of {self._source.max_frame:,} bytes (--max-frame)"
            return SourceDown(f"a message {size}is over {limit}", too_big=True)
        if closed.rcvd is not None:
            said = f"{closed.rcvd.code} {closed.rcvd.reason}".strip()
            text = printable(without(f"closed by the producer: {said}", list(self._source.secrets)))
            return SourceDown(text, normal=closed.rcvd.code == 1000, final=closed.rcvd.code == GOING_TO_STAY_CLOSED)
        if closed.sent is not None and closed.sent.code != 1000:
            return SourceDown(printable(f"connection given up: {closed.sent.code} {closed.sent.reason}".strip()))
        if isinstance(cause, OSError):
            return SourceDown(printable(f"connection lost: {os_reason(cause)}"))
        return SourceDown("connection lost without a close frame")


class _Collector(ClientConnection, asyncio.BufferedProtocol):
    """Takes the messages of a whole read at once, where the stock connection parses and queues frame by frame.

    What is no plain message goes through the stock parser, in its place among the rest. It reads into a buffer of
    its own: for each read asyncio would else allocate 256 kB, which costs more than all that is done with it.
    """

    def __init__(self, protocol: ClientProtocol, source: WebSocketSource, **kwargs: Any) -> None:
        super().__init__(protocol, **kwargs)
        self._slicer = FrameSlicer(source.max_frame)
        self._buffer = bytearray(READ_SIZE)
        self._coalesce = source.coalesce
        self._gather = source.gather
        self._clock = source.clock
        self._read_at = 0.0
        self._resting = False
        self._closing = False
        self._waiting: list[tuple[int, bytes]] = []  # what was read and not looked at, with the times of the reads
        self._waiting_size = 0
        self._waited: asyncio.TimerHandle | None = None
        self._looked_at = 0.0
        self._recv = 0  # of what is being looked at
        self._reads: list[Read] = []
        self._size = 0
        self._fragments: bytearray | None = None
        self._reader: asyncio.Future[None] | None = None
        self._held = False
        self._fd = -1  # of a connection that may be read here
        self._broken: OSError | None = None  # the error that this ended in

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(memoryview(self._buffer)[:nbytes]))

    def data_received(self, data: bytes) -> None:
        now = self.loop.time()
        self._waiting.append((self._clock(), data))
        self._waiting_size += len(data)
        enough = len(data) >= SMALL_READ or self._waiting_size >= MUCH
        if enough or not self._gather or not self._is_open:
            self._look_now()
        elif self._waited is not None:
            if self._waited.when() - now < self._gather / 4:
                self._look_now()  # the loop is awake, and the timer need not wake it
        elif now - self._looked_at >= self._gather:
            self._look_now()
        else:
            self._waited = self.loop.call_at(now + self._gather, self._look_now)
        if self._coalesce and not self._held:
            self._rest(len(data), now)

    def _look_now(self) -> None:
        """Look at what waits."""
        if self._waited is not None:
            self._waited.cancel()
            self._waited = None
        self._looked_at = self.loop.time()
        waiting, self._waiting, self._waiting_size = self._waiting, [], 0
        if len(waiting) < 2 or not self._look_together(waiting):
            for recv, data in waiting:
                self._look(recv, data)

    def _look_together(self, waiting: list[tuple[int, bytes]]) -> bool:
        """Look at several reads as one, whose messages have the times of their reads; False where that may not be."""
        found = self._slicer.feed_alike([data for _recv, data in waiting]) if self._is_open else None
        if found is None:
            return False
        frames, begin = found
        stops = np.cumsum([begin, *(len(data) for _recv, data in waiting)])[1:]
        recvs = np.array([recv for recv, _data in waiting], np.int64)[stops.searchsorted(frames.ends)]
        self._reads.append(Read(int(recvs[-1]), frames, recvs=recvs))
        self._looked(int(stops[-1]) - begin)
        return True

    @property
    def _is_open(self) -> bool:
        return self.protocol.state is State.OPEN

    def _look(self, recv: int, data: bytes) -> None:
        self._recv = recv
        for part in self._slicer.feed(data):
            if isinstance(part, bytes):
                super().data_received(part)
            elif self._is_open:
                self._append(part)
        self._looked(len(data))

    def _looked(self, size: int) -> None:
        """So many bytes were looked at."""
        if self._reads:
            self._size += size  # which the messages may keep as a whole
            self._wake()
        if self.protocol.close_rcvd is not None and not self._closing:
            # It is for the server to close the TCP connection now; one that does not is not waited for.
            self._closing = True
            self.loop.call_later(CLOSE_TIMEOUT, self.transport.abort)
        if self._size > READ_BUFFER:
            self._hold()

    def _append(self, frames: Sequence[bytes]) -> None:
        """Add messages to the reads; the few between odd frames of one read become one."""
        last = self._reads[-1] if self._reads else None
        if last and last.recv == self._recv and isinstance(last.frames, list) and isinstance(frames, list):
            last.frames.extend(frames)
        else:
            self._reads.append(Read(self._recv, frames))

    def _rest(self, size: int, now: float) -> None:
        """Where small reads follow close upon one another, let the next one gather what comes meanwhile."""
        quick, self._read_at = now - self._read_at < self._coalesce / 2, now
        if quick and size < SMALL_READ and not self._resting and not self._held:
            self._resting = True
            self.transport.pause_reading()
            self.loop.call_later(self._coalesce, self._rested)

    def _rested(self) -> None:
        """Read what was gathered, and rest again; where there is nothing, have the loop look for it."""
        self._resting = False
        self._read_at = self.loop.time()
        if data := self._read_straight():
            self.data_received(data)
        if not self._resting:
            self._resume()

    def _read_straight(self) -> bytes:
        """What has come: for the loop to look first, and to be told to look no more, costs more than the reading.

        Nothing where only the transport can tell: of an encrypted connection, and at the end of any.
        """
        if self._fd < 0 or self._held or self.transport.is_closing():
            return b""
        try:
            size = os.readv(self._fd, [self._buffer])
        except BlockingIOError:
            return b""
        except OSError as error:  # which is told once only
            self._broken = error
            return b""
        return bytes(memoryview(self._buffer)[:size])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if sys.platform != "win32" and transport.get_extra_info("sslcontext") is None:
            self._fd = transport.get_extra_info("socket").fileno()
        super().connection_made(transport)

    def _hold(self) -> None:
        if not self._held:
            self._held = True
            if not self._resting:
                self.transport.pause_reading()

    def _resume(self) -> None:
        if not self._held and not self._resting and not self.connection_lost_waiter.done():
            self.transport.resume_reading()

    def process_event(self, event: Any) -> None:
        if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            self._collect(event)
        else:
            super().process_event(event)

    def _collect(self, frame: Frame) -> None:
        if self._fragments is not None:
            self._fragments += frame.data
            if not frame.fin:
                return
            message, self._fragments = bytes(self._fragments), None
        elif not frame.fin:
            self._fragments = bytearray(frame.data)
            return
        else:
            message = bytes(frame.data)
        self._append([message])
        self._size += len(message)

    def eof_received(self) -> None:
        self._look_now()
        super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._look_now()
        super().connection_lost(exc or self._broken)
        self._wake()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def take(self) -> list[Read]:
        """What has come, or nothing once the connection has ended."""
        if not self._reads and not self.connection_lost_waiter.done():
            self._reader = self.loop.create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        return self._taken()

    def rest(self) -> list[Read]:
        """What has come and was not taken yet."""
        self._look_now()
        return self._taken()

    def _taken(self) -> list[Read]:
        reads, self._reads, self._size = self._reads, [], 0
        if self._held:
            self._held = False
            self._resume()
        return reads


def _messages(reads: Sequence[Read]) -> Sequence[bytes]:
    return reads[0].frames if len(reads) == 1 else [message for read in reads for message in read.frames]


def _retry_after(response: Response) -> float | None:
    """Seconds of a Retry-After header, bounded to an hour; None where there is none or it is a date."""
    value = response.headers.get("Retry-After", "")
    return min(float(value), 3600.0) if value.isascii() and value.isdigit() else None
