"""JSON lines: those of `tuistream export` exactly, any other as a feed's messages are read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from tuistream.core.batch import Batch
from tuistream.decoders import create
from tuistream.decoders.contract import DecoderOptions
from tuistream.imports.contract import FAR, PART_ROWS, Part, Progress, Wishes
from tuistream.imports.exported import EXPORTED, Exported, is_exported
from tuistream.imports.text import head_of, unpacked

MAX_LINE = 16 << 20
Numbered = tuple[int, bytes]


def open_reader(path: Path, wishes: Wishes, progress: Progress) -> JsonlReader:
    return JsonlReader(path, wishes, progress)


class JsonlReader:
    """A `Reader` of a file of JSON objects, one a line."""

    def __init__(self, path: Path, wishes: Wishes, progress: Progress) -> None:
        wishes.refuse_all_but(path, "JSON lines", "time", "stream", "id", "fields", "feed", "decoder")
        self._path = path
        self._progress = progress
        first = _object(head_of(path, MAX_LINE).partition(b"\n")[0])
        self.receive_times = first is not None and is_exported(first) and wishes == Wishes(feed=wishes.feed)
        if self.receive_times:
            wishes.refuse_all_but(path, EXPORTED)
        options = DecoderOptions(wishes.time, wishes.fields, wishes.stream, wishes.id)
        self._decoder = create(wishes.decoder or "auto", wishes.feed or path.name, options)
        self._table = Exported((), progress, text=False)

    def parts(self) -> Iterator[Part]:
        began = self._progress.done
        with unpacked(self._path) as (data, packed):
            lines = enumerate(iter(lambda: data.readline(MAX_LINE), b""), 1)
            while piece := list(islice(lines, PART_ROWS)):
                yield Part(self._exported(piece) if self.receive_times else self._found(piece))
                self._progress.done = began + packed.tell()

    def _exported(self, piece: list[Numbered]) -> list[Batch]:
        rows: list[dict[str, Any]] = []
        where: list[int] = []
        for number, line in piece:
            row = _object(line)
            if row is not None and is_exported(row):
                rows.append(row)
                where.append(number)
            elif line.strip():
                self._progress.refuse(f"line {number:,}", "not a tick as export writes it")
        names = list(dict.fromkeys(name for row in rows for name in row))
        columns = {name: [row.get(name) for row in rows] for name in names}
        if not rows:
            return []
        return self._table.with_columns(names).batches(columns, where)

    def _found(self, piece: list[Numbered]) -> list[Batch]:
        """What a feed's decoder makes of the lines; ticks without a time of their own are refused."""
        decoded = self._decoder.decode([line.strip() for _, line in piece], FAR)
        begin = f"lines {piece[0][0]:,} to {piece[-1][0]:,}"
        for _, why in decoded.malformed:
            self._progress.refuse(begin, why)
        self._progress.skipped += decoded.other + decoded.control
        batches = []
        for batch in decoded.batches:
            timed = batch.t != FAR
            if bad := int((~timed).sum()):
                self._progress.refuse(begin, "no time in it that can be", bad)
            kept = batch.take(timed)
            if len(kept):
                batches.append(replace(kept, recv=kept.t))
        return batches


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
