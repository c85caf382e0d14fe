"""`tuistream record`: a recorder with no screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tuistream.cli import own_error
from tuistream.cli.garbage import held_off
from tuistream.cli.options import (
    feed_options,
    feeds_in_force,
    files_from,
    headless_options,
    no_auth_option,
    recording_path,
    run_options,
)
from tuistream.core.errors import TuistreamError

if TYPE_CHECKING:
    from tuistream.cli.telling import Manner
    from tuistream.config import FeedSettings

GATHER = 220_000_000  # ns: a slow feed is decoded, and written, some four times a second


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
    with held_off():
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
    import asyncio

    from tuistream.cli.recording import record

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
