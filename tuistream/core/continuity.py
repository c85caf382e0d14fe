"""Ids of one stream: what is a repeat, what is a hole, what is a restart."""

from __future__ import annotations

from collections import deque

import msgspec
import numpy as np

from tuistream.core.batch import Batch, IdRule, Ids, Times

REPEATS_KNOWN = 1_000


class Hole(msgspec.Struct, frozen=True):
    """Ids that never came, first to last, before row `row` of the batch that showed it."""

    first: int
    last: int
    row: int


class Checked(msgspec.Struct):
    """`batch` without its repeats, and what its ids told. `restarts`: rows at which the numbering began anew."""

    batch: Batch
    repeats: int = 0
    holes: list[Hole] = msgspec.field(default_factory=list)
    restarts: list[int] = msgspec.field(default_factory=list)


class Continuity:
    """Remembers the newest ids of one stream.

    After a reconnect, until a new id comes, a tick is a repeat if its id was among the last `REPEATS_KNOWN` and had
    the same event time then (if the stream has event times): that is what a venue sends again. At any time the
    newest id once more is a repeat. An id further back than that, one that comes again otherwise, or one that
    after a reconnect is lower than all that are known, or lower but later, means that the producer has started
    counting anew: its tick is kept. Any other id that is lower than the highest and had not come yet is a late
    tick, and is kept.
    """

    def __init__(self, rule: IdRule, seen: tuple[Ids, Times] | None = None) -> None:
        self.rule = rule
        self.last: int | None = None
        self._last_t = 0
        self._resent_to: int | None = None  # the highest id when the connection was lost, until a higher one comes
        self._runs: deque[tuple[Ids, Times]] = deque()  # the newest ids, as they came, not yet in `_seen`
        self._held = 0  # ids in `_runs`
        self._seen: dict[object, int] = {}
        if seen is not None and len(seen[0]):
            self._remember(*seen)
            numbers = [(i, t) for i, t in zip(seen[0].tolist(), seen[1].tolist(), strict=True) if isinstance(i, int)]
            if numbers:
                self.last, self._last_t = max(numbers)

    def check(self, batch: Batch, reconnected: bool = False) -> Checked:
        """Look at the ids of `batch`, the first after a reconnect or not; rows are those of the batch returned."""
        ids = batch.ids
        if ids is None or self.rule is IdRule.OPAQUE or not len(batch):
            return Checked(batch)
        if reconnected and self.last is not None:
            self._resent_to = self.last
        if self._all_new(ids) and (self._resent_to is None or int(ids[0]) > self._resent_to):
            self._remember(ids, batch.t)
            self.last, self._last_t = int(ids[-1]), int(batch.t[-1])
            self._resent_to = None
            return Checked(batch)
        return self._check_each(batch, ids, reconnected)

    def _all_new(self, ids: Ids) -> bool:
        """Whether nothing is amiss: all ids rise, by one where they are consecutive."""
        if ids.dtype != np.int64:
            return False
        consecutive = self.rule is IdRule.CONSECUTIVE
        if self.last is not None:
            step = int(ids[0]) - self.last
            if step < 1 or (consecutive and step != 1):
                return False
        steps = np.diff(ids)
        return bool((steps == 1).all() if consecutive else (steps > 0).all())

    def _check_each(self, batch: Batch, ids: Ids, reconnected: bool) -> Checked:
        seen, timed = self._memory(), batch.stream.timed
        oldest = min((i for i in seen if isinstance(i, int)), default=0) if reconnected else 0
        keep: list[int] = []
        checked = Checked(batch)
        for row, (tick_id, t) in enumerate(zip(ids.tolist(), batch.t.tolist(), strict=True)):
            if tick_id is None:
                keep.append(row)
                continue
            resent = self._resent_to is not None or reconnected or tick_id == self.last
            if resent and tick_id in seen and (seen[tick_id] == t or not timed):
                checked.repeats += 1
                if self.last is not None and tick_id == self.last + 1:
                    self.last = tick_id  # known from before the numbers seemed to start anew
                continue
            if isinstance(tick_id, int):
                anew = reconnected and (tick_id < oldest or (timed and t > self._last_t))
                self._step(tick_id, t, len(keep), anew, checked)
                if self._resent_to is not None and tick_id > self._resent_to:
                    self._resent_to = None
            seen[tick_id] = t
            keep.append(row)
        if checked.repeats:
            checked.batch = batch.take(np.array(keep, dtype=np.intp))
        return checked

    def _step(self, tick_id: int, t: int, row: int, anew: bool, checked: Checked) -> None:
        """Take an id that is no repeat. anew: if it is not above the highest, counting has started anew."""
        last = self.last
        if last is not None and tick_id <= last:
            if not (anew or tick_id in self._seen or tick_id < last - REPEATS_KNOWN):
                return
            checked.restarts.append(row)
        elif last is not None and tick_id > last + 1 and self.rule is IdRule.CONSECUTIVE:
            checked.holes.append(Hole(last + 1, tick_id - 1, row))
        self.last, self._last_t = tick_id, t

    def _remember(self, ids: Ids, t: Times) -> None:
        self._runs.append((ids[-REPEATS_KNOWN:], t[-REPEATS_KNOWN:]))
        self._held += len(self._runs[-1][0])
        while self._held >= REPEATS_KNOWN + len(self._runs[0][0]):
            self._held -= len(self._runs.popleft()[0])

    def _memory(self) -> dict[object, int]:
        """The newest ids with their times, as one dictionary, oldest first."""
        for ids, t in self._runs:
            self._seen.update(zip(ids.tolist(), t.tolist(), strict=True))
        self._runs.clear()
        self._held = 0
        for old in list(self._seen)[: max(0, len(self._seen) - REPEATS_KNOWN)]:
            del self._seen[old]
        return self._seen
