"""Texts, pictures and the like in a recording, where they are asked for."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.store.recorded import T0, query, ticks
from tuistream.cli.info import command
from tuistream.core import outbox as outbox_module
from tuistream.core.batch import Stream
from tuistream.core.board import Item
from tuistream.core.outbox import Outbox
from tuistream.core.session import Session
from tuistream.core.status import FeedStatus
from tuistream.sinks import sqlite
from tuistream.sinks.sqlite import SqliteSink
from tuistream.store.inspect import inspect
from tuistream.store.values import storable_bytes

TEXTS = Stream("hub", "80085", "text", ())
PICTURES = Stream("hub", "80085", "image", ())


def item(stream: Stream, value: object, number: int = 0, *, replaces: bool = False, size: int = 10) -> Item:
    return Item(stream, T0 + number, T0 + number + 5, stream.kind, value, size, replaces)


async def recorded(path: Path, items: list[Item], *, media: bool = True) -> SqliteSink:
    """What a session shows of `items` goes into the file at `path`."""
    session = Session()
    feed = session.add_feed(FeedStatus("hub"))
    outbox = Outbox("test", media=media)
    session.outboxes.append(outbox)
    async with SqliteSink(path, outbox) as sink:
        writing = asyncio.create_task(sink.run())
        session.show(feed, items)
        session.ingest(feed, [ticks(count=3)])
        sink.stop()
        await writing
    return sink


async def test_every_item_is_kept_whole_with_its_times_and_its_stream(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    long = "text\x00 with a NUL, \x1b[2J, ü and a lone \ud800 " * 5_000
    picture = bytes(range(256))
    markers = {"zoom": 4, "data": [{"lat": 41.4, "lng": float("nan")}], "x": np.array([1.0, 2.0])}
    items = [
        item(TEXTS, "hello", 0),
        item(PICTURES, b"first", 1, replaces=True),
        item(PICTURES, picture, 2, replaces=True),
        item(TEXTS, long, 3),
        item(Stream("hub", "7", "map", ()), markers, 4),
    ]
    sink = await recorded(path, items)
    rows = query(
        path, "SELECT s.name, s.kind, i.t, i.recv, i.type, i.data FROM media i JOIN streams s ON s.id = i.stream"
    )
    assert [row[:5] for row in rows[:3]] == [
        ("80085", "text", T0, T0 + 5, "text"),
        ("80085", "image", T0 + 1, T0 + 6, "image"),
        ("80085", "image", T0 + 2, T0 + 7, "image"),
    ]
    values = [row[5] for row in rows]
    assert values[:3] == [b"hello", b"first", picture]
    assert values[3] == long.encode("utf-8", "backslashreplace")
    assert json.loads(values[4]) == {"zoom": 4, "data": [{"lat": 41.4, "lng": None}], "x": [1.0, 2.0]}
    assert (sink.items, sink.status().items, sink.rows) == (5, 5, 3)


async def test_info_tells_how_many_and_how_large(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await recorded(path, [item(TEXTS, "hello"), item(PICTURES, b"x" * 995)])
    contents = inspect(path)
    assert (contents.items, contents.item_bytes, contents.layout) == (2, 1_000, 1)
    told = CliRunner().invoke(command, [str(path)], catch_exceptions=False).output
    assert "2 items (texts, pictures and the like), 1.0 kB" in told


async def test_nothing_of_it_where_nobody_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    sink = await recorded(path, [item(TEXTS, "hello")], media=False)
    assert query(path, "SELECT count(*) FROM media") == [(0,)]
    assert (sink.items, sink.rows, inspect(path).items) == (0, 3, 0)


async def test_what_found_no_room_is_counted_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.db"
    monkeypatch.setattr(outbox_module, "PENDING_BYTES", 100)
    items = [item(TEXTS, str(number), number, size=10) for number in range(25)]
    sink = await recorded(path, items)
    assert (sink.items, sink.status().lost_items) == (20, 5)
    ((text,),) = query(path, "SELECT text FROM events WHERE kind = 'lost'")
    assert text.startswith("5 texts, pictures or the like")


def test_whatever_an_item_holds_can_be_stored() -> None:
    deep: object = "end"
    for _ in range(900):
        deep = [deep]
    assert storable_bytes(deep).count(b"[") < 200
    assert storable_bytes({1: {2, 3}.__class__, "b": (True, None)}) == b'{"1": "<class \'set\'>", "b": [true, null]}'


async def test_items_that_could_not_be_written_at_the_end_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "DRAIN_SECONDS", 0.2)
    path = tmp_path / "a.db"
    outbox = Outbox("test", media=True)
    sink = SqliteSink(path, outbox)
    await sink.open()
    blocker = sqlite3.connect(path)
    blocker.execute("BEGIN IMMEDIATE")
    for number in range(3):
        outbox.offer_item(item(TEXTS, str(number), number))
    await sink.close()
    blocker.close()
    assert (sink.items, sink.status().lost_items) == (0, 3)
