"""Parquet, through pyarrow (the extra `parquet`): typed columns, times in ns UTC, row groups of a bounded size."""

from __future__ import annotations

from typing import Any, BinaryIO

from tuistream.exports.arrow import GROUP_ROWS, Arrow


class Parquet(Arrow):
    """A `Format`."""

    def _open(self, out: BinaryIO) -> Any:
        from pyarrow import parquet

        return parquet.ParquetWriter(out, self._schema, compression="zstd")

    def _write(self, table: Any) -> None:
        self._writer.write_table(table, row_group_size=GROUP_ROWS)
