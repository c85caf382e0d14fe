"""A recording whose files change with the time, at a size, or when asked."""

import asyncio
import gc
import json
import os
import sqlite3
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.store.recorded import TRADES, put, query, record, ticks
from tuistream.core.batch import Stream
from tuistream.core.continuity import REPEATS_KNOWN
from tuistream.core.errors import RecordingError, RecordingLocked
from tuistream.core.outbox import Outbox
from tuistream.sinks import sqlite
from tuistream.sinks.sqlite import SqliteSink
from tuistream.store import opening, recorder
from tuistream.store.inspect import inspect
from tuistream.store.lock import lock_path
from tuistream.store.rotation import Retention, Rotation, file_size
from tuistream.store.segments import files_of, segment_path, segments_of, stands_for_others, started
from tuistream.store.verify import verify

SECOND, HOUR, DAY = 10**9, 3_600 * 10**9, 86_400 * 10**9
NOON = 1_795_262_400_000_000_000  # 2026-11-21 12:00 UTC
HOURLY = Rotation(every=HOUR)


class Clock:
    """Stands still unless it is set."""

    def __init__(self, now: int = NOON) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.02)
    monkeypatch.setattr(sqlite, "FLUSH_SECONDS", 0.001)
    monkeypatch.setattr(sqlite, "FIRST_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(sqlite, "LAST_RETRY_SECONDS", 0.02)


@asynccontextmanager
async def recording(path: Path, clock: Callable[[], int], **options: Any) -> AsyncIterator[SqliteSink]:
    outbox = Outbox("test")
    async with SqliteSink(path, outbox, clock=clock, **options) as sink:
        writing = asyncio.create_task(sink.run())
        yield sink
        sink.stop()
        await writing


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.002)


class Counter:
    """Puts ticks with consecutive ids into a sink, and waits until they are written."""

    def __init__(self, sink: SqliteSink, first: int = 0) -> None:
        self._sink = sink
        self.next = first

    async def put(self, count: int = 10) -> None:
        rows = self._sink.rows + count
        put(self._sink.outbox, [ticks(count=count, first=self.next)])
        self.next += count
        await until(lambda: self._sink.rows >= rows)

    async def settled(self) -> None:
        await self._sink._recorder.settled()


def ids_of(path: Path) -> list[int]:
    return [i for (i,) in query(path, "SELECT id FROM ticks ORDER BY n")]


def all_ids(base: Path) -> list[int]:
    return [i for path in files_of([base]) for i in ids_of(path)]


def names(place: Path) -> list[str]:
    return sorted(file.name for file in place.iterdir())


async def test_files_change_with_the_hour_and_are_at_rest(tmp_path: Path) -> None:
    base, clock = tmp_path / "a.db", Clock(NOON + 7)
    async with recording(base, clock, rotation=HOURLY) as sink:
        counter = Counter(sink)
        await counter.put()
        clock.now = NOON + HOUR - 1
        await counter.put()
        clock.now = NOON + HOUR
        await counter.put(7)
        await counter.settled()
        assert names(tmp_path) == [
            "a.20261121T120000Z.db",
            "a.20261121T130000Z.db",
            "a.20261121T130000Z.db-shm",
            "a.20261121T130000Z.db-wal",
            "a.db-lock",
        ]
        first, second = files_of([base])
        assert sink.file == second
        sink._writer._measured = 0.0  # as if a second had passed
        await counter.put(3)
        await until(lambda: sink.bytes == sum(map(file_size, (first, second))))
    assert names(tmp_path) == [first.name, second.name]
    assert (ids_of(first), ids_of(second)) == (list(range(20)), list(range(20, 30)))
    assert query(second, "SELECT kind, text FROM events") == [
        ("rotate", "a.20261121T130000Z.db follows a.20261121T120000Z.db (time)")
    ]
    assert [query(path, "SELECT name FROM streams") for path in (first, second)] == [[("BTCUSDT",)]] * 2
    sessions = [query(path, "SELECT pid, began, ended, rows FROM sessions") for path in (first, second)]
    assert sessions == [[(os.getpid(), NOON + 7, NOON + HOUR, 20)], [(os.getpid(), NOON + 7, NOON + HOUR, 10)]]
    for path in (first, second):
        assert query(path, "PRAGMA integrity_check") == [("ok",)]
        assert query(path, "PRAGMA journal_mode") == [("delete",)]


