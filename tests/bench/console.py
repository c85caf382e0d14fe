"""A program in a pseudo-terminal: every chunk it writes with the time at which it came; what it costs the machine."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

COLUMNS, LINES = 200, 50
PATIENCE = 60.0  # seconds after which what did not come about is a failure
ENVIRONMENT = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
_NOT_PASSED_ON = ("COLUMNS", "LINES", "NO_COLOR")  # the first two would stand in for the terminal's own size
TAIL = 500  # characters
# Escape sequences, box drawing, braille.
_NO_WORDS = re.compile(r"\x1b\[[0-9;:<=>?]*[a-zA-Z$]+|\x1b[^\[]|[\x00-\x1f\u2500-\u259f\u2800-\u28ff]")
_TICKS = os.sysconf("SC_CLK_TCK")


class Console:
    """chunks: (time.perf_counter(), bytes), oldest first. No emulation while it runs: that would disturb it."""

    def __init__(self, *command: str, size: tuple[int, int] = (COLUMNS, LINES), stdin: int | None = None) -> None:
        self.chunks: list[tuple[float, bytes]] = []
        environment = {name: value for name, value in os.environ.items() if name not in _NOT_PASSED_ON}
        environment = {name: value for name, value in environment.items() if not name.startswith("TUISTREAM_")}
        self._fd, other = pty.openpty()
        columns, lines = size
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            stdin=other if stdin is None else stdin,
            stdout=other,
            stderr=other,
            env=environment | ENVIRONMENT,
            start_new_session=True,
        )
        os.close(other)

    def __enter__(self) -> Console:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._fd)

    def pump(self, seconds: float = 0.05) -> bool:
        """Take what comes within `seconds`; False once the program has ended."""
        if not select.select([self._fd], [], [], max(0.0, seconds))[0]:
            return self.process.poll() is None
        try:
            data = os.read(self._fd, 1 << 16)
        except OSError:
            return False
        self.chunks.append((time.perf_counter(), data))
        return bool(data)

    def watch(self, seconds: float) -> None:
        """Take what comes for so long."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if not self.pump(left):
                raise RuntimeError(f"the program ended: {self.tail()}")

    def until(self, condition: Callable[[], object]) -> None:
        """Take what comes until it is so."""
        end = time.perf_counter() + PATIENCE
        while not condition():
            if not self.pump(0.02):
                raise RuntimeError(f"the program ended: {self.tail()}")
            if time.perf_counter() > end:
                raise RuntimeError(f"it did not come about: {self.tail()}")

    def type(self, keys: str) -> float:
        """Type; when that was, by time.perf_counter()."""
        now = time.perf_counter()
        os.write(self._fd, keys.encode())
        return now

    def end(self) -> int:
        """Take what comes until the program has ended; its exit code."""
        end = time.perf_counter() + PATIENCE
        while self.pump():
            if time.perf_counter() > end:
                raise RuntimeError(f"it did not end: {self.tail()}")
        return self.process.wait(PATIENCE)

    def bytes_between(self, since: float, to: float) -> int:
        return sum(len(data) for at, data in self.chunks if since <= at < to)

    def cpu(self) -> float:
        return cpu_seconds(self.process.pid)

    def tail(self) -> str:
        """The last words that were written, without what moves and colours them, for a message."""
        written = b"".join(data for _, data in self.chunks[-5:]).decode(errors="replace")
        return " ".join(_NO_WORDS.sub(" ", written).split())[-TAIL:]


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far, all threads, in steps of 10 ms."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():
        fields = stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS
    seconds = 0.0
    for part in _ps(pid, "time").replace("-", ":").split(":"):
        seconds = 60 * seconds + float(part)
    return seconds


def resident_mb(pid: int) -> float:
    """Resident memory of a process, in units of 1,000,000 bytes."""
    return int(_ps(pid, "rss")) * 1024 / 1e6


def _ps(pid: int, column: str) -> str:
    command = ["ps", "-o", f"{column}=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@contextmanager
def served(*arguments: str) -> Iterator[str]:
    """`tuistream serve` on a free port, in a process of its own; its URL."""
    command = [sys.executable, "-m", "tuistream", "serve", *arguments, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().split()[1]
        finally:
            server.terminate()
