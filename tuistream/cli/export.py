"""`tuistream export`: a recording as CSV, JSON lines, Parquet, Arrow, or a smaller recording."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tuistream.core.errors import SettingsError
from tuistream.core.text import printable
from tuistream.exports import FORMATS, SUFFIXES

if TYPE_CHECKING:
    from tuistream.exports.contract import Done
    from tuistream.store.playback import Selection


@click.command(
    epilog="\b\nExamples:\n"
    "  tuistream export btc.db --to csv > btc.csv\n"
    "  tuistream export btc.db -o btc.parquet --since 'yesterday 9:00' --until 17:30 --streams BTCUSDT\n"
    "  tuistream export btc.db --to csv --every 1m\n"
    "  tuistream export day1.db day2.db -o both.db"
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--to", "to", type=click.Choice(FORMATS), help="The format; by default told by the name of -o.")
@click.option(
    "-o", "--output", default="", metavar="PATH", help="Where to; - for standard output, the default of text."
)
@click.option("--since", default="", metavar="TIME", help="From this event time on.")
@click.option("--until", default="", metavar="TIME", help="To before this event time.")
@click.option("--streams", default="", metavar="A,B,…", help="Names of streams, kinds or feeds.")
@click.option(
    "--every", default="", metavar="TIME", help="A row a bucket of this length and field, not a tick: 1s, 1m, 1h."
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.option("-q", "--quiet", is_flag=True, help="No progress, no last word.")
def command(files: tuple[Path, ...], to: str | None, output: str, **given: Any) -> int:
    """Write a recording in a format that others read: one row a tick, in the order of receipt.

    Times are event times, as "14:30", "-10m" (before the end), "yesterday 9:00" or ISO 8601. Streams of different
    fields share a table: where one has no such field the cell is empty, and in JSON lines there is none.
    """
    from tuistream.cli.ending import like_ctrl_c
    from tuistream.cli.progress import shown
    from tuistream.core.durations import parse_duration
    from tuistream.exports.contract import Done
    from tuistream.exports.run import export
    from tuistream.sources.recording import selection_of

    out = None if output in ("", "-") else Path(output)
    name = _format(to, out, output)
    options = {option: given[option] for option in ("since", "until", "streams") if given[option]}
    selection = selection_of(files, options, time.time_ns())
    every = parse_duration(given["every"], "--every") if given["every"] else None
    done = Done()
    with like_ctrl_c(), shown("exporting", done.look, given["quiet"]):
        export(selection, name, out, done, every=every, force=given["force"])
    if not given["quiet"]:
        for words in (_last_words(done, out) if out is not None else "", *_left_out(selection, every)):
            if words:
                click.echo(words, err=True)
    return 0


def _format(to: str | None, out: Path | None, output: str) -> str:
    name = to or (SUFFIXES.get(out.suffix.lower()) if out is not None else None)
    if name is None:
        raise SettingsError(f"--to: one of {', '.join(FORMATS)} is wanted")
    if out is None and name in ("parquet", "arrow") and (not output or sys.stdout.isatty()):
        raise SettingsError(f"--to {name}: -o PATH is wanted, or -o - where standard output is no terminal")
    return name


def _left_out(selection: Selection, every: int | None) -> tuple[str, str]:
    from tuistream.store.left_out import items_left_out, ticks_left_out
    from tuistream.store.thinned import MINUTE

    return items_left_out(selection), "" if every and every % MINUTE == 0 else ticks_left_out(selection)


def _last_words(done: Done, out: Path) -> str:
    return f"{done.rows:,} row{'' if done.rows == 1 else 's'} in {printable(str(out), 500)}"
