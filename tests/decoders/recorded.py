"""Frames of real feeds: the excerpts beside the tests, and whole recordings where TUISTREAM_DATA names them."""

from __future__ import annotations

import ast
import gzip
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from tuistream.core.batch import Batch, StreamKey
from tuistream.decoders.contract import Decoded, Decoder

EXCERPTS = Path(__file__).parent.parent / "data" / "decoders"
DATA = Path(os.environ["TUISTREAM_DATA"]) if os.environ.get("TUISTREAM_DATA") else None
NOW = 1_795_172_030_000_000_000  # 2026-11-20

Frame = tuple[int, bytes]  # time of receipt (ns) and payload


def excerpt(name: str) -> list[Frame]:
    return list(frames_of(EXCERPTS / f"{name}.txt"))


def frames_of(path: Path) -> Iterator[Frame]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
        for line in lines:
            stamp, _, payload = line.rstrip(b"\n").partition(b" ")
            if stamp.endswith(b":"):
                seconds, _, fraction = stamp[:-1].partition(b".")
                recv = int(seconds) * 10**9 + int(fraction.ljust(9, b"0"))
                yield recv, ast.literal_eval(payload.decode()) if payload[:2] in (b"b'", b'b"') else payload
            elif stamp.isdigit():
                yield int(stamp), payload


def decode_each(decoder: Decoder, frames: Iterable[Frame]) -> Decoded:
    """All frames, each as a read of its own, in one."""
    return total(decoder.decode([frame], recv) for recv, frame in frames)


def total(parts: Iterable[Decoded]) -> Decoded:
    whole = Decoded()
    for part in parts:
        whole.batches += part.batches
        whole.data += part.data
        whole.control += part.control
        whole.other += part.other
        whole.malformed += part.malformed
        whole.bad_times += part.bad_times
        whole.replies += part.replies
        whole.notices += part.notices
        whole.reconnect |= part.reconnect
    return whole


def counted(decoded: Decoded) -> int:
    return decoded.data + decoded.control + decoded.other + len(decoded.malformed)


def by_stream(batches: Iterable[Batch]) -> dict[StreamKey, list[tuple[int, dict[str, float], object]]]:
    """The ticks of each stream: time, values (those that are there), id."""
    streams: dict[StreamKey, list[tuple[int, dict[str, float], object]]] = {}
    for batch in batches:
        ids = [None] * len(batch) if batch.ids is None else batch.ids.tolist()
        for t, row, tick_id in zip(batch.t.tolist(), batch.v, ids, strict=True):
            values = {name: float(x) for name, x in zip(batch.stream.fields, row, strict=True) if not np.isnan(x)}
            streams.setdefault(batch.stream.key, []).append((t, values, tick_id))
    return streams


def kinds(batches: Iterable[Batch]) -> dict[tuple[str, str], int]:
    """Ticks by name and kind."""
    found: dict[tuple[str, str], int] = {}
    for batch in batches:
        key = batch.stream.name, batch.stream.kind
        found[key] = found.get(key, 0) + len(batch)
    return found
