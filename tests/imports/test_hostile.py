"""Files that mean harm, or nothing: read as far as they can be, refused in our own words, never a traceback."""

from __future__ import annotations

import gzip
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
from tests.store.recorded import query
from tuistream.core.errors import TuistreamError
from tuistream.imports import open_reader
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


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
