"""Lines for standard output that never hold up the program: nobody may be reading them."""

from __future__ import annotations

import os
import threading
from collections import deque
from typing import TextIO

LINES_KEPT = 1_000


class Lines:
    """Writes lines to a stream's file descriptor in a thread of its own.

    Where the reader is slow, the oldest of over `LINES_KEPT` waiting lines are dropped; where it is gone, all are.
    The thread is a daemon: one that a full pipe holds does not keep the program from ending.
    to_journal: whether systemd's journal reads them.
    """

    def __init__(self, stream: TextIO | None) -> None:
        """stream: None where the program was started with it closed; then nothing is written."""
        self._descriptor = stream.fileno() if stream is not None else -1
        self.to_journal = self._descriptor >= 0 and is_journal(self._descriptor)
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)
        self._there = threading.Condition()
        self._closing = False
        self._idle = True
        self._thread = threading.Thread(target=self._write, name="output", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        with self._there:
            self._lines.append(line)
            self._there.notify()

    def flush(self, timeout: float) -> None:
        """Return once all is written, or after `timeout` seconds."""
        with self._there:
            if self._thread.is_alive():
                self._there.wait_for(lambda: not self._lines and self._idle, timeout)

    def close(self, timeout: float) -> None:
        """Write what waits, for at most `timeout` seconds."""
        with self._there:
            self._closing = True
            self._there.notify()
        self._thread.join(timeout)

    def _write(self) -> None:
        while True:
            with self._there:
                self._idle = True
                self._there.notify_all()
                while not self._lines and not self._closing:
                    self._there.wait()
                if not self._lines:
                    return
                data = self._lines.popleft().encode(errors="replace")
                self._idle = False
            try:
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:
                continue  # a pipe that somebody made non-blocking is full: this line is lost
            except OSError:
                return


def is_journal(descriptor: int) -> bool:
    """Whether it is the journal's: JOURNAL_STREAM has its device and inode, systemd.exec(5)."""
    named = os.environ.get("JOURNAL_STREAM", "")
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return named == f"{found.st_dev}:{found.st_ino}"
