"""Engine.IO 3 and Socket.IO 2 over aiohttp: polling, WebSocket, or the one and then the other; the client pings."""

from __future__ import annotations

import asyncio
import time
from typing import Final
from urllib.parse import urlencode, urlsplit

import aiohttp

from tuistream.core.errors import SourceDown
from tuistream.framers import engineio3 as framer
from tuistream.framers.engineio3 import BadPayload, Handshake, Packet3
from tuistream.framers.socketio import connect_packet
from tuistream.sources.contract import FeedSettings
from tuistream.sources.socketio.engine import Engine, OtherVersion
from tuistream.sources.socketio.http import (
    CLOSE_TIMEOUT,
    OPEN_TIMEOUT,
    Broken,
    Http,
    TooBig,
    over_limit,
)
from tuistream.sources.socketio.options import Options

LONGEST_POLL: Final = 600.0  # seconds, whatever the server says of its pings
_PROBE = "probe"
_FAILURES = (aiohttp.ClientError, OSError, TimeoutError, Broken, BadPayload)


class Engine3(Engine):
    def __init__(self, http: Http, settings: FeedSettings, options: Options) -> None:
        super().__init__(http, settings, options)
        self._said = Handshake("")
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._ponged = asyncio.Event()
        self._posting = asyncio.Lock()

    async def open(self) -> None:
        try:
            async with asyncio.timeout(OPEN_TIMEOUT):
                await self._open()
                self._tasks = [asyncio.create_task(self._receive()), asyncio.create_task(self._ping())]
                if self.options.namespace != "/":
                    await self.send_text(connect_packet(self.options.namespace))
                while not self.channel.connected and not self.not_let_in():
                    self._settled.clear()
                    await self._settled.wait()
        except BadPayload as error:
            raise SourceDown(self.http.shown(f"no Socket.IO there: {error}")) from error
        except aiohttp.WSServerHandshakeError as error:
            raise self.http.refused() from error
        except TimeoutError as error:
            raise SourceDown(f"no answer within {OPEN_TIMEOUT:g} s") from error
        except _FAILURES as error:
            raise self.http.lost(error) from error
        if down := self.not_let_in():
            raise down

    async def _open(self) -> None:
        if self.options.transports[0] == "polling":
            packets = framer.packets_of(await self._request("GET"))
            self._said = framer.handshake(packets)
            if "websocket" in self.options.transports and "websocket" in self._said.upgrades:
                await self._upgrade()
        else:
            self._socket = await self._connect()
            packets = [await self._next(self._socket)]
            self._said = framer.handshake(packets)
        for packet in packets[1:]:
            await self._take_packet(packet)

    async def _upgrade(self) -> None:
        """Go on over WebSocket, if the server does what it offers. No poll waits meanwhile, so none need be ended."""
        try:
            socket = await self._connect()
            await socket.send_str(framer.PING + _PROBE)
            if await self._next(socket) != framer.PONG + _PROBE:
                await socket.close()
                return
            await socket.send_str(framer.UPGRADE)
        except (aiohttp.ClientError, BadPayload, SourceDown):
            return
        self._socket = socket

    async def send_text(self, packet: str) -> None:
        await self._send(framer.MESSAGE + packet)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                if self._socket is not None:
                    await self._socket.close()
                elif self._said.sid and self.inbox.down is None:
                    await self._send(framer.CLOSE)
        except (TimeoutError, SourceDown):
            pass  # it was gone already, or does not answer: nothing is owed to it

    def _url(self, transport: str) -> str:
        """Where to connect. Socket.IO 2 has no other place for `auth` than the query."""
        parts = urlsplit(self.options.url)
        own = {**{key: str(value) for key, value in self.options.auth.items()}, "EIO": "3", "transport": transport}
        if self._said.sid:
            own["sid"] = self._said.sid
        else:
            own["t"] = str(time.monotonic_ns())  # so that no cache answers
        query = "&".join(part for part in (parts.query, urlencode(own)) if part)
        scheme = parts.scheme.replace("http", "ws") if transport == "websocket" else parts.scheme
        return parts._replace(scheme=scheme, path=f"/{self.options.path}/", query=query).geturl()

    async def _connect(self) -> aiohttp.ClientWebSocketResponse:
        timeout = aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT)
        return await self.http.session.ws_connect(
            self._url("websocket"), max_msg_size=self.settings.max_frame, timeout=timeout
        )

    async def _request(self, method: str, body: bytes | None = None) -> bytes:
        """The body of an answer. Raises SourceDown, OtherVersion for a refusal, Broken and ClientError."""
        seconds = OPEN_TIMEOUT
        if method == "GET" and self._said.sid:
            # A server that lives answers a ping long before.
            seconds = min(LONGEST_POLL, OPEN_TIMEOUT + (self._said.ping_interval + self._said.ping_timeout) / 1e3)
        async with self.http.session.request(
            method,
            self._url("polling"),
            data=body,
            headers={"Content-Type": "text/plain;charset=UTF-8"} if body is not None else None,
            timeout=aiohttp.ClientTimeout(total=seconds),
            allow_redirects=False,
        ) as response:
            answer = await response.read()
            if response.status != 200:
                if self.http.is_other_version():
                    raise OtherVersion(self.http.refused())
                raise self.http.refused()
            return answer

    async def _send(self, packet: str) -> None:
        try:
            if self._socket is not None:
                await self._socket.send_str(packet)
            else:
                async with self._posting:
                    await self._request("POST", framer.body_of([packet]))
        except OtherVersion as error:
            raise error.down from error
        except _FAILURES as error:
            raise self.inbox.down or self.http.lost(error) from error

    async def _receive(self) -> None:
        """Take packets until the connection ends."""
        try:
            while self.inbox.down is None:
                if self._socket is not None:
                    await self._take_packet(await self._next(self._socket))
                else:
                    for packet in framer.packets_of(await self._request("GET")):
                        await self._take_packet(packet)
        except OtherVersion as error:
            self.end(error.down)
        except SourceDown as down:
            self.end(down)
        except BadPayload as error:
            self.end(SourceDown(self.http.shown(f"no Engine.IO 3: {error}")))
        except _FAILURES as error:
            self.end(self.http.lost(error))

    async def _next(self, socket: aiohttp.ClientWebSocketResponse) -> Packet3:
        """The next packet. Raises SourceDown at the end, BadPayload."""
        message = await socket.receive()
        if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            return framer.packet_of(message.data)
        if socket.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG:
            raise self.http.lost(TooBig(over_limit(self.settings.max_frame)))
        words = f"{message.data} {message.extra or ''}".strip() if message.type == aiohttp.WSMsgType.CLOSE else ""
        text = f"closed by the server: {words}" if words else "connection lost without a close frame"
        raise SourceDown(self.http.shown(text))

    async def _take_packet(self, packet: Packet3) -> None:
        if isinstance(packet, bytes):
            await self.take(packet)
        elif packet[0] == framer.MESSAGE:
            await self.take(packet[1:])
        elif packet[0] == framer.PONG:
            self._ponged.set()
        elif packet[0] == framer.CLOSE:
            self.end(SourceDown("closed by the server", normal=True))

    async def _ping(self) -> None:
        """Show that we are here; see whether the server is."""
        while self.inbox.down is None:
            await asyncio.sleep(self._said.ping_interval / 1e3)
            self._ponged.clear()
            try:
                await self._send(framer.PING)
                async with asyncio.timeout(self._said.ping_timeout / 1e3):
                    await self._ponged.wait()
            except TimeoutError:
                self.end(SourceDown(f"no answer to a ping within {self._said.ping_timeout / 1e3:g} s"))
            except SourceDown as down:
                self.end(down)
