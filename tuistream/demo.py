"""The price server that a demo connects to, as a child that never outlives us."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from tuistream.core.errors import TuistreamError

ARGUMENTS = ("serve", "gbm", "--port", "0", "--symbols", "4", "--rate", "20", "--step", "1h", "--volatility", "0.4")
STOP_SECONDS = 2.0


@contextmanager
def price_server() -> Iterator[str]:
    """Start it on a free port; gives its URL.

    The child ends when its standard input does: a pipe whose other end only we hold, so that it closes however
    we end, kill -9 included.
    """
    command = [sys.executable, "-m", "tuistream", *ARGUMENTS, "--with-parent"]
    with (
        tempfile.TemporaryFile("w+") as complaints,
        subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, text=True
        ) as child,
    ):
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            line = child.stdout.readline()
            if not line.startswith("serving "):
                complaints.seek(0)
                raise TuistreamError(f"the demo's server did not start: {complaints.read().strip()[-500:]}")
            yield line.split()[1]
        finally:
            child.stdin.close()
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
