"""The accelerated week in a short form, and that its verdict sees what it is there for."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.bench.week import DAY, HOUR, MONDAY, STREAMS, Sample, lived, verdict
from tuistream.store.segments import files_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_some_days_in_a_moment(tmp_path: Path) -> None:
    base = tmp_path / "week.db"
    week, samples = asyncio.run(lived(base, 3, 0.2, lambda _sample: None, connected=DAY))
    assert verdict(week, samples, base) == []
    assert week.sent == pytest.approx(0.2 * 3 * 86_400, rel=0.01)
    assert week.outages == 2
    assert len(samples) == 73
    days = files_of([base])
    assert len(days) >= 3
    with closing(sqlite3.connect(days[0])) as connection:
        (late,) = connection.execute("SELECT count(*) FROM ticks WHERE recv - t > 40e9").fetchone()
        assert late > 10
        assert connection.execute("SELECT count(*) FROM streams").fetchone() == (len(STREAMS),)


def test_what_grows_or_is_missing_is_seen(tmp_path: Path) -> None:
    base = tmp_path / "week.db"
    week, samples = asyncio.run(lived(base, 1, 0.05, lambda _sample: None, connected=2 * DAY))
    week.sent += 1
    week.outages += 1
    (rows, gaps) = verdict(week, samples, base)
    assert "ticks" in rows
    assert "gaps" in gaps
    week.sent -= 1
    week.outages -= 1
    growing = [Sample(MONDAY + hour * HOUR, 50 + hour / 5, 0, 13 + hour // 12, 0, 0, 1, 0) for hour in range(169)]
    (memory, files) = verdict(week, growing, base)
    assert memory.startswith("memory rose from 64.2 to 83.6")
    assert files == "open files rose from 13 to 27"
