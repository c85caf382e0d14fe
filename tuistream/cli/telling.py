"""What a recorder tells: its progress, what happens to its feeds, and its last words."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from tuistream.charts.numbers import compact
from tuistream.cli.log import Level, Log
from tuistream.cli.output import Lines
from tuistream.core.errors import TuistreamError
from tuistream.core.status import Event, Rate
from tuistream.wiring import Run

PROGRESS_SECONDS: Final = 1.0
WORDS_SECONDS: Final = 0.5  # that a reader has for what is said before a stop
CLEAR: Final = "\r\x1b[K"


@dataclass(frozen=True, slots=True)
class Manner:
    """How a recorder tells things, as its options say. log_format: "text" or "json".

    status_port: where its status pages are, as typed; none if empty. no_auth: whoever can reach them may read them.
    down_after: seconds after which a feed that is not connected is a fault.
    """

    as_json: bool = False
    quiet: bool = False
    log_format: str = "text"
    status_port: str = ""
    no_auth: bool = False
    down_after: float = 60.0


def tell_failure(error: TuistreamError, manner: Manner) -> None:
    """Say why the program ends, where nothing has been said yet."""
    lines = Lines(sys.stderr)
    Log(lines, manner.log_format, time.time_ns).say(Level.ERROR, "failed", str(error))
    lines.close(WORDS_SECONDS)


class Teller:
    """Says how a run goes: a progress line on a terminal, JSON lines for a program, events for a log."""

    def __init__(self, run: Run, out: Lines, err: Lines, manner: Manner, path: Path | None) -> None:
        """out: standard output; err: standard error."""
        self._run = run
        self._out = out
        self._err = err
        self._json = manner.as_json
        self._quiet = manner.quiet
        self._path = path
        self._rate = Rate()
        self._events_told = 0
        said = manner.quiet or manner.as_json or manner.log_format != "text"
        self._on_terminal = sys.stderr is not None and sys.stderr.isatty() and not said
        self.log = Log(err, manner.log_format, run.session.clock, clear=CLEAR if self._on_terminal else "")

    def how_to_send(self) -> None:
        """Say how to send something to listeners."""
        if self._run.intake is not None and not (self._json or self._quiet):
            for line in self._run.intake.how_to_send():
                self._out.write(f"{line}\n")

    async def tell(self, status_url: str = "") -> None:
        """Tell what happens until cancelled. status_url: where the status pages are, if anywhere."""
        if not self._quiet and not self._json and self._path is not None:
            self.log.say(Level.INFO, "start", f"recording into {self._path}", {"path": str(self._path)})
        if status_url:
            self.note(
                "status", f"{status_url}/healthz and {status_url}/metrics tell how it goes", {"url": status_url}
            )
        while not self._quiet:
            self.events()
            await asyncio.sleep(PROGRESS_SECONDS)
            if self._json:
                self._out.write(self._progress_json())
            elif self._on_terminal:
                self._err.write("\r" + self._progress_line() + "\x1b[K")

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
                self.log.event(event)

    def note(self, event: str, text: str, fields: Mapping[str, Any] | None = None) -> None:
        """Say what is neither a feed's nor the recording's."""
        if not (self._quiet or self._json):
            self.log.say(Level.NOTICE, event, text, fields)

    def suspended(self, line: str) -> None:
        """Say what has been going on, and `line`, before the program is stopped."""
        self.events()
        if not self._quiet:
            self.log.say(Level.NOTICE, "suspended", line)
        for lines in (self._out, self._err):
            lines.flush(WORDS_SECONDS)

    def end(self, seconds: float) -> int:
        """Say the last words; the exit code."""
        run, status = self._run, self._run.recording()
        unstored = run.sink.unstored if run.sink is not None else 0
        if self._json:
            self._out.write(_json_line({"event": "end"} | self._totals(seconds)))
        elif not self._quiet:
            text = f"{run.session.ticks:,} ticks, {seconds:.1f} s"
            if self._path is not None:
                text = f"{status.rows:,} rows, {status.gaps:,} gaps in {self._path}, {seconds:.1f} s"
            self.log.say(Level.INFO, "end", text, self._totals(seconds))
        if unstored or status.lost:
            self._failure(f"{unstored + status.lost:,} ticks could not be stored: {status.reason}")
        if status.lost_items:
            self._failure(f"{status.lost_items:,} texts, pictures or the like could not be stored")
        for feed in run.session.feeds.values():
            if feed.unread and not feed.ticks:
                self._failure(f"no number found in {feed.frames:,} messages: {feed.unread}", feed.name)
        for feed in run.failed:
            self._failure(feed.reason, feed.name)
        return 1 if unstored or status.lost or status.lost_items or run.failed else 0

    def _failure(self, text: str, feed: str = "") -> None:
        """What is said in any case."""
        if self.log.structured:
            self.log.say(Level.ERROR, "failed", text, {"feed": feed} if feed else {})
        else:
            self.log.say(Level.ERROR, "failed", f"tuistream: {f'{feed}: ' if feed else ''}{text}")

    def _progress_line(self) -> str:
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

    def _totals(self, seconds: float) -> dict[str, Any]:
        session, status = self._run.session, self._run.recording()
        feeds = session.feeds.values()
        return {
            "ticks": session.ticks,
            "rows": status.rows,
            "gaps": status.gaps,
            "malformed": sum(feed.malformed for feed in feeds),
            "reconnects": sum(feed.reconnects for feed in feeds),
            "seconds": round(seconds, 3),
        }


def _event_json(event: Event) -> str:
    fields: dict[str, Any] = {"event": event.kind, "t": event.t, "feed": event.feed, "text": event.text}
    if event.stream is not None:
        fields |= {"stream": event.stream[1], "kind": event.stream[2]}
    return _json_line(fields | ({"details": event.details} if event.details else {}))


def _json_line(fields: dict[str, Any]) -> str:
    return msgspec.json.encode(fields).decode() + "\n"
