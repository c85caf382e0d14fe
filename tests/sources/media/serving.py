"""A picture, and a server on this machine that has it and worse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from tuistream.sources.media.opening import MAX_MEDIA

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (640).to_bytes(4, "big") + (480).to_bytes(4, "big") + bytes(40)


@asynccontextmanager
async def server(*, redirect_to: str = "") -> AsyncIterator[tuple[str, list[str]]]:
    """A server, and what was asked of it."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.path_qs)
        match request.path:
            case "/a.png":
                return web.Response(body=PNG, content_type="image/png", headers={"Set-Cookie": "a=b"})
            case "/again":
                raise web.HTTPFound("/a.png")
            case "/away":
                raise web.HTTPFound(redirect_to)
            case "/round":
                raise web.HTTPFound("/round")
            case "/text":
                return web.Response(text="no picture at all, but long enough to be looked at")
            case "/mjpeg":
                return web.Response(body=b"--x", headers={"Content-Type": "multipart/x-mixed-replace; boundary=x"})
            case "/zipped":
                response = web.Response(body=PNG)
                response.enable_compression(web.ContentCoding.gzip)
                return response
            case "/declared":
                return web.Response(body=b"", headers={"Content-Length": str(MAX_MEDIA + 1)})
        if request.path not in ("/endless", "/slow"):
            raise web.HTTPNotFound
        stream = web.StreamResponse()
        await stream.prepare(request)
        while request.path == "/endless":
            await stream.write(PNG * 10_000)
        await asyncio.sleep(60)
        return stream

    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0.1)  # type: ignore[arg-type]
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        yield f"http://127.0.0.1:{port}", asked
    finally:
        await runner.cleanup()
