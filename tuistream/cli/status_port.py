"""`--status-port`: /healthz and /metrics over HTTP, for one's own monitoring.

A few lines of asyncio, not a web framework: a recorder should stay as small as it is, and two pages that are asked
for by GET need none. Whoever connects gets one answer, within a bound on his bytes, his time and his number.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Final, NamedTuple

from tuistream.config import Place
from tuistream.core.errors import SettingsError, TuistreamError
from tuistream.core.metrics import CONTENT_TYPE, family, of_recording, of_session
from tuistream.core.text import printable
from tuistream.sources.hub.auth import own_host
from tuistream.wiring import Run

HEAD_BYTES: Final = 8_192  # of a request, at most
ASK_SECONDS: Final = 5.0  # in which a request has come and its answer has been taken
ASKERS: Final = 16  # at once
STATM: Final = Path("/proc/self/statm")
OPEN_FILES: Final = Path("/dev/fd")


class Answer(NamedTuple):
    status: HTTPStatus
    content_type: str
    body: str


@asynccontextmanager
async def serving(
    place: Place, no_auth: bool, answer: Callable[[str], Answer | None], patience: float = ASK_SECONDS
) -> AsyncIterator[str]:
    """Answer GET requests for as long as the block lasts; yields the URL. answer: by path; None for one that is not.

    Raises SettingsError where others could ask and `no_auth` is not set, TuistreamError where it cannot listen.
    """
    bound = await _bound(place, no_auth)
    host, port = bound.getsockname()[:2]
    asking = _Asking(answer, patience, local_only=ipaddress.ip_address(host).is_loopback)
    server = await asyncio.start_server(asking.serve, sock=bound, limit=HEAD_BYTES)
    try:
        yield f"http://{f'[{host}]' if ':' in host else host}:{port}"
    finally:
        server.close()
        asking.end()


async def _bound(place: Place, no_auth: bool) -> socket.socket:
    shown = f"--status-port {printable(place.host)}:{place.port}"
    try:
        found = await asyncio.get_running_loop().getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SettingsError(f"{shown}: {printable(str(reason))}") from error
    family_, _, _, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
    if not (no_auth or ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback):
        raise SettingsError(f"{shown}: whoever can reach it could read the counters; --no-auth allows it")
    try:
        return socket.create_server(address[:2], family=family_)
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else printable(str(error))
        raise TuistreamError(f"{shown}: cannot listen: {reason}") from error


class _Asking:
    """Those who are asking now. local_only: a web page whose name was made to mean this machine gets no answer."""

    def __init__(self, answer: Callable[[str], Answer | None], patience: float, *, local_only: bool) -> None:
        self._answer = answer
        self._patience = patience
        self._local_only = local_only
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._writers) >= ASKERS:
            writer.transport.abort()
            return
        self._writers.add(writer)
        try:
            async with asyncio.timeout(self._patience):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._respond(head))
                writer.close()
                await writer.wait_closed()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asks like that is not owed an answer
        finally:
            writer.transport.abort()
            self._writers.discard(writer)

    def end(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    def _respond(self, head: bytes) -> bytes:
        lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            return _response(_refusal(HTTPStatus.BAD_REQUEST))
        method, target, _ = words
        if method not in ("GET", "HEAD"):
            return _response(_refusal(HTTPStatus.METHOD_NOT_ALLOWED), "Allow: GET, HEAD\r\n")
        named = [line.partition(":")[2].strip() for line in lines[1:] if line.lower().startswith("host:")]
        if self._local_only and named and not own_host(named[0]):
            return _response(_refusal(HTTPStatus.FORBIDDEN))
        answer = self._answer(target.partition("?")[0]) or _refusal(HTTPStatus.NOT_FOUND)
        return _response(answer, with_body=method == "GET")


def _refusal(status: HTTPStatus) -> Answer:
    return Answer(status, "text/plain; charset=utf-8", f"{status.phrase}; there are /healthz and /metrics\n")


def _response(answer: Answer, headers: str = "", *, with_body: bool = True) -> bytes:
    body = answer.body.encode(errors="replace")
    head = (
        f"HTTP/1.1 {answer.status.value} {answer.status.phrase}\r\nContent-Type: {answer.content_type}\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n{headers}\r\n"
    )
    return head.encode("ascii") + (body if with_body else b"")


def page(run: Run, reasons: Callable[[], list[str]], path: str) -> Answer | None:
    """What is at `path`. reasons: why the run is not well, at the moment."""
    if path == "/healthz":
        wrong = reasons()
        status = HTTPStatus.SERVICE_UNAVAILABLE if wrong else HTTPStatus.OK
        told = {"status": "failing" if wrong else "ok", "reasons": wrong}
        return Answer(status, "application/json", json.dumps(told) + "\n")
    if path != "/metrics":
        return None
    parts = [of_session(run.session), of_recording(run.recording()), of_process()]
    if run.intake is not None:
        from tuistream.sources.hub.metrics import of_listeners

        parts.append(of_listeners(run.intake.listeners))
    return Answer(HTTPStatus.OK, CONTENT_TYPE, "".join(parts))


def of_process() -> str:
    """Memory and open files of this process, as far as the system tells, by the names that Prometheus gives them."""
    parts: list[str] = []
    with contextlib.suppress(OSError):
        pages = int(STATM.read_text().split()[1])
        resident = [((), float(pages * os.sysconf("SC_PAGE_SIZE")))]
        parts.append(family("process_resident_memory_bytes", "gauge", "Memory in use.", resident, prefix=""))
    with contextlib.suppress(OSError):
        files = [((), float(sum(1 for _ in OPEN_FILES.iterdir()) - 1))]
        parts.append(family("process_open_fds", "gauge", "Open files and sockets.", files, prefix=""))
    seconds = [((), sum(os.times()[:2]))]
    parts.append(family("process_cpu_seconds_total", "counter", "Processor time used.", seconds, prefix=""))
    return "".join(parts)
