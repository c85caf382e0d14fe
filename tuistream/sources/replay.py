"""Plays a recording through the session: paced, paused, stepped, sought."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from bisect import bisect_right
from typing import TYPE_CHECKING, Final

import numpy as np

from tuistream.core.errors import RecordingError
from tuistream.core.session import Session
from tuistream.core.status import Event, FeedState, FeedStatus
from tuistream.sources.recorded import PAST_ROWS, History, Piece, Track
from tuistream.sources.recorded_items import RecordedItems
from tuistream.store.left_out import ticks_left_out
from tuistream.store.playback import Block, BlockReader, Selection

if TYPE_CHECKING:
    from tuistream.decoders.wire.report import StreamReport

SPEEDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, math.inf)
SOONEST_NS = 4_000_000  # what is due within so long comes together
CATCH_UP_NS = 1_000_000_000  # what is overdue for longer is let go: after a stop there is no burst
FAR_NS = 86_400_000_000_000  # event times that are as far from receipt are of another day than it


class Replay:
    """Runs a recording through the session, which has no other feed, and whose clock it sets. A Runner.

    stays: at the end it waits for keys instead of ending. ended: all has been shown. paused: nothing comes but by
    `step`. speed: times the recorded pace; infinite for as fast as the sinks take it.
    """

    def __init__(self, session: Session, status: FeedStatus, selection: Selection, speed: float) -> None:
        self.status = status
        self.selection = selection
        self.speed = speed
        self.stays = False
        self.paused = False
        self.ended = False
        self._session = session
        self._track = Track()
        self._anchor = time.monotonic_ns(), 0  # a moment, and how far the replay was then
        self._last = 0, 0  # the newest tick shown: its receive time, and when it was due
        self._apart = 0  # what event times are ahead of receive times, where that is more than `FAR_NS`
        self._history = History(session, status)
        self._items = RecordedItems(session, status, selection)
        self._reader: BlockReader | None = None
        self._goal: int | None = None
        self._leaving: int | None = None  # where the clock stands while another place is read
        self._changed = asyncio.Event()
        self._awake = asyncio.Event()
        self._awake.set()
        session.clock = self.position

    def found(self) -> list[StreamReport]:
        return []

    async def suspend(self) -> None:
        """Show nothing more until `resume`."""
        self._hold()
        self._awake.clear()
        self._changed.set()

    def resume(self) -> None:
        self._set_anchor()
        self._awake.set()

    # What the keys do.

    @property
    def recorded(self) -> bool:
        """Whether a recording is made of it, so that it can only go forward."""
        return bool(self._session.outboxes)

    def position(self) -> int:
        """Now by the clock of the recorder, ns since 1970 UTC."""
        recv, due = self._last
        if self._leaving is not None:
            return self._leaving
        if not recv:
            piece = self._track.here()
            return time.time_ns() if piece is None else int(piece.block.recv[0])
        return recv if self.ended or self.speed == math.inf else recv + max(0, self._elapsed() - due)

    def moment(self) -> int:
        """Now as the charts' axes have it: `position`, but in event times where these are of another day."""
        return self.position() + self._apart

    def toggle(self) -> None:
        """Pause, or go on."""
        if self.paused:
            self.paused = False
            self._set_anchor()
        else:
            self._hold()
            self.paused = True
        self._changed.set()

    def set_speed(self, steps: int) -> bool:
        """Faster by so many of `SPEEDS`, or slower; False where there is no such speed."""
        place = bisect_right(SPEEDS, self.speed) - 1
        if steps < 0 and SPEEDS[place] < self.speed:
            place += 1  # of a speed between two, the one below is the first slower one
        if not 0 <= place + steps < len(SPEEDS):
            return False
        self._hold()
        self._set_anchor()
        self.speed = SPEEDS[place + steps]
        self._changed.set()
        return True

    def step(self, steps: int) -> bool:
        """One tick on (1) or back (-1), paused from then on; False where there is none."""
        if not self.paused:
            self.toggle()
        if steps > 0:
            if (piece := self._track.here()) is None:
                return False
            self._show(piece, self._track.row + 1)
            self._changed.set()
            return True
        if not self._track.back():
            return False
        self.ended = False
        self._session.rewind(self.status)
        self._show_past()
        self._changed.set()
        return True

    def go(self, t: int) -> None:
        """Go to the first tick of event time `t` (ns) or later; what was before it is shown as far as it is kept."""
        self._goal = t
        self._changed.set()

    # How it runs.

    async def run(self) -> None:
        """Until the end; where it `stays`, until cancelled."""
        try:
            await self._open(None)
            await self._items.open()
            if words := await asyncio.to_thread(ticks_left_out, self.selection):
                self._note("notice", words)
            while True:
                await self._awake.wait()
                if await self._turn():
                    return
        except RecordingError as error:
            self._session.set_state(self.status, FeedState.FAILED, str(error))
            self._note("ended", str(error))
        finally:
            await self._items.close()
            await self._close()

    async def _turn(self) -> bool:
        """Show what is due, or wait for the next tick to be; whether all is over."""
        self._changed.clear()
        if self._goal is not None:
            await self._seek(self._goal)
        await self._fill()
        piece = self._track.here()
        if self._session.full.is_set():
            piece = None
        if piece is None:
            if not self.ended:
                if not self._session.full.is_set():
                    await self._items.show_until(None)
                self._end()
            if not self.stays:
                return True
            await self._changed.wait()
            return False
        if self.ended:
            self.ended = False
            self._set_anchor()
        if self.status.state is not FeedState.LIVE:
            self._session.set_state(self.status, FeedState.LIVE)
        await self._items.show_until(self.position())
        if self.paused:
            await self._changed.wait()
        elif (stop := self._due(piece)) > self._track.row:
            await self._items.show_until(int(piece.block.recv[stop - 1]))
            self._show(piece, stop)
            await self._session.room()
            await asyncio.sleep(0)
        else:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._wait(piece)):
                    await self._changed.wait()
        return False

    def _end(self) -> None:
        self._hold()
        self.ended = True
        self._history.finish()
        self._session.set_state(self.status, FeedState.CLOSED, "the recording has ended")

    async def _open(self, at: int | None) -> None:
        await self._close()
        self._track = Track()
        self._reader = BlockReader(self.selection, at, PAST_ROWS)
        self._last, self._anchor = (0, 0), (time.monotonic_ns(), 0)
        self.status.connections = 1
        await self._fill()
        if piece := self._track.here():
            apart = int(piece.block.times()[0] - piece.block.recv[0])
            self._apart = apart if abs(apart) > FAR_NS else 0
        self._set_anchor()

    async def _close(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.close()

    async def _fill(self) -> None:
        """See that the next tick is there, if there is one."""
        while self._track.here() is None and self._reader is not None:
            found = await self._reader.next()
            if found is None:
                await self._close()
            elif isinstance(found, Block):
                self._track.add(found)
            else:
                self._history.add(found)

    def _show(self, piece: Piece, stop: int) -> None:
        """Hand over the ticks up to `stop` of a piece."""
        batches = piece.block.between(self._track.row, stop)
        self._session.ingest(self.status, batches, again=True)
        self._track.row = stop
        self._arrived(piece, stop)
        self._history.reached(batches, self._last[0])
        self._items.show(self._last[0])

    def _arrived(self, piece: Piece, stop: int) -> None:
        self._last = int(piece.block.recv[stop - 1]), int(piece.due[stop - 1])
        self.status.last_recv = self._last[0]

    def _show_past(self) -> None:
        """Fill the charts with what is kept up to the next tick."""
        self._history.rewind()
        for piece, stop in self._track.past():
            batches = piece.block.between(0, stop)
            self._session.ingest(self.status, batches, again=True)
            self._arrived(piece, stop)
            self._history.reached(batches, self._last[0])
        self._anchor = time.monotonic_ns(), self._last[1]

    async def _seek(self, goal: int) -> None:
        self._goal = None
        self._leaving = self.position()
        await self._open(goal)
        while (piece := self._track.here()) is not None:
            reached = np.flatnonzero(piece.block.times() >= goal)
            self._track.row = int(reached[0]) if len(reached) else len(piece.block)
            if len(reached):
                break
            await self._fill()
        self.ended = False
        self._leaving = None
        self._session.rewind(self.status)
        self._show_past()
        if piece is not None:  # in a silence, the clock stands where it was asked to
            ahead = int(piece.block.recv[self._track.row]) - (goal - self._apart)
            due = int(piece.due[self._track.row])
            self._anchor = time.monotonic_ns(), min(max(due - ahead, self._last[1]), due)
        await self._items.seek(self.position() + 1)

    def _elapsed(self) -> int:
        """How far the replay is, ns of its own clock; no further than the next tick where that is overdue."""
        moment, elapsed = self._anchor
        if not self.paused and self.speed != math.inf and self._awake.is_set():
            elapsed += int((time.monotonic_ns() - moment) * self.speed)
        if (piece := self._track.here()) is not None:
            elapsed = min(elapsed, int(piece.due[self._track.row]))
        return elapsed

    def _hold(self) -> None:
        """Have the clock go on from where it is."""
        self._anchor = time.monotonic_ns(), self._elapsed()

    def _set_anchor(self) -> None:
        """Have the clock go on from the newest tick that was shown, or from where it stands after that."""
        self._anchor = time.monotonic_ns(), max(self._anchor[1] if self._last[0] else 0, self._last[1])

    def _due(self, piece: Piece) -> int:
        """Up to which tick of the piece all are due."""
        if self.speed == math.inf:
            return len(piece.block)
        moment, elapsed = self._anchor
        now = time.monotonic_ns()
        elapsed += int((now - moment) * self.speed)
        if elapsed - int(piece.due[self._track.row]) > CATCH_UP_NS * self.speed:
            elapsed = int(piece.due[self._track.row])
            self._anchor = now, elapsed
        return int(np.searchsorted(piece.due, elapsed, side="right"))

    def _wait(self, piece: Piece) -> float:
        """Seconds until the next tick is due, or a text or picture before it."""
        left = (int(piece.due[self._track.row]) - self._elapsed()) / self.speed
        if (recv := self._items.next_recv) is not None:
            left = min(left, (recv - self.position()) / self.speed)
        return max(left, SOONEST_NS) / 1e9

    def _note(self, kind: str, text: str) -> None:
        self._session.note(Event(self._session.clock(), self.status.name, kind, text))
