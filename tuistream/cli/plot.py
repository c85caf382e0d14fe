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
RAW_TICKS_OF_KINDS: Final = 1_000_000  # for kinds of which each is needed, as of a histogram


@click.command(
    epilog="\b\nExamples:\n"
    "  tuistream plot btc.db -o btc.svg\n"
    '  tuistream plot btc.db -o btc.png --since "yesterday 9:00" --until 17:30 --averages 50,200\n'
    "  tuistream plot btc.db --since -10m --streams BTC/USD\n"
    "  tuistream plot btc.db --kind candles --interval 5m -o btc.svg\n"
    "  tuistream plot mic.db --kind 'study:fft(v, n=4096, units=dB)' --since -1m"
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", default="-", metavar="PATH", help="A file .svg, .png or .txt; by default text is printed."
)
@click.option("--since", default="", metavar="TIME", help="From then on: 14:30, -10m, yesterday 9:00, ISO 8601.")
@click.option("--until", default="", metavar="TIME", help="Until then.")
@click.option("--streams", multiple=True, metavar="NAME,…", help="These only: name, kind or feed (repeatable).")
@click.option("--size", default="120x30", show_default=True, metavar="WxH", help="Cells, as of a terminal.")
@click.option("--kind", default="line", show_default=True, metavar="NAME", help="As c on the screen, or a study.")
@click.option("--interval", default="", metavar="TIME", help="Of a candle: 1s to 1d.")
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
    colours = ending in (".svg", ".png") or _text_in_colours(ending, given["colours"])
    _write(output, _as_file(_still(files, given, colours), ending, colours))


def _text_in_colours(ending: str, chosen: bool | None) -> bool:
    """As chosen; else where text goes to a terminal, unless NO_COLOR says otherwise."""
    return chosen if chosen is not None else not ending and sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _still(files: tuple[Path, ...], given: dict[str, Any], colours: bool) -> Still:
    """colours: cells may have their own."""
    from tuistream.cli.watch import averages_from
    from tuistream.store.history import History
    from tuistream.store.playback import check_names, is_named
    from tuistream.store.segments import files_of
    from tuistream.ui.still import SAMPLE, StillOptions, most_panels, ranked, still_of
    from tuistream.ui.still_kinds import GRID, HEAT_MAP
    from tuistream.ui.wishes import kind_wanted

    width, height = _size(given["size"])
    lengths = () if given["averages"] in ("off", "") else averages_from(given["averages"])
    kind = kind_wanted(given["kind"], given["interval"])
    options = StillOptions(
        width, height, lengths, given["theme"], given["glyphs"], given["log"], kind=kind, colours=colours
    )
    names = [name.strip() for names in given["streams"] for name in names.split(",") if name.strip()]
    paths = files_of(files)
    with History(lambda: paths, RAW_TICKS if kind.lines else RAW_TICKS_OF_KINDS) as history:
        found = ranked(history.newest(1, lambda _key: True))
        if not found:
            raise TuistreamError(f"{printable(str(files[0]))}: no ticks in it")
        check_names(names, [newest.stream for newest in found])
        wanted = [newest for newest in found if not names or is_named(newest.stream, names)]
        if kind.name == GRID:
            wanted = [newest for newest in wanted if newest.stream.kind == HEAT_MAP]
        if not wanted:
            raise TuistreamError(f"--kind {kind.name}: no stream here is a sender's heat map")
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


def _as_file(still: Still, ending: str, colours: bool) -> bytes:
    """What is written. colours: of text."""
    if ending == ".svg":
        from tuistream.charts.svg import svg_of

        return svg_of(still).encode()
    if ending == ".png":
        from tuistream.charts.png import png_of

        return png_of(still)
    from tuistream.charts.still import text_of

    return text_of(still, colours=colours).encode()


def _write(output: str, data: bytes) -> None:
    if output == "-":
        click.echo(data, nl=False)
        return
    try:
        Path(output).write_bytes(data)
    except OSError as error:
        raise TuistreamError(f"cannot write {printable(output)}: {error.strerror}") from error
