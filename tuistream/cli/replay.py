"""`tuistream replay`: a recording on the screen again, at any pace."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any, Final

import click

from tuistream.cli import watch
from tuistream.cli.options import config_option

SCREEN_OPTIONS: Final = (
    "window",
    "memory",
    "averages",
    "fps",
    "budget",
    "glyphs",
    "pictures",
    "theme",
    "allow_media",
    "panels",
)
RECORDING_OPTIONS: Final = ("sync", "index_time", "rotate", "retention", "keep_rollups")


@click.command(
    epilog="\b\nExamples:\n"
    "  tuistream replay btc.db --speed 10\n"
    "  tuistream replay btc.db --since 'yesterday 14:30' --until +1h --streams BTCUSDT\n"
    "  tuistream replay btc.db --since -10m                 the last ten minutes of it\n"
    "  tuistream replay day.db --speed max --db again.db    into a new recording\n"
    "  tuistream record 'replay:day.db?speed=max' --db again.db          with no screen"
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--speed", default="1", show_default=True, metavar="S", help="0.1 to 1000 times the pace, or max.")
@click.option("--since", default="", metavar="TIME", help="From the first tick of that time on.")
@click.option("--until", default="", metavar="TIME", help="To the last tick before that time.")
@click.option("--streams", default="", metavar="NAME,…", help="These only: names, kinds or feeds.")
@click.option("--db", default=None, type=click.Path(dir_okay=False, path_type=Path), help="Record it into this file.")
@config_option
def command(files: tuple[Path, ...], **given: Any) -> int:
    """Replay a recording on the screen, at any pace.

    Its ticks come as they were received; several files follow one another. A TIME is "14:30", "-10m", "yesterday
    9:00" or ISO 8601; what has no day goes by the recording's last tick. While it runs: Space plays and pauses, , and
    . go tick by tick, < and > change the speed, g goes to a time.
    """
    from tuistream.config import FeedOptions, feed_settings
    from tuistream.sources.recording import url_of

    gc.disable()  # until the screen stands, as in watch
    view = watch.view_from(given)
    options = {name: given[name] for name in ("speed", "since", "until", "streams")}
    feeds = feed_settings([url_of(files, options)], FeedOptions())
    given |= {"no_record": False, "record_media": False, "retries": None}
    return watch.start(feeds, view, given)


_SHARED = (*SCREEN_OPTIONS, *RECORDING_OPTIONS)
command.params += [parameter for parameter in watch.command.params if parameter.name in _SHARED]
