"""What each kind of panel costs: new data for it 10 times a second, the program in a pseudo-terminal of 200 x 50.

CPU is of the whole process: receiving, decoding and drawing, its list of streams shown. A message may be many ticks.
"""

from __future__ import annotations

import re
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.apps import PERIOD
from tests.bench.console import Console
from tests.bench.gallery import NINE, panels
from tests.bench.samples import Sample, samples, wire
from tests.bench.table import Row

HEADS = ("10 frames/s of", "goal", "this run", "figures")
GOAL = "10 ms CPU a frame, 40 kB/s"
SETTLE, SHORT_SETTLE = 2.0, 0.3  # seconds in which what is there at first gets drawn
FRAMES, SHORT_FRAMES = 80, 3
SHORT = ("heat-map", "figure")
_PORT = re.compile(rb"tcp\s+127\.0\.0\.1:(\d+)")


@dataclass(frozen=True, slots=True)
class Cost:
    """ms of CPU, and bytes to the terminal, a frame; sent: bytes a message."""

    ms: float
    bytes: float
    sent: float

    def __str__(self) -> str:
        return f"{self.ms:.1f} ms, {self.bytes / PERIOD / 1e3:.1f} kB/s"


def cost(shown: Sequence[Sample], settle: float, frames: int) -> Cost:
    """Send what there is at first, wait, and then a message of each every 100 ms."""
    before = [wire(sample.first()) for sample in shown]
    later = [b"".join(wire(sample.then(frame)) for sample in shown) for frame in range(frames)]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "kinds.toml")
        config.write_text(panels(shown))
        command = (sys.executable, "-m", "tuistream", "listen", "--no-record", "--config", str(config))
        off = [word for way in ("frames", "http", "ws") for word in (f"--{way}", "off")]
        with Console(*command, "--tcp", "0", *off) as console:
            console.until(lambda: _PORT.search(_raw(console)))
            port = _PORT.search(_raw(console))
            assert port is not None
            with socket.create_connection(("127.0.0.1", int(port[1]))) as sender:
                for each in before:
                    sender.sendall(each)
                console.watch(settle)
                began, cpu = time.perf_counter(), console.cpu()
                for number, each in enumerate(later, 1):
                    sender.sendall(each)
                    console.watch(began + number * PERIOD - time.perf_counter())
                used, ended = console.cpu() - cpu, time.perf_counter()
            sent = console.bytes_between(began, ended)
            console.type("q")
            console.end()
    return Cost(1e3 * used / frames, sent / frames, sum(map(len, later)) / frames)


def _raw(console: Console) -> bytes:
    return b"".join(data for _, data in console.chunks)


def rows(short: bool = False) -> list[Row]:
    known = samples()
    wanted = {name: [known[name]] for name in known} | {"nine of them at once": [known[name] for name in NINE]}
    settle, frames = (SHORT_SETTLE, SHORT_FRAMES) if short else (SETTLE, FRAMES)
    table = []
    for name, shown in wanted.items():
        if not short or name in SHORT:
            found = cost(shown, settle, frames)
            figures = f"{found.bytes / 1e3:.2f} kB a frame to the terminal, {found.sent / 1e3:.2f} kB came"
            table.append(Row(name, GOAL, str(found), figures))
    return table
