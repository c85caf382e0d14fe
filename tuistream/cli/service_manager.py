"""What a service manager is told: sd_notify(3), the protocol of systemd and of those that speak as it does."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import MutableMapping
from typing import Final

from tuistream.core.text import printable

STATUS_LENGTH: Final = 300


class ServiceManager:
    """Sends datagrams to the socket that NOTIFY_SOCKET names; nothing where there is none, or nobody reads it.

    watchdog: seconds within which the manager wants to hear that all is well (WATCHDOG_USEC), 0 if it does not.
    """

    def __init__(self, environment: MutableMapping[str, str] = os.environ) -> None:
        """Takes its variables out of `environment`, so that programs that we start do not speak for us."""
        address = environment.pop("NOTIFY_SOCKET", "")
        microseconds = environment.pop("WATCHDOG_USEC", "")
        process = environment.pop("WATCHDOG_PID", "")
        self._socket: socket.socket | None = None
        self.watchdog = 0.0
        if address[:1] not in ("/", "@") or not hasattr(socket, "AF_UNIX"):
            return
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        if microseconds.isdecimal() and process in ("", str(os.getpid())):
            self.watchdog = int(microseconds) / 1e6

    @property
    def listens(self) -> bool:
        return self._socket is not None

    def ready(self) -> None:
        self._send("READY=1")

    def alive(self) -> None:
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        self._send(f"STATUS={printable(text, STATUS_LENGTH)}")

    def reloading(self) -> None:
        """To be followed by `ready`."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1_000}")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, message: str) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # a manager that has gone, or is busy: the next one may get there
                self._socket.sendto(message.encode(), self._address)
