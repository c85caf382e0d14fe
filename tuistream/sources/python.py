"""`python:module:function`, `python:file.py:function`: what the user's own generator yields, plain or async."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tuistream import generators
from tuistream.core.errors import SettingsError, SourceDown
from tuistream.core.frames import Read
from tuistream.core.inbox import Inbox
from tuistream.core.text import printable
from tuistream.sources.contract import FeedSettings, Target


def parse(target: str) -> Target:
    """A module or a file, and a function in it; nothing is imported yet. Raises SettingsError."""
    target = generators.BEGINS + target[len(generators.BEGINS) :]
    return Target(target, printable(generators.split(target)[1], 60))


def source(settings: FeedSettings) -> Generator:
    if settings.send:
        raise SettingsError("--send: nothing can be sent to a generator")
    return Generator(generators.load(settings.url))


@dataclass(frozen=True, slots=True)
class Generator:
    """Calls the function anew with each connect. The generator's end is the feed's; after an exception it is tried
    again.
    """

    function: generators.Function

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[GeneratorConnection]:
        """Raises SourceDown where the function fails, or makes no generator."""
        async with generators.running(self.function) as inbox:
            yield GeneratorConnection(inbox)


class GeneratorConnection:
    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def reads(self) -> list[Read]:
        """What was yielded, oldest first; waits for some. SourceDown at the end, and where the generator fails."""
        try:
            reads = await self._inbox.take()
        except Exception as error:
            raise SourceDown(generators.reason(error)) from error
        if not reads:
            raise SourceDown("the generator has ended", normal=True, over=True)
        return reads

    def rest_reads(self) -> list[Read]:
        return self._inbox.rest()

    async def read(self) -> Sequence[bytes]:
        return [frame for read in await self.reads() for frame in read.frames]

    def rest(self) -> Sequence[bytes]:
        return [frame for read in self.rest_reads() for frame in read.frames]

    async def send(self, message: str) -> None:
        """Nothing can be sent to a generator."""
