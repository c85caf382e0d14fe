"""`http://` and `https://`: server-sent events, JSON or CSV as it comes; with `?every=1s` an answer again and again.

Over aiohttp (the extra `http`), which the hub and Socket.IO use too; what we need of it is a stream of bytes.
"""

from __future__ import annotations

import asyncio
import importlib.util
import re
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from tuistream import __version__
from tuistream.core.durations import parse_duration
from tuistream.core.errors import SettingsError, SourceDown
from tuistream.core.frames import Read
from tuistream.core.text import printable, redact_url, secrets_of, without
from tuistream.framers.contract import Framer
from tuistream.framers.sse import EventFramer
from tuistream.framers.text import DocumentFramer, TextFramer
from tuistream.sources.contract import FeedSettings, Target
from tuistream.sources.one_way import OneWay
from tuistream.sources.reasons import os_reason
from tuistream.sources.urls import checked

if TYPE_CHECKING:
    import aiohttp

OPEN_TIMEOUT: Final = 10.0
MOST_OFTEN: Final = 50_000_000  # ns between requests
MAX_REDIRECTS: Final = 5
REDIRECTS: Final = (301, 302, 303, 307, 308)
FINAL_STATUS: Final = (400, 401, 403, 404, 405, 410)
NO_CONTENT: Final = 204  # to an EventSource: do not come again
LONGEST_AWAY: Final = 3_600.0
EVENTS: Final = "text/event-stream"
ACCEPT: Final = f"{EVENTS}, application/x-ndjson, application/json, text/csv, */*;q=0.5"

_EVERY = re.compile(r"([?&])every=([^&#]*)(&?)")


def parse(target: str) -> Target:
    """A URL; `every=TIME` among its query is ours, and not sent. Raises SettingsError."""
    url, address, path = checked(target)
    if "#" in url:
        raise SettingsError(f"{redact_url(url)}: what is behind a # is never sent")
    _parts(url)
    return Target(url, printable(address + path.rstrip("/"), 60), "lines", secrets=tuple(secrets_of(url)))


def source(settings: FeedSettings) -> HttpSource:
    if importlib.util.find_spec("aiohttp") is None:
        raise SettingsError(f"{settings.shown_url}: aiohttp is needed: pip install 'tuistream[http]'")
    if settings.send:
        raise SettingsError("--send: an HTTP feed is only asked for (GET), nothing is sent to it")
    return HttpSource(settings)


def _parts(url: str) -> tuple[str, int]:
    """The URL to ask for, and every how many ns; 0 for a stream. Raises SettingsError."""
    found = _EVERY.search(url)
    if found is None:
        return url, 0
    every = parse_duration(found[2], "every=")
    if every < MOST_OFTEN:
        raise SettingsError(f"every={printable(found[2])}: at least {MOST_OFTEN // 1_000_000}ms")
    return url[: found.start()] + (found[1] if found[3] else "") + url[found.end() :], every


