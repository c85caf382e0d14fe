"""Files that mean harm, or nothing: read as far as they can be, refused in our own words, never a traceback."""

from __future__ import annotations

import gzip
import json
import random
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from tests.imports.importing import imported
from tests.store.recorded import T0, query
from tuistream.core.errors import RecordingError, TuistreamError
from tuistream.core.exchange import written
from tuistream.imports import open_reader
from tuistream.imports.arrow import STREAMS_KEY
from tuistream.imports.contract import Progress, Wishes

ROW = "2013-12-02T16:00:00Z,1\n"
BYTES = st.one_of(
    st.binary(max_size=300),
    st.lists(
        st.sampled_from(
            ["time,value\n", ROW, '"',
             ",", "\n", "\r", "\0", ";", "1e999", "nan", "=1", "{", '{"time":1,"v":2}\n', "[1]",
             "1386000000000000000 {}\n", "b'\\x00'", "\ufeff", "#", "99999999999999999999", "9999-12-31T23:59:59Z",
             "time,received,feed,stream,kind,id,x\n", "2026-11-18T11:06:40.000000000Z,", "a=1 b=2\n", "x:1|c\n"]
        ),
        max_size=40,
    ).map(lambda parts: "".join(parts).encode()),
)  # fmt: skip


def take(path: Path, **wishes: object) -> int:
    """Ticks that come out, where it is not refused."""
    try:
        reader = open_reader(path, Wishes(**wishes), Progress())  # type: ignore[arg-type]
        return sum(len(batch) for part in reader.parts() for batch in part.batches)
    except TuistreamError as error:
        said = str(error)
    assert said.isprintable()
    return 0


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(BYTES, st.sampled_from([{}, {"columns": ("time", "value")}, {"unit": "s", "time": "time"}]))
def test_any_bytes(tmp_path: Path, data: bytes, wishes: dict[str, object]) -> None:
    path = tmp_path / "any"
    path.write_bytes(data)
    take(path, **wishes)


@pytest.mark.parametrize("kind", ["parquet", "arrow", "db", "recording", "gz", "zip"])
def test_files_with_bytes_changed_or_missing(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"good.{kind}"
    table = pyarrow.table({"time": [1386000000.0 + i for i in range(500)], "v": [float(i) for i in range(500)]})
    if kind == "parquet":
        parquet.write_table(table, path)
    elif kind == "arrow":
        with pyarrow.OSFile(str(path), "wb") as file, pyarrow.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
    elif kind == "db":
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("CREATE TABLE trades(time float, price float)")
            connection.executemany("INSERT INTO trades VALUES (?, ?)", [(1386000000 + i, i) for i in range(500)])
    else:
        lines = "time,value\n" + "".join(f"{1386000000 + i},{i}\n" for i in range(500))
        pack(kind, path, lines.encode())
    good = path.read_bytes()
    assert take(path) == 500
    chance = random.Random(1)
    for _ in range(60):
        bad = bytearray(good)
        for _ in range(chance.randrange(1, 6)):
            bad[chance.randrange(len(bad))] = chance.randrange(256)
        path.write_bytes(bad[: chance.randrange(len(bad))] if chance.random() < 0.3 else bad)
        take(path)


def pack(kind: str, path: Path, data: bytes) -> None:
    if kind == "gz":
        path.write_bytes(gzip.compress(data))
    elif kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", data)
    else:
        plain = path.with_suffix(".csv")
        plain.write_bytes(data)
        imported(path, plain)


OURS: dict[str, object] = {"time": written(T0), "received": written(T0), "feed": "f", "stream": "s", "kind": "k"}
CELLS: st.SearchStrategy[object] = st.sampled_from(
    [None, 0, -1, 1.5, 10**400, "x", "", True, [1], [[]], {"a": 1}, "2026-11-18", float("nan")]
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.sampled_from([*OURS, "id", "id_text", "x", "field.id"]), CELLS), max_size=5))
def test_what_looks_like_ours_may_hold_anything(tmp_path: Path, changes: list[dict[str, object]]) -> None:
    path = tmp_path / "a.jsonl"
    rows: list[dict[str, object]] = [{"x": 1.0}, *changes]
    path.write_text("".join(f"{json.dumps({**OURS, **change})}\n" for change in rows))
    assert take(path) >= 1
    imported(tmp_path / "a.db", path)


def test_what_a_file_says_of_its_streams_is_not_believed(tmp_path: Path) -> None:
    told = [{"feed": "f", "name": "s", "kind": "k", "fields": ["nothing"], "ids": "opaque", "timed": 1, "found": ""}]
    for said in (
        b"{",
        b"[1]",
        b'[{"feed":{},"name":1,"kind":[],"fields":7,"ids":"opaque","timed":1,"found":0}]',
        json.dumps(told).encode(),
    ):
        table = pyarrow.table({name: [cell] for name, cell in {**OURS, "x": 1.0}.items()})
        parquet.write_table(table.replace_schema_metadata({STREAMS_KEY: said}), tmp_path / "a.parquet")
        with pytest.raises(RecordingError, match="what the file says of its streams"):
            open_reader(tmp_path / "a.parquet", Wishes(), Progress())


def test_names_are_text_wherever_they_come_from(tmp_path: Path) -> None:
    names = ["x'); DROP TABLE ticks; --", "\x1b[31m[red]", "../../etc/passwd", "ticks"]
    rows = "".join(f'1386000000,"{name}",{i}\n' for i, name in enumerate(names))
    (tmp_path / "a.csv").write_text(f"time,symbol,value\n{rows}")
    assert imported(tmp_path / "a.db", tmp_path / "a.csv").rows == 4
    stored = [name for (name,) in query(tmp_path / "a.db", "SELECT name FROM streams ORDER BY id")]
    assert all(name.isprintable() for name in stored)
    assert stored[0] == names[0]
    assert query(tmp_path / "a.db", "SELECT count(*) FROM ticks") == [(4,)]


def test_an_archive_that_unpacks_to_gigabytes_is_read_in_pieces(tmp_path: Path) -> None:
    with (
        zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.csv", "w") as file,
    ):
        file.write(b"time,value\n1386000000,1\n")
        for _ in range(20):
            file.write(b"," * (1 << 20))
    assert take(tmp_path / "a.zip") == 1
