"""The user's own generators as feeds."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from websockets.asyncio.client import connect

from tests.cli.running import finish, start
from tests.feeds.serving import everything, running
from tests.sources.feeding import fed
from tuistream import generators, sources
from tuistream.core.errors import SettingsError, TuistreamError
from tuistream.core.status import FeedState
from tuistream.feeds.python import Generated

CODE = """
import asyncio, itertools, time
import beside

def numbers():
    yield from (1, 2.5, beside.THREE)

async def later():
    for n in range(3):
        await asyncio.sleep(0)
        yield {"name": "oven", "temp": n}

async def made():
    return later()

def endless():
    for n in itertools.count():
        yield n, n * n

async def busy():
    for n in itertools.count():
        yield n

def blocking():
    yield 1
    time.sleep(1000)

def broken():
    yield 1
    raise ValueError("no \\x1b[31msensor")

def nothing():
    return 7

def of_no_kind():
    yield object()

not_callable = 3
"""


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[str]:
    """A file of the user's, as a target without its function."""
    (tmp_path / "mine.py").write_text(CODE)
    (tmp_path / "beside.py").write_text("THREE = 3")
    path = list(sys.path)
    yield f"python:{tmp_path}/mine.py"
    sys.path[:] = path
    sys.modules.pop("beside", None)


async def test_a_plain_generator_is_read_to_its_end(mine: str) -> None:
    async with fed(f"{mine}:numbers") as feed:
        assert await feed.ended() is FeedState.CLOSED
        assert feed.column == [1, 2.5, 3]
        assert (feed.settings.name, feed.status.reason) == ("numbers", "the generator has ended")


@pytest.mark.parametrize("function", ["later", "made"])
async def test_an_async_generator_is_read_to_its_end(mine: str, function: str) -> None:
    async with fed(f"{mine}:{function}") as feed:
        assert await feed.ended() is FeedState.CLOSED
        assert feed.values("oven") == [[0], [1], [2]]


async def test_a_module_is_found_by_its_name(mine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(mine.partition(":")[2]).parent)
    async with fed("python:mine:numbers") as feed:
        await feed.ended()
        assert feed.column == [1, 2.5, 3]
    sys.modules.pop("mine")


@pytest.mark.parametrize("function", ["endless", "busy"])
async def test_an_endless_one_is_held_not_kept_and_leaves_others_their_turn(mine: str, function: str) -> None:
    async with fed(f"{mine}:{function}") as feed:
        await feed.ticks(30_000)
    threads = [thread for thread in threading.enumerate() if thread.name == "generator"]
    for thread in threads:
        await asyncio.to_thread(thread.join, 20)
        assert not thread.is_alive()


async def test_one_that_blocks_holds_nobody_up(mine: str) -> None:
    async with fed(f"{mine}:blocking") as feed:
        await feed.ticks(1)
        assert feed.status.state is FeedState.LIVE


async def test_what_goes_wrong_in_it_is_told_with_its_line_and_it_is_tried_again(mine: str) -> None:
    async with fed(f"{mine}:broken") as feed:
        await feed.ticks(2)
        line = CODE.splitlines().index('    raise ValueError("no \\x1b[31msensor")') + 1
        assert f"close: ValueError: no ·[31msensor (mine.py, line {line})" in feed.told


@pytest.mark.parametrize(
    ("function", "why"),
    [("nothing", "a generator is wanted (yield)"), ("of_no_kind", "TypeError: a object was yielded")],
)
async def test_what_yields_no_data_is_refused(mine: str, function: str, why: str) -> None:
    async with fed(f"{mine}:{function}", retries=0) as feed:
        assert await feed.ended() is FeedState.FAILED
        assert why in feed.status.reason


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (1, b"1"),
        (np.float64(1.5), b"1.5"),
        (np.array([1, 2]), b"[1,2]"),
        ((1795172027.5, 3), b"[1795172027.5,3]"),
        (("cpu", 3), b'{"name":"cpu","value":3}'),
        (("cpu", 3, 4), b'{"name":"cpu","v1":3,"v2":4}'),
        ({"a": np.int64(1)}, b'{"a":1}'),
        (float("nan"), b"null"),
        ("1,2", b"1,2"),
        (b'{"a":1}', b'{"a":1}'),
    ],
)
def test_what_may_be_yielded(item: object, message: bytes) -> None:
    assert generators.message(item) == message


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("python:", "is wanted"),
        ("python:x", "is wanted"),
        ("python:a b:c", "is wanted"),
        ("python:no_such_module_here:f", "ModuleNotFoundError: No module named 'no_such_module_here'"),
        ("python:/no/such.py:f", "No such file or directory"),
        ("MINE:not_callable", "no function not_callable; there are numbers"),
        ("MINE:nowhere", "no function nowhere"),
    ],
)
def test_what_cannot_be_loaded_is_said(mine: str, target: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        generators.load(target.replace("MINE", mine))


def test_a_file_that_is_no_python_is_said(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("def f(:\n")
    (tmp_path / "leaves.py").write_text("import sys\nsys.exit(3)\n")
    with pytest.raises(SettingsError, match=r"SyntaxError: .*bad\.py, line 1"):
        generators.load(f"python:{tmp_path}/bad.py:f")
    with pytest.raises(SettingsError, match=r"SystemExit: 3 \(leaves\.py, line 2\)"):
        generators.load(f"python:{tmp_path}/leaves.py:f")


def test_nothing_is_imported_to_parse_a_target() -> None:
    assert sources.parse("python:no_such_module_here:f").name == "f"


async def test_it_is_served_to_everybody_and_its_end_is_theirs(mine: str) -> None:
    async with running(Generated(generators.load(f"{mine}:numbers"))) as served:
        messages, code = await everything(served.url)
        assert (messages, code) == (["1", "2.5", "3"], 1000)
        await asyncio.wait_for(served.finished, 20)


async def test_each_client_gets_its_limit(mine: str) -> None:
    async with running(Generated(generators.load(f"{mine}:endless"), limit=500)) as served:
        both = await asyncio.gather(everything(served.url), everything(served.url))
    for messages, code in both:
        assert (len(messages), code) == (500, 1000)
        first = int(str(messages[0])[1:].partition(",")[0])
        assert messages == [f"[{n},{n * n}]" for n in range(first, first + 500)]


async def test_what_goes_wrong_ends_the_server(mine: str) -> None:
    async with running(Generated(generators.load(f"{mine}:broken"))) as served, connect(served.url):
        with pytest.raises(TuistreamError, match="ValueError: no"):
            await asyncio.wait_for(served.finished, 20)


async def test_serve_and_record_take_it_from_the_command_line(mine: str, tmp_path: Path) -> None:
    server = await start("serve", f"{mine}:numbers", "--port", "0")
    assert server.stdout is not None
    url = (await server.stdout.readline()).decode().split()[1]
    code, lines, _ = await finish(
        await start("record", url, "--retries", "0", "--db", str(tmp_path / "a.db"), "--json")
    )
    assert (code, lines[-1]["rows"]) == (0, 3)
    assert (await finish(server))[0] == 0
    code, lines, _ = await finish(await start("record", f"{mine}:later", "--db", str(tmp_path / "b.db"), "--json"))
    assert (code, lines[-1]["rows"]) == (0, 3)
    code, _, err = await finish(await start("serve", f"{mine}:numbers", "--rate", "5"))
    assert (code, err) == (2, "tuistream: --rate: for gbm, sine, square, sawtooth, noise, FILE only\n")
