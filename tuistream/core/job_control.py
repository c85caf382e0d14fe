"""Stopping this process so that a shell can bring it back (POSIX job control: IEEE Std 1003.1, General Terminal
Interface). Windows has none."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Final

SECONDS_TO_HEAR: Final = 0.5  # within which a SIGCONT that has come is told, however busy the machine is


def why_not() -> str:
    """Why a key must not stop this process: nothing could bring it back. Nothing where it may."""
    if sys.platform == "win32":
        return "Windows has no job control"
    if os.getpgrp() == os.getsid(0):  # the terminal's own command: no shell looks after it
        return "no shell is there to bring it back"
    return ""


def stop(*, whole_job: bool, until: Callable[[], bool] = lambda: True) -> None:
    """Stop this process; return once it has been continued and `until` holds, or stop again.

    whole_job: with all processes of its job, as the terminal's own Ctrl+Z does it; a shell waits for all of them.
    Only where the program was told to stop from outside, and so without the job, is it stopped by force where the
    kernel would ignore it, in a job that no shell looks after. To be called from the main thread.
    """
    if sys.platform == "win32":
        raise NotImplementedError(why_not())
    continued = False

    def note(*_: object) -> None:
        nonlocal continued
        continued = True

    def was_continued() -> bool:
        """Whether this process was stopped: it runs, so a SIGCONT has come, but it may be a thread other than this
        one that the kernel has told of it, and that has not had its turn yet."""
        deadline = time.monotonic() + SECONDS_TO_HEAR
        while not continued and time.monotonic() < deadline:
            time.sleep(0.001)
        return continued

    pid = os.getpid()
    before = signal.signal(signal.SIGCONT, note), signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    try:
        if whole_job:
            os.killpg(0, signal.SIGTSTP)
        else:
            os.kill(pid, signal.SIGTSTP)
        if not was_continued() and not whole_job:
            os.kill(pid, signal.SIGSTOP)
            was_continued()
        while not until():
            continued = False
            os.kill(pid, signal.SIGSTOP)
            was_continued()
    finally:
        signal.signal(signal.SIGCONT, before[0])
        signal.signal(signal.SIGTSTP, before[1])
