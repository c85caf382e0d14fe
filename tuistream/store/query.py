"""SQL on recordings that cannot change anything: neither the files, nor any other."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from tuistream.core.errors import RecordingError, SettingsError
from tuistream.core.text import printable
from tuistream.store.opening import open_for_reading, reason_of, result_code
from tuistream.store.union import open_union

ROWS_AT_ONCE: Final = 1_000
STEPS: Final = 100_000  # of SQLite's machine, after which it is seen whether Ctrl+C was pressed

_ALLOWED: Final = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE)
# What only tells something: https://sqlite.org/pragma.html
_PRAGMAS: Final = frozenset(
    (
        "application_id", "compile_options", "data_version", "database_list", "encoding", "foreign_key_list",
        "freelist_count", "function_list", "index_info", "index_list", "index_xinfo", "integrity_check",
        "page_count", "page_size", "pragma_list", "quick_check", "table_info", "table_list", "table_xinfo",
        "user_version",
    )
)  # fmt: skip
_WITH_ARGUMENT: Final = frozenset(
    ("foreign_key_list", "index_info", "index_list", "index_xinfo", "integrity_check", "quick_check", "table_info",
     "table_list", "table_xinfo")
)  # fmt: skip
_NO_FUNCTIONS: Final = frozenset(("edit", "fts3_tokenizer", "load_extension", "readfile", "writefile"))
_OF_THE_FILE: Final = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
)
_TABLE_FUNCTIONS: Final = ("json_each", "json_tree", *(f"pragma_{name}" for name in sorted(_PRAGMAS)))
_NEAR = re.compile(r'near "(.+)": syntax error', re.DOTALL)
_UNKNOWN = re.compile(r"no such (?:table|column|function): (.+)|ambiguous column name: (.+)", re.DOTALL)


class Query:
    """The rows of one statement on the recording in `files`. A context manager.

    The files are open read-only, and SQLite asks for each thing that the statement would do: it may read, call
    functions and look at the schema. Several files are seen as one: see `union`.

    Raises SettingsError for what is wrong with the statement, with its place; RecordingError for what is wrong with
    the files; KeyboardInterrupt where Ctrl+C came. columns: their names.
    """

    def __init__(self, files: Sequence[Path], sql: str) -> None:
        self._sql = sql
        self._connection = open_for_reading(files[0]) if len(files) == 1 else open_union(files)
        self._where = str(files[0]) if len(files) == 1 else f"{len(files)} files"
        try:
            self._connection.execute("PRAGMA query_only = ON")
            for name in _TABLE_FUNCTIONS:  # SQLite makes them with their first use, which would not be allowed
                with suppress(sqlite3.OperationalError):  # a pragma that this SQLite has not
                    self._connection.execute(f"SELECT 1 FROM {name} LIMIT 0")  # noqa: S608
            self._connection.set_authorizer(_may)
            self._connection.set_progress_handler(_go_on, STEPS)
            self._cursor = self._execute()
            if self._cursor.description is None:
                raise SettingsError("SQL: it asks for nothing")
        except BaseException:
            self._connection.close()
            raise
        self.columns = [column[0] for column in self._cursor.description]

    def __enter__(self) -> Query:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.close()

    def rows(self) -> Iterator[tuple[Any, ...]]:
        while True:
            try:
                found = self._cursor.fetchmany(ROWS_AT_ONCE)
            except sqlite3.Error as error:
                raise self._failure(error) from error
            if not found:
                return
            yield from found

    def _execute(self) -> sqlite3.Cursor:
        try:
            return self._connection.execute(self._sql)
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def _failure(self, error: sqlite3.Error) -> BaseException:
        code = result_code(error)
        if code == sqlite3.SQLITE_INTERRUPT:
            return KeyboardInterrupt()
        if code in _OF_THE_FILE:
            return RecordingError(f"cannot read {self._where}: {reason_of(error)}")
        why = "a query may only read" if str(error) == "not authorized" else printable(str(error))
        return SettingsError(f"SQL: {why}{self._place(str(error))}")

    def _place(self, message: str) -> str:
        """Where in the statement the fault is, as far as SQLite's words tell."""
        at = None
        if match := _NEAR.fullmatch(message):
            at = self._near(match[1])
        elif match := _UNKNOWN.fullmatch(message):
            word = (match[1] or match[2]).rpartition(".")[2]
            found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", self._sql, re.IGNORECASE)
            at = found.start() if found else None
        if at is None:
            return ""
        before = self._sql[:at]
        line, column = before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1
        return f", line {line}, column {column}" if "\n" in self._sql.strip() else f", at character {column}"

    def _near(self, token: str) -> int | None:
        """Where the token is that SQLite stopped at: the first that cannot follow what is before it."""
        for match in re.finditer(re.escape(token), self._sql):
            try:
                self._connection.execute(f"EXPLAIN {self._sql[: match.end()]}")
            except sqlite3.Error as error:
                if (found := _NEAR.fullmatch(str(error))) and found[1] == token:
                    return match.start()
        return None


def _go_on() -> int:
    """Called now and then, in Python: so that a signal's handler gets to run. What it raises ends the statement."""
    return 0


def _may(action: int, first: str | None, second: str | None, database: str | None, inner: str | None) -> int:  # noqa: ARG001
    """SQLite's authorizer: https://sqlite.org/c3ref/c_alter_table.html tells what `first` and `second` are."""
    if action in _ALLOWED:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() not in _NO_FUNCTIONS:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA:
        name = (first or "").lower()
        if name in _PRAGMAS and (second is None or name in _WITH_ARGUMENT):
            return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY
