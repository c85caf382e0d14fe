"""Options that several commands share, and the settings that they make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from tuistream.core.errors import SettingsError

if TYPE_CHECKING:
    from tuistream.config import FeedSettings

Command = Callable[..., Any]

CONFIG: Final = "tuistream.config"  # in a context's meta: the ConfigFile in force


def _use_config(ctx: click.Context, _param: click.Parameter, named: str | None) -> None:
    """Have the configuration file stand in for options that neither the command line nor the environment gives."""
    from tuistream.config import find_file

    path = find_file(named)
    if path is None or ctx.resilient_parsing:
        return
    from tuistream.config_file import load

    config = load(path, named=bool(named))
    for warning in config.warnings:
        click.echo(f"tuistream: {warning}", err=True)
    ctx.default_map = config.options()
    ctx.meta[CONFIG] = config


config_option = click.option(
    "--config",
    is_eager=True,
    expose_value=False,
    callback=_use_config,
    envvar="TUISTREAM_CONFIG",
    type=click.Path(dir_okay=False),
    help="The configuration file; else ./tuistream.toml, else your own (tuistream config --help).",
)

FEED_OPTIONS = (
    click.option("--send", multiple=True, metavar="TEXT", help="Message to send on every connect (repeatable)."),
    click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="HTTP header (repeatable)."),
    click.option("--bearer", default="", metavar="TOKEN", help="Bearer token, or @FILE that holds it."),
    click.option("--basic", default="", metavar="USER:PASSWORD", help="Basic auth, or @FILE that holds it."),
    click.option("--subprotocol", "subprotocols", multiple=True, metavar="NAME", help="Subprotocol (repeatable)."),
    click.option("--ca-file", default="", metavar="FILE", help="Certificates to trust, PEM."),
    click.option("--decoder", default="", metavar="NAME", help="How to read the frames; by default found out."),
    click.option("--time-field", default="", metavar="NAME", help="The field that is the event time."),
    click.option("--fields", default="", metavar="A,B,…", help="The numeric fields to keep."),
    click.option("--key", default="", metavar="NAME", help="The field that names the stream."),
    click.option("--id", "id_", default="", metavar="NAME", help="The field that is the producer's id."),
    click.option("--base-url", default="", metavar="URL", help="Another host for a short name such as kraken:…."),
    click.option("--compress", is_flag=True, help="Offer compression (permessage-deflate)."),
    click.option("--max-frame", default="16MB", show_default=True, metavar="SIZE", help="Longest message taken."),
    click.option(
        "--coalesce",
        default="5ms",
        show_default=True,
        metavar="TIME",
        help="Wait so long to gather more, where a feed is fast; 0 for never.",
    ),
)

RUN_OPTIONS = (
    config_option,
    click.option(
        "--db",
        envvar="TUISTREAM_DB",
        default=None,
        type=click.Path(dir_okay=False, path_type=Path),
        help="The recording file.",
    ),
    click.option(
        "--sync",
        type=click.Choice(["normal", "full"]),
        default="normal",
        show_default=True,
        help="full: each flush survives a power cut.",
    ),
    click.option("--index-time", is_flag=True, help="Keep an index on time, for programs that read `trades`."),
    click.option(
        "--rotate", default="", metavar="TIME|SIZE", help="Go on in a new file each 1d (UTC), 1h … or at 1GB …"
    ),
    click.option(
        "--retention",
        default="",
        metavar="TIME|SIZE",
        help="Remove whole files older than 30d …, or over 50GB … in all.",
    ),
    click.option(
        "--keep-rollups",
        default="",
        metavar="TIME",
        help="With --retention: keep the rollups of removed files for 1y …, or forever.",
    ),
    click.option("--record-media", is_flag=True, help="Record texts, pictures and the like, too."),
    click.option(
        "--retries",
        type=click.IntRange(0),
        default=None,
        metavar="N",
        help="End a feed when N retries in a row have failed; 0: with its first close.",
    ),
)

HEADLESS_OPTIONS = (
    click.option("--for", "duration", default=None, metavar="TIME", help="End after so long: 90, 10m, 1h30m."),
    click.option("--limit", type=click.IntRange(1), default=None, metavar="N", help="End after N ticks, exactly."),
    click.option("--json", "as_json", is_flag=True, help="One JSON object a line on standard output."),
    click.option("-q", "--quiet", is_flag=True, help="Say nothing (with --json: only the last line)."),
    click.option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="Of what is said on standard error.",
    ),
    click.option(
        "--status-port",
        default="",
        metavar="[HOST:]PORT",
        help="Answer /healthz and /metrics there; 0 takes a free port.",
    ),
    click.option(
        "--down-after",
        default="1m",
        show_default=True,
        metavar="TIME",
        help="/healthz: how long a feed may be without a connection.",
    ),
)


no_auth_option = click.option(
    "--no-auth", is_flag=True, help="Allow a --status-port that others can reach: whoever does can read it."
)


def headless_options(command: Command) -> Command:
    return _with(HEADLESS_OPTIONS, command)


def feed_options(command: Command) -> Command:
    return _with(FEED_OPTIONS, command)


def run_options(command: Command) -> Command:
    return _with(RUN_OPTIONS, command)


def _with(options: tuple[Callable[[Command], Command], ...], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


FEED_OPTION_NAMES = (
    "send", "headers", "bearer", "basic", "subprotocols", "ca_file", "decoder", "time_field", "fields", "key", "id_",
    "base_url",
)  # fmt: skip


def feeds_from(targets: tuple[str, ...], given: dict[str, Any]) -> tuple[Any, ...]:
    """The FeedSettings that targets and the feed options among `given` mean. Raises SettingsError."""
    from tuistream.cli import nearest_command
    from tuistream.config import FeedOptions, feed_settings, parse_size
    from tuistream.core.durations import parse_duration

    if targets.count("-") > 1:
        raise SettingsError("-: standard input can be read once only")
    options = FeedOptions(**{name.rstrip("_"): given[name] for name in FEED_OPTION_NAMES})
    max_frame = parse_size(given["max_frame"], "--max-frame")
    coalesce = parse_duration(given["coalesce"], "--coalesce")
    try:
        feeds = feed_settings(targets, options, compress=given["compress"], max_frame=max_frame, coalesce=coalesce)
        return tuple(_limited(feed) for feed in feeds)
    except SettingsError as error:
        near = nearest_command(targets[0]) if "neither a command" in str(error) else ""
        raise SettingsError(f"{error}{near}") from error


def _limited(feed: FeedSettings) -> FeedSettings:
    """With --max-frame as a listener's limit, where it was typed: a listener's own is smaller than a feed's."""
    typed = click.get_current_context().get_parameter_source("max_frame")
    if typed is not ParameterSource.COMMANDLINE or not feed.url.startswith("listen+"):
        return feed
    from msgspec.structs import replace

    return replace(feed, hub=replace(feed.hub, limits=replace(feed.hub.limits, frame=feed.max_frame)))


