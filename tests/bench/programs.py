"""The programs whose users change nothing: the tests of each, run."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter

from tests.bench.table import Row
from tests.test_programs import ROOT, ROWS

HEADS = ("what a program sends", "wanted", "this run", "tests")
SHORT = 2  # rows of the short form
_OUTCOME = re.compile(r"^(\S+?::\w+)(?:\[.*\])? (PASSED|FAILED|ERROR|SKIPPED)", re.MULTILINE)


def outcomes(tests: list[str]) -> dict[str, Counter[str]]:
    """By the test's name, how many of its cases passed, failed or were skipped."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-o", "addopts=", "-v", *tests]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found: dict[str, Counter[str]] = {test: Counter() for test in tests}
    for test, outcome in _OUTCOME.findall(done.stdout):
        found[test][outcome.lower()] += 1
    return found


def rows(short: bool = False) -> list[Row]:
    wanted = dict([*ROWS.items()][:SHORT]) if short else ROWS
    tests = sorted({f"tests/{test}" for named in wanted.values() for test in named})
    found = outcomes(tests)
    table = []
    for name, named in wanted.items():
        cases = sum((found[f"tests/{test}"] for test in named), Counter[str]())
        told = ", ".join(f"{count} {word}" for word, count in cases.items())
        wrong = "" if cases["passed"] == cases.total() > 0 else told or "no test ran"
        table.append(Row(name, "its tests pass", told, ", ".join(test.partition("::")[2] for test in named), wrong))
    return table
