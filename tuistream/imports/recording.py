"""A recording of tuistream's own into another: its ticks and its gaps, as they are."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tuistream.imports.contract import Part, Progress, Wishes
from tuistream.store import reading

GAPS_AT_ONCE = 1_000


def open_reader(path: Path, wishes: Wishes, progress: Progress) -> RecordingReader:
    return RecordingReader(path, wishes, progress)


class RecordingReader:
    """A `Reader` of one file of a recording."""

    receive_times = True

    def __init__(self, path: Path, wishes: Wishes, progress: Progress) -> None:
        wishes.refuse_all_but(path, "a recording")
        self._path = path
        self._progress = progress
        reading.Reader(path).close()

    def parts(self) -> Iterator[Part]:
        began, size, rows = self._progress.done, self._path.stat().st_size, 0
        with reading.Reader(self._path) as reader:
            for batches in reader.chunks():
                rows += sum(map(len, batches))
                yield Part(batches, as_is=True)
                self._progress.done = began + size * rows // max(1, reader.last)
            gaps = reader.gaps()
            while piece := list(islice(gaps, GAPS_AT_ONCE)):
                yield Part([], events=piece)
        self._progress.done = began + size
