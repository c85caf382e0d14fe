"""Data from standard input while the keys come from the terminal."""

from __future__ import annotations

import os
import stat
import sys

from tuistream.core.errors import TuistreamError

TERMINAL = "/dev/tty"
STDIN, STDOUT = 0, 1


def is_piped() -> bool:
    """Whether standard input is something that a user has put there to be read: a pipe, a socket or a file."""
    try:
        mode = os.fstat(STDIN).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISREG(mode)


def behind_terminal(instead: str) -> int:
    """Have the terminal as standard input and output; the descriptor of what was standard input until now, or -1.

    To be called before textual is imported, which would read the data as keys, and wait for keys where there are
    none. It paints on standard error. Raises TuistreamError where there is no terminal, with what to do `instead`.
    """
    stderr = sys.__stderr__
    if stderr is None or not stderr.isatty():
        raise TuistreamError(f"a terminal is needed to watch; without one, use: {instead}")
    if os.environ.get("TERM", "") == "dumb":
        raise TuistreamError(f"this terminal (TERM=dumb) cannot show a screen; use: {instead}")
    if os.isatty(STDIN) and os.isatty(STDOUT):
        return -1
    try:
        terminal = os.open(TERMINAL, os.O_RDWR)
    except OSError as error:
        raise TuistreamError(f"a terminal is needed to watch; without one, use: {instead}") from error
    data = -1
    if not os.isatty(STDIN):
        try:
            data = os.dup(STDIN)
        except OSError:  # it was closed: its reader says so
            data = -1
        os.dup2(terminal, STDIN)
    if not os.isatty(STDOUT):
        os.dup2(terminal, STDOUT)  # its size is asked for there
    if terminal not in (STDIN, STDOUT):
        os.close(terminal)
    return data
