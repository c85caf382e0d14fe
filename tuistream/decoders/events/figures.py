"""Figures that come whole again and again: of each trace, the points that are new are ticks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tuistream.core.batch import Batch, IdRule, Stream, StreamKey
from tuistream.core.look import Look
from tuistream.decoders import plotly
from tuistream.decoders.plotly import Trace
from tuistream.decoders.wire.report import FieldReport, StreamReport
from tuistream.decoders.wire.rows import label

MAX_TRACES: Final = 1_000  # that are remembered; further ones are shown, and not recorded


@dataclass(slots=True)
class _Known:
    """A trace's stream; the newest of its points, as a time or an x; how it was last to be shown."""

    stream: Stream
    newest: float | int = -np.inf
    look: Look | None = None
    ticks: int = 0


class Figures:
    """reports: of the traces so far, by stream."""

    def __init__(self, feed: str) -> None:
        self._feed = feed
        self._known: dict[StreamKey, _Known] = {}
        self.reports: dict[StreamKey, StreamReport] = {}

    def take(self, figure: dict[str, Any], kind: str, recv: int, looks: dict[StreamKey, Look]) -> list[Batch]:
        """The new points of a figure that came under the event `kind`; a look that is new is put into `looks`."""
        batches = []
        taken: set[StreamKey] = set()
        for trace in plotly.scatters(figure, recv):
            stream = self._stream(trace, kind)
            known = self._known.get(stream.key)
            if known is None:
                if len(self._known) >= MAX_TRACES:
                    continue
                known = self._known[stream.key] = _Known(stream)
            if stream.key in taken or known.stream != stream:
                continue
            taken.add(stream.key)
            if trace.look != known.look:
                known.look = looks[stream.key] = trace.look
            batch = _new_points(known, trace, recv)
            if len(batch):
                known.ticks += len(batch)
                self._report(known, trace)
                batches.append(batch)
        return batches

    def _stream(self, trace: Trace, kind: str) -> Stream:
        name = label(trace.name or (f"trace {trace.number}" if trace.number else ""))
        found = f"plotly: {'time' if trace.timed else 'x'} at 'data.{trace.number}.x'"
        if trace.timed:
            # No two points of a trace have the same time: what a recording has already is known by it.
            return Stream(self._feed, name, kind, ("y",), IdRule.UNIQUE, found=found)
        return Stream(self._feed, name, kind, ("x", "y"), timed=False, found=found, axis="x")

    def _report(self, known: _Known, trace: Trace) -> None:
        stream, path = known.stream, f"data.{trace.number}"
        last = {"x": float(trace.x[-1]), "y": float(trace.y[-1])}
        fields = tuple(FieldReport(name, f"{path}.{name}", last[name]) for name in stream.fields)
        time, unit = (f"{path}.x", "ISO 8601") if trace.timed else ("", "")
        self.reports[stream.key] = StreamReport(
            stream.name, stream.kind, fields, time, unit, "", "", None, "", known.ticks
        )


def _new_points(known: _Known, trace: Trace, recv: int) -> Batch:
    """The points after the newest that was known; all of them where an x that is no time has begun anew."""
    along = trace.t if trace.timed else trace.x
    if not trace.timed and len(along) and along[-1] < known.newest:
        known.newest = -np.inf
    new = along > known.newest
    new[1:] &= along[1:] != along[:-1]
    rows = np.flatnonzero(new)
    received = np.full(len(rows), recv, dtype=np.int64)
    if len(rows):
        known.newest = along[rows[-1]].item()
    if trace.timed:
        t = trace.t[rows]
        return Batch(known.stream, t, received, trace.y[rows, np.newaxis], t.copy())
    return Batch(known.stream, received, received, np.stack((trace.x[rows], trace.y[rows]), axis=1))
