"""A recording's ticks in the order in which they were received, and how long after one another they came."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from tuistream.core.batch import Batch, Stream, StreamKey, Times
from tuistream.core.errors import SettingsError
from tuistream.core.status import Event
from tuistream.core.text import printable
from tuistream.store.reading import Reader, gap_span

# A flush is sorted by stream: what one stream has in it came before what the next has only on paper. So ticks are
# held until no tick that was received earlier can follow: for so long of recorded time, or so many rows.
HELD_NS = 2_000_000_000
HELD_ROWS = 100_000  # as a flush has at most
REORDERED_NS = 1_000_000_000  # a receive time of a stream that steps back by more is a clock that was set
LONGEST_PAUSE_NS = 1_000_000_000  # while nobody recorded
NAMES_SHOWN = 20
EVENTS_KEPT = 100_000  # of a file: gaps, and as many others

Rows = NDArray[np.int64]


class Selection(msgspec.Struct, frozen=True):
    """What of which files. since, until: event times, ns. streams: names as typed; none for all."""

    files: tuple[Path, ...]
    since: int | None = None
    until: int | None = None
    streams: tuple[str, ...] = ()

    def numbers(self, streams: dict[int, Stream]) -> list[int] | None:
        """The ids, in one file, of the streams that are wanted; None for all."""
        return (
            [number for number, stream in streams.items() if is_named(stream, self.streams)] if self.streams else None
        )


def is_named(stream: Stream, names: Sequence[str]) -> bool:
    """Whether one of `names` means the stream: its name, name and kind, kind, or feed."""
    return any(name in (stream.name, f"{stream.name} {stream.kind}", stream.kind, stream.feed) for name in names)


def check_names(names: Sequence[str], streams: Sequence[Stream], option: str = "--streams") -> None:
    """Raise SettingsError for a name that means none of `streams`."""
    for name in names:
        if not any(is_named(stream, (name,)) for stream in streams):
            known = sorted(
                {printable(f"{stream.name} {stream.kind}".strip() or stream.feed, 60) for stream in streams}
            )
            more = f" and {len(known) - NAMES_SHOWN:,} more" if len(known) > NAMES_SHOWN else ""
            text = f"{option} {printable(name)!r} is not in the recording; in it are {', '.join(known[:NAMES_SHOWN])}"
            raise SettingsError(text + more)


class Block(msgspec.Struct, frozen=True, eq=False):
    """Some ticks in the order of their receipt. All arrays: [n].

    batches: the same ticks by stream, oldest first in each. which, row: each tick's batch, and its row in that.
    after: ns of replay from the tick before, at least 0; recv: receive time, ns since 1970 UTC.
    """

    batches: list[Batch]
    which: Rows
    row: Rows
    after: Times
    recv: Times

    def __len__(self) -> int:
        return len(self.recv)

    def between(self, start: int, stop: int) -> list[Batch]:
        """The ticks from `start` to before `stop`, by stream."""
        if start == 0 and stop == len(self):
            return self.batches
        which, rows = self.which[start:stop], self.row[start:stop]
        if stop - start == 1:
            return [self.batches[which[0]].take(rows)]
        order = np.argsort(which, kind="stable")
        edges = np.flatnonzero(np.diff(which[order])) + 1
        return [self.batches[which[part[0]]].take(rows[part]) for part in np.split(order, edges)]

    def times(self) -> Times:
        """The ticks' event times, ns."""
        starts = np.cumsum([0, *map(len, self.batches)])
        return np.concatenate([batch.t for batch in self.batches])[starts[self.which] + self.row]


class _Held(msgspec.Struct):
    """Ticks of one stream that wait, when each is to be by the recorded clock, and how many rows were read then."""

    batch: Batch
    keys: Times
    read: int


class _Clock(msgspec.Struct):
    """Where a stream stands: its newest receive time, what that counts as, and the difference after a set clock."""

    recv: int
    key: int
    ahead: int = 0


