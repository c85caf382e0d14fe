"""Decoding: ours beside json.loads and msgspec of each message, on frames of a walk and on Binance's own."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from tests.bench.sender import tick
from tests.bench.table import Row, ratio
from tests.decoders.recorded import frames_of
from tuistream import decoders
from tuistream.core.frames import Frames
from tuistream.decoders.contract import DecoderOptions

READ = 1_000  # frames of a read, as they come from a sender that sends flat out
NOW = 1_795_180_000_000_000_000
ROUNDS = 5
BINANCE = "binance/spot_btcusdt_20240808.gz"


class _Tick(msgspec.Struct):
    time: float
    price: str


def ours(frames: Sequence[bytes]) -> Callable[[], int]:
    """A decoder that has seen the first frames; what it does with all of them, in ticks."""
    decoder = decoders.create("auto", "bench", DecoderOptions())
    reads = [as_read(frames[start : start + READ]) for start in range(0, len(frames), READ)]
    for read in reads[:4]:
        decoder.decode(read, NOW)

    def decode() -> int:
        # Anew each time, as what one decoding found out about its messages is kept with them.
        fresh = (Frames(read.data, read.heads, read.starts, read.ends) for read in reads)
        return sum(len(batch) for read in fresh for batch in decoder.decode(read, NOW).batches)

    return decode


def as_read(frames: Sequence[bytes]) -> Frames:
    """The messages as a connection gives them: stretches of what was read."""
    headers = [b"\x81\x7e" + len(each).to_bytes(2, "big") for each in frames]
    starts = np.cumsum([0, *(len(each) + 4 for each in frames)])
    wire = b"".join(part for pair in zip(headers, frames, strict=True) for part in pair)
    return Frames(wire, starts[:-1], starts[:-1] + 4, starts[1:])


def json_each(frames: Sequence[bytes]) -> Callable[[], int]:
    def decode() -> int:
        for frame in frames:
            json.loads(frame)
        return len(frames)

    return decode


def msgspec_each(frames: Sequence[bytes]) -> Callable[[], int]:
    typed = msgspec.json.Decoder(_Tick).decode

    def decode() -> int:
        for frame in frames:
            message = typed(frame)
            float(message.price)
        return len(frames)

    return decode


def timed(programs: dict[str, Callable[[], int]]) -> tuple[dict[str, float], dict[str, int]]:
    """Seconds of each, the least of some rounds taken in turn, and what it counted."""
    best = dict.fromkeys(programs, float("inf"))
    counts = {}
    for _ in range(ROUNDS):
        for name, program in programs.items():
            began = time.perf_counter()
            counts[name] = program()
            best[name] = min(best[name], time.perf_counter() - began)
    return best, counts


def _row(what: str, goal: str, frames: Sequence[bytes], programs: dict[str, Callable[[], int]], ticks: int) -> Row:
    seconds, counts = timed(programs)
    figures = ", ".join(f"{name} {each / len(frames) * 1e9:,.0f} ns a frame" for name, each in seconds.items())
    failed = "" if counts["ours"] == ticks else f"{counts['ours']:,} of {ticks:,} ticks"
    return Row(what, goal, ratio(1 / seconds["ours"], 1 / seconds["json.loads"]), figures, failed)


def rows(short: bool) -> list[Row]:
    frames = [tick(i) for i in range(4_000 if short else 100_000)]
    programs = {"ours": ours(frames), "json.loads": json_each(frames), "msgspec typed": msgspec_each(frames)}
    table = [_row("decode plain ticks, against json.loads", "4 x", frames, programs, len(frames))]
    folder = os.environ.get("TUISTREAM_DATA")
    if folder:
        real = [frame for _, frame in frames_of(Path(folder, BINANCE))]
        ticks = sum(b'"e":"trade"' in frame or b'bookTicker"' in frame for frame in real)
        programs = {"ours": ours(real), "json.loads": json_each(real)}
        table.append(_row("decode Binance's frames, against json.loads", "2 x", real, programs, ticks))
    return table
