"""What a replay keeps of its recording: ticks on both sides of where it is, and what the recorder noted."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from tuistream.core.batch import Batch, StreamKey, Times
from tuistream.core.session import Session
from tuistream.core.status import Event, FeedStatus
from tuistream.store.playback import Block, FileEvents
from tuistream.store.reading import gap_span

PAST_ROWS: Final = 100_000  # kept for steps back, and read before a place that is gone to


class Piece(msgspec.Struct, frozen=True, eq=False):
    """A block, and when each of its ticks is due: ns of replay, on a clock that starts where reading did."""

    block: Block
    due: Times


class Track:
    """The ticks that are kept, `PAST_ROWS` or more of them before the next one, which is `row` of `here`."""

    def __init__(self) -> None:
        self.row = 0
        self._pieces: deque[Piece] = deque()
        self._at = 0  # the piece in which the next tick is
        self._read_to = 0  # ns of replay that the last piece reaches to

    def add(self, block: Block) -> None:
        due = self._read_to + np.cumsum(block.after)
        self._read_to = int(due[-1])
        self._pieces.append(Piece(block, due))
        before = sum(len(piece.block) for piece in list(self._pieces)[: self._at])
        while self._at and before - len(self._pieces[0].block) >= PAST_ROWS:
            before -= len(self._pieces.popleft().block)
            self._at -= 1

    def here(self) -> Piece | None:
        """Where the next tick is, if it has been read."""
        while self._at < len(self._pieces):
            piece = self._pieces[self._at]
            if self.row < len(piece.block):
                return piece
            self._at, self.row = self._at + 1, 0
        return None

    def back(self) -> bool:
        """Move back by one tick; False where none is kept that would be before it."""
        if self.row == 0 and self._at:
            self._at -= 1
            self.row = len(self._pieces[self._at].block)
        if self.row <= (1 if self._at == 0 else 0):
            return False
        self.row -= 1
        return True

    def past(self) -> Iterator[tuple[Piece, int]]:
        """The pieces before the next tick, each with how many of its ticks are."""
        for number, piece in enumerate(self._pieces):
            stop = self.row if number == self._at else len(piece.block)
            if number > self._at or not stop:
                return
            yield piece, stop


class History:
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
