"""What a session keeps of each stream of numbers."""

from __future__ import annotations

import math
from collections import deque

import msgspec
import numpy as np

from tuistream.core.batch import Ids, Stream, Times, Values
from tuistream.core.continuity import Continuity
from tuistream.core.series import Series

GAPS_KEPT = 1_000
FEW = 32  # values up to which a plain loop is faster than arrays

# The field that stands for its stream where one number must: the first of these that it has, else its first. Where
# the producer says how its chart is to look, it is the first: a legend's names are no words of ours.
MAIN_FIELDS = ("price", "last", "last_price", "px", "p", "tp", "close", "c", "value", "val", "mid", "bid", "y")


class Gap(msgspec.Struct, frozen=True):
    """A stretch in which ticks are missing or feared to be: event times (ns), and why."""

    since: int
    to: int
    reason: str


class Known(msgspec.Struct, frozen=True):
    """What an earlier run recorded of a stream: times (ns) of its last tick, and its newest ids with their times."""

    last_t: int
    last_recv: int
    ids: Ids | None = None
    ids_t: Times | None = None


class StreamState(msgspec.Struct):
    """One stream: its series and what the watch list shows. Prices are of its main field; times are ns."""

    stream: Stream
    series: Series
    continuity: Continuity
    main: str
    number: int  # in the order of appearance, from 0, streams of items included
    interrupted: str = ""  # why ticks may be missing before the next one
    recalled: bool = False  # all that it shows was recorded earlier, as no tick has come yet
    ticks: int = 0
    axis_recv: int = 0  # receive time of the newest tick on an axis that is not time
    last_t: int = 0
    last_recv: int = 0
    first: float = np.nan
    last: float = np.nan
    previous: float = np.nan  # the last value that differed from `last`
    low: float = np.nan
    high: float = np.nan
    gaps: deque[Gap] = msgspec.field(default_factory=lambda: deque(maxlen=GAPS_KEPT))

    def clear(self) -> None:
        """Show none of the ticks that have come; where the next ones join is still known."""
        self.series.restart()
        self.gaps.clear()
        self.first = self.last = self.previous = self.low = self.high = np.nan

    def restart(self) -> None:
        """Forget all ticks, and what they told."""
        self.clear()
        self.ticks = self.last_t = self.last_recv = 0

    def note_values(self, values: Values) -> None:
        """Take the newest values of the main field into account."""
        if len(values) <= FEW:
            finite = [value for value in values.tolist() if math.isfinite(value)]
            if not finite:
                return
            first, newest, least, greatest = finite[0], finite[-1], min(finite), max(finite)
            before = next((value for value in reversed(finite) if value != newest), newest)
        else:
            least, greatest = float(np.minimum.reduce(values)), float(np.maximum.reduce(values))
            if not (math.isfinite(least) and math.isfinite(greatest)):  # NaN is the least where there is one
                values = values[np.isfinite(values)]
                if not len(values):
                    return
                least, greatest = float(values.min()), float(values.max())
            first, newest = float(values[0]), float(values[-1])
            before = _before(values[-FEW:], newest)
            if before == newest:
                before = _before(values, newest)
        if math.isnan(self.first):
            self.first = first
            self.low = self.high = self.last = self.first
        self.low, self.high = min(self.low, least), max(self.high, greatest)
        if before != newest:
            self.previous = before
        elif self.last != newest:
            self.previous = self.last
        self.last = newest


def _before(values: Values, newest: float) -> float:
    """The last of finite values that is not the newest, else that."""
    others = values[values != newest]
    return float(others[-1]) if len(others) else newest


def main_field(stream: Stream, described: bool) -> str:
    """The field that stands for the stream. described: its producer says how its chart is to look."""
    fields = [name for name in stream.fields if name != stream.axis]
    by_last_part = {} if described else {name.rpartition(".")[2].lower(): name for name in reversed(fields)}
    first = fields[0] if fields else stream.fields[0]
    return next((by_last_part[name] for name in MAIN_FIELDS if name in by_last_part), first)
