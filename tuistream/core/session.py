"""The session: every feed's ticks go through it, into series and outboxes."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tuistream.core.batch import Batch, IdRule, Stream, StreamKey, Times, Values
from tuistream.core.board import BOARDS_BYTES, BOARDS_MOST, Board, Item
from tuistream.core.continuity import Checked, Continuity
from tuistream.core.durations import format_duration
from tuistream.core.limits import MEMORY, WINDOW
from tuistream.core.look import Look
from tuistream.core.outbox import Outbox
from tuistream.core.series import Series
from tuistream.core.status import Event, FeedState, FeedStatus
from tuistream.core.stream_state import Gap as Gap
from tuistream.core.stream_state import Known as Known
from tuistream.core.stream_state import StreamState as StreamState
from tuistream.core.stream_state import main_field as main_field
from tuistream.core.video import VideoFrame

MAX_STREAMS = 10_000
EVENTS_KEPT = 2_000
IDS_MISSING = "ids missing"
AXIS_MOST = 9e9  # of an axis that is not time, in its own units: it is kept in billionths, as times are


class Session:
    """Owns the streams of a run. One loop, direct calls; nothing here waits but `room`.

    `limit` ticks are taken in all, exactly; `full` is set once they have come.
    """

    def __init__(
        self,
        *,
        window: int = WINDOW,
        memory: int = MEMORY,
        limit: int | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.window = window
        self.memory = memory
        self.clock = clock
        self.streams: dict[StreamKey, StreamState] = {}
        self.boards: dict[StreamKey, Board] = {}
        self.looks: dict[StreamKey, Look] = {}
        self.look_changes = 0  # rises with every change in `looks`
        self.feeds: dict[str, FeedStatus] = {}
        self.events: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self.event_count = 0
        self.outboxes: list[Outbox] = []
        self.known: Mapping[StreamKey, Known] = {}
        self.nbytes = 0
        self._boards_nbytes = 0
        self.full = asyncio.Event()
        self._left = limit

    @property
    def ticks(self) -> int:
        return sum(feed.ticks for feed in self.feeds.values())

    @property
    def gaps(self) -> int:
        return sum(feed.gaps for feed in self.feeds.values())

    def add_feed(self, feed: FeedStatus) -> FeedStatus:
        feed.since = self.clock()
        self.feeds[feed.name] = feed
        return feed

    def note(self, event: Event) -> None:
        """Keep an event for the event log, and send it to the sinks."""
        self.events.append(event)
        self.event_count += 1
        for outbox in self.outboxes:
            outbox.note(event)

    def recall(self, stream: Stream, t: Times, v: Values, recv: int, gaps: Sequence[Gap] = ()) -> None:
        """Show what was recorded of a stream until a tick of it comes, and before that one then.

        t: int64[n], ns, rising; v: float64[n, fields]: its newest recorded ticks, all that there are from t[0] on.
        recv: receive time of the last. gaps: those among them. A stream of which a tick has come already stays as it
        is.
        """
        if stream.key in self.streams or len(self.streams) >= MAX_STREAMS or not len(t) or stream.axis:
            return
        state = self._add_stream(stream)
        state.recalled = True
        state.gaps.extend(gaps)
        state.last_t, state.last_recv = int(t[-1]), recv
        before = state.series.nbytes
        state.series.extend(t, v)
        self.nbytes += state.series.nbytes - before
        state.note_values(v[:, stream.fields.index(state.main)])
        self._keep_within_memory()

    def feed_of(self, stream: Stream) -> FeedStatus | None:
        """The feed that the stream comes from; a recording that is followed brings streams of feeds that are none."""
        found = self.feeds.get(stream.feed)
        return next((feed for feed in self.feeds.values() if feed.follows), None) if found is None else found

    def interrupt(self, feed: FeedStatus, reason: str) -> None:
        """From now until their next tick, ticks of the feed's streams may be missing."""
        for state in self.streams.values():
            if state.stream.feed == feed.name and not state.interrupted:
                state.interrupted = reason

    async def room(self) -> None:
        """Return once every sink can take more: a feed awaits this before it reads on."""
        for outbox in self.outboxes:
            await outbox.room()

    def ingest(self, feed: FeedStatus, batches: list[Batch], *, again: bool = False) -> None:
        """Take what one read gave: drop repeats, find gaps, extend the series, offer it to the sinks.

        again: the ticks come from a recording. They have been looked at; their gaps come by `note_gap`.
        """
        for batch in batches:
            if not len(batch) or self.full.is_set():
                continue
            state = self.streams.get(batch.stream.key)
            if state is None:
                state = self._new_stream(feed, batch.stream)
                if state is None:
                    feed.refused_ticks += len(batch)
                    continue
            elif state.stream is not batch.stream:
                self._grow(state, batch.stream)
            if again:
                state.interrupted = ""
                self._take(feed, state, batch, again=True)
                continue
            ids_known = state.continuity.last is not None
            checked = state.continuity.check(batch, bool(state.interrupted))
            feed.repeats += checked.repeats
            if len(checked.batch):
                self._note_continuity(feed, state, checked, ids_known)
                self._take(feed, state, checked.batch)

    def note_gap(self, feed: FeedStatus, event: Event) -> None:
        """Count, show and record a gap that a recording holds."""
        feed.gaps += 1
        self.show_gap(event)
        self.note(event)

    def show_gap(self, event: Event) -> None:
        """Have the stream's chart show a gap."""
        state = None if event.stream is None else self.streams.get(event.stream)
        since, to = event.details.get("from"), event.details.get("to")
        if state is not None and isinstance(since, int) and isinstance(to, int) and to > since:
            state.gaps.append(Gap(since, to, str(event.details.get("reason") or "")))

    def rewind(self, feed: FeedStatus) -> None:
        """Forget the ticks of all streams, which stay: the feed, the only one, begins elsewhere in a recording."""
        feed.ticks = 0
        for state in self.streams.values():
            state.restart()

    def clear(self, entry: StreamState | Board) -> None:
        """Forget what has come of a stream, on the screen only: what is recorded stays."""
        if isinstance(entry, Board):
            self._boards_nbytes -= entry.nbytes
        entry.clear()

    def take_looks(self, looks: Mapping[StreamKey, Look]) -> None:
        """Take how streams are to look; before `ingest`, as it decides on the main field of a new one."""
        for key, look in looks.items():
            if key in self.looks or len(self.looks) < MAX_STREAMS:
                self.looks[key] = look
                self.look_changes += 1

    def show(self, feed: FeedStatus, items: Sequence[Item]) -> None:
        """Take what one read gave that is not numbers. Frames of a video are only for a look, and never recorded."""
        for item in items:
            board = self.boards.get(item.stream.key)
            if board is None:
                if len(self.boards) >= BOARDS_MOST:
                    feed.refused_items += 1
                    continue
                board = self.boards[item.stream.key] = Board(item.stream, len(self.streams) + len(self.boards))
            before = board.nbytes
            board.add(item)
            self._boards_nbytes += board.nbytes - before
            self._keep_boards_within_bounds()
            feed.items += 1
            if not isinstance(item.value, VideoFrame):
                for outbox in self.outboxes:
                    outbox.offer_item(item)

    def _keep_boards_within_bounds(self) -> None:
        while self._boards_nbytes > BOARDS_BYTES:
            largest = max(self.boards.values(), key=lambda board: board.nbytes)
            before = largest.nbytes
            largest.drop()
            self._boards_nbytes += largest.nbytes - before

    def _take(self, feed: FeedStatus, state: StreamState, batch: Batch, *, again: bool = False) -> None:
        if self._left is not None:
            if len(batch) >= self._left:
                batch = batch.take(slice(0, self._left))
                self.full.set()
            self._left -= len(batch)
            if not len(batch):
                return
        count = len(batch)
        state.recalled = False
        feed.ticks += count
        state.ticks += count
        state.last_t, state.last_recv = int(batch.t[-1]), int(batch.recv[-1])
        if batch.stream.timed:
            feed.lag = state.last_recv - state.last_t
        if feed.relayed:
            state.last_recv = feed.last_recv
        state.note_values(batch.v[:, batch.stream.fields.index(state.main)])
        before = state.series.nbytes
        if batch.stream.axis:
            self._extend_along(feed, state, batch, again=again)
        else:
            state.series.extend(batch.t, batch.v)
        if state.series.nbytes != before:
            self.nbytes += state.series.nbytes - before
            self._keep_within_memory()
        for outbox in self.outboxes:
            outbox.offer(batch)

    def _extend_along(self, feed: FeedStatus, state: StreamState, batch: Batch, *, again: bool) -> None:
        """Put ticks where their axis says; after a step back of it the series begins anew, which was told `again`."""
        x = batch.v[:, batch.stream.fields.index(batch.stream.axis)]
        known = np.flatnonzero(np.abs(x) < AXIS_MOST)
        along = np.rint(x[known] * 1e9).astype(np.int64)
        series = state.series
        before = series.t[-1:] if len(series) else along[:1]
        steps = np.flatnonzero(np.diff(along, prepend=before) < 0)
        if len(steps):
            series.restart()
            row = int(steps[-1])
            since, to = state.axis_recv, int(batch.recv[known[row]])
            if not again:
                self._gap(feed, state, since, to, f"{batch.stream.axis} stepped back")
            known, along = known[row:], along[row:]
        series.extend(along, batch.v[known])
        state.axis_recv = state.last_recv

    def _new_stream(self, feed: FeedStatus, stream: Stream) -> StreamState | None:
        if len(self.streams) >= MAX_STREAMS:
            if not feed.refused_ticks:
                text = f"more than {MAX_STREAMS:,} streams: further ones are counted, not kept"
                self.note(Event(self.clock(), feed.name, "lost", text))
            return None
        return self._add_stream(stream)

    def _add_stream(self, stream: Stream) -> StreamState:
        known = self.known.get(stream.key)
        seen = (known.ids, known.ids_t) if known and known.ids is not None and known.ids_t is not None else None
        series = Series(stream.fields, self.window)
        number = len(self.streams) + len(self.boards)
        main = main_field(stream, described=stream.key in self.looks)
        state = StreamState(stream, series, Continuity(stream.ids, seen), main, number)
        if known:
            state.last_t, state.last_recv = known.last_t, known.last_recv
            state.interrupted = "not recorded"
        self.streams[stream.key] = state
        self.nbytes += series.nbytes
        return state

    def _grow(self, state: StreamState, stream: Stream) -> None:
        if state.recalled and stream.fields[: len(state.stream.fields)] != state.stream.fields:
            # A recording has the fields of all runs, in the order in which it came to know them.
            state.series.rearrange(stream.fields)
            if stream.axis:
                state.series.restart()
            state.main = main_field(stream, described=stream.key in self.looks)
        elif stream.fields != state.stream.fields:
            before = state.series.nbytes
            state.series.add_fields(stream.fields)
            self.nbytes += state.series.nbytes - before
        state.stream = stream
        state.continuity.rule = stream.ids

    def _note_continuity(self, feed: FeedStatus, state: StreamState, checked: Checked, ids_known: bool) -> None:
        """Write down what lies between the last tick and these: holes in the ids, restarts, outages."""
        batch, why = checked.batch, state.interrupted
        state.interrupted = ""
        for hole in checked.holes:
            since = int(batch.t[hole.row - 1]) if hole.row else state.last_t
            self._gap(feed, state, since, int(batch.t[hole.row]), why or IDS_MISSING, (hole.first, hole.last))
        for row in checked.restarts:
            text = f"{state.stream.label}: ids start anew"
            self.note(Event(int(batch.t[row]), feed.name, "restart", text, state.stream.key))
        if why and not (state.stream.ids is IdRule.CONSECUTIVE and ids_known):
            since, to = state.last_t, int(batch.t[0])
            if to <= since:  # event times went back: only the receive times tell how long it was
                since, to = state.last_recv, int(batch.recv[0])
            self._gap(feed, state, since, to, why)

    def _gap(
        self,
        feed: FeedStatus,
        state: StreamState,
        since: int,
        to: int,
        reason: str,
        ids: tuple[int, int] | None = None,
    ) -> None:
        feed.gaps += 1
        details: dict[str, int | float | str | None] = {"from": since, "to": to, "reason": reason}
        text = f"{state.stream.label}: {reason}"
        if ids:
            first, last = ids
            details |= {"first_id": first, "last_id": last, "missing": last - first + 1}
            which = f"id {first}" if first == last else f"ids {first} to {last}"
            text = f"{state.stream.label}: {which} missing ({last - first + 1:,})"
            if reason != IDS_MISSING:
                text += f", {reason}"
        if to > since:
            text += f", {format_duration(to - since)}"
            state.gaps.append(Gap(since, to, reason))
        self.note(Event(to, feed.name, "gap", text, state.stream.key, details))

    def _keep_within_memory(self) -> None:
        """Halve the largest windows until all series fit into `memory` again."""
        while self.nbytes > self.memory:
            largest = max(self.streams.values(), key=lambda state: state.series.nbytes).series
            if largest.window <= 1_000:
                return
            before = largest.nbytes
            largest.shrink(largest.window // 2)
            self.nbytes += largest.nbytes - before

    def set_state(self, feed: FeedStatus, state: FeedState, reason: str = "") -> None:
        if feed.state is not state:
            feed.state = state
            feed.since = self.clock()
        feed.reason = reason
