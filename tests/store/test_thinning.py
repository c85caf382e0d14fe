"""What is left of segments whose ticks are removed and whose rollups are kept."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.store.recorded import query
from tests.store.rolled import write
from tuistream.core.batch import Batch, Stream
from tuistream.core.errors import RecordingError
from tuistream.core.status import Event
from tuistream.exports.contract import Done
from tuistream.exports.run import export
from tuistream.store.buckets import combined, joined
from tuistream.store.catalog import load, quantity_of
from tuistream.store.history import History, Wanted
from tuistream.store.inspect import inspect
from tuistream.store.left_out import items_left_out, ticks_left_out
from tuistream.store.opening import open_for_reading
from tuistream.store.playback import Selection
from tuistream.store.query import Query
from tuistream.store.repair import repair
from tuistream.store.rollups import Source, rows_between
from tuistream.store.rotation import Retention, remove_surplus
from tuistream.store.segments import files_of, remains_of, segment_path, segments_of, thinned_path
from tuistream.store.thinned import WIDTHS_KEPT
from tuistream.store.thinning import thin
from tuistream.store.verify import verify

SECOND, MINUTE, HOUR, DAY = 10**9, 60 * 10**9, 3_600 * 10**9, 86_400 * 10**9
NOON = 1_795_262_400_000_000_000  # 2026-11-21 12:00 UTC
TRADES = Stream("feed", "A", "trade", ("price", "qty"))
TURNED = Stream("feed", "A", "trade", ("fee", "qty", "price"))
BOOK = Stream("feed", "A", "book", ("bid",))
CURVE = Stream("feed", "C", "curve", ("x", "y"), axis="x")
ROOT = Path(__file__).parents[2]


def walk(stream: Stream, count: int, seed: int, since: int) -> Batch:
    """Ticks some 1.5 s apart, a tenth of them late; a fifth of the values are missing."""
    random = np.random.default_rng(seed)
    t = since + np.cumsum(random.integers(1, 3 * SECOND, count))
    late = random.random(count) < 0.1
    t[late] -= random.integers(0, 3 * MINUTE, int(late.sum()))
    v = np.round(random.normal(100, 1, (count, len(stream.fields))), 2)
    v[random.random(v.shape) < 0.2] = np.nan
    return Batch(stream, t, t + 1_000, v)


def gap(t: int) -> Event:
    details: dict[str, Any] = {"from": t, "to": t + SECOND, "reason": "test"}
    return Event(t, "feed", "gap", "gap", TRADES.key, details)


def segments(place: Path, count: int = 2_370) -> tuple[Path, list[Path]]:
    """A base, and four segments of it of `count` ticks each, three of one day: the newest is still written."""
    base = place / "a.db"
    hours = [NOON, NOON + HOUR, NOON + 2 * HOUR, NOON + DAY]
    paths = [segment_path(base, hour) for hour in hours]
    for seed, (path, hour) in enumerate(zip(paths, hours, strict=True)):
        stream = TURNED if seed == 1 else TRADES
        first: list[Batch | Event] = [walk(stream, count - 870, seed, hour)]
        first += [walk(BOOK, 40, 9 + seed, hour), gap(hour + MINUTE)]
        write(path, [first, [walk(CURVE, 30, seed, hour), walk(stream, 800, 5 + seed, hour + 40 * MINUTE)]])
        rows = query_one(path, "SELECT count(*) FROM ticks")
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(
                "INSERT INTO sessions (pid, version, settings, began, alive, ended, rows, flushes)"
                " VALUES (1, '', '{}', ?1, ?1, ?1, ?2, 2)",
                (hour, rows),
            )
            connection.commit()
            connection.execute("PRAGMA journal_mode = DELETE")
    return base, paths


def query_one(path: Path, sql: str) -> int:
    return int(query(path, sql)[0][0])


def rolled(files: list[Path], width: int) -> dict[tuple[str, int], tuple[float, ...]]:
    """What all files together have of the trades: by field and bucket."""
    parts, names = [], ["price", "qty", "fee"]
    for path in files:
        with closing(open_for_reading(path)) as connection:
            entry = load(connection).entries[TRADES.key]
            source = Source(entry.id, len(entry.stream.fields), quantity_of(entry.stream))
            rows = rows_between(connection, source, width, NOON - DAY, NOON + 2 * DAY)
            places = np.array([names.index(name) for name in entry.stream.fields])
            parts.append(rows.with_columns(stream=np.zeros(len(rows), np.int64), field=places[rows.field]))
    rows = combined(joined(parts), width)
    rows = rows.take(rows.count > 0)
    cells = (rows.first, rows.last, rows.low, rows.high, np.round(rows.sum, 4), rows.count, rows.first_t, rows.last_t)
    keys = zip([names[field] for field in rows.field.tolist()], rows.bucket.tolist(), strict=True)
    return dict(zip(keys, zip(*(cell.tolist() for cell in cells), strict=True), strict=True))


def test_rows_are_those_that_the_ticks_gave_however_often_files_are_put_together(tmp_path: Path) -> None:
    base, paths = segments(tmp_path)
    before = {width: rolled(paths, width) for width in WIDTHS_KEPT}
    first = thin(paths[:2], NOON)
    assert first.name == "a.20261121T120000Z_20261121T130000Z.db"
    assert segments_of(base) == [first, *paths[2:]]
    assert remains_of(base) == paths[:2]
    whole = thin([first, paths[2]], NOON)
    assert files_of([base]) == [whole, paths[3]]
    assert {width: rolled([whole, paths[3]], width) for width in WIDTHS_KEPT} == before
    assert verify([whole, paths[3]]).problems == []
    assert query_one(whole, "SELECT count(*) FROM ticks") == 0
    assert query_one(whole, "SELECT count(*) FROM gaps") == 3
    details = [json.loads(text) for (text,) in query(whole, "SELECT details FROM events WHERE kind = 'thinned'")]
    assert [(each["file"], each["ticks"], each["rolled"]) for each in details] == [
        (path.name, 2_370, 2_340) for path in paths[:3]
    ]


def test_verify_finds_rows_that_are_missing_from_a_file_of_rollups(tmp_path: Path) -> None:
    _, paths = segments(tmp_path)
    kept = thin(paths[:1], NOON)
    for sql, told in (
        ("DELETE FROM rollup_1m WHERE bucket = (SELECT max(bucket) FROM rollup_1m)", "are said to be in it"),
        ("UPDATE rollup_1h SET max = 1e9", "rollup_1h: high"),
        ("DELETE FROM events WHERE kind = 'thinned'", "the sessions have counted"),
    ):
        with closing(sqlite3.connect(kept)) as connection:
            connection.execute(sql)
            connection.commit()
        assert any(told in problem.text for problem in verify([kept]).problems), told


def candles(base: Path) -> list[tuple[Any, ...]]:
    sql = """SELECT stream, kind, field, t, max(high), min(low), sum(count) FROM candles_1m
        GROUP BY stream, kind, field, t ORDER BY stream, kind, field, t"""
    with Query(files_of([base]), sql) as found:
        return [row for row in found.rows() if row[1] != "curve"]


def exported(base: Path, out: Path, every: int) -> str:
    export(Selection(tuple(files_of([base]))), "csv", out, Done(), every=every, force=True)
    return out.read_text(encoding="utf-8")


def test_views_and_exports_of_minutes_are_as_before(tmp_path: Path) -> None:
    base, paths = segments(tmp_path)
    out = tmp_path / "out.csv"
    shown = candles(base)
    before = _numbers(exported(base, out, 5 * MINUTE))
    thin(paths[:3], NOON)
    assert candles(base) == shown
    assert _numbers(exported(base, out, 5 * MINUTE)) == before
    fine = exported(base, out, 30 * SECOND).splitlines()[1:]
    assert fine
    assert all(line.startswith("2026-11-22") for line in fine)
    told = "7,020 older ticks are not in it: of them only rollups of 1 m and longer are left"
    assert ticks_left_out(Selection(tuple(files_of([base])))) == told
    assert ticks_left_out(Selection(tuple(files_of([base])), since=NOON + DAY)) == ""
    assert items_left_out(Selection((paths[3],))) == ticks_left_out(Selection((paths[3],))) == ""


def _numbers(table: str) -> list[list[object]]:
    """Rounded, and without the volume: once rows are together each field has that of all ticks."""

    def cell(text: str) -> object:
        try:
            return round(float(text), 6)
        except ValueError:
            return text

    return [[cell(text) for text in line.split(",")[:-1]] for line in table.splitlines() if ",curve," not in line]


def test_windows_are_drawn_from_minutes_where_there_are_no_ticks(tmp_path: Path) -> None:
    base, paths = segments(tmp_path)
    wanted = Wanted(TRADES.key, ("price",), NOON, NOON + 3 * HOUR, MINUTE)
    late = wanted._replace(t0=NOON + DAY, t1=NOON + DAY + 10 * MINUTE, step=SECOND)
    with History(lambda: files_of([base])) as history:
        before, oldest = history.window(wanted).lines["price"], history.oldest(TRADES.key)
        of_ticks = history.window(late)
    minutes_end = max(bucket for _, bucket in rolled(paths[:3], MINUTE)) + MINUTE
    thin(paths[:3], NOON)
    with History(lambda: files_of([base])) as history:
        window = history.window(wanted)
        assert (window.thinned, window.raw) == (minutes_end, False)
        line = window.lines["price"]
        inside = (line.t >= wanted.t0) & (line.t < wanted.t1)
        was_inside = (before.t >= wanted.t0) & (before.t < wanted.t1)
        assert (np.nanmin(line.v[inside]), np.nanmax(line.v[inside])) == (
            np.nanmin(before.v[was_inside]),
            np.nanmax(before.v[was_inside]),
        )
        assert (line.t[1:] >= line.t[:-1]).all()
        assert abs((history.oldest(TRADES.key) or 0) - (oldest or 0)) < MINUTE
        # Within a minute: nothing but how the line goes on through it.
        near = history.window(
            wanted._replace(t0=NOON + HOUR + SECOND, t1=NOON + HOUR + 2 * SECOND, step=SECOND // 50)
        )
        t = near.lines["price"].t
        assert near.thinned == minutes_end
        assert t[0] < NOON + HOUR + SECOND
        assert t[-1] >= NOON + HOUR + 2 * SECOND
        # Ticks are as they were, and the newest are no minutes.
        after = history.window(late)
        assert after.thinned is None
        assert after.raw == of_ticks.raw
        assert np.array_equal(after.lines["price"].v, of_ticks.lines["price"].v, equal_nan=True)
        assert all(each.t[0] >= NOON + DAY - 3 * MINUTE for each in history.newest(100_000, lambda _key: True))


def test_info_says_what_is_left(tmp_path: Path) -> None:
    base, paths = segments(tmp_path)
    before = inspect(base)
    thin(paths[:3], NOON)
    after = inspect(base)
    assert (before.thinned, after.thinned) == (0, 3 * 2_340)
    assert after.rows == 2_370
    assert (after.first, after.last) == (_first(before), before.last)
    assert [file.thinned for file in after.files] == [7_020, None]
    assert sum(session.rows for session in after.sessions) == before.rows


def _first(contents: Any) -> int:
    """Of those with rollups."""
    return int(min(stream.first for stream in contents.streams if stream.kind != "curve"))


def test_repair_makes_the_longer_rollups_anew(tmp_path: Path) -> None:
    _, paths = segments(tmp_path)
    kept = thin(paths[:2], NOON)
    wanted = rolled([kept], DAY)
    with closing(sqlite3.connect(kept)) as connection:
        connection.execute("UPDATE rollup_1h SET max = 1e9")
        connection.execute("UPDATE rollup_1d SET max = 1e9")
        connection.commit()
    copy = tmp_path / "copy.db"
    assert repair(kept, copy).rolled == 2 * 2_340
    assert verify([copy]).problems == []
    assert rolled([copy], DAY) == wanted


def test_retention_puts_files_of_a_day_together_and_removes_them_later(tmp_path: Path) -> None:
    base, paths = segments(tmp_path)
    retention = Retention(age=2 * HOUR, rollups=30 * DAY)
    kept = thinned_path(paths[:1])
    removed = remove_surplus(base, paths[3], retention, NOON + 3 * HOUR + 1)
    assert [(each.path, each.kept) for each in removed] == [(paths[0], kept)]
    assert files_of([base]) == [kept, *paths[1:]]
    removed = remove_surplus(base, paths[3], retention, NOON + DAY + HOUR)
    both = thinned_path(paths[:2])
    assert [(each.path, each.kept) for each in removed] == [(paths[1], both)]
    assert sorted(file.name for file in tmp_path.iterdir()) == [path.name for path in (both, *paths[2:])]
    assert remove_surplus(base, paths[3], retention, NOON + 20 * DAY)[0].kept == thinned_path(paths[:3])
    assert [each.path for each in remove_surplus(base, paths[3], retention, NOON + 40 * DAY)] == [
        thinned_path(paths[:3])
    ]
    assert files_of([base]) == [paths[3]]


def test_by_size_files_of_rollups_go_last(tmp_path: Path) -> None:
    base, paths = segments(tmp_path)
    removed = remove_surplus(base, paths[3], Retention(size=1, rollups=DAY), NOON)
    kept = thinned_path(paths[:3])
    assert [(each.path, each.kept) for each in removed] == [(path, kept) for path in paths[:3]]
    assert [each.path for each in remove_surplus(base, paths[3], Retention(size=1, rollups=DAY), NOON)] == [kept]


def test_a_file_whose_rollups_cannot_be_kept_stays(tmp_path: Path) -> None:
    base, paths = segments(tmp_path)
    with paths[1].open("r+b") as file:
        file.seek(4_096)
        file.write(b"\xff" * (paths[1].stat().st_size - 4_096))
    removed = remove_surplus(base, paths[3], Retention(age=HOUR, rollups=5 * DAY), NOON + 2 * DAY)
    assert [(each.path, bool(each.failure)) for each in removed] == [
        (paths[0], False),
        (paths[1], True),
        (paths[2], False),
    ]
    assert files_of([base]) == [thinned_path(paths[:1]), paths[1], thinned_path(paths[2:3]), paths[3]]
    assert not list(tmp_path.glob("*-thin*"))
    with pytest.raises(RecordingError):
        thin(paths[1:2], NOON)


# The calls of the system at which a process is killed: before each of them in turn.
_KILLED = """
import os, signal, sys
from pathlib import Path
from tuistream.store.rotation import Retention, remove_surplus

