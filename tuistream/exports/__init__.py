"""A recording as files for others: a file here is one format, and is called like it."""

from __future__ import annotations

from typing import Final

FORMATS: Final = ("csv", "jsonl", "parquet", "arrow", "sqlite")
SUFFIXES: Final = {
    ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".arrow": "arrow",
    ".feather": "arrow", ".db": "sqlite", ".sqlite": "sqlite",
}  # fmt: skip
