"""`tuistream watch`, which is also what `tuistream URL…` and `tuistream` alone mean."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from dataclasses import replace
from typing import Any

import click

from tuistream.cli.options import feed_options, feeds_from, recording_path, run_options
from tuistream.core.errors import SettingsError, TuistreamError

LEAST_BUDGET = 1_000
SCREEN_HZ = "240"  # how often Textual looks for what is to be drawn: at its 60 a key shows 20 to 50 ms later
DEMO_LINE = "your own feed:  tuistream ws://HOST:PORT/PATH"


@click.command(
    epilog="\b\nExamples:\n"
    "  tuistream watch wss://example.com/prices\n"
    "  tuistream binance:btcusdt@trade,btcusdt@bookTicker kraken:BTC/USD\n"
    "  tuistream watch --no-record ws://localhost:8766"
)
@click.argument("urls", nargs=-1, metavar="[URL]...")
@click.option("--no-record", is_flag=True, help="Watch only.")
@click.option("--window", type=click.IntRange(2), default=100_000, show_default=True, help="Ticks kept of a stream.")
@click.option("--memory", default="512MB", show_default=True, metavar="SIZE", help="Bound on all ticks kept.")
@click.option("--averages", default="15", show_default=True, metavar="N,…", help="Lengths of the moving averages.")
@click.option("--fps", type=click.IntRange(1, 60), default=10, show_default=True, help="Drawings a second, at most.")
@click.option("--budget", default="", metavar="SIZE", help="Bytes a second to the terminal, at most, such as 10kB/s.")
@click.option("--glyphs", type=click.Choice(["braille", "blocks", "ascii"]), default=None, help="What to draw with.")
@click.option("--theme", default="", metavar="NAME", help="Colours; t on the screen goes through them.")
@run_options
@feed_options
def command(urls: tuple[str, ...], **given: Any) -> int:
    """Watch feeds on the screen and record them. With no URL: a demo."""
    from tuistream.config import Settings, parse_size

    averages = _lengths(given["averages"])
    settings = Settings(
        feeds=feeds_from(urls, given) if urls else (),
        sync=given["sync"],
        index_time=given["index_time"],
        retries=given["retries"],
        window=given["window"],
        memory=parse_size(given["memory"], "--memory"),
    )
    view = {
        "fps": given["fps"],
        "budget": _budget(given["budget"]),
        "glyphs": given["glyphs"] or "",
        "theme": given["theme"],
        "averages": averages,
    }
    _need_terminal()
    with contextlib.ExitStack() as stack:
        demo = ""
        if not urls:
            settings, demo = _demo(stack, given), DEMO_LINE
        elif not given["no_record"]:
            settings = replace(settings, db=recording_path(given["db"], settings.feeds[0].name))
        return asyncio.run(watch(settings, view, demo))


async def watch(settings: Any, view: dict[str, Any], demo: str) -> int:
    os.environ.setdefault("TEXTUAL_FPS", SCREEN_HZ)  # read when textual is imported
    from tuistream.ui.app import TuistreamApp
    from tuistream.ui.options import ViewOptions
    from tuistream.wiring import running

    async with running(settings, recording_needed=False) as run:
        app = TuistreamApp(run.session, ViewOptions(**view), run.recording, demo=demo)
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP", "SIGINT"):
            number = getattr(signal, name, None)
            if number is not None:
                with contextlib.suppress(NotImplementedError):  # Windows
                    loop.add_signal_handler(number, app.exit, 0)
        await app.run_async()
    return app.return_code or 0


def _demo(stack: contextlib.ExitStack, given: dict[str, Any]) -> Any:
    """The settings of the demo: a server of our own, and a recording that goes with it."""
    from tuistream.config import FeedOptions, Settings, feed_settings
    from tuistream.demo import DEMO_FILE, price_server, recording_folder

    url = stack.enter_context(price_server())
    folder = stack.enter_context(recording_folder())
    feed = replace(feed_settings([url], FeedOptions())[0], name="demo")
    db = None if given["no_record"] else given["db"] or folder / DEMO_FILE
    return Settings(feeds=(feed,), db=db, window=given["window"])


def _need_terminal() -> None:
    stderr = sys.__stderr__
    if not (sys.stdin.isatty() and stderr is not None and stderr.isatty()):
        raise TuistreamError("a terminal is needed to watch; without one, use: tuistream record URL")
    if os.environ.get("TERM", "") == "dumb":
        raise TuistreamError("this terminal (TERM=dumb) cannot show a screen; use: tuistream record URL")


def _budget(text: str) -> int:
    """Bytes a second; 0 where none is given."""
    from tuistream.config import parse_size

    if not text:
        return 0
    size = parse_size(text.removesuffix("/s"), "--budget")
    if size < LEAST_BUDGET:
        raise SettingsError(f"--budget {text!r}: at least {LEAST_BUDGET:,} bytes a second are needed for a screen")
    return size


def _lengths(text: str) -> tuple[int, ...]:
    try:
        lengths = tuple(int(part) for part in text.split(","))
    except ValueError:
        lengths = ()
    if not lengths or not all(2 <= length <= 100_000 for length in lengths) or len(lengths) > 4:
        raise SettingsError(f"--averages {text!r}: up to four lengths from 2 to 100,000 are wanted, such as 15,50")
    return lengths
