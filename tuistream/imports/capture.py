"""Captured raw frames (see `feeds/files.py`), decoded as the feed's own, each received when it was captured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from tuistream.core.batch import Batch, Ids, Stream
from tuistream.decoders import create
from tuistream.decoders.contract import DecoderOptions
from tuistream.feeds.files import FrameBlock, FrameFiles
from tuistream.imports.contract import Part, Progress, Wishes


def open_reader(path: Path, wishes: Wishes, progress: Progress) -> CaptureReader:
    return CaptureReader(path, wishes, progress)


class CaptureReader:
    """A `Reader` of one capture. Ticks have their event times, and those of receipt are the frames'."""

    receive_times = True

    def __init__(self, path: Path, wishes: Wishes, progress: Progress) -> None:
        wishes.refuse_all_but(path, "captured frames", "time", "stream", "id", "fields", "feed", "decoder")
        self._path = path
        self._progress = progress
        options = DecoderOptions(wishes.time, wishes.fields, wishes.stream, wishes.id)
        self._decoder = create(wishes.decoder or "auto", wishes.feed or path.name, options)
        self._decoder.opened()
        self._frame = 0

    def parts(self) -> Iterator[Part]:
        began = self._progress.done
        size = self._path.stat().st_size
        with closing(FrameFiles([self._path], self._progress.note).blocks()) as blocks:
            for block in blocks:
                yield Part(self._decode(block), block.opens)
        self._progress.done = began + size

    def _decode(self, block: FrameBlock) -> list[Batch]:
        found: dict[Stream, list[Batch]] = {}
        for t, payload in zip(block.times, block.payloads, strict=True):
            self._frame += 1
            frame = payload.encode() if isinstance(payload, str) else payload
            decoded = self._decoder.decode([frame], t)  # each is a read of its own: it has its own receive time
            for _, why in decoded.malformed:
                self._progress.refuse(f"frame {self._frame:,}", why)
            self._progress.skipped += decoded.other + decoded.control
            for batch in decoded.batches:
                found.setdefault(batch.stream, []).append(batch)
        return [_joined(parts) for parts in found.values()]


def _joined(parts: list[Batch]) -> Batch:
    if len(parts) == 1:
        return parts[0]
    return Batch(
        parts[0].stream,
        np.concatenate([part.t for part in parts]),
        np.concatenate([part.recv for part in parts]),
        np.concatenate([part.v for part in parts]),
        _ids(parts),
    )


def _ids(parts: list[Batch]) -> Ids | None:
    if all(part.ids is None for part in parts):
        return None
    return np.concatenate(
        [np.full(len(part), None, dtype=np.object_) if part.ids is None else part.ids for part in parts]
    )
