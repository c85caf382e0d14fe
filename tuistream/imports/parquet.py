"""Parquet, through pyarrow (the extra `parquet`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tuistream.imports.arrow import ArrowReader, Source
from tuistream.imports.contract import PART_ROWS, Progress, Wishes


class _Parquet(Source):
    def __init__(self, path: Path) -> None:
        from pyarrow import parquet

        self._file = parquet.ParquetFile(path)
        self.schema = self._file.schema_arrow
        self.parts = -(-self._file.metadata.num_rows // PART_ROWS)

    def batches(self) -> Iterator[Any]:
        return iter(self._file.iter_batches(PART_ROWS))

    def close(self) -> None:
        self._file.close()


def open_reader(path: Path, wishes: Wishes, progress: Progress) -> ArrowReader:
    return ArrowReader(path, wishes, progress, _Parquet)
