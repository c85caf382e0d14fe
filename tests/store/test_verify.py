import json
import os
import signal
import sqlite3
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings

from tests.sinks.faults import Recorder
from tests.store.recorded import T0, TRADES, query, record, ticks
from tests.store.test_rollups import RUNS, steady, write
from tuistream.cli.verify import command
from tuistream.core.batch import Batch
from tuistream.core.status import Event
from tuistream.store.checks.findings import LISTED, Findings
from tuistream.store.lock import WriterLock
from tuistream.store.segments import files_of
from tuistream.store.verify import verify


def told(*paths: Path) -> tuple[int, str]:
    result = CliRunner().invoke(command, [str(path) for path in paths], catch_exceptions=False, standalone_mode=False)
    return int(result.return_value), result.output


def change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for sql in statements:
        connection.execute(sql)
    connection.commit()
    connection.close()


def found(path: Path) -> Findings:
    return verify([path])


def gap(first: int, last: int) -> Event:
    return Event(T0, "feed", "gap", "", TRADES.key, {"from": T0, "to": T0 + 1, "first_id": first, "last_id": last})


@pytest.fixture
async def whole(tmp_path: Path) -> Path:
    path = tmp_path / "a.db"
    fast = steady(100, 200)
    items = [fast.take(slice(i, i + 700)) for i in range(0, len(fast), 700)]
    late = fast.take(slice(3_000, 3_100))
    await record(path, [*items[:20], late, ticks(count=500), gap(500, 509), ticks(count=500, first=510)])
    await record(path, items[20:])
    return path


async def test_a_whole_recording(whole: Path) -> None:
    code, text = told(whole)
    assert (code, text.count("\n")) == (0, 1)
    assert "1 file, 21,100 rows" in text
    assert "nothing is wrong" in text
    assert found(whole).buckets > 390


@pytest.mark.parametrize(
    ("statement", "kind", "words"),
    [
        ("UPDATE rollup_1s SET max = max + 1 WHERE field = 1 AND bucket % 7 = 0", "rollup", "high of field 1"),
        ("UPDATE rollup_1s SET sum = sum * 1.00001", "rollup", "sum of field"),
        ("UPDATE rollup_1m SET quantity = quantity - 1", "rollup", "rollup_1m: quantity"),
        ("DELETE FROM rollup_1m WHERE field = 0", "rollup", "no row of field 0"),
        ("UPDATE rollups SET until = until + 60000000000 WHERE width = 60000000000", "rollup", "no row"),
        ("UPDATE ticks SET v0 = v0 + 1 WHERE n = 700", "rollup", "of field 0"),
        ("UPDATE ticks SET t = t + 1 WHERE n = 1", "block", "its ticks from"),
        ("UPDATE ticks SET stream = 2 WHERE n = 900", "block", "ticks of another stream"),
        ("DELETE FROM ticks WHERE n = 1000", "block", "has"),
        ("DELETE FROM blocks WHERE r0 = 1", "block", "are in no block"),
        ("UPDATE blocks SET r1 = r1 + 1 WHERE r0 = 1", "block", "in more than one block"),
        ("UPDATE streams SET reach = 3", "block", "streams.reach is 3"),
        ("DELETE FROM streams WHERE id = 1", "block", "is not in the table of streams"),
        ("UPDATE sessions SET rows = rows + 1 WHERE id = 1", "session", "have counted 21,101"),
        ("UPDATE sessions SET flushes = 0", "session", "flushes"),
        ("DELETE FROM events WHERE kind = 'gap'", "ids", "ids 500 to 509 missing"),
        ("UPDATE ticks SET id = 505 WHERE id = 700", "ids", "id 700 missing"),
        ("UPDATE events SET details = replace(details, '500', '100')", "ids", "they are there"),
        ("DROP VIEW trades", "view", "trades is missing"),
        ("DROP VIEW s", "view", "view s is missing"),
        ("DROP TABLE media", "table", "media is missing"),
        ("UPDATE streams SET fields = '{'", "file", "cannot read the streams"),
    ],
)
async def test_what_is_wrong_is_found(whole: Path, statement: str, kind: str, words: str) -> None:
    change(whole, statement)
    code, text = told(whole)
    assert code == 1
    findings = found(whole)
    assert findings.counts[kind] > 0
    texts = [problem.text for problem in findings.problems if problem.kind == kind]
    assert any(words in text for text in texts), texts
    assert all(line.isprintable() for line in text.splitlines())


async def test_where_it_is_wrong_is_said_and_lists_are_bounded(whole: Path) -> None:
    change(whole, "UPDATE rollup_1s SET first = first + 1")
    findings = found(whole)
    assert findings.counts["rollup"] > LISTED == len(findings.problems)
    assert findings.problems[0].stream == "s"
    assert findings.problems[0].t == T0
    _, text = told(whole)
    assert f"… and {findings.wrong - LISTED:,} more" in text
    values = json.loads(
        CliRunner().invoke(command, [str(whole), "--json"], catch_exceptions=False, standalone_mode=False).output
    )
    assert values["wrong"] == findings.wrong
    assert len(values["problems"]) == LISTED


async def test_a_damaged_page_is_found(whole: Path) -> None:
    ((size,),) = query(whole, "PRAGMA page_size")
    with whole.open("r+b") as file:
        file.seek(20 * size)
        file.write(b"\xff" * size)
    code, text = told(whole)
    assert code == 1
    assert "file: " in text


async def test_while_a_recorder_has_the_file_its_ticks_are_read_through(whole: Path) -> None:
    try:
        sql = "SELECT pageno FROM dbstat WHERE name = 'ticks' AND pagetype = 'leaf' LIMIT 1 OFFSET 20"
        ((page,),) = query(whole, sql)
    except sqlite3.OperationalError as error:
        pytest.skip(str(error))  # this SQLite has no dbstat
    ((size,),) = query(whole, "PRAGMA page_size")
    lock = WriterLock(whole)
    lock.take()
    try:
        assert found(whole).problems == []
        with whole.open("r+b") as file:
            file.seek((page - 1) * size)
            file.write(b"\xff" * size)
        assert any("the table ticks" in problem.text for problem in found(whole).problems)
    finally:
        lock.release()


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_nothing_is_wrong_with_what_is_being_recorded_now(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.db", {"SMALL_WAL": "1"})
    try:
        seen: list[int] = []
        while len(seen) < 6 or seen[-1] == seen[0]:
            findings = verify(files_of([tmp_path / "a.db"]))
            assert findings.problems == []
            seen.append(findings.rows)
            if len(seen) == 3:
                recorder.send(signal.SIGUSR1)  # a new file
        end, err, code = recorder.end()
    except BaseException:
        recorder.kill()
        raise
    assert (err, code) == ("", 0)
    assert end["rows"] == end["offered"]
    assert end["lost"] == end["unstored"] == 0
    assert seen == sorted(seen)


def test_no_recording_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"x" * 5_000)
    assert told(path)[0] == 1


@given(RUNS)
@settings(max_examples=15, deadline=None)
def test_whatever_was_recorded_verifies(runs: list[list[list[Batch]]]) -> None:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "a.db")
        for flushes in runs:
            write(path, flushes, (0.3, 0.4))
        change(path, "INSERT INTO sessions SELECT 1, 1, '', '{}', 0, 0, 0, count(*), 1000 FROM ticks")
        assert found(path).problems == []
