"""Opens what a message names, within bounds: a regular file of this machine, or what a server answers to one GET.

A video may be over RTSP, too; `player` plays it, but for motion JPEG over HTTP (`multipart/x-mixed-replace`), whose
parts are pictures.

Over aiohttp (the extra `http`), as the feeds of `http://` are.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import stat
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, BinaryIO, Final, TypeVar
from urllib.parse import urljoin

from tuistream import __version__
from tuistream.charts.numbers import compact
from tuistream.core.pictures import picture_of
from tuistream.core.text import printable
from tuistream.sources.media.names import Named, NotOpened, named
from tuistream.sources.media.rules import OPTION, Rules
from tuistream.sources.reasons import os_reason

if TYPE_CHECKING:
    import aiohttp

    from tuistream.core.video import VideoFrame
    from tuistream.sources.media.player import Player

MAX_MEDIA: Final = 16 << 20  # bytes of a picture
MAX_PIXELS: Final = 100_000_000  # that its header may tell
OPEN_SECONDS: Final = 10.0  # for all of it
MAX_REDIRECTS: Final = 3
HEAD: Final = 32  # bytes that tell a picture's format
HTTP: Final = ("http", "https")
REDIRECTS: Final = (301, 302, 303, 307, 308)
# Neither links, devices nor pipes; and never a wait for somebody at the other end of one.
_FLAGS: Final = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
MOVING: Final = "multipart/x-mixed-replace"
RTSP: Final = "rtsp://"
_NEXT_JPEG: Final = b"\xff\xd9\xff\xd8"  # the end of one and the beginning of another
_NO_PICTURE: Final = "it is no picture (PNG, JPEG, GIF, WebP, BMP); a video is one if its sender says so"

T = TypeVar("T")
Show = Callable[["bytes | VideoFrame"], bool]


class Opener:
    """Opens what `rules` allow, and what the user has confirmed."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def may_open(self, name: Named) -> bool:
        """Whether that may be opened without being asked for, as far as its name tells."""
        return self._rules.allow(name)

    async def real(self, name: Named) -> str:
        """The file or the URL that would be opened: of a file its real path. Raises NotOpened where there is none."""
        return await asyncio.to_thread(_real_path, name.name) if name.kind == "file" else name.name

    async def open(self, name: Named, confirmed: str = "") -> bytes:
        """The picture. Raises NotOpened.

        confirmed: what `real` gave and the user has seen, which is then all that may be opened; else patterns decide.
        """
        if not (confirmed or self.may_open(name)):
            raise NotOpened(f"no pattern of {OPTION} allows it")
        if name.kind == "file":
            data = await asyncio.to_thread(_read, name.name, self._allowed(confirmed))
        else:
            try:
                async with asyncio.timeout(OPEN_SECONDS):
                    data = await self._get(name, confirmed, _body)
            except TimeoutError:
                raise NotOpened(f"no whole answer within {OPEN_SECONDS:g} s") from None
        return _checked(data)

    async def play(self, name: Named, confirmed: str, show: Show, wanted: Callable[[], bool]) -> None:
        """Hand one picture or frame after another to `show`, until it says no; a single one where it does not move.

        wanted: asked now and then where no frame comes, as the last one was not taken. confirmed: as in `open`.
        Raises NotOpened where nothing can be shown, and where a moving one ends.
        """
        if not (confirmed or self.may_open(name)):
            raise NotOpened(f"no pattern of {OPTION} allows it")
        from tuistream.sources.media.player import Source, VideoEnded, playing

        try:
            if name.kind == "file":
                await self._play_file(name, confirmed, show, wanted)
            elif name.name.startswith(RTSP):
                async with playing(Source(name.name, live=True)) as player:
                    await _show_all(player, show, wanted)
            else:
                await self._get(name, confirmed, lambda response: _play_answer(response, show, wanted))
        except VideoEnded as ended:
            raise NotOpened(str(ended)) from ended

    async def _play_file(self, name: Named, confirmed: str, show: Show, wanted: Callable[[], bool]) -> None:
        from tuistream.sources.media.player import Source, playing

        file = await asyncio.to_thread(_opened, name.name, self._allowed(confirmed))
        with file:
            still = await asyncio.to_thread(_still, file)
            if still:
                show(_checked(still))
                return
            async with playing(Source(file=file.fileno())) as player:
                await _show_all(player, show, wanted)

    def _allowed(self, confirmed: str) -> Callable[[str], bool]:
        """Which real paths may be opened."""
        return (lambda real: real == confirmed) if confirmed else self._rules.allow_real

    async def _get(self, name: Named, confirmed: str, take: Callable[[aiohttp.ClientResponse], Awaitable[T]]) -> T:
        if importlib.util.find_spec("aiohttp") is None:
            raise NotOpened("aiohttp is needed: pip install 'tuistream[http]'")
        import aiohttp

        async with aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, connect=OPEN_SECONDS, sock_read=OPEN_SECONDS),
            headers={
                "User-Agent": f"tuistream/{__version__}",
                "Accept": "image/*, video/*",
                "Accept-Encoding": "identity",
            },
        ) as session:
            try:
                return await self._follow(session, name, confirmed, take)
            except aiohttp.ServerTimeoutError as error:
                raise NotOpened(f"nothing came for {OPEN_SECONDS:g} s") from error
            except aiohttp.ClientConnectorCertificateError as error:
                raise NotOpened(f"certificate refused: {printable(str(error.certificate_error), 120)}") from error
            except aiohttp.ClientConnectorError as error:
                raise NotOpened(printable(os_reason(error.os_error))) from error
            except (aiohttp.ClientError, OSError, ValueError) as error:
                raise NotOpened(printable(f"{type(error).__name__}: {error}")) from error

    async def _follow(
        self,
        session: aiohttp.ClientSession,
        name: Named,
        confirmed: str,
        take: Callable[[aiohttp.ClientResponse], Awaitable[T]],
    ) -> T:
        from yarl import URL  # of aiohttp

        if name.name.startswith(RTSP):
            raise NotOpened("RTSP is for a video, not for a picture")
        for _ in range(MAX_REDIRECTS + 1):
            async with session.get(URL(name.name, encoded=True), allow_redirects=False) as response:
                to = response.headers.get("Location", "")
                if response.status not in REDIRECTS or not to:
                    _check_answer(response)
                    return await take(response)
            name = named(urljoin(name.name, to))
            if confirmed or name.name.partition(":")[0] not in HTTP or not self.may_open(name):
                reason = "only the URL itself was confirmed" if confirmed else f"no pattern of {OPTION} allows that"
                raise NotOpened(f"redirected to {printable(name.shown, 200)}: {reason}")
        raise NotOpened(f"more than {MAX_REDIRECTS} redirects")


