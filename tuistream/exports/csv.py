"""CSV (RFC 4180): times as ISO 8601 with ns, numbers as Python's repr, text that a spreadsheet would run guarded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tuistream.core.exchange import guarded, guarded_id
from tuistream.exports.contract import Column, Kind, Piece, Sheet

_QUOTED = (",", '"', "\n", "\r")


class Csv:
    """A `Format`."""

    def __init__(self, out: BinaryIO, sheet: Sheet) -> None:
        self._out = out
        self._columns = sheet.columns
        self._names = [[_cell(guarded(name)) for name in column.names] for column in sheet.columns]
        out.write(f"{','.join(_cell(guarded(column.name)) for column in sheet.columns)}\n".encode())

    def write(self, piece: Piece) -> None:
        cells = [
            _cells(column, values, names)
            for column, values, names in zip(self._columns, piece, self._names, strict=True)
        ]
        lines = map(",".join, zip(*cells, strict=True))
        self._out.write(("\n".join(lines) + "\n").encode("utf-8", "backslashreplace"))

    def finish(self) -> None: ...


def times_written(t: NDArray[np.int64]) -> list[str]:
    """Each as 2026-11-21T15:16:17.123456789Z."""
    return [f"{text}Z" for text in np.datetime_as_string(t.view("datetime64[ns]")).tolist()]


def numbers_written(v: NDArray[np.float64]) -> list[str]:
    """Each as the shortest text that gives the same float64; nothing for NaN."""
    missing = np.isnan(v)
    if missing.all():
        return [""] * len(v)
    texts = list(map(repr, v.tolist()))
    for place in np.flatnonzero(missing).tolist():
        texts[place] = ""
    return texts


def _cells(column: Column, values: NDArray[Any], names: Sequence[str]) -> list[str]:
    if column.kind is Kind.TIME:
        return times_written(values)
    if column.kind is Kind.NAME:
        return [names[place] for place in values.tolist()]
    if column.kind is Kind.ID:
        return [
            _cell(guarded_id(each)) if type(each) is str else "" if each is None else str(each) for each in values
        ]
    if column.kind is Kind.COUNT:
        return list(map(str, values.tolist()))
    return numbers_written(values)


def _cell(text: str) -> str:
    if any(mark in text for mark in _QUOTED) or text != text.strip():
        return '"' + text.replace('"', '""') + '"'
    return text
