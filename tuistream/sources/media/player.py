"""Plays a video: a process of its own decodes it (`decoder`), and gives one frame whenever the last one was drawn."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from tuistream.core.errors import TuistreamError
from tuistream.core.text import printable
from tuistream.sources.media import decoder
from tuistream.sources.media.decoder import (
    BEAT,
    END,
    FRAME,
    HEAD,
    INFO,
    Request,
)
from tuistream.sources.reasons import os_reason

if TYPE_CHECKING:
    from tuistream.core.video import Video, VideoFrame

NEEDED: Final = "PyAV shows videos: pip install 'tuistream[video]'"
ROOM: Final = (240, 180)  # pixels of a frame before a panel has said how many it has
MOST_ROOM: Final = (1_200, 900)
MAX_TEXT: Final = 4_096  # bytes of what a decoder says in words
REST_SECONDS = 5.0  # after which a video that nobody looks at rests
QUIET_SECONDS = 10.0  # without anything from a server
STUCK_SECONDS: Final = 25.0  # without a word from a decoder, which is then ended
_FILE_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)


class VideoEnded(TuistreamError):
    """There are no more frames; the text says why.

    final: nor would there be if it were opened again. normal: it was played to its end.
    """

    def __init__(self, words: str, *, final: bool, normal: bool = False) -> None:
        super().__init__(words)
        self.final = final
        self.normal = normal


class Answer(Protocol):
    """What comes over HTTP, piece by piece, b"" at the end."""

    async def readany(self) -> bytes: ...


class Source(msgspec.Struct, frozen=True):
    """Where a video is. url: of RTSP. file: a descriptor, of which a copy is used. format: where that is known.

    live: it comes as it is made; else its own times say when a frame is to be seen.
    """

    url: str = ""
    file: int = -1
    format: str = ""
    live: bool = False

    def request(self) -> Request:
        where: Request = {"url": self.url} if self.url else {"fd": self.file}
        return {
            **where,
            "format": self.format,
            "live": self.live,
            "room": ROOM,
            "rest": REST_SECONDS,
            "quiet": QUIET_SECONDS,
        }


def there_is_a_decoder() -> bool:
    return importlib.util.find_spec("av") is not None


@asynccontextmanager
async def playing(source: Source) -> AsyncIterator[Player]:
    """A video that plays for as long as the block lasts. Raises VideoEnded where nothing here decodes videos."""
    if not there_is_a_decoder():
        raise VideoEnded(NEEDED, final=True)
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            process = _started(source, theirs)
        except (OSError, ValueError) as error:  # Windows hands on no files
            ours.close()
            reason = os_reason(error) if isinstance(error, OSError) else str(error)
            raise VideoEnded(f"no decoder could be started: {reason}", final=False) from error
    try:
        reader, writer = await asyncio.open_connection(sock=ours)
        try:
            yield Player(process, source.request(), reader, writer)
        finally:
            writer.close()
    finally:
        process.kill()
        # Waited for elsewhere: whoever ends this may end the loop next.
        threading.Thread(target=process.wait, name="decoder", daemon=True).start()


def _started(source: Source, theirs: socket.socket) -> subprocess.Popen[bytes]:
    """The process that decodes, which hears and speaks by `theirs`."""
    return subprocess.Popen(  # noqa: S603
        # -P: nothing is imported from where the user happens to be.
        [sys.executable, "-P", decoder.__file__],
        stdin=theirs.fileno(),
        stdout=theirs.fileno(),
        stderr=subprocess.DEVNULL,
        pass_fds=() if source.url else (source.file,),
        start_new_session=True,
    )


@asynccontextmanager
async def playing_bytes(content: Answer, begun: bytes, kind: str = "") -> AsyncIterator[Player]:
    """A video of which the bytes come as they are read; no more of them are asked for than are decoded.

    begun: those that were read already. kind: the format, where that is known.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        _reader, writer = await asyncio.open_connection(sock=ours)
        feeding = asyncio.create_task(_feed(content, begun, writer))
        try:
            async with playing(Source(file=theirs.fileno(), format=kind)) as player:
                theirs.close()
                player.fed_by = feeding
                yield player
        finally:
            feeding.cancel()
            await asyncio.wait([feeding])
            if not feeding.cancelled():
                feeding.exception()  # the player has told it, or nobody waits for it any more
            writer.close()