async def test_files_change_at_a_size(tmp_path: Path) -> None:
    base = tmp_path / "a.db"
    async with recording(base, Clock(), rotation=Rotation(size=500_000)) as sink:
        counter = Counter(sink)
        sink._writer._measured = 0.0
        while len(segments_of(base)) < 4:
            await counter.put(1_000)
            await counter.settled()
            sink._writer._measured = 0.0  # as if a second had passed
        await counter.put(5)
    files = files_of([base])
    assert [path.name[2:] for path in files] == [f"20261121T120000Z{end}.db" for end in ("", "-2", "-3", "-4")]
    assert all_ids(base) == list(range(counter.next))
    sizes = [path.stat().st_size for path in files[:3]]
    assert 300_000 < min(sizes) <= max(sizes) < 700_000


async def test_without_rotation_it_is_one_file_until_a_new_one_is_asked_for(tmp_path: Path) -> None:
    base, clock = tmp_path / "a.db", Clock()
    async with recording(base, clock) as sink:
        counter = Counter(sink)
        await counter.put()
        clock.now += 40 * DAY
        await counter.put()
        sink.rotate()
        await until(lambda: sink.file != base)
        await counter.put()
    assert files_of([base]) == [base, segment_path(base, clock.now)]
    async with recording(base, clock) as sink:  # goes on where the recording ended
        await Counter(sink, counter.next).put()
    assert [len(ids_of(path)) for path in files_of([base])] == [20, 20]
    assert all_ids(base) == list(range(40))


async def test_a_run_goes_on_in_the_newest_file_if_it_is_current(tmp_path: Path) -> None:
    base, clock = tmp_path / "a.db", Clock()
    first = 0
    for now in (NOON, NOON + HOUR - 1, NOON + HOUR, NOON + HOUR + 5, NOON + 9 * HOUR, NOON):
        clock.now = now
        async with recording(base, clock, rotation=HOURLY) as sink:
            counter = Counter(sink, first)
            await counter.put()
            first = counter.next
    assert [len(ids_of(path)) for path in files_of([base])] == [20, 20, 20]
    assert all_ids(base) == list(range(60))
    assert [started(path) for path in files_of([base])] == [NOON, NOON + HOUR, NOON + 9 * HOUR]


async def test_a_file_from_before_rotation_is_the_first(tmp_path: Path) -> None:
    base, clock = tmp_path / "a.db", Clock()
    await record(base, [ticks(count=5)])
    async with recording(base, clock, rotation=HOURLY) as sink:
        known = sink.known[TRADES.key].ids
        assert known is not None
        assert known.tolist() == [0, 1, 2, 3, 4]
        await Counter(sink, 5).put()
    assert files_of([base]) == [base, segment_path(base, NOON)]
    assert all_ids(base) == list(range(15))


async def test_what_is_known_comes_from_as_many_files_as_it_takes(tmp_path: Path) -> None:
    base, clock = tmp_path / "a.db", Clock()
    quiet, opaque = Stream("feed", "quiet", "", ("y",)), Stream("feed", "once", "", ("y",))
    for hour in range(4):
        clock.now = NOON + hour * HOUR
        items = [ticks(count=400, first=400 * hour), ticks(quiet, 1, hour)]
        if hour == 1:
            items.append(ticks(opaque, 3))
        await record(base, items, clock=clock, rotation=HOURLY)
    clock.now += HOUR
    async with recording(base, clock, rotation=HOURLY) as sink:
        known = sink.known
        assert sink.unclean is None
    trades = known[TRADES.key]
    assert trades.ids is not None
    assert trades.ids_t is not None
    assert trades.ids.tolist() == list(range(1_600 - REPEATS_KNOWN, 1_600))
    assert np.array_equal(trades.ids_t, ticks(count=1_600).t[-REPEATS_KNOWN:])
    assert trades.last_t == ticks(first=1_599).t[0]
    assert known[quiet.key].last_t == ticks(first=3).t[0]
    assert known[opaque.key].last_t == ticks(first=2).t[0]


