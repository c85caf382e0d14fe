"""`tuistream query`: SQL on a recording, read-only."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tuistream.core.exchange import guarded
from tuistream.core.text import printable

if TYPE_CHECKING:
    from rich.table import Table

    from tuistream.store.query import Query

ROWS_SHOWN: Final = 1_000  # in a table, whose columns are as wide as their widest cell
CELL: Final = 200  # characters of a cell in a table
WIDEST: Final = 20_000  # characters of a line, where a table goes to no terminal
NARROWEST, NARROWEST_NUMBER = 6, 12  # what a terminal that is too narrow leaves of a column

_NS: Final = frozenset(
    (
        "t",
        "recv",
        "t0",
        "t1",
        "bucket",
        "first_t",
        "last_t",
        "first_seen",
        "began",
        "alive",
        "ended",
        "since",
        "until",
    )
)
_SECONDS: Final = "time"
_FIRST_YEAR, _LAST_YEAR = 631_152_000, 9_000_000_000  # seconds: 1990 and 2255; what is not between is no time


@click.command(
    epilog="\b\nExamples:\n"
    "  tuistream query btc.db 'SELECT * FROM trades ORDER BY time DESC LIMIT 20'\n"
    "  tuistream query btc.db --csv 'SELECT * FROM candles_1m' > candles.csv\n"
    "  tuistream query day1.db day2.db --json 'SELECT stream, count(*) AS gaps FROM gaps GROUP BY stream'"
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.argument("sql", metavar="SQL")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated, with a header.")
@click.option("--json", "as_json", is_flag=True, help="One array of objects.")
@click.option("--raw", is_flag=True, help="Times in the table as stored: ns, or seconds, since 1970 UTC.")
def command(files: tuple[Path, ...], sql: str, as_csv: bool, as_json: bool, raw: bool) -> None:
    """Ask a recording a question in SQL. Nothing can be changed by it.

    Several files, and those of a rotated recording, are seen as one. In a table times are local; --csv and --json
    have them as they are stored.
    """
    from tuistream.store.query import Query
    from tuistream.store.segments import files_of

    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude each other")
    with Query(files_of(files), sql) as query:
        if as_csv:
            _write_csv(query)
        elif as_json:
            _write_json(query)
        else:
            _show(query, raw)


def _write_csv(query: Query) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([guarded(name) for name in query.columns])
    writer.writerows([_csv_cell(cell) for cell in row] for row in query.rows())


def _csv_cell(cell: object) -> object:
    if isinstance(cell, str):
        return guarded(cell)
    return cell.hex() if isinstance(cell, bytes) else cell


def _write_json(query: Query) -> None:
    names = _distinct(query.columns)
    separator = "[\n"
    for row in query.rows():
        sys.stdout.write(f"{separator}{_json_object(names, row)}")
        separator = ",\n"
    sys.stdout.write("[]\n" if separator == "[\n" else "\n]\n")


def _json_object(names: Sequence[str], row: Sequence[Any]) -> str:
    cells = (f"{json.dumps(name)}:{_json_cell(cell)}" for name, cell in zip(names, row, strict=True))
    return "{" + ",".join(cells) + "}"


def _json_cell(cell: object) -> str:
    if isinstance(cell, float) and not math.isfinite(cell):
        return "1e999" if cell > 0 else "-1e999"  # SQLite has no NaN; JSON no infinity but what is too large
    return json.dumps(cell.hex() if isinstance(cell, bytes) else cell)


def _distinct(names: Sequence[str]) -> list[str]:
    """The names, each once: an object with a key twice would lose a column."""
    found: list[str] = []
    for name in names:
        free, number = name, 1
        while free in found:
            number += 1
            free = f"{name}_{number}"
        found.append(free)
    return found


def _show(query: Query, raw: bool) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    rows = query.rows()
    shown = list(islice(rows, ROWS_SHOWN))
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold", highlight=False)
    texts = [[_cell(name, cell, raw) for name, cell in zip(query.columns, row, strict=True)] for row in shown]
    for position, name in enumerate(query.columns):
        right = all(_is_number(name, row[position], raw) for row in shown)
        narrowest = NARROWEST_NUMBER if right else NARROWEST
        table.add_column(
            Text(printable(name, CELL)),
            justify="right" if right else "left",
            no_wrap=True,
            overflow="ellipsis",
            min_width=min(narrowest, max([len(name), *(len(cells[position]) for cells in texts)])),
        )
    for cells in texts:
        table.add_row(*(Text(text) for text in cells))
    _print(table)
    click.echo("\n".join(_last_lines(len(shown), next(rows, None) is not None, query.columns, shown, raw)))


def _is_number(name: str, cell: object, raw: bool) -> bool:
    return cell is None or (isinstance(cell, (int, float)) and (raw or not _is_time(name, cell)))


def _print(table: Table) -> None:
    from rich.console import Console

    if sys.stdout.isatty():
        Console(markup=False, highlight=False, emoji=False).print(table)
        return
    whole = Console(width=WIDEST, file=StringIO(), markup=False, highlight=False, emoji=False)  # a pipe has no width
    whole.print(table)
    assert isinstance(whole.file, StringIO)
    click.echo("\n".join(line.rstrip() for line in whole.file.getvalue().splitlines()))


def _last_lines(
    count: int, more: bool, names: Sequence[str], shown: Sequence[Sequence[Any]], raw: bool
) -> Iterator[str]:
    words = f"{count:,} row{'' if count == 1 else 's'}"
    if not raw and any(_is_time(name, cell) for row in shown[:1] for name, cell in zip(names, row, strict=True)):
        words += "; times are local, --raw shows them as stored"
    yield f"the first {words}; --csv and --json have all" if more else words


def _cell(name: str, cell: Any, raw: bool) -> str:
    if cell is None:
        return "NULL"
    if isinstance(cell, bytes):
        return f"{len(cell):,} bytes"
    if not raw and _is_time(name, cell):
        return _local(cell if isinstance(cell, int) else round(cell * 10**6) * 1_000)
    return printable(str(cell), CELL)


def _is_time(name: str, cell: object) -> bool:
    if name in _NS and isinstance(cell, int):
        return _FIRST_YEAR * 10**9 <= cell < _LAST_YEAR * 10**9
    return name == _SECONDS and isinstance(cell, float) and _FIRST_YEAR <= cell < _LAST_YEAR


def _local(t: int) -> str:
    """A time (ns since 1970 UTC) on this machine's clock, with as many digits as it has, by threes."""
    seconds, ns = divmod(t, 10**9)
    digits = f"{ns:09}"
    while digits.endswith("000") and len(digits) > 3:
        digits = digits[:-3]
    return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M:%S}.{digits}"
