"""The terminal's driver: counts what is written, never waits for a terminal that does not read, ends with a dead one.

It also asks the terminal what it can do, and takes the answers from among the keys.

Textual 8.2 has no public way to any of it, so this file uses private names of it: of `LinuxDriver` `_file`,
`_writer_thread` (and its `_queue`), `_run_input_thread`, `_sigcont_application`, `_sigtstp_application`, `_app`,
`_loop`, `_debug`, `exit_event`; `_parser` and `_xterm_parser`. A test fails when one of them changes.
"""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import os
import queue
import select
import struct
import sys
import termios
import time
from typing import TYPE_CHECKING, Any, Final, cast

from textual import events
from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from tuistream.core import job_control
from tuistream.ui import terminal_answers
from tuistream.ui.terminal_answers import Abilities, Answers

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from textual.app import App

SECONDS_TO_LOOK: Final = 1.0  # between looks whether the terminal is still there
SECONDS_TO_END: Final = 0.5  # that a terminal has for what is written last, twice: before and after it is cleared


KEY_SECONDS: Final = 0.1  # between looks whether the keys are over, and until the beginning of an answer is a key
ANSWER_SECONDS: Final = 5.0  # after which no answer is expected any more
READ: Final = 4_096  # bytes


class Output:
    """A file descriptor as Textual's writer thread wants it. No buffer: a thread that hangs in it locks nothing.

    done: how many writes are over.
    """

    def __init__(self, fd: int, lost: Callable[[], None]) -> None:
        """lost: called, in the writing thread, when the terminal is gone."""
        self._fd = fd
        self._lost = lost
        self.dead = False
        self.done = 0

    def write(self, text: str | bytes) -> None:
        data = memoryview(text.encode("utf-8", "replace") if isinstance(text, str) else text)
        while data and not self.dead:
            try:
                data = data[os.write(self._fd, data) :]
            except OSError:  # EIO: nobody will ever read this again
                self.dead = True
                self._lost()
        self.done += 1

    def flush(self) -> None:
        """Nothing is held back."""

    def fileno(self) -> int:
        return self._fd

    def isatty(self) -> bool:
        return os.isatty(self._fd)


