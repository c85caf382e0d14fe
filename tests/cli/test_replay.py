"""`tuistream replay` in a terminal, and a replay recorded with no screen."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.running import finish, rows, start
from tests.cli.terminal import Terminal
from tests.store.recorded import query, record, ticks


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is needed")
async def test_it_is_shown_to_its_end_and_recorded_where_that_is_asked_for(tmp_path: Path) -> None:
    path, again, elsewhere = tmp_path / "a.db", tmp_path / "b.db", tmp_path / "c.db"
    await record(path, [ticks(count=3_000)])
    with Terminal("replay", str(path), "--speed", "max", TUISTREAM_DB=str(elsewhere)) as terminal:
        text = terminal.until(lambda text: "replay ended" in text)
        assert "BTCUSDT" in text
        assert "a.db" in text
        terminal.type("q")
        assert terminal.end() == 0
    assert not elsewhere.exists()
    with Terminal("replay", str(path), "--speed", "max", "--db", str(again)) as terminal:
        terminal.until(lambda text: "replay ended" in text and "b.db" in text)
        terminal.type("q")
        assert terminal.end() == 0
    columns = "SELECT t, recv, id, v0, v1 FROM ticks ORDER BY n"
    assert query(again, columns) == query(path, columns)


async def test_it_is_recorded_with_no_screen(tmp_path: Path) -> None:
    path, again = tmp_path / "a.db", tmp_path / "b.db"
    await record(path, [ticks(count=3_000)])
    target = f"replay:{path}?speed=max&since=-1s"
    code, _out, _err = await finish(await start("record", target, "--db", str(again), "-q"))
    assert code == 0
    assert rows(again) == 1_001


async def test_what_cannot_be_is_said_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await record(path, [ticks(count=3)])
    for target, told in (
        (f"replay:{tmp_path / 'none.db'}", "no such file"),
        (f"replay:{path}?speed=0", "--speed '0': 0.1 to 1,000, or max, is wanted"),
        (f"replay:{path}?since=soon", "--since 'soon': a time is wanted"),
        (f"replay:{path}?streams=ETH", "'ETH' is not in the recording; in it are BTCUSDT trade"),
        (f"replay:{path}", "that is what is replayed"),
    ):
        code, _out, err = await finish(await start("record", target, "--db", str(path)))
        assert code != 0
        assert told in err
        assert err.count("\n") == 1
