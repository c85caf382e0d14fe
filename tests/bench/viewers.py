"""Writing while four viewers follow the file, each on a screen: what the writer feels, and how its WAL grows."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from tests.bench.console import Console
from tests.bench.screen import first_braille
from tests.bench.table import Row
from tuistream.core.batch import Batch, Stream
from tuistream.core.outbox import Outbox
from tuistream.sinks.sqlite import SqliteSink
from tuistream.store.opening import open_for_reading, wal_path

VIEWERS, STREAMS, BATCH = 4, 4, 500
TICKS, SHORT_TICKS = 2_000_000, 40_000
ROUNDS = 3
LIVE_RATE, LIVE_SECONDS = 20_000, 10.0
SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Written:
    """seconds, and CPU seconds of the writer alone; wal: the most that it had, bytes; stored: rows."""

    seconds: float
    cpu: float
    wal: int
    stored: int


@contextmanager
def _following(path: Path, count: int) -> Iterator[None]:
    """So many viewers of the recording, each on a terminal that is read."""
    stop = threading.Event()

    def read(console: Console) -> None:
        while not stop.is_set() and console.pump(0.05):
            console.chunks.clear()

    with ExitStack() as stack:
        consoles = [stack.enter_context(Console(sys.executable, "-m", "tuistream", str(path))) for _ in range(count)]
        for console in consoles:
            console.until(lambda console=console: first_braille(console) is not None)  # type: ignore[misc]
        readers = [threading.Thread(target=read, args=(console,)) for console in consoles]
        for reader in readers:
            reader.start()
        try:
            yield
            assert all(console.process.poll() is None for console in consoles), "a viewer has ended"
        finally:
            stop.set()
            for reader in readers:
                reader.join()


def _batches(count: int) -> Iterator[Batch]:
    chance = np.random.default_rng(1)
    streams = [Stream("bench", f"s{number}", "trade", ("price", "qty")) for number in range(STREAMS)]
    t = time.time_ns()
    for number, _ in enumerate(range(0, count, BATCH)):
        times = t + np.arange(BATCH, dtype=np.int64) * (SECOND // (LIVE_RATE // STREAMS))
        yield Batch(streams[number % STREAMS], times, times, chance.normal(100, 1, (BATCH, 2)))
        if number % STREAMS == STREAMS - 1:
            t = int(times[-1]) + 1


async def _write(path: Path, count: int, rate: float) -> float:
    """Flat out where `rate` is 0; the CPU seconds of this process."""
    outbox = Outbox("bench")
    async with SqliteSink(path, outbox) as sink:
        running = asyncio.create_task(sink.run())
        began, cpu = time.perf_counter(), time.process_time()
        for number, batch in enumerate(_batches(count)):
            outbox.offer(batch)
            await outbox.room()
            if rate:
                await asyncio.sleep(max(0.0, began + number * BATCH / rate - time.perf_counter()))
        sink.stop()
        await running
        return time.process_time() - cpu


def _written(count: int, viewers: int, rate: float) -> Written:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bench.db")
        asyncio.run(_write(path, BATCH * STREAMS, 0))
        most, stop = [0], threading.Event()

        def measure() -> None:
            while not stop.wait(0.02):
                with contextlib.suppress(OSError):
                    most[0] = max(most[0], wal_path(path).stat().st_size)

        with _following(path, viewers):
            measuring = threading.Thread(target=measure)
            measuring.start()
            began = time.perf_counter()
            cpu = asyncio.run(_write(path, count, rate))
            seconds = time.perf_counter() - began
            stop.set()
            measuring.join()
        connection = open_for_reading(path)
        (stored,) = connection.execute("SELECT count(*) FROM ticks").fetchone()
        connection.close()
    return Written(seconds, cpu, most[0], stored - BATCH * STREAMS)


def rows(short: bool) -> list[Row]:
    count = SHORT_TICKS if short else TICKS
    return [_flat_out(count, short), _live(short)]


def _flat_out(count: int, short: bool) -> Row:
    rounds = [[_written(count, viewers, 0) for viewers in (VIEWERS, 0)] for _ in range(1 if short else ROUNDS)]
    costs = [watched.cpu / alone.cpu - 1 for watched, alone in rounds]
    watched, alone = (median(count / each.seconds for each in side) for side in zip(*rounds, strict=True))
    wal = max(each.wal for pair in rounds for each in pair)
    lost = "" if all(each.stored == count for pair in rounds for each in pair) else "not all rows are stored"
    figures = (
        f"{watched:,.0f} rows/s with them on the same cores, {alone:,.0f} without; "
        f"the WAL had {wal / 1e6:.0f} MB at most; medians of {len(rounds)}"
    )
    what = f"{VIEWERS} viewers of a file that is written flat out"
    return Row(what, "-", f"{100 * median(costs):+.0f} % CPU of the writer", figures, lost)


def _live(short: bool) -> Row:
    count = int(LIVE_RATE * (0.5 if short else LIVE_SECONDS)) // BATCH * BATCH
    watched, alone = (_written(count, viewers, LIVE_RATE) for viewers in (VIEWERS, 0))
    late = watched.seconds - alone.seconds
    figures = (
        f"{100 * watched.cpu / watched.seconds:.1f} % of a core, {100 * alone.cpu / alone.seconds:.1f} % without; "
        f"the WAL had {watched.wal / 1e6:.0f} MB at most, {alone.wal / 1e6:.0f} without"
    )
    lost = "" if (watched.stored, alone.stored) == (count, count) else "not all rows are stored"
    what = f"{VIEWERS} viewers of a file with {LIVE_RATE:,} ticks/s"
    return Row(what, "-", f"{late:+.2f} s later at the end", figures, lost)