class TerminalDriver(LinuxDriver):
    """bytes_written: since the start, as UTF-8. starts: how often it took the terminal.

    leaving: what is to be written before the terminal is given back. What the app has as `questions` is asked
    whenever the terminal is taken, and `Answered` comes once it has answered.
    """

    class ToldToStop(events.Event):
        """A SIGTSTP has come: the program is to stop once it is ready."""

    class Continued(events.Event):
        """A SIGCONT has come after a stop that nobody had told us of."""

    class Answered(events.Event):
        """The terminal has said what it can do. cell: a cell's width and height in pixels, where that is known."""

        def __init__(self, abilities: Abilities, cell: tuple[int, int] | None) -> None:
            super().__init__()
            self.abilities = abilities
            self.cell = cell

    def __init__(
        self, app: App[object], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self.bytes_written = 0
        self.starts = 0
        self.leaving: Callable[[], str] = str
        self._questions: str = getattr(app, "questions", "")
        self._answers = Answers()
        self._asked_at = 0.0  # monotonic seconds
        self._handed = 0  # writes, to the thread
        self._straight = -1  # the terminal once more, opened so that it never makes a writer wait
        self._next_look: asyncio.TimerHandle | None = None
        stderr = sys.__stderr__
        assert stderr is not None
        self._output = Output(stderr.fileno(), self._lost_in_thread)
        self._file = cast(Any, self._output)

    @property
    def waiting(self) -> int:
        """Writes that the terminal has not taken yet, but for the one that is being made."""
        thread = self._writer_thread
        return thread._queue.qsize() if thread is not None else 0

    @property
    def dead(self) -> bool:
        """Whether the terminal is gone for good."""
        return self._output.dead

    def write(self, data: str) -> None:
        """Write as much as the terminal takes at once, and hand the rest to the thread that waits for it.

        What has no room in its queue, or comes after the end, is dropped: nothing that a terminal can do may stop
        the loop.
        """
        thread = self._writer_thread
        if thread is None or not thread.is_alive() or self._output.dead:
            return
        encoded = data.encode("utf-8", "replace")
        size = len(encoded)
        if self._straight >= 0 and self._handed == self._output.done:
            try:
                encoded = encoded[os.write(self._straight, encoded) :]
            except BlockingIOError:
                pass
            except OSError:  # it is gone, which the thread finds out, or will not be written to so
                self._close_straight()
        if not encoded:
            self.bytes_written += size
            return
        with contextlib.suppress(queue.Full):
            thread._queue.put_nowait(cast(str, encoded))  # Output takes bytes, too
            self._handed += 1
            self.bytes_written += size

    def _open_straight(self) -> None:
        """O_NONBLOCK holds for what was opened here only, not for the shell's descriptors of the same terminal."""
        if self._straight < 0:
            with contextlib.suppress(OSError):
                fd = self._output.fileno()
                self._straight = os.open(os.ttyname(fd), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)

    def _close_straight(self) -> None:
        if self._straight >= 0:
            os.close(self._straight)
            self._straight = -1

    def start_application_mode(self) -> None:
        self._open_straight()
        self._handed = self._output.done
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self.starts += 1
        if self._questions and self.input_tty:
            self._answers.ask()
            self._asked_at = time.monotonic()
            self.write(self._questions)
        self._look_for_hangup()

    def ask_cell(self) -> None:
        """Ask for the size of a cell only, which changes with the font."""
        if self._answers.complete and self._cell() is None:
            self.write(terminal_answers.CELL_SIZE)
        self._tell_answers()

    def _cell(self) -> tuple[int, int] | None:
        """A cell's pixels, as the terminal has set them for its line."""
        try:
            size = fcntl.ioctl(self._output.fileno(), termios.TIOCGWINSZ, bytes(8))
        except OSError:
            return None
        lines, columns, width, height = struct.unpack("HHHH", size)
        return terminal_answers.sane_cell(width // columns, height // lines) if columns and lines else None

    def _tell_answers(self) -> None:
        if self._answers.complete:
            found = self._answers.found
            self._tell(self.Answered(found, self._cell() or found.cell))

    def stop_application_mode(self) -> None:
        if leaving := self.leaving():
            self.write(leaving)
        if self._next_look is not None:
            self._next_look.cancel()
        super().stop_application_mode()

    def _look_for_hangup(self) -> None:
        """End the program with its terminal, also where nothing is written and SIGHUP is ignored.

        Textual's thread for the keys would read the end of input again and again.
        """
        poll = select.poll()
        poll.register(self._output.fileno(), 0)  # POLLHUP and POLLERR are always told
        if poll.poll(0):
            self._output.dead = True
            self._app.exit(0)
        else:
            self._next_look = self._loop.call_later(SECONDS_TO_LOOK, self._look_for_hangup)

    def close(self) -> None:
        """End the thread that writes; where the terminal does not read, without what it has not read."""
        self._close_straight()
        thread = self._writer_thread
        if thread is None:
            return
        with contextlib.suppress(queue.Full):
            thread._queue.put_nowait(None)
        thread.join(SECONDS_TO_END)
        if thread.is_alive() and not self._output.dead:
            with contextlib.suppress(termios.error):
                termios.tcflush(self._output.fileno(), termios.TCOFLUSH)
            thread.join(SECONDS_TO_END)

    def _lost_in_thread(self) -> None:
        """The terminal is gone: end the program, from whatever thread found out."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._app.exit, 0)

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except OSError:
            self._output.dead = True
            self._lost_in_thread()

    def run_input_thread(self) -> None:
        """As Textual does it, but for the answers to what was asked."""
        parser, decode = XTermParser(self._debug), codecs.getincrementaldecoder("utf-8")("replace").decode
        try:
            while not self.exit_event.is_set():
                ready = select.select([self.fileno], [], [], KEY_SECONDS)[0]
                text = decode(os.read(self.fileno, READ)) if ready else ""
                if keys := self._without_answers(text, over=not ready):
                    for event in parser.feed(keys):
                        self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)
        finally:
            with contextlib.suppress(EOFError, ParseError):
                for _event in parser.feed(""):
                    pass

    def send_message(self, message: Message) -> None:
        """As Textual's, a turn of the loop sooner, each of which a key that comes under load waits for."""
        self._tell(message)

    def _without_answers(self, text: str, *, over: bool) -> str:
        """What was read, without answers. over: nothing came for a while."""
        answers = self._answers
        before = answers.found, answers.complete
        keys = answers.take(text) + (answers.release() if over else "")
        if answers.waiting and time.monotonic() - self._asked_at > ANSWER_SECONDS:
            answers.waiting = False
        if (answers.found, answers.complete) != before:
            self._tell_answers()
        return keys

    def stop(self, line: str, *, whole_job: bool) -> None:
        """Give the terminal back with `line` on it, and stop the process; return when it goes on in the terminal.

        whole_job: with all processes of its job.
        """
        self.suspend_application_mode()
        fd = self._output.fileno()
        if select.select([], [fd], [], SECONDS_TO_END)[1]:  # else nobody reads it
            self._output.write(f"{line}\n")
        job_control.stop(whole_job=whole_job, until=self._in_foreground)
        self.resume_application_mode()

    def take_terminal(self) -> None:
        """Have the terminal as it should be, after a stop that nobody had told us of."""
        if not self._in_foreground():
            job_control.stop(whole_job=False, until=self._in_foreground)
        thread = self._writer_thread
        if thread is not None and thread.is_alive():
            self.suspend_application_mode()
        self.resume_application_mode()

    def _in_foreground(self) -> bool:
        """Whether the terminal is ours to write on, and not the shell's or another job's."""
        try:
            return os.tcgetpgrp(self._output.fileno()) == os.getpgrp()
        except OSError:
            return True  # it is gone, which who writes to it finds out

    def _sigtstp_application(self, *_: object) -> None:
        self._tell(self.ToldToStop())

    def _sigcont_application(self, *_: object) -> None:
        """Textual would start a second thread for the keys where the first one lives."""
        self._tell(self.Continued())

    def _tell(self, message: Message) -> None:
        """Let the app know, from a thread or a signal handler."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._app.post_message, message)
