"""Lines into cells: comma, semicolon, tab or white space between them, quotes around them (RFC 4180)."""

from __future__ import annotations

import csv
import re
from typing import Final

from tuistream.decoders.wire.numbers import is_number
from tuistream.decoders.wire.timestamps import is_date, is_written_time

MAX_CELLS: Final = 512  # of a line
MAX_CELL: Final = 400  # characters; a longer one is text
MAX_LINE: Final = 1 << 16  # characters; what is longer is no row
WHITE_SPACE: Final = " "
DELIMITERS: Final = ("\t", ";", ",")  # in the order in which they are looked for

_DAY_AND_CLOCK = re.compile(r"(\d{4}-\d\d-\d\d|\d\d?\.\d\d?\.\d{4}) (?=\d\d:\d\d)", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?(?:\d{1,3}(?:\.\d{3})+|\d*),\d+(?:[eE][+-]?\d+)?", re.ASCII)


def delimiter_of(line: str) -> str:
    """What stands between the cells of `line`."""
    return next((each for each in DELIMITERS if each in line), WHITE_SPACE)


def split(line: str, delimiter: str) -> list[str]:
    """The cells, without what surrounds them; none where there are too many. Decimal commas become points."""
    if len(line) > MAX_LINE:
        return []
    if delimiter == WHITE_SPACE:
        cells = _DAY_AND_CLOCK.sub(r"\1T", line).split(None, MAX_CELLS)
    elif '"' in line:
        cells = _quoted(line, delimiter)
    else:
        cells = line.split(delimiter, MAX_CELLS)
    if len(cells) > MAX_CELLS:
        return []
    cells = [cell.strip() for cell in cells]
    if delimiter != "," and "," in line:
        cells = [_with_point(cell) if "," in cell else cell for cell in cells]
    return cells


def is_value(cell: str) -> bool:
    """Whether a cell is a number or a time."""
    return is_number(cell) or is_written_time(cell) or is_date(cell)


def _quoted(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        return []


def _with_point(cell: str) -> str:
    """1.234,5 as 1234.5; anything else as it is."""
    return cell.replace(".", "").replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell
