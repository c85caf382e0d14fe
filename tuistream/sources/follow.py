"""`follow:FILE[?file=…]`: a recording that another process writes, as it comes. What `tuistream FILE…` means."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import parse_qsl, quote

from tuistream.core.errors import RecordingError, SettingsError
from tuistream.core.session import Session
from tuistream.core.status import Event, FeedState, FeedStatus
from tuistream.core.text import printable
from tuistream.sources.contract import FeedSettings, Target

if TYPE_CHECKING:
    from tuistream.decoders.wire.report import StreamReport
    from tuistream.store.following import Added, Following

BEGINS: Final = "follow:"
LOOK_SECONDS: Final = 0.1  # between looks for what has come
WRITER_SECONDS: Final = 1.0  # between looks for who writes
AGAIN_SECONDS: Final = 2.0  # after a failure

T = TypeVar("T")


def url_of(files: Sequence[Path]) -> str:
    """The target that means `files`."""
    return BEGINS + quote(str(files[0])) + "".join(f"&file={quote(str(file), safe='/')}" for file in files[1:])


def files_in(target: str) -> list[Path]:
    """The files that a target names. Raises SettingsError where it names none."""
    found = [Path(text) for _name, text in parse_qsl(f"file={target[len(BEGINS) :].replace('+', '%2B')}")]
    if not found:
        raise SettingsError(f"{BEGINS}FILE is wanted")
    return found


def parse(target: str) -> Target:
    files = files_in(target)
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return Target(BEGINS + target[len(BEGINS) :], printable(files[0].name, 60) + more, "recording")


def runner(session: Session, status: FeedStatus, settings: FeedSettings) -> Follower:
    """Raises RecordingError where a file is none."""
    from tuistream.store.following import Following
    from tuistream.store.segments import files_of

    paths = files_in(settings.url)
    files_of(paths)
    return Follower(session, status, Following(lambda: files_of(paths)), paths)


class Follower:
    """Shows what a recording holds last, then what is added to it. A Runner; it ends only with the program.

    paths: the recordings. status: LIVE while somebody writes the recording, CLOSED while nobody does, RETRYING where
    it cannot be read.
    """

    def __init__(self, session: Session, status: FeedStatus, following: Following, paths: list[Path]) -> None:
        self.status = status
        self.paths = paths
        self._session = session
        self._following = following
        self._thread = ThreadPoolExecutor(1, "follow")
        self._awake = asyncio.Event()
        self._awake.set()
        self._begun = False
        self._writer_seen = 0.0

    def found(self) -> list[StreamReport]:
        return []

    async def suspend(self) -> None:
        self._awake.clear()

    def resume(self) -> None:
        self._awake.set()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                try:
                    await self._follow()
                except RecordingError as error:
                    self._session.set_state(self.status, FeedState.RETRYING, str(error))
                    self.status.retry_at = self._session.clock() + int(AGAIN_SECONDS * 1e9)
                    self._writer_seen = 0.0
                    await asyncio.sleep(AGAIN_SECONDS)
        finally:
            self._thread.submit(self._following.close)
            self._thread.shutdown()

    async def _follow(self) -> None:
        if not self._begun:
            for newest in await self._read(self._following.begin):
                self._session.recall(newest.stream, newest.t, newest.v, newest.recv, newest.gaps)
            self._begun = True
        while True:
            await self._awake.wait()
            await self._look_who_writes()
            added = await self._read(self._following.added)
            if added is None:
                await asyncio.sleep(LOOK_SECONDS)
            else:
                self._take(added)

    def _take(self, added: Added) -> None:
        if added.batches:
            self.status.frames += 1
            self.status.last_recv = self._session.clock()
            self._session.ingest(self.status, added.batches, again=True)
        for event in added.events:
            if event.kind == "gap":
                self._session.note_gap(self.status, event)
            else:
                self._session.note(event)

    async def _look_who_writes(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._writer_seen < WRITER_SECONDS and self._writer_seen:
            return
        self._writer_seen = now
        told = await self._read(self._following.told)
        state = FeedState.LIVE if told.written else FeedState.CLOSED
        if (self.status.state, self.status.reason) != (state, told.words):
            self._session.set_state(self.status, state, told.words)
            text = f"{'written by' if told.written else 'not written;'} {told.words}"
            self._session.note(
                Event(self._session.clock(), self.status.name, "open" if told.written else "close", text)
            )

    async def _read(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)
