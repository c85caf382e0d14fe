"""`tuistream serve`: a feed to try things on."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from tuistream.core.errors import SettingsError

if TYPE_CHECKING:
    from tuistream.feeds.server import Producer

LOWEST_RATE, HIGHEST_RATE = 0.001, 1_000_000.0
LOWEST_SPEED, HIGHEST_SPEED = 0.001, 1_000_000.0
# Options that mean nothing for other feeds than these are refused there, not ignored.
PYTHON = "python:"
ONLY_FOR = {
    "rate": ("gbm", "sine", "square", "sawtooth", "noise", "FILE"),
    "symbols": ("gbm", "sine", "square", "sawtooth", "noise"),
    "seed": ("gbm", "sine", "square", "sawtooth", "noise"),
    "prices": ("gbm",),
    "drift": ("gbm",),
    "volatility": ("gbm",),
    "step": ("gbm",),
    "correlation": ("gbm",),
    "period": ("sine", "square", "sawtooth"),
    "speed": ("FILE",),
    "loop": ("FILE",),
}


@click.command(
    epilog="\b\nExamples:\n"
    "  tuistream serve gbm --symbols 4 --correlation 0.6     then: tuistream ws://127.0.0.1:8766\n"
    "  tuistream serve sine --rate 1000 --period 2s\n"
    "  tuistream serve gbm --rate 0 --limit 1000000 --seed 1\n"
    "  tuistream serve spot_btcusdt_20240808.gz --speed 20\n"
    "  tuistream serve btc.db --speed 10                     a recording: every ns, id and field\n"
    "  tuistream serve python:mine.py:temperatures"
)
@click.argument("what", nargs=-1, required=True, metavar="gbm|sine|square|sawtooth|noise|FILE…|python:…")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--no-auth", is_flag=True, help="Allow a host that others can reach: whoever does can read the feed.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8766, show_default=True, help="0 takes a free one.")
@click.option(
    "--rate", type=float, metavar="R", help="Ticks/s for each symbol, or frames/s; 0: flat out. [default: 20]"
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="End each connection after N ticks in all.")
@click.option("--symbols", type=int, default=1, show_default=True, help="How many streams.")
@click.option("--seed", type=click.IntRange(0), help="The same seed gives the same values.")
@click.option(
    "--price", "prices", type=float, multiple=True, help="Where gbm starts: for all or for each. [default: 145]"
)
@click.option("--drift", type=float, default=0.05, show_default=True, help="Of gbm, a year.")
@click.option("--volatility", type=float, default=0.1, show_default=True, help="Of gbm, a year.")
@click.option("--step", default="1d", show_default=True, help="The time that passes in gbm from tick to tick.")
@click.option("--correlation", type=float, default=0.0, show_default=True, help="Of gbm, between any two symbols.")
@click.option("--period", default="", help="Of sine, square and sawtooth.  [default: 10s, or 20 ticks if longer]")
@click.option("--speed", type=float, default=1.0, show_default=True, help="Times the recorded pace of a FILE.")
@click.option("--loop", is_flag=True, help="Start a FILE over at its end.")
@click.option("--with-parent", is_flag=True, hidden=True, help="End when standard input does.")
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Serve a feed to try things on, over WebSocket.

    gbm is a price that follows a geometric Brownian motion; noise is normally distributed. Every client sees the same
    ticks. A FILE holds recorded raw frames, one a line, plain or gzip, as "<time, ns> <frame>" or
    "<time, s>: <frame>"; each client gets its own replay. python:MODULE:FUNCTION or python:FILE.py:FUNCTION is a
    generator of yours.
    """
    from tuistream.feeds import NAMES, resolve

    producer: Producer
    if any(word.startswith(PYTHON) for word in given["what"]):
        _refuse_idle_options(ctx, PYTHON)
        producer = _generated(given["what"], given["limit"])
    else:
        paths = [Path(word) for word in given["what"]]
        recordings = [] if given["what"][0] in NAMES else _recordings(paths)
        target = "" if recordings else resolve(given["what"])
        _refuse_idle_options(ctx, target if isinstance(target, str) and target else "FILE")
        if recordings:
            producer = _recorded(recordings, given)
        else:
            producer = _walk(target, given) if isinstance(target, str) else _replay(target, given)
    asyncio.run(_serve(producer, given["host"], given["port"], given["no_auth"], given["with_parent"]))


