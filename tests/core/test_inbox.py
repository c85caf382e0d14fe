"""Messages between threads and the loop: all arrive in order, and no more wait than may."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tuistream.core.inbox import Inbox


async def test_what_another_thread_puts_arrives_in_order_and_never_more_than_may_wait() -> None:
    inbox = Inbox(1 << 20, 50)

    def fill() -> None:
        for n in range(5_000):
            assert inbox.put_when_room(b"%d" % n)
        inbox.end()

    thread = threading.Thread(target=fill)
    thread.start()
    got: list[bytes] = []
    while reads := await inbox.take():
        frames = [frame for read in reads for frame in read.frames]
        assert len(frames) <= 50
        got += frames
    thread.join()
    assert got == [b"%d" % n for n in range(5_000)]


async def test_an_end_is_told_once_what_came_before_it_is_taken() -> None:
    inbox = Inbox(100, 100)
    inbox.put(b"1")
    inbox.end(ValueError("broken"))
    inbox.end()
    assert [read.frames for read in await inbox.take()] == [[b"1"]]
    with pytest.raises(ValueError, match="broken"):
        await inbox.take()


async def test_a_thread_that_waits_for_room_is_let_go_at_the_end() -> None:
    inbox = Inbox(100, 1)
    inbox.put(b"1")
    result: list[bool] = []
    thread = threading.Thread(target=lambda: result.append(inbox.put_when_room(b"2")))
    thread.start()
    inbox.end()
    await asyncio.to_thread(thread.join)
    assert result == [False]


async def test_messages_have_their_times_and_those_close_upon_one_another_one() -> None:
    times = iter([0, 500_000, 2_000_000, 2_100_000])
    inbox = Inbox(100, 100, clock=lambda: next(times))
    for message in (b"a", b"b", b"c", b"d"):
        inbox.put(message)
    assert [(read.recv, read.frames) for read in inbox.rest()] == [(0, [b"a", b"b"]), (2_000_000, [b"c", b"d"])]