class Order:
    """Puts ticks that come sorted by stream, flush by flush, into the order of their receipt. No I/O.

    Within a stream their order stays. began: when the recorder was started, ns, rising: before a tick before which
    it was started there is no pause longer than `LONGEST_PAUSE_NS`.
    """

    def __init__(self, began: Times) -> None:
        self._began = began
        self._held: list[_Held] = []
        self._clocks: dict[StreamKey, _Clock] = {}
        self._ahead = 0
        self._read = 0
        self._newest = 0
        self._last: tuple[int, int] | None = None  # key and receive time of the last tick that was let go

    def push(self, batches: Sequence[Batch]) -> Block | None:
        """Take the next ticks; those whose place is known now."""
        self._read += sum(map(len, batches))
        for batch in batches:
            keys = self._keys(batch)
            self._newest = max(self._newest, int(keys[-1]))
            self._held.append(_Held(batch, keys, self._read))
        return self._let_go(self._bound())

    def finish(self) -> Block | None:
        """All that is held: nothing more comes."""
        return self._let_go(self._newest)

    def _keys(self, batch: Batch) -> Times:
        """The batch's receive times, none before the one before it; a clock that was set back goes on as it went."""
        recv = batch.recv
        clock = self._clocks.get(batch.stream.key)
        if clock is None:
            clock = self._clocks[batch.stream.key] = _Clock(int(recv[0]), int(recv[0]) + self._ahead, self._ahead)
        wanted = recv + clock.ahead
        keys = np.maximum.accumulate(np.maximum(wanted, clock.key))
        if int((keys - wanted).max()) > REORDERED_NS:
            steps = np.diff(recv, prepend=clock.recv)
            keys = clock.key + np.cumsum(np.maximum(steps, 0))
            clock.ahead = self._ahead = max(self._ahead, int(keys[-1] - recv[-1]))
        clock.recv, clock.key = int(recv[-1]), int(keys[-1])
        return keys

    def _bound(self) -> int:
        recent = [int(held.keys[0]) for held in self._held if self._read - held.read < HELD_ROWS]
        return max(self._newest - HELD_NS, min(recent, default=self._newest + 1) - 1)

    def _let_go(self, bound: int) -> Block | None:
        pieces: list[tuple[Batch, Times]] = []
        held: list[_Held] = []
        for one in self._held:
            old = self._read - one.read >= 2 * HELD_ROWS
            count = len(one.keys) if old else int(np.searchsorted(one.keys, bound, side="right"))
            if count == len(one.keys):
                pieces.append((one.batch, one.keys))
                continue
            if count:
                pieces.append((one.batch.take(slice(0, count)), one.keys[:count]))
                one = _Held(one.batch.take(slice(count, None)), one.keys[count:], one.read)
            held.append(one)
        self._held = held
        return self._block(pieces) if pieces else None

    def _block(self, pieces: list[tuple[Batch, Times]]) -> Block:
        batches = [batch for batch, _ in pieces]
        counts = [len(batch) for batch in batches]
        keys = np.concatenate([keys for _, keys in pieces])
        recv = np.concatenate([batch.recv for batch in batches])
        which = np.repeat(np.arange(len(counts)), counts)
        row = np.arange(len(keys)) - np.repeat(np.cumsum(counts) - counts, counts)
        order = np.argsort(keys, kind="stable")
        keys, recv, which, row = keys[order], recv[order], which[order], row[order]
        last_key, last_recv = self._last or (int(keys[0]), int(recv[0]))
        after = np.maximum(np.diff(keys, prepend=last_key), 0)
        for place in np.flatnonzero(after > LONGEST_PAUSE_NS).tolist():
            before = int(recv[place - 1]) if place else last_recv
            if np.searchsorted(self._began, recv[place], "right") > np.searchsorted(self._began, before, "right"):
                after[place] = LONGEST_PAUSE_NS
        self._last = max(last_key, int(keys[-1])), int(recv[-1])
        return Block(batches, which, row, after, recv)


