"""Checking recordings: whether what they hold can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tuistream.core.batch import StreamKey
from tuistream.core.errors import RecordingError
from tuistream.store.checks.blocks import check_blocks
from tuistream.store.checks.findings import File, Findings
from tuistream.store.checks.ids import check_ids
from tuistream.store.checks.rollups import check_rollups, check_thinned
from tuistream.store.checks.tables import check_integrity, check_schema, check_sessions
from tuistream.store.lock import writer_of
from tuistream.store.opening import open_for_reading


def verify(paths: Sequence[Path], findings: Findings | None = None) -> Findings:
    """Check the files at `paths`, each recording's in their order. Constant memory, and nothing is written.

    While a recorder writes a file, what is read at once is so little that its WAL, which cannot be emptied meanwhile,
    grows little; its ticks are then read through, and not by SQLite's own check. findings: may be watched meanwhile.
    """
    findings = findings or Findings()
    newest: dict[StreamKey, int] = {}
    for path in paths:
        findings.path = path
        findings.files += 1
        try:
            connection = open_for_reading(path)
        except RecordingError as error:
            findings.add("file", str(error))
            continue
        file = File(connection, findings, written=writer_of(path) is not None)
        checks: tuple[Callable[[File], None], ...] = (
            check_schema,
            check_blocks,
            check_sessions,
            check_rollups,
            check_thinned,
            partial(check_ids, newest=newest),
            check_integrity,
        )
        try:
            for check in checks:
                check(file)
        finally:
            connection.close()
    return findings
