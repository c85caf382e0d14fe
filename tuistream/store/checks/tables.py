"""SQLite's own check, the schema, views and the sessions' counters."""

from __future__ import annotations

from tuistream.core.text import printable
from tuistream.store import catalog, schema
from tuistream.store.checks.findings import File
from tuistream.store.thinned import removed

_MESSAGES = 100
ROWS_AT_ONCE = 200_000


def check_integrity(file: File) -> None:
    """What SQLite's quick_check says of each table."""
    tables: list[tuple[str]] = []
    with file.step("the list of tables"):
        tables = file.connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    for (table,) in tables:
        if table == "ticks" and file.written:
            _read_ticks(file)
            continue
        with file.step(f"the table {printable(table, 60)}"):
            sql = f"PRAGMA quick_check({schema.identifier(table)})"
            for (told,) in file.connection.execute(sql).fetchmany(_MESSAGES):
                for line in told.splitlines() if told != "ok" else ():
                    file.findings.add("file", f"SQLite: {line}")


def _read_ticks(file: File) -> None:
    """All columns of all ticks, so many at once: SQLite's own check would be one transaction over all of them."""
    columns: list[str] = []
    with file.step("the table ticks"):
        found = file.connection.execute("SELECT name FROM pragma_table_info('ticks')").fetchall()
        columns = [f"max({schema.identifier(name)})" for (name,) in found]
    for first in range(1, file.last + 1 if columns else 1, ROWS_AT_ONCE):
        with file.step(f"the table ticks from row {first} on"):
            sql = f"SELECT {', '.join(columns)} FROM ticks WHERE n BETWEEN ? AND ?"  # noqa: S608  # quoted
            file.connection.execute(sql, (first, min(first + ROWS_AT_ONCE - 1, file.last))).fetchone()


def check_schema(file: File) -> None:
    """Whether all tables and views are there and are ours."""
    with file.step("the schema"):
        found = {
            name: (kind, _normal(sql))
            for kind, name, sql in file.connection.execute("SELECT type, name, sql FROM sqlite_schema")
            if sql
        }
        known = catalog.load(file.connection)
        for kind, name, sql in _wanted(known):
            if name not in found:
                file.findings.add("table" if kind == "table" else "view", f"the {kind} {name} is missing")
            elif kind == "view" and found[name] != (kind, _normal(sql)):
                file.findings.add("view", f"the view {name} is not as it should be")


def views_of(known: catalog.Catalog) -> list[str]:
    """The statements that make the views of a recording with these streams, each after the one that drops it."""
    statements = [part for sql in schema.VIEWS for part in (f"DROP VIEW IF EXISTS {_name_in(sql)}", sql)]
    statements += schema.wide_views(known.columns)
    for entry in {entry.id: entry for entry in known.entries.values()}.values():
        statements += catalog.stream_view(entry)
    return statements


def _wanted(known: catalog.Catalog) -> list[tuple[str, str, str]]:
    tables = [("table", _name_in(sql), sql) for sql in schema.TABLES]
    views = [sql for sql in views_of(known) if sql.startswith("CREATE")]
    return tables + [("view", _name_in(sql), sql) for sql in views]


def _name_in(creation: str) -> str:
    """The name of what `creation` (one of ours) makes."""
    name = creation.split(maxsplit=2)[2]
    if name.startswith('"'):
        end = 1
        while name[end] != '"' or name[end + 1 : end + 2] == '"':
            end += 1 + (name[end] == '"')
        return name[1:end].replace('""', '"')
    return name.split("(")[0].split()[0]


def _normal(sql: str) -> str:
    return " ".join(sql.split())


def check_sessions(file: File) -> None:
    """Whether the sessions together have written as many ticks as there are, in enough flushes for their blocks."""
    findings = file.findings
    with file.step("the sessions"):
        rows, flushes = file.connection.execute(
            "SELECT coalesce(sum(rows), 0), coalesce(sum(flushes), 0) FROM sessions"
        ).fetchone()
        (there,) = file.connection.execute("SELECT coalesce(sum(r1 - r0 + 1), 0) FROM blocks").fetchone()
        (blocks,) = file.connection.execute(
            "SELECT coalesce(max(count), 0) FROM (SELECT count(*) AS count FROM blocks GROUP BY stream)"
        ).fetchone()
        gone, _ = removed(file.connection)
        if rows != there + gone:
            told = f"; {gone:,} are said to have been removed" if gone else ""
            findings.add("session", f"the sessions have counted {rows:,} ticks; the blocks have {there:,}{told}")
        if flushes < blocks:
            findings.add("session", f"the sessions have counted {flushes:,} flushes; a stream has {blocks:,} blocks")
        for number, began, alive, ended in file.connection.execute("SELECT id, began, alive, ended FROM sessions"):
            if ended is not None and ended != alive:
                findings.add("session", f"session {number} ended at {ended}, and was last alive at {alive}", t=began)
