"""`tuistream plot`: a still of a recording, as a picture or as text."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tuistream.core.errors import SettingsError, TuistreamError
from tuistream.core.text import printable

if TYPE_CHECKING:
    from tuistream.charts.still import Still
    from tuistream.store.history import History, Newest
    from tuistream.ui.still import Span

ENDINGS: Final = (".svg", ".png", ".txt")
LEAST_SIZE: Final = (10, 4)  # cells
MOST_CELLS: Final = 1_000  # in width, and in height
RAW_TICKS: Final = 300_000  # of a window: up to so many are read as they are, for their averages


@click.command(
    epilog="\b\nExamples:\n"
    "  tuistream plot btc.db -o btc.svg\n"
    '  tuistream plot btc.db -o btc.png --since "yesterday 9:00" --until 17:30 --averages 50,200\n'
    "  tuistream plot btc.db --since -10m --streams BTC/USD"
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", default="-", metavar="PATH", help="A file .svg, .png or .txt; by default text is printed."
)
@click.option("--since", default="", metavar="TIME", help="From then on: 14:30, -10m, yesterday 9:00, ISO 8601.")
@click.option("--until", default="", metavar="TIME", help="Until then.")
@click.option("--streams", multiple=True, metavar="NAME,…", help="These only: name, kind or feed (repeatable).")
@click.option("--size", default="120x30", show_default=True, metavar="WxH", help="Cells, as of a terminal.")
@click.option("--averages", default="15", show_default=True, metavar="N,…", help="Lengths of averages, or off.")
@click.option("--theme", envvar="TUISTREAM_THEME", default="", metavar="NAME", help="Colours.")
@click.option(
    "--glyphs", type=click.Choice(["braille", "blocks", "ascii"]), default="braille", help="What to draw with."
)
@click.option("--log", is_flag=True, help="A logarithmic scale.")
@click.option("--colours/--no-colours", default=None, help="Of text; by default where it goes to a terminal.")
def command(files: tuple[Path, ...], **given: Any) -> None:
    """Draw a window of a recording as the screen does, into a file: SVG, PNG or text."""
    output = given["output"]
    ending = "" if output == "-" else Path(output).suffix.lower()
    if ending not in ("", *ENDINGS):
        raise SettingsError(f"-o {printable(output)}: a name that ends in {', '.join(ENDINGS)} is wanted")
    _write(output, _as_file(_still(files, given), ending, given["colours"]))


def _still(files: tuple[Path, ...], given: dict[str, Any]) -> Still:
    from tuistream.cli.watch import averages_from
    from tuistream.store.history import History
    from tuistream.store.playback import check_names, is_named
    from tuistream.store.segments import files_of
    from tuistream.ui.still import SAMPLE, StillOptions, most_panels, ranked, still_of

    width, height = _size(given["size"])
    lengths = () if given["averages"] in ("off", "") else averages_from(given["averages"])
    options = StillOptions(width, height, lengths, given["theme"], given["glyphs"], given["log"])
    names = [name.strip() for names in given["streams"] for name in names.split(",") if name.strip()]
    paths = files_of(files)
    with History(lambda: paths, RAW_TICKS) as history:
        found = ranked(history.newest(1, lambda _key: True))
        if not found:
            raise TuistreamError(f"{printable(str(files[0]))}: no ticks in it")
        check_names(names, [newest.stream for newest in found])
        wanted = [newest for newest in found if not names or is_named(newest.stream, names)]
        span = _span(history, wanted, given)
        keys = {newest.stream.key for newest in wanted[: most_panels(options)]}
        if len(keys) < len(wanted):
            told = f"{len(keys)} of {len(wanted)} streams have room in {width}x{height}; --size or --streams"
            click.echo(f"tuistream: {told}", err=True)
        return still_of(history, ranked(history.newest(SAMPLE, keys.__contains__)), span, options)


def _span(history: History, streams: list[Newest], given: dict[str, Any]) -> Span:
    """The window: by default from the oldest tick to the newest one. Times of a clock are of the newest one's day."""
    from tuistream.core.moments import parse_moment
    from tuistream.ui.still import Span

    now, newest = time.time_ns(), max(int(each.t[-1]) for each in streams)
    oldest = min(history.oldest(each.stream.key) or newest for each in streams)
    since, until = oldest, newest + 1
    if given["since"]:
        since = parse_moment(given["since"], now, None, newest, option="--since")
    if given["until"]:
        until = parse_moment(given["until"], now, None, newest, option="--until")
    if until <= since:
        raise SettingsError("--since and --until: nothing is between them")
    return Span(since, until)


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,4})x(\d{1,4})", text, re.ASCII)
    width, height = (int(match[1]), int(match[2])) if match else (0, 0)
    if not (LEAST_SIZE[0] <= width <= MOST_CELLS and LEAST_SIZE[1] <= height <= MOST_CELLS):
        raise SettingsError(f"--size {printable(text)!r}: cells are wanted, from 10x4 to {MOST_CELLS}x{MOST_CELLS}")
    return width, height


def _as_file(still: Still, ending: str, colours: bool | None) -> bytes:
    """What is written. colours: of text; None for where it goes to a terminal, unless NO_COLOR says otherwise."""
    if ending == ".svg":
        from tuistream.charts.svg import svg_of

        return svg_of(still).encode()
    if ending == ".png":
        from tuistream.charts.png import png_of

        return png_of(still)
    from tuistream.charts.still import text_of

    if colours is None:
        colours = not ending and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return text_of(still, colours=colours).encode()


def _write(output: str, data: bytes) -> None:
    if output == "-":
        click.echo(data, nl=False)
        return
    try:
        Path(output).write_bytes(data)
    except OSError as error:
        raise TuistreamError(f"cannot write {printable(output)}: {error.strerror}") from error
