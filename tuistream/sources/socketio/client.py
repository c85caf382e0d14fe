"""Connections to a Socket.IO server, whichever version of the protocol it speaks."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tuistream.core.errors import SourceDown
from tuistream.sources.contract import FeedSettings
from tuistream.sources.socketio.engine import Engine, OtherVersion
from tuistream.sources.socketio.http import Http
from tuistream.sources.socketio.options import Options


class SocketIoSource:
    """Where and how to connect. Once a server's version of Engine.IO is known, it is tried first the next time."""

    def __init__(self, settings: FeedSettings, options: Options) -> None:
        self._settings = settings
        self._options = options
        self._version = options.version

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[EventConnection]:
        """One connection, joined and with its events emitted. Raises SourceDown where it cannot be made."""
        async with Http(self._settings).opened() as http:
            engine = await self._opened(http)
            try:
                for emit in self._options.emits:
                    await engine.emit(emit.name, emit.arguments)
                yield EventConnection(engine)
            finally:
                await engine.close()

    async def _opened(self, http: Http) -> Engine:
        """An open engine of the version that the server speaks: the one known, else 4, else 3."""
        version, self._version = self._version, self._options.version
        for each in (version,) if version else (4, 3):
            engine = _engine(each)(http, self._settings, self._options)
            try:
                await engine.open()
            except OtherVersion as other:
                await engine.close()
                if each == 4 and not version:
                    continue
                raise other.down from other
            except BaseException:
                await engine.close()
                raise
            self._version = each
            return engine
        raise AssertionError("a version is neither 4 nor 3")


class EventConnection:
    """An open connection. Each event is one frame: the JSON text of a list, its name and then its arguments."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def read(self) -> Sequence[bytes]:
        """All events that have come since the last read, oldest first; waits for one. SourceDown at the end."""
        return await self._engine.inbox.read()

    def rest(self) -> Sequence[bytes]:
        """The events that have come and were not read yet."""
        return self._engine.inbox.rest()

    async def send(self, message: str) -> None:
        """Emit an event: `["name", argument …]`, or the event "message" with any other text. Raises SourceDown."""
        if self._engine.inbox.down is not None:
            raise SourceDown(str(self._engine.inbox.down))
        name, *arguments = _event(message)
        await self._engine.emit(name, arguments)


def _event(message: str) -> list[Any]:
    try:
        event = json.loads(message)
    except (ValueError, RecursionError):
        event = None
    if isinstance(event, list) and event and isinstance(event[0], str):
        return event
    return ["message", message]


def _engine(version: int) -> type[Engine]:
    if version == 3:
        from tuistream.sources.socketio.engine3 import Engine3

        return Engine3
    from tuistream.sources.socketio.engine4 import Engine4

    return Engine4
