"""The command line: one file a command, imported only when it is called for."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Final

import click

from tuistream import __version__
from tuistream.core.errors import TuistreamError

COMMANDS: Final = {  # each with what `tuistream --help` says of it, so that none need be imported for that
    "watch": "Watch feeds on the screen and record them.",
    "record": "Record feeds into a file, with no screen, until a signal.",
    "listen": "Listen for numbers that anyone sends; show and record them.",
    "serve": "Serve a feed to try things on, over WebSocket.",
    "probe": "Connect for a few seconds and tell what was found.",
    "replay": "Replay a recording on the screen, at any pace.",
    "info": "Say what a recording holds.",
    "export": "Write a recording in a format that others read.",
    "import": "Take ticks from files into a recording.",
    "plot": "Draw a window of a recording as the screen does, into a file: SVG, PNG or text.",
    "verify": "Check a recording: integrity, blocks, rollups, gaps against ids, counters.",
    "repair": "Mend a recording in a copy, with all that a damaged file still holds.",
    "query": "Ask a recording a question in SQL.",
    "deploy": "Print a systemd unit, or a Dockerfile, for a recorder that runs for months.",
    "config": "Write, show or check the configuration file.",
    "bench": "Measure this machine, some seconds long.",
    "completion": "Print the completion script of a shell.",
}
_OWN_OPTIONS = ("--help", "-h", "--version")
INTERRUPTED = 130


class Commands(click.Group):
    """Finds a command by its file's name; anything that is no command goes to `watch`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"tuistream.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in COMMANDS and args[0] not in _OWN_OPTIONS):
            args = ["watch", *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="\b\nExamples:\n"
    "  tuistream                              a demo\n"
    "  tuistream wss://example.com/prices     watch and record a feed\n"
    "  tuistream kraken:BTC/USD               a venue by its short name\n"
    "  tuistream FILE.db                      a recording, followed while it is written\n"
    "  tuistream record ws://localhost:8766   record with no screen",
)
@click.version_option(__version__, prog_name="tuistream", message="%(prog)s %(version)s")
def cli() -> None:
    """Watch and record live streams of numbers in a terminal.

    `tuistream URL…` is short for `tuistream watch URL…`; with no URL it shows what is piped into it, or a demo.
    """


def run(args: Sequence[str] | None = None) -> int:
    """Run a command line; its exit code: 0, 1 (failure), 2 (usage), 130 (interrupted)."""
    # Read when numpy is imported: threads of a BLAS would cost more at the start than all that we have it compute.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        code = cli.main(args, prog_name="tuistream", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except (TuistreamError, ExceptionGroup) as error:
        ours = own_error(error)
        if ours is None:
            raise
        click.echo(f"tuistream: {ours}", err=True)
        return ours.exit_code
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code if isinstance(code, int) else 0


def own_error(error: Exception) -> TuistreamError | None:
    """The first of ours where `error` is one, or a group of them, as tasks raise it; None where another is in it."""
    if isinstance(error, TuistreamError):
        return error
    ours, others = error.split(TuistreamError) if isinstance(error, ExceptionGroup) else (None, None)
    return None if ours is None or others is not None else own_error(ours.exceptions[0])


def nearest_command(word: str) -> str:
    """ "; did you mean 'record'?", or nothing."""
    import difflib

    near = difflib.get_close_matches(word, list(COMMANDS), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
