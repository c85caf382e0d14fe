"""What can go wrong under a recording, done to a recorder that runs, and what becomes of its ticks."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.store.recorded import ticks
from tuistream.store.rotation import file_size
from tuistream.store.segments import files_of, segments_of
from tuistream.store.verify import verify

ROOT = Path(__file__).parents[2]
SHIM = Path(__file__).with_name("failing_disk.c")
PATIENCE = 60.0  # s after which what did not come is a hang
LASTS = 1.5  # s that a fault lasts: more ticks come meanwhile than find room to wait


class NotHere(Exception):
    """The fault cannot be made on this machine."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Ticks that were offered, found in the files, and counted as lost in gaps; what the recorder said of it.

    wrong: what is not as it should be.
    """

    offered: int
    kept: int
    lost: int
    said: str
    wrong: tuple[str, ...]


class Recorder:
    """`tests.sinks.steady_writer`, and what it says."""

    def __init__(self, path: Path, environment: dict[str, str]) -> None:
        self.path = path
        command = [sys.executable, "-m", "tests.sinks.steady_writer", str(path)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ | environment
        )
        self.said: list[dict[str, Any]] = []
        self.until("recording")

    def until(self, state: str) -> str:
        """Wait for that state; its reason."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(json.loads(line))
            if self.said[-1].get("state") == state:
                return str(self.said[-1]["reason"])
        raise AssertionError(f"ended without {state!r}: {self.process.communicate()[1]}")

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    @property
    def file(self) -> Path:
        """The one that is being written."""
        return segments_of(self.path)[-1]

    def end(self) -> tuple[dict[str, Any], str, int]:
        self.send(signal.SIGTERM)
        out, err = self.process.communicate(timeout=PATIENCE)
        self.said += [json.loads(line) for line in out.splitlines()]
        return self.said[-1], err, self.process.returncode

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def looked_at(path: Path, end: dict[str, Any], err: str, code: int, said: str) -> Outcome:
    """Compare what was offered with what is in the files: each row with what it must be, each loss with its gap."""
    wrong = [] if (err, code) == ("", 0) else [f"exit code {code}, {err.strip()[-200:]!r}"]
    ids: list[int] = []
    lost = 0
    for file in files_of([path]):
        connection = sqlite3.connect(file)
        try:
            if (found := connection.execute("PRAGMA integrity_check").fetchall()) != [("ok",)]:
                wrong.append(f"{file.name}: {found[0][0]}")
            rows = connection.execute("SELECT id, t, recv, v0, v1 FROM ticks ORDER BY n").fetchall()
            lost += connection.execute("SELECT coalesce(sum(missing), 0) FROM gaps").fetchone()[0]
            blocks = connection.execute("SELECT coalesce(sum(r1 - r0 + 1), 0) FROM blocks").fetchone()[0]
        finally:
            connection.close()
        if blocks != len(rows):
            wrong.append(f"{file.name}: {len(rows)} rows, {blocks} in blocks")
        if rows:
            wrong += _wrong_rows(file, np.array(rows))
        ids += [row[0] for row in rows]
    wrong += [f"verify: {problem.text}" for problem in verify(files_of([path])).problems]
    if ids != sorted(set(ids)):
        wrong.append("rows are there twice, or not in order")
    if len(ids) + lost + end["unstored"] != end["offered"]:
        wrong.append(f"{end['offered'] - len(ids) - lost:,} ticks neither kept nor counted")
    return Outcome(end["offered"], len(ids), lost + end["unstored"], said, tuple(wrong))


def _wrong_rows(file: Path, rows: np.ndarray[Any, Any]) -> list[str]:
    first, last = int(rows[0, 0]), int(rows[-1, 0])
    made = ticks(count=last - first + 1, first=first)
    at = rows[:, 0].astype(np.int64) - first
    right = np.allclose(rows[:, 3:], made.v[at], rtol=0, atol=1e-9)
    right &= bool(
        np.all(np.abs(rows[:, 1] - made.t[at]) < 1_000) and np.all(np.abs(rows[:, 2] - made.recv[at]) < 1_000)
    )
    return [] if right else [f"{file.name}: rows that were never offered"]


