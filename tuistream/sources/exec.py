"""`exec:COMMAND`: what a shell command writes on its standard output."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tuistream.core.errors import SettingsError, SourceDown
from tuistream.core.text import printable
from tuistream.framers.lines import LineFramer
from tuistream.framers.text import TextFramer
from tuistream.sources.chunks import Chunks, Descriptor
from tuistream.sources.contract import FeedSettings, Target
from tuistream.sources.framed import FramedConnection
from tuistream.sources.reasons import os_reason

BEGINS: Final = "exec:"
SHELL: Final = "/bin/sh"
SECONDS_TO_END: Final = 1.0  # that a command has after SIGTERM, or after it has closed its output
SECONDS_TO_SAY: Final = 0.2  # that an ended command's error output has, which others may hold open
STDERR_LINE: Final = 1 << 12  # bytes
GUARD: Final = 'read -r _; kill -s KILL -- "-$0"'  # ends the group that is its name when its input has ended
NOT_RUNNABLE: Final = (126, 127)  # the shell's codes for what is no program, and for what there is not


def parse(target: str) -> Target:
    """A command line for the shell. Raises SettingsError."""
    command = target[len(BEGINS) :].strip()
    if not command or "\0" in command:
        raise SettingsError("exec: a command is missing, as in 'exec:vmstat 1'")
    if sys.platform == "win32":
        raise SettingsError("exec: needs a POSIX system; pipe the command instead: COMMAND | tuistream record -")
    return Target(BEGINS + command, printable(Path(command.split()[0]).name, 40) or "exec", "lines")


def source(settings: FeedSettings) -> Command:
    return Command(settings.url[len(BEGINS) :], settings)


@dataclass(frozen=True, slots=True)
class Command:
    """A command line, run by `sh -c` in a process group of its own, which does not outlive the connection.

    Nor does it outlive us, however we end: a guard waits for the end of a pipe that only we have open.
    """

    line: str
    settings: FeedSettings

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[FramedConnection]:
        """One run. Raises SourceDown where it cannot be started."""
        chunks = Chunks(self.settings.coalesce / 1e9, self.settings.gather / 1e9)
        async with contextlib.AsyncExitStack() as stack:
            out, out_end = _pipe(stack)
            err, err_end = _pipe(stack)
            try:
                process = await asyncio.create_subprocess_exec(
                    SHELL,
                    "-c",
                    self.line,
                    stdin=PIPE if self.settings.send else DEVNULL,
                    stdout=out_end,
                    stderr=err_end,
                    start_new_session=True,
                )
            except OSError as error:
                raise SourceDown(f"{SHELL}: {printable(os_reason(error))}") from error
            finally:
                os.close(out_end)
                os.close(err_end)
            stack.push_async_callback(_kill, process)
            await stack.enter_async_context(_guarded(process.pid))
            said = _Said(chunks)
            for descriptor, sink in ((out, chunks), (err, said)):
                stack.push_async_callback(Descriptor(descriptor, sink).close)
            yield FramedConnection(
                chunks, TextFramer(self.settings.max_frame), _Ended(process, said), _Input(process).send
            )


class _Said(Chunks):
    """The lines that a command writes on its standard error: for the event log."""

    def __init__(self, told: Chunks) -> None:
        super().__init__()
        self._told = told
        self._framer = LineFramer(STDERR_LINE)
        self._last = ""
        self._all = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self._tell(self._framer.feed(data))

    def connection_lost(self, exc: Exception | None) -> None:
        self._tell(self._framer.end())
        super().connection_lost(exc)
        self._all.set()

    async def last(self) -> str:
        """The last line, once there will be no more, or soon."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SECONDS_TO_SAY):
                await self._all.wait()
        return self._last

    def _tell(self, lines: list[bytes]) -> None:
        for line in (*lines, *(sample for sample, _ in self._framer.take_refused())):
            self._last = printable(line)
            self._told.note(self._last)


@dataclass(frozen=True, slots=True)
class _Ended:
    """Why a command ended, asked once its output has; with what it said last, if it went wrong."""

    process: Process
    said: _Said

    async def __call__(self, _error: Exception | None) -> SourceDown:
        try:
            async with asyncio.timeout(SECONDS_TO_END):
                code = await self.process.wait()
        except TimeoutError:
            return SourceDown("it closed its output")
        if code == 0:
            return SourceDown("ended", normal=True)
        how = f"ended by {_signal_name(-code)}" if code < 0 else f"ended with exit code {code}"
        last = await self.said.last()
        return SourceDown(f"{how}: {last}" if last else how, final=code in NOT_RUNNABLE)


@dataclass(frozen=True, slots=True)
class _Input:
    process: Process

    async def send(self, message: bytes) -> None:
        if self.process.stdin is None:
            return
        try:
            self.process.stdin.write(message)
            await self.process.stdin.drain()
        except OSError as error:
            raise SourceDown(f"it reads nothing more: {printable(os_reason(error))}") from error


def _pipe(stack: contextlib.AsyncExitStack) -> tuple[int, int]:
    """A pipe's ends to read from and to write on; the first is closed at the end of `stack`."""
    read, write = os.pipe()
    stack.callback(os.close, read)
    return read, write


@asynccontextmanager
async def _guarded(group: int) -> AsyncIterator[None]:
    """The process group ends with this process."""
    try:
        guard = await asyncio.create_subprocess_exec(
            SHELL, "-c", GUARD, str(group), stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True
        )
    except OSError as error:
        raise SourceDown(f"{SHELL}: {printable(os_reason(error))}") from error
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            guard.kill()
        await guard.wait()


async def _kill(process: Process) -> None:
    """End the whole process group, and wait for the command's end."""
    _signal(process, signal.SIGTERM)
    waiting = asyncio.ensure_future(process.wait())
    try:
        await asyncio.wait([waiting], timeout=SECONDS_TO_END)
    finally:
        _signal(process, signal.SIGKILL)  # what the command has left behind, too
    await waiting


def _signal(process: Process, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: EPERM where all have ended
        os.killpg(process.pid, number)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