async def _feed(content: Answer, begun: bytes, writer: asyncio.StreamWriter) -> None:
    data = begun
    try:
        while data:
            writer.write(data)
            await writer.drain()
            data = await content.readany()
    except BrokenPipeError:
        pass  # the decoder wants no more, and says why
    finally:
        writer.close()


class Player:
    """Gives the frames of one video. video: what its header says, once that is known."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        request: Request,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.video: Video | None = None
        self.fed_by: asyncio.Task[None] | None = None
        self._process = process
        self._in, self._out = writer, reader
        self._in.write(json.dumps(request).encode() + b"\n")

    async def next(self) -> VideoFrame | None:
        """The next frame; None every second or so without one. Raises VideoEnded."""
        while True:
            try:
                async with asyncio.timeout(STUCK_SECONDS):
                    kind, *numbers = HEAD.unpack(await self._out.readexactly(HEAD.size))
                    decoded, broken, first, second = numbers
                    if self.video is not None:
                        self.video.decoded, self.video.broken = decoded, broken
                    if kind == FRAME:
                        return await self._frame(first, second)
                    if kind == BEAT:
                        if self.video is not None:
                            self.video.rests = bool(first)
                        return None
                    said = await self._text(first)
            except TimeoutError:
                raise self._ended(f"no word from the decoder for {STUCK_SECONDS:g} s", final=False) from None
            except (asyncio.IncompleteReadError, ConnectionError):
                raise self._ended(self._how_it_ended(), final=True) from None
            if kind == INFO:
                self.video = self._video(said)
            elif kind == END:
                words = await self._why_no_more(str(said.get("words", "")))
                raise self._ended(words, final=bool(said.get("final")), normal=bool(said.get("normal")))

    def _ended(self, words: str, *, final: bool, normal: bool = False) -> VideoEnded:
        if self.video is not None:
            self.video.ended = words
        return VideoEnded(words, final=final, normal=normal)

    async def _why_no_more(self, words: str) -> str:
        """What the server did, where that is why there is no more to be decoded."""
        if self.fed_by is not None:
            await asyncio.wait([self.fed_by], timeout=1.0)
            if self.fed_by.done() and not self.fed_by.cancelled() and (error := self.fed_by.exception()):
                words = f"{words}: {type(error).__name__}: {error}"
        return printable(words)

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(0.1)  # its end of the line is closed: it has ended, or is about to
        except subprocess.TimeoutExpired:
            return "the decoder says nothing more"
        return f"the decoder ended by {f'signal {-code}' if code < 0 else f'exit code {code}'}"

    def _video(self, said: dict[str, Any]) -> Video:
        from tuistream.core.video import Video

        width, height, rate = int(said["width"]), int(said["height"]), float(said["rate"])
        return Video(width, height, printable(str(said["codec"]), 20), rate, self._want)

    def _want(self, columns: int, rows: int) -> None:
        if not self._in.is_closing():
            columns, rows = min(max(0, columns), MOST_ROOM[0]), min(max(0, rows), MOST_ROOM[1])
            self._in.write(f"{columns} {rows}\n".encode())

    async def _frame(self, columns: int, rows: int) -> VideoFrame:
        import numpy as np

        from tuistream.core.video import VideoFrame

        if self.video is None or not 0 < columns * rows <= MOST_ROOM[0] * MOST_ROOM[1]:
            raise self._ended("the decoder went wrong", final=True)
        data = await self._out.readexactly(3 * columns * rows)
        frame = VideoFrame(self.video, np.frombuffer(data, np.uint8).reshape(rows, columns, 3))
        self.video.waiting = frame
        self.video.rests = False
        return frame

    async def _text(self, length: int) -> dict[str, Any]:
        if length > MAX_TEXT:
            raise self._ended("the decoder went wrong", final=True)
        said = json.loads(await self._out.readexactly(length))
        assert isinstance(said, dict)
        return said


@asynccontextmanager
async def playing_file(path: str) -> AsyncIterator[Player]:
    """A video in a file. Raises VideoEnded where there is none."""

    def opened() -> int:
        descriptor = os.open(path, _FILE_FLAGS)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
        raise VideoEnded("it is no regular file", final=True)

    try:
        descriptor = await asyncio.to_thread(opened)
    except OSError as error:
        raise VideoEnded(os_reason(error), final=True) from error
    try:
        async with playing(Source(file=descriptor)) as player:
            yield player
    finally:
        os.close(descriptor)
