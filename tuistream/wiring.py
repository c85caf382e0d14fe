"""The only place where objects are built and tasks are owned."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from msgspec.structs import replace

from tuistream import decoders, sources
from tuistream.config import FeedSettings, Settings
from tuistream.core.durations import format_duration
from tuistream.core.errors import Interrupted, RecordingError, RecordingLocked, RecordingRefused, SettingsError
from tuistream.core.outbox import Outbox
from tuistream.core.session import Session
from tuistream.core.status import Event, FeedState, FeedStatus, RecordingStatus
from tuistream.core.text import printable
from tuistream.sources.feed import Feed
from tuistream.sources.retry import Retry

if TYPE_CHECKING:
    from tuistream.sinks.sqlite import SqliteSink
    from tuistream.sources.contract import Runner
    from tuistream.sources.hub.intake import Intake
    from tuistream.sources.replay import Replay
    from tuistream.store.asking import HistoryReader
    from tuistream.store.history import History


OPEN_AGAIN_SECONDS = 5.0
RECALLED = 1_000  # of the newest recorded ticks of a stream


class Run:
    """A session with its feeds and its recording. `ended`: all feeds have, or the limit or the time is reached."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.session = Session(window=settings.window, memory=settings.memory, limit=settings.limit)
        self.intake: Intake | None = None  # of the listeners, where there are any
        self.feeds = [self._runner(feed) for feed in settings.feeds]
        self.sink: SqliteSink | None = None
        self.reader: HistoryReader | None = None  # of the recording, for a screen
        self.ended = asyncio.Event()
        self.opened = False
        self._not_recorded = RecordingStatus("off")

    def _runner(self, feed: FeedSettings) -> Runner:
        status = self.session.add_feed(FeedStatus(feed.name, feed.shown_url, feed.decoder))
        file = sources.module(feed.url)
        if hasattr(file, "runner"):
            return cast("Runner", file.runner(self.session, status, feed))
        if hasattr(file, "listener"):
            return cast("Runner", file.listener(self._intake_of(feed), status, feed))
        return Feed(
            self.session,
            status,
            file.source(feed),
            decoders.create(feed.decoder, feed.name, feed.decoding),
            Retry(self.settings.retries, feed.attempts),
            feed.send,
            feed.secrets,
            feed.decoding,
        )

    def _intake_of(self, feed: FeedSettings) -> Intake:
        """The one of the run, with the limits of the first listener."""
        if self.intake is None:
            from urllib.parse import urlsplit

            from tuistream.sources.hub.intake import Intake
            from tuistream.sources.hub.options import with_query

            limits = with_query(feed.hub, urlsplit(feed.url).query).limits
            self.intake = Intake(self.session, limits, feed.decoding)
        return self.intake

    @property
    def playback(self) -> Replay | None:
        """The recording that is replayed, where that is what runs: it stands alone."""
        feed = self.feeds[0] if self.feeds else None
        return cast("Replay", feed) if hasattr(feed, "moment") else None

    @property
    def failed(self) -> list[FeedStatus]:
        """The feeds that ended and should not have."""
        return [feed.status for feed in self.feeds if feed.status.state is FeedState.FAILED]

    def recording(self) -> RecordingStatus:
        if self.opened:
            assert self.sink is not None
            return self.sink.status()
        outbox = self.sink.outbox if self.sink is not None else None
        if outbox is None or outbox.closed:
            return self._not_recorded
        return replace(self._not_recorded, pending=outbox.rows, lost=outbox.lost_rows)

    async def open_recording(self, needed: bool) -> None:
        """Open the recording, if there is to be one. Unless it is `needed`, the run goes on without it.

        Where it cannot be opened for a reason that may pass, ticks are kept for it, and `write` tries again.
        """
        settings = self.settings
        if settings.db is None:
            return
        if self.playback is not None:
            from tuistream.store.segments import base_of

            replayed = [file.resolve() for file in self.playback.selection.files]
            if settings.db.resolve() in (*replayed, *map(base_of, replayed)):
                raise SettingsError(f"--db {settings.db}: that is what is replayed")
        from tuistream.sinks.sqlite import SqliteSink

        outbox = Outbox(str(settings.db), media=settings.record_media)
        feeds = [feed.shown_url for feed in settings.feeds]
        self.sink = SqliteSink(
            settings.db,
            outbox,
            {"feeds": feeds},
            sync=settings.sync,
            index_time=settings.index_time,
            rotation=settings.rotation,
            retention=settings.retention,
            note=self.session.note,
        )
        try:
            await self._open()
        except RecordingError as error:
            if needed or isinstance(error, RecordingRefused):
                raise
            path = str(settings.db)
            if isinstance(error, RecordingLocked):
                self._not_recorded = RecordingStatus("locked", path, error.reason)
                outbox.close()
                return
            self._not_recorded = RecordingStatus("failing", path, str(error))
            outbox.fail(str(error))
        self.session.outboxes.append(outbox)

    async def _open(self) -> None:
        assert self.sink is not None
        await self.sink.open()
        self.opened = True
        self.session.known = self.sink.known

    async def recall(self) -> None:
        """Show what was recorded of this run's feeds earlier; from now on charts can read back from the recording."""
        paths = getattr(self.feeds[0], "paths", []) if self.feeds else []
        paths = [*paths, *([self.settings.db] if self.settings.db is not None else [])]
        if not paths:
            return
        from tuistream.store.asking import HistoryReader

        def opened() -> History:
            from tuistream.store.history import History
            from tuistream.store.segments import files_of

            return History(lambda: files_of(paths))

        self.reader = HistoryReader(opened)
        if self.settings.db is None or (self.opened and not self.session.known):
            return  # what is followed brings its newest ticks itself; nothing was recorded earlier
        from tuistream.store.catalog import stored_key

        feeds = {stored_key((feed.name, "", ""))[0] for feed in self.settings.feeds}
        try:
            for newest in await self.reader.newest(RECALLED, lambda key: key[0] in feeds):
                self.session.recall(newest.stream, newest.t, newest.v, newest.recv, newest.gaps)
        except Interrupted:
            pass  # the run ends
        except RecordingError as error:
            self.session.note(Event(self.session.clock(), "", "notice", f"no history: {error}"))

    async def write(self) -> None:
        """Record until `stop_writing`; first open the recording, if that has not worked yet."""
        assert self.sink is not None
        while not self.opened:
            await asyncio.sleep(OPEN_AGAIN_SECONDS)
            try:
                await self._open()
            except RecordingError as error:
                self._not_recorded = replace(self._not_recorded, reason=str(error))
        self.sink.outbox.recover()
        await self.sink.run()

    def rotate(self) -> bool:
        """Have the recording go on in a new file; False where there is none that is open."""
        if self.sink is None or not self.opened:
            return False
        self.sink.rotate()
        return True

    @asynccontextmanager
    async def suspended(self) -> AsyncIterator[str]:
        """Everything at rest while the block lasts, so that the process may be stopped in it: no connections, and
        all ticks written. Yields what the user should know meanwhile, in a line.

        After it the feeds connect again, at once, and what they missed is a gap `suspended` of each stream.
        """
        since = self.session.clock()
        try:
            await asyncio.gather(*(feed.suspend() for feed in self.feeds))
            if self.opened:
                assert self.sink is not None
                async with self.sink.at_rest():
                    yield self._suspended_line()
            else:
                yield self._suspended_line()
        finally:
            now = self.session.clock()
            for feed in self.feeds:
                feed.resume()
            text = f"for {format_duration(max(0, now - since))}"
            self.session.note(Event(now, "", "suspended", text, details={"from": since, "to": now}))

    def _suspended_line(self) -> str:
        status = self.recording()
        if status.state not in ("recording", "failing"):
            return "tuistream: suspended; fg goes on"
        what = f"recording into {printable(Path(status.path).name)} has stopped, with {status.rows:,} rows written"
        if status.pending:
            what += f" and {status.pending:,} waiting in memory for a file that can be written"
        return f"tuistream: suspended; {what}; fg goes on"

    async def tell_recording(self) -> None:
        """Note in the event log when writing begins to fail, and when it works again."""
        assert self.sink is not None
        turned, told = self.sink.outbox.turned, ""
        while True:
            status = self.recording()
            failing = status.reason if status.state == "failing" else ""
            if bool(failing) != bool(told):
                text = f"cannot be written: {failing}; ticks are kept" if failing else "is written again"
                self.session.note(Event(self.session.clock(), "", "recording", f"{Path(status.path).name} {text}"))
            told = failing
            turned.clear()
            await turned.wait()

    async def until_ended(self, feeds: list[asyncio.Task[None]]) -> None:
        """Set `ended` when it is time. `--for` counts from the start."""
        duration = self.settings.duration
        full = asyncio.create_task(self.session.full.wait())
        all_feeds = asyncio.create_task(asyncio.wait(feeds))
        try:
            await asyncio.wait(
                [full, all_feeds],
                timeout=None if duration is None else duration / 1e9,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            full.cancel()
            all_feeds.cancel()
        self.ended.set()


@asynccontextmanager
async def running(settings: Settings, *, recording_needed: bool) -> AsyncIterator[Run]:
    """A run, for as long as the block lasts. On the way out the feeds end first, then the recording drains."""
    run = Run(settings)
    await run.open_recording(recording_needed)
    sink = run.sink
    try:
        async with asyncio.TaskGroup() as tasks:
            writer = tasks.create_task(run.write()) if sink is not None and not sink.outbox.closed else None
            feeds = [tasks.create_task(feed.run(), name=feed.status.name) for feed in run.feeds]
            watchers = [tasks.create_task(run.until_ended(feeds))]
            if writer is not None:
                watchers.append(tasks.create_task(run.tell_recording()))
            try:
                yield run
            finally:
                for task in (*watchers, *feeds):
                    task.cancel()
                await asyncio.wait(feeds)
                if run.reader is not None:
                    await asyncio.to_thread(run.reader.close)
                if sink is not None and run.opened:
                    sink.stop()
                elif writer is not None:
                    writer.cancel()
    finally:
        if sink is not None and run.opened:
            await sink.close()
