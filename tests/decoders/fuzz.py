"""Frames of every evil through every decoder: `python -m tests.decoders.fuzz --frames 10000000 --seed 1`.

Random bytes, random JSON, real frames cut short, mutated and spliced, and hostile ones. Each must be counted once,
nothing may be raised, and memory must not grow. Ends with 1 where that does not hold.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import string
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.decoders.recorded import EXCERPTS, NOW, counted, frames_of
from tuistream import decoders
from tuistream.core.batch import Batch
from tuistream.decoders.contract import MAX_FIELDS, MAX_NAME, DecoderOptions

READ = 64  # frames of one read, at most
LIFE = 200_000  # frames of one decoder, until its streams and shapes have reached their bounds many times over
GROWTH = 96 << 20  # bytes that the process may have grown after it has warmed up
WARM = 0.25  # of all frames
# The auto decoder with options never hands over to a venue's.
TOLD = {
    "alone": DecoderOptions(id="no such thing"),
    "told": DecoderOptions(time_field="data.time", fields=("price", "a.b", "x.0"), key="symbol", id="id"),
}
CREATED = 2_000  # names and keys that random JSON draws from, so that shapes do and do not come again

HOSTILE = (
    b"",
    b" ",
    b"\n",
    b"\x00",
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"nul",
    b"-",
    b"1e",
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"[]",
    b"{}",
    b"[[]]",
    b"[{}]",
    b'{"":""}',
    b'{"data":[{}]}',
    b'{"data":{"data":{"data":{"data":1}}}}',
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"[" * 5_000,
    b'{"a":' * 3_000,
    b'{"a":[' * 400 + b"1" + b"]}" * 400,
    b'[{"data":' * 300 + b"1" + b"}]" * 300,
    b'{"price":' + b"9" * 5_000 + b"}",
    b'{"time":1e400,"price":1}',
    b'{"price":"1e400"}',
    b'{"price":NaN,"time":NaN}',
    b'{"id":' + b"9" * 1_000 + b',"price":1}',
    b'{"symbol":"' + b"x" * 20_000 + b'","price":1}',
    b'{"ping":-1}',
    b'{"' + b"k" * 20_000 + b'":1}',
    b"{" + b",".join(b'"%d":%d' % (n, n) for n in range(3_000)) + b"}",
    b'{"data":[' + b",".join([b'{"symbol":"a","price":1}'] * 500) + b"]}",
    b'{"symbol":"\\u001b[2J","\\u202e":1}',
    b'{"symbol":"\\ud800","price":1}',
    b'{"price":1,"price":"x"}',
    b"\x1f\x8b",
    gzip.compress(b"0" * 100_000),
    gzip.compress(b'{"price":1}'),
    b'"{\\"price\\":1}"',
    b'"\\"1\\""',
    b'{"e":"trade"}',
    b'{"stream":1,"data":[1]}',
    b'{"stream":"a@trade","data":{"e":"trade","s":[],"t":{},"p":1}}',
    b'{"type":"match"}',
    b'{"channel":"trade","data":1}',
    b'[1,[],"trade","A/B"]',
    b'{"channel":"market_trades","events":[{"trades":[{}]}]}',
    b'{"error":{"error":{}}}',
    b'{"type":"heartbeat","product_id":[],"last_trade_id":1}',
    b'{"e":[]}',
    b'{"type":{}}',
    b'{"method":"subscribe"}',
    b'{"channel":[]}',
    b'{"data":[[1795172030000,1,2],[1795172030000,1]]}',
    b'{"time":"2021-99-99T99:99:99Z","v":1}',
    b'{"e":"serverShutdown","E":1}',
    b'{"event":"error","msg":"\\u0007"}',
)


class Frames:
    """An endless supply, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.real = [frame for path in sorted(EXCERPTS.glob("*.txt")) for _, frame in frames_of(path)]
        words = [
            "price",
            "qty",
            "bid",
            "ask",
            "symbol",
            "s",
            "p",
            "q",
            "t",
            "T",
            "E",
            "time",
            "ts",
            "id",
            "e",
            "type",
            "event",
            "channel",
            "data",
            "stream",
            "a",
            "b",
            "x",
            "y",
            "value",
            "k",
            "u",
        ]
        self.words = words + ["".join(self.random.choices(string.printable, k=5)) for _ in range(CREATED)]
        self.kinds: list[Callable[[], bytes]] = [
            self.noise, self.value, self.value, self.whole, self.cut, self.mutated, self.mutated, self.spliced,
            self.nasty,
        ]  # fmt: skip

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield self.random.choice(self.kinds)()

    def noise(self) -> bytes:
        return self.random.randbytes(self.random.randrange(40))

    def value(self) -> bytes:
        return json.dumps(self.json(self.random.randrange(4))).encode()

    def whole(self) -> bytes:
        return self.random.choice(self.real)

    def cut(self) -> bytes:
        frame = self.whole()
        return frame[: self.random.randrange(len(frame))]

    def mutated(self) -> bytes:
        frame = bytearray(self.whole())
        for _ in range(self.random.randrange(1, 4)):
            at = self.random.randrange(len(frame))
            frame[at] = self.random.choice(b'0123456789"{}[]:,.-eE\\ \x00\xff') if self.random.random() < 0.8 else 65
        return bytes(frame)

    def spliced(self) -> bytes:
        one, other = self.whole(), self.whole()
        return one[: self.random.randrange(len(one))] + other[self.random.randrange(len(other)) :]

    def nasty(self) -> bytes:
        return self.random.choice(HOSTILE) if self.random.random() < 0.2 else self.value()

    def json(self, depth: int) -> object:
        pick = self.random.random()
        if depth and pick < 0.6:
            count = self.random.randrange(6)
            if pick < 0.45:
                return {self.random.choice(self.words): self.json(depth - 1) for _ in range(count)}
            return [self.json(depth - 1) for _ in range(count)]
        scalars = (
            self.random.choice(self.words), self.random.uniform(-1e6, 1e6), self.random.randrange(1 << 70), True,
            None, "", str(self.random.uniform(0, 1e5)), NOW // 10**6, NOW / 1e9, float("nan"), -0.0,
            "2026-11-20T10:00:00.123Z",
        )  # fmt: skip
        return self.random.choice(scalars)


