"""`tuistream record`: a recorder with no screen."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tuistream.cli.options import feed_options, feeds_in_force, recording_path, run_options
from tuistream.core import job_control

if TYPE_CHECKING:
    from tuistream.cli.output import Lines
    from tuistream.config import FeedSettings, Settings
    from tuistream.core.status import Event
    from tuistream.wiring import Run

PROGRESS_SECONDS = 1.0
LAST_WORDS_SECONDS = 2.0
GATHER = 220_000_000  # ns: a slow feed is decoded, and written, some four times a second
WORDS_SECONDS = 0.5  # that a reader has for what is said before a stop
SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP")


@click.command(
    epilog="\b\nExamples:\n"
    "  tuistream record ws://localhost:8766\n"
    "  tuistream record kraken:BTC/USD --db btc.db --for 8h\n"
    "  tuistream record ws://localhost:8766 --limit 1000 --json"
)
@click.argument("urls", nargs=-1, metavar="[URL]...")
@click.option("--for", "duration", default=None, metavar="TIME", help="End after so long: 90, 10m, 1h30m.")
@click.option("--limit", type=click.IntRange(1), default=None, metavar="N", help="End after N stored ticks, exactly.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line on standard output.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing (with --json: only the last line).")
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
    return asyncio.run(record(settings, as_json=given["as_json"], quiet=given["quiet"]))


async def record(settings: Settings, *, as_json: bool, quiet: bool) -> int:
    from tuistream.cli.output import Lines
    from tuistream.wiring import running

    started = time.monotonic()
    out, log = Lines(sys.stdout), Lines(sys.stderr)
    told = asyncio.Event()
    _on_signals(told)
    try:
        async with running(settings, recording_needed=True) as run:
            teller = _Teller(run, out, log, as_json=as_json, quiet=quiet, path=settings.db)
            if run.intake is not None and not (as_json or quiet):
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
        log.close(LAST_WORDS_SECONDS)


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


async def _stop_when_told(run: Run, teller: _Teller) -> None:
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


class _Teller:
    """Says how a run goes: a progress line on a terminal, JSON lines for a program, events for a log."""

    def __init__(self, run: Run, out: Lines, log: Lines, *, as_json: bool, quiet: bool, path: Path | None) -> None:
        from tuistream.core.status import Rate

        self._run = run
        self._out = out
        self._log = log
        self._json = as_json
        self._quiet = quiet
        self._path = path
        self._rate = Rate()
        self._events_told = 0
        self._on_terminal = sys.stderr is not None and sys.stderr.isatty() and not quiet and not as_json
        self._clear = "\r\x1b[K" if self._on_terminal else ""

    async def tell(self) -> None:
        if not self._quiet and not self._json and self._path is not None:
            self._log.write(f"recording into {self._path}\n")
        while not self._quiet:
            self.events()
            await asyncio.sleep(PROGRESS_SECONDS)
            if self._json:
                self._out.write(self._progress_json())
            elif self._on_terminal:
                self._log.write("\r" + self._progress_line() + "\x1b[K")

    def events(self) -> None:
        """Tell the events that have come since the last call."""
        session = self._run.session
        new = session.event_count - self._events_told
        self._events_told = session.event_count
        if self._quiet or not new:
            return
        for event in list(session.events)[-new:]:
            if self._json:
                self._out.write(_event_json(event))
            else:
                self._log.write(f"{self._clear}{_clock(session.clock())}  {event.feed}  {event.kind}: {event.text}\n")

    def suspended(self, line: str) -> None:
        """Say what has been going on, and `line`, before the program is stopped."""
        self.events()
        if not self._quiet:
            self._log.write(f"{self._clear}{line}\n")
        for lines in (self._out, self._log):
            lines.flush(WORDS_SECONDS)

    def end(self, seconds: float) -> int:
        """Say the last words; the exit code."""
        run, status = self._run, self._run.recording()
        unstored = run.sink.unstored if run.sink is not None else 0
        if self._json:
            self._out.write(self._end_json(seconds))
        elif not self._quiet:
            text = f"{run.session.ticks:,} ticks, {seconds:.1f} s"
            if self._path is not None:
                text = f"{status.rows:,} rows, {status.gaps:,} gaps in {self._path}, {seconds:.1f} s"
            self._log.write(f"{self._clear}{text}\n")
        if unstored or status.lost:
            self._log.write(f"tuistream: {unstored + status.lost:,} ticks could not be stored: {status.reason}\n")
        if status.lost_items:
            self._log.write(f"tuistream: {status.lost_items:,} texts, pictures or the like could not be stored\n")
        for feed in run.session.feeds.values():
            if feed.unread and not feed.ticks:
                self._log.write(
                    f"tuistream: {feed.name}: no number found in {feed.frames:,} messages: {feed.unread}\n"
                )
        for feed in run.failed:
            self._log.write(f"tuistream: {feed.name}: {feed.reason}\n")
        return 1 if unstored or status.lost or status.lost_items or run.failed else 0

    def _progress_line(self) -> str:
        from tuistream.charts.numbers import compact

        session, status = self._run.session, self._run.recording()
        rate = self._rate.update(session.clock(), session.ticks)
        lags = [feed.lag for feed in session.feeds.values() if feed.lag is not None]
        parts = [
            f"{session.ticks:,} ticks",
            f"{rate:,.0f} ticks/s",
            f"{status.rows:,} rows",
            f"{compact(status.bytes)}B",
            *([f"lag {max(lags) / 1e6:,.0f} ms"] if lags else []),
            f"{session.gaps:,} gaps",
        ]
        waiting = [f"{feed.name} {feed.state}" for feed in session.feeds.values() if feed.state != "live"]
        failing = [f"FAILING: {status.reason}"] if status.state == "failing" else []
        return "  ".join(parts + waiting + failing)

    def _progress_json(self) -> str:
        session, status = self._run.session, self._run.recording()
        feeds = [
            {
                "name": feed.name,
                "state": str(feed.state),
                "ticks": feed.ticks,
                "lag_ns": feed.lag,
                "reason": feed.reason,
            }
            for feed in session.feeds.values()
        ]
        return _json_line(
            {
                "event": "progress",
                "ticks": session.ticks,
                "ticks_per_second": round(self._rate.update(session.clock(), session.ticks), 1),
                "rows": status.rows,
                "bytes": status.bytes,
                "pending": status.pending,
                "gaps": session.gaps,
                "malformed": sum(feed.malformed for feed in session.feeds.values()),
                "recording": status.state,
                "reason": status.reason,
                "feeds": feeds,
            }
        )

    def _end_json(self, seconds: float) -> str:
        session, status = self._run.session, self._run.recording()
        feeds = session.feeds.values()
        return _json_line(
            {
                "event": "end",
                "ticks": session.ticks,
                "rows": status.rows,
                "gaps": status.gaps,
                "malformed": sum(feed.malformed for feed in feeds),
                "reconnects": sum(feed.reconnects for feed in feeds),
                "seconds": round(seconds, 3),
            }
        )


def _event_json(event: Event) -> str:
    fields: dict[str, Any] = {"event": event.kind, "t": event.t, "feed": event.feed, "text": event.text}
    if event.stream is not None:
        fields |= {"stream": event.stream[1], "kind": event.stream[2]}
    return _json_line(fields | ({"details": event.details} if event.details else {}))


def _json_line(fields: dict[str, Any]) -> str:
    import msgspec

    return msgspec.json.encode(fields).decode() + "\n"


def _clock(now: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now // 1_000_000_000))
