"""What is left of an export or an import that is ended by a signal."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from tests.cli.running import PATIENCE, query, rows, start, until
from tests.store.recorded import record, ticks

COUNT = 200_000
TIMES = 30  # how often one file is imported: far more than is written before a signal comes


async def test_an_export_that_is_ended_leaves_nothing(tmp_path: Path) -> None:
    await record(tmp_path / "a.db", [ticks(count=3 * COUNT)])
    for name in ("a.csv", "out.db"):
        process = await start("export", str(tmp_path / "a.db"), "-o", str(tmp_path / name))
        try:
            await until(lambda: any(path.suffix == ".part" for path in tmp_path.iterdir()))
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), PATIENCE) == 130
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()
        assert [path.name for path in tmp_path.iterdir()] == ["a.db"]


async def test_an_import_that_is_ended_keeps_what_came(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    lines = "".join(f"{1386000000 + i},{i}\n" for i in range(COUNT))
    (tmp_path / "a.csv").write_text(f"time,value\n{lines}")
    process = await start("import", *[str(tmp_path / "a.csv")] * TIMES, "--db", str(db))
    try:
        await until(lambda: rows(db) > 0)
        process.send_signal(signal.SIGTERM)
        out, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    kept = rows(db)
    assert process.returncode == 130
    assert 0 < kept < TIMES * COUNT
    assert out.decode().startswith(f"{kept:,} ticks of 1 stream in {db}")
    assert query(db, "SELECT count(*), max(v0) FROM ticks") == [(kept, min(kept, COUNT) - 1)]
    assert query(db, "SELECT ended IS NOT NULL, rows FROM sessions") == [(1, kept)]