async def test_a_segment_is_not_a_recording_of_its_own(tmp_path: Path) -> None:
    base, clock = tmp_path / "a.db", Clock()
    async with recording(base, clock, rotation=HOURLY) as sink:
        with pytest.raises(RecordingLocked, match=rf"recorded by pid {os.getpid()} since \d"):
            await SqliteSink(base, Outbox("other")).open()
        with pytest.raises(RecordingError, match=r"is called a file of .*a\.db"):
            await SqliteSink(sink.file, Outbox("other")).open()
    assert not lock_path(base).exists()


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
async def test_where_no_new_file_can_be_begun_the_old_one_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "TURN_AGAIN_SECONDS", 0.05)
    base, clock = tmp_path / "a.db", Clock()
    async with recording(base, clock, rotation=HOURLY) as sink:
        counter = Counter(sink)
        await counter.put()
        blocker = tmp_path / "a.db-new"
        blocker.mkdir()
        clock.now += HOUR
        await counter.put()
        old = sink.file
        assert sink.state == "recording"
        blocker.rmdir()
        while sink.file == old:
            await counter.put()
            await asyncio.sleep(0.02)
    assert all_ids(base) == list(range(counter.next))
    (notice, *_) = query(old, "SELECT text FROM events")
    assert "no new file could be begun, a.20261121T120000Z.db goes on: cannot record into" in notice[0]
    assert len(names(tmp_path)) == 2


async def test_a_file_that_others_read_comes_to_rest_later(tmp_path: Path) -> None:
    base, clock = tmp_path / "a.db", Clock()
    async with recording(base, clock, rotation=HOURLY) as sink:
        counter = Counter(sink)
        await counter.put()
        old = sink.file
        reader = opening.open_for_reading(old)
        reader.execute("SELECT * FROM ticks").fetchone()
        clock.now += HOUR
        await counter.put()
        await counter.settled()
        assert f"{old.name}-wal" in names(tmp_path)
        assert reader.execute("SELECT count(*) FROM ticks").fetchone() == (10,)
        reader.close()
        clock.now += HOUR
        await counter.put()
        await counter.settled()
        assert query(old, "PRAGMA journal_mode") == [("delete",)]
    assert len(names(tmp_path)) == 3


async def test_what_others_read_at_each_change_is_at_rest_after_the_end(tmp_path: Path) -> None:
    base, clock = tmp_path / "a.db", Clock()
    async with recording(base, clock, rotation=HOURLY) as sink:
        counter = Counter(sink)
        readers = []
        for _hour in range(6):
            await counter.put()
            await counter.settled()
            readers.append(opening.open_for_reading(sink.file))
            readers[-1].execute("SELECT * FROM ticks").fetchone()
            clock.now += HOUR
        for reader in readers:
            reader.close()
        sink.file.with_name(f"{segments_of(base)[0].name}-shm").touch()  # as one leaves it who came just too late
    assert names(tmp_path) == [path.name for path in segments_of(base)]
    assert all(query(path, "PRAGMA journal_mode") == [("delete",)] for path in segments_of(base))


async def test_a_clock_that_goes_back_and_one_that_was_ahead(tmp_path: Path) -> None:
    base, clock = tmp_path / "a.db", Clock(NOON + 5 * HOUR)
    async with recording(base, clock, rotation=HOURLY) as sink:
        counter = Counter(sink)
        for now in (NOON + 5 * HOUR, NOON + 4 * HOUR, NOON + 4 * HOUR + 5, NOON + 5 * HOUR + 7):
            clock.now = now
            await counter.put()
            await counter.settled()
        assert [path.name for path in segments_of(base)] == ["a.20261121T170000Z.db"]
        clock.now = NOON + 100 * 365 * DAY
        await counter.put()
        await counter.settled()
        clock.now = NOON + 6 * HOUR
        await counter.put()
        await counter.settled()
        assert len(segments_of(base)) == 2
        sink._recorder._opened_at -= 3_600  # an hour later by the clock that is never set
        await counter.put()
    assert [len(ids_of(path)) for path in segments_of(base)] == [40, 20, 10]
    assert all_ids(base) == list(range(70))