@contextmanager
def recording(folder: Path, environment: dict[str, str] | None = None) -> Iterator[Recorder]:
    recorder = Recorder(folder / "a.db", environment or {})
    try:
        yield recorder
    finally:
        recorder.kill()


def failing(recorder: Recorder, begin: Callable[[], object], end: Callable[[], object]) -> Outcome:
    """A fault that lets nothing be written while it lasts."""
    begin()
    said = recorder.until("failing")
    time.sleep(LASTS)
    end()
    recorder.until("recording")
    time.sleep(0.2)
    return looked_at(recorder.path, *recorder.end(), said)


def full_disk(folder: Path) -> Outcome:
    with small_disk(folder) as disk, recording(disk) as recorder:
        ballast = disk / "ballast"

        def fill() -> None:
            with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))

        return failing(recorder, fill, ballast.unlink)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if sys.platform != "linux" or os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        raise NotHere("may not mount a small file system")
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def shim(folder: Path) -> tuple[Path, dict[str, str]]:
    """The control file of a disk that fails when told, and the environment that has a program use it."""
    compiler, library, control = shutil.which("cc"), folder / "failing_disk.so", folder / "control"
    if sys.platform != "linux" or compiler is None:
        raise NotHere("needs Linux and a C compiler")
    command = [compiler, "-shared", "-fPIC", "-o", str(library), str(SHIM), "-ldl"]
    if (built := subprocess.run(command, capture_output=True, text=True)).returncode:
        raise NotHere(f"cc: {built.stderr[-200:]}")
    return control, {"LD_PRELOAD": str(library), "FAILING_DISK": str(control)}


def errors(number: int, what: str = "all") -> Callable[[Path], Outcome]:
    """Writes, syncs, or all of it fail with that errno."""

    def fault(folder: Path) -> Outcome:
        control, environment = shim(folder)
        with recording(folder, environment) as recorder:
            return failing(recorder, lambda: _put(control, f"{number} 0 {what}"), control.unlink)

    return fault


def syncs_fail(folder: Path) -> Outcome:
    """Only what waits for the disk fails, each time that pages go from the WAL into the file: the WAL grows."""
    control, environment = shim(folder)
    with recording(folder, environment | {"SMALL_WAL": "1"}) as recorder:
        _put(control, f"{errno.EIO} 0 sync")
        time.sleep(LASTS)
        grown = file_size(recorder.file) - recorder.file.stat().st_size
        control.unlink()
        time.sleep(LASTS)
        end = recorder.end()
        failed = [str(words["reason"]) for words in recorder.said if words.get("state") == "failing"]
        return looked_at(recorder.path, *end, failed[0] if failed else f"the WAL grows, to {grown / 1e3:,.0f} kB")


def slow_disk(folder: Path) -> Outcome:
    """Each write takes 50 ms: the feed has to wait, and nothing is lost."""
    control, environment = shim(folder)
    with recording(folder, environment) as recorder:
        _put(control, "0 50000 all")
        time.sleep(2 * LASTS)
        control.unlink()
        end, err, code = recorder.end()
        found = looked_at(recorder.path, end, err, code, f"the feed waited {end['waits']:.1f} s")
        return found if end["waits"] > 0.1 else _but(found, "the feed did not wait")


def _put(control: Path, text: str) -> None:
    new = control.with_name("control-new")
    new.write_text(text)
    new.rename(control)


def removed(folder: Path) -> Outcome:
    """What was in the file is gone; a new one goes on. (Of the one that is removed its rows count as kept.)"""
    with recording(folder) as recorder:
        old, kept = recorder.file, folder / "kept"
        kept.hardlink_to(old)
        old.unlink()
        _until(old.exists)
        time.sleep(0.3)
        end, err, code = recorder.end()
        kept.rename(segment_before(old))
        return looked_at(recorder.path, end, err, code, "a new file goes on")


def segment_before(path: Path) -> Path:
    """A name that comes before that of a segment."""
    base, _, _stamp = path.name.partition(".")
    return path.with_name(f"{base}.20200101T000000Z.db")


