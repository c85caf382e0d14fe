"""Arrow IPC files, through pyarrow (the extra `parquet`): typed columns, times in ns UTC."""

from __future__ import annotations

from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from tuistream.core.errors import SettingsError
from tuistream.core.exchange import TEXT_ID
from tuistream.exports.contract import Column, Kind, Piece, Sheet

GROUP_ROWS: Final = 100_000  # of a record batch, or of a row group of Parquet
STREAMS_KEY: Final = b"tuistream.streams"


def needed() -> Any:
    """pyarrow. Raises SettingsError where it is not installed."""
    try:
        import pyarrow
    except ImportError as error:
        raise SettingsError("this needs pyarrow: pip install 'tuistream[parquet]'") from error
    return pyarrow


class Arrow:
    """A `Format`. Rows are gathered to groups of about `GROUP_ROWS`."""

    def __init__(self, out: BinaryIO, sheet: Sheet) -> None:
        self._arrow = needed()
        self._sheet = sheet
        self._schema = self._schema_of(sheet)
        self._names = [self._arrow.array(column.names, self._arrow.string()) for column in sheet.columns]
        self._gathered: list[Any] = []
        self._rows = 0
        self._writer = self._open(out)

    def _open(self, out: BinaryIO) -> Any:
        options = self._arrow.ipc.IpcWriteOptions(compression="zstd")
        return self._arrow.ipc.new_file(out, self._schema, options=options)

    def _write(self, table: Any) -> None:
        self._writer.write_table(table, max_chunksize=GROUP_ROWS)

    def write(self, piece: Piece) -> None:
        arrays = []
        for column, values, names in zip(self._sheet.columns, piece, self._names, strict=True):
            arrays += self._arrays(column, values, names)
        self._gathered.append(self._arrow.RecordBatch.from_arrays(arrays, schema=self._schema))
        self._rows += len(piece[0])
        if self._rows >= GROUP_ROWS:
            self._flush()

    def finish(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._gathered:
            self._write(self._arrow.Table.from_batches(self._gathered, self._schema).combine_chunks())
        self._gathered, self._rows = [], 0

    def _schema_of(self, sheet: Sheet) -> Any:
        arrow = self._arrow
        types = {
            Kind.TIME: arrow.timestamp("ns", "UTC"),
            Kind.NAME: arrow.dictionary(arrow.int32(), arrow.string()),
            Kind.ID: arrow.string() if sheet.ids == {str} else arrow.int64(),
            Kind.NUMBER: arrow.float64(),
            Kind.COUNT: arrow.int64(),
        }
        fields = []
        for column in sheet.columns:
            fields.append(arrow.field(column.name, types[column.kind]))
            if column.kind is Kind.ID and len(sheet.ids) > 1:
                fields.append(arrow.field(TEXT_ID, arrow.string()))
        return arrow.schema(fields, {STREAMS_KEY: sheet.streams.encode()} if sheet.streams else None)

    def _arrays(self, column: Column, values: NDArray[Any], names: Any) -> list[Any]:
        arrow = self._arrow
        if column.kind is Kind.TIME:
            return [arrow.array(values, arrow.timestamp("ns", "UTC"))]
        if column.kind is Kind.NAME:
            return [arrow.DictionaryArray.from_arrays(arrow.array(values, arrow.int32()), names)]
        if column.kind is Kind.ID:
            return self._ids(values)
        if column.kind is Kind.NUMBER:
            return [arrow.array(values, arrow.float64(), mask=np.isnan(values))]
        return [arrow.array(values, arrow.int64())]

    def _ids(self, values: NDArray[Any]) -> list[Any]:
        arrow, cells = self._arrow, values.tolist()
        texts = arrow.array([cell if type(cell) is str else None for cell in cells], arrow.string())
        if self._sheet.ids == {str}:
            return [texts]
        numbers = arrow.array([None if type(cell) is str else cell for cell in cells], arrow.int64())
        return [numbers, texts] if len(self._sheet.ids) > 1 else [numbers]
