"""`tuistream record`: a recorder with no screen."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from tuistream.cli import own_error
from tuistream.cli.options import (
    feed_options,
    feeds_in_force,
    files_from,
    headless_options,
    no_auth_option,
    recording_path,
    run_options,
)
from tuistream.core import job_control
from tuistream.core.errors import TuistreamError

if TYPE_CHECKING:
    from tuistream.cli.service_manager import ServiceManager
    from tuistream.cli.telling import Manner, Teller
    from tuistream.config import FeedSettings, Settings
    from tuistream.wiring import Run

LAST_WORDS_SECONDS = 2.0
GATHER = 220_000_000  # ns: a slow feed is decoded, and written, some four times a second
SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP")


@click.command(
    epilog="\b\nExamples:\n"
    "  tuistream record ws://localhost:8766\n"
    "  tuistream record kraken:BTC/USD --db btc.db --for 8h\n"
    "  tuistream record ws://localhost:8766 --limit 1000 --json"
)
@click.argument("urls", nargs=-1, metavar="[URL]...")
@headless_options
@no_auth_option
@run_options
@feed_options
def command(urls: tuple[str, ...], **given: Any) -> int:
    """Record feeds into a file, with no screen, until a signal, --for or --limit ends it."""
    feeds = feeds_in_force(urls, given)
    if not feeds:
        raise click.UsageError("what is to be recorded? A URL is missing, and no configuration file names feeds")
    return start(feeds, given)


def start(feeds: tuple[FeedSettings, ...], given: dict[str, Any]) -> int:
    """Record feeds with the options `given`; the exit code."""
    from msgspec.structs import replace

    from tuistream.config import Settings
    from tuistream.core.durations import parse_duration

    settings = Settings(
        feeds=tuple(replace(feed, gather=GATHER) for feed in feeds),
        db=None if given.get("no_record") else recording_path(given, feeds[0].name),
        sync=given["sync"],
        index_time=given["index_time"],
        record_media=given["record_media"],
        **files_from(given),
        retries=given["retries"],
        limit=given["limit"],
        duration=parse_duration(given["duration"], "--for") if given["duration"] else None,
        window=2,  # nobody looks
    )
    manner = _manner(given)
    try:
        return asyncio.run(record(settings, manner))
    except (TuistreamError, ExceptionGroup) as error:
        ours = own_error(error)
        if ours is None or manner.log_format == "text":
            raise
        from tuistream.cli.telling import tell_failure

        tell_failure(ours, manner)
        return ours.exit_code


def _manner(given: dict[str, Any]) -> Manner:
    from tuistream.cli.telling import Manner
    from tuistream.core.durations import parse_duration

    if port := given["status_port"]:
        from tuistream.config import parse_place

        parse_place(port, "--status-port")
    return Manner(
        given["as_json"],
        given["quiet"],
        given["log_format"],
        port,
        given["no_auth"],
        parse_duration(given["down_after"], "--down-after") / 1e9,
    )


async def record(settings: Settings, manner: Manner) -> int:
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
