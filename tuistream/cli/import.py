"""`tuistream import`: files of ticks that others wrote, into a recording."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from tuistream.core.errors import SettingsError
from tuistream.core.text import printable

if TYPE_CHECKING:
    from tuistream.imports.contract import Wishes
    from tuistream.imports.run import Imported


@click.command(
    epilog="\b\nExamples:\n"
    "  tuistream import sensors.csv --db sensors.db\n"
    "  tuistream import stock.db --db prices.db\n"
    "  tuistream import spot_btcusdt_20240808.gz --db btc.db\n"
    "  tuistream import trades.zip --db spy.db --columns ms,price,qty,exchange,conditions,suspicious \\\n"
    "    --time ms --unit ms --day 2013-10-07 --zone America/New_York --fields price,qty --feed SPY"
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "--db", required=True, metavar="FILE", type=click.Path(path_type=Path), help="The recording; appended to."
)
@click.option("--time", default="", metavar="COLUMN", help="The event time; by default found by its name or looks.")
@click.option("--unit", default="", metavar="s|ms|us|ns", help="Of times that are numbers; by default by their size.")
@click.option(
    "--day", default="", metavar="DATE", help="The day of times that have none; numbers count from its midnight."
)
@click.option(
    "--zone", default="", metavar="NAME", help="Of times without an offset, as Europe/Berlin.  [default: UTC]"
)
@click.option(
    "--stream", default="", metavar="COLUMN", help="The name of the stream; by default found, if there is one."
)
@click.option("--id", "id_", default="", metavar="COLUMN", help="The producer's id.")
@click.option(
    "--fields", default="", metavar="A,B,…", help="The columns of values; by default all that hold numbers."
)
@click.option("--columns", default="", metavar="A,B,…", help="Names of all columns, of a CSV file without a header.")
@click.option("--feed", default="", metavar="NAME", help="The feed in the recording; by default the file's name.")
@click.option("--decoder", default="", metavar="NAME", help="How to read captured frames; by default found out.")
@click.option("--table", default="", metavar="NAME", help="Of an SQLite file.  [default: trades, or the only one]")
@click.option("--sync", type=click.Choice(["normal", "full"]), default="normal", show_default=True)
@click.option("--index-time", is_flag=True, help="Keep an index on time.")
@click.option("--json", "as_json", is_flag=True, help="For scripts: what was done, as one JSON object.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
def command(files: tuple[Path, ...], db: Path, sync: Literal["normal", "full"], **given: Any) -> int:
    """Take ticks from files into a recording.

    A FILE is CSV (columns found, or named), Parquet, Arrow, JSON lines, any of these from `tuistream export`,
    captured raw frames as `tuistream serve` plays them, an SQLite table such as streaming-plot's stock.db, or a
    recording; text may be gzip, or alone in a zip. Where a file has no receive times, that of a tick is its event
    time.
    """
    from tuistream.cli.ending import like_ctrl_c
    from tuistream.cli.progress import shown
    from tuistream.imports.run import Imported, run
    from tuistream.store.segments import files_of

    done = Imported()
    wishes = _wishes(given)
    try:
        with like_ctrl_c(), shown("importing", done.look, given["quiet"]):
            asyncio.run(run(files_of(files), db, wishes, done, sync=sync, index_time=given["index_time"]))
    except BaseException:
        if done.rows:
            _tell(done, db, given)
        raise
    _tell(done, db, given)
    return 0 if done.rows else 1


def _tell(done: Imported, db: Path, given: dict[str, Any]) -> None:
    if given["as_json"]:
        click.echo(_as_json(done, db))
    elif not given["quiet"]:
        click.echo("\n".join(_as_lines(done, db)))


def _wishes(given: dict[str, Any]) -> Wishes:
    from tuistream.imports.contract import Wishes

    return Wishes(
        time=given["time"],
        stream=given["stream"],
        id=given["id_"],
        fields=_listed(given["fields"]),
        columns=_listed(given["columns"]),
        unit=given["unit"],
        day=_day(given["day"]) if given["day"] else None,
        zone=given["zone"],
        feed=given["feed"],
        decoder=given["decoder"],
        table=given["table"],
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _day(text: str) -> int:
    from datetime import date

    try:
        return (date.fromisoformat(text).toordinal() - date(1970, 1, 1).toordinal()) * 86_400 * 10**9
    except ValueError as error:
        raise SettingsError(f"--day {text!r}: a date such as 2013-10-07 is wanted") from error


def _as_json(done: Imported, db: Path) -> str:
    return json.dumps(
        {
            "db": str(db),
            "rows": done.rows,
            "streams": done.streams,
            "gaps": done.gaps,
            "first": done.first,
            "last": done.last,
            "repeats": done.repeats,
            "refused": done.progress.refused,
            "first_refused": done.progress.first,
            "skipped": done.progress.skipped,
            "notes": done.progress.notes,
            "without_receive_times": done.own_times,
        }
    )


def _as_lines(done: Imported, db: Path) -> list[str]:
    """What was done, in words."""
    from tuistream.core.exchange import written

    span = (
        f", {written(done.first)} to {written(done.last)}" if done.first is not None and done.last is not None else ""
    )
    streams = f"{done.streams:,} stream{'' if done.streams == 1 else 's'}"
    lines = [f"{done.rows:,} tick{'' if done.rows == 1 else 's'} of {streams} in {printable(str(db), 500)}{span}"]
    if done.gaps:
        lines.append(f"{done.gaps:,} gap{'' if done.gaps == 1 else 's'}")
    if done.own_times:
        lines.append(f"no receive time in {printable(', '.join(done.own_times), 200)}: it is the event time")
    if done.progress.refused:
        lines.append(f"{done.progress.refused:,} refused; the first: {printable(done.progress.first, 300)}")
    if done.repeats:
        lines.append(f"{done.repeats:,} left out: their id had just come")
    if done.progress.skipped:
        lines.append(f"{done.progress.skipped:,} frames or lines hold no tick")
    return lines + [printable(note, 300) for note in done.progress.notes]
