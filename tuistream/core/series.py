"""The ring buffer of one stream: its newest ticks in the order of their event times, column by column."""

from __future__ import annotations

import numpy as np

from tuistream.core.batch import Times, Values
from tuistream.core.blocks import Blocks, Extremes

FIRST_CAPACITY = 1024


class Series:
    """The newest `window` ticks of one stream, ordered by event time (ticks of one time as they came).

    `version` rises with every change. `history` rises when anything but an append at the end happened (a late
    tick was put in its place), so that whoever computes as ticks come knows that it must start again.
    `total` counts the ticks ever put in; the ring holds the newest `len(series)` of them.

    Storage is twice the window, so that every read is a contiguous view. A view is valid until the next
    `extend`.
    """

    def __init__(self, fields: tuple[str, ...], window: int) -> None:
        if window < 2:
            raise ValueError(f"a window of {window} ticks holds no line")
        self.fields = fields
        self.window = window
        self.version = 0
        self.history = 0
        self.total = 0
        self._start = self._end = 0
        capacity = min(FIRST_CAPACITY, 2 * window)
        self._t = np.empty(capacity, dtype=np.int64)
        self._v = np.full((len(fields), capacity), np.nan)
        self._moved = 0  # rows: the number of what stands first in the storage
        self._blocks: dict[int, Blocks] = {}  # of the columns that were asked for

    def __len__(self) -> int:
        return self._end - self._start

    @property
    def nbytes(self) -> int:
        return self._t.nbytes + self._v.nbytes + sum(blocks.nbytes for blocks in self._blocks.values())

    @property
    def t(self) -> Times:
        """Event times, int64[len], ns, oldest first."""
        return self._t[self._start : self._end]

    def column(self, field: str) -> Values:
        """The values of `field`, float64[len], beside `t`; NaN where a tick has none."""
        return self._v[self.fields.index(field), self._start : self._end]

    def extremes(self, field: str) -> Extremes:
        """Smallest and largest values of blocks of `column(field)`; each found once."""
        index = self.fields.index(field)
        blocks = self._blocks.get(index)
        if blocks is None:
            blocks = self._blocks[index] = Blocks()
        return blocks.extremes(self._v[index, self._start : self._end], self._moved + self._start)

    def between(self, t0: int, t1: int) -> slice:
        """The rows with t0 <= t <= t1, widened by one tick at either side so that a line can enter and leave."""
        t = self.t
        first = int(t.searchsorted(t0, side="left"))
        last = int(t.searchsorted(t1, side="right"))
        return slice(max(0, first - 1), min(len(t), last + 1))

    def add_fields(self, fields: tuple[str, ...]) -> None:
        """Take `fields` (the old ones first) from now on; older ticks have NaN in the new ones."""
        if fields[: len(self.fields)] != self.fields:
            raise ValueError(f"fields {fields} do not begin with {self.fields}")
        more = np.full((len(fields) - len(self.fields), self._t.size), np.nan)
        self._v = np.concatenate((self._v, more))
        self.fields = fields
        self.version += 1

    def rearrange(self, fields: tuple[str, ...]) -> None:
        """Have `fields` and no others from now on, in their order; NaN in those that are new."""
        v = np.full((len(fields), self._t.size), np.nan)
        for row, name in enumerate(fields):
            if name in self.fields:
                v[row] = self._v[self.fields.index(name)]
        self._v, self.fields = v, fields
        self._blocks.clear()
        self.version += 1
        self.history += 1

    def shrink(self, window: int) -> None:
        """Hold at most `window` ticks from now on."""
        self.window = max(2, window)
        self._start = max(self._start, self._end - self.window)
        self._move(min(self._t.size, 2 * self.window))
        self.version += 1
        self.history += 1

    def restart(self) -> None:
        """Forget all ticks."""
        self._start = self._end
        self.total = 0
        self.version += 1
        self.history += 1

    def extend(self, t: Times, v: Values) -> None:
        """Put ticks in. t: int64[n]; v: float64[n, fields]."""
        count = len(t)
        if not count:
            return
        self.total += count
        self.version += 1
        late = (count > 1 and bool(np.logical_or.reduce(t[1:] < t[:-1]))) or (
            len(self) > 0 and int(t[0]) < int(self._t[self._end - 1])
        )
        if late:
            self._merge(t, v)
            return
        if count > self.window:
            t, v, count = t[-self.window :], v[-self.window :], self.window
        if self._end + count > self._t.size:
            self._make_room(count)
        self._t[self._end : self._end + count] = t
        self._v[:, self._end : self._end + count] = v.T
        self._end += count
        self._start = max(self._start, self._end - self.window)

    def _merge(self, t: Times, v: Values) -> None:
        """Put late ticks in their places: only what is newer than the oldest of them moves."""
        self.history += 1
        keep = self._start + int(self.t.searchsorted(t.min(), side="right"))
        all_t = np.concatenate((self._t[keep : self._end], t))
        all_v = np.concatenate((self._v[:, keep : self._end], v.T), axis=1)
        order = np.argsort(all_t, kind="stable")[-self.window :]
        self._end = keep
        for blocks in self._blocks.values():
            blocks.changed(self._moved + keep)
        count = len(order)
        if self._end + count > self._t.size:
            self._make_room(count)
        self._t[self._end : self._end + count] = all_t[order]
        self._v[:, self._end : self._end + count] = all_v[:, order]
        self._end += count
        self._start = max(self._start, self._end - self.window)

    def _make_room(self, count: int) -> None:
        kept = min(len(self), self.window - min(count, self.window))
        self._start = self._end - kept
        capacity = self._t.size
        while capacity < 2 * self.window and capacity < kept + 2 * count:
            capacity = min(2 * capacity, 2 * self.window)
        if kept + count > capacity // 2:
            capacity = min(2 * capacity, 2 * self.window)
        self._move(max(capacity, kept + count))

    def _move(self, capacity: int) -> None:
        length = len(self)
        self._moved += self._start
        if capacity == self._t.size:
            self._t[:length] = self._t[self._start : self._end].copy()
            self._v[:, :length] = self._v[:, self._start : self._end].copy()
        else:
            t = np.empty(capacity, dtype=np.int64)
            v = np.full((len(self.fields), capacity), np.nan)
            t[:length], v[:, :length] = self.t, self._v[:, self._start : self._end]
            self._t, self._v = t, v
        self._start, self._end = 0, length
