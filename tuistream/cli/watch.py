"""`tuistream watch`, which is also what `tuistream URL…` and `tuistream` alone mean."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from tuistream.cli.garbage import SETTLED_SECONDS, collect_from_now_on
from tuistream.cli.options import (
    CONFIG,
    feed_options,
    feeds_from,
    feeds_in_force,
    files_from,
    recording_path,
    run_options,
)
from tuistream.cli.standard_input import behind_terminal, is_piped
from tuistream.core.errors import SettingsError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from tuistream.config import FeedSettings, Settings
    from tuistream.config_file import ConfigFile
    from tuistream.sources.media.rules import Rules
    from tuistream.ui.options import PanelOptions

STANDARD_INPUT = "-"
DATABASE = ".db"
REPLAY = "replay:"  # that is recorded already: again only where the command line says so
LEAST_BUDGET = 1_000
SCREEN_HZ = "240"  # how often Textual looks for what is to be drawn: at its 60 a key shows 20 to 50 ms later
# How long a thread may have the interpreter for itself: Python's own 5 ms are waited several times for a key, as the
# threads of terminal and recording take turns with the loop.
SWITCH_SECONDS = 0.001
# The slow imports. Between any two the loop turns, so that a connection is being made meanwhile.
SCREEN_MODULES = ("textual.widget", "textual.app", "textual_plotext", "tuistream.ui.app")
LOOP_TURNS = 8  # what the answer to a packet takes to be dealt with
DEMO_LINE = "your own feed:  tuistream ws://HOST:PORT/PATH"


@click.command(
    epilog="\b\nExamples:\n"
    "  tuistream watch wss://example.com/prices\n"
    "  tuistream binance:btcusdt@trade,btcusdt@bookTicker kraken:BTC/USD\n"
    "  tuistream watch --no-record ws://localhost:8766\n"
    "  vmstat -n 1 | tuistream"
)
@click.argument("urls", nargs=-1, metavar="[URL]...")
@click.option("--no-record", is_flag=True, help="Watch only.")
@click.option(
    "--window",
    envvar="TUISTREAM_WINDOW",
    type=click.IntRange(2),
    default=100_000,
    show_default=True,
    help="Ticks kept of a stream.",
)
@click.option(
    "--memory",
    envvar="TUISTREAM_MEMORY",
    default="512MB",
    show_default=True,
    metavar="SIZE",
    help="Bound on all ticks kept.",
)
@click.option(
    "--averages",
    envvar="TUISTREAM_AVERAGES",
    default="15",
    show_default=True,
    metavar="N,…",
    help="Lengths of the moving averages.",
)
@click.option(
    "--fps",
    envvar="TUISTREAM_FPS",
    type=click.IntRange(1, 60),
    default=10,
    show_default=True,
    help="Drawings a second, at most.",
)
@click.option(
    "--budget",
    envvar="TUISTREAM_BUDGET",
    default="",
    metavar="SIZE",
    help="Bytes a second to the terminal, at most, such as 10kB/s.",
)
@click.option(
    "--glyphs",
    envvar="TUISTREAM_GLYPHS",
    type=click.Choice(["braille", "blocks", "ascii"]),
    default=None,
    help="What to draw with.",
)
@click.option(
    "--pictures",
    envvar="TUISTREAM_PICTURES",
    type=click.Choice(["auto", "kitty", "sixel", "cells"]),
    default="auto",
    show_default=True,
    help="How pictures are shown.",
)
@click.option(
    "--theme",
    envvar="TUISTREAM_THEME",
    default="",
    metavar="NAME",
    help="Colours; t on the screen goes through them.",
)
@click.option(
    "--allow-media",
    multiple=True,
    metavar="PATTERN",
    help="Paths or URLs, with *, that messages may have opened (repeatable).",
)
@click.option(
    "--panel",
    "panels",
    multiple=True,
    metavar="STREAM=CHART",
    help="What a stream's panel shows, such as BTC/USD=candles or 'X=study:fft(n=1024)' (repeatable).",
)
@run_options
@feed_options
def command(urls: tuple[str, ...], **given: Any) -> int:
    """Watch feeds on the screen and record them.

    With no URL: what is piped into it, which `-` means too, or else a demo. Recordings instead of URLs are shown, and
    followed while another process writes them.
    """
    gc.disable()  # until the screen stands: nearly all that is made until then stays
    view = view_from(given)
    if files := _recordings(urls):
        from tuistream.sources.follow import url_of

        urls, given = (url_of(files),), given | {"no_record": True}
    feeds = feeds_in_force(urls, given)
    if not feeds and is_piped():
        feeds = feeds_from((STANDARD_INPUT,), given)
    return start(feeds, view, given)


def _recordings(urls: tuple[str, ...]) -> list[Path]:
    """The files, or bases of segments, that `urls` are; none where one of them is something else."""
    paths = [Path(url) for url in urls if ":" not in url or Path(url).is_file()]
    if not urls or len(paths) < len(urls):
        return []
    from tuistream.store.segments import segments_of

    there = [path.is_file() or path.suffix == DATABASE or bool(segments_of(path)) for path in paths]
    return paths if all(there) else []


def view_from(given: dict[str, Any]) -> dict[str, Any]:
    """What the options say of the screen. Raises SettingsError."""
    return {
        "fps": given["fps"],
        "budget": _budget(given["budget"]),
        "glyphs": given["glyphs"] or "",
        "pictures": given["pictures"],
        "theme": given["theme"],
        "averages": averages_from(given["averages"]),
        "media": _media(given["allow_media"]),
        "panels": given["panels"],
    }


def start(feeds: tuple[FeedSettings, ...], view: dict[str, Any], given: dict[str, Any]) -> int:
    """Watch feeds, or the demo if there are none, with the options `given`; the exit code."""
    from msgspec.structs import replace

    from tuistream.config import Settings, parse_size

    settings = Settings(
        feeds=feeds,
        sync=given["sync"],
        index_time=given["index_time"],
        record_media=given["record_media"],
        **files_from(given),
        retries=given["retries"],
        window=given["window"],
        memory=parse_size(given["memory"], "--memory"),
    )
    settings = replace(settings, feeds=_with_terminal(feeds))
    os.environ.setdefault("TEXTUAL_FPS", SCREEN_HZ)  # read when textual is imported
    import asyncio

    with contextlib.ExitStack() as stack:
        demo = ""
        if not settings.feeds:
            settings, demo = _demo(stack, given)
        elif not given["no_record"] and (not feeds[0].url.startswith(REPLAY) or _is_typed("db")):
            settings = replace(settings, db=recording_path(given, settings.feeds[0].name))
        return asyncio.run(watch(settings, view, demo, click.get_current_context().meta.get(CONFIG)))


def _is_typed(option: str) -> bool:
    """Whether the option is on the command line."""
    return click.get_current_context().get_parameter_source(option) is ParameterSource.COMMANDLINE


async def watch(settings: Settings, view: dict[str, Any], demo: str, config: ConfigFile | None) -> int:
    """Show and record until the user leaves; the exit code. Connects while the screen is still being imported.

    config: the file in force, whose keys and panels can be looked at only then, as those of `view`: texts.
    """
    import asyncio

    from tuistream.wiring import running

    sys.setswitchinterval(SWITCH_SECONDS)
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    _on_signals(loop, stopped.set)
    async with running(settings, recording_needed=False) as run:
        recalling = asyncio.create_task(run.recall())
        for name in SCREEN_MODULES:
            importlib.import_module(name)
            for _ in range(LOOP_TURNS):
                await asyncio.sleep(0)
            if stopped.is_set():  # nobody waits for the screen
                await recalling
                return 0
        if run.intake is not None:
            await run.intake.until_up()
            view["waiting"] = run.intake.how_to_send()
        if (playback := run.playback) is not None:
            playback.stays = True
            view["playback"] = playback
        from tuistream.ui.app import TuistreamApp
        from tuistream.ui.options import ViewOptions

        panels: tuple[PanelOptions, ...] = ()
        if view["panels"]:
            from tuistream.ui.wishes import panel_of

            panels = tuple(panel_of(text, "--panel") for text in view["panels"])
        if config is not None:
            from tuistream.cli.config import of_the_screen

            view |= of_the_screen(config)
            panels += view["panels"]
        view["panels"] = panels
        app = TuistreamApp(
            run.session, ViewOptions(**view), run.recording, demo=demo, suspended=run.suspended, reader=run.reader
        )
        _on_signals(loop, lambda: app.exit(0))
        loop.call_later(SETTLED_SECONDS, collect_from_now_on)
        if not stopped.is_set():
            await app.run_async()
        await recalling
    return app.return_code or 0


def _on_signals(loop: AbstractEventLoop, leave: Callable[[], None]) -> None:
    for name in ("SIGTERM", "SIGHUP", "SIGINT"):
        number = getattr(signal, name, None)
        if number is None or (name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN):  # nohup
            continue
        with contextlib.suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(number, leave)


def _demo(stack: contextlib.ExitStack, given: dict[str, Any]) -> tuple[Settings, str]:
    """The settings of the demo: a server of our own, and a recording that goes with it."""
    from tuistream.demo import DEMO_FILE, price_server, recording_folder

    server = stack.enter_context(price_server())
    # It takes as long to start as our own modules do, on another core.
    from msgspec.structs import replace

    from tuistream.config import FeedOptions, Settings, feed_settings

    for name in SCREEN_MODULES:
        importlib.import_module(name)
    folder = stack.enter_context(recording_folder())
    feed = replace(feed_settings([server.url()], FeedOptions())[0], name="demo")
    db = None if given["no_record"] else given["db"] or folder / DEMO_FILE
    return Settings(feeds=(feed,), db=db, window=given["window"]), DEMO_LINE


def _with_terminal(feeds: tuple[FeedSettings, ...]) -> tuple[FeedSettings, ...]:
    """Take the terminal; the feeds, one of which may read what was standard input until then."""
    reads_input = any(feed.url == STANDARD_INPUT for feed in feeds)
    data = behind_terminal(f"tuistream record {STANDARD_INPUT if reads_input else 'URL'}")
    if not reads_input:
        if data >= 0:
            os.close(data)
        return feeds
    if data < 0:
        raise SettingsError("-: standard input is the terminal, which gives the keys; pipe something into it")
    from msgspec.structs import replace

    return tuple(replace(feed, descriptor=data) if feed.url == STANDARD_INPUT else feed for feed in feeds)


def _budget(text: str) -> int:
    """Bytes a second; 0 where none is given."""
    from tuistream.config import parse_size

    if not text:
        return 0
    size = parse_size(text.removesuffix("/s"), "--budget")
    if size < LEAST_BUDGET:
        raise SettingsError(f"--budget {text!r}: at least {LEAST_BUDGET:,} bytes a second are needed for a screen")
    return size


def _media(patterns: tuple[str, ...]) -> Rules:
    from tuistream.sources.media.rules import Rules

    return Rules(patterns)


def averages_from(text: str) -> tuple[int, ...]:
    """Of `--averages`. Raises SettingsError."""
    try:
        lengths = tuple(int(part) for part in text.split(","))
    except ValueError:
        lengths = ()
    if not lengths or not all(2 <= length <= 100_000 for length in lengths) or len(lengths) > 4:
        raise SettingsError(f"--averages {text!r}: up to four lengths from 2 to 100,000 are wanted, such as 15,50")
    return lengths
