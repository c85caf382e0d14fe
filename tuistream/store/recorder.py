"""The files of a recording that is being written: one, or segments that follow one another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tuistream.core.batch import StreamKey
from tuistream.core.durations import UNITS
from tuistream.core.errors import RecordingError, RecordingRefused
from tuistream.core.session import Known
from tuistream.core.status import Event
from tuistream.store import known
from tuistream.store.lock import WriterLock
from tuistream.store.opening import Sync, bring_to_rest, create_recording, is_at_rest, wal_path
from tuistream.store.rotation import FOREVER, Removed, Retention, Rotation, file_size, remove_surplus
from tuistream.store.segments import base_of, files_of, following, segments_of, stands_for_others, started
from tuistream.store.writer import Writer

TURN_AGAIN_SECONDS = 30.0  # after a new file could not be begun
LOOK_SECONDS = 60.0  # between two looks at what is to be removed
REST_FAILURES = 3  # files that others read, after which no more are brought to rest for now
LEAP = UNITS["d"]  # a clock that goes forward so far from one flush to the next is not trusted with removals
LEAP_TRUSTED = UNITS["h"]  # before it has gone on for so long


class Recorder:
    """Holds the lock of the recording at `base`, and has a `writer` for the one of its files that is written.

    Without segments and without `rotation` that is `base` itself. Else it is the newest segment, or a new one where
    that is no longer current. What becomes of the files is told through `note`.

    known, unclean: of all files together, as Writer has them of one. asked: a new file is wanted.
    """

    def __init__(
        self,
        base: Path,
        settings: Mapping[str, object],
        sync: Sync,
        index_time: bool,
        clock: Callable[[], int],
        note: Callable[[Event], None],
        rotation: Rotation | None = None,
        retention: Retention | None = None,
    ) -> None:
        self.base = base
        self.known: dict[StreamKey, Known] = {}
        self.unclean: int | None = None
        self.asked = False
        self._settings = settings
        self._sync = sync
        self._index_time = index_time
        self._clock = clock
        self._note = note
        self._rotation = rotation or Rotation()
        self._retention = retention
        self._lock = WriterLock(base)
        self._began = 0  # of the run, ns since 1970 UTC: the same in the sessions of all its files
        self.writer = self._writer_of(base)
        self._others = 0  # bytes of the files that are not written
        self._opened_at = 0.0  # monotonic seconds, as the following ones
        self._turn_at = 0.0
        self._looked_at = 0.0
        self._keeping: asyncio.Task[None] | None = None
        self._seen = 0  # the clock at the last look at it
        self._trusted_from = 0
        self._failed: dict[str, str] = {}  # the file that could last not be removed, and why

    @property
    def bytes(self) -> int:
        """Of all files with their WALs."""
        return self._others + self.writer.bytes

    async def open(self) -> None:
        """Take the lock, open or create the file, begin the session. Raises RecordingError, RecordingLocked."""
        self._began = self._seen = self._clock()
        try:
            path, older = await asyncio.to_thread(self._choose)
            self.writer = self._writer_of(path)
            await self.writer.open()
            self.known, self.unclean = self.writer.known, self.writer.unclean
            if older:
                await asyncio.to_thread(self._add_older, older)
        except RecordingError:
            await self.writer.drop()
            self._lock.release()
            raise
        self._opened_at = time.monotonic()
        if older:
            self._keeping = asyncio.create_task(self._keep(None))

    async def turn_if_due(self, something: bool) -> None:
        """Before a flush: go on in a new segment if it is time. `something`: whether there is anything to write.

        Where that fails the old file goes on, which is told; it is tried again after `TURN_AGAIN_SECONDS`. While the
        file before is still being closed, there is no other turn.
        """
        if self._keeping is not None:
            if not self._keeping.done():
                return
            self._keeping.result()
            self._keeping = None
        now, monotonic = self._clock(), time.monotonic()
        if now - self._seen > LEAP:
            self._trusted_from = now + LEAP_TRUSTED
        self._seen = now
        why = "asked for" if self.asked else self._due(now, monotonic) if something else ""
        if why and monotonic >= self._turn_at:
            await self._turn(now, why)
        elif self._retention is not None and monotonic - self._looked_at >= LOOK_SECONDS:
            self._keeping = asyncio.create_task(self._keep(None))

    async def settled(self) -> None:
        """Wait until the file before the one that is written, if it is still being closed, is at rest."""
        if self._keeping is not None:
            await asyncio.wait([self._keeping])

    async def close(self) -> None:
        """End the session, leave plain files, and give the lock back. A failure to write here loses no tick."""
        try:
            await self.settled()
            await self.writer.close()
            if started(self.writer.path) is not None:
                await asyncio.to_thread(self._tidy, 0, None)
        finally:
            await asyncio.to_thread(self._lock.release)

    def _writer_of(self, path: Path) -> Writer:
        return Writer(path, self._lock, self._settings, self._sync, self._index_time, self._clock, self._began)

    def _choose(self) -> tuple[Path, list[Path]]:
        """Take the lock; the file to write, and the files before it, oldest first."""
        if base_of(self.base) is not None:
            raise RecordingRefused(f"{self.base} is called a file of {base_of(self.base)}: record into that")
        try:
            self.base.parent.mkdir(parents=True, exist_ok=True)
            self._lock.take()
            segments = segments_of(self.base)
            if not segments and self._rotation == Rotation():
                return self.base, []
            older = [self.base, *segments] if self.base.is_file() else segments
            newest = segments[-1] if segments and not stands_for_others(segments[-1]) else None
            if newest is not None and not self._rotation.due(started(newest) or 0, self._began, file_size(newest)):
                self._lock.tell(newest.name)
                older.remove(newest)
            else:
                newest = self._create(self._began)
            self._others = sum(map(file_size, older))
        except FileExistsError as error:
            raise RecordingError(f"cannot record into {self.base}: Not a directory") from error
        except OSError as error:
            raise RecordingError(f"cannot record into {self.base}: {error.strerror}") from error
        return newest, older

    def _create(self, now: int) -> Path:
        path = following(self.base, now)
        create_recording(path, self._sync)
        self._lock.tell(path.name)
        return path

    def _add_older(self, older: list[Path]) -> None:
        """What the files before the one that is written add to `known` and `unclean`."""
        self.known, alive = known.add_older(self.known, older)
        if self.writer.first_session:
            self.unclean = alive

    def _due(self, now: int, monotonic: float) -> str:
        began = started(self.writer.path)
        if began is None:
            return ""
        every = self._rotation.every
        if every and monotonic - self._opened_at >= every / 1e9:
            return "time"  # whatever the clock says, which may have been in another century when the file began
        return self._rotation.due(began, now, self.writer.bytes)

    async def _turn(self, now: int, why: str) -> None:
        old = self.writer
        try:
            path = await asyncio.to_thread(self._create, now)
            writer = self._writer_of(path)
            try:
                await writer.open()
            except RecordingError:
                await asyncio.to_thread(self._undo, path)
                raise
        except (RecordingError, OSError) as error:
            self._turn_at = time.monotonic() + TURN_AGAIN_SECONDS
            text = f"no new file could be begun, {old.path.name} goes on: {error}"
            self._note(Event(now, "", "notice", text))
            return
        self.writer, self.asked = writer, False
        self._others += old.bytes
        self._opened_at = time.monotonic()
        details: dict[str, int | float | str | None] = {"file": path.name, "before": old.path.name, "reason": why}
        self._note(Event(now, "", "rotate", f"{path.name} follows {old.path.name} ({why})", details=details))
        self._keeping = asyncio.create_task(self._keep(old))

    def _undo(self, path: Path) -> None:
        self._lock.tell(self.writer.path.name)
        for file in (path, wal_path(path)):
            file.unlink(missing_ok=True)

    async def _keep(self, old: Writer | None) -> None:
        """Close the file that was written until now, bring others to rest, and remove what is not kept."""
        if old is not None:
            await old.close()
        now = self._seen
        retention = self._retention
        if retention is not None and now < self._trusted_from:
            retention = Retention(size=retention.size, rollups=FOREVER if retention.rollups else 0)
        for each in await asyncio.to_thread(self._tidy, now, retention):
            self._tell(now, each)

    def _tell(self, now: int, removed: Removed) -> None:
        path, size, kept, failure = removed
        details: dict[str, int | float | str | None] = {"file": path.name, "bytes": size}
        if failure:
            if self._failed.get(path.name) != failure:
                text = f"{path.name} stays, as its rollups could not be kept: {failure}"
                self._note(Event(now, "", "notice", text, details=details))
            self._failed = {path.name: failure}
            return
        text = f"{path.name} ({size:,} bytes) removed, as --retention wants"
        if kept is not None:
            text += f"; its rollups are in {kept.name}"
            details["rollups"] = kept.name
        self._note(Event(now, "", "retention", text, details=details))

    def _tidy(self, now: int, retention: Retention | None) -> list[Removed]:
        self._looked_at = time.monotonic()
        current = self.writer.path
        removed: list[Removed] = []
        try:
            if retention is not None:
                removed = remove_surplus(self.base, current, retention, now)
            others = [path for path in files_of([self.base]) if path != current]
        except (OSError, RecordingError):
            return removed  # the folder is not there for now; what is written says so
        failures = 0
        for path in others:
            if failures < REST_FAILURES and not is_at_rest(path):
                failures += not bring_to_rest(path)
        self._others = sum(map(file_size, others))
        return removed
