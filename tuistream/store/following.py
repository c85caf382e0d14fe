"""What is added to a recording that others write, as it comes. Holds no lock, and no transaction for long."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from tuistream.core.batch import Batch
from tuistream.core.closing import Closing
from tuistream.core.errors import RecordingError
from tuistream.core.status import Event
from tuistream.store.history import RECALLED, History, Newest
from tuistream.store.lock import holder_of
from tuistream.store.opening import open_for_reading, reason_of
from tuistream.store.playback import Fields
from tuistream.store.reading import Reader

FILES_FOLLOWED: Final = 16  # the newest; older ones are not written any more
EVENTS_AT_ONCE: Final = 10_000


class Added(NamedTuple):
    """Ticks, in the order of their rows, and events that came with them."""

    batches: list[Batch]
    events: list[Event]


class Told(NamedTuple):
    """written: somebody writes the recording. words: who, or since when nobody does."""

    written: bool
    words: str


class Following(Closing):
    """The recordings that consist of `files()`, followed from what is in them. A context manager.

    Belongs to one thread. Everything raises RecordingError where a file cannot be read.
    """

    def __init__(self, files: Callable[[], Sequence[Path]]) -> None:
        self._paths = files
        self._readers: dict[Path, Reader] = {}
        self._stats: dict[Path, os.stat_result] = {}
        self._fields = Fields()
        self._coming: Iterator[Added] = iter(())
        self._rows: dict[Path, int] = {}  # the last that was handed out
        self._events: dict[Path, int] = {}

    def close(self) -> None:
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()

    def begin(self) -> list[Newest]:
        """The newest ticks that are there; `added` begins with those that come after."""
        for path in self._paths():
            # Kept open: so the file stays known from another one that may take its place.
            reader = self._reader(path)
            if reader is not None:
                self._rows[path], self._events[path] = reader.last, reader.last_event
        with History(self._paths) as history:
            return history.newest(RECALLED, lambda _key: True, self._rows)

    def added(self) -> Added | None:
        """The next of what has come, a chunk of one file at most; None where nothing has."""
        chunk = next(self._coming, None)
        if chunk is None:
            self._coming = self._new()
            chunk = next(self._coming, None)
        return chunk

    def _new(self) -> Iterator[Added]:
        for path in self._paths()[-FILES_FOLLOWED:]:
            reader = self._reader(path)
            if reader is None:
                continue
            self._fields.add(list(reader.streams.values()))
            events = list(islice(reader.events(after=self._events.get(path, 0)), EVENTS_AT_ONCE))
            first = self._rows.get(path, 0) + 1
            self._rows[path], self._events[path] = reader.last, reader.last_event
            for chunk in reader.chunks(first=first):
                yield Added([self._fields.of(batch) for batch in chunk], [])
            if events:
                yield Added([], events)

    def _reader(self, path: Path) -> Reader | None:
        """The file's reader, where it has anything that was not looked at."""
        reader = self._readers.get(path)
        try:
            now = path.stat()
        except OSError as error:
            raise RecordingError(f"cannot read {path}: {error.strerror}") from error
        if reader is not None:
            if os.path.samestat(now, self._stats[path]):
                return reader if reader.refresh() else None
            self._drop(path)  # another file has its place
            self._rows.pop(path, None)
            self._events.pop(path, None)
        reader = self._readers[path] = Reader(path)
        self._stats[path] = now
        for other in list(self._readers)[:-FILES_FOLLOWED]:
            self._drop(other)
        return reader

    def _drop(self, path: Path) -> None:
        reader = self._readers.pop(path, None)
        if reader is not None:
            reader.close()

    def told(self) -> Told:
        """Who writes the recording, or how it ended."""
        paths = self._paths()
        for path in reversed(paths[-FILES_FOLLOWED:]):
            holder = holder_of(path)
            if holder is not None:
                return Told(True, f"pid {holder.pid}" if holder.pid else "another process")
        connection = open_for_reading(paths[-1])
        try:
            last = connection.execute("SELECT alive, ended FROM sessions ORDER BY id DESC LIMIT 1").fetchone()
        except sqlite3.Error as error:
            raise RecordingError(f"cannot read {paths[-1]}: {reason_of(error)}") from error
        finally:
            connection.close()
        if last is None:
            return Told(False, "")
        alive, ended = last
        when = datetime.fromtimestamp((alive if ended is None else ended) // 1_000_000_000, UTC).astimezone()
        return Told(False, f"{'ended' if ended is not None else 'last alive'} {when:%Y-%m-%d %H:%M:%S}")
