"""What the recording adds to what a chart has in memory, where a window reaches back so far. Draws nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np
from msgspec.structs import replace

from tuistream.core.batch import Times, Values
from tuistream.core.errors import RecordingError
from tuistream.core.session import Gap, StreamState
from tuistream.core.text import printable
from tuistream.ui import view

if TYPE_CHECKING:
    from tuistream.store import asking, history

WORD_AFTER: Final = 0.3  # seconds that reading takes before a word of it is said
LEARN_AFTER: Final = 1.0  # seconds until a chart that has all ticks of this run looks whether there are others
AGAIN_AFTER: Final = 2.0  # seconds until what failed is tried again
REASON_LENGTH: Final = 80


class Joined(msgspec.Struct, frozen=True, eq=False):
    """A window of the recording, and what memory has from `join` (ns) on.

    breaks: stretches (from, to) that neither has yet, which no line may cross.
    """

    found: history.Window
    join: int
    breaks: tuple[tuple[int, int], ...]

    @property
    def raw(self) -> bool:
        return self.found.raw

    @property
    def step(self) -> int:
        """The width of the columns that points stand for, ns."""
        return self.found.wanted.step

    @property
    def gaps(self) -> tuple[Gap, ...]:
        return self.found.gaps

    def line(self, field: str, t: Times, v: Values) -> tuple[Times, Values]:
        """The recording's ticks, or the points that stand for them, before those of memory, at `t`."""
        points = self.found.lines[field]
        stop = int(np.searchsorted(points.t, self.join, side="left"))
        first = int(np.searchsorted(t, self.join, side="left"))
        return np.concatenate((points.t[:stop], t[first:])), np.concatenate((points.v[:stop], v[first:]))


