"""What is wrong with a recording, and where."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tuistream.store.opening import reason_of

LISTED = 100  # problems of one kind; all are counted


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. kind: file, table, block, rollup, ids, session or view. t: event time, ns."""

    path: Path
    kind: str
    text: str
    stream: str | None = None
    row: int | None = None
    t: int | None = None


@dataclass(slots=True)
class Findings:
    """What the checks of one file or several found. rows: ticks seen. done, total: how far the check is, in ticks.

    problems: the first `LISTED` of each kind; counts: how many of each there are.
    """

    problems: list[Problem] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    files: int = 0
    rows: int = 0
    buckets: int = 0
    done: int = 0
    total: int = 0
    path: Path = Path()

    def add(
        self, kind: str, text: str, stream: str | None = None, row: int | None = None, t: int | None = None
    ) -> None:
        self.counts[kind] += 1
        if self.counts[kind] <= LISTED:
            self.problems.append(Problem(self.path, kind, text, stream, row, t))

    @property
    def wrong(self) -> int:
        return sum(self.counts.values())


@dataclass(slots=True)
class File:
    """One file that is checked: a read-only connection, and where what is found goes."""

    connection: sqlite3.Connection
    findings: Findings
    last: int = 0  # row of ticks: what comes later is not looked at
    written: bool = False  # a recorder writes it: no transaction is to last long, as its WAL grows meanwhile

    @contextmanager
    def step(self, what: str, *, one_view: bool = True) -> Iterator[None]:
        """Damage that shows in it is noted. one_view: one read transaction, which sees nothing that is written."""
        try:
            if one_view:
                self.connection.execute("BEGIN")
            yield
        except sqlite3.Error as error:
            self.findings.add("file", f"cannot read {what}: {reason_of(error)}")
        except (ValueError, LookupError, TypeError, OverflowError) as error:
            # What the tables hold is not what they were made for.
            self.findings.add("file", f"cannot read {what}: {type(error).__name__}: {error}")
        finally:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")


Check = Callable[[File], None]
