"""One feed from connect to end: reads, decodes, hands over to the session, and comes back after an outage."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence

from tuistream.core.board import Item
from tuistream.core.errors import SourceDown
from tuistream.core.frames import Frames, Read, together
from tuistream.core.session import Session
from tuistream.core.status import SAMPLE_BYTES, SAMPLES_KEPT, Event, FeedState, FeedStatus
from tuistream.core.text import printable, without
from tuistream.decoders.contract import Decoded, Decoder, DecoderOfMany, DecoderOptions
from tuistream.decoders.wire.report import StreamReport
from tuistream.sources.contract import Connection, Source, TimedConnection
from tuistream.sources.retry import Retry

SOONEST_WATCH, LATEST_WATCH = 0.02, 5.0  # seconds after which a feed is looked after again
STALE_INTERVALS = 5.0  # a feed is stale after so many of its usual pauses, and not before `stale_after`
NOTICES_KEPT = 20  # of one connection; further ones are only counted


class Feed:
    """Owns one source. `run` returns when the feed has ended for good; what it tells is in `status`.

    Between `suspend` and `resume` it has no connection.
    """

    def __init__(
        self,
        session: Session,
        status: FeedStatus,
        source: Source,
        decoder: Decoder,
        retry: Retry,
        send: tuple[str, ...] = (),
        secrets: tuple[str, ...] = (),
        wanted: DecoderOptions | None = None,
    ) -> None:
        """secrets: what no text of the producer may show. wanted: the fields that the user named, to miss them."""
        self.status = status
        self._session = session
        self._source = source
        self._decoder = decoder
        self._of_many = decoder if isinstance(decoder, DecoderOfMany) else None
        self._retry = retry
        self._send = send
        self._secrets = list(secrets)
        self._wanted = wanted
        self._notices = 0
        self._usual_pause = 0.0  # seconds between reads, smoothed
        self._read_at = 0.0  # monotonic seconds
        self._replies: asyncio.Queue[str] = asyncio.Queue(maxsize=100)
        self._awake = asyncio.Event()
        self._awake.set()
        self._work: asyncio.Task[None] | None = None

    def found(self) -> list[StreamReport]:
        """What the decoder made of the frames so far."""
        return self._decoder.describe()

    async def run(self) -> None:
        while not self.status.ended:
            await self._awake.wait()
            async with asyncio.TaskGroup() as tasks:
                self._work = tasks.create_task(self._run())

    async def suspend(self) -> None:
        """Hand over what has come, close the connection, make no other. Ticks may be missing from now on."""
        self._awake.clear()
        status = self.status
        connected = status.state in (FeedState.WAITING, FeedState.LIVE, FeedState.STALE)
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])
        if status.ended:
            return
        self._session.set_state(status, FeedState.SUSPENDED, status.reason)
        if connected:
            self._session.interrupt(status, "suspended")
            self._note("close", "suspended")

    def resume(self) -> None:
        """Connect again: at once, unless the producer wants us to stay away."""
        self._awake.set()

    async def _run(self) -> None:
        status, session = self.status, self._session
        last_reason = ""
        demanded = self._retry.begin(time.monotonic(), status.frames > 0)
        if demanded > 0:
            await self._stay_away(demanded, status.reason)
        while True:
            self._retry.connecting(time.monotonic())
            frames_before = status.frames
            connected_before = status.connections
            session.set_state(status, FeedState.CONNECTING, status.reason)
            down = await self._connection()
            status.malformed += down.too_big
            if status.connections > connected_before:
                session.interrupt(status, "outage")
                self._note("close", str(down))
            pause = self._retry.failed(down, time.monotonic(), status.frames > frames_before)
            if pause is None:
                ended = FeedState.CLOSED if down.normal else FeedState.FAILED
                session.set_state(status, ended, str(down))
                self._note("ended", str(down))
                return
            if status.connections == connected_before and str(down) != last_reason:
                self._note("retry", str(down))
            last_reason = str(down)
            await self._stay_away(pause, last_reason)

    async def _stay_away(self, seconds: float, reason: str) -> None:
        self.status.retry_at = self._session.clock() + int(seconds * 1e9)
        self._session.set_state(self.status, FeedState.RETRYING, reason)
        await asyncio.sleep(seconds)

    async def _connection(self) -> SourceDown:
        """Connect and read until the connection ends; why it did."""
        try:
            async with self._source.connect() as connection:
                self._opened()
                async with asyncio.TaskGroup() as tasks:
                    watcher = tasks.create_task(self._watch(connection))
                    try:
                        return await self._read(connection)
                    finally:
                        watcher.cancel()
        except SourceDown as down:
            return down

    async def _read(self, connection: Connection) -> SourceDown:
        timed = connection if isinstance(connection, TimedConnection) else _Stamped(connection, self._session.clock)
        try:
            for message in self._send:
                await connection.send(message)
            while True:
                reconnect = self._take_all(await timed.reads())
                await self._session.room()
                if reconnect:
                    return SourceDown("the producer asked for a reconnect")
        except SourceDown as down:
            return down
        except asyncio.CancelledError:
            self._take_all(timed.rest_reads())
            raise

    def _opened(self) -> None:
        self.status.connections += 1
        self._notices = 0
        self._read_at = time.monotonic()
        while not self._replies.empty():
            self._replies.get_nowait()
        self._decoder.opened()
        self._session.set_state(self.status, FeedState.WAITING)
        self._note("open", "connected")

    def _take_all(self, reads: Sequence[Read]) -> bool:
        """Decode and hand over what some reads gave; whether the producer wants us to connect anew."""
        if not reads:
            return False
        now = time.monotonic()
        pause, self._read_at = (now - self._read_at) / len(reads), now
        reconnect = False
        for _ in reads:
            self._usual_pause += (pause - self._usual_pause) * 0.1
        for read in reads if self._of_many is None else together(reads):
            self._refuse(read.refused)
            self._tell(read.notices)
            if read.frames:
                reconnect |= self._take_read(read)
            if read.items:
                self._show(read.items, read.recv)
        return reconnect

    def _take_read(self, read: Read) -> bool:
        if read.recvs is not None and self._of_many is not None:
            decoded = self._of_many.decode_many(read.frames, read.recvs)
            if decoded is not None:
                return self._take(read.frames, read.recv, decoded)
        reconnect = False
        for one in read.apart():
            reconnect |= self._take(one.frames, one.recv, self._decoder.decode(one.frames, one.recv))
        return reconnect

    def _take(self, frames: Sequence[bytes], recv: int, decoded: Decoded) -> bool:
        status = self.status
        status.frames += len(frames)
        status.bytes += frames.nbytes if isinstance(frames, Frames) else sum(map(len, frames))
        status.last_recv = recv
        self._count(frames, decoded)
        if decoded.looks:
            self._session.take_looks(decoded.looks)
        self._session.ingest(status, decoded.batches)
        for gap in decoded.gaps:
            self._session.note_gap(status, gap)
        if decoded.items:
            self._session.show(status, decoded.items)
        if decoded.batches or decoded.items:
            self._live()
        elif status.state is FeedState.STALE:
            self._session.set_state(status, FeedState.LIVE if status.ticks else FeedState.WAITING)
            self._note("live", "messages again")
        return decoded.reconnect

    def _show(self, items: Sequence[Item], recv: int) -> None:
        """Hand over what needed no decoder."""
        self.status.frames += len(items)
        self.status.bytes += sum(item.size for item in items)
        self.status.last_recv = recv
        self._session.show(self.status, items)
        self._live()

    def _live(self) -> None:
        if self.status.state is not FeedState.LIVE:
            if self.status.state is FeedState.STALE:
                self._note("live", "ticks again")
            self._session.set_state(self.status, FeedState.LIVE)

    def _count(self, frames: Sequence[bytes], decoded: Decoded) -> None:
        status = self.status
        status.decoder = self._decoder.chosen
        status.control += decoded.control
        status.other += decoded.other
        status.bad_times += decoded.bad_times
        status.relayed = decoded.relayed
        self._note_malformed(decoded.malformed)
        if not status.ticks and not decoded.batches and decoded.other and frames:
            status.unread = self._shown(frames[-1])
        if self._wanted is not None and (decoded.batches or decoded.other):
            self._miss(self._wanted, decoded, self._shown(frames[-1]))
            self._wanted = None
        self._tell(decoded.notices)
        for reply in decoded.replies:
            if not self._replies.full():
                self._replies.put_nowait(reply)

    def _refuse(self, refused: Sequence[tuple[bytes, str]]) -> None:
        """Count what never became a frame."""
        self.status.frames += len(refused)
        self._note_malformed(refused)

    def _note_malformed(self, malformed: Sequence[tuple[bytes, str]]) -> None:
        status = self.status
        status.malformed += len(malformed)
        for frame, why in malformed[-SAMPLES_KEPT:]:
            status.samples.append((self._shown(frame), printable(why)))

    def _tell(self, notices: Sequence[str]) -> None:
        for notice in notices:
            self._notices += 1
            if self._notices <= NOTICES_KEPT:
                self._note("notice", printable(notice, SAMPLE_BYTES * 2))

    def _miss(self, wanted: DecoderOptions, decoded: Decoded, sample: str) -> None:
        """Say which of the fields that the user named are not in the first messages."""
        missing = [f"--fields {name}" for name in wanted.fields if not decoded.batches]
        for batch in decoded.batches[:1]:
            there = (batch.stream.timed, bool(batch.stream.name), batch.ids is not None)
            named = ("--time-field", wanted.time_field), ("--key", wanted.key), ("--id", wanted.id)
            missing += [
                f"{option} {name}" for (option, name), found in zip(named, there, strict=True) if name and not found
            ]
            missing += [f"--fields {name}" for name in wanted.fields if name not in batch.stream.fields]
        if missing:
            text = f"not found: {', '.join(missing)}"
            self._note("notice", f"{text}, in {sample}")
            if not decoded.batches:
                self.status.unread = f"({text}) {sample}"

    def _shown(self, frame: bytes) -> str:
        """A frame as it may be shown: cut, in one line, without our secrets."""
        return printable(without(frame[: 4 * SAMPLE_BYTES].decode("utf-8", "replace"), self._secrets), SAMPLE_BYTES)

    async def _watch(self, connection: Connection) -> None:
        """Send what the protocol wants sent, and see when the feed falls silent."""
        heartbeat = self._decoder.heartbeat()
        beaten_at = time.monotonic()
        while True:
            beat_at = max(self._read_at, beaten_at) + heartbeat[0] if heartbeat else math.inf
            try:
                async with asyncio.timeout(self._nothing_due(beat_at)):
                    await connection.send(await self._replies.get())
                    continue
            except TimeoutError:
                pass
            except SourceDown:
                return  # the reader meets the same end, and tells it
            now = time.monotonic()
            heartbeat = self._decoder.heartbeat() or heartbeat
            if heartbeat and now - max(self._read_at, beaten_at) >= heartbeat[0]:
                beaten_at = now
                if not self._replies.full():
                    self._replies.put_nowait(heartbeat[1])
            self._look_for_silence(now - self._read_at)

    def _nothing_due(self, beat_at: float) -> float:
        """Seconds until there may be something to see to."""
        now = time.monotonic()
        times = (beat_at, self._read_at + self._stale_after())
        ahead = [at - now for at in times if at > now]
        return max(SOONEST_WATCH, min([*ahead, LATEST_WATCH]))

    def _stale_after(self) -> float:
        return max(self._decoder.stale_after, STALE_INTERVALS * self._usual_pause)

    def _look_for_silence(self, silence: float) -> None:
        status = self.status
        status.stale_after = self._stale_after()
        if silence >= status.stale_after and status.state is FeedState.LIVE:
            self._session.set_state(status, FeedState.STALE)
            self._note("stale", f"silent for {silence:.0f} s")

    def _note(self, kind: str, text: str) -> None:
        self._session.note(Event(self._session.clock(), self.status.name, kind, without(text, self._secrets)))


class _Stamped:
    """A connection whose messages are taken as received when `read` returns them. clock: ns since 1970 UTC."""

    def __init__(self, connection: Connection, clock: Callable[[], int]) -> None:
        self._connection = connection
        self._clock = clock

    async def reads(self) -> list[Read]:
        return [Read(recv=self._clock(), frames=frames)] if (frames := await self._connection.read()) else []

    def rest_reads(self) -> list[Read]:
        return [Read(recv=self._clock(), frames=frames)] if (frames := self._connection.rest()) else []
