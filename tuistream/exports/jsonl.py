"""JSON lines: one object a row, with the fields that it has; numbers as Python's repr, times as ISO 8601 with ns."""

from __future__ import annotations

import json
from typing import Any, BinaryIO

from numpy.typing import NDArray

from tuistream.exports.contract import Column, Kind, Piece, Sheet
from tuistream.exports.csv import numbers_written, times_written


class Jsonl:
    """A `Format`. What is larger than any float64 stands for infinity, which JSON has not."""

    def __init__(self, out: BinaryIO, sheet: Sheet) -> None:
        self._out = out
        self._columns = sheet.columns

    def write(self, piece: Piece) -> None:
        members = [_members(column, values) for column, values in zip(self._columns, piece, strict=True)]
        lines = ("{" + ",".join(filter(None, row)) + "}\n" for row in zip(*members, strict=True))
        self._out.write("".join(lines).encode())

    def finish(self) -> None: ...


def _members(column: Column, values: NDArray[Any]) -> list[str]:
    """The column's member of each object, nothing where there is no value."""
    name = json.dumps(column.name)
    if column.kind is Kind.TIME:
        return [f'{name}:"{text}"' for text in times_written(values)]
    if column.kind is Kind.NAME:
        texts = [f"{name}:{json.dumps(text)}" for text in column.names]
        return [texts[place] for place in values.tolist()]
    if column.kind is Kind.ID:
        return ["" if each is None else f"{name}:{json.dumps(each)}" for each in values.tolist()]
    if column.kind is Kind.COUNT:
        return [f"{name}:{each}" for each in values.tolist()]
    return [text and f"{name}:{text.replace('inf', '1e999')}" for text in numbers_written(values)]
