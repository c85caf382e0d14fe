"""The queue to a sink: lossless while it works, bounded and counting while it fails."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from tuistream.core import outbox as outbox_module
from tuistream.core.batch import Batch, Stream
from tuistream.core.board import Item
from tuistream.core.outbox import Outbox
from tuistream.core.status import Event

STREAM = Stream("f", "A", "", ("v",))


def batch(rows: int, start: int = 0) -> Batch:
    t = np.arange(start, start + rows, dtype=np.int64)
    return Batch(STREAM, t, t, np.zeros((rows, 1)))


async def test_a_reader_waits_for_room_and_goes_on_when_there_is() -> None:
    outbox = Outbox("test", limit=10)
    outbox.offer(batch(12))
    waiting = asyncio.create_task(outbox.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    assert sum(len(item) for item in outbox.take(100) if isinstance(item, Batch)) == 12
    await asyncio.wait_for(waiting, 5)
    assert not outbox.wake.is_set()


async def test_a_reader_waits_for_events_too() -> None:
    outbox = Outbox("test")
    event = Event(1, "f", "gap", "")
    for _ in range(outbox_module.PENDING_EVENTS // 2):
        outbox.note(event)
    assert outbox.full
    assert len(outbox.take(1)) == outbox_module.PENDING_EVENTS // 2
    await asyncio.wait_for(outbox.room(), 5)
    assert not outbox.lost_events


async def test_a_failing_sink_holds_nobody_up_and_what_does_not_fit_is_counted() -> None:
    outbox = Outbox("test", limit=10)
    outbox.fail("disk full")
    outbox.offer(batch(8))
    outbox.offer(batch(5, start=100))
    await asyncio.wait_for(outbox.room(), 5)
    assert outbox.rows == 8
    assert outbox.lost_rows == 5
    loss = outbox.lost[STREAM.key]
    assert (loss.rows, loss.since, loss.to) == (5, 100, 104)


async def test_order_of_batches_and_events_is_kept() -> None:
    outbox = Outbox("test")
    event = Event(1, "f", "open", "connected")
    outbox.offer(batch(1))
    outbox.note(event)
    outbox.offer(batch(2))
    taken = outbox.take(100)
    assert [len(each) if isinstance(each, Batch) else each for each in taken] == [1, event, 2]


async def test_failing_after_waiting_lets_the_reader_go() -> None:
    outbox = Outbox("test", limit=10)
    outbox.offer(batch(20))
    waiting = asyncio.create_task(outbox.room())
    await asyncio.sleep(0)
    outbox.fail("read-only")
    await asyncio.wait_for(waiting, 5)


def test_events_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "PENDING_EVENTS", 3)
    outbox = Outbox("test")
    for i in range(5):
        outbox.note(Event(i, "f", "retry", "refused"))
    assert len(outbox.take(10)) == 3
    assert outbox.lost_events == 2
    outbox.note(Event(9, "f", "open", "connected"))
    assert len(outbox.take(10)) == 1


def test_turned_says_when_writing_begins_to_fail_and_works_again() -> None:
    outbox = Outbox("o")
    assert not outbox.turned.is_set()
    outbox.fail("disk full")
    assert outbox.turned.is_set()
    outbox.turned.clear()
    outbox.recover()
    assert outbox.turned.is_set()


def text(size: int) -> Item:
    return Item(STREAM, 1, 2, "text", "x", size)


def test_items_are_taken_only_where_they_are_wanted() -> None:
    outbox = Outbox("test")
    outbox.offer_item(text(10))
    assert (len(outbox), outbox.item_bytes, outbox.lost_items) == (0, 0, 0)


async def test_items_hold_a_reader_up_and_are_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "PENDING_BYTES", 100)
    monkeypatch.setattr(outbox_module, "TAKEN_BYTES", 50)
    outbox = Outbox("test", media=True)
    outbox.offer_item(text(1_000))  # one has always room
    waiting = asyncio.create_task(outbox.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    outbox.offer_item(text(1))
    assert outbox.lost_items == 1
    assert len(outbox.take(10)) == 1
    await asyncio.wait_for(waiting, 5)
    outbox.fail("disk full")
    for _ in range(12):
        outbox.offer_item(text(10))
    assert (outbox.item_bytes, outbox.lost_items) == (100, 3)
    await asyncio.wait_for(outbox.room(), 5)
    assert [len(outbox.take(10)) for _ in range(3)] == [5, 5, 0]
    assert outbox.item_bytes == 0
