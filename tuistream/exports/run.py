"""An export: a selection of recordings, in one of the formats, to a file or to standard output."""

from __future__ import annotations

from pathlib import Path

from tuistream.core.errors import SettingsError
from tuistream.exports import sqlite
from tuistream.exports.candles import Candles
from tuistream.exports.contract import Done, Format
from tuistream.exports.target import byte_stream, whole_file
from tuistream.exports.ticks import Ticks
from tuistream.store.playback import Selection

TEXT = ("csv", "jsonl")


def export(
    selection: Selection, name: str, out: Path | None, done: Done, *, every: int | None = None, force: bool = False
) -> None:
    """Write the selection in the format `name`; `done` is kept up to date.

    out: None for standard output. every: ns; then there is a row for each field and bucket instead of each tick.
    Raises RecordingError, SettingsError, ExportError. Blocking.
    """
    if name == "sqlite":
        if out is None or every is not None:
            raise SettingsError("--to sqlite: a recording has ticks, and is a file (-o)")
        with whole_file(out, selection.files, force=force) as part:
            sqlite.write(part, selection, done, str(out))
        return
    table = Candles(selection, every, done) if every else Ticks(selection, done, typed_ids=name not in TEXT)
    kind = _format(name)
    with byte_stream(out, selection.files, force=force) as file:
        writer = kind(file, table.sheet)
        for piece in table.pieces():
            writer.write(piece)
            done.rows += len(piece[0])
        writer.finish()


def _format(name: str) -> type[Format]:
    if name == "csv":
        from tuistream.exports.csv import Csv

        return Csv
    if name == "jsonl":
        from tuistream.exports.jsonl import Jsonl

        return Jsonl
    if name == "parquet":
        from tuistream.exports.parquet import Parquet

        return Parquet
    from tuistream.exports.arrow import Arrow

    return Arrow