@dataclass
class Tally:
    """What came of a run."""

    frames: int = 0
    ticks: int = 0
    data: int = 0
    control: int = 0
    other: int = 0
    malformed: int = 0
    seconds: float = 0.0
    grown: int = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.frames:,} frames, each counted once: {self.data:,} data, {self.control:,} control, "
            f"{self.other:,} other, {self.malformed:,} malformed; {self.ticks:,} ticks; {self.seconds:.1f} s; "
            f"memory grew by {self.grown / (1 << 20):.1f} MiB after warming up; {len(self.faults)} faults"
        )


def run(frames: int, seed: int) -> Tally:
    """Send `frames` frames through all decoders in turn."""
    supply = iter(Frames(seed))
    sizes = random.Random(seed + 1)
    tally, started, warm, lives = Tally(), time.monotonic(), 0, 0
    names = [*decoders.known(), *TOLD]
    while tally.frames < frames and not tally.faults:
        name = names[lives % len(names)]
        lives += 1
        decoder = decoders.create("auto" if name in TOLD else name, "fuzz", TOLD.get(name, DecoderOptions()))
        life = min(LIFE, max(READ, frames // (2 * len(names))), frames - tally.frames)
        while life > 0:
            read = [next(supply) for _ in range(min(life, sizes.randrange(1, READ)))]
            life -= len(read)
            out = decoder.decode(read, NOW)
            tally.frames += len(read)
            tally.data += out.data
            tally.control += out.control
            tally.other += out.other
            tally.malformed += len(out.malformed)
            if counted(out) != len(read):
                tally.faults.append(f"{name}: {counted(out)} counted of {read!r}")
            for batch in out.batches:
                tally.ticks += len(batch)
                tally.faults += faults_of(batch)
            if sizes.random() < 0.001:
                decoder.opened()
            if not warm and tally.frames >= frames * WARM:
                warm = resident()
    tally.seconds = time.monotonic() - started
    tally.grown = resident() - warm
    if tally.grown > GROWTH:
        tally.faults.append(f"memory grew by {tally.grown:,} bytes")
    return tally


def faults_of(batch: Batch) -> list[str]:
    """What is wrong with a batch."""
    stream, rows = batch.stream, len(batch)
    names = (stream.name, stream.kind, *stream.fields)
    bad = [
        not rows,
        batch.v.shape != (rows, len(stream.fields)) or batch.recv.shape != (rows,),
        batch.ids is not None and len(batch.ids) != rows,
        not 0 < len(stream.fields) <= MAX_FIELDS or len(set(stream.fields)) != len(stream.fields),
        any(len(name) > MAX_NAME or not name.isprintable() for name in names),
        bool((abs(batch.v) == float("inf")).any()),
        bool((batch.t < 0).any()),
    ]
    return [f"{stream}: fault {number}" for number, is_bad in enumerate(bad) if is_bad]


def resident() -> int:
    """Bytes of this process in memory; where /proc is not there, the most there ever were."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    tally = run(given.frames, given.seed)
    print(tally)
    for fault in tally.faults[:10]:
        print(fault[:2_000])
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
