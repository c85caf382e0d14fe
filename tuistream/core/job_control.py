"""Stopping this process so that a shell can bring it back (POSIX job control: IEEE Std 1003.1, General Terminal
Interface). Windows has none."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable


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

    pid = os.getpid()
    before = signal.signal(signal.SIGCONT, note), signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    try:
        if whole_job:
            os.killpg(0, signal.SIGTSTP)
        else:
            os.kill(pid, signal.SIGTSTP)
            if not continued:
                os.kill(pid, signal.SIGSTOP)
        while not until():
            os.kill(pid, signal.SIGSTOP)
    finally:
        signal.signal(signal.SIGCONT, before[0])
        signal.signal(signal.SIGTSTP, before[1])
