"""That the benches work, in their short form, each row with a figure and nothing lost; their times do not matter."""

from __future__ import annotations

import importlib
import math
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.__main__ import SECTIONS
from tests.bench.latency import answers
from tests.bench.table import HEADS, Row, show

ROOT = Path(__file__).parent.parent.parent

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal and fork are needed")


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.bench", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_in_its_short_form(section: str) -> None:
    done = bench("--short", section)
    assert done.returncode == 0, done.stdout + done.stderr
    head, columns, _rule, *rows = done.stdout.strip().splitlines()
    assert head == section
    heads = getattr(importlib.import_module(f"tests.bench.{section}"), "HEADS", HEADS)
    assert columns.split() == " ".join(heads).split()
    assert rows
    assert "FAILED" not in done.stdout


def test_an_unknown_section_is_refused_with_the_known_ones() -> None:
    done = bench("diks")
    assert done.returncode == 2
    assert "diks" in done.stderr
    assert "disk" in done.stderr


def test_a_row_that_failed_says_so_instead_of_a_figure(capsys: pytest.CaptureFixture[str]) -> None:
    show("disk", [Row("rows/s", "2.5 x", "99 x", "ours", "9 of 10 stored"), Row("other", "1 x", "2 x", "theirs")])
    out = capsys.readouterr().out
    assert "FAILED: 9 of 10 stored" in out
    assert "99 x" not in out
    assert "2 x" in out


def test_a_delay_ends_with_the_chunk_that_completes_the_answer() -> None:
    chunks = [
        (1.0, b"\x1b[1;1Hrange auto"),
        (2.1, b"\x1b[1;1Hran"),  # of another frame, before the key is answered
        (2.2, b"ge 50 ti"),
        (2.3, b"cks\x1b[5;5Hmore"),
        (2.5, b"and on"),
        (4.5, b"\x1b[1;1Hrange auto    "),
    ]
    delays = answers(chunks, [2.0, 4.0, 6.0])
    assert delays[:2] == pytest.approx([0.3, 0.5])
    assert delays[2] == math.inf
