"""Texts, pictures and the like in a replay: each when it is its turn."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from tests.cli.running import until
from tests.sources.test_replay import playing, seconds
from tests.store.recorded import T0, TRADES, query
from tuistream.cli import run
from tuistream.config import FeedOptions, Settings, feed_settings
from tuistream.core.batch import Stream
from tuistream.core.board import CLEARED, Item
from tuistream.core.outbox import Outbox
from tuistream.core.session import Session
from tuistream.core.status import FeedStatus
from tuistream.sinks.sqlite import SqliteSink
from tuistream.sources import recording
from tuistream.store.media import items, value_of
from tuistream.store.playback import Selection
from tuistream.store.values import storable_bytes
from tuistream.wiring import running

S = 1_000_000_000
TEXTS = Stream("hub", "log", "text", ())
PICTURES = Stream("hub", "cam", "image", ())
MAPS = Stream("hub", "where", "map", ())
PICTURE = "data:image/png;base64,iVBORw0KGgo="


def item(stream: Stream, second: float, value: object) -> Item:
    recv = T0 + int(second * S)
    return Item(stream, recv - 5, recv, stream.kind, value, 10, stream.kind != "text")


SHOWN = [
    item(TEXTS, 0.5, "before all"),
    item(TEXTS, 1.5, "one, ü"),
    item(PICTURES, 2.0, PICTURE),
    item(TEXTS, 2.5, "two"),
    item(MAPS, 4.0, {"zoom": 3.0, "data": []}),
    item(PICTURES, 9.0, PICTURE + "="),
]


async def recorded(path: Path, shown: list[Item], times: list[float]) -> None:
    session = Session()
    feed = session.add_feed(FeedStatus("hub"))
    outbox = Outbox("test", media=True)
    session.outboxes.append(outbox)
    async with SqliteSink(path, outbox) as sink:
        writing = asyncio.create_task(sink.run())
        session.show(feed, shown)
        session.ingest(feed, [seconds(TRADES, times)] if times else [])
        sink.stop()
        await writing


def texts(session: Session) -> list[object]:
    board = session.boards.get(TEXTS.key)
    return [] if board is None else [each.value for each in board.items]


async def test_they_come_with_the_ticks_that_were_received_then(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await recorded(path, SHOWN, [1, 2, 3])
    async with playing(path, paused=True, speed=1) as (played, session):
        await until(lambda: texts(session) == ["before all"])
        await until(lambda: played.step(1))
        assert texts(session) == ["before all"]
        await until(lambda: played.step(1))
        assert texts(session) == ["before all", "one, ü"]
        assert session.boards[PICTURES.key].items[-1].value == PICTURE
        assert played.step(-1)
        assert played.step(1)
        assert texts(session) == ["before all", "one, ü"]  # none comes twice
        played.set_speed(20)
        played.toggle()
        await until(lambda: played.ended)
        assert texts(session) == ["before all", "one, ü", "two"]
        assert session.boards[MAPS.key].items[-1].value == {"zoom": 3.0, "data": []}
        assert [each.value for each in session.boards[PICTURES.key].items] == [PICTURE + "="]


async def test_between_two_ticks_they_come_by_the_clock(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await recorded(path, SHOWN, [1, 3_600])
    async with playing(path, speed=20) as (played, session):
        await until(lambda: MAPS.key in session.boards)
        assert played.position() >= T0 + 4 * S
        assert played.status.ticks == 1


async def test_at_a_place_that_is_gone_to_there_is_what_was_there_until_then(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await recorded(path, SHOWN, [1, 2, 3, 5, 20])
    async with playing(path, speed=1_000) as (played, session):
        await until(lambda: played.ended)
        played.toggle()
        played.go(T0 + 2_850_000_000)  # event times are 100 ms before those of receipt
        await until(lambda: texts(session) == [CLEARED, "two"])
        assert [each.value for each in session.boards[PICTURES.key].items] == [PICTURE]
        played.toggle()
        await until(lambda: played.ended)
        assert session.boards[PICTURES.key].items[-1].value == PICTURE + "="
        assert texts(session) == [CLEARED, "two"]


async def test_a_replay_into_a_new_recording_has_them_all(tmp_path: Path) -> None:
    path, again = tmp_path / "a.db", tmp_path / "b.db"
    many = [item(TEXTS, n / 50, f"text {n}") for n in range(300)]
    await recorded(path, sorted([*SHOWN, *many], key=lambda each: each.recv), [float(n) for n in range(8)])
    feeds = feed_settings([recording.url_of([path], {"speed": "max"})], FeedOptions())
    async with running(Settings(feeds=feeds, db=again, record_media=True), recording_needed=True) as run:
        await run.ended.wait()
    sql = (
        "SELECT s.name, m.t, m.recv, m.type, m.data FROM media AS m JOIN streams AS s ON s.id = m.stream ORDER BY m.n"
    )
    assert query(again, sql) == query(path, sql)
    assert len(query(again, sql)) == 306


async def test_an_export_of_ticks_says_that_they_are_not_in_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "a.db", tmp_path / "a.csv"
    await recorded(path, SHOWN, [1, 2, 3])
    assert await asyncio.to_thread(run, ["export", str(path), "-o", str(out)]) == 0
    assert "texts, pictures and the like (6) are not in it" in capfd.readouterr().err
    assert await asyncio.to_thread(run, ["export", str(path), "-o", str(out), "--force", "--streams", "trade"]) == 0
    assert "pictures" not in capfd.readouterr().err


async def test_a_selection_has_its_own_and_a_recording_of_nothing_else_is_shown_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await recorded(path, SHOWN, [])
    found = list(items(Selection((path,), since=T0 + 2 * S, streams=("log",))))
    assert [each.value for each in found] == ["two"]
    async with playing(path) as (played, session):
        await until(lambda: played.ended)
        assert len(session.boards) == 3


def test_values_are_what_they_were() -> None:
    for kind, value in (
        ("text", "ü\n"),
        ("image", PICTURE),
        ("image", b"\x89PNG\xff"),
        ("map", {"zoom": 1, "data": [{"lat": 1.5, "lng": None}]}),
        ("figure", {"data": []}),
    ):
        assert value_of(storable_bytes(value), kind) == value
    arrays = value_of(storable_bytes({"y": np.array([1.0, np.nan])}), "spectrum")
    assert arrays == {"y": [1.0, None]}
    assert value_of(b"[" * 100_000, "map") == b"[" * 100_000
    assert value_of(b"\xff", "text") == "\ufffd"
