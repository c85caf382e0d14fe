"""`tuistream probe`: what is in a feed, and how it would be read."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING, Any

import click

from tuistream.cli.options import feed_options, feeds_from

if TYPE_CHECKING:
    from tuistream.decoders.wire.report import StreamReport
    from tuistream.wiring import Run

STREAMS_SHOWN = 50


@click.command(
    epilog="\b\nExamples:\n"
    "  tuistream probe ws://localhost:8766\n"
    "  tuistream probe kraken:BTC/USD --for 10s\n"
    "  tuistream probe ws://localhost:8766 --json"
)
@click.argument("url")
@click.option("--for", "duration", default="4s", show_default=True, metavar="TIME", help="How long to listen.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@feed_options
def command(url: str, **given: Any) -> int:
    """Connect for a few seconds and tell what was found: streams, fields, time, id, rate."""
    from tuistream.config import Settings
    from tuistream.core.durations import parse_duration

    duration = parse_duration(given["duration"], "--for")
    settings = Settings(feeds=feeds_from((url,), given), duration=duration, window=2, retries=0)
    return asyncio.run(probe(settings, given["as_json"]))


async def probe(settings: Any, as_json: bool) -> int:
    from tuistream.wiring import running

    began = time.monotonic()
    async with running(settings, recording_needed=False) as run:
        await run.ended.wait()
    seconds = time.monotonic() - began
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(_facts(run, seconds)))
    else:
        _tell(run, seconds)
    return 0 if run.session.ticks else 1


def _facts(run: Run, seconds: float) -> dict[str, Any]:
    import msgspec

    (feed,) = run.feeds
    status = feed.status
    counters = ("frames", "bytes", "ticks", "control", "other", "malformed", "bad_times")
    return {
        "url": status.url,
        "decoder": status.decoder,
        "seconds": round(seconds, 3),
        "state": str(status.state),
        "reason": status.reason,
        **{name: getattr(status, name) for name in counters},
        "lag_ns": status.lag,
        "streams": [msgspec.to_builtins(report) for report in feed.found()],
        "refused": [{"frame": frame, "why": why} for frame, why in status.samples],
    }


def _tell(run: Run, seconds: float) -> None:
    from tuistream.charts.numbers import compact

    (feed,) = run.feeds
    status = feed.status
    found = feed.found()
    click.echo(f"{status.url}")
    if not status.connections:
        click.echo(f"  not connected: {status.reason or 'no answer'}")
        return
    click.echo(f"  read as        {status.decoder}")
    click.echo(
        f"  in {seconds:.1f} s       {status.frames:,} messages, {compact(status.bytes)}B, {status.ticks:,} ticks "
        f"({status.ticks / seconds:,.0f}/s), {status.control:,} control, {status.other:,} without a tick, "
        f"{status.malformed:,} refused"
    )
    if status.lag is not None:
        click.echo(f"  lag            {status.lag / 1e6:,.0f} ms from event to receipt")
    if status.ended:
        click.echo(f"  ended          {status.reason}")
    for frame, why in status.samples:
        click.echo(f"  refused        {why}: {frame}")
    if not found:
        sample = f" in: {status.unread}" if status.unread else ""
        click.echo(f"  no numeric field found{sample}")
    for report in found[:STREAMS_SHOWN]:
        _tell_stream(report, seconds)
    if len(found) > STREAMS_SHOWN:
        click.echo(f"\n… and {len(found) - STREAMS_SHOWN:,} streams more")


def _tell_stream(report: StreamReport, seconds: float) -> None:
    from tuistream.core.text import printable

    kind = f"  ({printable(report.kind)})" if report.kind else ""
    click.echo(
        f"\n{printable(report.name) or '(no name)'}{kind}   {report.ticks:,} ticks, {report.ticks / seconds:,.1f}/s"
    )
    for field in report.fields:
        sample = "no value yet" if math.isnan(field.sample) else f"{field.sample:.12g}"
        path = f"   from {printable(field.path)}" if field.path != field.name else ""
        click.echo(f"  field          {printable(field.name)} = {sample}{path}")
    when = f"{printable(report.time)}, {report.unit}" if report.time else "none: receive time"
    click.echo(f"  time           {when}")
    if report.id:
        click.echo(f"  id             {printable(report.id)} = {printable(str(report.id_sample))}, {report.id_rule}")
    if report.key:
        click.echo(f"  name from      {printable(report.key)}")
