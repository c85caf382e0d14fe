"""A run of a recorder: what ends it, what stops it for a while, and who is told."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

from tuistream.cli.garbage import SETTLED_SECONDS, collect_from_now_on
from tuistream.core import job_control

if TYPE_CHECKING:
    from tuistream.cli.service_manager import ServiceManager
    from tuistream.cli.telling import Manner, Teller
    from tuistream.config import Settings
    from tuistream.wiring import Run

LAST_WORDS_SECONDS = 2.0
SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP")


async def record(settings: Settings, manner: Manner) -> int:
    """Record until it ends, or is ended; the exit code."""
    from tuistream.cli.output import Lines
    from tuistream.cli.service_manager import ServiceManager
    from tuistream.cli.telling import Teller
    from tuistream.wiring import running

    started = time.monotonic()
    out, err = Lines(sys.stdout), Lines(sys.stderr)
    told = asyncio.Event()
    _on_signals(told)
    manager = ServiceManager()
    try:
        async with running(settings, recording_needed=True) as run:
            teller = Teller(run, out, err, manner, settings.db)
            await _work(run, teller, manager, manner, told)
            manager.stopping()
        teller.events()
        return teller.end(time.monotonic() - started)
    finally:
        manager.close()
        out.close(LAST_WORDS_SECONDS)
        err.close(LAST_WORDS_SECONDS)


async def _work(run: Run, teller: Teller, manager: ServiceManager, manner: Manner, told: asyncio.Event) -> None:
    """Look after a run until it has ended or `told` is set."""
    from tuistream.cli.health import Health
    from tuistream.cli.service import Service, status_pages

    health, rotate = Health(run, manner.down_after), _told_to_rotate()
    async with status_pages(run, health, manner) as url, asyncio.TaskGroup() as tasks:
        if run.intake is not None:
            await run.intake.until_up()
            teller.how_to_send()
        work = [teller.tell(url), _stop_when_told(run, teller), _rotate_when_told(rotate, run, teller, manager)]
        if url or manager.listens:
            work.append(Service(run, manager, health).beat())
        watchers = [tasks.create_task(each) for each in work]
        manager.ready()
        asyncio.get_running_loop().call_later(SETTLED_SECONDS, collect_from_now_on)
        await _first_of(told, run.ended)
        for watcher in watchers:
            watcher.cancel()


def _on_signals(told: asyncio.Event) -> None:
    """The first signal ends the run in good order; a second one ends the program at once."""

    def receive(number: int) -> None:
        if told.is_set():
            os._exit(128 + number)
        told.set()

    loop = asyncio.get_running_loop()
    for name in SIGNALS:
        number = getattr(signal, name, None)
        if number is None or (name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN):  # nohup
            continue
        try:
            loop.add_signal_handler(number, receive, number)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda got, _: loop.call_soon_threadsafe(receive, got))


async def _stop_when_told(run: Run, teller: Teller) -> None:
    """On SIGTSTP, which Ctrl+Z sends: write all there is, say so, stop; then go on. Not where it is ignored."""
    if sys.platform == "win32" or signal.getsignal(signal.SIGTSTP) is signal.SIG_IGN:
        return
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTSTP, told.set)
    while True:
        await told.wait()
        async with run.suspended() as line:
            teller.suspended(line)
            job_control.stop(whole_job=False)
            told.clear()


def _told_to_rotate() -> asyncio.Event:
    """Set by SIGUSR1, which the unit's reload sends."""
    told = asyncio.Event()
    if (number := getattr(signal, "SIGUSR1", None)) is not None:
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    return told


async def _rotate_when_told(told: asyncio.Event, run: Run, teller: Teller, manager: ServiceManager) -> None:
    while True:
        await told.wait()
        told.clear()
        manager.reloading()
        goes_on = "the recording goes on in a new file" if run.rotate() else "nothing is being recorded"
        teller.note("rotate", f"SIGUSR1: {goes_on}")
        manager.ready()


async def _first_of(*events: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