class Fields:
    """The streams of several files as one: a stream that has other fields in a later file has them all."""

    def __init__(self) -> None:
        self._streams: dict[StreamKey, Stream] = {}

    def add(self, streams: Sequence[Stream]) -> None:
        """Take in the streams of the next file."""
        for stream in streams:
            known = self._streams.get(stream.key)
            before = known.fields if known is not None else ()
            fields = (*before, *(name for name in stream.fields if name not in before))
            if known is None or replace(stream, fields=fields) != known:
                self._streams[stream.key] = replace(stream, fields=fields)

    def of(self, batch: Batch) -> Batch:
        """The batch, with the stream as it is now."""
        stream = self._streams[batch.stream.key]
        if stream.fields == batch.stream.fields:
            return replace(batch, stream=stream)
        values = np.full((len(batch), len(stream.fields)), np.nan)
        values[:, [stream.fields.index(name) for name in batch.stream.fields]] = batch.v
        return replace(batch, stream=stream, v=values)


class FileEvents(msgspec.Struct, frozen=True):
    """What a file holds beside its ticks, as far as it is selected; `dropped` were more than `EVENTS_KEPT`.

    gaps: those of streams, by the time of the tick after them. others: all else, by time.
    """

    path: Path
    gaps: list[Event]
    others: list[Event]
    dropped: int


def events_of(reader: Reader, selection: Selection) -> FileEvents:
    since, until = selection.since, selection.until
    numbers = selection.numbers(reader.streams)
    wanted = {reader.streams[number].key for number in (reader.streams if numbers is None else numbers)}
    gaps: list[Event] = []
    others: list[Event] = []
    dropped = 0
    for event in reader.events():
        wanted_here = event.stream in wanted if event.stream is not None else not selection.streams
        begin, end = gap_span(event) if event.kind == "gap" else (event.t, event.t)
        if not wanted_here or (since is not None and end < since) or (until is not None and begin >= until):
            continue
        kept = gaps if event.kind == "gap" and event.stream is not None else others
        if len(kept) < EVENTS_KEPT:
            kept.append(event)
        else:
            dropped += 1
    gaps.sort(key=lambda gap: gap_span(gap)[1])
    others.sort(key=lambda event: event.t)
    return FileEvents(reader.path, gaps, others, dropped)


def blocks(selection: Selection, at: int | None = None, before: int = 0) -> Generator[Block | FileEvents]:
    """The ticks of the selection, those of each file behind its events. Blocking; raises RecordingError.

    at: begin about where the ticks of that event time, ns, are, and `before` rows earlier in the same file.
    """
    fields = Fields()
    for path in selection.files:
        with Reader(path) as reader:
            fields.add(list(reader.streams.values()))
            first = 1 if at is None else reader.row_at(at)
            if first > reader.last and path != selection.files[-1]:
                continue
            at = None
            yield events_of(reader, selection)
            order = Order(reader.began())
            numbers = selection.numbers(reader.streams)
            chunks = reader.chunks(selection.since, selection.until, numbers, first=max(1, first - before))
            for chunk in chunks:
                if (block := order.push([fields.of(batch) for batch in chunk])) is not None:
                    yield block
            if (block := order.finish()) is not None:
                yield block


class BlockReader:
    """Reads what `blocks` gives in a thread of its own, one ahead. To be closed."""

    def __init__(self, selection: Selection, at: int | None = None, before: int = 0) -> None:
        self._blocks = blocks(selection, at, before)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="replay")  # SQLite's connections belong to one
        self._next = self._read()

    async def next(self) -> Block | FileEvents | None:
        """The next block, or a file's events before its first one; None after the last. Raises RecordingError."""
        found = await asyncio.shield(self._next)
        if found is not None:
            self._next = self._read()
        return found

    async def close(self) -> None:
        """Stop reading, and close the file."""
        await asyncio.wait([self._next])
        if not self._next.cancelled():
            self._next.exception()  # of what nobody wants any more
        await asyncio.get_running_loop().run_in_executor(self._thread, self._blocks.close)
        self._thread.shutdown()

    def _read(self) -> asyncio.Future[Block | FileEvents | None]:
        return asyncio.get_running_loop().run_in_executor(self._thread, next, self._blocks, None)
