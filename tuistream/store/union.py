"""Several files of recordings as one for SQL: temporary views over the tables and views of all of them."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from tuistream.core.batch import StreamKey
from tuistream.core.errors import RecordingError, SettingsError
from tuistream.store.opening import BUSY_SECONDS, open_for_reading, reason_of
from tuistream.store.schema import identifier

MOST_FILES: Final = 10  # SQLITE_MAX_ATTACHED, as SQLite is built nearly everywhere

_NAMED: Final = ("gaps", "candles_1m", "ticks_named")  # have a stream's name, not its number
_ROW_NUMBERS: Final = {("ticks", "n"), ("blocks", "r0"), ("blocks", "r1")}
_BEFORE_FIELDS: Final = 4  # columns of a stream's view: time, t, recv, id


class _Stream(msgspec.Struct, frozen=True):
    """A stream of one file. number: its id there. columns: of its view, one a field."""

    number: int
    key: StreamKey
    fields: tuple[str, ...]
    view: str
    columns: tuple[str, ...]


class _Merged(msgspec.Struct):
    """A stream of all files. fields: with the name that each has in its view."""

    number: int
    row: dict[str, object]  # of `streams`, of the first file that has it
    view: str
    fields: dict[str, str] = msgspec.field(default_factory=dict)


class _File(msgspec.Struct, frozen=True):
    """schema: what it is attached as. before: rows of ticks in the files before it."""

    schema: str
    streams: list[_Stream]
    tables: dict[str, list[str]]  # their columns; views have none of a stream's
    before: int


def open_union(files: Sequence[Path]) -> sqlite3.Connection:
    """A connection to all `files`, each attached as file1, file2, … read-only, with views over all of them.

    The views are called like the tables and views of one file. A stream of several files, known by its feed, name and
    kind, has one number and one view; rows of ticks are numbered through. A minute in which a file ends has a row of
    candles_1m in each of its files. Raises RecordingError, SettingsError where there are too many.
    """
    if len(files) > MOST_FILES:
        raise SettingsError(
            f"{len(files)} files: SQLite reads {MOST_FILES} at once;"
            " `tuistream export FILE… --to sqlite -o ONE.db` makes one of them"
        )
    connection = sqlite3.connect(":memory:", timeout=BUSY_SECONDS, isolation_level=None, uri=True)
    merged: dict[StreamKey, _Merged] = {}
    found: list[_File] = []
    rows = 0
    try:
        for number, path in enumerate(files, 1):
            open_for_reading(path).close()  # says what is wrong with a file in its own words
            connection.execute(f"ATTACH ? AS file{number}", (f"{path.resolve().as_uri()}?mode=ro",))
            found.append(_look(connection, f"file{number}", rows, merged))
            rows += connection.execute(f"SELECT coalesce(max(n), 0) FROM file{number}.ticks").fetchone()[0]  # noqa: S608
        _create(connection, found, merged)
    except sqlite3.Error as error:
        connection.close()
        raise RecordingError(f"cannot read {', '.join(path.name for path in files)}: {reason_of(error)}") from error
    except BaseException:
        connection.close()
        raise
    return connection


def _look(connection: sqlite3.Connection, name: str, before: int, merged: dict[StreamKey, _Merged]) -> _File:
    """What there is in one file; its streams join `merged`."""
    objects = connection.execute(
        f"SELECT name FROM {name}.sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"  # noqa: S608
    ).fetchall()
    tables = {table: _columns(connection, name, table) for (table,) in objects}
    cursor = connection.execute(f"SELECT * FROM {name}.streams ORDER BY id")  # noqa: S608
    names = [column[0] for column in cursor.description]
    streams = []
    for values in cursor.fetchall():
        row = dict(zip(names, values, strict=True))
        fields = tuple(each["name"] for each in json.loads(row["fields"]))
        view = row["view"] or ""
        columns = tuple(tables.pop(view, [])[_BEFORE_FIELDS:])
        key = (row["feed"], row["name"], row["kind"])
        streams.append(_Stream(row["id"], key, fields, view, columns))
        stream = merged.setdefault(key, _Merged(len(merged) + 1, row, view))
        for each, column in zip(fields, columns or fields, strict=True):
            taken = {known.lower() for known in stream.fields.values()}
            stream.fields.setdefault(each, column if column.lower() not in taken else f"{column}_{len(taken)}")
    return _File(name, streams, tables, before)


def _columns(connection: sqlite3.Connection, name: str, table: str) -> list[str]:
    return [row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?, ?)", (table, name))]


def _create(connection: sqlite3.Connection, files: list[_File], merged: dict[StreamKey, _Merged]) -> None:
    names = files[0].tables["streams"]
    connection.execute(f"CREATE TEMP TABLE streams ({', '.join(names)})")
    for stream in merged.values():
        fields = json.dumps([{"name": name, "unit": ""} for name in stream.fields], ensure_ascii=False)
        row = {**stream.row, "id": stream.number, "fields": fields}
        marks = ", ".join("?" * len(names))
        connection.execute(f"INSERT INTO temp.streams VALUES ({marks})", [row.get(name) for name in names])  # noqa: S608
    for table in dict.fromkeys(table for file in files for table in file.tables):
        if table != "streams":
            _union(connection, table, [_table(file, table, merged) for file in files if table in file.tables])
    taken = {table.lower() for file in files for table in file.tables}
    for key, stream in merged.items():
        if stream.view and stream.view.lower() not in taken:
            taken.add(stream.view.lower())
            _union(connection, stream.view, [_view(file, key, stream) for file in files])


def _union(connection: sqlite3.Connection, name: str, selects: list[str]) -> None:
    parts = " UNION ALL ".join(select for select in selects if select)
    connection.execute(f"CREATE TEMP VIEW {identifier(name)} AS {parts}")


def _table(file: _File, table: str, merged: dict[StreamKey, _Merged]) -> str:
    """A file's rows of a table, or of a view that is no stream's, as those of one of all files."""
    columns = file.tables[table]
    taken = []
    width = max([2, *(len(stream.fields) for stream in merged.values())])
    for column in columns:
        if re.fullmatch(r"v\d+", column) and table == "ticks":
            continue
        sql = identifier(column)
        if (table, column) in _ROW_NUMBERS:
            sql = f"{sql} + {file.before} AS {sql}"
        elif column == "stream" and table not in _NAMED:
            sql = f"{_case('stream', {s.number: str(merged[s.key].number) for s in file.streams}, 'NULL')} AS stream"
        elif column == "field" and table.startswith("rollup_"):
            places = {s.number: _case("field", _moved(s, merged[s.key]), "field") for s in file.streams}
            sql = f"{_case('stream', places, 'field')} AS field"
        taken.append(sql)
    if table == "ticks":
        have = sum(1 for column in columns if re.fullmatch(r"v\d+", column))
        taken += [_value(file, column, column < have, merged) for column in range(width)]
    return f"SELECT {', '.join(taken)} FROM {file.schema}.{identifier(table)}"  # noqa: S608  # quoted


def _moved(stream: _Stream, merged: _Merged) -> dict[int, str]:
    """Where the fields of a stream of one file stand in that of all, as far as it is elsewhere."""
    order = list(merged.fields)
    return {at: str(order.index(name)) for at, name in enumerate(stream.fields) if order.index(name) != at}


def _value(file: _File, column: int, there: bool, merged: dict[StreamKey, _Merged]) -> str:
    """The value of the field that is the `column`-th of the stream in all files."""
    elsewhere = {}
    for stream in file.streams:
        order = list(merged[stream.key].fields)
        if column < len(order):
            at = stream.fields.index(order[column]) if order[column] in stream.fields else -1
            if at != column:
                elsewhere[stream.number] = f"v{at}" if at >= 0 else "NULL"
    return f"{_case('stream', elsewhere, f'v{column}' if there else 'NULL')} AS v{column}"


def _case(column: str, values: dict[int, str], otherwise: str) -> str:
    whens = " ".join(f"WHEN {number} THEN {value}" for number, value in values.items())
    return f"CASE {column} {whens} ELSE {otherwise} END" if whens else otherwise


def _view(file: _File, key: StreamKey, merged: _Merged) -> str:
    """A file's part of a stream's view: its fields by their names, NULL for those that it has not."""
    stream = next((each for each in file.streams if each.key == key and each.columns), None)
    if stream is None:
        return ""
    own = dict(zip(stream.fields, stream.columns, strict=True))
    columns = "".join(
        f", {identifier(own[name]) if name in own else 'NULL'} AS {identifier(column)}"
        for name, column in merged.fields.items()
    )
    return f"SELECT time, t, recv, id{columns} FROM {file.schema}.{identifier(stream.view)}"  # noqa: S608  # quoted