def feeds_in_force(urls: tuple[str, ...], given: dict[str, Any]) -> tuple[Any, ...]:
    """The FeedSettings of the command line, or else of the configuration file, if there are any. SettingsError."""
    config = click.get_current_context().meta.get(CONFIG)
    if urls or config is None:
        return feeds_from(urls, given) if urls else ()
    return tuple(config.feed_settings())


def files_from(given: dict[str, Any]) -> dict[str, Any]:
    """What --rotate, --retention and --keep-rollups say, as Settings have it. Raises SettingsError."""
    if not given["rotate"] and not given["retention"] and not given["keep_rollups"]:
        return {}
    from tuistream.config import parse_keep_rollups, parse_retention, parse_rotation

    if not given["rotate"]:
        raise SettingsError("--retention removes whole files: --rotate is needed, so that there are several")
    rotation, retention = parse_rotation(given["rotate"], "--rotate"), None
    if given["retention"]:
        retention = parse_retention(given["retention"], "--retention")
    if text := given["keep_rollups"]:
        keep = parse_keep_rollups(text, "--keep-rollups")
        if retention is None:
            raise SettingsError("--keep-rollups keeps those of files that --retention removes: that is needed")
        if keep <= retention.age:
            raise SettingsError(f"--keep-rollups {text}: longer than --retention {given['retention']} is wanted")
        from msgspec.structs import replace

        retention = replace(retention, rollups=keep)
    return {"rotation": rotation, "retention": retention}


def recording_path(given: dict[str, Any], first_feed: str) -> Path:
    """Where to record: `--db`, or the default file of the feed and the day; of the feed where files are rotated."""
    import time

    from tuistream.store.location import default_path

    db: Path | None = given["db"]
    return db if db is not None else default_path(first_feed, None if given["rotate"] else time.time_ns())