def _check_answer(response: aiohttp.ClientResponse) -> None:
    """Raises NotOpened for an answer without anything in it that can be shown."""
    if response.status != 200:
        raise NotOpened(f"HTTP {response.status} {printable(response.reason or '', 60)}".strip())
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise NotOpened("compressed, which was not asked for")


async def _play_answer(response: aiohttp.ClientResponse, show: Show, wanted: Callable[[], bool]) -> None:
    if response.content_type == MOVING:
        await _parts(response, show)
        return
    begun = bytearray()
    while len(begun) < HEAD and (chunk := await response.content.readany()):
        begun += chunk
    picture = picture_of(bytes(begun))
    if picture is not None and picture.format:
        show(_checked(await _body(response, bytes(begun))))
        return
    from tuistream.sources.media.player import playing_bytes

    async with playing_bytes(response.content, bytes(begun)) as player:
        await _show_all(player, show, wanted)


async def _show_all(player: Player, show: Show, wanted: Callable[[], bool]) -> None:
    """Raises VideoEnded at the end."""
    while True:
        frame = await player.next()
        if not (wanted() if frame is None else show(frame)):
            return


async def _parts(response: aiohttp.ClientResponse, show: Show) -> None:
    """Raises NotOpened at the end."""
    from tuistream.framers.mixed_replace import MixedReplaceFramer, boundary_of

    boundary = boundary_of(response.headers.get("Content-Type", ""))
    if not boundary:
        raise NotOpened(f"{MOVING} without a boundary")
    framer = MixedReplaceFramer(boundary)
    while chunk := await response.content.readany():
        for part in framer.feed(chunk):
            if not show(_checked(part)):
                return
        for _sample, reason in framer.take_refused():
            raise NotOpened(reason)
    raise NotOpened("the stream has ended")


