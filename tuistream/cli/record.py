"""`tuistream record`: a recorder with no screen."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from tuistream.cli import own_error
from tuistream.cli.options import feed_options, feeds_in_force, headless_options, recording_path, run_options
from tuistream.core import job_control
from tuistream.core.errors import TuistreamError

if TYPE_CHECKING:
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
    from tuistream.config import Settings
    from tuistream.core.durations import parse_duration

    settings = Settings(
        feeds=tuple(replace(feed, gather=GATHER) for feed in feeds),
        db=None if given.get("no_record") else recording_path(given["db"], feeds[0].name),
        sync=given["sync"],
        index_time=given["index_time"],
        record_media=given["record_media"],
        retries=given["retries"],
        limit=given["limit"],
        duration=parse_duration(given["duration"], "--for") if given["duration"] else None,
        window=2,  # nobody looks
    )
    from tuistream.cli.telling import Manner, tell_failure

    manner = Manner(given["as_json"], given["quiet"], given["log_format"])
    try:
        return asyncio.run(record(settings, manner))
    except (TuistreamError, ExceptionGroup) as error:
        ours = own_error(error)
        if ours is None or manner.log_format == "text":
            raise
        tell_failure(ours, manner)
        return ours.exit_code


async def record(settings: Settings, manner: Manner) -> int:
    from tuistream.cli.output import Lines
    from tuistream.cli.telling import Teller
    from tuistream.wiring import running

    started = time.monotonic()
    out, err = Lines(sys.stdout), Lines(sys.stderr)
    told = asyncio.Event()
    _on_signals(told)
    try:
        async with running(settings, recording_needed=True) as run:
            teller = Teller(run, out, err, manner, settings.db)
            if run.intake is not None and not (manner.as_json or manner.quiet):
                await run.intake.until_up()
                for line in run.intake.how_to_send():
                    out.write(f"{line}\n")
            async with asyncio.TaskGroup() as tasks:
                watchers = [tasks.create_task(teller.tell()), tasks.create_task(_stop_when_told(run, teller))]
                await _first_of(told, run.ended)
                for watcher in watchers:
                    watcher.cancel()
        teller.events()
        return teller.end(time.monotonic() - started)
    finally:
        out.close(LAST_WORDS_SECONDS)
        err.close(LAST_WORDS_SECONDS)


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


async def _first_of(*events: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
