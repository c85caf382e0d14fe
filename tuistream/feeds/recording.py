"""A recording, sent to others: each client gets its own replay, from the first tick."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from tuistream.core.batch import Batch, StreamKey, Times
from tuistream.core.status import Event
from tuistream.decoders.recording import gap_message, ticks_message
from tuistream.feeds.client import Client
from tuistream.feeds.pacing import BLOCK_NS, CATCH_UP_NS
from tuistream.store.playback import Block, BlockReader, Selection
from tuistream.store.reading import gap_span
from tuistream.store.segments import segments_of

MAGIC = b"SQLite format 3\0"
SLICE_ROWS = 5_000  # sent at once, where all is due
MESSAGE_CELLS = 20_000  # values in a message, about


def is_recording(path: Path) -> bool:
    """Whether `path` is an SQLite file, or the base of a recording's files. Raises OSError."""
    if not path.exists():
        return bool(segments_of(path))
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


class RecordedTicks:
    """Sends ticks at `speed` times the pace of their receipt (infinite for flat out), and their gaps.

    limit: ticks in all. loop: start over at the end. A client is held by its TCP: its replay waits for it, and then
    goes on from there.
    """

    def __init__(self, selection: Selection, speed: float, limit: int | None = None, loop: bool = False) -> None:
        self._selection = selection
        self._speed = speed
        self._limit = limit
        self._loop = loop

    async def run(self) -> None:
        """There is nothing to do but for clients."""

    async def send_all(self, client: Client) -> None:
        """Send everything, up to the limit. Raises websockets' ConnectionClosed, RecordingError."""
        sent = 0
        while True:
            left = None if self._limit is None else self._limit - sent
            count = await self._send_once(client, left)
            sent += count
            if not (self._loop and count) or sent == self._limit:
                return

    async def _send_once(self, client: Client, limit: int | None) -> int:
        """Send the recording once, up to the limit; how many ticks were sent."""
        sent = 0
        gaps: dict[StreamKey, deque[Event]] = {}
        start, elapsed = time.monotonic_ns(), 0
        reader = BlockReader(self._selection)
        try:
            while sent != limit and (found := await reader.next()) is not None:
                if not isinstance(found, Block):
                    for gap in found.gaps:
                        gaps.setdefault(gap.stream or ("", "", ""), deque()).append(gap)
                    continue
                due = elapsed + np.cumsum(found.after)
                elapsed = int(due[-1])
                count = len(found) if limit is None else min(limit - sent, len(found))
                start = await self._send_block(client, found, due[:count], start, gaps)
                sent += count
        finally:
            await reader.close()
        return sent

    async def _send_block(
        self, client: Client, block: Block, due: Times, start: int, gaps: dict[StreamKey, deque[Event]]
    ) -> int:
        """Send a block's first ticks as they fall due; when, seen from its end, the replay started (monotonic ns)."""
        sent = 0
        while sent < len(due):
            ready = min(sent + SLICE_ROWS, len(due))
            if self._speed != math.inf:
                now = time.monotonic_ns()
                start = max(start, now - int(due[sent] / self._speed) - CATCH_UP_NS)
                ready = min(ready, int(np.searchsorted(due, (now - start) * self._speed, side="right")))
                if ready <= sent:
                    left = start + int(due[sent] / self._speed) - now
                    await client.pause(max(left, BLOCK_NS) / 1e9)
                    if not client.gone.done():
                        continue
                    ready = sent + 1  # sending tells how the client went
            batches = block.between(sent, ready)
            await client.send_frames([message.decode() for message in messages(batches, gaps)])
            sent = ready
        return start


def messages(batches: Sequence[Batch], gaps: dict[StreamKey, deque[Event]]) -> Iterator[bytes]:
    """The messages that hold the ticks, and behind them those of the gaps that ended with one of them."""
    for batch in batches:
        rows = max(1, MESSAGE_CELLS // len(batch.stream.fields))
        for first in range(0, len(batch), rows):
            yield ticks_message(batch.take(slice(first, first + rows)))
        over = gaps.get(batch.stream.key)
        while over and gap_span(over[0])[1] <= int(batch.t[-1]):
            yield gap_message(over.popleft())
