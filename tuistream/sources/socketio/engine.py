"""What the two versions of Engine.IO have in common here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from tuistream.core.errors import SourceDown
from tuistream.framers.socketio import BadPacket, Channel, ack_packet, event_packet
from tuistream.sources.contract import FeedSettings
from tuistream.sources.socketio.http import Http
from tuistream.sources.socketio.inbox import Inbox
from tuistream.sources.socketio.options import Options


class OtherVersion(Exception):
    """The server speaks, or may speak, another version of Engine.IO. down: what to say where it does not."""

    def __init__(self, down: SourceDown) -> None:
        super().__init__(str(down))
        self.down = down


class Engine:
    """One connection: joined to one namespace, its events put into `inbox`."""

    def __init__(self, http: Http, settings: FeedSettings, options: Options) -> None:
        self.http = http
        self.settings = settings
        self.options = options
        self.inbox = Inbox(settings.coalesce / 1e9)
        self.channel = Channel(options.namespace, options.events)
        self._settled = asyncio.Event()  # we were let in, or not, or the connection has ended

    async def open(self) -> None:
        """Connect and join. Raises SourceDown, OtherVersion. `close` is due whatever comes of it."""
        raise NotImplementedError

    async def emit(self, name: str, arguments: Sequence[Any]) -> None:
        """Send an event. Raises SourceDown."""
        await self.send_text(event_packet(self.options.namespace, name, arguments))

    async def send_text(self, packet: str) -> None:
        """Send a Socket.IO packet. Raises SourceDown."""
        raise NotImplementedError

    async def close(self) -> None:
        """Take leave, as far as that goes within a second, and stop."""
        raise NotImplementedError

    async def take(self, message: str | bytes) -> None:
        """Take an Engine.IO message; waits while the inbox is full."""
        channel = self.channel
        try:
            event = channel.take(message)
        except BadPacket:
            event = message if isinstance(message, bytes) else message.encode("utf-8", "surrogatepass")
        if event is not None:
            await self.inbox.put(event)
        for ack in channel.acks:
            await self.send_text(ack_packet(channel.namespace, ack))
        channel.acks.clear()
        if channel.left:
            self.end(SourceDown("the server has sent us away", normal=True))
        if channel.connected or channel.refused or channel.unnamed:
            self._settled.set()

    def end(self, down: SourceDown) -> None:
        """Say that nothing will come any more. The first reason counts."""
        self.inbox.end(down)
        self._settled.set()

    def not_let_in(self) -> SourceDown | None:
        """Why we cannot go on, if so it is, once it is settled."""
        if self.channel.refused:
            text = f"refused: namespace {self.options.namespace}: {self.channel.refused}"
            return SourceDown(self.http.shown(text), final=True)
        return self.inbox.down
