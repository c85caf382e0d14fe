"""The moving averages of one stream, kept up to date as its ticks come."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, takewhile
from typing import Final, NamedTuple

import numpy as np

from tuistream import studies
from tuistream.core.batch import Times, Values
from tuistream.core.blocks import Extremes
from tuistream.core.series import Series
from tuistream.core.session import Gap

EMA_LENGTHS: Final = 11  # after so many lengths a value has no part in an EMA that could be seen: (1 - 2 / n)^(11 n)

Average = tuple[str, int]  # the study's name and its length in ticks


def run_up(averages: Sequence[Average]) -> int:
    """How many ticks before a window change what the averages show in it."""
    return max((length - 1 if name == "sma" else EMA_LENGTHS * length for name, length in averages), default=0)


def over(t: Times, v: Values, averages: Sequence[Average], gaps: Sequence[Gap]) -> list[tuple[str, Values]]:
    """By name, the averages of all of `v`, beside ticks at `t`; none goes over a gap."""
    cuts = [0, *_cuts(t, [gap.to for gap in gaps]), len(t)]
    found = []
    for name, length in averages:
        study = studies.create(name, length)
        out = np.empty(len(t))
        for start, stop in pairwise(cuts):
            study.reset()
            out[start:stop] = study.extend(v[start:stop])
        found.append((f"{name} {length}", out))
    return found


class Column(NamedTuple):
    """Times in ns, values beside them, and extremes of these."""

    t: Times
    v: Values
    extremes: Extremes


class Averages:
    """Averages of one field of `series`, beside its ticks. None of them goes over a gap: it starts anew after one."""

    def __init__(self, series: Series, field: str, averages: Sequence[Average]) -> None:
        self.names = tuple(f"{name} {length}" for name, length in averages)
        self._averages = tuple(averages)
        self._source = series
        self._field = field
        self._newest: int | None = None
        self._total = 0
        self._start_again()

    def update(self, gaps: Sequence[Gap]) -> None:
        """Take what came since the last call."""
        source = self._source
        if source.history != self._history or source.total - self._total > len(source):
            self._start_again()
        count = min(source.total - self._total, len(source))
        if not count:
            return
        t, values = source.t[-count:], source.column(self._field)[-count:]
        start = 0
        for cut in [*self._new_cuts(t, gaps), count]:
            if cut > start:
                columns = [average.extend(values[start:cut]) for average in self._studies]
                together = columns[0][:, None] if len(columns) == 1 else np.stack(columns, axis=1)
                self._kept.extend(t[start:cut], together)
            if cut < count:
                for average in self._studies:
                    average.reset()
            start = cut
        self._total = source.total
        self._newest = int(t[-1])

    def between(self, t0: int, t1: int, until: int) -> dict[str, Column]:
        """By name, the averages from `t0` to `t1` and one tick beyond at either side, but none after `until`."""
        kept = self._kept
        rows = kept.between(t0, t1)
        first, stop = rows.start, max(rows.start, min(rows.stop, int(kept.t.searchsorted(until, side="right"))))
        t = kept.t[first:stop]
        return {
            name: Column(t, kept.column(name)[first:stop], kept.extremes(name).cut(first, stop))
            for name in self.names
        }

    def newest(self, count: int) -> list[tuple[Times, Values]]:
        """The last `count` of each, in the order of `names`."""
        kept = self._kept
        t = kept.t[len(kept) - count :]
        return [(t, kept.column(name)[len(kept) - count :]) for name in self.names]

    def _new_cuts(self, t: Times, gaps: Sequence[Gap]) -> list[int]:
        """The rows of `t` that come first after a gap."""
        # Gaps come in the order of time but for late ticks, after which all starts again.
        newest = self._newest
        ends = [gap.to for gap in takewhile(lambda gap: newest is None or gap.to > newest, reversed(gaps))]
        return _cuts(t, ends)

    def _start_again(self) -> None:
        self._studies = [studies.create(name, length) for name, length in self._averages]
        self._kept = Series(self.names, self._source.window)
        self._history = self._source.history
        self._total = self._source.total - len(self._source)
        self._newest = None


def _cuts(t: Times, ends: Sequence[int]) -> list[int]:
    """The rows of `t` that come first after gaps that end at `ends`."""
    if not ends:
        return []
    cuts = np.unique(t.searchsorted(ends, side="left"))
    return [int(cut) for cut in cuts if cut < len(t)]
