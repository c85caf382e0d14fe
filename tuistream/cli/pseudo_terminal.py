"""A command that draws on a terminal of its own, unseen: how many bytes come, and when. Not for Windows."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence

from tuistream.core.errors import TuistreamError

ANSWER_BYTES = 4_096  # most that the command may print
CHUNK = 1 << 16


def run(
    command: Sequence[str], environment: Mapping[str, str], columns: int, lines: int, seconds: float
) -> tuple[str, list[tuple[float, int]]]:
    """Run `command` with its standard input and error on a new terminal of that size.

    What it prints on standard output, and for each chunk that it drew the time (time.perf_counter()) and its bytes.
    Raises TuistreamError where it fails or does not end within `seconds`.
    """
    terminal, other = pty.openpty()
    try:
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        with subprocess.Popen(  # noqa: S603
            command, stdin=other, stdout=subprocess.PIPE, stderr=other, env=environment, start_new_session=True
        ) as process:
            os.close(other)
            try:
                chunks = _chunks(process, terminal, time.perf_counter() + seconds)
            except BaseException:
                process.kill()
                raise
            assert process.stdout is not None
            answer = process.stdout.read(ANSWER_BYTES).decode()
        if process.returncode:
            raise TuistreamError(f"bench: the screen ended with exit code {process.returncode}")
    finally:
        os.close(terminal)
    return answer, chunks


def _chunks(process: subprocess.Popen[bytes], terminal: int, deadline: float) -> list[tuple[float, int]]:
    """All that comes until the process has ended."""
    chunks: list[tuple[float, int]] = []
    while True:
        if select.select([terminal], [], [], 0.02)[0]:
            try:
                data = os.read(terminal, CHUNK)
            except OSError:  # EIO: nobody has it open any more
                data = b""
            if not data:
                return chunks
            chunks.append((time.perf_counter(), len(data)))
        elif process.poll() is not None:
            return chunks
        if time.perf_counter() > deadline:
            raise TuistreamError("bench: the screen did not end")
