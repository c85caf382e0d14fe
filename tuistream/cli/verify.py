"""`tuistream verify`: whether a recording can be trusted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tuistream.core.text import printable

if TYPE_CHECKING:
    from tuistream.store.checks.findings import Findings, Problem


@click.command(epilog="\b\nExamples:\n  tuistream verify btc.db\n  tuistream verify --json *.db | jq .problems")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="For scripts: times in ns since 1970 UTC.")
def command(files: tuple[Path, ...], as_json: bool) -> int:
    """Check a recording: integrity, blocks, rollups, gaps against ids, counters.

    Exit code 1 where something is wrong. It may be recorded into meanwhile; what comes later is not looked at.
    """
    from tuistream.cli.progress import shown
    from tuistream.store.checks.findings import Findings
    from tuistream.store.segments import files_of
    from tuistream.store.verify import verify

    findings = Findings()

    def look() -> tuple[int, int, int]:
        return findings.done, findings.total, findings.done // 2

    with shown("verify", look):
        verify(files_of(files), findings)
    click.echo(_as_json(findings) if as_json else "\n".join(_as_lines(findings)))
    return 1 if findings.wrong else 0


def _as_json(findings: Findings) -> str:
    values: dict[str, Any] = {"files": findings.files, "rows": findings.rows, "buckets": findings.buckets}
    values |= {"wrong": findings.wrong, "counts": dict(findings.counts)}
    values["problems"] = [
        {
            "file": str(each.path),
            "kind": each.kind,
            "text": each.text,
            "stream": each.stream,
            "row": each.row,
            "t": each.t,
        }
        for each in findings.problems
    ]
    return json.dumps(values, indent=2)


def _as_lines(findings: Findings) -> Iterator[str]:
    for problem in findings.problems:
        yield _line(problem)
    if (more := findings.wrong - len(findings.problems)) > 0:
        yield f"… and {more:,} more like these"
    files = f"{findings.files:,} file{'' if findings.files == 1 else 's'}"
    checked = f"{files}, {findings.rows:,} rows, {findings.buckets:,} rows of rollups"
    yield f"{checked}: {f'{findings.wrong:,} wrong' if findings.wrong else 'nothing is wrong'}"


def _line(problem: Problem) -> str:
    from tuistream.cli.info import local_time

    parts = [printable(str(problem.path), 200), problem.kind]
    if problem.stream is not None:
        parts.append(printable(problem.stream, 60))
    if problem.row is not None:
        parts.append(f"row {problem.row}")
    if problem.t is not None:
        parts.append(local_time(problem.t))
    return f"{': '.join(parts)}: {printable(problem.text, 300)}"
