"""Texts, pictures and the like that a recording holds, in the order in which they came."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from tuistream.core.batch import Stream
from tuistream.core.board import Item
from tuistream.core.errors import RecordingError
from tuistream.store import catalog
from tuistream.store.opening import open_for_reading, reason_of
from tuistream.store.playback import Selection

AT_ONCE: Final = 8  # an item may be a large picture
ADDED: Final = ("text",)  # kinds of which the older ones stay; any other item takes the place of the one before
TEXTS: Final = ("text", "image", "video")  # kinds whose values are texts, if they are no bytes
_MOST: Final = (1 << 63) - 1


def items(selection: Selection, since: int | None = None) -> Generator[Item]:
    """The items of a selection; with `since` those that were received then (ns) or later. Raises RecordingError.

    Each few are a query of their own, so that a file that is being written can be read for as long as one likes.
    """
    for path in selection.files:
        with _file(path) as connection:
            streams = _streams(connection)
            where, parameters = _wanted(selection, streams)
            sql = "SELECT n, stream, t, recv, type, data FROM media"
            sql += f" WHERE n > ? AND recv >= ?{where} ORDER BY n LIMIT ?"
            n, least = 0, -_MOST if since is None else since
            while found := connection.execute(sql, (n, least, *parameters, AT_ONCE)).fetchall():
                n = found[-1][0]
                yield from (_item(streams, row) for _, *row in found if row[0] in streams)


def last_before(selection: Selection, recv: int) -> list[Item]:
    """Of each stream the last item that was received before `recv`, ns. Raises RecordingError."""
    newest: dict[tuple[str, str, str], Item] = {}
    for path in selection.files:
        with _file(path) as connection:
            streams = _streams(connection)
            where, parameters = _wanted(selection, streams)
            last = f"SELECT max(n) FROM media WHERE recv < ?{where} GROUP BY stream"  # noqa: S608  # our words
            sql = f"SELECT stream, t, recv, type, data FROM media WHERE n IN ({last})"  # noqa: S608
            for row in connection.execute(sql, (recv, *parameters)):
                if row[0] in streams:
                    item = _item(streams, row)
                    newest[item.stream.key] = item
    return list(newest.values())


@contextmanager
def _file(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_for_reading(path)) as connection:
        try:
            yield connection
        except sqlite3.Error as error:
            raise RecordingError(f"cannot read {path}: {reason_of(error)}") from error
        except (ValueError, LookupError, TypeError, OverflowError) as error:
            # What the tables hold is not what they were made for.
            raise RecordingError(f"cannot read {path}: the file is damaged") from error


def _streams(connection: sqlite3.Connection) -> dict[int, Stream]:
    return {entry.id: entry.stream for entry in catalog.load(connection).entries.values()}


def _wanted(selection: Selection, streams: dict[int, Stream]) -> tuple[str, tuple[int, int]]:
    """What follows in a WHERE, and its parameters."""
    numbers = selection.numbers(streams)
    named = "" if numbers is None else f" AND stream IN ({', '.join(map(str, numbers))})"
    since = -_MOST if selection.since is None else selection.since
    return f" AND t BETWEEN ? AND ?{named}", (since, _MOST if selection.until is None else selection.until - 1)


def _item(streams: dict[int, Stream], row: Any) -> Item:
    number, t, recv, kind, data = row
    held = data if isinstance(data, bytes) else str(data).encode()
    return Item(streams[number], t, recv, kind, value_of(held, kind), len(held), replaces=kind not in ADDED)


def value_of(data: bytes, kind: str) -> object:
    """What an item of `kind` held, of which the table has `data`: see `storable_bytes`."""
    try:
        return data.decode() if kind in TEXTS else json.loads(data)
    except (ValueError, RecursionError):
        return data.decode(errors="replace") if kind in ADDED else data
