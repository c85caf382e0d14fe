"""What is written: rows as typed columns, a piece at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, BinaryIO, Protocol

from numpy.typing import NDArray

PIECE_CELLS = 1_000_000  # of a piece at most


class Kind(Enum):
    """What a column holds, and as what array it comes."""

    TIME = auto()  # int64, ns since 1970 UTC
    NAME = auto()  # int64, positions in `Column.names`
    ID = auto()  # int64, or objects: int, str or None
    NUMBER = auto()  # float64, NaN where there is none
    COUNT = auto()  # int64


@dataclass(frozen=True, slots=True)
class Column:
    """names: of a column of names, all that there can be."""

    name: str
    kind: Kind
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """The columns of what is written. ids: the types that ids have, int and str. streams: JSON that says what the
    streams are, "" where rows are no ticks.
    """

    columns: tuple[Column, ...]
    ids: frozenset[type] = frozenset()
    streams: str = ""


Piece = Sequence[NDArray[Any]]  # an array for each column, all [n]


class Format(Protocol):
    """Writes pieces to `out` as they come, in constant memory. Raises OSError."""

    def __init__(self, out: BinaryIO, sheet: Sheet) -> None: ...

    def write(self, piece: Piece) -> None: ...

    def finish(self) -> None:
        """Write what is still to be written; `out` stays open."""


@dataclass(slots=True)
class Done:
    """How far an export is. read, total: rows of the files. rows: written."""

    read: int = 0
    total: int = 0
    rows: int = 0

    def look(self) -> tuple[int, int, int]:
        return self.read, self.total, self.rows
