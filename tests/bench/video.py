"""A video of 25 frames/s beside four charts of 20 ticks/s, as a user watches them: what is seen of it, what it costs.

The video is H.264 of 1,280 x 720 that moves everywhere; the terminal has 200 x 50 cells. The keys are those of
`latency`, in the panel of the first chart. An emulator reads afterwards what the terminal got.
"""

from __future__ import annotations

import importlib.util
import math
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyte

from tests.bench.console import COLUMNS, LINES, Console, cpu_seconds, served
from tests.bench.latency import SHORT, UNKNOWN, Load, answers, quantile, type_keys
from tests.bench.screen import BUDGET, first_braille
from tests.bench.table import Row

FRAMES_A_SECOND = 25
SYMBOLS, RATE = 4, 20
FULL = Load(RATE, warm=3.0, quiet=8.0, keys=40, pause=0.15)
ENCODED = 75  # frames, after which they begin again
SIZE, SHORT_SIZE = (1_280, 720), (160, 90)
SECONDS_MORE = 20.0  # that the video is longer than what is measured, for a slow start
COUNTS = re.compile(r"([\d,]+) shown  ([\d,]+) skipped")


@dataclass(frozen=True, slots=True)
class Watched:
    """Loads: of one core. rate: bytes/s to the terminal, without keys. shown, skipped: frames/s."""

    monitor: float
    decoder: float
    rate: float
    shown: float
    skipped: float
    delays: list[float]
    code: int
    moves: bool  # there is a video
    frames: int  # of it, so far


def video(path: Path, size: tuple[int, int], seconds: float) -> None:
    """A moving picture, all of which changes with each frame; after a few seconds it begins again."""
    import av

    width, height = size
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    with av.open(str(path), "w") as container:
        options = {"preset": "ultrafast", "bf": "0", "g": str(FRAMES_A_SECOND)}
        stream = container.add_stream("libx264", rate=FRAMES_A_SECOND, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        packets = []
        for number in range(ENCODED):
            waves = (x + 4 * number) % 256, (y + 2 * number) % 256, (x + y - 6 * number) // 4 % 256
            frame = av.VideoFrame.from_ndarray(np.stack(waves, axis=-1).astype(np.uint8), format="rgb24")
            packets += stream.encode(frame)
        packets += stream.encode(None)
        for number in range(int(seconds * FRAMES_A_SECOND)):
            packet = av.Packet(bytes(packets[number % ENCODED]))
            packet.stream, packet.time_base = stream, Fraction(1, FRAMES_A_SECOND)
            packet.pts = packet.dts = number
            packet.is_keyframe = packets[number % ENCODED].is_keyframe
            container.mux(packet)


def watched(path: Path | None, load: Load, *options: str) -> Watched:
    """The charts with the video, or without any."""
    with served("gbm", "--symbols", str(SYMBOLS), "--rate", str(RATE)) as url:
        sources = [url] if path is None else [url, f"video:{path}"]
        with Console(sys.executable, "-m", "tuistream", "watch", *sources, "--no-record", *options) as console:
            console.until(lambda: first_braille(console) is not None)
            if path is not None:
                console.until(lambda: b" shown  " in console.chunks[-1][1] or COUNTS.search(console.tail()))
            console.watch(load.warm)
            children = _children(console.process.pid)
            began, cpu, decoding = console.type(""), console.cpu(), sum(map(cpu_seconds, children))
            console.watch(load.quiet)
            ended, cpu = console.type(""), console.cpu() - cpu
            decoding = sum(map(cpu_seconds, children)) - decoding
            typed = type_keys(console, load)
            console.type("q")
            code = console.end()
    seconds = ended - began
    before, after = counted(console.chunks, began, ended) if path is not None else ((0, 0), (0, 0))
    shown, skipped = ((now - then) / seconds for then, now in zip(before, after, strict=True))
    rate = console.bytes_between(began, ended) / seconds
    return Watched(
        cpu / seconds,
        decoding / seconds,
        rate,
        shown,
        skipped,
        answers(console.chunks, typed),
        code,
        path is not None,
        sum(after),
    )


def counted(chunks: list[tuple[float, bytes]], *moments: float) -> list[tuple[int, int]]:
    """Frames shown and skipped by then, as the panel said."""
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    found, counts, waiting = [], (0, 0), [*moments]
    for at, data in [*chunks, (math.inf, b"")]:
        while waiting and at >= waiting[0]:
            match = COUNTS.search("\n".join(screen.display))
            counts = (_number(match[1]), _number(match[2])) if match else counts
            found.append(counts)
            waiting.pop(0)
        if not waiting:
            break
        stream.feed(UNKNOWN.sub(b"", data))
    return found


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def _children(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [line.split() for line in listed.splitlines()]
    return [int(child) for child, parent in pairs if int(parent) == pid]


def rows(short: bool) -> list[Row]:
    what = "a video of 25 frames/s beside four charts of 20 ticks/s"
    if importlib.util.find_spec("av") is None:
        return [Row(what, "none", "-", "PyAV is not installed (extra video)")]
    load = SHORT if short else FULL
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bench.mp4")
        seconds = 1.6 * load.pause * load.keys + load.warm + load.quiet + SECONDS_MORE
        video(path, SHORT_SIZE if short else SIZE, seconds)
        free = watched(path, load)
        found = rows_of(what, free, load)
        if not short:
            found += rows_of(f"the same with --budget {BUDGET}", watched(path, load, "--budget", BUDGET), load)
            found += rows_of("the four charts without a video", watched(None, load), load)
    return found


def rows_of(what: str, got: Watched, load: Load) -> list[Row]:
    unanswered = sum(delay == math.inf for delay in got.delays)
    failed = f"the program ended with {got.code}" if got.code else ""
    if unanswered == len(got.delays):
        failed = failed or "no key was answered"
    if got.moves and not got.frames:
        failed = failed or "no frame was decoded"
    figures = f"{got.shown + got.skipped:.1f} frames/s decoded" if got.moves else ""
    keys = f"{load.keys} keys" + (f", {unanswered} not answered before the next came" if unanswered else "")
    quantiles = quantile(got.delays, 0.5, load), quantile(got.delays, 0.99, load)
    frames = f"{got.shown:.1f} shown, {got.skipped:.1f} skipped a second" if got.moves else "no frames"
    decoder = f"the monitor; the decoder {100 * got.decoder:.1f} %" if got.moves else "the monitor"
    return [
        Row(what, "none", frames, figures, failed),
        Row("  CPU", "none", f"{100 * got.monitor:.1f} % of a core", decoder, failed),
        Row("  bytes to the terminal", "none", f"{got.rate / 1e3:.1f} kB/s", "without keys", failed),
        Row("  key to screen, p50", "4 ms", quantiles[0], f"p99 {quantiles[1]}; {keys}", failed),
    ]
