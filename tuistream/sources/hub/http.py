"""What a hub answers over HTTP: messages in requests, counters, and which web pages may ask."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import math
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from aiohttp import hdrs, web
from aiohttp.web_protocol import RequestHandler, RequestPayloadError

from tuistream.decoders.hub import Cause
from tuistream.framers.json_body import cut, position
from tuistream.sources.hub import metrics
from tuistream.sources.hub.auth import own_host
from tuistream.sources.hub.intake import Listener, Sender, room
from tuistream.sources.hub.limits import Allowance

BODY_SECONDS: Final = 60.0  # for the whole of a body to come
TAKEN_AT_ONCE: Final = 1_000  # messages of a body between which other senders have their turn
REFUSALS_TOLD: Final = 20  # in an answer; further ones are only counted
RATES_KEPT: Final = 10_000  # addresses whose rate is remembered
IDLE_SECONDS: Final = 75.0  # for the head of a request to come, from the connection or the last answer
LINGER_SECONDS: Final = 2.0  # in which the rest of a refused body is read, so that its sender sees why
NO_PLACE: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: application/json\r\n"
    b'Content-Length: 65\r\n\r\n{"accepted": 0, "error": "too many connections, or not allowed"}\n'
)
METHODS: Final = "POST, OPTIONS, HEAD, GET"

# What the old hub answered to everything, with no body.
OLD_HEADERS: Final = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", METHODS),
    ("Access-Control-Allow-Headers", "X-Requested-With"),
    ("Access-Control-Allow-Headers", "Content-Type"),
    ("Content-Type", "application/json"),
)


class NotTaken(Exception):
    """The request as a whole is refused. Says so to the event log, unless it is no sender's (`cause` None)."""

    def __init__(
        self, status: int, reason: str, cause: Cause | None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.cause = cause
        self.headers = headers or {}


class HttpServer(web.Server):
    """The protocol of each connection: admits its sender, and has the hub answer its requests.

    fail: told what went wrong inside, which ends the program.
    """

    def __init__(self, hub: HttpHub, fail: Callable[[BaseException], None]) -> None:
        super().__init__(
            self._handle,
            keepalive_timeout=IDLE_SECONDS,
            lingering_time=LINGER_SECONDS,
            auto_decompress=False,
            access_log=None,
            logger=logging.Logger("listen", logging.CRITICAL),  # that a port scanner came is no news
        )
        self._hub = hub
        self._fail = fail
        self._senders: dict[RequestHandler, tuple[Sender, bool]] = {}

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        address, port = transport.get_extra_info("peername")[:2]
        sender = self._hub.listener.admit(address, port, partial(self._evict, handler, transport))
        if sender is None:
            transport.write(NO_PLACE)
            transport.close()
            return
        sender.allowance = self._hub.rate_of(address)
        self._senders[handler] = sender, sender.trusted

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        sender, _ = self._senders.pop(handler, (None, False))
        if sender is not None:
            self._hub.listener.release(sender)

    def _evict(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        self._senders.pop(handler, None)
        transport.abort()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        sender, trusted = self._senders.get(request.protocol, (None, False))
        if sender is None:  # it has just given way to another
            raise ConnectionResetError
        sender.trusted = trusted  # a proxy sends the requests of several over one connection
        try:
            return await self._hub.answer(request, sender)
        except Exception as error:
            self._fail(error)
            raise


class HttpHub:
    """Answers the requests of one listener's senders. `reading` is clear while the program is suspended."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.reading = asyncio.Event()
        self.reading.set()
        self._rates: OrderedDict[str, Allowance] = OrderedDict()

    def rate_of(self, address: str) -> Allowance:
        """What all connections of an address have left together: over HTTP many a message has one of its own."""
        allowance = self._rates.pop(address, None) or Allowance(self.listener.limits.rate)
        self._rates[address] = allowance
        while len(self._rates) > RATES_KEPT:
            self._rates.popitem(last=False)
        return allowance

    async def answer(self, request: web.BaseRequest, sender: Sender) -> web.Response:
        """The answer to a request. sender: its connection, trusted only where its address is."""
        origin = request.headers.get(hdrs.ORIGIN)
        compat = self.listener.options.compat_200
        try:
            response = await self._answer(request, sender, origin)
        except NotTaken as refusal:
            if refusal.cause is not None:
                self.listener.refuse(sender, refusal.cause, str(refusal))
            response = _json({"accepted": 0, "error": str(refusal)}, refusal.status)
            response.headers.extend(refusal.headers)
            if refusal.cause is Cause.ORIGIN:
                origin = None  # that page is not even told why
        if compat and request.path not in ("/healthz", "/metrics"):
            response = web.Response(reason="ok", headers=OLD_HEADERS)
        elif origin is not None:
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = "*"
        if not request.can_read_body or request.content.at_eof():
            return response
        response.force_close()  # what is left of the body is not read
        return response

    async def _answer(self, request: web.BaseRequest, sender: Sender, origin: str | None) -> web.Response:
        if request.method in ("GET", "HEAD"):
            return self._page(request, sender)
        if not self.listener.auth.allows_origin(origin):
            reason = f"a web page of {origin}; a password or --no-auth allows it"
            raise NotTaken(403, reason, Cause.ORIGIN)
        if request.method == "OPTIONS":
            return _preflight(request)
        if request.method != "POST":
            raise NotTaken(405, f"{request.method}: a message comes by POST", Cause.PROTOCOL, {"Allow": METHODS})
        self._log_in(request, sender)
        body = await self._body(request)
        await self.reading.wait()
        await room(self.listener.intake)
        if (wait := sender.allowance.spend(0, asyncio.get_running_loop().time())) > 0:
            self.listener.counters.slowed += 1
            retry = {"Retry-After": str(math.ceil(wait))}
            raise NotTaken(
                429, f"over the rate of {self.listener.limits.rate:,} messages/s (--max-rate)", Cause.RATE, retry
            )
        return await self._take(body, sender)

    @property
    def _local(self) -> bool:
        address = self.listener.address
        return address is not None and ipaddress.ip_address(address.host.partition("%")[0]).is_loopback

    def _page(self, request: web.BaseRequest, sender: Sender) -> web.Response:
        if request.path == "/healthz":
            return _json({"status": "ok"})
        if request.path != "/metrics":
            raise NotTaken(405, "a message comes by POST; counters are at /metrics", None, {"Allow": METHODS})
        login = request.headers.get(hdrs.AUTHORIZATION, "")
        if not (sender.trusted or self.listener.auth.matches_header(login)):
            raise NotTaken(401, "a password is wanted in Authorization", None, {"WWW-Authenticate": "Bearer"})
        if not self.listener.auth.needs_password and self._local and not own_host(request.headers.get(hdrs.HOST, "")):
            # A page whose name was made to mean this machine's address reads as if it were ours.
            raise NotTaken(403, "counters are told to those who ask by an address or by localhost", None)
        text = metrics.render(self.listener.intake.session, self.listener.intake.listeners)
        return web.Response(body=text.encode(), headers={"Content-Type": metrics.CONTENT_TYPE})

    def _log_in(self, request: web.BaseRequest, sender: Sender) -> None:
        login = request.headers.get(hdrs.AUTHORIZATION)
        if login is not None and not self.listener.log_in(sender, login):
            raise NotTaken(401, "a wrong password in Authorization", Cause.PASSWORD, {"WWW-Authenticate": "Bearer"})

    async def _body(self, request: web.BaseRequest) -> bytes:
        """The body, within the limits. Raises NotTaken."""
        listener = self.listener
        limit = listener.limits.frame
        declared = request.content_length or 0
        if request.headers.get(hdrs.CONTENT_ENCODING, "identity") != "identity":
            raise NotTaken(415, "bodies are taken as they are, not compressed", Cause.PROTOCOL)
        if declared > limit:
            raise NotTaken(413, f"a body of {declared:,} bytes is {listener.over_limit('frame')}", Cause.TOO_BIG)
        if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue" and request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if request.content.is_eof():  # it came with the head, as most do
            body = request.content.read_nowait()
            if len(body) > limit:
                raise NotTaken(413, f"a body {listener.over_limit('frame')}", Cause.TOO_BIG)
            return body
        return await self._rest_of(request, limit)

    async def _rest_of(self, request: web.BaseRequest, limit: int) -> bytes:
        """The body of a request that is still coming. Raises NotTaken."""
        listener = self.listener
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while chunk := await request.content.readany():
                    chunks.append(chunk)
                    size += len(chunk)
                    listener.counters.pending += len(chunk)
                    if size > limit:
                        raise NotTaken(413, f"a body {listener.over_limit('frame')}", Cause.TOO_BIG)
                    if listener.counters.pending > listener.limits.pending:
                        raise NotTaken(503, "too much is being received (--max-pending)", Cause.PENDING)
        except TimeoutError:
            raise NotTaken(408, f"a body not whole within {BODY_SECONDS:g} s", Cause.MALFORMED) from None
        except (ConnectionError, RequestPayloadError) as error:
            # Whoever hung up will not read this; the count and the event log will have it.
            raise NotTaken(400, f"a body cut short after {size:,} bytes", Cause.MALFORMED) from error
        finally:
            listener.counters.pending -= size
        return b"".join(chunks)

    async def _take(self, body: bytes, sender: Sender) -> web.Response:
        messages = cut(body)
        if not messages:
            raise NotTaken(400, "an empty body", Cause.MALFORMED)
        accepted = refusals = 0
        told: list[dict[str, Any]] = []
        causes: set[Cause] = set()
        for start in range(0, len(messages), TAKEN_AT_ONCE):
            if start:
                await asyncio.sleep(0)
            await self.reading.wait()
            await room(self.listener.intake)
            outcome = self.listener.take(sender, messages[start : start + TAKEN_AT_ONCE])
            accepted += outcome.accepted
            refusals += outcome.refusals
            causes.update(each.cause for each in outcome.refused)
            for each in outcome.refused[: REFUSALS_TOLD - len(told)]:
                at = start + each.at
                told.append({"message": at + 1, "position": position(body, messages, at), "reason": each.reason})
        sender.allowance.spend(len(messages), asyncio.get_running_loop().time())
        return _refused(accepted, refusals, told, causes) if refusals else _json({"accepted": accepted})


def _refused(accepted: int, refusals: int, told: Sequence[Mapping[str, Any]], causes: set[Cause]) -> web.Response:
    first = told[0]
    error = f"message {first['message']}, at byte {first['position']}: {first['reason']}"
    unknown = Cause.PASSWORD in causes
    answer = {"accepted": accepted, "refused": refusals, "error": error, "refusals": told}
    response = _json(answer, 401 if unknown else 400)
    if unknown:
        response.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    return response


def _json(answer: Mapping[str, Any], status: int = 200) -> web.Response:
    return web.Response(
        body=json.dumps(answer).encode() + b"\n", status=status, headers={"Content-Type": "application/json"}
    )


def _preflight(request: web.BaseRequest) -> web.Response:
    """To a browser that asks whether it may POST, for a page that may."""
    headers: dict[str, str] = {
        hdrs.ACCESS_CONTROL_ALLOW_METHODS: METHODS,
        hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "X-Requested-With, Content-Type, Authorization",
        hdrs.ACCESS_CONTROL_MAX_AGE: "600",
    }
    if "Access-Control-Request-Private-Network" in request.headers:
        headers["Access-Control-Allow-Private-Network"] = "true"
    return web.Response(headers=headers)
