"""The user's own generator as a feed: everything that it yields, to every client that is there."""

from __future__ import annotations

import asyncio
from collections import deque

from tuistream import generators
from tuistream.core.errors import TuistreamError
from tuistream.feeds.broadcast import TooSlow
from tuistream.feeds.client import Client

BACKLOG = 200_000  # messages that wait for one client; then the generator waits
STALL_SECONDS = 10.0  # for so long; a client that takes nothing meanwhile is let go


class _Listener:
    """What waits to be sent to one client: blocks that all clients share."""

    def __init__(self, client: Client, limit: int | None) -> None:
        self.client = client
        self.blocks: deque[list[str]] = deque()
        self.waiting = 0  # messages
        self.left = limit  # messages that are still to be queued, None for no end
        self.dropped = False
        self.wake = asyncio.Event()

    def queue(self, block: list[str]) -> None:
        if self.left is not None:
            block = block[: self.left]
            self.left -= len(block)
        self.blocks.append(block)
        self.waiting += len(block)
        self.wake.set()


class Generated:
    """The generator begins with the first client, and goes on whoever listens. Its end closes every client."""

    def __init__(self, function: generators.Function, limit: int | None = None) -> None:
        """limit: of the messages that each client gets."""
        self._function = function
        self._limit = limit
        self._listeners: set[_Listener] = set()
        self._joined = asyncio.Event()
        self._taken = asyncio.Event()
        self._ended = False

    async def run(self) -> None:
        """Send what is yielded, until the generator ends. Raises TuistreamError for what it raised."""
        await self._joined.wait()
        async with generators.running(self._function) as inbox:
            while True:
                try:
                    reads = await inbox.take()
                except Exception as error:
                    raise TuistreamError(generators.reason(error)) from error
                if not reads:
                    break
                block = [frame.decode("utf-8", "replace") for read in reads for frame in read.frames]
                for listener in self._listeners:
                    listener.queue(block)
                await self._hold_for_slow()
        self._ended = True
        for listener in self._listeners:
            listener.wake.set()

    async def send_all(self, client: Client) -> None:
        """Send what is yielded from here on. Raises TooSlow, and websockets' ConnectionClosed."""
        listener = _Listener(client, self._limit)
        self._listeners.add(listener)
        self._joined.set()
        client.gone.add_done_callback(lambda _: self._look_again(listener))
        try:
            while not client.gone.done():
                if listener.dropped:
                    raise TooSlow(f"{listener.waiting:,} messages behind")
                if listener.blocks:
                    block = listener.blocks.popleft()
                    await client.send_frames(block)
                    listener.waiting -= len(block)
                    self._taken.set()
                elif self._ended or listener.left == 0:
                    return
                else:
                    listener.wake.clear()
                    await listener.wake.wait()
        finally:
            self._listeners.discard(listener)
            self._taken.set()

    async def _hold_for_slow(self) -> None:
        """Return when no client is too far behind any more; let those go that take nothing."""
        while slow := [each for each in self._listeners if each.waiting > BACKLOG]:
            self._taken.clear()
            try:
                async with asyncio.timeout(STALL_SECONDS):
                    await self._taken.wait()
            except TimeoutError:
                for listener in slow:
                    self._listeners.discard(listener)
                    listener.dropped = True
                    listener.client.transport.abort()  # what it holds is never read

    def _look_again(self, listener: _Listener) -> None:
        listener.wake.set()
        self._taken.set()
