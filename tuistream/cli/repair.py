"""`tuistream repair`: what is wrong with a recording, mended in a copy."""

from __future__ import annotations

from pathlib import Path

import click

from tuistream.core.text import printable

LOST_SHOWN = 20


@click.command(epilog="\b\nExamples:\n  tuistream repair btc.db\n  tuistream repair btc.db -o mended.db")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The copy; by default NAME.repaired.db beside the file.",
)
def command(file: Path, output: Path | None) -> int:
    """Mend a recording in a copy, with all that a damaged file still holds.

    Blocks, rollups, views and counters are made anew; the file itself stays as it is. Says which rows could not be
    read; where ids show what is missing, it becomes gaps.
    """
    from tuistream.cli.progress import shown
    from tuistream.store.repair import Repaired, repair

    copy = output or file.with_name(f"{file.stem}.repaired{file.suffix}")
    repaired = Repaired()
    with shown("repair", lambda: (0, 0, repaired.rows)):
        repair(file, copy, repaired)
    held = f"{repaired.rows:,} ticks" if not repaired.rolled else f"rollups of {repaired.rolled:,} removed ticks"
    click.echo(f"{printable(str(copy), 500)}: {held}")
    for table, lost in repaired.lost.items():
        for first, last in lost[:LOST_SHOWN]:
            click.echo(f"  {table}: rows {first} to {last} could not be read")
        if len(lost) > LOST_SHOWN:
            click.echo(f"  {table}: … and {len(lost) - LOST_SHOWN:,} more stretches of rows")
    for count, what in (
        (repaired.refused, "rows of ticks hold what no tick can"),
        (repaired.gaps, "gaps were added where ids are missing"),
        (repaired.unfounded, "gaps were not so, and became notices"),
    ):
        if count:
            click.echo(f"  {count:,} {what}")
    return 0
