"""What is left of an export or an import that is ended by a signal."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.cli.running import PATIENCE, query, rows, start, until
from tests.store.recorded import record, ticks
from tuistream.imports.contract import Wishes
from tuistream.imports.run import Imported, run
from tuistream.sinks.sqlite import SqliteSink

COUNT = 200_000
TIMES = 30  # files of an import: far more than is written before a signal comes


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
    (tmp_path / "0.csv").write_text(f"time,value\n{lines}")
    for number in range(1, TIMES):
        (tmp_path / f"{number}.csv").hardlink_to(tmp_path / "0.csv")
    process = await start("import", *map(str, sorted(tmp_path.glob("*.csv"))), "--feed", "a", "--db", str(db))
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


async def test_an_import_that_is_ended_while_the_last_is_written_counts_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = tmp_path / "a.db"
    (tmp_path / "a.csv").write_text("time,value\n" + "".join(f"{1386000000 + i},{i}\n" for i in range(COUNT)))
    all_read = asyncio.Event()
    stop = SqliteSink.stop

    def told(sink: SqliteSink) -> None:
        stop(sink)
        all_read.set()

    monkeypatch.setattr(SqliteSink, "stop", told)
    done = Imported()
    importing = asyncio.create_task(run([tmp_path / "a.csv"], db, Wishes(), done))
    await asyncio.wait_for(all_read.wait(), PATIENCE)
    importing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(importing, PATIENCE)
    assert done.rows == rows(db) == COUNT
