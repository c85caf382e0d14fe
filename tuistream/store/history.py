"""What a recording holds of a stream, for a drawing of any window; read while others write.

A window is a few short queries in one read transaction a file, on connections of its own: no lock that a writer
feels, and no WAL that cannot be written back.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import msgspec
import numpy as np

from tuistream.core.batch import Stream, StreamKey, Times, Values
from tuistream.core.closing import Closing
from tuistream.core.errors import Interrupted, RecordingError
from tuistream.core.session import Gap
from tuistream.store import catalog
from tuistream.store.opening import open_for_reading, reason_of, result_code
from tuistream.store.points import Points, merged, pieces, reduced
from tuistream.store.thinned import ThinnedRows, is_thinned
from tuistream.store.windows import FARTHEST, TICKS_RAW, Asked, StreamRows, Ticks, in_order

FILES_OPEN: Final = 64  # of a recording of more files the ones that were not read for the longest time are closed
GAPS_KEPT: Final = 100_000  # of a file, the newest
RECALLED: Final = 1_000  # of the newest ticks of a stream, at most
RECALLED_ALL: Final = 100_000  # of those of all streams; of each `RECALLED_LEAST` at least
RECALLED_LEAST: Final = 20
LEAD: Final = 100  # columns before a window of points, at most, for averages of columns
GAPS_SHOWN: Final = 1_000  # of a window, the longest


T = TypeVar("T")


class Wanted(NamedTuple):
    """A window of a stream: ticks from t0 to before t1 (ns), to be drawn in columns of `step` ns from t0 on.

    The rasteriser's last column has what is at its end, too: a whole window ends one ns after that.
    run_up: how many ticks before t0 are wanted, too, where every tick is handed out; else how many columns.
    """

    key: StreamKey
    fields: tuple[str, ...]
    t0: int
    t1: int
    step: int
    run_up: int = 0


class Window(msgspec.Struct, frozen=True, eq=False):
    """The answer to `wanted`: the points of a line for each field, with one tick beyond at either side.

    raw: these are the ticks themselves, all of them, after `run_up` of those before. gaps: those that touch it.
    oldest: the time of the stream's oldest tick, ns; None where it has none. thinned: the time, ns, before which
    there are only rollups, of minutes and longer buckets; None where the window has nothing of that.
    """

    wanted: Wanted
    raw: bool
    lines: dict[str, Points]
    gaps: tuple[Gap, ...]
    oldest: int | None = None
    thinned: int | None = None


class Newest(NamedTuple):
    """The newest ticks of a stream. recv: the receive time of the last, ns. earlier: there are others before.

    gaps: those that touch them.
    """

    stream: Stream
    t: Times
    v: Values
    recv: int
    earlier: bool
    gaps: tuple[Gap, ...] = ()


class _File:
    """One file of a recording, open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = open_for_reading(path)
        self.streams: dict[StreamKey, StreamRows] = {}
        self._file = path.stat()
        self._rows = ThinnedRows if is_thinned(self.connection) else StreamRows
        self._version = -1
        self._numbers: dict[int, StreamKey] = {}
        self._gaps: dict[StreamKey, list[Gap]] = {}
        self._gap_count = 0
        self._event = 0

    def is_in_place(self) -> bool:
        return os.path.samestat(self.path.stat(), self._file)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One consistent view of the file."""
        self.connection.execute("BEGIN")
        try:
            self._refresh()
            yield
        finally:
            with suppress(sqlite3.Error):  # whatever is wrong has been said by then
                self.connection.execute("COMMIT")

    def gaps(self, key: StreamKey, t0: int, t1: int) -> list[Gap]:
        """Those that touch the window."""
        return [gap for gap in self._gaps.get(key, ()) if gap.to >= t0 and gap.since < t1]

    def _refresh(self) -> None:
        """Take in streams and gaps that others have written since the last time."""
        ((version,),) = self.connection.execute("PRAGMA data_version").fetchall()
        if version == self._version:
            return
        for key, entry in catalog.load(self.connection).entries.items():
            known = self.streams.get(key)
            if known is None:
                self.streams[key] = self._rows(self.connection, entry.id, entry.stream)
                self._numbers[entry.id] = key
            else:
                known.stream = entry.stream
        self._read_gaps()
        self._version = version

    def _read_gaps(self) -> None:
        sql = (
            "SELECT n, stream, json_extract(details, '$.from'), json_extract(details, '$.to'),"
            " json_extract(details, '$.reason') FROM events WHERE n > ? AND kind = 'gap' ORDER BY n"
        )
        for n, number, since, to, reason in self.connection.execute(sql, (self._event,)):
            self._event = n
            key = self._numbers.get(number)
            if key is None or not isinstance(since, int) or not isinstance(to, int) or to <= since:
                continue
            self._gaps.setdefault(key, []).append(Gap(since, to, str(reason or "")))
            self._gap_count += 1
        while self._gap_count > GAPS_KEPT:
            most = max(self._gaps.values(), key=len)
            del most[: len(most) // 2 + 1]
            self._gap_count = sum(map(len, self._gaps.values()))


class History(Closing):
    """The recording that consists of `files()`, which may grow in number. A context manager.

    Belongs to the thread that reads with it, but for `interrupt`. What reads raises RecordingError where a file
    cannot be read, and Interrupted if it was.
    """

    def __init__(self, files: Callable[[], Sequence[Path]], ticks_raw: int = TICKS_RAW) -> None:
        """ticks_raw: up to how many ticks of a window are handed out as they are."""
        self._paths = files
        self._ticks_raw = ticks_raw
        self._open: dict[Path, _File] = {}
        self._reading: _File | None = None
        self._stop = False
        self._last_rows: Mapping[Path, int] = {}

    def close(self) -> None:
        for file in self._open.values():
            file.connection.close()
        self._open.clear()

    def interrupt(self) -> None:
        """End what is being read now, from any thread."""
        self._stop = True
        reading = self._reading
        if reading is not None:
            with suppress(sqlite3.Error):  # closed meanwhile
                reading.connection.interrupt()

    def oldest(self, key: StreamKey) -> int | None:
        """The time of a stream's oldest tick, ns; None where it has none."""
        with self._begun():
            found = self._each(key, lambda _file, rows: rows.oldest())
        return min((first for first in found if first is not None), default=None)

    def window(self, wanted: Wanted) -> Window:
        """The ticks of a window, or points that draw the same lines."""
        stored = wanted._replace(key=catalog.stored_key(wanted.key))
        with self._begun():
            counted = self._each(
                stored.key,
                lambda file, rows: (
                    rows.count(wanted.t0, wanted.t1),
                    file.gaps(stored.key, wanted.t0 - min(wanted.run_up, LEAD) * wanted.step, wanted.t1),
                    rows.oldest(),
                    rows.newest() if isinstance(rows, ThinnedRows) else None,
                ),
            )
            oldest = min((first for _, _, first, _ in counted if first is not None), default=None)
            known = {gap for _, gaps, _, _ in counted for gap in gaps}
            longest = sorted(known, key=lambda gap: gap.since - gap.to)[:GAPS_SHOWN]
            gaps = tuple(sorted(longest, key=lambda gap: gap.since))
            thinned = max((end for count, _, _, end in counted if count and end is not None), default=None)
            raw = thinned is None and sum(count for count, _, _, _ in counted) <= self._ticks_raw
            lines = self._raw(stored) if raw else self._points(stored, gaps)
            return Window(wanted, raw, lines, gaps, oldest, thinned)

    def newest(
        self, count: int, wanted: Callable[[StreamKey], bool], last_rows: Mapping[Path, int] | None = None
    ) -> list[Newest]:
        """Up to `count` of the newest ticks of each stream that is `wanted`; those without ticks are left out.

        last_rows: of files of which no later rows are looked at.
        """
        streams: dict[StreamKey, Stream] = {}
        with self._begun(), self._up_to(last_rows or {}):
            for file in self._files():
                with self._in(file):
                    streams |= {key: rows.stream for key, rows in file.streams.items() if wanted(key)}
            count = min(count, max(RECALLED_LEAST, RECALLED_ALL // max(1, len(streams))))
            found = (self._newest(stream, count) for stream in streams.values() if stream.fields)
            return [each for each in found if len(each.t)]

    def _newest(self, stream: Stream, count: int) -> Newest:
        gaps: list[Gap] = []

        def read(file: _File, rows: StreamRows) -> tuple[Ticks, int, int]:
            ticks = (
                _none(stream.fields) if isinstance(rows, ThinnedRows) else rows.before(FARTHEST, count, stream.fields)
            )
            recv = rows.received(int(ticks.t[-1])) if len(ticks.t) else 0
            if len(ticks.t):
                gaps.extend(file.gaps(stream.key, int(ticks.t[0]), int(ticks.t[-1])))
            return ticks, recv, rows.oldest() or FARTHEST

        parts = self._each(stream.key, read)
        ticks = in_order([_none(stream.fields), *(ticks for ticks, _recv, _oldest in parts)])
        t, v = ticks.t[-count:], ticks.v[-count:]
        recv = max((recv for _ticks, recv, _oldest in parts), default=0)
        earlier = bool(len(t)) and min(oldest for _ticks, _recv, oldest in parts) < int(t[0])
        return Newest(stream, t, v, recv, earlier or len(ticks.t) > count, tuple(gaps[-GAPS_SHOWN:]))

    def _raw(self, wanted: Wanted) -> dict[str, Points]:
        count = max(1, wanted.run_up)

        def read(_file: _File, rows: StreamRows) -> tuple[Ticks, Ticks, Ticks]:
            before = rows.before(wanted.t0, count, wanted.fields)
            return before, rows.ticks(wanted.t0, wanted.t1, wanted.fields), rows.after(wanted.t1, wanted.fields)

        none = _none(wanted.fields)
        parts = zip(*((none, none, none), *self._each(wanted.key, read)), strict=True)
        before, inside, after = (in_order(part) for part in parts)
        all_t = np.concatenate((before.t[-count:], inside.t, after.t[:1]))
        all_v = np.concatenate((before.v[-count:], inside.v, after.v[:1]))
        return {name: Points(all_t, all_v[:, column]) for column, name in enumerate(wanted.fields)}

    def _points(self, wanted: Wanted, gaps: Sequence[Gap]) -> dict[str, Points]:
        fields = wanted.fields
        since = wanted.t0 - min(wanted.run_up, LEAD) * wanted.step
        into = pieces(since, wanted.t1, wanted.step, [(gap.since, gap.to) for gap in gaps])
        asked = Asked(since, wanted.t1, into)

        def read(_file: _File, rows: StreamRows) -> tuple[Ticks, Ticks, list[list[Points]]]:
            return rows.before(since, 1, fields), rows.after(wanted.t1, fields), rows.points(asked, fields)

        parts = self._each(wanted.key, read)
        before = in_order([_none(fields), *(part[0] for part in parts)])
        after = in_order([_none(fields), *(part[1] for part in parts)])
        lines = {}
        for column, name in enumerate(fields):
            inside = reduced(merged([points for part in parts for points in part[2][column]]), into)
            enters = Points(before.t[-1:], before.v[-1:, column])
            lines[name] = merged([enters, inside, Points(after.t[:1], after.v[:1, column])])
        return lines

    @contextmanager
    def _up_to(self, last_rows: Mapping[Path, int]) -> Iterator[None]:
        self._last_rows = last_rows
        try:
            yield
        finally:
            self._last_rows = {}

    def _each(self, key: StreamKey, read: Callable[[_File, StreamRows], T]) -> list[T]:
        """What `read` finds in each of the files that has the stream, oldest first, in a transaction of its own."""
        found = []
        for file in self._files():
            with self._in(file):
                rows = file.streams.get(key)
                if rows is not None:
                    rows.refresh(self._last_rows.get(file.path, FARTHEST))
                    found.append(read(file, rows))
        return found

    @contextmanager
    def _begun(self) -> Iterator[None]:
        """Reads in it can be interrupted; their failures become ours."""
        self._stop = False
        path = None
        try:
            yield
        except sqlite3.Error as error:
            if result_code(error) == sqlite3.SQLITE_INTERRUPT:
                raise Interrupted from error
            path = self._reading.path if self._reading is not None else None
            raise RecordingError(f"cannot read {path}: {reason_of(error)}") from error
        except (ValueError, LookupError, TypeError, OverflowError) as error:
            path = self._reading.path if self._reading is not None else None
            raise RecordingError(f"cannot read {path}: the file is damaged") from error
        finally:
            self._reading = None

    @contextmanager
    def _in(self, file: _File) -> Iterator[None]:
        if self._stop:
            raise Interrupted
        self._reading = file
        with file.reading():
            yield

    def _files(self) -> Iterator[_File]:
        """Each of the files, opened; anew where another one has its path now."""
        for path in self._paths():
            file = self._open.pop(path, None)
            try:
                if file is not None and not file.is_in_place():
                    file.connection.close()
                    file = None
                file = file or _File(path)
            except OSError as error:
                raise RecordingError(f"cannot read {path}: {error.strerror}") from error
            self._open[path] = file
            if len(self._open) > FILES_OPEN:
                self._open.pop(next(iter(self._open))).connection.close()
            yield file


def _none(fields: Sequence[str]) -> Ticks:
    return Ticks(np.empty(0, np.int64), np.empty((0, len(fields))))
