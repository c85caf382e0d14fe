"""From the start of a program to its first chart; and what a recorder costs that runs for months."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.console import Console, cpu_seconds, resident_mb, served
from tests.bench.screen import first_braille
from tests.bench.table import Row

RUNS, SHORT_RUNS = 7, 1
RECORDED_SECONDS, SHORT_RECORDED_SECONDS = 20.0, 0.5
WARM_SECONDS, SHORT_WARM_SECONDS = 2.0, 0.8
RATE = 20


def rows(short: bool) -> list[Row]:
    with _compiled():
        return [*_first_chart(SHORT_RUNS if short else RUNS), *_recorder(short)]


@contextmanager
def _compiled() -> Iterator[None]:
    """As after an installation: everything has its bytecode, also where Python is told to write none; and there is
    no python-socks, which only picows of the extra `bench` brings, and which websockets would import.
    """
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        absent = Path(folder, "absent")
        absent.mkdir()
        (absent / "python_socks.py").write_text("raise ImportError\n")
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(absent), os.environ.get("PYTHONPATH"))))
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def _first_chart(runs: int) -> list[Row]:
    """Medians of runs that take turns; one before them all compiles what is not compiled yet."""
    took: dict[str, list[float]] = {"python": [], "ours": [], "demo": [], "PlotextPlot": []}
    with served("gbm", "--rate", "100") as url:
        python = (sys.executable, "-m")
        for _ in range(runs + 1):
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", "pass"], check=True)
            took["python"].append(time.perf_counter() - began)
            took["ours"].append(_until_chart(*python, "tuistream", url, "--no-record"))
            took["demo"].append(_until_chart(*python, "tuistream"))
            took["PlotextPlot"].append(_until_chart(*python, "tests.bench.stock_live", url))
    ms = {name: 1e3 * statistics.median(values[1:]) for name, values in took.items()}
    after = {name: value - ms["python"] for name, value in ms.items()}
    figures = (
        f"PlotextPlot {after['PlotextPlot']:.0f} ms, so {after['ours'] / after['PlotextPlot']:.2f} times that; "
        f"the demo, its server's start included, {after['demo']:.0f} ms; "
        f"the interpreter itself {ms['python']:.0f} ms; medians of {runs}"
    )
    return [Row("first chart, after the interpreter's start", "300 ms", f"{after['ours']:.0f} ms", figures)]


def _until_chart(*command: str) -> float:
    with Console(*command) as console:
        console.until(lambda: first_braille(console) is not None)
        at = first_braille(console)
        assert at is not None
        return at - console.began


def _recorder(short: bool) -> list[Row]:
    seconds = SHORT_RECORDED_SECONDS if short else RECORDED_SECONDS
    with tempfile.TemporaryDirectory() as folder, served("gbm", "--rate", str(RATE)) as url:
        command = [sys.executable, "-m", "tuistream", "record", url, "-q", "--db", str(Path(folder, "bench.db"))]
        with subprocess.Popen(command) as process:
            time.sleep(SHORT_WARM_SECONDS if short else WARM_SECONDS)
            began, cpu = time.perf_counter(), cpu_seconds(process.pid)
            time.sleep(seconds)
            load = (cpu_seconds(process.pid) - cpu) / (time.perf_counter() - began)
            memory = resident_mb(process.pid)
            process.terminate()
    failed = f"the recorder ended with {process.returncode}" if process.returncode else ""
    what = f"headless recorder of {RATE} ticks/s"
    figures = f"over {seconds:g} s"
    return [
        Row(what, "1 % of a core", f"{100 * load:.2f} %", figures, failed),
        Row("  its memory", "60 MB", f"{memory:.0f} MB", "resident", failed),
    ]
