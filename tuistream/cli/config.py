"""`tuistream config`: the configuration file, written, shown with what is in force, and checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tuistream.core.errors import SettingsError, TuistreamError
from tuistream.core.text import printable, redact_url

if TYPE_CHECKING:
    from tuistream.config_file import ConfigFile

SECTIONS: Final = {
    "recording": (
        "no_record",
        "db",
        "sync",
        "index_time",
        "rotate",
        "retention",
        "keep_rollups",
        "record_media",
        "retries",
    ),
    "screen": ("fps", "budget", "glyphs", "pictures", "theme", "averages", "window", "memory", "allow_media"),
    "headless": ("log_format", "status_port", "down_after"),
}
SHOWN_OF: Final = "listen"  # the command that has all options of the file
TEMPLATE: Final = """\
# Configuration of tuistream. What is commented out is the default.
# Flags beat environment variables (TUISTREAM_DB, TUISTREAM_FPS …), and these beat this file.

[recording]
# record = true
# db = "~/prices.db"           # default: a file a feed and day in your data directory
# sync = "normal"              # "full": each flush survives a power cut
# index_time = false
# rotate = "1d"                # default: one file; "1h", "1GB" …
# retention = "30d"            # default: nothing is removed; "50GB" …
# keep_rollups = "1y"          # default: they go with their file; "forever"
# record_media = false         # texts and pictures, too
# retries = 10                 # default: without end

[screen]
# fps = 10                     # 1 to 60
# budget = "10kB/s"            # default: no ceiling
# glyphs = "braille"           # "blocks", "ascii"; default: what the terminal can show
# pictures = "auto"            # "kitty", "sixel", "cells"; default: what the terminal says that it shows
# theme = "tuistream-dark"
# averages = [15]
# window = 100000              # ticks of a stream that are kept
# memory = "512MB"
# allow_media = []             # paths or URLs, with *, that messages may have opened

[headless]                     # record, and listen --headless
# log_format = "text"          # "json": an object a line on standard error
# status_port = 9100           # or "HOST:PORT": /healthz and /metrics there; default: nowhere
# down_after = "1m"            # /healthz: how long a feed may be without a connection

# [keys]                       # command = key or keys, as in ? on the screen
# pause = "p"

# [[feeds]]
# url = "wss://example.com/prices"
# name = "prices"
# bearer_env = "PRICES_TOKEN"  # an environment variable; `bearer` would be the token itself
# fields = ["price", "size"]

# [[listen]]
# url = "listen+ws://127.0.0.1:8040"
# password_env = "HUB_PASSWORD"

# [[panels]]                   # in this order, before all others
# stream = "BTCUSDT"
# range = "15m"
# averages = "both"
# chart = "candles"            # or any other kind, or "study:fft(price, n=1024, window=hann, units=dB)"
"""


@click.group(
    epilog="\b\nExamples:\n"
    "  tuistream config init\n"
    "  tuistream config show\n"
    "  tuistream config check --config ./tuistream.toml\n"
    "\nThe file is --config FILE or TUISTREAM_CONFIG, else tuistream.toml here, else your own."
)
def command() -> None:
    """Write, show or check the configuration file."""


@command.command()
@click.option("--force", is_flag=True, help="Over a file that is there.")
@click.argument("path", required=False, type=click.Path(dir_okay=False, path_type=Path))
def init(path: Path | None, force: bool) -> int:
    """Write a file with everything in it as comments: PATH, or your own."""
    from tuistream.config import home_file

    path = path or home_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(TEMPLATE)
    except FileExistsError:
        raise TuistreamError(f"{path} is there; --force writes over it") from None
    except OSError as error:
        raise TuistreamError(f"{path}: {error.strerror}") from error
    click.echo(f"{path} written")
    return 0


@command.command()
@click.option("--config", "named", envvar="TUISTREAM_CONFIG", default=None, help="The file.")
def check(named: str | None) -> int:
    """Tell every error in the file; exit code 2 where there is one."""
    from tuistream.config import find_file
    from tuistream.config_file import load

    path = find_file(named)
    if path is None:
        raise SettingsError("there is no configuration file: tuistream config init writes one")
    config = load(path, named=bool(named))
    of_the_screen(config)
    feeds = config.feed_settings()
    for warning in config.warnings:
        click.echo(f"tuistream: {warning}", err=True)
    click.echo(
        f"{path}: right; {len(feeds)} feeds and listeners, {len(config.panels)} panels, {len(config.keys)} keys"
    )
    return 0


def of_the_screen(config: ConfigFile) -> dict[str, Any]:
    """What a file says of keys and panels, as ViewOptions want it. Raises SettingsError, also for its theme."""
    from dataclasses import asdict

    from tuistream.ui import keymap, themes, wishes
    from tuistream.ui.options import PanelOptions

    where = str(config.path)
    if config.screen.theme:
        themes.checked(config.screen.theme, f"{where}: screen.theme =")
    panels = [
        PanelOptions(**{name: value for name, value in asdict(panel).items() if value is not None})
        for panel in config.panels
    ]
    return {"keys": keymap.checked(config.keys, where), "panels": wishes.checked(panels, where)}


@command.command()
@click.option("--config", "named", envvar="TUISTREAM_CONFIG", default=None, help="The file.")
@click.pass_context
def show(ctx: click.Context, named: str | None) -> int:
    """Print what is in force, and where each comes from. Secrets are hidden."""
    from tuistream.cli import cli
    from tuistream.cli.options import CONFIG

    shown = cli.get_command(ctx, SHOWN_OF)
    assert shown is not None
    inner = shown.make_context(SHOWN_OF, ["--config", named] if named else [])
    config = inner.meta.get(CONFIG)
    click.echo(f"# {config.path if config else 'no configuration file'}")
    for section, names in SECTIONS.items():
        click.echo(f"\n[{section}]")
        for name in names:
            source = inner.get_parameter_source(name)
            value = inner.params[name]
            if name == "no_record":
                name, value = "record", not value
            click.echo(f"{_line(name, value):34} # {_word(source)}")
    if config is not None:
        for feed in config.feed_settings():
            kind = "listen" if feed.url.startswith("listen+") else "feeds"
            click.echo(f"\n[[{kind}]]\n{_line('name', feed.name)}\n{_line('url', redact_url(feed.url))}")
            if feed.secrets or feed.hub.password:
                click.echo("# with secrets, not shown")
        for panel in config.panels:
            click.echo(f"\n[[panels]]\n{_line('stream', panel.stream)}")
        if config.keys:
            click.echo("\n[keys]")
            for name, keys in config.keys.items():
                click.echo(_line(name.replace(" ", "_"), list(keys)))
    return 0


def _line(name: str, value: Any) -> str:
    import msgspec

    if value is None or value == "":
        return f"# {name} is not set"
    plain = value if isinstance(value, (bool, int, float, list, tuple)) else str(value)
    return printable(f"{name} = {msgspec.json.encode(plain).decode()}", 200)


def _word(source: Any) -> str:
    names = {"COMMANDLINE": "flag", "ENVIRONMENT": "environment", "DEFAULT_MAP": "file", "DEFAULT": "default"}
    return names.get(getattr(source, "name", ""), "default")
