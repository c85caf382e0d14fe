"""Engine.IO 4 and Socket.IO 3 and later, spoken by python-socketio.

Its own handling of an event is not used: that decodes the JSON, starts a task for each event, and has no bound. The
two private names that this takes are `AsyncClient._engineio_client_class` and `AsyncClient._receive_packet`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

import aiohttp
import engineio
import msgspec
import socketio
from engineio import base_client as engineio_clients
from engineio import packet as engineio_packet
from engineio import payload as engineio_payload
from socketio.exceptions import SocketIOError

from tuistream.core.errors import SourceDown
from tuistream.framers.socketio import CONNECT, REFUSED, disconnect_packet
from tuistream.sources.contract import FeedSettings
from tuistream.sources.socketio.engine import Engine, OtherVersion
from tuistream.sources.socketio.http import CLOSE_TIMEOUT, OPEN_TIMEOUT, Http, TooBig, over_limit
from tuistream.sources.socketio.options import Options

MAX_PACKETS: Final = 1_000_000  # of one poll; what bounds it is the size of its body
# What the library lets through where an answer is not what it expects.
_UNEXPECTED = (aiohttp.ClientError, OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError)


class _EngineClient(engineio.AsyncClient):
    """Hands messages to `take` in order, one after the other; the library would start a task for each."""

    take: Callable[[object], Awaitable[bool]]

    async def _receive_packet(self, pkt: Any) -> None:
        if pkt.packet_type != engineio_packet.MESSAGE or not await self.take(pkt.data):
            await super()._receive_packet(pkt)


class _Client(socketio.AsyncClient):
    def _engineio_client_class(self) -> type[_EngineClient]:
        return _EngineClient


class Engine4(Engine):
    def __init__(self, http: Http, settings: FeedSettings, options: Options) -> None:
        super().__init__(http, settings, options)
        # An unregistered logger that nothing reaches: the library's own would write to the terminal.
        silent = logging.Logger("tuistream.socketio", logging.CRITICAL + 1)
        # The documented way to read a poll that holds more than 16 packets.
        engineio_payload.Payload.max_decode_packets = MAX_PACKETS
        self._client = _Client(
            reconnection=False,
            handle_sigint=False,
            logger=silent,
            engineio_logger=silent,
            http_session=http.session,
            request_timeout=OPEN_TIMEOUT,
            websocket_extra_options={"max_msg_size": settings.max_frame},
        )
        self._client.eio.take = self._take
        self._watcher: asyncio.Task[None] | None = None

    async def open(self) -> None:
        options = self.options
        try:
            async with asyncio.timeout(OPEN_TIMEOUT):
                await self._client.connect(
                    options.url,
                    auth=options.auth or None,
                    transports=list(options.transports),
                    namespaces=[options.namespace],
                    socketio_path=options.path,
                    wait=False,
                )
                self._watcher = asyncio.create_task(self._watch())
                await self._settled.wait()
        except (TimeoutError, SocketIOError, *_UNEXPECTED) as error:
            raise self._refused(error) from error
        if self.channel.unnamed:
            raise OtherVersion(SourceDown("the server speaks Socket.IO 2"))
        if down := self.not_let_in():
            raise down

    def _refused(self, error: Exception) -> Exception:
        http = self.http
        if isinstance(error, TimeoutError):
            return SourceDown(f"no answer within {OPEN_TIMEOUT:g} s")
        if http.error is not None and not isinstance(http.error, aiohttp.WSServerHandshakeError):
            return http.lost(http.error)
        if http.status >= 400:
            # What a WebSocket's refusal says is not to be had.
            other = http.is_other_version() or (http.status == 400 and not http.refusal)
            return OtherVersion(http.refused()) if other else http.refused()
        return OtherVersion(SourceDown(http.shown(f"no Socket.IO there: {error}")))

    async def send_text(self, packet: str) -> None:
        if self.inbox.down is not None:
            raise SourceDown(str(self.inbox.down))
        await self._client.eio.send(packet)

    async def close(self) -> None:
        engine = self._client.eio
        tasks = [task for task in (self._watcher, engine.read_loop_task, engine.write_loop_task) if task]
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                if self.channel.connected and self.inbox.down is None:
                    await engine.send(disconnect_packet(self.options.namespace))
                    await engine.queue.join()
                # To wait for its poll, as the library would, takes until the server's next ping.
                await engine.disconnect(abort=True)
        except (TimeoutError, SocketIOError, *_UNEXPECTED):
            pass  # it was gone already, or does not answer: nothing is owed to it
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if engine in engineio_clients.connected_clients:
                engineio_clients.connected_clients.remove(engine)

    async def _take(self, message: object) -> bool:
        """Take a message; False where python-socketio is to see it."""
        if not isinstance(message, str | bytes):
            return True  # JSON where only a packet can be
        await self.take(message)
        return not (isinstance(message, str) and message[:1] in (CONNECT, REFUSED) and _is_sound(message))

    async def _watch(self) -> None:
        """Say why, once no more will come."""
        http, engine = self.http, self._client.eio
        try:
            await engine.wait()
        except _UNEXPECTED as error:
            self.end(http.lost(error))
            return
        code = engine.ws.close_code if engine.ws is not None else None
        if code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG:
            self.end(http.lost(TooBig(over_limit(self.settings.max_frame))))
        elif http.error is None and http.status >= 400:
            self.end(http.refused())
        else:
            self.end(http.lost(http.error))


def _is_sound(packet: str) -> bool:
    """Whether the library will find an object, or what it takes for none, behind the namespace."""
    data = packet[1:]
    if data.startswith("/"):
        data = data.partition(",")[2]
    if packet[0] == CONNECT and not data:
        return True
    try:
        value = msgspec.json.decode(data or "null")
    except (msgspec.MsgspecError, RecursionError):
        return False
    return packet[0] == REFUSED or isinstance(value, dict)
