"""CSV: commas, semicolons, tabs or white space between the cells, under a header or not; plain, gzip or zip."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

from tuistream.core.batch import Batch
from tuistream.core.errors import RecordingError, SettingsError
from tuistream.core.exchange import unguarded
from tuistream.decoders.table.cells import delimiter_of, split
from tuistream.decoders.table.lines import Columns, NoRow, cells_of
from tuistream.decoders.table.lines import Table as Lines
from tuistream.imports.contract import FAR, PART_ROWS, Part, Progress, Wishes
from tuistream.imports.exported import EXPORTED, Exported, is_exported
from tuistream.imports.table import SAMPLE_ROWS, Table
from tuistream.imports.text import as_text, unpacked

HEAD_LINES: Final = 1_000  # in which a row must come
HEAD_CHARACTERS: Final = 1 << 20
LINE_PIECE: Final = 1 << 20  # characters


def open_reader(path: Path, wishes: Wishes, progress: Progress) -> CsvReader:
    return CsvReader(path, wishes, progress)


class CsvReader:
    """A `Reader` of a CSV file. Raises RecordingError or SettingsError where its columns tell no time or no value."""

    def __init__(self, path: Path, wishes: Wishes, progress: Progress) -> None:
        wishes.refuse_all_but(
            path, "a table", "time", "stream", "id", "fields", "columns", "unit", "day", "zone", "feed"
        )
        self._path = path
        self._progress = progress
        with unpacked(path) as (data, _):
            text = as_text(data)
            head = _head(text)
            text.detach()
        self._columns, self._delimiter, self._header = _layout(head, wishes)
        names = self._columns.names
        self._table: Table | Exported
        if is_exported(names) and wishes == Wishes(feed=wishes.feed):
            wishes.refuse_all_but(path, EXPORTED)
            self._table = Exported(names, progress, text=True)
            self.receive_times = True
            return
        rows = [row for _, row in islice(self._rows(head), SAMPLE_ROWS)]
        sample = self._columns.by_name(rows)
        progress.refused, progress.first = 0, ""  # these lines are read again
        self._table = Table(wishes.feed or path.name, wishes, sample, progress)
        self.receive_times = False

    def parts(self) -> Iterator[Part]:
        began = self._progress.done
        with unpacked(self._path) as (data, packed):
            text = as_text(data)
            rows = self._rows(_bounded(text))
            while piece := list(islice(rows, PART_ROWS)):
                where = [number for number, _ in piece]
                yield Part(self._batches(self._columns.by_name([row for _, row in piece]), where))
                self._progress.done = began + packed.tell()
            text.detach()

    def _batches(self, columns: Mapping[str, Sequence[str]], where: list[int]) -> list[Batch]:
        if isinstance(self._table, Exported):
            return self._table.batches(columns, where)
        return self._table.batches(columns, where, "line")

    def _rows(self, lines: Iterable[str]) -> Iterator[tuple[int, Sequence[str]]]:
        """The rows with as many cells as there are columns, each with the number of its line."""
        wanted = len(self._columns.names)
        for number, cells in self._cells(lines):
            if len(cells) == wanted + 1 and not cells[-1]:
                cells.pop()  # a delimiter ends the line
            is_header = bool(self._header) and cells[:1] == [self._header[0]] and tuple(cells) == self._header
            if len(cells) == wanted and not is_header:
                yield number, cells
            elif any(cells) and not is_header and not cells[0].startswith("#"):
                self._progress.refuse(f"line {number:,}", f"{len(cells):,} cells, where there are {wanted:,} columns")

    def _cells(self, lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
        if self._delimiter not in (",", "\t"):  # white space, and decimal commas where ; is between the cells
            for number, line in enumerate(lines, 1):
                yield number, cells_of(line.strip("\r\n"), self._delimiter, len(self._columns.names))
            return
        # A NUL is refused by csv before Python 3.11.4, and is nothing that a cell means.
        reader = csv.reader(
            (line.replace("\0", "") for line in lines), delimiter=self._delimiter, skipinitialspace=True
        )
        while True:
            try:
                for cells in reader:
                    yield reader.line_num, cells
            except csv.Error as error:
                self._progress.refuse(f"line {reader.line_num:,}", str(error))
            else:
                return


def _head(text: TextIO) -> list[str]:
    """The first lines that are not empty, up to `HEAD_LINES` and about `HEAD_CHARACTERS`."""
    lines, size = [], 0
    for line in islice(_bounded(text), HEAD_LINES):
        size += len(line)
        if line.strip():
            lines.append(line)
        if size > HEAD_CHARACTERS:
            break
    return lines


def _bounded(text: TextIO) -> Iterator[str]:
    """The lines; one that is longer than any row may be comes in pieces."""
    while line := text.readline(LINE_PIECE):
        yield line


def _layout(head: list[str], wishes: Wishes) -> tuple[Columns, str, tuple[str, ...]]:
    """The columns, what is between the cells, and the header's cells.

    Raises RecordingError, SettingsError.
    """
    if not head:
        raise RecordingError("there is no line in it")
    if wishes.columns:
        delimiter = delimiter_of(head[0])
        if (count := len(split(head[0].strip(), delimiter))) != len(wishes.columns):
            raise SettingsError(f"--columns: {len(wishes.columns):,} names, where there are {count:,} cells")
        return Columns(wishes.columns), delimiter, ()
    first = next(csv.reader([head[0]]), [])
    if is_exported(first):
        return Columns(tuple(map(unguarded, first))), ",", tuple(first)
    table = Lines(wishes.time)
    header: tuple[str, ...] = ()
    for line in head:
        try:
            table.message(line, FAR)
        except NoRow as no:
            if no.header and not line.lstrip().startswith("#"):
                header = tuple(split(line.strip(), delimiter_of(line)))
            continue
        if (layout := table.layout_of(line.strip())) is not None:
            return layout[0], layout[1], header
        break
    raise RecordingError("no rows of cells in it, under a header or not")
