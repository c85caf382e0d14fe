"""What a demo needs: a price server, as a child that never outlives us, and a folder for its recording."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from tuistream.core.errors import TuistreamError
from tuistream.store.lock import writer_of

ARGUMENTS = ("serve", "gbm", "--port", "0", "--symbols", "4", "--rate", "20", "--step", "1h", "--volatility", "0.4")
STOP_SECONDS = 2.0
FOLDER_PREFIX = "tuistream-demo-"
DEMO_FILE = "demo.db"
ABANDONED_SECONDS = 60.0  # a folder without a writer that is younger may be of a demo that just starts


@contextmanager
def recording_folder() -> Iterator[Path]:
    """A folder for the demo's recording, which goes with it; those of demos that were killed go, too."""
    for old in Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*"):
        if writer_of(old / DEMO_FILE) is None and time.time() - old.stat().st_mtime > ABANDONED_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=FOLDER_PREFIX) as folder:
        yield Path(folder)


class PriceServer(msgspec.Struct, frozen=True):
    """The demo's server, which may still be starting."""

    _child: subprocess.Popen[str]
    _complaints: IO[str]

    def url(self) -> str:
        """Where it serves, once it does. Raises TuistreamError where it does not start."""
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line.startswith("serving "):
            self._complaints.seek(0)
            raise TuistreamError(f"the demo's server did not start: {self._complaints.read().strip()[-500:]}")
        return line.split()[1]


@contextmanager
def price_server() -> Iterator[PriceServer]:
    """Start it on a free port.

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
        try:
            yield PriceServer(child, complaints)
        finally:
            child.stdin.close()
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