def replaced(folder: Path) -> Outcome:
    """Another program's file lies in our place: it is not touched, and ticks are kept until it is gone."""
    with recording(folder) as recorder:
        file, aside, other = recorder.file, segment_before(recorder.file), folder / "other"
        connection = sqlite3.connect(other)
        connection.execute("CREATE TABLE precious (x)")
        connection.close()
        precious = other.read_bytes()

        def replace() -> None:
            file.rename(aside)
            other.rename(file)

        outcome = failing(recorder, replace, lambda: file.rename(folder / "precious"))
        return outcome if (folder / "precious").read_bytes() == precious else _but(outcome, "it was changed")


def folder_gone(folder: Path) -> Outcome:
    place = folder / "place"
    place.mkdir()
    with recording(place) as recorder:
        return failing(recorder, lambda: place.rename(folder / "away"), lambda: (folder / "away").rename(place))


def locked(folder: Path) -> Outcome:
    """Another program has begun to write the file and does not end."""
    with recording(folder) as recorder:
        other = sqlite3.connect(recorder.file, isolation_level=None, timeout=10)
        try:
            return failing(recorder, lambda: other.execute("BEGIN IMMEDIATE"), lambda: other.execute("ROLLBACK"))
        finally:
            other.close()


def no_new_file(folder: Path) -> Outcome:
    """A new file is wanted and cannot be made: the old one goes on."""
    with recording(folder) as recorder:
        blocker = folder / "a.db-new"
        blocker.mkdir()
        recorder.send(signal.SIGUSR1)
        time.sleep(LASTS)
        blocker.rmdir()
        outcome = looked_at(recorder.path, *recorder.end(), "the old file goes on")
        return outcome if len(files_of([recorder.path])) == 1 else _but(outcome, "a file too many")


def clock_back(folder: Path) -> Outcome:
    with recording(folder) as recorder:
        for number in (signal.SIGUSR2, signal.SIGUSR1, signal.SIGUSR2):
            recorder.send(number)
            time.sleep(LASTS / 3)
        outcome = looked_at(recorder.path, *recorder.end(), "recording goes on")
        return outcome if len(files_of([recorder.path])) == 2 else _but(outcome, "not two files")


def times_that_cannot_be(folder: Path) -> Outcome:
    """Ticks of 1970 and of 2100 keep the time of their receipt, and are counted."""
    path, now = folder / "a.db", time.time()
    lines = "".join(f'{{"time": {t}, "price": {i}}}\n' for i, t in enumerate((now, 1.5, now, 4_102_444_800.0, now)))
    command = [sys.executable, "-m", "tuistream", "record", "-", "--db", str(path), "--time-field", "time", "--json"]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE)
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute("SELECT t, recv, v0 FROM ticks ORDER BY n").fetchall()
    finally:
        connection.close()
    wrong = [] if done.returncode == 0 else [done.stderr]
    if [v for _, _, v in rows] != [0, 1, 2, 3, 4]:
        wrong.append(f"rows {rows}")
    wrong += [f"time {t}" for i, (t, recv, _) in enumerate(rows) if i % 2 and t != recv]
    wrong += [f"time {t}" for i, (t, _, _) in enumerate(rows) if not i % 2 and abs(t / 1e9 - now) > 1e-3]
    return Outcome(5, len(rows), 0, "they keep the time of their receipt", tuple(wrong))


def _but(outcome: Outcome, wrong: str) -> Outcome:
    return Outcome(outcome.offered, outcome.kept, outcome.lost, outcome.said, (*outcome.wrong, wrong))


def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


FAULTS: dict[str, Callable[[Path], Outcome]] = {
    "full disk (tmpfs), then room": full_disk,
    "no space for anything (ENOSPC)": errors(errno.ENOSPC),
    "quota exceeded (EDQUOT)": errors(errno.EDQUOT),
    "read-only (EROFS), then not": errors(errno.EROFS),
    "writes fail (EIO)": errors(errno.EIO),
    "syncs fail (EIO), writes do not": syncs_fail,
    "disk slow: 50 ms a write": slow_disk,
    "locked by another program": locked,
    "file removed": removed,
    "file replaced by another program's": replaced,
    "folder gone, and back": folder_gone,
    "no new file can be made": no_new_file,
    "clock goes back an hour, twice": clock_back,
    "ticks of 1970 and of 2100": times_that_cannot_be,
}