async def _body(response: aiohttp.ClientResponse, begun: bytes = b"") -> bytes:
    """What is answered, if that can be a picture. begun: what was read of it. Raises NotOpened."""
    kind = response.content_type
    if kind.startswith(("multipart/", "video/", "audio/")):
        raise NotOpened(f"{printable(kind, 60)}: as a video it would be shown")
    _check_size(response.content_length or 0)
    data = bytearray(begun)
    while chunk := await response.content.readany():
        before = len(data)
        data += chunk
        _check_size(len(data))
        if before < HEAD <= len(data):
            _check_picture(bytes(data))
    return bytes(data)


def _real_path(path: str) -> str:
    try:
        return os.path.realpath(path, strict=True)
    except OSError as error:
        raise NotOpened(os_reason(error)) from error


def _opened(path: str, allowed: Callable[[str], bool]) -> BinaryIO:
    """A regular file, if its real path is allowed. Raises NotOpened."""
    real = _real_path(path)
    if not allowed(real):
        raise NotOpened(f"it leads to {printable(real, 400)}, which nobody has allowed")
    try:
        file = open(os.open(real, _FLAGS), "rb")  # noqa: PTH123, SIM115
        try:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise NotOpened("it is no regular file")
            # Whoever may write there could have put a link into the path since.
            if _real_path(real) != real or not os.path.samestat(found, os.lstat(real)):
                raise NotOpened("it was changed while it was opened")
        except BaseException:
            file.close()
            raise
    except OSError as error:
        raise NotOpened(os_reason(error)) from error
    return file


def _read(path: str, allowed: Callable[[str], bool]) -> bytes:
    with _opened(path, allowed) as file:
        try:
            _check_size(os.fstat(file.fileno()).st_size)
            head = file.read(HEAD)
            _check_picture(head)
            return head + file.read(MAX_MEDIA + 1 - len(head))
        except OSError as error:
            raise NotOpened(os_reason(error)) from error


def _still(file: BinaryIO) -> bytes:
    """The picture that a file is; b"" where it is none, or many one after another. Raises NotOpened."""
    try:
        data = file.read(HEAD)
        picture = picture_of(data)
        if picture is not None and picture.format:
            data += file.read(MAX_MEDIA + 1 - len(data))
        else:
            data = b""
        os.lseek(file.fileno(), 0, os.SEEK_SET)
    except OSError as error:
        raise NotOpened(os_reason(error)) from error
    return b"" if _NEXT_JPEG in data else data


def _check_size(size: int) -> None:
    if size > MAX_MEDIA:
        raise NotOpened(f"{compact(size)}B are over the limit of {compact(MAX_MEDIA)}B for a picture")


def _check_picture(data: bytes) -> None:
    picture = picture_of(data)
    if picture is None or not picture.format:
        raise NotOpened(_NO_PICTURE)


def _checked(data: bytes) -> bytes:
    """The same, if it is a picture within the bounds. Raises NotOpened."""
    _check_size(len(data))
    _check_picture(data)
    picture = picture_of(data)
    if picture is not None and picture.width * picture.height > MAX_PIXELS:
        size = f"{picture.width:,} x {picture.height:,}"
        raise NotOpened(f"a picture of {size} pixels is over the limit of {MAX_PIXELS:,}")
    return data