left = int(sys.argv[4])

def at(call):
    def counted(*arguments, **options):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **options)
    return counted

for owner, name in ((os, "fsync"), (Path, "rename"), (Path, "unlink")):
    setattr(owner, name, at(getattr(owner, name)))
remove_surplus(Path(sys.argv[1]), Path(sys.argv[2]), Retention(age=1, rollups=1 << 62), int(sys.argv[3]))
print("done")
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9")
def test_a_crash_at_any_call_leaves_everything_once(tmp_path: Path) -> None:
    base, paths = segments(tmp_path, 1_000)
    shown = candles(base)
    was_thinned = []
    now = NOON + 3 * DAY
    for call in range(40):
        place = tmp_path / str(call)
        place.mkdir()
        for path in paths:
            (place / path.name).write_bytes(path.read_bytes())
        arguments = [str(place / base.name), str(place / paths[3].name), str(now), str(call)]
        ended = subprocess.run(
            [sys.executable, "-c", _KILLED, *arguments], capture_output=True, text=True, check=False, cwd=ROOT
        )
        assert ended.returncode in (0, -signal.SIGKILL), ended.stderr
        files = files_of([place / base.name])
        was_thinned.append(len(files) < 4)
        assert candles(place / base.name) == shown
        assert verify(files).problems == []
        # The next look ends what was begun.
        remove_surplus(place / base.name, place / paths[3].name, Retention(age=1, rollups=1 << 62), now)
        assert sorted(file.name for file in place.iterdir() if not file.name.endswith("-thin")) == [
            thinned_path(paths[:3]).name,
            paths[3].name,
        ]
        assert candles(place / base.name) == shown
        if ended.stdout == "done\n":
            break
    assert ended.stdout == "done\n"
    assert was_thinned[0] is False
    assert was_thinned.index(True) < len(was_thinned) - 3
