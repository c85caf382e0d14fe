"""Streams of one event: of its kind, drawn against x where that is no time, at the sender's hour."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from msgspec.structs import replace

from tuistream.core.batch import Batch, Stream, Times
from tuistream.decoders.contract import Decoder
from tuistream.decoders.wire.report import StreamReport
from tuistream.decoders.wire.rows import label
from tuistream.decoders.wire.timestamps import DAY

AXIS = "x"
_ALONG_AXIS = re.compile(r"y[\d_.]*|value|val")


@dataclass(slots=True)
class _Named:
    """A stream as the rest of the program is to know it. shift: ns from UTC to the zone of its clock times."""

    stream: Stream
    clock: bool = False
    local: bool | None = None


class EventStreams:
    def __init__(self, event: str) -> None:
        """event: the kind of its streams."""
        self._event = event
        self._named: dict[Stream, _Named] = {}
        self._of_key: dict[tuple[str, str], _Named] = {}

    def named(self, report: StreamReport) -> StreamReport:
        return replace(report, kind=self._kind(report.kind))

    def batch(self, batch: Batch, decoder: Decoder, recv: int) -> Batch:
        """A batch of `decoder`, as one of the event's. recv: ns since 1970 UTC."""
        named = self._named.get(batch.stream) or self._new(batch.stream, decoder)
        t = batch.t
        if named.clock:
            offset = _local_offset(recv)
            if named.local is None:
                named.local = _nearer(t[-1:] - offset, recv) < _nearer(t[-1:], recv)
            if named.local:
                t = _nearest_day(t - offset, recv)
        return replace(batch, stream=named.stream, t=t)

    def _new(self, stream: Stream, decoder: Decoder) -> _Named:
        """Name a stream that is new, or that has changed."""
        key = stream.name, stream.kind
        before = self._of_key.get(key)
        axis = before.stream.axis if before else _axis_of(stream)
        units = {(report.name, report.kind): report.unit for report in decoder.describe()}
        named = _Named(
            replace(stream, kind=self._kind(stream.kind), axis=axis),
            units.get(key) == "clock time",
            before.local if before else None,
        )
        if before is not None:
            self._named = {known: each for known, each in self._named.items() if each is not before}
        self._named[stream] = self._of_key[key] = named
        return named

    def _kind(self, kind: str) -> str:
        return self._event if kind in ("", self._event) else label(f"{self._event} {kind}")


def _axis_of(stream: Stream) -> str:
    """x, where the ticks have no time and all else that they have is drawn along it."""
    others = [name for name in stream.fields if name != AXIS]
    if stream.timed or not others or len(others) == len(stream.fields):
        return ""
    return AXIS if len(others) == 1 or all(map(_ALONG_AXIS.fullmatch, others)) else ""


def _local_offset(recv: int) -> int:
    """ns by which local time is ahead of UTC at `recv`."""
    offset = datetime.fromtimestamp(recv // 10**9, UTC).astimezone().utcoffset()
    return int(offset.total_seconds()) * 10**9 if offset else 0


def _nearest_day(t: Times, recv: int) -> Times:
    """Times of day, on the day that brings each nearest to `recv`."""
    days: Times = t - (t - recv + DAY // 2) // DAY * DAY
    return days


def _nearer(t: Times, recv: int) -> int:
    return int(np.abs(_nearest_day(t, recv) - recv)[-1])
