"""The server's end of one WebSocket connection: sends many frames at once, and knows how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.frames import CloseCode, Frame, Opcode

from tuistream.feeds.files import Payload

LONGEST_PAUSE = 3_600.0  # seconds; a longer one is several
CLOSE_SECONDS = 60.0


class Client(ServerConnection):
    """One client. What it sends is read and dropped.

    gone: done when the connection has ended.
    """

    def __init__(self, *args: Any, opened: set[Client], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gone: asyncio.Future[None] = self.loop.create_future()
        self._opened = opened
        self._left_in_order = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._opened.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._opened.discard(self)
        self._left_in_order = self._left_in_order and exc is None
        self.gone.set_result(None)

    def process_event(self, event: Any) -> None:
        # Nobody reads messages here: left in their queue they would hold up pongs and the close frame.
        if not (isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)):
            super().process_event(event)

    def eof_received(self) -> None:
        self._left_in_order = True
        super().eof_received()

    @property
    def ended_well(self) -> bool:
        """Whether the client, now gone, ended the connection itself, with a close frame or at least in order.

        One that was killed before it had read everything did not: its TCP resets the connection.
        """
        return self._left_in_order or self.protocol.close_rcvd is not None

    async def end(self, code: int = CloseCode.NORMAL_CLOSURE, reason: str = "") -> None:
        """Close, and return when the client is gone. It has CLOSE_SECONDS to read what its TCP holds, and answer."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.close(code, reason)
        except TimeoutError:
            self.transport.abort()
        await asyncio.shield(self.gone)

    async def send_frames(self, payloads: Sequence[Payload]) -> None:
        """Send these messages with one write, and wait while the client's TCP holds more than it should.

        Raises websockets' ConnectionClosed.
        """
        async with self.send_context():
            extensions = self.protocol.extensions
            self.transport.write(
                b"".join(
                    [
                        (
                            Frame(Opcode.TEXT, payload.encode())
                            if isinstance(payload, str)
                            else Frame(Opcode.BINARY, payload)
                        ).serialize(mask=False, extensions=extensions)
                        for payload in payloads
                    ]
                )
            )

    async def pause(self, seconds: float) -> None:
        """Return after so many seconds, or when the client is gone."""
        await asyncio.wait([self.gone], timeout=min(seconds, LONGEST_PAUSE))
