"""How a table of ticks is laid out outside of a recording: its columns, and text that a spreadsheet would run.

One row a tick: the event time, the receive time, whose it is, the producer's id, then the fields. Streams of
different fields share the columns of the fields that are called alike; where a stream has no such field, the cell is
empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

TIME: Final = "time"
RECEIVED: Final = "received"
FEED: Final = "feed"
STREAM: Final = "stream"
KIND: Final = "kind"
ID: Final = "id"
TEXT_ID: Final = "id_text"  # of typed tables, where some ids are numbers and others text
FIXED: Final = (TIME, RECEIVED, FEED, STREAM, KIND, ID)

FIELD_PREFIX: Final = "field."  # before the name of a field that is called like one of the columns above
QUOTE: Final = "'"
MAX_FIELD_COLUMNS: Final = 10_000  # of one table

EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  # a Z is written behind it
_RUN = ("=", "+", "-", "@", "\t", "\r", "\n", QUOTE)
_NUMBER = re.compile(r"-?\d+", re.ASCII)


def column_of(field: str) -> str:
    """What the column of a field is called."""
    return FIELD_PREFIX + field if field in (*FIXED, TEXT_ID) or field.startswith(FIELD_PREFIX) else field


def field_of(column: str) -> str:
    """The field whose column it is: the reverse of `column_of`."""
    return column.removeprefix(FIELD_PREFIX)


def guarded(text: str) -> str:
    """`text` behind a ' where a spreadsheet would take it for a formula, or it begins with a ' itself."""
    return QUOTE + text if text.startswith(_RUN) else text


def guarded_id(tick_id: int | str | None) -> str:
    """An id as a cell: nothing for None; a text that looks like a number stands behind a '."""
    if tick_id is None:
        return ""
    if isinstance(tick_id, str):
        return QUOTE + tick_id if _NUMBER.fullmatch(tick_id) else guarded(tick_id)
    return str(tick_id)


def unguarded(cell: str) -> str:
    """The reverse of `guarded`."""
    return cell[1:] if cell.startswith(QUOTE) else cell


def unguarded_id(cell: str) -> int | str | None:
    """The reverse of `guarded_id`."""
    if not cell:
        return None
    return int(cell) if _NUMBER.fullmatch(cell) else unguarded(cell)


def union(fields: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """All fields of several streams, each once, in the order in which they come."""
    return tuple(dict.fromkeys(name for names in fields for name in names))


def written(t: int) -> str:
    """A time (ns since 1970 UTC) as ISO 8601 with all its digits, as 2026-11-21T15:16:17.123456789Z."""
    seconds, ns = divmod(t, 10**9)
    moment = EPOCH + timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ns:09}Z"