class Past:
    """Of one stream. What was read last is kept, so that a window that moved has it at once.

    Memory holds a stream's newest ticks by their times: all that are later than its oldest. The file is read up to a
    time well after that and well before what may not be written yet, and there the two are joined.

    oldest: the time of the oldest tick that is recorded (ns), once known. failure: why what is shown now could not be
    read, in words.
    version: rises with every answer.
    """

    def __init__(self, state: StreamState, reader: asking.HistoryReader | None) -> None:
        self._state = state
        self._reader = reader if not state.stream.axis else None
        self.oldest: int | None = None
        self.version = 0
        self._failure = ""
        self._shown = False  # whether the window that is shown needs the recording
        self._answered = False
        self._made = time.monotonic()
        self._found: history.Window | None = None
        self._join = 0
        self._asked: history.Wanted | None = None
        self._asked_at = 0.0

    @property
    def first(self) -> int:
        """The time of the oldest tick that can be shown, ns; there is one at least."""
        first = int(self._state.series.t[0])
        return first if self.oldest is None else min(first, self.oldest)

    @property
    def known(self) -> bool:
        """Whether the stream has ticks in a recording."""
        return self.oldest is not None

    @property
    def failure(self) -> str:
        return self._failure if self._shown else ""

    @property
    def reading(self) -> bool:
        """Whether something was asked for and is not there yet."""
        return self._asked is not None

    @property
    def slow(self) -> bool:
        """Whether something has been read for longer than is usual."""
        return self._shown and self.reading and time.monotonic() - self._asked_at > WORD_AFTER

    @property
    def thinned(self) -> bool:
        """Whether what is shown now is in part of minutes, as its ticks are not kept."""
        return self._shown and self._found is not None and self._found.thinned is not None

    def needed(self, window: view.Window) -> bool:
        """Whether the window has, or may have, ticks that memory has not."""
        series = self._state.series
        if self._reader is None or not len(series) or window.t0 > int(series.t[0]):
            return False
        if self.oldest is None:
            return not self._answered or series.total > len(series)
        return self.oldest < int(series.t[0])

    def look(
        self, window: view.Window, step: int, fields: tuple[str, ...], run_up: int, came: Callable[[], None]
    ) -> None:
        """See to it that what the window needs is read; `came` is called once it is there.

        step: ns of a column of dots. run_up: ticks before the window that the averages need.
        """
        series = self._state.series
        if self._reader is None or not len(series):
            return
        self._shown = self.needed(window)
        if not self._shown:
            if self._answered:
                self._withdraw()
                return
            all_there = len(series) == series.total == self._state.ticks
            if all_there and time.monotonic() - self._made < LEARN_AFTER:
                return
            first = int(series.t[0])
            window = replace(window, t0=first, t1=first)  # only to learn how far back the recording goes
        join = self._join_time()
        found = self._found
        if found is not None and self._serves(found, window, step, fields, run_up):
            return
        wanted = _wanted(self._state, window, join, step, fields, run_up)
        now = time.monotonic()
        asked = self._asked
        if asked is not None and asked == wanted._replace(t1=asked.t1) and min(asked.t1, wanted.t1) > window.t0:
            return  # it is being read; that memory went on meanwhile does not matter
        if self._failure and now - self._asked_at < AGAIN_AFTER:
            return
        assert self._reader is not None
        self._asked, self._asked_at = wanted, now

        def deliver(answer: history.Window | RecordingError) -> None:
            self._take(answer, join)
            came()

        self._reader.ask(self, wanted, deliver)

    def forget(self) -> None:
        """Give back memory, and read no more."""
        self._withdraw()
        self._found = None

    def joined(self, window: view.Window) -> Joined | None:
        """What was read of the window, as far as it is there; None where memory is all there is, or may be."""
        found = self._found
        if found is None or not self.needed(window):
            return None
        until = found.wanted.t1
        if until <= window.t0 or found.wanted.t0 > window.t1:
            return None
        series = self._state.series
        breaks = []
        if until < self._join:
            breaks.append((until - 1, self._join))
        if int(series.t[0]) >= self._join:
            breaks.append((min(until, self._join) - 1, int(series.t[0])))
        return Joined(found, self._join, tuple(breaks))

    def _serves(
        self, found: history.Window, window: view.Window, step: int, fields: tuple[str, ...], run_up: int
    ) -> bool:
        """Whether what was read last is all that the window needs."""
        wanted, series = found.wanted, self._state.series
        if wanted.fields != fields or wanted.run_up < run_up or wanted.t0 > window.t0:
            return False
        if not found.raw and wanted.step != step:
            return False
        if wanted.t1 > window.t1:
            return True
        # It ends where memory goes on: it must do so still, and should for a while.
        sure = int(series.t[len(series) // 8]) if series.total > len(series) else int(series.t[0]) + 1
        return wanted.t1 == self._join >= min(sure, window.t1)

    def _join_time(self) -> int:
        t = self._state.series.t
        written = int(t[-1]) - view.SECOND
        return max(int(t[0]) + 1, min(int(t[len(t) // 2]), max(written, int(t[len(t) // 4]))))

    def _withdraw(self) -> None:
        if self._asked is not None and self._reader is not None:
            self._reader.withdraw(self)
        self._asked = None

    def _take(self, answer: history.Window | RecordingError, join: int) -> None:
        self._asked = None
        self.version += 1
        if isinstance(answer, RecordingError):
            # Of a path the name is enough, and all that there is room for.
            self._failure = printable(re.sub(r"\S*[/\\]", "", str(answer)), REASON_LENGTH)
            return
        self._failure = ""
        self._answered = True
        self.oldest = answer.oldest
        self._found, self._join = answer, join


def _wanted(
    state: StreamState, window: view.Window, join: int, step: int, fields: tuple[str, ...], run_up: int
) -> history.Wanted:
    from tuistream.store.history import Wanted

    # The rasteriser's last column has what is at its end, too.
    return Wanted(state.stream.key, fields, window.t0, min(window.t1 + 1, join), step, run_up)
