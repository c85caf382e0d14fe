"""`tuistream listen`: anyone sends, panels appear."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from tuistream.cli import record, watch
from tuistream.cli.options import CONFIG, Command, run_options
from tuistream.core.errors import SettingsError
from tuistream.sources.hub.limits import LIMITS, HubLimits

if TYPE_CHECKING:
    from tuistream.config import FeedSettings
    from tuistream.sources.hub.options import HubOptions

OFF: Final = "off"
METAVARS: Final = {"size": "SIZE", "count": "N", "time": "TIME"}
WAYS: Final = ("tcp", "frames", "http", "ws")
# Options that stand in for the listeners of the configuration file.
WAYS_AND_WHO: Final = (*WAYS, "host", "password", "allow", "no_auth", "tls_cert", "tls_key", "compat_200")
HTTP_LIBRARY: Final = "aiohttp"
SCREEN_OPTIONS: Final = (
    "no_record", "window", "memory", "averages", "fps", "budget", "glyphs", "pictures", "theme", "allow_media",
    "panels",
)  # fmt: skip
HEADLESS_OPTIONS: Final = ("duration", "limit", "as_json", "quiet", "log_format", "status_port", "down_after")


def _port(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    text = value.lower()
    if text != OFF and not (text.isascii() and text.isdigit() and int(text[:6]) <= 65_535):
        raise click.BadParameter(f"{value!r}: a port from 0 (takes a free one) to 65535, or {OFF}, is wanted")
    return text


def _limit_options(function: Command) -> Command:
    for limit in reversed(LIMITS):
        option = click.option(
            limit.option, default=limit.default, show_default=True, metavar=METAVARS[limit.kind], help=limit.words
        )
        function = option(function)
    return function


@click.command(
    epilog="\b\nExamples:\n"
    "  tuistream listen                                          on this machine's four ports\n"
    "  tuistream listen --headless --db hub.db --for 8h          no screen\n"
    "  tuistream listen --host 0.0.0.0 --password @secret.txt\n"
    "  tuistream listen --host 0.0.0.0 --allow 192.168.0.0/16    old senders have no password\n"
    "  tuistream listen listen+tcp://127.0.0.1:9000 --no-record  this one only"
)
@click.argument("urls", nargs=-1, metavar="[listen+…://HOST:PORT]...")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--tcp",
    callback=_port,
    metavar="PORT",
    default="8010",
    show_default=True,
    help="JSON objects, one after another.",
)
@click.option(
    "--frames",
    callback=_port,
    metavar="PORT",
    default="8020",
    show_default=True,
    help="Large ones, behind their length.",
)
@click.option("--http", callback=_port, metavar="PORT", default="8030", show_default=True, help="POST on any path.")
@click.option("--ws", callback=_port, metavar="PORT", default="8040", show_default=True, help="WebSocket.")
@click.option(
    "--password",
    envvar="TUISTREAM_PASSWORD",
    default="",
    metavar="TEXT",
    help="Senders must know it, or @FILE that holds it.",
)
@click.option("--allow", multiple=True, metavar="NETWORK", help="Senders that need no password (repeatable).")
@click.option("--no-auth", is_flag=True, help="Whoever can reach a port may send.")
@click.option("--tls-cert", default="", metavar="FILE", help="Certificate for TLS, PEM.")
@click.option("--tls-key", default="", metavar="FILE", help="Its key, if not in the same file.")
@click.option("--compat-200", is_flag=True, help="HTTP answers 200 to everything, as the old hub did.")
@_limit_options
@click.option("--headless", is_flag=True, help="Record, with no screen, until a signal.")
@run_options
@click.pass_context
def command(ctx: click.Context, /, urls: tuple[str, ...], **given: Any) -> int:
    """Listen for numbers that anyone sends; show and record them.

    Over TCP, frames (length and pickled string), HTTP and WebSocket at once: an object such as
    {"id": "cpu", "value": 42} makes a panel. Where listen+… URLs are given, only these are opened.
    """
    feeds = _listeners(ctx, urls, given)
    if given["headless"]:
        return record.start(feeds, given)
    if typed := _typed(ctx, HEADLESS_OPTIONS):
        raise SettingsError(f"{', '.join(typed)}: with --headless only")
    return watch.start(feeds, watch.view_from(given), given)


def _of(command: click.Command, names: tuple[str, ...]) -> list[click.Parameter]:
    return [parameter for parameter in command.params if parameter.name in names]


command.params += [*_of(watch.command, SCREEN_OPTIONS), *_of(record.command, HEADLESS_OPTIONS)]


def _typed(ctx: click.Context, names: tuple[str, ...]) -> list[str]:
    """Those of the options that are on the command line, as they are typed."""
    return [
        option.opts[0]
        for option in ctx.command.params
        if option.name in names and ctx.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
    ]


def _listeners(ctx: click.Context, urls: tuple[str, ...], given: dict[str, Any]) -> tuple[FeedSettings, ...]:
    """The listeners that are to be. Raises SettingsError."""
    from msgspec.structs import replace

    from tuistream.config import FeedOptions, feed_settings

    if others := [url for url in urls if not url.lower().startswith("listen+")]:
        raise SettingsError(f"{others[0]!r} is no listener; one is listen+tcp://HOST:PORT, or +frames, +http, +ws")
    config = ctx.meta.get(CONFIG)
    if config is not None and config.listen and not urls and not _typed(ctx, WAYS_AND_WHO):
        return tuple(feed for feed in config.feed_settings() if feed.url.startswith("listen+"))
    options = _options(given)
    secrets = (options.password,) if options.password else ()
    feeds = feed_settings(urls or _four(ctx, given), FeedOptions())
    return tuple(replace(feed, hub=options, secrets=(*feed.secrets, *secrets)) for feed in feeds)


def _four(ctx: click.Context, given: dict[str, Any]) -> list[str]:
    """The URLs that host and ports make."""
    from tuistream.core.text import printable

    host = f"[{given['host']}]" if ":" in given["host"] else given["host"]
    if not host.isprintable() or any(char in host for char in "/@?# "):
        raise SettingsError(f"--host {printable(host)!r}: a host or an address is wanted")
    ways = [way for way in WAYS if given[way] != OFF]
    if "http" in ways and not _typed(ctx, ("http",)) and importlib.util.find_spec(HTTP_LIBRARY) is None:
        click.echo("tuistream: without HTTP; for it: pip install 'tuistream[hub]'", err=True)
        ways.remove("http")
    if not ways:
        raise SettingsError("--tcp, --frames, --http and --ws: one of them must be on")
    return [f"listen+{way}://{host}:{given[way]}" for way in ways]


def _options(given: dict[str, Any]) -> HubOptions:
    from tuistream.config import from_file
    from tuistream.sources.hub.options import HubOptions, limits_of

    return HubOptions(
        password=from_file(given["password"], "--password"),
        allow=given["allow"],
        no_auth=given["no_auth"],
        tls_cert=given["tls_cert"],
        tls_key=given["tls_key"],
        compat_200=given["compat_200"],
        limits=limits_of(given, lambda limit: limit.option, HubLimits()),
    )
