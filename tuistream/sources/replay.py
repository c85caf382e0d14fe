"""Plays a recording through the session: paced, paused, stepped, sought."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tuistream.core.batch import Batch, StreamKey, Times
from tuistream.core.errors import RecordingError
from tuistream.core.session import Session
from tuistream.core.status import Event, FeedState, FeedStatus
from tuistream.decoders.wire.report import StreamReport
from tuistream.store.playback import Block, BlockReader, FileEvents, Selection
from tuistream.store.reading import gap_span

SPEEDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, math.inf)
PAST_ROWS: Final = 100_000  # kept for steps back, and read before a place that is gone to
SOONEST_NS = 4_000_000  # what is due within so long comes together
CATCH_UP_NS = 1_000_000_000  # what is overdue for longer is let go: after a stop there is no burst
FAR_NS = 86_400_000_000_000  # event times that are as far from receipt are of another day than it


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """A block, and when each of its ticks is due: ns of replay, on a clock that starts where reading did."""

    block: Block
    due: Times


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
        self._pieces: deque[_Piece] = deque()
        self._piece, self._row = 0, 0  # the next tick
        self._read_to = 0  # ns of replay that the last piece reaches to
        self._anchor = time.monotonic_ns(), 0  # a moment, and how far the replay was then
        self._last = 0, 0  # the newest tick shown: its receive time, and when it was due
        self._apart = 0  # what event times are ahead of receive times, where that is more than `FAR_NS`
        self._history = _History(session, status)
        self._reader: BlockReader | None = None
        self._goal: int | None = None
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
        if not recv:
            return int(self._pieces[0].block.recv[0]) if self._pieces else time.time_ns()
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
        self.speed = SPEEDS[place + steps]
        self._changed.set()
        return True

    def step(self, steps: int) -> bool:
        """One tick on (1) or back (-1), paused from then on; False where there is none."""
        if not self.paused:
            self.toggle()
        if steps > 0:
            if (piece := self._here()) is None:
                return False
            self._show(piece, self._row + 1)
            self._changed.set()
            return True
        if not self._back():
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
            while True:
                await self._awake.wait()
                if await self._turn():
                    return
        except RecordingError as error:
            self._session.set_state(self.status, FeedState.FAILED, str(error))
            self._note("ended", str(error))
        finally:
            await self._close()

    async def _turn(self) -> bool:
        """Show what is due, or wait for the next tick to be; whether all is over."""
        self._changed.clear()
        if self._goal is not None:
            await self._seek(self._goal)
        await self._fill()
        piece = self._here()
        if self._session.full.is_set():
            piece = None
        if piece is None:
            if not self.ended:
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
        if self.paused:
            await self._changed.wait()
        elif (stop := self._due(piece)) > self._row:
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
        self._pieces.clear()
        self._piece = self._row = self._read_to = 0
        self._reader = BlockReader(self.selection, at, PAST_ROWS)
        self._last, self._anchor = (0, 0), (time.monotonic_ns(), 0)
        self.status.connections = 1
        await self._fill()
        if piece := self._here():
            apart = int(piece.block.times()[0] - piece.block.recv[0])
            self._apart = apart if abs(apart) > FAR_NS else 0
        self._set_anchor()

    async def _close(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.close()

    async def _fill(self) -> None:
        """See that the next tick is there, if there is one."""
        while self._here() is None and self._reader is not None:
            found = await self._reader.next()
            if found is None:
                await self._close()
            elif isinstance(found, Block):
                self._add(found)
            else:
                self._history.add(found)

    def _add(self, block: Block) -> None:
        due = self._read_to + np.cumsum(block.after)
        self._read_to = int(due[-1])
        self._pieces.append(_Piece(block, due))
        before = sum(len(piece.block) for piece in list(self._pieces)[: self._piece])
        while self._piece and before - len(self._pieces[0].block) >= PAST_ROWS:
            before -= len(self._pieces.popleft().block)
            self._piece -= 1

    def _here(self) -> _Piece | None:
        """Where the next tick is, if it has been read."""
        while self._piece < len(self._pieces):
            piece = self._pieces[self._piece]
            if self._row < len(piece.block):
                return piece
            self._piece, self._row = self._piece + 1, 0
        return None

    def _back(self) -> bool:
        """Move back by one tick; False where none is kept that would be before it."""
        if self._row == 0 and self._piece:
            self._piece -= 1
            self._row = len(self._pieces[self._piece].block)
        if self._row <= (1 if self._piece == 0 else 0):
            return False
        self._row -= 1
        return True

    def _show(self, piece: _Piece, stop: int) -> None:
        """Hand over the ticks up to `stop` of a piece."""
        batches = piece.block.between(self._row, stop)
        self._session.ingest(self.status, batches, again=True)
        self._row = stop
        self._arrived(piece, stop)
        self._history.reached(batches, self._last[0])

    def _arrived(self, piece: _Piece, stop: int) -> None:
        self._last = int(piece.block.recv[stop - 1]), int(piece.due[stop - 1])
        self.status.last_recv = self._last[0]

    def _show_past(self) -> None:
        """Fill the charts with what is kept up to the next tick."""
        self._history.rewind()
        for number, piece in enumerate(self._pieces):
            stop = self._row if number == self._piece else len(piece.block)
            if number > self._piece or not stop:
                break
            batches = piece.block.between(0, stop)
            self._session.ingest(self.status, batches, again=True)
            self._arrived(piece, stop)
            self._history.reached(batches, self._last[0])
        self._anchor = time.monotonic_ns(), self._last[1]

    async def _seek(self, goal: int) -> None:
        self._goal = None
        await self._open(goal)
        while (piece := self._here()) is not None:
            reached = np.flatnonzero(piece.block.times() >= goal)
            self._row = int(reached[0]) if len(reached) else len(piece.block)
            if len(reached):
                break
            await self._fill()
        self.ended = False
        self._session.rewind(self.status)
        self._show_past()
        if piece is not None:  # in a silence, the clock stands where it was asked to
            ahead = int(piece.block.recv[self._row]) - (goal - self._apart)
            due = int(piece.due[self._row])
            self._anchor = time.monotonic_ns(), min(max(due - ahead, self._last[1]), due)

    def _elapsed(self) -> int:
        """How far the replay is, ns of its own clock; no further than the next tick where that is overdue."""
        moment, elapsed = self._anchor
        if not self.paused and self.speed != math.inf and self._awake.is_set():
            elapsed += int((time.monotonic_ns() - moment) * self.speed)
        piece = self._pieces[self._piece] if self._piece < len(self._pieces) else None
        if piece is not None and self._row < len(piece.due):
            elapsed = min(elapsed, int(piece.due[self._row]))
        return elapsed

    def _hold(self) -> None:
        """Have the clock go on from where it is."""
        self._anchor = time.monotonic_ns(), self._elapsed()

    def _set_anchor(self) -> None:
        """Have the clock go on from the newest tick that was shown, or from where it stands after that."""
        self._anchor = time.monotonic_ns(), max(self._anchor[1] if self._last[0] else 0, self._last[1])

    def _due(self, piece: _Piece) -> int:
        """Up to which tick of the piece all are due."""
        if self.speed == math.inf:
            return len(piece.block)
        moment, elapsed = self._anchor
        now = time.monotonic_ns()
        elapsed += int((now - moment) * self.speed)
        if elapsed - int(piece.due[self._row]) > CATCH_UP_NS * self.speed:
            elapsed = int(piece.due[self._row])
            self._anchor = now, elapsed
        return int(np.searchsorted(piece.due, elapsed, side="right"))

    def _wait(self, piece: _Piece) -> float:
        """Seconds until the next tick is due."""
        left = (int(piece.due[self._row]) - self._elapsed()) / self.speed
        return max(left, SOONEST_NS) / 1e9

    def _note(self, kind: str, text: str) -> None:
        self._session.note(Event(self._session.clock(), self.status.name, kind, text))


class _History:
    """The gaps and other events that the recording holds, told once as the replay reaches them."""

    def __init__(self, session: Session, status: FeedStatus) -> None:
        self._session = session
        self._status = status
        self._gaps: dict[StreamKey, list[Event]] = {}  # by the time of the tick after them
        self._shown: dict[StreamKey, int] = {}
        self._told: dict[StreamKey, int] = {}
        self._others: list[Event] = []
        self._others_told = 0
        self._files: set[Path] = set()

    def add(self, found: FileEvents) -> None:
        """Take in what a file holds, once."""
        if found.path in self._files:
            return
        self._files.add(found.path)
        for gap in found.gaps:
            assert gap.stream is not None
            self._gaps.setdefault(gap.stream, []).append(gap)
        self._others += found.others
        if found.dropped:
            text = f"{found.path.name}: {found.dropped:,} of its events are too many to be told"
            self._session.note(Event(self._session.clock(), self._status.name, "notice", text))

    def reached(self, batches: Sequence[Batch], recv: int) -> None:
        """Tell what comes before the newest of these ticks, the last of which was received at `recv` (ns)."""
        for batch in batches:
            if (gaps := self._gaps.get(batch.stream.key)) is not None:
                self._tell(batch.stream.key, gaps, int(batch.t[-1]))
        others = self._others
        while self._others_told < len(others) and others[self._others_told].t <= recv:
            self._session.note(others[self._others_told])
            self._others_told += 1

    def rewind(self) -> None:
        """The charts are empty: their gaps are to be shown, but not told, again."""
        self._shown.clear()

    def finish(self) -> None:
        """Tell all that is left: there is no tick after it."""
        for key, gaps in self._gaps.items():
            self._tell(key, gaps, gap_span(gaps[-1])[1])
        for event in self._others[self._others_told :]:
            self._session.note(event)
        self._others_told = len(self._others)

    def _tell(self, key: StreamKey, gaps: Sequence[Event], t: int) -> None:
        number = self._shown.get(key, 0)
        while number < len(gaps) and gap_span(gaps[number])[1] <= t:
            if number < self._told.get(key, 0):
                self._session.show_gap(gaps[number])
            else:
                self._session.note_gap(self._status, gaps[number])
                self._told[key] = number + 1
            number += 1
        self._shown[key] = number
