"""`tuistream query`: what it answers, what it refuses, and that nothing changes."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
import signal
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.cli.running import start, until
from tests.store.recorded import T0, TRADES, query, record, ticks
from tuistream.cli import run
from tuistream.core.batch import Stream
from tuistream.core.errors import RecordingError, SettingsError
from tuistream.core.status import Event
from tuistream.store.query import Query
from tuistream.store.segments import files_of


def answer(*files: Path, sql: str) -> list[tuple[object, ...]]:
    with Query(files_of(files), sql) as asked:
        return list(asked.rows())


@pytest.fixture
async def db(tmp_path: Path) -> Path:
    await record(tmp_path / "a.db", [ticks(count=5), ticks(Stream("feed", "=2+3", "\x1b[31m[red]", ("x",)), 2)])
    return tmp_path / "a.db"


CHANGES = [
    "DELETE FROM ticks",
    "INSERT INTO ticks (stream, t, recv) VALUES (1, 2, 3)",
    "UPDATE streams SET name = 'x'",
    "CREATE TABLE x (y)",
    "CREATE TEMP TABLE x (y)",
    "DROP TABLE ticks",
    "ALTER TABLE ticks ADD COLUMN x",
    "ATTACH '{0}/new.db' AS new",
    "DETACH main",
    "VACUUM",
    "VACUUM INTO '{0}/new.db'",
    "ANALYZE",
    "REINDEX",
    "BEGIN IMMEDIATE",
    "SAVEPOINT x",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA journal_mode",
    "PRAGMA user_version = 7",
    "PRAGMA query_only = OFF",
    "PRAGMA writable_schema = ON",
    "PRAGMA wal_checkpoint",
    "PRAGMA incremental_vacuum",
    "SELECT * FROM pragma_wal_checkpoint",
    "SELECT load_extension('x')",
    "SELECT writefile('{0}/new.db', 'x')",
    "SELECT fts3_tokenizer('simple')",
    "EXPLAIN DELETE FROM ticks",
    "SELECT 1; DELETE FROM ticks",
    "",
]


@pytest.mark.parametrize("sql", CHANGES)
def test_what_does_not_only_read_is_refused(tmp_path: Path, db: Path, sql: str) -> None:
    before = hashlib.sha256(db.read_bytes()).digest(), sorted(tmp_path.iterdir())
    for files in ([db], [db, db.with_name("copy.db")]):
        if len(files) > 1:
            files[1].write_bytes(db.read_bytes())
        with pytest.raises(SettingsError, match=r"^SQL: "):
            answer(*files, sql=sql.format(tmp_path))
    files[1].unlink()
    assert (hashlib.sha256(db.read_bytes()).digest(), sorted(tmp_path.iterdir())) == before


@pytest.mark.parametrize(
    ("sql", "first"),
    [
        ("SELECT count(*) FROM ticks", (7,)),
        ("SELECT field, value FROM ticks_named WHERE stream = 'BTCUSDT' LIMIT 1", ("price", 0.0)),
        ("SELECT name FROM pragma_table_info('trades')", ("time",)),
        ("PRAGMA user_version", (1,)),
        ("SELECT value FROM json_each('[4]')", (4,)),
        ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 9) SELECT max(i) FROM n", (9,)),
    ],
)
def test_what_only_reads_is_answered(db: Path, sql: str, first: tuple[object, ...]) -> None:
    assert answer(db, sql=sql)[0] == first


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT FORM x FORM", 'SQL: near "FORM": syntax error, at character 15'),
        ("SELECT *\nFROM ticks\nWERE t > 1 x", 'SQL: near "t": syntax error, line 3, column 6'),
        ("SELECT * FROM nobody", "SQL: no such table: nobody, at character 15"),
        ("SELECT t, k.price FROM ticks AS k", "SQL: no such column: k.price, at character 13"),
        ("SELECT nosuch(1)", "SQL: no such function: nosuch, at character 8"),
        ("SELECT '\x1b", 'SQL: unrecognized token: "\'·"'),
        ("SELECT", "SQL: incomplete input"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(db: Path, sql: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        answer(db, sql=sql)
    assert str(caught.value) == told


async def test_several_files_are_one_recording(tmp_path: Path) -> None:
    """Streams have other ids, and their fields another order, in each file."""
    first, second = tmp_path / "a.db", tmp_path / "b.db"
    book = Stream("feed", "BTCUSDT", "book", ("bid", "ask"))
    gap = Event(T0, "feed", "gap", "", TRADES.key, {"from": T0, "to": T0 + 1, "reason": "outage"})
    await record(first, [ticks(count=3), ticks(book, 2)])
    await record(second, [ticks(book, 2, first=2), ticks(replace(TRADES, fields=("qty", "price", "fee")), 2, 3), gap])
    assert query(first, "SELECT id FROM streams WHERE kind = 'trade'") != query(
        second, "SELECT id FROM streams WHERE kind = 'trade'"
    )
    both = (first, second)
    assert answer(*both, sql="SELECT id, price, qty, fee FROM BTCUSDT_trade ORDER BY t") == [
        (0, 0, 0.1, None), (1, 1, 1.1, None), (2, 2, 2.1, None), (3, 3.1, 3, 3.2), (4, 4.1, 4, 4.2),
    ]  # fmt: skip
    assert answer(*both, sql="SELECT kind, count(*) FROM ticks_named WHERE value IS NOT NULL GROUP BY kind") == [
        ("book", 8), ("trade", 12),
    ]  # fmt: skip
    assert answer(*both, sql="SELECT name, kind, fields FROM streams WHERE kind = 'trade'") == [
        (
            "BTCUSDT",
            "trade",
            '[{"name": "price", "unit": ""}, {"name": "qty", "unit": ""}, {"name": "fee", "unit": ""}]',
        )
    ]
    by_number = """SELECT s.kind, count(*), sum(k.v0), sum(k.v2), count(DISTINCT k.n)
        FROM ticks AS k JOIN streams AS s ON s.id = k.stream GROUP BY s.kind ORDER BY s.kind"""
    assert answer(*both, sql=by_number) == [("book", 4, 6.0, None, 4), ("trade", 5, 10.2, 7.4, 5)]
    assert answer(*both, sql="SELECT stream, kind, reason FROM gaps") == [("BTCUSDT", "trade", "outage")]
    in_blocks = (
        "SELECT count(*) FROM blocks AS b JOIN ticks AS k ON k.n BETWEEN b.r0 AND b.r1 AND k.stream = b.stream"
    )
    assert answer(*both, sql=in_blocks) == [(9,)]
    assert answer(*both, sql="SELECT count(*) FROM trades") == [(5,)]
    assert answer(*both, sql="SELECT count(*) FROM sessions") == [(2,)]
    assert answer(*both, sql="SELECT count(*) FROM file1.ticks") == [(5,)]


async def test_more_files_than_sqlite_reads_at_once_are_refused(tmp_path: Path, db: Path) -> None:
    copies = [tmp_path / f"{number}.db" for number in range(11)]
    for copy in copies:
        copy.write_bytes(db.read_bytes())
    assert answer(*copies[:10], sql="SELECT count(*) FROM ticks") == [(70,)]
    with pytest.raises(SettingsError, match="11 files: SQLite reads 10 at once"):
        answer(*copies, sql="SELECT 1")
    copies[1].write_bytes(b"nothing of the kind")
    with pytest.raises(RecordingError, match="not a recording"):
        answer(*copies[:2], sql="SELECT 1")


def test_a_table_is_safe_text_with_local_times(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(["query", str(db), "SELECT name, kind, t, NULL, x'00ff' AS b FROM streams JOIN ticks ON stream = id"])
        == 2
    )
    assert "ambiguous column name: id, at character" in capsys.readouterr().err
    sql = "SELECT name, kind, t, NULL AS x, x'00ff' AS b FROM streams AS s JOIN ticks AS k ON k.stream = s.id"
    assert run(["query", str(db), sql]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "·[31m[red]" in out
    assert "NULL" in out
    assert "2 bytes" in out
    assert out.splitlines()[-1] == "7 rows; times are local, --raw shows them as stored"
    assert str(T0) not in out
    assert run(["query", str(db), sql, "--raw"]) == 0
    assert str(T0) in capsys.readouterr().out


def test_csv_and_json_have_what_is_stored(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sql = "SELECT s.name, k.t, k.v0, k.v1, k.t FROM ticks AS k JOIN streams AS s ON s.id = k.stream ORDER BY k.n DESC"
    assert run(["query", str(db), sql, "--csv"]) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows[0] == ["name", "t", "v0", "v1", "t"]
    names = {row[0] for row in rows[1:]}
    assert names == {"'=2+3", "BTCUSDT"}
    assert max(int(row[1]) for row in rows[1:]) == T0 + 4_000_000
    assert run(["query", str(db), sql, "--json"]) == 0
    objects = json.loads(capsys.readouterr().out)
    assert len(objects) == 7
    assert set(objects[0]) == {"name", "t", "v0", "v1", "t_2"}
    assert {each["name"] for each in objects} == {"=2+3", "BTCUSDT"}
    assert run(["query", str(db), "SELECT 1 WHERE 0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_a_long_answer_is_cut_in_a_table_only(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2500) SELECT i FROM n"
    assert run(["query", str(db), sql]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "the first 1,000 rows; --csv and --json have all"
    assert run(["query", str(db), sql, "--csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2_501


async def test_ctrl_c_ends_a_statement_that_never_would(db: Path) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    process = await start("query", str(db), endless)
    opened = Path(f"/proc/{process.pid}/fd")
    if not opened.exists():
        pytest.skip("no /proc here")
    try:
        await until(lambda: any(str(db) in str(each.resolve()) for each in opened.iterdir()))
        await asyncio.sleep(0.2)  # it computes now, or it does soon: either way it has to end
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 30) == 130
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