class HttpSource:
    """Asks for one URL. The newest id of an event stream goes with the next connect, as its standard wants."""

    def __init__(self, settings: FeedSettings) -> None:
        self.settings = settings
        self.url, self.every = _parts(settings.url)
        self.last_id = ""

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Polled | Streamed]:
        """Raises SourceDown where there is no answer, or not a good one."""
        async with self._session() as session:
            if self.every:
                yield Polled(self, session)
                return
            response = await self.ask(session)
            try:
                yield Streamed(self, response)
            finally:
                response.close()

    @asynccontextmanager
    async def answer(self) -> AsyncIterator[aiohttp.ClientResponse]:
        """A good answer, of which the body is still to be read. Raises SourceDown where there is none."""
        async with self._session() as session:
            response = await self.ask(session)
            try:
                yield response
            finally:
                response.close()

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[aiohttp.ClientSession]:
        import aiohttp

        connector = aiohttp.TCPConnector(ssl=tls) if (tls := self._tls()) else aiohttp.TCPConnector()
        async with aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=OPEN_TIMEOUT),
            headers={"User-Agent": f"tuistream/{__version__}", "Accept": ACCEPT},
        ) as session:
            yield session

    async def ask(self, session: aiohttp.ClientSession) -> aiohttp.ClientResponse:
        """A good answer, of which the body is still to be read."""
        url, headers = self.url, list(self.settings.headers)
        if self.last_id:
            headers.append(("Last-Event-ID", self.last_id))
        for _ in range(MAX_REDIRECTS + 1):
            try:
                async with asyncio.timeout(OPEN_TIMEOUT):
                    response = await session.get(url, headers=headers, allow_redirects=False)
            except Exception as error:
                raise self.down(error) from error
            if response.status not in REDIRECTS or "Location" not in response.headers:
                return self._good(response)
            response.close()
            url = self._redirected(url, urljoin(url, response.headers["Location"]))
        raise SourceDown(f"more than {MAX_REDIRECTS} redirects", final=True)

    def _good(self, response: aiohttp.ClientResponse) -> aiohttp.ClientResponse:
        if response.status == NO_CONTENT and not self.every:
            response.close()
            raise SourceDown("204: the producer has no more", normal=True, over=True)
        if response.ok:
            return response
        response.close()
        text = f"refused: HTTP {response.status} {response.reason or ''}".strip()
        wait = response.headers.get("Retry-After", "")
        raise SourceDown(
            self.shown(text),
            final=response.status in FINAL_STATUS,
            retry_after=min(float(wait), LONGEST_AWAY) if wait.isascii() and wait.isdigit() else None,
        )

    def _redirected(self, url: str, to: str) -> str:
        """Where to ask next. What the user gave for one host goes to no other, and nothing secret without TLS."""
        old, new = urlsplit(url), urlsplit(to)
        same = (new.hostname, new.port) == (old.hostname, old.port) and (
            new.scheme == "https" or old.scheme == "http"
        )
        ours = self.settings.headers or self.settings.secrets
        if new.scheme not in ("http", "https") or (ours and not same):
            raise SourceDown(self.shown(f"redirected to {redact_url(to)}: if that is right, use it"), final=True)
        return to

    def down(self, error: Exception) -> SourceDown:
        """What went wrong, as our error. Raises what is none of the network's."""
        import aiohttp

        if isinstance(error, TimeoutError):
            return SourceDown(f"no answer within {OPEN_TIMEOUT:g} s")
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            certificate = error.certificate_error
            return SourceDown(
                self.shown(f"certificate refused: {getattr(certificate, 'verify_message', certificate)}")
            )
        if isinstance(error, aiohttp.ClientConnectorError):
            return SourceDown(self.shown(os_reason(error.os_error)))
        if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError):
            return SourceDown("connection lost")
        if isinstance(error, aiohttp.ClientError | OSError | ValueError):
            reason = os_reason(error) if isinstance(error, OSError) else str(error) or type(error).__name__
            return SourceDown(self.shown(reason))
        raise error

    def shown(self, text: str) -> str:
        return printable(without(text, list(self.settings.secrets)))

    def _tls(self) -> ssl.SSLContext | None:
        ca_file = self.settings.ca_file
        try:
            return ssl.create_default_context(cafile=ca_file) if ca_file else None
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(f"--ca-file {ca_file}: {error}") from error


class Streamed(OneWay):
    """An answer that comes as it is made."""

    def __init__(self, source: HttpSource, response: aiohttp.ClientResponse) -> None:
        self._source = source
        self._response = response
        limit = source.settings.max_frame
        self._events = EventFramer(limit) if response.content_type == EVENTS else None
        whole = response.content_length is not None
        self._framer: Framer = self._events or (DocumentFramer(limit) if whole else TextFramer(limit))
        self._read_at = 0.0

    async def reads(self) -> list[Read]:
        """The frames that have come, waits for one. SourceDown at the end."""
        while True:
            data = await self._chunk()
            frames = self._framer.feed(data) if data else self._framer.end()
            if self._events is not None:
                self._source.last_id = self._events.last_id
            if (refused := self._framer.take_refused()) or frames:
                return [Read(time.time_ns(), frames, refused)]
            if not data:
                raise self._ended()

    async def _chunk(self) -> bytes:
        """What has come; b"" at the end. Where little comes often, after a pause in which more does."""
        content, coalesce = self._response.content, self._source.settings.coalesce / 1e9
        now = time.monotonic()
        if coalesce and now - self._read_at < coalesce / 2:
            await asyncio.sleep(coalesce)
        self._read_at = time.monotonic()
        try:
            return await content.readany()
        except Exception as error:
            raise self._source.down(error) from error

    def _ended(self) -> SourceDown:
        if self._events is None:
            return SourceDown("the answer has ended; with ?every=1s it is asked for again and again", normal=True)
        retry = self._events.retry
        return SourceDown("closed by the producer", normal=True, retry_after=retry / 1e3 if retry else None)


class Polled(OneWay):
    """An answer every so often, each a whole document."""

    def __init__(self, source: HttpSource, session: aiohttp.ClientSession) -> None:
        self._source = source
        self._session = session
        self._next = time.monotonic()

    async def reads(self) -> list[Read]:
        """The frames of the next answer that holds one. SourceDown where there is none, or not a good one."""
        while True:
            await asyncio.sleep(max(0.0, self._next - time.monotonic()))
            self._next = max(self._next + self._source.every / 1e9, time.monotonic())
            response = await self._source.ask(self._session)
            try:
                body = await self._body(response)
            except Exception as error:
                raise self._source.down(error) from error
            finally:
                response.close()
            framer = DocumentFramer(self._source.settings.max_frame)
            frames = framer.feed(body) + framer.end()
            if (refused := framer.take_refused()) or frames:
                return [Read(time.time_ns(), frames, refused)]

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        """As much of it as may be."""
        body = bytearray()
        async with asyncio.timeout(OPEN_TIMEOUT):
            while len(body) <= self._source.settings.max_frame and (data := await response.content.readany()):
                body += data
        return bytes(body)
