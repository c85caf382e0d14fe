import random
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.store.recorded import query
from tests.store.test_verify import change, whole
from tuistream.cli.repair import command
from tuistream.core.errors import RecordingError
from tuistream.store.repair import repair
from tuistream.store.verify import verify

__all__ = ["whole"]  # a fixture

TICKS = (
    "SELECT s.name, t, recv, k.id, v0, v1 FROM ticks AS k JOIN streams AS s ON s.id = k.stream ORDER BY s.name, k.n"
)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM blocks",
        "DELETE FROM rollup_1s",
        "UPDATE rollup_1m SET max = 5",
        "UPDATE streams SET reach = 0",
        "UPDATE sessions SET rows = 7, flushes = 0",
        "DELETE FROM sessions",
        "DROP VIEW trades",
        "DROP TABLE media",
        "DELETE FROM events",
        "UPDATE events SET details = replace(details, '500', '100')",
    ],
)
async def test_what_is_wrong_is_mended_in_a_copy(whole: Path, statement: str) -> None:
    before = query(whole, TICKS)
    change(whole, statement)
    bytes_before = whole.read_bytes()
    assert verify([whole]).wrong
    copy = whole.with_name("copy.db")
    repaired = repair(whole, copy)
    assert (repaired.rows, repaired.lost) == (len(before), {})
    assert verify([copy]).problems == []
    assert query(copy, TICKS) == before
    assert whole.read_bytes() == bytes_before
    with pytest.raises(RecordingError, match="there already"):
        repair(whole, copy)


async def test_a_stream_without_its_row_keeps_its_ticks(whole: Path) -> None:
    change(whole, "DELETE FROM streams WHERE name = 's'")
    copy = whole.with_name("copy.db")
    assert repair(whole, copy).rows == 21_100
    assert verify([copy]).problems == []
    assert query(copy, "SELECT count(*) FROM streams WHERE kind = 'unknown'") == [(1,)]


async def test_damaged_pages_cost_their_rows_and_no_others(whole: Path) -> None:
    ((size,),) = query(whole, "PRAGMA page_size")
    rows = set(query(whole, TICKS))
    leaves = (
        query(whole, "SELECT pageno FROM dbstat WHERE name = 'ticks' AND pagetype = 'leaf'")
        if has_dbstat(whole)
        else [(page,) for page in range(40, 200, 10)]
    )
    chance = random.Random(5)
    for (page,) in chance.sample(leaves, 3):
        damaged, copy = whole.with_name(f"damaged{page}.db"), whole.with_name(f"copy{page}.db")
        shutil.copy(whole, damaged)
        with damaged.open("r+b") as file:
            file.seek((page - 1) * size)
            file.write(b"\xff" * size)
        assert verify([damaged]).wrong
        result = CliRunner().invoke(
            command, [str(damaged), "-o", str(copy)], catch_exceptions=False, standalone_mode=False
        )
        assert "could not be read" in result.output
        kept = set(query(copy, TICKS))
        assert kept < rows
        assert len(rows) - len(kept) < 400
        assert verify([copy]).problems == []


def has_dbstat(path: Path) -> bool:
    return ("ENABLE_DBSTAT_VTAB",) in query(path, "PRAGMA compile_options")