def _refuse_idle_options(ctx: click.Context, kind: str) -> None:
    for parameter in ctx.command.params:
        name = parameter.name or ""
        typed = ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if typed and kind not in ONLY_FOR.get(name, (kind,)):
            raise SettingsError(f"{parameter.opts[0]}: for {', '.join(ONLY_FOR[name])} only")
    if ctx.params["rate"] is not None and ctx.get_parameter_source("speed") is ParameterSource.COMMANDLINE:
        raise SettingsError("--rate and --speed exclude each other")


def _walk(name: str, given: dict[str, Any]) -> Producer:
    from tuistream.core.durations import parse_duration
    from tuistream.feeds import create
    from tuistream.feeds.broadcast import Broadcast
    from tuistream.feeds.walk import NOMINAL_RATE, WalkOptions

    rate = NOMINAL_RATE if given["rate"] is None else _rate(given["rate"])
    options = WalkOptions(
        symbols=given["symbols"],
        seed=given["seed"],
        rate=rate,
        prices=given["prices"] or (145.0,),
        drift=given["drift"],
        volatility=given["volatility"],
        step=parse_duration(given["step"], "--step"),
        correlation=given["correlation"],
        period=parse_duration(given["period"], "--period") if given["period"] else 0,
    )
    return Broadcast(create(name, options), rate, given["limit"])


def _replay(paths: tuple[Path, ...], given: dict[str, Any]) -> Producer:
    from tuistream.feeds.files import FrameFiles
    from tuistream.feeds.replay import Replay

    rate = None if given["rate"] is None else _rate(given["rate"])
    return Replay(FrameFiles(paths, _note), _speed(given["speed"]), rate, given["limit"], loop=given["loop"])


def _recordings(paths: list[Path]) -> list[Path]:
    """The paths, where they are recordings and not raw frames. Raises SettingsError for some of each."""
    from tuistream.feeds.recording import is_recording

    try:
        found = [path for path in paths if not path.is_dir() and is_recording(path)]
    except OSError as error:
        raise SettingsError(f"{error.filename}: {error.strerror}") from error
    if found and len(found) < len(paths):
        raise SettingsError("recordings, or files of raw frames: not both at once")
    return found


def _recorded(paths: list[Path], given: dict[str, Any]) -> Producer:
    from tuistream.feeds.recording import RecordedTicks
    from tuistream.store.playback import Selection
    from tuistream.store.segments import files_of

    if given["rate"]:
        raise SettingsError("--rate: of a recording 0 only, which is flat out; --speed is for its pace")
    speed = math.inf if given["rate"] == 0 else _speed(given["speed"])
    return RecordedTicks(Selection(tuple(files_of(paths))), speed, given["limit"], given["loop"])


def _speed(speed: float) -> float:
    if not LOWEST_SPEED <= speed <= HIGHEST_SPEED:
        raise SettingsError(f"--speed {speed:g}: from {LOWEST_SPEED:g} to {HIGHEST_SPEED:,.0f}; --rate 0 is flat out")
    return speed


def _generated(words: tuple[str, ...], limit: int | None) -> Producer:
    from tuistream.feeds.python import Generated
    from tuistream.generators import load

    if len(words) > 1:
        raise SettingsError(f"one feed at a time: {PYTHON}… stands alone")
    return Generated(load(words[0]), limit)


def _rate(rate: float) -> float:
    if rate != 0 and not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise SettingsError(f"--rate {rate:g}: 0 (flat out), or from {LOWEST_RATE:g} to {HIGHEST_RATE:,.0f}")
    return rate


def _note(text: str) -> None:
    with contextlib.suppress(OSError):  # nobody may be left to read it
        click.echo(f"tuistream serve: {text}", err=True)


async def _serve(producer: Producer, host: str, port: int, no_auth: bool, with_parent: bool) -> None:
    from tuistream.feeds.server import serving

    stop = asyncio.Event()
    _stop_on_signals(stop)
    if with_parent:
        _stop_with_parent(stop)
    async with serving(producer, host, port, note=_note, no_auth=no_auth) as feed:
        click.echo(f"serving {feed.url}")
        finished, stopped = asyncio.ensure_future(feed.finished()), asyncio.ensure_future(stop.wait())
        await asyncio.wait([finished, stopped], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if finished.done():
            finished.result()
        finished.cancel()


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # nohup has SIGHUP ignored already, and means it.
        if number is None or (name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN):
            continue
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))


def _stop_with_parent(stop: asyncio.Event) -> None:
    """Set `stop` at the end of standard input: a pipe whose other end our parent holds, however it ends."""
    loop = asyncio.get_running_loop()

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        with contextlib.suppress(RuntimeError):  # the loop has ended before
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait, name="parent", daemon=True).start()
