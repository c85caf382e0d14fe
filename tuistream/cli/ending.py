"""Signals that end a command as Ctrl+C does: what it has open is closed, or taken away, on the way out."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALS = ("SIGTERM", "SIGHUP")


@contextmanager
def like_ctrl_c() -> Iterator[None]:
    """While the block lasts, SIGTERM and SIGHUP do what SIGINT does; not SIGHUP under nohup."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {}
    for name in SIGNALS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