async def test_retention_by_age_removes_whole_files_and_says_so(tmp_path: Path) -> None:
    base, clock = tmp_path / "a.db", Clock()
    await record(base, [ticks(count=5)])
    foreign = segment_path(base, NOON - 50 * DAY)
    other = sqlite3.connect(foreign)
    other.execute("CREATE TABLE precious (x)")
    other.commit()
    other.close()
    text = segment_path(base, NOON - 51 * DAY)
    text.write_text("precious")
    options: dict[str, Any] = {"rotation": Rotation(every=DAY), "retention": Retention(age=3 * DAY)}
    async with recording(base, clock, **options) as sink:
        counter = Counter(sink, 5)
        for day in range(7):
            clock.now = NOON + day * DAY
            await counter.put()
            await counter.settled()
    assert files_of([base]) == [
        base,
        text,
        foreign,
        *(segment_path(base, NOON + day * DAY) for day in (2, 3, 4, 5, 6)),
    ]
    events = [e for path in segments_of(base)[2:] for e in query(path, "SELECT kind, details FROM events")]
    removed = [details for kind, details in events if kind == "retention"]
    assert [json.loads(each)["file"] for each in removed] == ["a.20261121T120000Z.db", "a.20261122T120000Z.db"]


async def test_rollups_of_removed_files_are_kept_a_file_a_day(tmp_path: Path) -> None:
    base, clock = tmp_path / "a.db", Clock()
    retention = Retention(age=12 * HOUR, rollups=2 * DAY)
    async with recording(base, clock, rotation=Rotation(every=4 * HOUR), retention=retention) as sink:
        counter = Counter(sink)
        for _turn in range(30):
            await counter.put()
            await counter.settled()
            clock.now += 4 * HOUR
        contents = inspect(base)
        assert contents.end == "running"
        assert verify(files_of([base])).problems == []
    # Of days that ended two days ago nothing is left; two are rollups, and the last hours are ticks.
    files = files_of([base])
    assert [stands_for_others(path) for path in files] == [True] * 2 + [False] * 5
    assert [file.thinned for file in contents.files] == [60, 40, *[None] * 5]
    assert contents.rows == 50
    events = [text for path in files for (text,) in query(path, "SELECT text FROM events WHERE kind = 'retention'")]
    assert any("; its rollups are in a.20261125T" in text for text in events)


async def test_retention_by_size_counts_all_files(tmp_path: Path) -> None:
    base, clock = tmp_path / "a.db", Clock()
    async with recording(base, clock, rotation=HOURLY, retention=Retention(size=1_000_000)) as sink:
        counter = Counter(sink)
        for _hour in range(8):
            await counter.put(4_000)
            clock.now += HOUR
            await counter.put(1)
            await counter.settled()
            closed = [path for path in segments_of(base) if path != sink.file]
            assert sum(path.stat().st_size for path in closed) <= 1_000_000
        assert 2 <= len(closed) < 8
    ids = all_ids(base)
    assert ids == list(range(ids[0], counter.next))


async def test_a_clock_that_leaps_removes_nothing(tmp_path: Path) -> None:
    base, clock = tmp_path / "a.db", Clock()
    async with recording(base, clock, rotation=HOURLY, retention=Retention(age=30 * DAY)) as sink:
        counter = Counter(sink)
        for now in (NOON, NOON + HOUR, NOON + 70 * 365 * DAY, NOON + 2 * HOUR, NOON + 3 * HOUR):
            clock.now = now
            await counter.put()
            await counter.settled()
    assert all_ids(base) == list(range(50))


@pytest.fixture
def in_memory(tmp_path: Path) -> Iterator[Path]:
    """A folder that waits for no disk, where there is such a thing."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as folder:
        yield Path(folder)


async def test_rotations_keep_no_handle_and_no_memory(in_memory: Path) -> None:
    base, clock = in_memory / "a.db", Clock()
    handles = Path("/proc/self/fd")
    seen: list[tuple[int, int, int]] = []
    options: dict[str, Any] = {"rotation": HOURLY, "retention": Retention(age=20 * HOUR)}
    async with recording(base, clock, **options) as sink:
        counter = Counter(sink)
        for turn in range(251):
            await counter.put(3)
            await counter.settled()
            clock.now += HOUR
            if turn in (50, 250):
                gc.collect()
                fds = len(list(handles.iterdir())) if handles.exists() else 0
                threads = [
                    t for t in threading.enumerate() if not t.name.startswith("asyncio_")
                ]  # not the loop's pool
                seen.append((fds, len(threads), len(gc.get_objects())))
    (*handles_before, objects), after = seen[0], seen[1]
    assert list(after[:2]) == handles_before
    assert after[2] < objects + 100  # half of one for each
    assert len(segments_of(base)) <= 22
    assert all_ids(base)[-1] == 752
