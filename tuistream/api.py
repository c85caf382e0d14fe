"""A hub and a feed inside a program of one's own, on its own event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from msgspec.structs import replace

from tuistream.config import FeedOptions, FeedSettings, Settings, feed_settings
from tuistream.core.batch import Batch, StreamKey
from tuistream.core.errors import SettingsError, SourceDown
from tuistream.core.limits import WINDOW
from tuistream.core.outbox import Outbox
from tuistream.core.session import Session, StreamState
from tuistream.core.status import FeedStatus
from tuistream.sources.hub.intake import Address
from tuistream.sources.hub.limits import HubLimits
from tuistream.sources.hub.options import HubOptions
from tuistream.wiring import Run, running

TAKEN_AT_ONCE: Final = 10_000  # ticks that an iteration takes out of the queue


class Batches:
    """The batches of a run from now on, each once and in order. Ends when the run has, and nothing is left.

    What waits is bounded (PENDING_ROWS ticks of core/outbox.py): whoever iterates too slowly has the senders slowed
    down, and loses nothing. It takes part in the run until it is closed, or forgotten.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._outbox = Outbox("iteration")
        self._waiting: deque[Batch] = deque()
        run.session.outboxes.append(self._outbox)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch:
        """Raises SourceDown where the run ended as a feed failed."""
        while not self._waiting:
            self._waiting.extend(each for each in self._outbox.take(TAKEN_AT_ONCE) if isinstance(each, Batch))
            if not self._waiting:
                if self._run.ended.is_set():
                    self.close()
                    for status in self._run.failed:
                        raise SourceDown(f"{status.name}: {status.reason}", final=True)
                    raise StopAsyncIteration
                await self._more()
        return self._waiting.popleft()

    def close(self) -> None:
        """Take no more part in the run."""
        self._outbox.close()
        if self._outbox in self._run.session.outboxes:
            self._run.session.outboxes.remove(self._outbox)

    def __del__(self) -> None:
        self.close()

    async def _more(self) -> None:
        ended = asyncio.ensure_future(self._run.ended.wait())
        woken = asyncio.ensure_future(self._outbox.wake.wait())
        try:
            await asyncio.wait((ended, woken), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            woken.cancel()


class _Running:
    """A run for as long as an `async with` block lasts. A single error comes out as it is, not in a group."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._run: Run | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            async with AsyncExitStack() as stack:
                needed = self._settings.db is not None
                self._run = await stack.enter_async_context(running(self._settings, recording_needed=needed))
                await self._begun(self._run)
                self._stack = stack.pop_all()
        except ExceptionGroup as errors:
            raise _plain(errors) from errors
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self._stack.__aexit__(kind, error, traceback)
        except ExceptionGroup as errors:
            plain = _plain(errors)
            if plain is not error:
                raise plain from errors

    async def _begun(self, run: Run) -> None:
        """Before the block begins; nothing has been received yet."""

    @property
    def run(self) -> Run:
        if self._run is None:
            raise RuntimeError(f"{type(self).__name__}: to be used in its `async with` block")
        return self._run

    @property
    def session(self) -> Session:
        """Everything that has come: series, texts and pictures (`boards`), events, gaps."""
        return self.run.session

    @property
    def streams(self) -> Mapping[StreamKey, StreamState]:
        """By feed, name and kind; the newest ticks of each are in its `series`."""
        return self.run.session.streams


class Feed(_Running):
    """One feed, read in the caller's program: `async with Feed(url) as feed: async for batch in feed`.

    A batch is what one read gave of one stream: `batch.stream` (its name, kind and fields), `batch.t` and
    `batch.recv` (int64[n], ns since 1970 UTC, of the event and of its receipt) and `batch.v` (float64[n, fields]).
    Lost connections are retried as `tuistream record` does; the iteration ends when the feed has ended for good, and
    raises SourceDown where it failed. It must iterate: a feed that nobody reads is held back.
    """

    def __init__(
        self,
        target: str,
        *,
        send: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
        bearer: str = "",
        basic: str = "",
        subprotocols: Sequence[str] = (),
        ca_file: str = "",
        decoder: str = "",
        time_field: str = "",
        fields: Sequence[str] = (),
        key: str = "",
        id: str = "",  # noqa: A002
        base_url: str = "",
        retries: int | None = None,
        limit: int | None = None,
        window: int = WINDOW,
        db: str | Path | None = None,
    ) -> None:
        """target: a URL or a short name, as on the command line; the options are those of `tuistream record`.

        retries: failures in a row after which it ends, None for no end. limit: ticks after which it ends. window:
        ticks that `streams` keeps of each stream. db: a file to record into. Raises SettingsError.
        """
        options = FeedOptions(
            send=tuple(send),
            headers=tuple(f"{name}: {value}" for name, value in (headers or {}).items()),
            bearer=bearer,
            basic=basic,
            subprotocols=tuple(subprotocols),
            ca_file=ca_file,
            decoder=decoder,
            time_field=time_field,
            fields=",".join(fields),
            key=key,
            id=id,
            base_url=base_url,
        )
        feeds = feed_settings([target], options)
        super().__init__(Settings(feeds, _path(db), retries=retries, limit=limit, window=window))

    async def _begun(self, run: Run) -> None:
        self._batches = Batches(run)

    def __aiter__(self) -> AsyncIterator[Batch]:
        assert self.run
        return self._batches

    @property
    def status(self) -> FeedStatus:
        """Its state and its counters."""
        return self.run.feeds[0].status


class Hub(_Running):
    """A hub in the caller's program: `async with Hub(tcp=8010) as hub: async for batch in hub`.

    Iterating gives the batches that come from then on (see `Feed`). Who does not iterate looks at `streams` and at
    `session.boards`, which keep the newest.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        tcp: int | None = 8010,
        frames: int | None = None,
        http: int | None = None,
        ws: int | None = None,
        password: str = "",
        allow: Sequence[str] = (),
        no_auth: bool = False,
        tls_cert: str = "",
        tls_key: str = "",
        compat_200: bool = False,
        limits: HubLimits | None = None,
        window: int = WINDOW,
        db: str | Path | None = None,
    ) -> None:
        """tcp, frames, http, ws: the ports to listen on, 0 for a free one, None for none; `addresses` tells them.

        The others are as for `tuistream listen`. db: a file to record into. Raises SettingsError, when entered
        TuistreamError where a port cannot be had.
        """
        options = HubOptions(
            password=password,
            allow=tuple(allow),
            no_auth=no_auth,
            tls_cert=tls_cert,
            tls_key=tls_key,
            compat_200=compat_200,
            limits=limits or HubLimits(),
        )
        super().__init__(
            Settings(tuple(_listeners(host, (tcp, frames, http, ws), options)), _path(db), window=window)
        )

    async def _begun(self, run: Run) -> None:
        assert run.intake is not None
        await run.intake.until_up()

    def __aiter__(self) -> AsyncIterator[Batch]:
        return Batches(self.run)

    @property
    def addresses(self) -> list[Address]:
        """Where it listens."""
        return self.run.intake.addresses if self.run.intake is not None else []


def _listeners(host: str, ports: Sequence[int | None], options: HubOptions) -> Iterator[FeedSettings]:
    ways = [(way, port) for way, port in zip(("tcp", "frames", "http", "ws"), ports, strict=True) if port is not None]
    if not ways:
        raise SettingsError("a hub needs one of tcp, frames, http and ws at least")
    place = f"[{host}]" if ":" in host else host
    secrets = (options.password,) if options.password else ()
    for feed in feed_settings([f"listen+{way}://{place}:{port}" for way, port in ways], FeedOptions()):
        yield replace(feed, hub=options, secrets=secrets)


def _plain(errors: ExceptionGroup[Exception]) -> Exception:
    """The one error that a run put into a group, or into groups of groups; the group itself where there are more."""
    if len(errors.exceptions) > 1:
        return errors
    error = errors.exceptions[0]
    return _plain(error) if isinstance(error, ExceptionGroup) else error


def _path(db: str | Path | None) -> Path | None:
    return None if db is None else Path(db)
