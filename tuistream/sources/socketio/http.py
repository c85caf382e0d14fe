"""HTTP as Socket.IO uses it: one session for a connection, answers of bounded size, errors in our words."""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Final

import aiohttp

from tuistream.core.errors import SettingsError, SourceDown
from tuistream.core.text import printable, without
from tuistream.framers.socketio import said
from tuistream.sources.contract import FeedSettings
from tuistream.sources.reasons import os_reason

OPEN_TIMEOUT: Final = 10.0  # seconds
CLOSE_TIMEOUT: Final = 1.0
FINAL_STATUS = (401, 403, 404)
LONGEST_AWAY: Final = 3600.0  # seconds of a Retry-After that are believed
_CHUNK: Final = 1 << 16
_REFUSAL: Final = 4_000  # bytes of a refusal that are looked at
# python-engineio says "an unsupported version of …", engine.io "Unsupported protocol version".
_OTHER_VERSION = re.compile(r"unsupported (?:protocol )?version", re.IGNORECASE)


class Broken(ValueError):
    """An answer could not be read to its end; the text is the reason. A ValueError, since engineio looks for that."""


class TooBig(Broken):
    """An answer is over the limit."""


class Http:
    """A session, and how its last request went.

    status: 0 before the first answer. refusal: the body of the last answer that was no success. error: None where
    there was an answer.
    """

    def __init__(self, settings: FeedSettings) -> None:
        self.settings = settings
        self.status = 0
        self.reason = ""
        self.refusal = b""
        self.retry_after: float | None = None
        self.error: BaseException | None = None
        self.session: aiohttp.ClientSession

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Http]:
        trace = aiohttp.TraceConfig()
        trace.on_request_end.append(self._answered)
        trace.on_request_exception.append(self._failed)
        tls = self._tls()
        connector = aiohttp.TCPConnector(ssl=tls) if tls else aiohttp.TCPConnector()
        async with aiohttp.ClientSession(
            connector=connector,
            response_class=_bounded(self),
            trace_configs=[trace],
            headers=list(self.settings.headers),
        ) as self.session:
            yield self

    def _tls(self) -> ssl.SSLContext | None:
        ca_file = self.settings.ca_file
        try:
            return ssl.create_default_context(cafile=ca_file) if ca_file else None
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(f"--ca-file {ca_file}: {error}") from error

    async def _answered(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
    ) -> None:
        response = params.response
        self.status, self.reason, self.error = response.status, response.reason or "", None
        self.refusal = b""
        wait = response.headers.get("Retry-After", "")
        self.retry_after = min(float(wait), LONGEST_AWAY) if wait.isascii() and wait.isdigit() else None

    async def _failed(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestExceptionParams
    ) -> None:
        self.error = params.exception

    def shown(self, text: str) -> str:
        """What a server says, as it may be shown."""
        return printable(without(text, list(self.settings.secrets)))

    def refused(self) -> SourceDown:
        """The last answer, which was no success, as an error."""
        text = f"refused: HTTP {self.status} {self.reason}".strip()
        words = self._words_of_refusal()
        if words[:1] not in ("", "<"):  # a page of HTML tells nobody anything
            text = f"{text}: {said(words)}"
        elif self.status == 404:
            text = f"{text}: no Socket.IO at this path"
        return SourceDown(self.shown(text), final=self.status in FINAL_STATUS, retry_after=self.retry_after)

    def is_other_version(self) -> bool:
        """Whether the last answer says that the server speaks another version of Engine.IO."""
        return self.status == 400 and _OTHER_VERSION.search(self._words_of_refusal()) is not None

    def _words_of_refusal(self) -> str:
        return self.refusal[:_REFUSAL].decode("utf-8", "replace").strip()

    def lost(self, error: BaseException | None) -> SourceDown:
        """What went wrong with a connection, as an error."""
        if isinstance(error, TooBig):
            return SourceDown(str(error), too_big=True)
        return SourceDown(self.shown(_words(error)))


def over_limit(limit: int) -> str:
    return f"a message is over the limit of {limit:,} bytes (--max-frame)"


def _words(error: BaseException | None) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        certificate = error.certificate_error
        return f"certificate refused: {getattr(certificate, 'verify_message', certificate)}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return os_reason(error.os_error)
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "connection closed by the server"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError):
        return f"connection lost: {os_reason(error)}"
    return f"connection lost: {error}" if error is not None and str(error) else "connection lost"


def _bounded(http: Http) -> type[aiohttp.ClientResponse]:
    """Answers whose bodies are read as far as --max-frame, unpacked, and no further."""
    limit = http.settings.max_frame

    class BoundedResponse(aiohttp.ClientResponse):
        async def read(self) -> bytes:
            """The body. Raises Broken, TooBig."""
            chunks: list[bytes] = []
            size = 0
            try:
                async for chunk in self.content.iter_chunked(_CHUNK):
                    size += len(chunk)
                    if size > limit:
                        raise TooBig(over_limit(limit))
                    chunks.append(chunk)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                http.error = error
                self.close()
                raise Broken(_words(error)) from error
            except TooBig as error:
                http.error = error
                self.close()
                raise
            self._body = b"".join(chunks)
            if self.status >= 400:
                http.refusal = self._body
            return self._body

    return BoundedResponse
