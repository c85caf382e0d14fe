"""A program in a pseudo-terminal of its own, with a screen that remembers what it drew."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import ClassVar, Self

import pyte

from tests.cli.running import PATIENCE

# Sequences that pyte does not know and would print.
_UNKNOWN = re.compile(
    rb"\x1b\[(?!\?1049[hl])[<>=?][0-9;:]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p|\x1bP.*?\x1b\\|\x1b_.*?\x1b\\|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)",
    re.DOTALL,
)
_INCOMPLETE = re.compile(rb"\x1b(?:\[[<>=?0-9;:$]*|[P_\]][^\x07\x1b]*)?\Z", re.DOTALL)
ALTERNATE = 1049  # xterm's mode of a second screen, which pyte has not


class Screens(pyte.Screen):
    """A screen that is empty after each change between the normal and the alternate one."""

    def set_mode(self, *modes: int, **kwargs: bool) -> None:
        super().set_mode(*modes, **kwargs)
        self._change(modes)

    def reset_mode(self, *modes: int, **kwargs: bool) -> None:
        super().reset_mode(*modes, **kwargs)
        self._change(modes)

    def _change(self, modes: Sequence[int]) -> None:
        if ALTERNATE in modes:
            self.erase_in_display(2)
            self.cursor_position()


class Terminal:
    PROGRAM: ClassVar[Sequence[str]] = (sys.executable, "-m", "tuistream")

    def __init__(self, *arguments: str, columns: int = 120, lines: int = 36, **environment: str) -> None:
        self.screen = Screens(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self._begun = b""  # of a sequence that is not yet whole
        self.status: int | None = None
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
            for name in ("COLUMNS", "LINES"):  # they would stand in for the terminal's own size
                os.environ.pop(name, None)
                os.unsetenv(name)  # readline, which pytest imports, sets them past os.environ
            os.environ.update({"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", **environment})
            os.execv(self.PROGRAM[0], [*self.PROGRAM, *arguments])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self._fd >= 0:
            self.hang_up()

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def pump(self, seconds: float = 0.05) -> bool:
        """Take in what the program writes; False once it has ended."""
        if not select.select([self._fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self._fd, 1 << 16)
        except OSError:
            return False
        self.raw += data
        shown = self._begun + data
        begun = _INCOMPLETE.search(shown)
        self._begun = shown[begun.start() :] if begun else b""
        self._stream.feed(_UNKNOWN.sub(b"", shown[: begun.start()] if begun else shown))
        return bool(data)

    def until(self, condition: Callable[[str], object]) -> str:
        """Wait until the screen's text is so; the text."""
        deadline = time.monotonic() + PATIENCE
        while not condition(self.text):
            assert time.monotonic() < deadline, f"it did not come about:\n{self.text}"
            assert self.pump(), f"the program ended:\n{self.text}"
        return self.text

    def type(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def hang_up(self) -> None:
        """The terminal is gone."""
        os.close(self._fd)
        self._fd = -1

    def end(self) -> int:
        """Wait for the program's end; its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self.pump():
            assert time.monotonic() < deadline, f"it did not end:\n{self.text}"
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status
