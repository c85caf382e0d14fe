"""What becomes of ticks while something is wrong; `python -m tests.bench.faults` does more of it, and for longer."""

import sys
from pathlib import Path

import pytest

from tests.sinks import faults

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals, and files that are renamed while open")

SOME = (
    "no space for anything (ENOSPC)",
    "writes fail (EIO)",
    "file replaced by another program's",
    "no new file can be made",
    "clock goes back an hour, twice",
    "ticks of 1970 and of 2100",
)


@pytest.mark.parametrize("name", SOME)
def test_ticks_are_kept_or_counted_and_no_row_is_wrong(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "LASTS", 0.3)
    try:
        outcome = faults.FAULTS[name](tmp_path)
    except faults.NotHere as reason:
        pytest.skip(str(reason))
    assert outcome.wrong == ()
    assert outcome.said
    assert outcome.kept + outcome.lost == outcome.offered > 0
