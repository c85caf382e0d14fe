"""Imports as the command makes them, and what is in a recording then."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tuistream.imports.contract import Wishes
from tuistream.imports.run import Imported, run

Tick = tuple[tuple[str, str, str], int, int, Any, dict[str, float]]


def imported(db: Path, *paths: Path, **wishes: Any) -> Imported:
    done = Imported()
    asyncio.run(run(paths, db, Wishes(**wishes), done))
    return done


def ticks_of(db: Path) -> list[Tick]:
    """All ticks in the order of their rows: whose, event and receive time, id, and the values that there are."""
    import json

    with closing(sqlite3.connect(f"{db.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        streams = {
            number: ((feed, name, kind), [each["name"] for each in json.loads(fields)])
            for number, feed, name, kind, fields in connection.execute(
                "SELECT id, feed, name, kind, fields FROM streams"
            )
        }
        columns = [name for (name,) in connection.execute("SELECT name FROM pragma_table_info('ticks')")]
        values = sorted((name for name in columns if name[0] == "v"), key=lambda name: int(name[1:]))
        rows = connection.execute(f"SELECT stream, t, recv, id, {', '.join(values)} FROM ticks ORDER BY n")
        return [
            (
                streams[stream][0], t, recv, tick_id,
                {name: value for name, value in zip(streams[stream][1], cells, strict=False) if value is not None},
            )
            for stream, t, recv, tick_id, *cells in rows
        ]  # fmt: skip


def by_stream(ticks: list[Tick]) -> dict[tuple[str, str, str], list[Tick]]:
    found: dict[tuple[str, str, str], list[Tick]] = {}
    for tick in ticks:
        found.setdefault(tick[0], []).append(tick)
    return found
