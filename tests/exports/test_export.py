"""`tuistream export`: what stands in its files, who can read them, and when they are there."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from tests.cli.running import finish, start
from tests.store.recorded import T0, record, ticks
from tuistream.cli import run
from tuistream.core.batch import Batch, Stream, ids_array
from tuistream.core.exchange import written
from tuistream.exports.arrow import GROUP_ROWS

BOOK = Stream("feed", "BTCUSDT", "book", ("bid", "ask"))
TEXT = Stream("feed", "=1+1", "", ("price",))


@pytest.fixture
async def db(tmp_path: Path) -> Path:
    """Trades, and after each of them a row of a book: sorted by stream in the file."""
    book = ticks(BOOK, 3)
    await record(tmp_path / "a.db", [ticks(count=3), Batch(BOOK, book.t + 10, book.recv + 10, book.v)])
    return tmp_path / "a.db"


def test_csv_has_a_row_a_tick_in_the_order_of_receipt(db: Path, tmp_path: Path) -> None:
    assert run(["export", str(db), "-o", str(tmp_path / "a.csv")]) == 0
    rows = list(csv.reader((tmp_path / "a.csv").read_text().splitlines()))
    assert rows[0] == ["time", "received", "feed", "stream", "kind", "id", "price", "qty", "bid", "ask"]
    assert rows[1] == [written(T0), written(T0 + 500), "feed", "BTCUSDT", "trade", "0", "0.0", "0.1", "", ""]
    assert rows[2] == [written(T0 + 10), written(T0 + 510), "feed", "BTCUSDT", "book", "", "", "", "0.0", "0.1"]
    assert [row[4] for row in rows[1:]] == ["trade", "book"] * 3
    assert written(T0) == "2026-11-18T11:06:40.000000000Z"


def test_json_lines_have_their_own_fields(db: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["export", str(db), "--to", "jsonl", "--streams", "book"]) == 0
    first = json.loads(capfd.readouterr().out.splitlines()[0])
    assert first == {
        "time": written(T0 + 10), "received": written(T0 + 510), "feed": "feed", "stream": "BTCUSDT", "kind": "book",
        "bid": 0.0, "ask": 0.1,
    }  # fmt: skip


async def test_a_spreadsheet_runs_nothing(tmp_path: Path) -> None:
    batch = ticks(TEXT, 2)
    await record(tmp_path / "a.db", [Batch(TEXT, batch.t, batch.recv, -batch.v - 1, ids_array(["=A1", "@x"]))])
    assert run(["export", str(tmp_path / "a.db"), "-o", str(tmp_path / "a.csv")]) == 0
    rows = list(csv.reader((tmp_path / "a.csv").read_text().splitlines()))[1:]
    assert [row[3:] for row in rows] == [["'=1+1", "", "'=A1", "-1.0"], ["'=1+1", "", "'@x", "-2.0"]]


@pytest.mark.parametrize("to", ["parquet", "arrow"])
async def test_typed_columns_are_read_by_others(tmp_path: Path, to: str) -> None:
    count = GROUP_ROWS + 1_000
    path, out = tmp_path / "a.db", tmp_path / f"a.{to}"
    await record(path, [ticks(count=count), ticks(BOOK, 3)])
    assert run(["export", str(path), "-o", str(out)]) == 0
    if to == "parquet":
        file = parquet.ParquetFile(out)
        schema, groups = file.schema_arrow, [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        file.close()
    else:
        with pyarrow.memory_map(str(out)) as mapped, pyarrow.ipc.open_file(mapped) as file:
            schema = file.schema
            groups = [file.get_batch(i).num_rows for i in range(file.num_record_batches)]
    assert sum(groups) == count + 3
    assert max(groups) <= GROUP_ROWS
    assert schema.field("time").type == pyarrow.timestamp("ns", "UTC")
    assert schema.field("received").type == pyarrow.timestamp("ns", "UTC")
    assert schema.field("id").type == pyarrow.int64()
    assert schema.field("price").type == pyarrow.float64()


async def test_polars_reads_times_to_the_ns(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed")
    stream = Stream("feed", "BTCUSDT", "trade", ("price", "qty"))
    t = T0 + np.array([1, 2, 1_000_000_003], dtype=np.int64)
    await record(tmp_path / "a.db", [Batch(stream, t, t + 1, np.array([[1.5, 2], [2.5, np.nan], [3.5, 4]]))])
    for name, read in (("a.parquet", polars.read_parquet), ("a.arrow", polars.read_ipc)):
        assert run(["export", str(tmp_path / "a.db"), "-o", str(tmp_path / name)]) == 0
        frame = read(tmp_path / name)
        assert frame["time"].dtype == polars.Datetime("ns", "UTC")
        assert frame["time"].dt.timestamp("ns").to_list() == t.tolist()
        assert frame["qty"].to_list() == [2, None, 4]
        assert frame["stream"].cast(polars.String).to_list() == ["BTCUSDT"] * 3


async def test_duckdb_reads_parquet(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    await record(tmp_path / "a.db", [ticks(count=1_000), ticks(BOOK, 3)])
    assert run(["export", str(tmp_path / "a.db"), "-o", str(tmp_path / "a.parquet")]) == 0
    with duckdb.connect() as connection:
        sql = f"""SELECT stream, kind, count(*), sum(price), count(bid), max(id), epoch_ns(min(time))
            FROM '{tmp_path}/a.parquet' GROUP BY ALL ORDER BY kind DESC"""
        assert connection.execute(sql).fetchall() == [
            ("BTCUSDT", "trade", 1_000, 499_500, 0, 999, T0),
            ("BTCUSDT", "book", 3, None, 3, 2, T0),
        ]


def test_a_file_is_there_only_once_it_is_whole(db: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "a.csv"
    out.write_text("mine")
    assert run(["export", str(db), "-o", str(out)]) == 2
    assert f"{out} is there already; --force replaces it" in capfd.readouterr().err
    assert out.read_text() == "mine"
    assert run(["export", str(db), "-o", str(out), "--force"]) == 0
    assert out.read_text().startswith("time,received")
    damaged = bytearray(db.read_bytes())
    damaged[8192:] = b"\xff" * (len(damaged) - 8192)
    bad = tmp_path / "bad.db"
    bad.write_bytes(damaged)
    for to in ("csv", "parquet", "sqlite"):
        assert run(["export", str(bad), "--to", to, "-o", str(tmp_path / "new")]) == 1
    assert run(["export", str(db), "-o", str(tmp_path / "no" / "a.csv")]) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.db", "bad.db"]


def test_a_recording_is_never_written_over(db: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = db.read_bytes()
    assert run(["export", str(db), "-o", str(db), "--force"]) == 2
    assert "is what is exported" in capfd.readouterr().err
    assert db.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("-o", "x.txt"), "--to: one of csv, jsonl, parquet, arrow, sqlite is wanted"),
        (("--to", "parquet"), "-o PATH is wanted"),
        (("--to", "sqlite"), "is a file (-o)"),
        (("--to", "csv", "--streams", "nothing"), "nothing"),
        (("--to", "csv", "--since", "soon"), "--since"),
    ],
)
def test_what_cannot_be_is_said(
    db: Path, capfd: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    assert run(["export", str(db), *arguments]) == 2
    assert told in capfd.readouterr().err


async def test_standard_output_takes_any_stream(db: Path, tmp_path: Path) -> None:
    for to in ("csv", "parquet", "arrow"):
        with (tmp_path / "out").open("wb") as out:
            process = await start("export", str(db), "--to", to, "-o", "-", stdout=out)
            assert (await finish(process))[0] == 0
        assert run(["export", str(db), "--to", to, "-o", str(tmp_path / "file"), "--force"]) == 0
        assert (tmp_path / "out").read_bytes() == (tmp_path / "file").read_bytes()
