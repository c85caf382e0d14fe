"""Hubs and feeds inside a program: over real connections, from the first batch to the end."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection, serve

import tuistream
from tuistream.core.errors import SettingsError, SourceDown


def place_of(hub: tuistream.Hub) -> str:
    return hub.addresses[0].place


async def test_what_is_sent_comes_out_of_a_hub() -> None:
    async with asyncio.timeout(30), tuistream.Hub(tcp=0) as hub:
        batches = aiter(hub)
        tuistream.send("cpu", 42.0, address=place_of(hub))
        first = await anext(batches)
        assert (first.stream.name, first.stream.fields, first.v.tolist()) == ("cpu", ("value",), [[42.0]])
        tuistream.send("cpu", {"user": 1.5, "system": 2}, address=place_of(hub))
        tuistream.send("log", "it works", address=place_of(hub))
        tuistream.send("load", np.array([0.5, 1.5]), address=place_of(hub), type="bar", label="%")
        while ("hub", "load", "bar") not in hub.streams:
            await anext(batches)
        assert hub.streams["hub", "cpu", "line"].series.column("system").tolist()[-1] == 2.0
        assert hub.session.boards["hub", "log", "text"].items[0].value == "it works"
        assert hub.session.looks["hub", "load", "bar"].unit == "%"
        tuistream.sender(place_of(hub)).close()


async def test_a_hub_that_wants_a_password() -> None:
    async with asyncio.timeout(30), tuistream.Hub(tcp=0, password="hunter2") as hub:
        for address in (place_of(hub), f"tcp://:wrong@{place_of(hub)}", f"tcp://:hunter2@{place_of(hub)}"):
            tuistream.send("cpu", 1, address=address, wait=True)
        await anext(aiter(hub))
        assert hub.session.ticks == 1
        for password in ("", ":wrong@", ":hunter2@"):
            tuistream.sender(f"tcp://{password}{place_of(hub)}").close()


async def test_every_way_in(tmp_path: Path) -> None:
    async with tuistream.Hub(tcp=0, frames=0, http=0, ws=0, db=tmp_path / "hub.db") as hub:
        assert [address.way for address in hub.addresses] == ["tcp", "frames", "http", "ws"]
    assert (tmp_path / "hub.db").exists()


async def test_a_loop_that_is_left_holds_nobody_up() -> None:
    async with asyncio.timeout(30), tuistream.Hub(tcp=0) as hub:
        tuistream.send("x", 0, address=place_of(hub))
        async for _ in hub:
            break
        assert not hub.session.outboxes
        tuistream.sender(place_of(hub)).close()


async def test_a_port_that_is_taken_is_an_error_of_ours() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(tuistream.TuistreamError, match="cannot listen"),
    ):
        async with tuistream.Hub(tcp=taken.getsockname()[1]):
            raise AssertionError


def test_a_hub_of_nothing() -> None:
    with pytest.raises(SettingsError, match="needs one of"):
        tuistream.Hub(tcp=None)
    with pytest.raises(RuntimeError, match="async with"):
        tuistream.Hub().streams  # noqa: B018


async def ticks(connection: ServerConnection) -> None:
    for at in range(100):
        await connection.send(f'{{"symbol": "A", "time": {1_700_000_000 + at}, "price": {at}}}')


async def test_every_batch_of_a_feed() -> None:
    async with asyncio.timeout(30), serve(ticks, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with tuistream.Feed(f"ws://127.0.0.1:{port}", retries=0) as feed:
            batches = [batch async for batch in feed]
            assert feed.status.ticks == 100
    assert np.concatenate([batch.v for batch in batches])[:, 0].tolist() == list(range(100))
    t = np.concatenate([batch.t for batch in batches])
    assert t.dtype == np.int64
    assert t.tolist() == [(1_700_000_000 + at) * 10**9 for at in range(100)]
    assert {batch.stream.name for batch in batches} == {"A"}


async def test_a_limit_of_ticks_and_a_recording(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    async with asyncio.timeout(30), serve(ticks, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with tuistream.Feed(f"ws://127.0.0.1:{port}", limit=40, db=db) as feed:
            assert sum([len(batch) async for batch in feed]) == 40
    done = subprocess.run(
        [sys.executable, "-m", "tuistream", "info", str(db)], capture_output=True, text=True, check=True
    )
    assert "40" in done.stdout


async def test_a_feed_that_cannot_be() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with asyncio.timeout(30), tuistream.Feed(f"ws://127.0.0.1:{port}", retries=0) as feed:
        with pytest.raises(SourceDown, match="refused"):
            async for _ in feed:
                raise AssertionError
    with pytest.raises(SettingsError):
        tuistream.Feed("nothing://x")


async def test_the_callers_own_error_comes_through() -> None:
    for error in (ZeroDivisionError(), SettingsError("x")):
        with pytest.raises(type(error)) as caught:
            async with tuistream.Hub(tcp=0):
                raise error
        assert caught.value is error


def test_every_name_is_there_and_no_other() -> None:
    for name in tuistream.__all__:
        assert name in dir(tuistream)
        assert getattr(tuistream, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        tuistream.nothing  # noqa: B018
