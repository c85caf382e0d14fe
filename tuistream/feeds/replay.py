"""Recorded frames: each client gets its own replay, from the first one."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from functools import partial

from tuistream.feeds.client import Client
from tuistream.feeds.files import FrameBlock, FrameFiles
from tuistream.feeds.pacing import BLOCK_NS, CATCH_UP_NS, Timeline


class Replay:
    """Sends the frames of files to each client, at `speed` times the recorded pace or at `rate` frames a second.

    rate 0 is flat out. A client is held by its TCP: its replay waits for it, and then goes on from there.
    """

    def __init__(
        self, files: FrameFiles, speed: float = 1.0, rate: float | None = None, limit: int | None = None,
        loop: bool = False,
    ) -> None:  # fmt: skip
        self._files = files
        self._speed = speed
        self._rate = rate
        self._limit = limit
        self._loop = loop

    async def run(self) -> None:
        """There is nothing to do but for clients."""

    async def send_all(self, client: Client) -> None:
        """Send the files' frames, up to the limit. Raises websockets' ConnectionClosed."""
        timeline = Timeline(self._speed, self._rate)
        start = time.monotonic_ns()
        left = self._limit
        async with aclosing(self._blocks()) as blocks:
            async for block in blocks:
                count = len(block.payloads) if left is None else min(left, len(block.payloads))
                start = await self._send_block(client, block, timeline.due(block)[:count], start)
                if left is not None:
                    left -= count
                    if not left:
                        return

    async def _send_block(self, client: Client, block: FrameBlock, due: list[int], start: int) -> int:
        """Send a block's first frames as they fall due, in ns from `start`; when, seen from its end, it started."""
        sent = 0
        while sent < len(due):
            now = time.monotonic_ns()
            start = max(start, now - due[sent] - CATCH_UP_NS)
            ready = bisect_right(due, now - start, lo=sent)
            if ready == sent:
                await client.pause(max(start + due[sent] - now, BLOCK_NS) / 1e9)
                if client.gone.done():
                    ready = sent + 1  # sending tells how the client went
                else:
                    continue
            await client.send_frames(block.payloads[sent:ready])
            sent = ready
            await asyncio.sleep(0)
        return start

    async def _blocks(self) -> AsyncGenerator[FrameBlock]:
        """The files' blocks, read in a thread, over and over if `loop`."""
        while True:
            any_frame = False
            blocks = self._files.blocks()
            try:
                while (block := await _next(blocks)) is not None:
                    any_frame = True
                    yield block
            finally:
                blocks.close()
            if not (self._loop and any_frame):
                return


async def _next(blocks: Generator[FrameBlock]) -> FrameBlock | None:
    """The next block, None after the last. A cancellation waits for the thread, which still has the generator."""
    future = asyncio.get_running_loop().run_in_executor(None, partial(next, blocks, None))
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait([future])
        raise
